//go:build js && wasm

package main

import (
	"errors"
	"fmt"
	"math"
	"syscall/js"

	"jiaozi/value/money"
)

// Bounds of what a page may hand in: an own note, a payment of eight hops and a key
// are far smaller.
const (
	maxBytes = 16 << 10
	maxText  = 1 << 10
	maxList  = 1 << 10
)

// arguments are those of a call. The first that is wrong is the call's error; those
// read after it are empty, so a function may read all and look at err once.
type arguments struct {
	list []js.Value
	err  error
}

// callable makes a JavaScript function that returns its result, or an Error.
func callable(run func(*arguments) any) js.Func {
	return js.FuncOf(func(_ js.Value, list []js.Value) (result any) {
		defer func() {
			// A panic would end the program and with it the page's wallet.
			if bug := recover(); bug != nil {
				result = failure(fmt.Errorf("the wallet core has a bug: %v", bug))
			}
		}()
		a := &arguments{list: list}
		got := run(a)
		if a.err != nil {
			return failure(a.err)
		}
		return got
	})
}

func failure(err error) js.Value { return js.Global().Get("Error").New(err.Error()) }

func (a *arguments) fail(i int, what string) {
	if a.err == nil {
		a.err = fmt.Errorf("argument %d is not %s", i+1, what)
	}
}

func (a *arguments) at(i int) js.Value {
	if i >= len(a.list) {
		return js.Undefined()
	}
	return a.list[i]
}

// has reports whether an optional argument was given.
func (a *arguments) has(i int) bool { return !a.at(i).IsUndefined() && !a.at(i).IsNull() }

func (a *arguments) bytes(i int) []byte { return a.asBytes(i, a.at(i)) }

func (a *arguments) asBytes(i int, v js.Value) []byte {
	if !v.InstanceOf(js.Global().Get("Uint8Array")) || v.Length() > maxBytes {
		a.fail(i, fmt.Sprintf("a Uint8Array of at most %d bytes", maxBytes))
		return nil
	}
	b := make([]byte, v.Length())
	js.CopyBytesToGo(b, v)
	return b
}

// fixed reads into to exactly its length.
func (a *arguments) fixed(i int, to []byte) { a.asFixed(i, a.at(i), to) }

func (a *arguments) asFixed(i int, v js.Value, to []byte) {
	if b := a.asBytes(i, v); copy(to, b) != len(to) || len(b) != len(to) {
		a.fail(i, fmt.Sprintf("a Uint8Array of %d bytes", len(to)))
	}
}

func (a *arguments) text(i int) string { return a.asText(i, a.at(i)) }

func (a *arguments) asText(i int, v js.Value) string {
	if v.Type() == js.TypeString {
		if s := v.String(); len(s) <= maxText {
			return s
		}
	}
	a.fail(i, fmt.Sprintf("a string of at most %d bytes", maxText))
	return ""
}

func (a *arguments) number(i int) uint64 { return a.asNumber(i, a.at(i)) }

// asNumber reads a whole number that JavaScript counts exactly.
func (a *arguments) asNumber(i int, v js.Value) uint64 {
	const most = 1<<53 - 1 // Number.MAX_SAFE_INTEGER
	if v.Type() == js.TypeNumber {
		if n := v.Float(); n == math.Trunc(n) && n >= 0 && n <= most {
			return uint64(n)
		}
	}
	a.fail(i, "a whole number from 0 to 2^53-1")
	return 0
}

func (a *arguments) minor(i int) money.Minor { return money.Minor(a.number(i)) }

// exact is a number as the page gets it, which JavaScript must count exactly.
func (a *arguments) exact(m money.Minor) any {
	if m < 0 || m >= 1<<53 {
		a.check(errors.New("the amount is more than JavaScript counts exactly"))
		return nil
	}
	return float64(m)
}

// check keeps the first error.
func (a *arguments) check(err error) bool {
	if a.err == nil {
		a.err = err
	}
	return a.err == nil
}

// read parses an argument. After an error the value is its zero, which the callers
// look at no more than at err.
func read[T any](a *arguments, i int, parse func([]byte) (T, error)) T {
	b := a.bytes(i)
	var none T
	if a.err != nil {
		return none
	}
	v, err := parse(b)
	if err != nil {
		a.err = fmt.Errorf("argument %d: %w", i+1, err)
		return none
	}
	return v
}

func toPage(b []byte) js.Value {
	v := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(v, b)
	return v
}

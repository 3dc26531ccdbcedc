//go:build js && wasm

package main

import (
	"errors"
	"fmt"
	"sync"
	"syscall/js"
)

// turn: the wallet belongs to one goroutine at a time.
var turn sync.Mutex

// promise makes a JavaScript function of a Go one. It runs beside the page's event
// loop, since it may wait for the page's own promises.
func promise(run func(args []js.Value) (any, error)) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) any {
		executor := js.FuncOf(func(_ js.Value, settle []js.Value) any {
			go func() {
				turn.Lock()
				defer turn.Unlock()
				got, err := run(args)
				if err != nil {
					settle[1].Invoke(js.Global().Get("Error").New(err.Error()))
					return
				}
				settle[0].Invoke(got)
			}()
			return nil
		})
		defer executor.Release()
		return js.Global().Get("Promise").New(executor)
	})
}

// await waits for a promise, or takes a plain value as it is.
func await(v js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	done := make(chan outcome, 1)
	good := js.FuncOf(func(_ js.Value, args []js.Value) any { done <- outcome{value: first(args)}; return nil })
	bad := js.FuncOf(func(_ js.Value, args []js.Value) any { done <- outcome{err: thrown(first(args))}; return nil })
	defer good.Release()
	defer bad.Release()
	js.Global().Get("Promise").Call("resolve", v).Call("then", good, bad)
	o := <-done
	return o.value, o.err
}

func first(args []js.Value) js.Value {
	if len(args) == 0 {
		return js.Undefined()
	}
	return args[0]
}

// thrown is what the page threw.
func thrown(v js.Value) error {
	if v.Type() == js.TypeObject && v.Get("message").Type() == js.TypeString {
		return errors.New(v.Get("message").String())
	}
	return fmt.Errorf("the page threw %s", v.String())
}

// call calls a function of the page; a JavaScript exception is an error.
func call(f js.Value, args ...any) (v js.Value, err error) {
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("the page's function failed: %v", e)
		}
	}()
	return f.Invoke(args...), nil
}

func toBytes(v js.Value) ([]byte, error) {
	if !v.InstanceOf(js.Global().Get("Uint8Array")) {
		return nil, errors.New("the page gave something else than a Uint8Array")
	}
	b := make([]byte, v.Get("length").Int())
	js.CopyBytesToGo(b, v)
	return b, nil
}

func fromBytes(b []byte) js.Value {
	v := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(v, b)
	return v
}

// text reads the i-th argument, "" if it is not there.
func text(args []js.Value, i int) string {
	if i >= len(args) || args[i].Type() != js.TypeString {
		return ""
	}
	return args[i].String()
}

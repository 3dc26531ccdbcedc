package book

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"jiaozi/value/clock"
	"jiaozi/value/money"
)

// errBody is the one complaint of the reader; where it happened is in reader.err.
var errBody = errors.New("journal body is not in canonical form")

// DecodeBody reads the body of the row at seq, as strictly as DecodeEntry.
func DecodeBody(seq uint64, body []byte) ([]Entry, error) {
	var entries []Entry
	err := Entries(body, func(index int, raw []byte) error {
		e, err := DecodeEntry(seq, raw)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		entries = append(entries, e)
		return nil
	})
	return entries, err
}

// Entries walks the entries of a body without decoding them.
func Entries(body []byte, fn func(index int, raw []byte) error) error {
	r := reader{rest: body}
	if version := r.byte(); version != bodyVersion && r.err == nil {
		return fmt.Errorf("journal body of version %d; this program knows %d", version, bodyVersion)
	}
	n := r.count(MaxBatch, 1+2+16)
	for i := 0; i < n; i++ {
		raw := r.bytes(MaxBody)
		if r.err != nil {
			break
		}
		if err := fn(i, raw); err != nil {
			return err
		}
	}
	if r.err == nil && (len(r.rest) > 0 || n == 0) {
		r.fail()
	}
	return r.complaint()
}

// entryAt finds one entry of a body.
func entryAt(seq uint64, body []byte, index int) (e Entry, raw []byte, err error) {
	err = Entries(body, func(i int, b []byte) error {
		if i == index {
			raw = b
		}
		return nil
	})
	if err != nil {
		return e, nil, err
	}
	if raw == nil {
		return e, nil, fmt.Errorf("%w: no entry %d", errBody, index)
	}
	e, err = DecodeEntry(seq, raw)
	return e, raw, err
}

// DecodeEntry reads one entry of the row at seq. It is strict: what it accepts,
// AppendEntry writes again byte for byte.
func DecodeEntry(seq uint64, raw []byte) (e Entry, err error) {
	r := reader{rest: raw}
	r.command(&e.Command)
	r.result(&e, seq)
	if r.err == nil && len(r.rest) > 0 {
		r.fail()
	}
	return e, r.complaint()
}

// reader takes values off the front of rest. After the first error it returns
// zero values only. The byte slices it hands out alias rest.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail() {
	if r.err == nil {
		r.err = errBody
	}
}

func (r *reader) complaint() error {
	if r.err == nil {
		return nil
	}
	return fmt.Errorf("%w, %d bytes before its end", r.err, len(r.rest))
}

func (r *reader) take(n int) []byte {
	if r.err != nil || n > len(r.rest) {
		r.fail()
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) bool() bool {
	b := r.byte()
	if b > 1 {
		r.fail()
	}
	return b == 1
}

func (r *reader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) date() clock.Date {
	if b := r.take(4); b != nil {
		return clock.Date(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *reader) minor() money.Minor {
	v := r.uvarint()
	if v > math.MaxInt64 {
		r.fail()
		return 0
	}
	return money.Minor(v)
}

func (r *reader) id() (id [16]byte) {
	copy(id[:], r.take(16))
	return id
}

// uvarint accepts only the shortest form.
func (r *reader) uvarint() uint64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || (n > 1 && r.rest[n-1] == 0) {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// count reads the length of a list whose items take at least size bytes each,
// so that a lying count cannot ask for memory that the input does not back.
func (r *reader) count(limit, size int) int {
	v := r.uvarint()
	if v > uint64(limit) || v > uint64(len(r.rest)/size) {
		r.fail()
		return 0
	}
	return int(v)
}

func (r *reader) bytes(limit int) []byte {
	v := r.uvarint()
	if v > uint64(limit) {
		r.fail()
		return nil
	}
	return r.take(int(v))
}

func (r *reader) command(c *Command) {
	c.Kind = Kind(r.byte())
	flags := r.byte()
	c.ID = r.id()
	c.Date = r.date()
	c.Event = string(r.bytes(MaxName))
	if c.moves() {
		c.Handover = r.handover()
	}
	if flags&hasHold != 0 {
		c.Hold = r.id()
	}
	if flags&hasExpires != 0 {
		c.Expires = int64(r.uint64())
	}
	if flags&hasAt != 0 {
		c.At = int64(r.uint64())
	}
	if flags&hasReverses != 0 {
		c.Reverses = r.id()
	}
	if flags&hasDays != 0 {
		c.Days = Days{From: r.date(), To: r.date()}
	}
	c.Final, c.Linked = flags&isFinal != 0, flags&isLinked != 0
	r.legs(c)
	r.opens(c)
	if flags&hasTerms != 0 {
		r.terms(c)
	}
	r.records(c)
	for range r.count(MaxDone, 1) {
		c.Done = append(c.Done, r.uvarint())
	}
	c.Note = r.bytes(MaxNote)
	// A set flag over a zero field would be a second form of the same command.
	if r.err == nil && (commandFlags(c) != flags || form(c) != OK) {
		r.fail()
	}
}

func (r *reader) legs(c *Command) {
	n := r.count(MaxLegs, 16+1+2+8)
	if n > 0 {
		c.Legs = make([]Leg, 0, n)
	}
	for range n {
		leg := Leg{Account: r.id(), Side: Side(r.byte())}
		currency := money.Currency(r.uint16())
		leg.Amount = money.New(currency, money.Minor(r.uint64()))
		c.Legs = append(c.Legs, leg)
	}
}

func (r *reader) opens(c *Command) {
	n := r.count(MaxOpen, 16+1+1+2+1+1)
	for range n {
		a := Account{ID: r.id(), Normal: Side(r.byte()), NeverNegative: r.bool()}
		a.Currency = money.Currency(r.uint16())
		a.Line = r.minor()
		a.Name = string(r.bytes(MaxName))
		c.Open = append(c.Open, a)
	}
}

func (r *reader) terms(c *Command) {
	for range r.count(MaxOpen, 16+1) {
		c.Limit = append(c.Limit, Limit{Account: r.id(), Line: r.minor()})
	}
	for range r.count(MaxOpen, 16) {
		c.Close = append(c.Close, r.id())
	}
}

func (r *reader) records(c *Command) {
	for range r.count(MaxOnce, 3) {
		o := Once{Space: string(r.bytes(MaxName))}
		o.Key = r.bytes(MaxKey)
		o.Value = r.bytes(MaxValue)
		c.Once = append(c.Once, o)
	}
	for range r.count(MaxPut, 5) {
		p := Put{Space: string(r.bytes(MaxName))}
		p.Key = r.bytes(MaxKey)
		p.Expect = r.uvarint()
		deleted := r.bool()
		p.Value = r.bytes(MaxValue)
		if deleted {
			if len(p.Value) > 0 {
				r.fail()
			}
			p.Value = nil
		}
		c.Put = append(c.Put, p)
	}
	for range r.count(MaxOut, 3) {
		o := Out{Topic: string(r.bytes(MaxName))}
		o.Key = r.bytes(MaxKey)
		o.Body = r.bytes(MaxValue)
		c.Out = append(c.Out, o)
	}
}

func (r *reader) result(e *Entry, seq uint64) {
	e.Result = Result{Code: Code(r.byte()), Seq: seq}
	if !e.Result.Code.Kept() {
		r.fail()
	}
	n := len(e.Command.Legs)
	if e.Result.Code != OK || n == 0 {
		return
	}
	e.Result.Balances = make([]money.Amount, 0, n)
	for i := range n {
		m := money.Minor(r.uint64())
		e.Result.Balances = append(e.Result.Balances, money.New(e.Command.Legs[i].Amount.Currency(), m))
	}
}

package book

import (
	"encoding/binary"
	"errors"
	"fmt"

	"jiaozi/value/clock"
	"jiaozi/value/money"
)

// The body of a journal row: bodyVersion, the number of entries, and for each
// the command and its result. Numbers are big endian or minimal varints, byte
// strings carry their length, so that a body has exactly one form.
const (
	bodyVersion = 1
	bodyHeader  = 1 + binary.MaxVarintLen16
)

// Entry is a command with the answer it got.
type Entry struct {
	Command Command
	Result  Result
}

// Batch is one row of the journal, decoded.
type Batch struct {
	Seq        uint64
	Prev, Hash Hash
	Entries    []Entry
}

// Bits of the byte that opens a command: which rare fields follow.
const (
	hasHold = 1 << iota
	hasExpires
	hasAt
	isFinal
	knownFlags = hasHold | hasExpires | hasAt | isFinal
)

// appendCommand writes the canonical bytes of a command that form accepted.
func appendCommand(b []byte, c *Command) []byte {
	b = append(b, byte(c.Kind), commandFlags(c))
	b = append(b, c.ID[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(c.Date))
	b = appendString(b, c.Event)
	if c.Hold != (ID{}) {
		b = append(b, c.Hold[:]...)
	}
	if c.Expires != 0 {
		b = binary.BigEndian.AppendUint64(b, uint64(c.Expires))
	}
	if c.At != 0 {
		b = binary.BigEndian.AppendUint64(b, uint64(c.At))
	}
	b = appendLegs(b, c.Legs)
	b = appendOpens(b, c.Open)
	b = appendRecords(b, c)
	b = binary.AppendUvarint(b, uint64(len(c.Done)))
	for _, number := range c.Done {
		b = binary.AppendUvarint(b, number)
	}
	return appendBytes(b, c.Note)
}

func commandFlags(c *Command) (f byte) {
	if c.Hold != (ID{}) {
		f |= hasHold
	}
	if c.Expires != 0 {
		f |= hasExpires
	}
	if c.At != 0 {
		f |= hasAt
	}
	if c.Final {
		f |= isFinal
	}
	return f
}

func appendLegs(b []byte, legs []Leg) []byte {
	b = binary.AppendUvarint(b, uint64(len(legs)))
	for i := range legs {
		leg := &legs[i]
		b = append(b, leg.Account[:]...)
		b = append(b, byte(leg.Side))
		b = binary.BigEndian.AppendUint16(b, uint16(leg.Amount.Currency()))
		b = binary.BigEndian.AppendUint64(b, uint64(leg.Amount.Minor()))
	}
	return b
}

func appendOpens(b []byte, accounts []Account) []byte {
	b = binary.AppendUvarint(b, uint64(len(accounts)))
	for i := range accounts {
		a := &accounts[i]
		b = append(b, a.ID[:]...)
		b = append(b, byte(a.Normal), boolByte(a.NeverNegative))
		b = binary.BigEndian.AppendUint16(b, uint16(a.Currency))
		b = appendString(b, a.Name)
	}
	return b
}

func appendRecords(b []byte, c *Command) []byte {
	b = binary.AppendUvarint(b, uint64(len(c.Once)))
	for i := range c.Once {
		b = appendString(b, c.Once[i].Space)
		b = appendBytes(b, c.Once[i].Key)
		b = appendBytes(b, c.Once[i].Value)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Put)))
	for i := range c.Put {
		p := &c.Put[i]
		b = appendString(b, p.Space)
		b = appendBytes(b, p.Key)
		b = binary.AppendUvarint(b, p.Expect)
		b = append(b, boolByte(p.Value == nil))
		b = appendBytes(b, p.Value)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Out)))
	for i := range c.Out {
		b = appendString(b, c.Out[i].Topic)
		b = appendBytes(b, c.Out[i].Key)
		b = appendBytes(b, c.Out[i].Body)
	}
	return b
}

// appendResult writes what is not already said by the command: Seq is the row's
// and the currencies of the balances are those of the legs.
func appendResult(b []byte, r *Result) []byte {
	b = append(b, byte(r.Code))
	for i := range r.Balances {
		b = binary.BigEndian.AppendUint64(b, uint64(r.Balances[i].Minor()))
	}
	return b
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendBytes(b, v []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// errBody is the one complaint of the reader; where it happened is in reader.err.
var errBody = errors.New("journal body is not in canonical form")

// DecodeBody reads the body of the row at seq. It is strict: what it accepts,
// appendCommand and appendResult write again byte for byte.
func DecodeBody(seq uint64, body []byte) ([]Entry, error) {
	r := reader{rest: body}
	if version := r.byte(); version != bodyVersion && r.err == nil {
		return nil, fmt.Errorf("journal body of version %d; this program knows %d", version, bodyVersion)
	}
	n := r.count(MaxBatch, 2+16)
	entries := make([]Entry, 0, n)
	for i := 0; i < n && r.err == nil; i++ {
		var e Entry
		r.command(&e.Command)
		r.result(&e, seq)
		entries = append(entries, e)
	}
	if r.err == nil && (len(r.rest) > 0 || n == 0) {
		r.fail()
	}
	if r.err != nil {
		return nil, fmt.Errorf("%w, %d bytes before its end", r.err, len(r.rest))
	}
	return entries, nil
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
	if flags&^byte(knownFlags) != 0 {
		r.fail()
	}
	c.ID = r.id()
	if b := r.take(4); b != nil {
		c.Date = clock.Date(binary.BigEndian.Uint32(b))
	}
	c.Event = string(r.bytes(MaxName))
	if flags&hasHold != 0 {
		c.Hold = r.id()
	}
	if flags&hasExpires != 0 {
		c.Expires = int64(r.uint64())
	}
	if flags&hasAt != 0 {
		c.At = int64(r.uint64())
	}
	c.Final = flags&isFinal != 0
	r.legs(c)
	r.opens(c)
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
	n := r.count(MaxOpen, 16+1+1+2+1)
	for range n {
		a := Account{ID: r.id(), Normal: Side(r.byte()), NeverNegative: r.bool()}
		a.Currency = money.Currency(r.uint16())
		a.Name = string(r.bytes(MaxName))
		c.Open = append(c.Open, a)
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

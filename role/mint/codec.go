package mint

import (
	"encoding/binary"
	"fmt"

	"jiaozi/crypt/brands"
	"jiaozi/value/money"
)

// recordVersion is the first byte of every record, for the day its form changes.
const recordVersion = 1

// maxBytes bounds each text and byte string of a record.
const maxBytes = 16 << 10

// writer appends the parts of a record: numbers as varints, texts and bytes with
// their length in front.
type writer struct{ b []byte }

func newRecord() *writer { return &writer{b: []byte{recordVersion}} }

func (w *writer) uint(v uint64)       { w.b = binary.AppendUvarint(w.b, v) }
func (w *writer) minor(v money.Minor) { w.uint(uint64(v)) }
func (w *writer) text(s string)       { w.uint(uint64(len(s))); w.b = append(w.b, s...) }
func (w *writer) bytes(s []byte)      { w.text(string(s)) }
func (w *writer) fixed(s []byte)      { w.b = append(w.b, s...) }

// reader takes them off again. The first fault sticks; done reports it.
type reader struct {
	b   []byte
	bad bool
}

func openRecord(b []byte) *reader {
	r := &reader{b: b}
	if r.fixed(1)[0] != recordVersion {
		r.bad = true
	}
	return r
}

// fixed takes n bytes; zeros if they are not there.
func (r *reader) fixed(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad = true
		return make([]byte, min(n, maxBytes))
	}
	head := r.b[:n]
	r.b = r.b[n:]
	return head
}

// uint takes a number of at most limit, in its shortest form.
func (r *reader) uint(limit uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	if r.bad || n <= 0 || v > limit || n > 1 && r.b[n-1] == 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) minor() money.Minor { return money.Minor(r.uint(1<<63 - 1)) }
func (r *reader) bytes() []byte      { return r.fixed(int(r.uint(maxBytes))) }
func (r *reader) text() string       { return string(r.bytes()) }

func (r *reader) done(what string) error {
	if r.bad || len(r.b) != 0 {
		return fmt.Errorf("%s: %w", what, errRecord)
	}
	return nil
}

func (w *writer) points(list []brands.Point3) {
	w.uint(uint64(len(list)))
	for _, p := range list {
		w.b = p.Append(w.b)
	}
}

func (r *reader) points() []brands.Point3 {
	n := r.uint(brands.MaxHops + 1)
	list := make([]brands.Point3, 0, n)
	for range n {
		p, err := brands.ParsePoint3(r.fixed(brands.PointSize))
		r.bad = r.bad || err != nil
		list = append(list, p)
	}
	return list
}

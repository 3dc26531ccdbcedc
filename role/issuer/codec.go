package issuer

import (
	"encoding/binary"
	"errors"
	"fmt"

	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// errRecord: a record of this role's spaces does not read back. The book's hash
// chain vouches for the bytes, so another program wrote them: run audit.
var errRecord = errors.New("issuer: a stored record is malformed: run audit, then restore a backup")

// recordVersion is the first byte of every record, for the day its form changes.
const recordVersion = 1

// maxText bounds each text and byte string of a record.
const maxText = 1 << 10

// writer appends the parts of a record: numbers as varints, texts with their
// length in front.
type writer struct{ b []byte }

func (w *writer) uint(v uint64)       { w.b = binary.AppendUvarint(w.b, v) }
func (w *writer) minor(v money.Minor) { w.b = binary.AppendVarint(w.b, int64(v)) }
func (w *writer) text(s string)       { w.uint(uint64(len(s))); w.b = append(w.b, s...) }
func (w *writer) bool(v bool) {
	if v {
		w.b = append(w.b, 1)
		return
	}
	w.b = append(w.b, 0)
}

// reader takes them off again. The first fault sticks; done reports it.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad = true
		return make([]byte, min(n, maxText))
	}
	head := r.b[:n]
	r.b = r.b[n:]
	return head
}

func (r *reader) uint(limit uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > limit || n > 1 && r.b[n-1] == 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) minor() money.Minor {
	v, n := binary.Varint(r.b)
	if n <= 0 || n > 1 && r.b[n-1] == 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return money.Minor(v)
}

func (r *reader) text() string { return string(r.take(int(r.uint(maxText)))) }

func (r *reader) bool() bool {
	v := r.take(1)[0]
	r.bad = r.bad || v > 1
	return v == 1
}

func (r *reader) done(what string) error {
	if r.bad || len(r.b) != 0 {
		return fmt.Errorf("%s: %w", what, errRecord)
	}
	return nil
}

func appendCard(dst []byte, c *Card) []byte {
	w := &writer{append(dst, recordVersion)}
	w.text(c.PAN.Reveal()) // the one place where the number is kept
	w.uint(uint64(c.PSN))
	w.text(c.Account)
	w.uint(uint64(c.Currency))
	w.uint(uint64(c.Status))
	w.bool(c.Listed)
	w.uint(uint64(c.Expiry))
	w.minor(c.Limit.Minor())
	w.text(c.Label)
	w.text(string(c.PINRef))
	w.uint(uint64(c.PINTries))
	w.minor(c.Shadow.Minor())
	w.uint(uint64(c.Online))
	w.order(c.Load)
	w.order(c.Close)
	w.uint(uint64(len(c.Flagged)))
	for _, f := range c.Flagged {
		w.flagged(f)
	}
	w.uint(uint64(len(c.Seen)))
	for _, e := range c.Seen {
		w.evidence(e)
	}
	return w.b
}

func (w *writer) order(o *Order) {
	w.bool(o != nil)
	if o == nil {
		return
	}
	w.uint(uint64(o.Kind))
	w.text(string(o.Trace))
	w.text(string(o.Acquirer))
	w.text(string(o.MID))
	w.minor(o.Amount.Minor())
	w.text(o.Source)
	w.uint(uint64(o.ATC))
	w.b = append(w.b, o.AC[:]...)
	w.minor(o.Before.Minor())
	w.bool(o.Sent)
	w.text(string(o.Record))
}

func (w *writer) flagged(f Flagged) {
	w.uint(uint64(f.ATC))
	w.b = append(w.b, f.AC[:]...)
	w.minor(f.Amount.Minor())
	w.minor(f.Before.Minor())
	w.bool(f.Proved)
}

func (w *writer) evidence(e Evidence) {
	w.uint(uint64(e.ATC))
	w.minor(e.Balance)
	w.minor(e.Delta)
	w.bool(e.Proved)
	w.bool(e.Before)
	w.bool(e.Settled)
	w.uint(uint64(e.Scripts + 1))
}

// decodeCard reads a card record and refuses anything that appendCard would not
// have written.
func decodeCard(b []byte) (*Card, error) {
	r := &reader{b: b}
	if r.take(1)[0] != recordVersion {
		return nil, fmt.Errorf("card: %w", errRecord)
	}
	pan, err := ident.UncheckedPAN(r.text())
	if err != nil {
		return nil, fmt.Errorf("card: %w", errRecord)
	}
	c := &Card{PAN: pan, PSN: ident.PSN(r.uint(99)), Account: r.text(), Currency: money.Currency(r.uint(999))}
	c.Status, c.Listed = Status(r.uint(uint64(Cloned))), r.bool()
	c.Expiry, c.Limit = clock.Date(r.uint(99991231)), c.amount(r.minor())
	c.Label = r.text()
	if ref := r.text(); ref != "" {
		c.PINRef = []byte(ref)
	}
	c.PINTries, c.Shadow, c.Online = uint8(r.uint(255)), c.amount(r.minor()), uint16(r.uint(0xFFFF))
	c.Load, c.Close = r.order(c.Currency), r.order(c.Currency)
	for range r.uint(maxFlagged) {
		c.Flagged = append(c.Flagged, r.flagged(c.Currency))
	}
	for range r.uint(maxHistory) {
		c.Seen = append(c.Seen, r.evidence())
	}
	r.bad = r.bad || !c.Status.known()
	return c, r.done("card")
}

func (r *reader) order(cur money.Currency) *Order {
	if !r.bool() {
		return nil
	}
	o := &Order{Kind: OrderKind(r.uint(uint64(Closure))), Trace: Trace(r.text()), Acquirer: ident.Inst(r.text()), MID: ident.MID(r.text())}
	o.Amount, o.Source, o.ATC = money.New(cur, r.minor()), r.text(), uint16(r.uint(0xFFFF))
	copy(o.AC[:], r.take(len(o.AC)))
	o.Before, o.Sent = money.New(cur, r.minor()), r.bool()
	if record := r.text(); record != "" {
		o.Record = []byte(record)
	}
	r.bad = r.bad || !o.Kind.known()
	return o
}

func (r *reader) flagged(cur money.Currency) Flagged {
	return Flagged{ATC: uint16(r.uint(0xFFFF)), AC: [8]byte(r.take(8)), Amount: money.New(cur, r.minor()),
		Before: money.New(cur, r.minor()), Proved: r.bool()}
}

func (r *reader) evidence() Evidence {
	return Evidence{ATC: uint16(r.uint(0xFFFF)), Balance: r.minor(), Delta: r.minor(),
		Proved: r.bool(), Before: r.bool(), Settled: r.bool(), Scripts: int8(r.uint(17)) - 1}
}

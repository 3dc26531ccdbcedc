package brands

import "jiaozi/crypt/brands/bulk"

// An aid is what a payment's elements are decoded with at little cost: for each of them the root that decoding needs
// (bulk.Witness), in the order A, B, Z, A', B' of the head, then of the coin of every link. Who deposits computes it; who
// verifies many payments at once saves a third of his time by it. It is not part of the payment, proves nothing and is not
// trusted: with a wrong one, or none, a payment is as good or bad as before.

// AidSize is the length of an aid in bytes for each coin of a payment.
const AidSize = elements * Size

const elements = 5 // of a coin

// Aid computes a payment's aid; nil for one with a piece of a note, which is decoded without.
func (p *Payment) Aid() []byte {
	if p.Piece != nil {
		return nil
	}
	aid := make([]byte, 0, AidSize*(1+len(p.Links)))
	for i := range 1 + len(p.Links) {
		coin, _ := p.at(i)
		for _, enc := range [elements]*[Size]byte{&coin.a.enc, &coin.b, &coin.z.enc, &coin.ca.enc, &coin.cb.enc} {
			w, _ := bulk.WitnessOf(enc) // zeros for a B that is no element: the aid helps with the others
			aid = append(aid, w[:]...)
		}
	}
	return aid
}

// ParseAidedPayment is ParsePayment with the help of an aid. It reads the same payments and refuses the same bytes with
// the same words, whatever the aid is; one that is not of the payment's length is ignored.
func ParseAidedPayment(b, aid []byte) (*Payment, error) {
	if len(b) < 2 || b[0] > MaxHops || b[1] != 0 || len(aid) != AidSize*(1+int(b[0])) {
		return ParsePayment(b)
	}
	h := helper{aid: aid, points: make([]bulk.Point, len(aid)/Size), first: -elements}
	p, err := parsePayment(b, h.read)
	if err != nil {
		return nil, err
	}
	for i := range 1 + len(p.Links) {
		coin, _ := p.at(i)
		coin.aidedB = h.decode(&coin.b, i*elements+1)
	}
	return p, nil
}

// helper is an aid in use.
type helper struct {
	aid    []byte
	points []bulk.Point
	first  int // place of the elements of the coin that is read
}

// read is a reader. What bulk refuses is left to the library, for the words.
func (h *helper) read(e *Element, part int, enc [Size]byte) error {
	if part == 0 {
		h.first += elements
	}
	if e.aided = h.decode(&enc, h.first+part); e.aided == nil {
		return e.parse(enc)
	}
	e.enc = enc
	return nil
}

// decode decodes the element at a place; nil if the bytes encode none of ours.
func (h *helper) decode(enc *[Size]byte, at int) *bulk.Point {
	p := &h.points[at]
	if *enc == [Size]byte{} || !p.Decode(enc, (*bulk.Witness)(h.aid[at*Size:])) {
		return nil
	}
	return p
}

// aided reports whether all elements were read with an aid.
func (p *Payment) aided() bool {
	for i := range 1 + len(p.Links) {
		coin, _ := p.at(i)
		if coin.a.aided == nil || coin.aidedB == nil || coin.z.aided == nil || coin.ca.aided == nil || coin.cb.aided == nil {
			return false
		}
	}
	return p.Piece == nil
}

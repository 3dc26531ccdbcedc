package brands

import (
	"errors"
	"fmt"
	"io"

	"jiaozi/value/money"
)

// MaxHops is the number of blanks that money may go through before it must see the mint.
const MaxHops = 8

// ErrChain is wrapped when the coins of a payment do not belong together in this way.
var ErrChain = errors.New("the chain of coins is not allowed")

// Link passes money on: the line of the coin before, which pays it to Next, a blank of the receiver.
type Link struct {
	Line Line
	Next Coin
}

// Money is money in the hand: a coin, or a piece of a note, then the blanks it went through. Who owns Last may pay it on.
type Money struct {
	Head  Coin
	Piece *Piece // of a note; nil for a coin
	Links []Link // at most MaxHops
}

// Payment is money with its final line, which pays it to the payee of some terms.
type Payment struct {
	Money
	Final Line
}

// ParseMoney reads exactly one Money.
func ParseMoney(b []byte) (*Money, error) {
	m := new(Money)
	rest, err := m.parse(b, readAlone)
	if err != nil {
		return nil, err
	}
	if len(rest) != 0 {
		return nil, fmt.Errorf("%d bytes after the money: %w", len(rest), ErrEncoding)
	}
	return m, nil
}

// Append adds the encoding: number of links | 1 with a piece, else 0 | head | piece | links.
func (m *Money) Append(b []byte) []byte {
	b = append(b, byte(len(m.Links)), 0)
	if m.Piece != nil {
		b[len(b)-1] = 1
	}
	b = m.Head.Append(b)
	if m.Piece != nil {
		b = m.Piece.append(b)
	}
	for i := range m.Links {
		b = m.Links[i].Next.Append(m.Links[i].Line.Append(b))
	}
	return b
}

// parse fills m from the start of b and gives the rest. After an error m is not to be used.
func (m *Money) parse(b []byte, read reader) (rest []byte, err error) {
	if len(b) < 2+CoinSize {
		return nil, fmt.Errorf("money cut short at %d bytes: %w", len(b), ErrEncoding)
	}
	hops, piece := int(b[0]), b[1]
	if hops > MaxHops || piece > 1 {
		return nil, fmt.Errorf("money of %d hops, at most %d, form %d: %w", hops, MaxHops, piece, ErrEncoding)
	}
	if err := m.Head.parse(b[2:2+CoinSize], read); err != nil {
		return nil, err
	}
	b = b[2+CoinSize:]
	if piece == 1 {
		if m.Piece, b, err = parsePiece(b); err != nil {
			return nil, err
		}
	}
	if len(b) < hops*linkSize {
		return nil, fmt.Errorf("links cut short at %d bytes: %w", len(b), ErrEncoding)
	}
	if hops > 0 {
		m.Links = make([]Link, hops)
	}
	for i := range m.Links {
		if err := m.Links[i].parse(b[:linkSize], read); err != nil {
			return nil, err
		}
		b = b[linkSize:]
	}
	return b, nil
}

const linkSize = LineSize + CoinSize

func (l *Link) parse(b []byte, read reader) (err error) {
	if l.Line, err = ParseLine(b[:LineSize]); err != nil {
		return err
	}
	return l.Next.parse(b[LineSize:], read)
}

// ParsePayment reads exactly one Payment.
func ParsePayment(b []byte) (*Payment, error) { return parsePayment(b, readAlone) }

func parsePayment(b []byte, read reader) (*Payment, error) {
	p := new(Payment)
	rest, err := p.Money.parse(b, read)
	if err != nil {
		return nil, err
	}
	if p.Final, err = ParseLine(rest); err != nil {
		return nil, err
	}
	return p, nil
}

// Append adds the encoding: that of the money, then the final line.
func (p *Payment) Append(b []byte) []byte { return p.Final.Append(p.Money.Append(b)) }

// Value gives what the money is worth.
func (m *Money) Value(keys Keys) (money.Amount, error) {
	key, ok := keys.Key(m.Head.key)
	if !ok {
		return money.Amount{}, fmt.Errorf("key %s: %w", m.Head.key, ErrUnknownKey)
	}
	if err := m.checkHead(key); err != nil {
		return money.Amount{}, err
	}
	value := key.info.Value
	if m.Piece != nil {
		var err error
		if value, err = m.Piece.value(&key.info); err != nil {
			return money.Amount{}, err
		}
	}
	return money.New(key.info.Currency, value), nil
}

func (m *Money) checkHead(key *PublicKey) error {
	want := KindCoin
	if m.Piece != nil {
		want = KindNote
	}
	if key.info.Kind != want {
		return fmt.Errorf("the money starts with a %s where a %s belongs: %w", key.info.Kind, want, ErrChain)
	}
	return nil
}

// Last gives the coin whose owner may pay the money on.
func (m *Money) Last() *Coin {
	if n := len(m.Links); n > 0 {
		return &m.Links[n-1].Next
	}
	return &m.Head
}

// Hops gives the number of blanks.
func (m *Money) Hops() int { return len(m.Links) }

// Spec gives the spec of the last link, zero without any: prev for the next LinkSpec or FinalSpec.
func (m *Money) Spec() Digest {
	var spec Digest
	for i := range m.Links {
		spec = LinkSpec(spec, &m.Links[i].Next)
	}
	return spec
}

// An answered coin is one coin of a chain with the line that its owner gave, and what for; nil for the last of money in
// the hand.
type answered struct {
	coin *Coin
	c    Scalar // the coin's challenge
	line *Line
	spec Digest
}

// chain lists the coins, head first, in the room of list; the last is not answered.
func (m *Money) chain(list []answered) []answered {
	list = append(list[:0], answered{coin: &m.Head, c: m.Head.challenge()})
	var spec Digest
	for i := range m.Links {
		link := &m.Links[i]
		spec = LinkSpec(spec, &link.Next)
		list[i].line, list[i].spec = &link.Line, spec
		list = append(list, answered{coin: &link.Next, c: link.Next.challenge()})
	}
	return list
}

func (p *Payment) chain(list []answered, terms *Digest) []answered {
	list = p.Money.chain(list)
	last := len(list) - 1
	var prev Digest
	if last > 0 {
		prev = list[last-1].spec
	}
	list[last].line, list[last].spec = &p.Final, FinalSpec(prev, *terms)
	return list
}

// state adds what must hold for the money to be good, after the checks that need no equation. After an error some of it may
// have been added.
func (m *Money) state(to *claims, keys Keys, chain []answered) error {
	if len(chain) > 1+MaxHops {
		return fmt.Errorf("%d hops, at most %d: %w", len(chain)-1, MaxHops, ErrChain)
	}
	first := len(to.list)
	to.grow(len(chain))
	var network Network
	for i := range chain {
		at := &chain[i]
		key, ok := keys.Key(at.coin.key)
		if !ok {
			return fmt.Errorf("key %s: %w", at.coin.key, ErrUnknownKey)
		}
		if i == 0 {
			network = key.info.Network
		}
		if err := m.checkPlace(i, chain, key, network); err != nil {
			return err
		}
		to.list = append(to.list, signed(at, key))
		if at.line == nil {
			continue
		}
		if err := m.stateLines(to, i, at, key); err != nil {
			return err
		}
	}
	for i := first; i < len(to.list); i++ {
		if to.list[i].empty() {
			return errEmpty
		}
	}
	return nil
}

// checkPlace refuses a coin that may not stand at place i: money starts with a coin or a piece, everything after is a
// blank of the same network, and no coin comes twice.
func (m *Money) checkPlace(i int, chain []answered, key *PublicKey, network Network) error {
	if i == 0 {
		if m.Piece != nil && chain[0].line == nil {
			return fmt.Errorf("a piece that nobody was paid with: %w", ErrChain)
		}
		return m.checkHead(key)
	}
	if key.info.Kind != KindBlank || key.info.Network != network {
		return fmt.Errorf("hop %d goes to a %s of network %s: %w", i, key.info.Kind, key.info.Network, ErrChain)
	}
	for _, before := range chain[:i] {
		if before.coin.a.enc == chain[i].coin.a.enc {
			return fmt.Errorf("coin %s comes twice: %w", before.coin.ID(), ErrChain)
		}
	}
	return nil
}

// stateLines adds what the answer of the coin at place i claims.
func (m *Money) stateLines(to *claims, i int, at *answered, key *PublicKey) error {
	if i == 0 && m.Piece != nil {
		return m.Piece.state(to, at, key)
	}
	b, err := to.lineOf(at.coin)
	if err != nil {
		return err
	}
	to.list = append(to.list, onLine(&at.coin.a, b, Point3{abscissaOf(at.c, at.spec), *at.line}))
	return nil
}

// VerifyVartime checks everything but the final line: what a person checks who is handed money to a blank of his. Dates
// and group are the caller's to check, with each coin's KeyInfo.
func (m *Money) VerifyVartime(keys Keys, rand io.Reader) error {
	var c claims
	if err := m.state(&c, keys, m.chain(nil)); err != nil {
		return err
	}
	return verifyVartime(c.list, rand)
}

func (p *Payment) state(to *claims, keys Keys, terms *Digest) error {
	to.chain = p.chain(to.chain, terms)
	return p.Money.state(to, keys, to.chain)
}

// VerifyVartime checks the whole payment in one multi-exponentiation with random weights; terms is Terms.Digest. Dates
// and group are the caller's to check, with each coin's KeyInfo.
func (p *Payment) VerifyVartime(keys Keys, terms Digest, rand io.Reader) error {
	var c claims
	if err := p.state(&c, keys, &terms); err != nil {
		return err
	}
	return verifyVartime(c.list, rand)
}

// VerifyEquationsVartime is VerifyVartime equation by equation, without randomness.
func (p *Payment) VerifyEquationsVartime(keys Keys, terms Digest) error {
	var c claims
	if err := p.state(&c, keys, &terms); err != nil {
		return err
	}
	return firstFaultVartime(c.list)
}

// Points gives one point for each coin of the chain, head first (of a note: of the node that was paid).
func (p *Payment) Points(terms Digest) []Point3 {
	chain := p.chain(nil, &terms)
	points := make([]Point3, len(chain))
	for i, at := range chain {
		points[i] = Point3{abscissaOf(at.c, at.spec), *at.line}
	}
	if p.Piece != nil {
		points[0].D = nodeAbscissa(chain[0].c, p.Piece.Node, chain[0].spec)
	}
	return points
}

package history

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"maps"

	"jiaozi/crypt/brands"
	"jiaozi/crypt/phrase"
	"jiaozi/role/wallet"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
	"jiaozi/wire/observer"
)

// person is a wallet and what its owner should have.
type person struct {
	*town
	name   string
	honest bool
	wallet *wallet.Wallet
	store  *store
	card   *chip // nil without
	twin   *person

	expect  money.Minor // what he should have, at the bank and in the wallet together
	written money.Minor // refused coins that a lost wallet knew
	// claimed is what the words brought back, more how much of it he had paid before: to somebody who had not
	// brought it to the mint, such as a cheat's copy that was thrown away. It is his until somebody does.
	claimed map[brands.CoinID]money.Minor
	more    money.Minor
}

// policy keeps few blanks, since each costs a withdrawal, and exchanges whatever
// has been in another hand.
var policy = wallet.Policy{Blanks: 5, RequestBlanks: 3, ChangeBlanks: 2, ExchangeHops: 1}

func (p *person) world() wallet.World {
	out := wallet.World{Store: p.store, Mint: line{p.town}, Clock: p.clock, Rand: p.rand}
	if p.card != nil {
		out.Card = p.card
	}
	return out
}

func config() wallet.Config { return wallet.Config{Currency: money.CNY, Policy: policy} }

func words(name string) phrase.Phrase { return phrase.FromEntropy(sha256.Sum256([]byte(name))) }

// moveIn makes somebody's wallet. The till has no account of its own.
func (w *town) moveIn(p person) *person {
	w.Helper()
	p.town, p.store, p.claimed = w, &store{town: w}, map[brands.CoinID]money.Minor{}
	if p.card != nil {
		p.card.town = w
	}
	var err error
	p.wallet, err = wallet.New(p.world(), config(), words(p.name))
	w.check(err)
	w.check(p.wallet.RefreshKeys(w.Context()))
	if p.name != "till" {
		w.check(p.wallet.Enrol(w.Context(), p.name, w.account(p.name)))
		p.expect = purse
	}
	return &p
}

// store is a wallet's file in memory, which fails before or after a write.
type store struct {
	*town
	state []byte
	stale bool // fail the next write, whatever the dice say
}

func (s *store) Load() ([]byte, error) { return bytes.Clone(s.state), nil }

func (s *store) Save(b []byte) error {
	if s.stale || s.fault() {
		s.stale = false
		return errFault
	}
	s.state = bytes.Clone(b)
	if s.fault() {
		return errFault
	}
	return nil
}

// crash ends the process: what the file holds is all that is left.
func (p *person) crash() {
	p.Helper()
	w, err := wallet.Open(p.world(), config())
	p.check(err)
	p.wallet = w
	p.note("%s crashes", p.name)
}

// chip is an observer with the memory that guards its answers.
type chip struct {
	*town
	o        *brands.Observer
	low      uint32 // indices below are closed for ever
	next     uint32
	answered map[uint32]brands.Scalar
}

func newCard(name string) *chip {
	return &chip{o: brands.NewObserver(sha256.Sum256([]byte("card of " + name))), answered: map[uint32]brands.Scalar{}}
}

// image is what a thief with a probe reads out of a chip.
func (c *chip) image() *chip {
	out := *c
	out.answered = maps.Clone(c.answered)
	return &out
}

func (c *chip) Identity() (brands.Element, []byte, uint32, error) {
	cert, err := observer.Certify(c.o.Identity().Bytes(), 20301231, func(msg []byte) ([]byte, error) { return ed25519.Sign(cardAuthority(), msg), nil })
	return c.o.Identity(), cert.Append(nil), c.next, err
}

func (c *chip) Prepare(first uint32, n int) (out []brands.Element, err error) {
	if first > c.next {
		return nil, errors.New("the card leaves no gaps")
	}
	for i := range uint32(n) {
		out = append(out, c.o.Nonce(first+i))
	}
	c.next = max(c.next, first+uint32(n))
	return out, nil
}

func (c *chip) Retire(below uint32) error {
	c.low = max(c.low, below)
	return nil
}

func (c *chip) Answer(index uint32, d brands.Scalar) (brands.Scalar, error) {
	if had, ok := c.answered[index]; ok && had != d || index >= c.next || index < c.low {
		return brands.Scalar{}, errors.New("the card has answered this index")
	}
	c.answered[index] = d
	if c.fault() {
		return brands.Scalar{}, errFault
	}
	return c.o.Answer(index, d), nil
}

// offline does something without the mint until nothing fails.
func (p *person) offline(f func(*wallet.Wallet) error) error {
	for {
		err := f(p.wallet)
		if !errors.Is(err, errFault) {
			return err
		}
		p.falter()
	}
}

// falter is what a process does after a fault: mostly go on, sometimes die.
func (p *person) falter() {
	if p.dice.IntN(10) == 0 {
		p.crash()
	}
}

// online does something with the mint. What a fault interrupts, Resume ends.
func (p *person) online(f func(context.Context, *wallet.Wallet) (wallet.Report, error)) error {
	_, err := f(p.Context(), p.wallet)
	for errors.Is(err, errFault) {
		p.falter()
		_, err = p.wallet.Resume(p.Context())
	}
	return err
}

// code is what a refusal says; 0 for any other error.
func code(err error) coin.Code {
	var no *wallet.Refusal
	if errors.As(err, &no) {
		return no.Code
	}
	return 0
}

func (p *person) withdraw(amount money.Minor) {
	p.Helper()
	err := p.online(func(ctx context.Context, w *wallet.Wallet) (wallet.Report, error) {
		return w.Withdraw(ctx, wallet.Order{Amount: fen(amount), Notes: true})
	})
	if code(err) != coin.Insufficient {
		p.check(err)
	}
}

func (p *person) holds() money.Minor {
	b := p.wallet.Balance()
	return b.Available.Minor() + b.Pending.Minor() + b.Recoverable.Minor()
}

// unbrought is what the words brought back of what he had paid.
func (p *person) unbrought() money.Minor {
	sum := p.more
	for id, value := range p.claimed {
		if len(p.seen[id]) > 0 {
			sum -= value
		}
	}
	return sum
}

// refused is what the mint did not pay for.
func (p *person) refused() money.Minor {
	sum := p.written
	for _, r := range p.wallet.Refused() {
		sum += r.Value.Minor()
	}
	return sum
}

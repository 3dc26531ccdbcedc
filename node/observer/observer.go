// Package observer gives a wallet its card: it speaks to the coin application
// over any line that carries commands, a card in this process, a reader, the
// antenna of a phone.
//
//	Open: SELECT, PIN over the contacts, is it the wallet's own card?
//	Prepare -> points B_O for withdrawals      Answer -> r' for payments
//	Opening -> the card's half of the proof that opens an account
//
// Every method may be called again after any error, on this Card or, when the line
// is gone (apdu.ErrGone), on a new one: the card then says what it said or would
// have said before, and nothing happens twice. What the wallet must have on disk is
// the challenge, before it asks: after a crash it asks for the same again. A wrong
// PIN is the exception, it costs a try each time.
//
// The package does not judge certificates, since which issuer's card may open an
// account is the mint's to say, and does not check answers: brands does, when it
// completes the coin's line. Start with Open.
package observer

import (
	"errors"
	"fmt"
	"slices"

	"jiaozi/crypt/brands"
	"jiaozi/crypt/pin"
	"jiaozi/wire/apdu"
	wire "jiaozi/wire/observer"
)

// Errors on which a caller acts. A line that is gone is apdu.ErrGone: have the card
// presented again, Open it and ask the same again.
var (
	ErrNoCoins  = errors.New("this card has no coin application; present the wallet's card")
	ErrOther    = errors.New("this is another card than the wallet's; present the wallet's own")
	ErrNeedsPIN = errors.New("the card wants its PIN first")
	ErrWrongPIN = errors.New("the PIN is wrong")
	ErrBlocked  = errors.New("the card's PIN tries are used up; its issuer can give them back")
	ErrUnpaired = errors.New("the card does not know this wallet over the air; pair them over the contacts")
	ErrAirLimit = errors.New("the card has answered over the air as often as it may; show it the PIN over the contacts")
	ErrUsed     = errors.New("the card has closed this index, or answered another challenge with it; the coin cannot be paid with it any more")
	ErrUnknown  = errors.New("the card has never prepared this index; it is not the coin's card, or an older copy of it")
	ErrFull     = errors.New("too many indices of the card are open; pay or change the oldest coins and retire their indices")
	ErrStrange  = errors.New("the card answers in no known way; it is defective, or of a newer kind")
)

// Options say whose card it is to be.
type Options struct {
	PIN    pin.PIN         // shown over the contacts, never over the air; zero: not shown, and only looking is allowed
	Wallet wire.Secret     // the key of Pair, for speaking over the air
	Card   *brands.Element // A_O of the wallet's card; nil takes any
}

// Card is an open coin application. It belongs to one goroutine.
type Card struct {
	line     apdu.Card
	wallet   wire.Secret
	info     *wire.Info
	identity brands.Element
	flags    wire.Flags
}

// Open selects the coin application, shows the PIN if there is one to show, and
// reads who the card is.
func Open(line apdu.Card, o Options) (*Card, error) {
	c := &Card{line: line, wallet: o.Wallet}
	if err := c.open(o); err != nil {
		return nil, fmt.Errorf("open the card's coin application: %w", err)
	}
	return c, nil
}

func (c *Card) open(o Options) error {
	b, err := c.exchange(wire.Select())
	if err != nil {
		return err
	}
	if c.flags, err = wire.ParseSelected(b); err != nil {
		return fmt.Errorf("%w: %w", ErrStrange, err)
	}
	switch {
	case c.flags.Has(wire.OverAir) && (!c.flags.Has(wire.Paired) || o.Wallet.IsZero()):
		return ErrUnpaired
	case !c.flags.Has(wire.OverAir) && c.flags.Has(wire.HasPIN) && !o.PIN.IsZero():
		if _, err := c.exchange(apdu.Verify(pin.Format2(o.PIN))); err != nil {
			return err
		}
	}
	if err := c.refresh(); err != nil {
		return err
	}
	if c.identity, err = brands.ParseElement(c.info.Identity[:]); err != nil {
		return fmt.Errorf("%w: %w", ErrStrange, err)
	}
	if o.Card != nil && !o.Card.Equal(c.identity) {
		return ErrOther
	}
	return nil
}

// refresh reads the card's numbers.
func (c *Card) refresh() error {
	b, err := c.send(wire.ReadInfo())
	if err != nil {
		return err
	}
	if c.info, err = wire.ParseInfo(b); err != nil {
		return fmt.Errorf("%w: %w", ErrStrange, err)
	}
	return nil
}

// Info is what the card said of itself when it was last asked.
func (c *Card) Info() wire.Info { return *c.info }

// Identity gives A_O, for brands.NewCardHolder.
func (c *Card) Identity() brands.Element { return c.identity }

// Certificate is the issuer's word for Identity, for the mint to verify.
func (c *Card) Certificate() wire.Certificate { return c.info.Certificate }

// Nonce is the card's part of a coin to come.
type Nonce struct {
	Index uint32
	Point brands.Element // B_O
}

// Prepare reserves n fresh indices. What a torn call reserved is not lost: Nonces
// shows it, from the index up to which the wallet knows.
func (c *Card) Prepare(n int) ([]Nonce, error) {
	if err := c.refresh(); err != nil {
		return nil, fmt.Errorf("prepare coins: %w", err)
	}
	return c.Nonces(c.info.Next, n)
}

// Nonces shows n indices from first on, and reserves those that are not yet. first
// must not be behind the card's next index.
func (c *Card) Nonces(first uint32, n int) ([]Nonce, error) {
	if n < 0 || uint64(n) > uint64(c.info.Window) {
		return nil, fmt.Errorf("prepare %d coins, at most %d at once: %w", n, c.info.Window, ErrFull)
	}
	var all []Nonce
	for len(all) < n {
		r := wire.Range{First: first + uint32(len(all)), Count: uint8(min(n-len(all), wire.MaxPrepare))}
		some, err := c.prepare(r)
		if err != nil {
			return nil, fmt.Errorf("prepare coins: %w", err)
		}
		all = append(all, some...)
	}
	return all, nil
}

func (c *Card) prepare(r wire.Range) ([]Nonce, error) {
	b, err := c.send(wire.Prepare(r))
	if err != nil {
		return nil, err
	}
	points, err := wire.ParsePrepared(b, r.Count)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStrange, err)
	}
	some := make([]Nonce, 0, len(points))
	for i, p := range points {
		point, err := brands.ParseElement(p[:])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrStrange, err)
		}
		some = append(some, Nonce{r.First + uint32(i), point})
	}
	return some, nil
}

// Answer has a challenge answered, for brands.Own.PayWithCard. The card closes the
// index for every other challenge.
func (c *Card) Answer(index uint32, challenge brands.Scalar) (brands.Scalar, error) {
	b, err := c.send(wire.Answer(wire.Question{Index: index, Challenge: challenge.Bytes()}))
	if err != nil {
		return brands.Scalar{}, fmt.Errorf("pay with the card: %w", err)
	}
	raw, err := wire.ParseAnswered(b)
	if err == nil {
		var r brands.Scalar
		if r, err = brands.ParseScalar(raw[:]); err == nil {
			return r, nil
		}
	}
	return brands.Scalar{}, fmt.Errorf("pay with the card: %w: %w", ErrStrange, err)
}

// Status tells what became of an index.
func (c *Card) Status(index uint32) (wire.Status, error) {
	b, err := c.send(wire.ReadStatus(index))
	if err != nil {
		return wire.Status{}, fmt.Errorf("ask the card for a coin: %w", err)
	}
	s, err := wire.ParseStatus(b)
	if err != nil {
		return s, fmt.Errorf("ask the card for a coin: %w: %w", ErrStrange, err)
	}
	return s, nil
}

// Retire closes every index below one for ever. Coins among them that were not paid
// cannot be paid with this card any more.
func (c *Card) Retire(below uint32) error {
	if _, err := c.send(wire.Retire(below)); err != nil {
		return fmt.Errorf("retire indices of the card: %w", err)
	}
	return nil
}

// Pair makes the wallet known to the card, over the contacts and after the PIN. A
// wallet that was paired before is forgotten.
func (c *Card) Pair(wallet wire.Secret) error {
	if c.flags.Has(wire.OverAir) {
		return fmt.Errorf("pair the card: %w", ErrUnpaired)
	}
	if _, err := c.send(wire.Pair(wallet)); err != nil {
		return fmt.Errorf("pair the card: %w", err)
	}
	return nil
}

// Opening gives the card's half of one proof: the nonce of a fresh index and its
// one answer.
func (c *Card) Opening() brands.OpeningCard { return &opening{card: c} }

type opening struct {
	card  *Card
	nonce []Nonce
}

// Commit implements brands.OpeningCard.
func (o *opening) Commit() (brands.Element, error) {
	nonce, err := o.card.Prepare(1)
	if err != nil {
		return brands.Element{}, fmt.Errorf("open an account: %w", err)
	}
	o.nonce = nonce
	return nonce[0].Point, nil
}

// Respond implements brands.OpeningCard.
func (o *opening) Respond(e brands.Scalar) (brands.Scalar, error) {
	if len(o.nonce) == 0 {
		return brands.Scalar{}, errors.New("open an account: the card was asked to respond before it committed")
	}
	return o.card.Answer(o.nonce[0].Index, e)
}

// send seals the command if it goes over the air.
func (c *Card) send(cmd apdu.Command) ([]byte, error) {
	if c.flags.Has(wire.OverAir) {
		cmd = wire.Seal(c.wallet, cmd)
	}
	return c.exchange(cmd)
}

func (c *Card) exchange(cmd apdu.Command) ([]byte, error) {
	answer, err := c.line.Transmit(cmd)
	if err != nil {
		return nil, err
	}
	if answer.SW == apdu.OK {
		return slices.Clone(answer.Data), nil
	}
	return nil, c.refusal(answer.SW)
}

// refusals is what a status word means to a wallet.
var refusals = map[apdu.SW]error{
	apdu.FileNotFound:         ErrNoCoins,
	apdu.SecurityNotSatisfied: ErrNeedsPIN,
	apdu.AuthMethodBlocked:    ErrBlocked,
	apdu.ConditionsNotMet:     ErrAirLimit,
	apdu.DataInvalidated:      ErrUsed,
	apdu.DataNotFound:         ErrUnknown,
	apdu.NotEnoughSpace:       ErrFull,
}

func (c *Card) refusal(sw apdu.SW) error {
	if left, ok := sw.TriesLeft(); ok {
		if left == 0 {
			return fmt.Errorf("%w, and was the last try: %w", ErrWrongPIN, ErrBlocked)
		}
		return fmt.Errorf("%w, %d tries left", ErrWrongPIN, left)
	}
	err, known := refusals[sw]
	switch {
	case !known:
		err = ErrStrange
	case sw == apdu.SecurityNotSatisfied && c.flags.Has(wire.OverAir):
		err = ErrUnpaired
	}
	return fmt.Errorf("%w (%v)", err, sw)
}

// Package observer gives a wallet its card: it speaks to the coin application
// over any line that carries commands, a card in this process, a reader, the
// antenna of a phone.
//
//	Open: SELECT, PIN over the contacts, is it the wallet's own card?
//	Prepare -> points B_O for withdrawals      Answer -> r' for payments
//
// The card's half of the proof that opens an account is one more index, prepared and
// answered. Card is what role/wallet asks of its card.
//
// Every method may be called again after any error, on this Card or, when the line
// is gone (apdu.ErrGone), on a new one: the card then says what it said, or would
// have said, before, and nothing happens twice. What the wallet must have on disk is
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

// errReset: somebody took the power from the card, or selected its purse, and the
// reader did not say.
var errReset = fmt.Errorf("the card was reset in between: %w", apdu.ErrGone)

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
	if o.Card != nil {
		c.identity = *o.Card
	}
	return c.refresh()
}

// refresh reads the card's numbers, and that it is still the same card.
func (c *Card) refresh() error {
	b, err := c.send(wire.ReadInfo())
	if err != nil {
		return err
	}
	info, err := wire.ParseInfo(b)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStrange, err)
	}
	identity, err := brands.ParseElement(info.Identity[:])
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStrange, err)
	}
	if !c.identity.IsZero() && !c.identity.Equal(identity) {
		return ErrOther
	}
	c.info, c.identity = info, identity
	return nil
}

// Info is what the card said of itself when it was last asked.
func (c *Card) Info() wire.Info { return *c.info }

// Identity gives A_O, the issuer's certificate of it (wire/observer), for the mint to
// verify, and the first index that the card has not yet reserved.
func (c *Card) Identity() (identity brands.Element, certificate []byte, next uint32, err error) {
	if err := c.refresh(); err != nil {
		return brands.Element{}, nil, 0, fmt.Errorf("ask the card who it is: %w", err)
	}
	return c.identity, c.info.Certificate.Append(nil), c.info.Next, nil
}

// Prepare gives B_O of n indices from first on: the card reserves those that are
// new, and shows the others again. first must not be behind the card's next index.
func (c *Card) Prepare(first uint32, n int) ([]brands.Element, error) {
	if n < 0 || uint64(n) > uint64(c.info.Window) {
		return nil, fmt.Errorf("prepare %d coins, at most %d at once: %w", n, c.info.Window, ErrFull)
	}
	var points []brands.Element
	for len(points) < n {
		r := wire.Range{First: first + uint32(len(points)), Count: uint8(min(n-len(points), wire.MaxPrepare))}
		more, err := c.prepare(r)
		if err != nil {
			return nil, fmt.Errorf("prepare coins: %w", err)
		}
		points = append(points, more...)
	}
	return points, nil
}

func (c *Card) prepare(r wire.Range) ([]brands.Element, error) {
	b, err := c.send(wire.Prepare(r))
	if err != nil {
		return nil, err
	}
	raw, err := wire.ParsePrepared(b, r.Count)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStrange, err)
	}
	points := make([]brands.Element, len(raw))
	for i := range raw {
		if points[i], err = brands.ParseElement(raw[i][:]); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrStrange, err)
		}
	}
	return points, nil
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
	apdu.UnknownInstruction:   errReset,
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

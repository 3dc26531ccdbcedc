package issuer

import (
	"context"
	"fmt"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/crypt/pin"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/value/reason"
)

// OpenAccount opens a cardholder's account. Opening it again changes nothing.
func (i *Issuer) OpenAccount(ctx context.Context, account string, date clock.Date) error {
	if account == "" || len(account) > maxAccount {
		return fmt.Errorf("%w: an account's name has 1 to %d characters", ErrRefused, maxAccount)
	}
	cmd := book.Command{
		ID:    book.DeriveID("iss/account", string(i.cfg.Inst), account, uint32(date)),
		Event: eventCard, Date: date,
		Open: []book.Account{chart.Customer(i.cfg.Inst, account, i.cfg.Currency)},
	}
	return i.book1(ctx, cmd, "open account "+account)
}

// Fund books a customer's payment into an account. The id names the payment:
// the same id again changes nothing.
func (i *Issuer) Fund(ctx context.Context, id book.ID, account string, sum money.Amount, date clock.Date) error {
	if sum.Sign() <= 0 || sum.Currency() != i.cfg.Currency {
		return fmt.Errorf("%w: fund account %s with %s: give a positive amount in %s", ErrRefused, account, sum, i.cfg.Currency)
	}
	return i.book1(ctx, chart.Fund(i.cfg.Inst, account, sum).Command(id, date), "fund account "+account)
}

// book1 books one officer's command.
func (i *Issuer) book1(ctx context.Context, cmd book.Command, what string) error {
	results, err := i.door.Apply(ctx, []book.Command{cmd})
	if err != nil {
		return fmt.Errorf("issuer %s: %s: %w", i.cfg.Inst, what, err)
	}
	if code := results[0].Code; code != book.OK {
		return fmt.Errorf("%w: %s: %s", ErrRefused, what, code.Explain())
	}
	return nil
}

// NewCard is what an officer says about a card to be registered.
type NewCard struct {
	PAN     ident.PAN
	PSN     ident.PSN
	Account string
	Expiry  clock.Date
	Limit   money.Amount // the card's balance limit
	Balance money.Amount // what the card is handed out with, paid in bank money
	PIN     pin.PIN      // the zero PIN: the card has none and loads by cash only
	Label   string
}

// RegisterCard enters a card into the register, opens its account if needed,
// and books the balance that it was personalised with. Registering the same
// card again changes nothing; registering another under its number is refused.
func (i *Issuer) RegisterCard(ctx context.Context, n NewCard, date clock.Date) (ident.CardRef, error) {
	c, err := i.newCard(n)
	if err != nil {
		return ident.CardRef{}, err
	}
	ref, err := i.vault.CardRef(i.cfg.Keys.Ref, n.PAN, n.PSN)
	if err != nil {
		return ident.CardRef{}, fmt.Errorf("issuer %s: register card %s: %w", i.cfg.Inst, n.PAN, err)
	}
	t := &registerTask{issuer: i, ref: ref, card: c}
	return ref, i.runOne(ctx, date, ref, t)
}

func (i *Issuer) newCard(n NewCard) (*Card, error) {
	if n.Balance == (money.Amount{}) {
		n.Balance = money.Zero(i.cfg.Currency)
	}
	over, err := n.Balance.Cmp(n.Limit)
	switch {
	case err != nil || n.Limit.Currency() != i.cfg.Currency:
		return nil, fmt.Errorf("%w: card %s: give limit and balance in %s", ErrRefused, n.PAN, i.cfg.Currency)
	case over > 0 || n.Balance.Sign() < 0:
		return nil, fmt.Errorf("%w: card %s: a balance of %s is not between zero and the limit %s", ErrRefused, n.PAN, n.Balance, n.Limit)
	case n.Account == "" || !n.Expiry.Valid():
		return nil, fmt.Errorf("%w: card %s: name its account and a valid expiry date", ErrRefused, n.PAN)
	case len(n.Label) > maxText || len(n.Account) > maxAccount:
		return nil, fmt.Errorf("%w: card %s: label or account is too long", ErrRefused, n.PAN)
	}
	c := &Card{
		PAN: n.PAN, PSN: n.PSN, Account: n.Account, Currency: i.cfg.Currency, Status: Active,
		Expiry: n.Expiry, Limit: n.Limit, Label: n.Label, Shadow: n.Balance, PINTries: i.cfg.PINTries,
	}
	if n.PIN.IsZero() {
		return c, nil
	}
	if c.PINRef, err = i.vault.SetPIN(i.cfg.Keys.PVK, n.PIN, n.PAN); err != nil {
		return nil, fmt.Errorf("issuer %s: PIN of card %s: %w", i.cfg.Inst, n.PAN, err)
	}
	return c, nil
}

// maxAccount keeps an account's name within the bounds of the book.
const maxAccount = 64

type registerTask struct {
	issuer *Issuer
	ref    ident.CardRef
	card   *Card
}

func (t *registerTask) refused(r book.Result) error {
	return fmt.Errorf("%w: register card %s: %s", ErrRefused, t.card.PAN, r.Code.Explain())
}

func (t *registerTask) next(ctx context.Context, c *Card) (*step, error) {
	if c != nil {
		if c.Account != t.card.Account || c.Expiry != t.card.Expiry || c.Limit != t.card.Limit {
			return nil, fmt.Errorf("%w: card %s is registered with another account, expiry or limit", ErrRefused, c.PAN)
		}
		return nil, nil
	}
	index, err := t.issuer.vault.CardRef(t.issuer.cfg.Keys.Ref, t.card.PAN, 0)
	if err != nil {
		return nil, err
	}
	_, version, err := t.issuer.door.Get(ctx, t.issuer.space(spaceNumber), index[:])
	if err != nil {
		return nil, err
	}
	s := &step{card: t.card, last: true, posting: book.Posting{Event: eventCard}}
	if !t.card.Shadow.IsZero() {
		s.posting = chart.InitialBalance(t.issuer.cfg.Inst, t.ref, t.card.Shadow)
	}
	s.posting.Open = append(s.posting.Open, chart.Customer(t.issuer.cfg.Inst, t.card.Account, t.issuer.cfg.Currency))
	s.put = append(s.put, book.Put{Space: t.issuer.space(spaceNumber), Key: index[:], Expect: version, Value: []byte{byte(t.card.PSN)}})
	return s, nil
}

// Card gives what the issuer knows of a card.
func (i *Issuer) Card(ctx context.Context, pan ident.PAN, psn ident.PSN) (Card, ident.CardRef, error) {
	ref, err := i.vault.CardRef(i.cfg.Keys.Ref, pan, psn)
	if err != nil {
		return Card{}, ref, fmt.Errorf("issuer %s: name card %s: %w", i.cfg.Inst, pan, err)
	}
	c, _, err := i.read(ctx, ref)
	if err == nil && c == nil {
		err = fmt.Errorf("card %s: %w", pan, ErrUnknownCard)
	}
	if err != nil {
		return Card{}, ref, err
	}
	return *c, ref, nil
}

// Cards visits the register in the order of the pseudonyms.
func (i *Issuer) Cards(ctx context.Context, fn func(ident.CardRef, Card) error) error {
	return i.door.Scan(ctx, i.space(spaceCard), nil, func(key, value []byte, _ uint64) error {
		c, err := decodeCard(value)
		if err != nil {
			return err
		}
		return fn(ident.CardRef(key), *c)
	})
}

// SetStatus blocks a card, which lists it, or makes a blocked one active again.
// Closing, closed and cloned cards stay what they are: money depends on it.
func (i *Issuer) SetStatus(ctx context.Context, pan ident.PAN, psn ident.PSN, to Status, date clock.Date) error {
	if to != Active && to != Blocked {
		return fmt.Errorf("%w: card %s: an officer sets active or blocked, not %s", ErrRefused, pan, to)
	}
	ref, err := i.vault.CardRef(i.cfg.Keys.Ref, pan, psn)
	if err != nil {
		return fmt.Errorf("issuer %s: name card %s: %w", i.cfg.Inst, pan, err)
	}
	return i.runOne(ctx, date, ref, &statusTask{issuer: i, pan: pan, to: to})
}

type statusTask struct {
	issuer *Issuer
	pan    ident.PAN
	to     Status
}

func (t *statusTask) refused(r book.Result) error {
	return fmt.Errorf("%w: status of card %s: %s", ErrRefused, t.pan, r.Code.Explain())
}

func (t *statusTask) next(ctx context.Context, c *Card) (*step, error) {
	switch {
	case c == nil:
		return nil, fmt.Errorf("card %s: %w", t.pan, ErrUnknownCard)
	case c.Status == t.to:
		return nil, nil
	case c.Status != Active && c.Status != Blocked:
		return nil, fmt.Errorf("%w: card %s is %s", ErrRefused, t.pan, c.Status)
	}
	after := c.clone()
	after.Status = t.to
	s := &step{card: after, last: true, posting: book.Posting{Event: eventCard}}
	if t.to == Active {
		return s, t.issuer.delist(ctx, after, s)
	}
	return s, t.issuer.list(ctx, after, s, reason.CardBlocked)
}

package cash

import (
	"context"
	"fmt"

	"jiaozi/crypt/pin"
	"jiaozi/link/mem"
	"jiaozi/node"
	"jiaozi/role/card"
	"jiaozi/role/terminal"
	"jiaozi/sim/story"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

// tap plays a contactless payment.
func tap(who string, where ident.TID, amount string) playFunc {
	return func(ctx context.Context, s *stage) (result, error) {
		o, err := s.pay(ctx, who, where, amount, purse.Contactless, "", nil)
		return ended(o), err
	}
}

// insert plays a payment over the contacts; digits are what the holder types.
func insert(who string, where ident.TID, amount, digits string) playFunc {
	return func(ctx context.Context, s *stage) (result, error) {
		o, err := s.pay(ctx, who, where, amount, purse.Contact, digits, nil)
		return ended(o), err
	}
}

// wrapper stands between the till's reader and the card.
type wrapper func(apdu.Card) apdu.Card

func (s *stage) pay(ctx context.Context, who string, where ident.TID, text string, entry purse.Entry, digits string, wrap wrapper) (terminal.Outcome, error) {
	t := s.till(where)
	currency, err := money.ParseCurrency(t.Spec().Currency)
	if err != nil {
		return terminal.Outcome{}, err
	}
	amount, err := money.Parse(currency, text)
	if err != nil {
		return terminal.Outcome{}, err
	}
	c, err := s.present(who, entry)
	if err != nil {
		return terminal.Outcome{}, err
	}
	if wrap != nil {
		c = wrap(c)
	}
	return t.Purchase(ctx, c, terminal.Sale{Amount: amount, Entry: entry, PIN: typed(digits)}), nil
}

// present powers a card up on the side that the till reads.
func (s *stage) present(who string, entry purse.Entry) (apdu.Card, error) {
	c, ok := s.cards[who]
	if !ok {
		return nil, fmt.Errorf("nobody holds the card of %s", who)
	}
	side := card.Contact
	if entry == purse.Contactless {
		side = card.Contactless
	}
	if _, err := c.PowerOn(side); err != nil {
		return nil, fmt.Errorf("card of %s: %w", who, err)
	}
	return c, nil
}

func typed(digits string) func() (pin.PIN, error) {
	if digits == "" {
		return nil
	}
	return func() (pin.PIN, error) { return pin.Parse(digits) }
}

// When a tap is torn: with the last record, on whose reading the card commits.
type tearing uint8

const (
	beforeCommit tearing = iota // the command never reaches the card
	afterCommit                 // the card's answer never reaches the till
)

// tornTap plays a tap that ends when the last record is read.
func tornTap(who string, where ident.TID, amount string, when tearing) playFunc {
	return func(ctx context.Context, s *stage) (result, error) {
		o, err := s.pay(ctx, who, where, amount, purse.Contactless, "", func(c apdu.Card) apdu.Card {
			watched, last := lastRecord(c)
			if when == beforeCommit {
				return mem.LoseCommand(watched, last)
			}
			return mem.LoseAnswer(watched, last)
		})
		return ended(o), err
	}
}

// lastRecord watches for the card's file locator, which says which record is
// the last: the one on whose reading the card commits.
func lastRecord(c apdu.Card) (apdu.Card, mem.Moment) {
	var last mem.Moment
	watched := mem.Trace(c, func(x mem.Exchange) {
		if x.Command.INS != apdu.GPO(nil).INS || x.Err != nil {
			return
		}
		if afl, ok := locator(x.Response.Data); ok {
			end := afl[len(afl)-1]
			last = mem.Reading(end.SFI, end.Last)
		}
	})
	return watched, func(cmd apdu.Command) bool { return last != nil && last(cmd) }
}

// locator finds tag 94 in the answer to a contactless GET PROCESSING OPTIONS.
func locator(answer []byte) (emv.AFL, bool) {
	outer, err := tlv.Decode(answer)
	if err != nil {
		return nil, false
	}
	body, _ := outer.Find(emv.TagResponse2)
	inner, err := tlv.Decode(body)
	if err != nil {
		return nil, false
	}
	raw, _ := inner.Find(emv.TagAFL)
	afl, err := emv.ParseAFL(raw)
	return afl, err == nil && len(afl) > 0
}

// tapAgain plays the tap that decides a torn one. Completed or repeated, the
// attempt ends recovered: the customer paid once.
func tapAgain(who string, where ident.TID, amount string) playFunc {
	return func(ctx context.Context, s *stage) (result, error) {
		o, err := s.pay(ctx, who, where, amount, purse.Contactless, "", nil)
		r := ended(o)
		if o.Result == terminal.Approved && o.AfterTorn {
			r.Ending = repeated
		}
		return r, err
	}
}

func balanceOf(b money.Amount) lang.Text {
	if b == (money.Amount{}) {
		return lang.Text{}
	}
	return lang.Text{EN: "balance " + b.Format(lang.EN), ZH: "余额 " + b.Format(lang.ZH)}
}

// tapAndCopy plays a genuine tap of a card that was copied a moment before.
func tapAndCopy(ctx context.Context, s *stage) (result, error) {
	if err := s.copyCard("heidi", "heidi-copy"); err != nil {
		return result{}, err
	}
	return tap("heidi", books, "25.00")(ctx, s)
}

// forged plays a tap of a card that carries Bob's number and a certificate
// chain of its own making.
func forged(ctx context.Context, s *stage) (result, error) {
	if err := s.forgeCard(ctx, "bob", "mallory", "200.00"); err != nil {
		return result{}, err
	}
	return tap("mallory", tea, "30.00")(ctx, s)
}

// block reports Erin's card lost and brings the new blacklist to the shops.
func block(ctx context.Context, s *stage) (result, error) {
	lost := node.BlockCard{Name: s.named("erin")}
	if _, err := lost.Run(ctx, s.node); err != nil {
		return result{}, err
	}
	for _, tid := range []ident.TID{tea, books} {
		if err := s.till(tid).RefreshList(ctx); err != nil {
			return result{}, fmt.Errorf("till %s: %w", tid, err)
		}
	}
	return story.Done(result{}), nil
}

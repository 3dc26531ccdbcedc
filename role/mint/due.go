package mint

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// In a book of many shards a coin comes back on the shard that its bytes choose,
// and its payee may live on another one:
//
//	coin's shard    Dr Coins      Cr CoinsDue   and a message in the outbox, one command
//	payee's shard   Dr CoinsDue   Cr payee      and a once-key, one command: Deliver
//
// CoinsDue over all shards is what is on its way. A claimed coin that is paid
// after all is collected from its claimant in the same way.

// due is a message between shards.
type due struct {
	id      book.ID
	collect bool // else pay
	mid     ident.MID
	account string // of a customer; "" for a merchant
	amount  money.Amount
}

func (d *due) out(m *Mint) book.Out {
	w := newRecord()
	w.fixed(d.id[:])
	collect := uint64(0)
	if d.collect {
		collect = 1
	}
	w.uint(collect)
	w.text(string(d.mid))
	w.text(d.account)
	w.uint(uint64(d.amount.Currency()))
	w.minor(d.amount.Minor())
	return book.Out{Topic: TopicDue(m.cfg.Inst), Key: d.id[:], Body: w.b}
}

func readDue(b []byte) (*due, error) {
	r := openRecord(b)
	d := &due{id: book.ID(r.fixed(16)), collect: r.uint(1) == 1, mid: ident.MID(r.text()), account: r.text()}
	d.amount = money.New(money.Currency(r.uint(999)), r.minor())
	r.bad = r.bad || d.amount.Sign() <= 0 || (d.mid == "") == (d.account == "")
	return d, r.done("message between shards")
}

// target is the account that is meant.
func (d *due) target(m *Mint) book.Account {
	if d.mid != "" {
		return chart.Merchant(m.cfg.Inst, d.mid, d.amount.Currency())
	}
	return chart.Customer(m.cfg.Inst, d.account, d.amount.Currency())
}

// credit is the account to credit on the shard of part, with the message that
// carries the money on if the payee lives elsewhere.
func (m *Mint) credit(part uint16, id []byte, p *payee, value money.Amount) (book.Account, []book.Out) {
	here := m.cfg.Place(part)
	if m.cfg.Place(p.account.ID.Part()) == here {
		return p.account, nil
	}
	d := due{id: book.DeriveID(chart.EventCoinDue, "pay", string(m.cfg.Inst), id), amount: value}
	if p.own {
		d.account = p.name
	} else {
		_, _, mid, _ := chart.Name(p.account.Name)
		d.mid = ident.MID(mid)
	}
	return chart.CoinsDue(m.cfg.Inst, here, value.Currency()), []book.Out{d.out(m)}
}

// collect is the account to debit for a coin that its owner had claimed.
func (d *desk) collect(part uint16, id []byte, item *deposited) (book.Account, []book.Out) {
	here, from := d.cfg.Place(part), d.customer(item.late.name)
	switch {
	case d.cfg.Place(from.ID.Part()) != here:
		msg := due{id: book.DeriveID(chart.EventCoinDue, "collect", string(d.cfg.Inst), id), collect: true, account: item.late.name, amount: item.value}
		return chart.CoinsDue(d.cfg.Inst, here, item.value.Currency()), []book.Out{msg.out(d.Mint)}
	case item.broke:
		return chart.CoinSuspense(d.cfg.Inst, here, item.value.Currency()), nil
	}
	return from, nil
}

// Deliver carries out what one shard asks of others: messages from its outbox
// under TopicDue, in any order. Each is carried out once, then taken out of the
// outbox. It may stop or crash anywhere and run again. Done counts what is out of
// the outbox; an error says what remains.
func (m *Mint) Deliver(ctx context.Context, list []book.Pending, now time.Time) (done int, err error) {
	if err := sane(now); err != nil {
		return 0, err
	}
	var errs []error
	for i := range list {
		if err := m.deliver(ctx, &list[i], clock.DateOf(now)); err != nil {
			errs = append(errs, fmt.Errorf("message %d: %w", list[i].Number, err))
			continue
		}
		done++
	}
	return done, errors.Join(errs...)
}

func (m *Mint) deliver(ctx context.Context, p *book.Pending, date clock.Date) error {
	d, err := readDue(p.Body)
	if err != nil {
		return err
	}
	if err := m.carry(ctx, d, date); err != nil {
		return err
	}
	return m.acknowledge(ctx, p, d, date)
}

// carry books a message where it is meant to go, or in suspense if the account
// there refuses it.
func (m *Mint) carry(ctx context.Context, d *due, date clock.Date) error {
	for _, instead := range []bool{false, true} {
		results, err := m.apply(ctx, m.dueCommand(d, instead, date))
		if err != nil {
			return err
		}
		switch code := results[0].Code; {
		case code == book.OK, code == book.Exists:
			return nil
		case !instead && (code == book.Insufficient || code == book.UnknownAccount || code == book.AccountClosed):
		default:
			return m.unexpected("carry a coin's value", results[0])
		}
	}
	return m.busy("carry a coin's value")
}

func (m *Mint) dueCommand(d *due, instead bool, date clock.Date) book.Command {
	target := d.target(m)
	place, own := m.cfg.Place(target.ID.Part()), d.account != ""
	account := target
	if instead {
		account, own = chart.CoinSuspense(m.cfg.Inst, place, d.amount.Currency()), false
	}
	posting := chart.CoinDuePaid(m.cfg.Inst, place, account, d.amount)
	if d.collect {
		posting = chart.CoinDueCollected(m.cfg.Inst, place, account, d.amount)
	}
	if own {
		posting.Open = withoutAccount(posting.Open, account.ID)
	}
	cmd := posting.Command(book.DeriveID(chart.EventCoinDue, string(m.cfg.Inst), d.id[:], account.Name, date), date)
	cmd.Once = []book.Once{{Space: m.space(spaceDue), Key: near(target.ID, d.id[:])}}
	return cmd
}

// acknowledge takes a message out of the outbox. Its once-key leads the command to
// the shard that the message came from.
func (m *Mint) acknowledge(ctx context.Context, p *book.Pending, d *due, date clock.Date) error {
	key := append(binary.BigEndian.AppendUint16(nil, p.Part<<4), d.id[:]...)
	results, err := m.apply(ctx, book.Command{
		ID:    book.DeriveID(eventCarried, string(m.cfg.Inst), key, p.Number, date),
		Event: eventCarried, Date: date, Done: []uint64{p.Number},
		Once: []book.Once{{Space: m.space(spaceCarried), Key: key}},
	})
	if err != nil {
		return err
	}
	if code := results[0].Code; code != book.OK && code != book.Exists {
		return m.unexpected("acknowledge a message", results[0])
	}
	return nil
}

package mint

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/value/clock"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// Status is what the mint publishes of its books, a line for each epoch. Issued
// and deposited are counted by accounts of their own, coin by coin; outstanding is
// what the issuer owes; that they agree is what a line proves. The auditor counts
// both again from the journal.
//
// DoubleSpends counts the coins that were paid twice, however often.
func (m *Mint) Status(ctx context.Context, now time.Time) (*coin.Status, error) {
	keys, err := m.published(ctx)
	if err != nil {
		return nil, err
	}
	epochs := make(map[uint32][]*coinKey)
	for _, k := range keys {
		epochs[k.info.Epoch] = append(epochs[k.info.Epoch], k)
	}
	out := &coin.Status{Network: m.cfg.Network, Time: now.Unix()}
	for number, list := range epochs {
		line, err := m.steadyLine(ctx, number, list)
		if err != nil {
			return nil, err
		}
		out.Lines = append(out.Lines, line)
	}
	slices.SortFunc(out.Lines, func(a, b coin.StatusLine) int { return cmp.Compare(a.Epoch, b.Epoch) })
	return out, m.countGuilt(ctx, out)
}

// steadyLine reads until the line adds up: coins that move while it is read can
// make it look wrong. What never adds up is published as it is.
func (m *Mint) steadyLine(ctx context.Context, epoch uint32, keys []*coinKey) (line coin.StatusLine, err error) {
	for range maxRetries {
		if line, err = m.line(ctx, epoch, keys); err != nil || line.Balanced() {
			break
		}
	}
	return line, err
}

func (m *Mint) line(ctx context.Context, epoch uint32, keys []*coinKey) (coin.StatusLine, error) {
	zero := money.Zero(m.cfg.Currency)
	l := coin.StatusLine{Epoch: epoch, Issued: zero, Deposited: zero, Expired: zero, Outstanding: zero}
	for _, p := range m.cfg.Places {
		for _, k := range keys {
			if k.info.Value == 0 {
				continue
			}
			at := chart.CoinKey{Issuer: m.cfg.Inst, Epoch: epoch, Name: k.id.String(), Place: p}
			if err := errors.Join(
				m.count(ctx, chart.CoinsIssued(at, m.cfg.Currency), &l.Issued, k.info.Value, &l.CoinsIssued),
				m.count(ctx, chart.CoinsDeposited(at, m.cfg.Currency), &l.Deposited, k.info.Value, &l.CoinsDeposited),
			); err != nil {
				return l, err
			}
		}
		if err := errors.Join(
			m.count(ctx, chart.CoinsExpired(m.cfg.Inst, epoch, p, m.cfg.Currency), &l.Expired, 0, nil),
			m.count(ctx, chart.Coins(m.cfg.Inst, epoch, p, m.cfg.Currency), &l.Outstanding, 0, nil),
		); err != nil {
			return l, err
		}
	}
	return l, nil
}

// count adds an account's balance to a sum, and to a number of coins of one value
// if there is one. Of a note that came back in part the whole coins count.
func (m *Mint) count(ctx context.Context, a book.Account, sum *money.Amount, each money.Minor, coins *uint64) error {
	balance, open, err := m.door.Balance(ctx, a.ID)
	if err != nil {
		return fmt.Errorf("mint %s: read %s: %w", m.cfg.Inst, a.Name, err)
	}
	if !open {
		return nil
	}
	if *sum, err = sum.Add(balance); err != nil {
		return fmt.Errorf("mint %s: add up %s: %w", m.cfg.Inst, a.Name, err)
	}
	if coins != nil && balance.Sign() > 0 {
		*coins += uint64(balance.Minor() / each)
	}
	return nil
}

// countGuilt adds what was paid twice to the lines.
func (m *Mint) countGuilt(ctx context.Context, out *coin.Status) error {
	type who struct {
		epoch    uint32
		identity [32]byte
	}
	named := make(map[who]bool)
	return m.guilts(ctx, func(g guilty) error {
		i, found := slices.BinarySearchFunc(out.Lines, g.epoch, func(l coin.StatusLine, e uint32) int { return cmp.Compare(l.Epoch, e) })
		if !found {
			return fmt.Errorf("proof of guilt of epoch %d: %w", g.epoch, errRecord)
		}
		out.Lines[i].DoubleSpends++
		if w := (who{g.epoch, g.identity}); !named[w] {
			named[w] = true
			out.Lines[i].Named++
		}
		return nil
	})
}

// Expire ends an epoch whose time to deposit is over: what is left is income. The
// account is closed with it, so that no deposit on its way can follow. Calling
// again does nothing more.
func (m *Mint) Expire(ctx context.Context, epoch uint32, now time.Time) error {
	if err := sane(now); err != nil {
		return err
	}
	keys, err := m.published(ctx)
	if err != nil {
		return err
	}
	known := false
	for _, k := range keys {
		if k.info.Epoch != epoch {
			continue
		}
		known = true
		if until := time.Unix(k.info.DepositUntil, 0).In(clock.Zone); now.Before(until) {
			return fmt.Errorf("%w: coins of epoch %d are taken until %s", ErrRefused, epoch, until.Format(time.DateTime))
		}
	}
	if !known {
		return fmt.Errorf("%w: there is no epoch %d", ErrRefused, epoch)
	}
	for _, p := range m.cfg.Places {
		if err := m.expireAt(ctx, epoch, p, clock.DateOf(now)); err != nil {
			return err
		}
	}
	return nil
}

func expiredKey(epoch uint32, coins book.AccountID) []byte {
	return near(coins, binary.BigEndian.AppendUint32(nil, epoch))
}

// expired reports whether an epoch was ended at a place.
func (m *Mint) expired(ctx context.Context, epoch uint32, p chart.Place) (bool, error) {
	coins := chart.Coins(m.cfg.Inst, epoch, p, m.cfg.Currency)
	_, found, err := m.door.GetOnce(ctx, m.space(spaceExpired), expiredKey(epoch, coins.ID))
	if err != nil {
		return false, fmt.Errorf("mint %s: look up epoch %d: %w", m.cfg.Inst, epoch, err)
	}
	return found, nil
}

func (m *Mint) expireAt(ctx context.Context, epoch uint32, p chart.Place, date clock.Date) error {
	coins := chart.Coins(m.cfg.Inst, epoch, p, m.cfg.Currency)
	for range maxRetries {
		if over, err := m.expired(ctx, epoch, p); over || err != nil {
			return err
		}
		left, open, err := m.door.Balance(ctx, coins.ID)
		if err != nil {
			return fmt.Errorf("mint %s: read %s: %w", m.cfg.Inst, coins.Name, err)
		}
		if !open {
			left = money.Zero(m.cfg.Currency)
		}
		posting := chart.CoinExpire(m.cfg.Inst, epoch, p, left)
		posting.Open = append(withoutAccount(posting.Open, coins.ID), coins)
		cmd := posting.Command(book.DeriveID(posting.Event, coins.ID[:], left.String(), date), date)
		cmd.Close = []book.AccountID{coins.ID}
		cmd.Once = []book.Once{{Space: m.space(spaceExpired), Key: expiredKey(epoch, coins.ID), Value: []byte(left.String())}}
		results, err := m.apply(ctx, cmd)
		if err != nil {
			return err
		}
		switch results[0].Code {
		case book.OK, book.Exists:
			return nil
		case book.AccountInUse, book.Insufficient: // a last coin came meanwhile
		default:
			return m.unexpected(fmt.Sprintf("end epoch %d", epoch), results[0])
		}
	}
	return m.busy("end an epoch")
}

package coins

import (
	"context"
	"fmt"
	"os"
	"time"

	"jiaozi/node"
	"jiaozi/role/wallet"
	"jiaozi/sim/story"
	"jiaozi/value/clock"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/coin"
)

// deposit brings all that a wallet holds to the mint. The scene ends declined if
// coins were refused, and says why; amount is what was credited then, too.
func deposit(who, want string) playFunc {
	return func(ctx context.Context, s *stage) (result, error) {
		p, err := s.person(who)
		if err != nil {
			return result{}, err
		}
		report, err := p.Deposit(ctx, s.none())
		if err != nil {
			return result{}, err
		}
		if credited, err := s.money(want); err != nil || report.Credited != credited {
			return result{}, fmt.Errorf("%w: %s credited, not %s", errShort, report.Credited, want)
		}
		if len(report.Refused) == 0 {
			return story.Done(result{Amount: report.Credited}), nil
		}
		return refused(report)
	}
}

// refused says which coins the mint did not pay for.
func refused(report wallet.Report) (result, error) {
	sum := money.Zero(report.Credited.Currency())
	why := reason.DoubleSpent
	for _, r := range report.Refused {
		var err error
		if sum, err = sum.Add(r.Value); err != nil {
			return result{}, err
		}
		if r.Code == coin.Expired {
			why = reason.CoinExpired
		} else if r.Code != coin.DoubleSpent {
			return result{}, fmt.Errorf("%w: a coin was refused: %v", story.ErrAstray, r.Code)
		}
	}
	n := len(report.Refused)
	return result{Ending: story.End(story.Declined, why), Amount: report.Credited, Detail: lang.Text{
		EN: fmt.Sprintf("%d coins refused, %s", n, sum.Format(lang.EN)), ZH: fmt.Sprintf("%d 枚被拒，%s", n, sum.Format(lang.ZH))}}, nil
}

// depositAgain sends the last deposit once more, as somebody who listened would.
func depositAgain(ctx context.Context, s *stage) (result, error) {
	before, err := s.read(ctx)
	if err != nil {
		return result{}, err
	}
	raw, err := s.mint.Do(ctx, s.line.lastDeposit())
	if err != nil {
		return result{}, err
	}
	answer, err := coin.Parse[coin.Deposited](raw)
	if err != nil {
		return result{}, err
	}
	for _, item := range answer.Items {
		if item.Code != coin.Replayed {
			return result{}, fmt.Errorf("%w: a replayed coin is answered %v", story.ErrAstray, item.Code)
		}
	}
	after, err := s.read(ctx)
	if err == nil && after.out != before.out {
		err = fmt.Errorf("%w: a replay moved %s to %s", node.ErrIntegrity, before.out, after.out)
	}
	return result{Ending: story.End(story.Approved, reason.AlreadyDone), Amount: s.none()}, err
}

// restore plays the loss of a telephone: the file is gone, and its owner has
// written down the words and the account's name.
func restore(who string) playFunc {
	return func(ctx context.Context, s *stage) (result, error) {
		p, err := s.person(who)
		if err != nil {
			return result{}, err
		}
		if err := p.Close(); err != nil {
			return result{}, err
		}
		if err := os.Remove(p.options.Path); err != nil {
			return result{}, fmt.Errorf("lose the telephone: %w", err)
		}
		if p.Purse, err = node.RestoreWallet(p.options, p.words, s.named(who)); err != nil {
			return result{}, err
		}
		return story.Done(result{}), p.RefreshKeys(ctx)
	}
}

// refresh has a restored wallet ask the mint.
func refresh(who, want string) playFunc {
	return func(ctx context.Context, s *stage) (result, error) {
		p, err := s.person(who)
		if err != nil {
			return result{}, err
		}
		if _, err := p.Refresh(ctx); err != nil {
			return result{}, err
		}
		if err := s.holds(p, want); err != nil {
			return result{}, err
		}
		return result{Ending: story.End(story.Recovered, reason.CoinsClaimed), Amount: p.Balance().Available, Detail: s.holding(p)}, nil
	}
}

// later lets time pass: until noon of a day, in the month that many months after
// that in which the story's coins were made. The mint then looks at its epochs.
func later(months, day int) playFunc {
	return func(ctx context.Context, s *stage) (result, error) {
		y, m, _ := s.began.at.Date()
		s.clock.Reach(time.Date(y, m+time.Month(months), day, 12, 0, 0, 0, clock.Zone))
		before, err := s.read(ctx)
		if err != nil {
			return result{}, err
		}
		if err := s.node.KeepMint(ctx); err != nil {
			return result{}, err
		}
		after, err := s.read(ctx)
		if err != nil {
			return result{}, err
		}
		over, err := after.expired.Sub(before.expired)
		date := clock.DateOf(s.clock.Now()).String()
		r := story.Done(result{Amount: over, Detail: lang.Text{EN: date, ZH: date}})
		return r, err
	}
}

// exchange brings coins that soon nobody takes to the mint, for new ones.
func exchange(who string) playFunc {
	return func(ctx context.Context, s *stage) (result, error) {
		p, err := s.person(who)
		if err != nil {
			return result{}, err
		}
		if err := p.RefreshKeys(ctx); err != nil {
			return result{}, err
		}
		had := p.Balance().Available
		report, err := p.Exchange(ctx)
		if err != nil {
			return result{}, err
		}
		if report.Withdrawn != had || p.Balance().Available != had {
			return result{}, fmt.Errorf("%w: %s exchanged of %s", errShort, report.Withdrawn, had)
		}
		return story.Done(result{Amount: report.Withdrawn, Detail: s.holding(p)}), nil
	}
}

func endOfDay(ctx context.Context, s *stage) (result, error) {
	report, err := s.node.EndOfDay(ctx)
	if err != nil {
		return result{}, err
	}
	date := report.Date.String()
	return story.Done(result{Amount: report.Gross, Detail: lang.Text{EN: date, ZH: date}}), nil
}

// auditAll lets the auditor count every coin again, and fills the summary.
func auditAll(ctx context.Context, s *stage) (result, error) {
	report, err := s.node.Audit(ctx)
	if err != nil {
		return result{}, err
	}
	now, err := s.read(ctx)
	if err != nil {
		return result{}, err
	}
	sum := &s.summary
	sum.CoinsIssued, sum.CoinsDeposited = now.issued-s.began.issued, now.deposited-s.began.deposited
	sum.Conserved = report.Conserved && now.balanced
	if sum.Float, err = report.Float.Add(now.out); err != nil {
		return result{}, err
	}
	if !report.Conserved {
		first := report.Findings[0]
		return result{}, fmt.Errorf("%w: %s: %s", node.ErrIntegrity, first.Where, first.Text.In(s.options.Lang))
	}
	if !now.balanced {
		return result{}, fmt.Errorf("%w: what the mint publishes does not add up", node.ErrIntegrity)
	}
	return story.Done(result{Amount: now.out, Detail: lang.Text{
		EN: fmt.Sprintf("%d entries, no money appeared or vanished", report.Entries),
		ZH: fmt.Sprintf("%d 条分录，资金无增无减", report.Entries),
	}}), nil
}

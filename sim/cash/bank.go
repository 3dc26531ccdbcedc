package cash

import (
	"context"
	"fmt"

	"jiaozi/node"
	"jiaozi/role/terminal"
	"jiaozi/sim/story"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/purse"
)

func signOn(ctx context.Context, s *stage) (result, error) {
	for _, spec := range tillSpecs {
		t := s.till(spec.TID)
		if _, err := t.SignOn(ctx); err != nil {
			return result{}, fmt.Errorf("till %s: %w", spec.TID, err)
		}
		if err := t.RefreshList(ctx); err != nil {
			return result{}, fmt.Errorf("till %s: %w", spec.TID, err)
		}
		// What an interrupted run left in the outbox goes out first.
		if err := t.Flush(ctx); err != nil {
			return result{}, fmt.Errorf("till %s: %w", spec.TID, err)
		}
	}
	n := len(tillSpecs)
	return story.Done(result{Detail: lang.Text{EN: fmt.Sprintf("%d tills, run %d", n, s.run), ZH: fmt.Sprintf("终端 %d 台，第 %d 次运行", n, s.run)}}), nil
}

func fund(ctx context.Context, s *stage) (result, error) {
	for _, d := range []struct{ who, text string }{{"alice", "500.00"}, {"carol", "600.00"}} {
		amount, err := s.money(d.text)
		if err != nil {
			return result{}, err
		}
		if err := s.node.Deposit(ctx, s.named(d.who), amount, s.named("opening-"+d.who)); err != nil {
			return result{}, err
		}
	}
	total, err := s.money("1100.00")
	return story.Done(result{Amount: total}), err
}

// How a load is paid for.
const (
	byAccount = terminal.Account
	byCash    = terminal.Cash
)

func loadFrom(who string, how terminal.Service, amount string) playFunc {
	return func(ctx context.Context, s *stage) (result, error) {
		o, err := s.load(ctx, who, how, amount)
		return ended(o), err
	}
}

// load puts money on a card: account loads at the kiosk, cash at the teahouse.
func (s *stage) load(ctx context.Context, who string, how terminal.Service, text string) (terminal.Outcome, error) {
	where := kiosk
	order := terminal.LoadOrder{Kind: how, PIN: typed(rightPIN)}
	if how == byCash {
		where, order.PIN = tea, nil
	}
	var err error
	if order.Amount, err = s.money(text); err != nil {
		return terminal.Outcome{}, err
	}
	c, err := s.present(who, purse.Contact)
	if err != nil {
		return terminal.Outcome{}, err
	}
	return s.till(where).Load(ctx, c, order), nil
}

// loadLost plays a load whose answer never arrives.
func loadLost(ctx context.Context, s *stage) (result, error) {
	mend := s.till(kiosk).line.losing(func(int) bool { return true })
	defer mend()
	o, err := s.load(ctx, "carol", byAccount, "500.00")
	return ended(o), err
}

// flushed empties the kiosk's outbox and looks whether the money is back.
func flushed(who, want string) playFunc {
	return func(ctx context.Context, s *stage) (result, error) {
		if err := s.till(kiosk).Flush(ctx); err != nil {
			return result{}, err
		}
		if err := s.node.Forward(ctx); err != nil {
			return result{}, err
		}
		have, err := s.node.AccountBalance(ctx, s.named(who))
		if err != nil {
			return result{}, err
		}
		wanted, err := s.money(want)
		if err != nil {
			return result{}, err
		}
		r := result{Ending: story.End(story.Approved, reason.Reversed), Amount: have}
		if have != wanted {
			r.Ending = story.End(story.Unknown, reason.LoadInFlight)
		}
		r.Detail = lang.Text{EN: "account " + have.Format(lang.EN), ZH: "账户 " + have.Format(lang.ZH)}
		return r, nil
	}
}

// closeCard plays the closure of Grace's card and looks whether the refund came.
func closeCard(ctx context.Context, s *stage) (result, error) {
	c, err := s.present("grace", purse.Contact)
	if err != nil {
		return result{}, err
	}
	o := s.till(kiosk).CloseCard(ctx, c, nil)
	if o.Result != terminal.Approved {
		return ended(o), nil
	}
	if err := s.node.Forward(ctx); err != nil {
		return result{}, err
	}
	back, err := s.node.AccountBalance(ctx, s.named("grace"))
	if err != nil {
		return result{}, err
	}
	r := result{Ending: story.End(story.Approved, reason.Refunded), Amount: back}
	if want, err := s.money("70.00"); err != nil || back != want {
		r.Ending = story.End(story.Unknown, reason.SystemError)
	}
	return r, nil
}

// uploadLost plays a settlement in which all answers from the third on are lost.
func uploadLost(ctx context.Context, s *stage) (result, error) {
	t := s.till(books)
	mend := t.line.losing(func(nth int) bool { return nth > 2 })
	defer mend()
	// A run that was killed may have left a settlement open; the first call then ends that one.
	for range 2 {
		if _, err := t.Settle(ctx); err != nil {
			return result{Ending: story.End(story.Unknown, reason.HostUnreachable)}, nil
		}
	}
	return result{}, fmt.Errorf("the settlement went through a broken line")
}

func settleTill(where ident.TID) playFunc {
	return func(ctx context.Context, s *stage) (result, error) {
		r, err := s.till(where).Settle(ctx)
		if err != nil {
			return result{}, err
		}
		return story.Done(result{Amount: r.Total, Detail: lang.Text{EN: fmt.Sprintf("batch %06d, %d payments", r.Batch, r.Count), ZH: fmt.Sprintf("批次 %06d，%d 笔", r.Batch, r.Count)}}), nil
	}
}

func endOfDay(ctx context.Context, s *stage) (result, error) {
	report, err := s.node.EndOfDay(ctx)
	if err != nil {
		return result{}, err
	}
	s.report = report
	return story.Done(result{Amount: report.Gross, Detail: lang.Text{
		EN: fmt.Sprintf("%s: %d paid, %d refused or waiting, net %s", report.Date, report.Accepted, report.Presented-report.Accepted, report.Net.Format(lang.EN)),
		ZH: fmt.Sprintf("%s：%d 笔入账，%d 笔拒绝或待定，轧差 %s", report.Date, report.Accepted, report.Presented-report.Accepted, report.Net.Format(lang.ZH)),
	}}), nil
}

// cloneCaught looks for the clone in the day's verdicts.
func cloneCaught(ctx context.Context, s *stage) (result, error) {
	if s.report.Clones == 0 {
		return result{Ending: story.End(story.Approved, reason.Approved)}, nil
	}
	return result{Ending: story.End(story.Declined, reason.Clone)}, nil
}

func statements(ctx context.Context, s *stage) (result, error) {
	total := money.Zero(s.node.Currency())
	for _, tid := range []ident.TID{tea, books} {
		net, err := s.node.WriteStatement(ctx, s.till(tid).Spec().MID, s.report.Date, s.options.Lang)
		if err != nil {
			return result{}, err
		}
		if total, err = total.Add(net); err != nil {
			return result{}, err
		}
	}
	return story.Done(result{Amount: total}), nil
}

// auditDay lets the auditor recompute everything.
func auditDay(ctx context.Context, s *stage) (result, error) {
	report, err := s.node.Audit(ctx)
	if err != nil {
		return result{}, err
	}
	s.summary.Float, s.summary.Conserved = report.Float, report.Conserved
	if !report.Conserved {
		first := report.Findings[0]
		return result{}, fmt.Errorf("%w: %s: %s", node.ErrIntegrity, first.Where, first.Text.In(s.options.Lang))
	}
	return story.Done(result{Amount: report.Float, Detail: lang.Text{
		EN: fmt.Sprintf("%d entries, no money appeared or vanished", report.Entries),
		ZH: fmt.Sprintf("%d 条分录，资金无增无减", report.Entries),
	}}), nil
}

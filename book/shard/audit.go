package shard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"jiaozi/book"
	"jiaozi/value/money"
)

// Pair is what went one way between two shards, ever, in one currency.
type Pair struct {
	From, To                 string // shards
	Sent, Received, InFlight money.Amount
}

// Report is what an audit found.
type Report struct {
	Pairs []Pair
	// Unclaimed is value that no account would take, by shard and currency.
	Unclaimed []Unclaimed
	// Findings are broken promises. There are none in a sound book.
	Findings []book.Finding
}

// Unclaimed is value that people must look at.
type Unclaimed struct {
	Shard  string
	Amount money.Amount
}

// Audit checks the value between the shards of this process: for every pair and
// currency, what was sent is what was received and what is on its way; and on
// every shard debits equal credits, so that they do over all of them. It holds
// transfers up while it reads the homes of the shards. That each shard is what
// its journal says is for book.Verify to show.
func (s *Shards) Audit(ctx context.Context) (Report, error) {
	t := s.table()
	a := &audit{table: t, pairs: map[pairKey]*sums{}}
	s.carrying.Lock()
	err := a.between(ctx)
	s.carrying.Unlock()
	if err == nil {
		a.compare()
		err = a.trialBalances(ctx)
	}
	if err != nil {
		return Report{}, fmt.Errorf("audit shards: %w", err)
	}
	return a.report, nil
}

type pairKey struct {
	from, to string
	currency money.Currency
}

// sums are big because in a broken book nothing bounds them.
type sums struct{ sent, received, inFlight big.Int }

type audit struct {
	*table
	pairs  map[pairKey]*sums
	report Report
}

func (a *audit) pair(from, to string, c money.Currency) *sums {
	k := pairKey{from, to, c}
	if a.pairs[k] == nil {
		a.pairs[k] = &sums{}
	}
	return a.pairs[k]
}

func (a *audit) find(code, where, format string, args ...any) {
	if len(a.report.Findings) < book.MaxFindings {
		a.report.Findings = append(a.report.Findings, book.Finding{Code: code, Where: where, What: fmt.Sprintf(format, args...)})
	}
}

// between reads what went between shards, while nothing goes.
func (a *audit) between(ctx context.Context) error {
	for _, at := range a.local() {
		if err := a.home(ctx, at); err != nil {
			return fmt.Errorf("shard %s: %w", at.Name, err)
		}
		for _, to := range a.local() {
			if err := a.onTheWay(ctx, at, to); err != nil {
				return fmt.Errorf("shard %s: %w", at.Name, err)
			}
		}
	}
	return nil
}

var errEnough = errors.New("enough")

// home reads the clearing accounts of a shard: all accounts of its home are looked
// at, and those of this package taken.
func (a *audit) home(ctx context.Context, at Shard) error {
	l, err := a.ledger(at.Name)
	if err != nil {
		return err
	}
	err = l.AccountsAfter(ctx, book.BeforePart(at.Chain), func(row book.AccountRow) error {
		if row.ID.Part() != at.Chain {
			return errEnough
		}
		if rest, ours := strings.CutPrefix(row.Name, clearingNames+at.Name+"/"); ours {
			a.clearing(at, strings.Split(rest, "/"), row)
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return err
}

func (a *audit) clearing(at Shard, words []string, row book.AccountRow) {
	balance := big.NewInt(int64(row.Balance))
	switch {
	case len(words) == 3 && words[0] == "towards" && row.ID == towards(at, words[1], row.Currency).ID:
		sent := &a.pair(at.Name, words[1], row.Currency).sent
		sent.Add(sent, balance)
	case len(words) == 3 && words[0] == "received" && row.ID == received(at, words[1], row.Currency).ID:
		got := &a.pair(words[1], at.Name, row.Currency).received
		got.Add(got, balance)
	case len(words) == 2 && words[0] == "unclaimed" && row.ID == unclaimed(at, row.Currency).ID:
		a.report.Unclaimed = append(a.report.Unclaimed, Unclaimed{at.Name, money.New(row.Currency, row.Balance)})
	default:
		a.find("clearing-account", row.Name, "is named like a clearing account and is none")
	}
}

// onTheWay adds up the messages that were sent and did not arrive. One that
// arrived and is still in the outbox was stopped before it was acknowledged.
func (a *audit) onTheWay(ctx context.Context, from, to Shard) error {
	source, err := a.ledger(from.Name)
	if err != nil {
		return err
	}
	target, err := a.ledger(to.Name)
	if err != nil {
		return err
	}
	for after := uint64(0); ; {
		page, err := source.Outbox(ctx, topic+to.Name, after, pumpPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			after = page[i].Number
			m, err := decodeMessage(page[i].Body)
			if err != nil {
				a.find("message", fmt.Sprintf("shard %s, message %d", from.Name, after), "%v", err)
				continue
			}
			_, arrived, err := target.GetOnce(ctx, space, key(to, &m))
			if err != nil {
				return err
			}
			if way := &a.pair(from.Name, to.Name, m.amount.Currency()).inFlight; !arrived {
				way.Add(way, big.NewInt(int64(m.amount.Minor())))
			}
		}
	}
}

// compare checks every pair of which both shards are here.
func (a *audit) compare() {
	order := func(x, y pairKey) int {
		return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to), cmp.Compare(x.currency, y.currency))
	}
	for _, k := range slices.SortedFunc(maps.Keys(a.pairs), order) {
		if a.ledgers[k.from] == nil || a.ledgers[k.to] == nil {
			continue
		}
		p := a.pairs[k]
		arrived := new(big.Int).Add(&p.received, &p.inFlight)
		if p.sent.Cmp(arrived) != 0 {
			a.find("between-shards", fmt.Sprintf("%s to %s, %s", k.from, k.to, k.currency.Code()),
				"%s minor units were sent, %s were received and %s are on their way", &p.sent, &p.received, &p.inFlight)
		}
		a.report.Pairs = append(a.report.Pairs, Pair{k.from, k.to, k.amount(&p.sent), k.amount(&p.received), k.amount(&p.inFlight)})
	}
}

func (k pairKey) amount(b *big.Int) money.Amount {
	return money.New(k.currency, money.Minor(b.Int64()))
}

// trialBalances adds up the accounts of every shard, each as it is at one moment.
func (a *audit) trialBalances(ctx context.Context) error {
	for _, at := range a.local() {
		l, err := a.ledger(at.Name)
		if err != nil {
			return err
		}
		nets := map[money.Currency]*big.Int{}
		err = l.Accounts(ctx, func(row book.AccountRow) error {
			net := nets[row.Currency]
			if net == nil {
				net = new(big.Int)
				nets[row.Currency] = net
			}
			balance := big.NewInt(int64(row.Balance))
			if row.Normal == book.Credit {
				balance.Neg(balance)
			}
			net.Add(net, balance)
			return nil
		})
		if err != nil {
			return fmt.Errorf("shard %s: %w", at.Name, err)
		}
		for c, net := range nets {
			if net.Sign() != 0 {
				a.find("trial-balance", fmt.Sprintf("shard %s, %s", at.Name, c.Code()), "debits less credits are %s minor units", net)
			}
		}
	}
	return nil
}

package history

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"jiaozi/book/chart"
	"jiaozi/crypt/brands"
	"jiaozi/role/auditor"
	"jiaozi/role/wallet"
	"jiaozi/value/clock"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// live plays one history: six hours.
func (w *town) live() {
	w.Helper()
	w.parcels, w.done, w.alarm = nil, nil, false
	w.faults = w.dice.IntN(3)
	lost := false
	for range 1 + w.dice.IntN(5)/4 {
		who := w.people[w.dice.IntN(len(w.people))]
		switch n := w.dice.IntN(100); {
		case n < 3:
			w.overpay(who)
		case n < 6:
			w.exchange(who)
		case n == 6 && who.honest && w.dice.IntN(2) == 0:
			lost = w.lose(who) || lost
		case n < 60 && !who.honest:
			w.cheat(who)
		default:
			w.spend(who)
		}
	}
	w.settle(lost)
	w.judge(lost)
}

// settle ends the history: nothing fails any more, what lies around is delivered or
// comes too late, and everybody, or every second one, brings what he has to the mint.
func (w *town) settle(all bool) {
	w.Helper()
	w.faults = 0
	late := w.parcels[:0:0]
	for _, p := range w.parcels {
		if !p.taken && (!p.mayLose || w.dice.IntN(2) == 0) {
			w.deliver(p)
		}
		if p.from != nil && (!p.taken || p.receipt != nil) {
			late = append(late, p)
			p.reclaim = !p.change && (!p.taken || w.dice.IntN(2) == 0)
			all = all || p.taken && p.reclaim // the payee's deposit takes back what the claim gave
		}
	}
	w.clock.Advance(6 * time.Hour)
	everybody := append([]*person{w.till}, w.people...)
	w.dice.Shuffle(len(everybody), func(i, j int) { everybody[i], everybody[j] = everybody[j], everybody[i] })
	for _, p := range everybody {
		w.check(p.online(func(ctx context.Context, x *wallet.Wallet) (wallet.Report, error) { return x.Resume(ctx) }))
		for _, parcel := range late {
			if parcel.from == p {
				w.resolve(parcel)
			}
		}
		if !all && w.dice.IntN(2) == 0 {
			continue
		}
		err := p.online(func(ctx context.Context, x *wallet.Wallet) (wallet.Report, error) { return x.Deposit(ctx, fen(0)) })
		if !errors.Is(err, wallet.ErrNothing) {
			w.check(err)
		}
	}
}

// resolve is what a payer does about a payment without a receipt: he asks the mint
// for the coins, or the payee for the receipt.
func (w *town) resolve(p *parcel) {
	w.Helper()
	if p.reclaim {
		m, err := coin.Parse[coin.Payment](p.payment)
		w.check(err)
		if _, err := p.from.wallet.Reclaim(w.Context(), m.Request); !errors.Is(err, wallet.ErrNothing) {
			w.check(err)
		}
		w.note("%s asks the mint for the coins", p.from.name)
	}
	if p.receipt != nil {
		w.confirm(p)
	}
}

// judge compares the town with what was done in it.
func (w *town) judge(all bool) {
	w.Helper()
	if all || w.alarm { // listing the proofs takes longer than a history
		w.named()
	}
	for id, list := range w.seen {
		for i, a := range list {
			for _, b := range list[:i] {
				if a.clashes(b) && !slices.ContainsFunc(w.suspects[id], func(own brands.CoinID) bool { return w.proved[own] != "" }) {
					w.Fatalf("town %d: two payments of coin %s reached the mint and nobody is named\n%q", w.seed, id, w.done)
				}
			}
		}
	}
	for _, p := range append(w.people, w.till) {
		have := w.balance(chart.Customer(bank, p.name, money.CNY).Name)
		if p == w.till {
			have = w.balance(chart.Merchant(bank, shopMID, money.CNY).Name)
		}
		if p.honest && have+p.holds()+p.refused() != p.expect+p.unbrought() {
			w.Fatalf("town %d: %s has %d at the bank, %d in the wallet, %d refused, and should have %d\n%q", w.seed, p.name, have, p.holds(), p.refused(), p.expect, w.done)
		}
		if all && p.honest && len(w.culprit) == 0 && p.holds() != 0 {
			w.Fatalf("town %d: %d of %s is stuck\n%q", w.seed, p.holds(), p.name, w.done)
		}
	}
	w.conserved()
	if all || w.dice.IntN(4) == 0 {
		w.published()
	}
}

// named checks the proofs of guilt as a stranger would, and that each names who
// cheated.
func (w *town) named() {
	w.Helper()
	keys, err := w.mint.Keys(w.Context(), w.clock.Now())
	w.check(err)
	w.check(w.mint.Guilts(w.Context(), func(file []byte) error {
		f, err := coin.Parse[coin.GuiltFile](file)
		if err != nil {
			return err
		}
		guilt, err := brands.ParseGuilt(f.Guilt)
		if err != nil {
			return err
		}
		id := guilt.Coin.ID()
		if w.proved[id] != "" {
			return nil
		}
		key, err := brands.ParsePublicKey(f.Key)
		if err != nil {
			return err
		}
		who, err := guilt.VerifyVartime(brands.RingOf(key))
		if err != nil {
			return err
		}
		if f.Account != w.culprit[id] || who.Bytes() != f.Identity {
			w.Fatalf("town %d: %q is accused for a coin that %q cheated with\n%q", w.seed, f.Account, w.culprit[id], w.done)
		}
		w.proved[id] = f.Account
		return f.Verify(keys.Sign)
	}))
}

func (w *town) balance(name string) money.Minor {
	w.Helper()
	have, _, err := w.book.Balance(w.Context(), chart.AccountID(name))
	w.check(err)
	return have.Minor()
}

// conserved adds all money up.
func (w *town) conserved() {
	w.Helper()
	sum := w.balance(chart.Merchant(bank, shopMID, money.CNY).Name)
	for _, p := range w.people {
		sum += w.balance(chart.Customer(bank, p.name, money.CNY).Name)
	}
	sum += w.balance(chart.Coins(bank, 202611, chart.Place{}, money.CNY).Name) + w.balance(chart.CoinIncome(bank, chart.Place{}, money.CNY).Name)
	sum -= w.balance(chart.CoinSuspense(bank, chart.Place{}, money.CNY).Name)
	if want := purse * money.Minor(w.posts); sum != want {
		w.Fatalf("town %d: %d minor units of %d are there\n%q", w.seed, sum, want, w.done)
	}
}

// published checks what the mint says of its books.
func (w *town) published() {
	w.Helper()
	status, err := w.mint.Status(w.Context(), w.clock.Now())
	w.check(err)
	for _, l := range status.Lines {
		if !l.Balanced() || l.Outstanding.Sign() < 0 {
			w.Fatalf("town %d: the mint publishes %+v\n%q", w.seed, l, w.done)
		}
	}
}

// close ends the epoch and has the auditor read the whole journal.
func (w *town) close() {
	w.Helper()
	w.clock.Set(time.Date(2027, 4, 2, 0, 0, 0, 0, clock.Zone))
	w.check(w.mint.Expire(w.Context(), 202611, w.clock.Now()))
	w.conserved()
	w.published()
	verified, err := w.book.Verify(w.Context())
	w.check(err)
	sign, err := theVault().Public("sign")
	w.check(err)
	report, err := auditor.Audit(w.Context(), auditor.Evidence{Currency: money.CNY, Book: verified, Journal: w.book,
		Mint: &auditor.Mint{Inst: bank, Network: network, Sign: [32]byte(sign)}})
	w.check(err)
	if len(report.Findings) > 0 || report.Coins[0].DoubleSpent != len(w.proved) {
		w.Fatalf("town %d: %d proofs, the auditor says %+v %v", w.seed, len(w.proved), report.Coins, report.Findings)
	}
	w.check(w.book.Close())
}

// histories is how many are played: ten thousand, and ten times as many in make
// soak.
func histories(t *testing.T) int {
	switch {
	case os.Getenv("JIAOZI_SOAK") != "":
		return 100_000
	case testing.Short():
		return 500
	}
	return 10_000
}

const perTown = 100

// Goal: whatever people, cheats and faults do, the cheats are named, nobody else is,
// and no money comes or goes. Method: towns of a hundred random histories each, on as
// many goroutines as there are processors.
func TestRandomHistories(t *testing.T) {
	t.Parallel()
	if only := os.Getenv("JIAOZI_TOWN"); only != "" {
		seed, err := strconv.ParseUint(only, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		inhabit(t, seed, new(counts))
		return
	}
	total, towns := new(counts), uint64(histories(t)/perTown)
	var next atomic.Uint64
	t.Run("towns", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for n := next.Add(1); n <= towns; n = next.Add(1) {
					inhabit(t, n, total)
				}
			})
		}
	})
	t.Logf("%d histories: %d deposits, %d coins paid twice and proved, %d of a cheat's copies never came", towns*perTown,
		total.deposits.Load(), total.proved.Load(), total.unproved.Load())
	if total.proved.Load() == 0 {
		t.Error("nobody was named in any history: the cheats do not work")
	}
}

// counts add up what was played.
type counts struct{ deposits, proved, unproved atomic.Int64 }

// inhabit plays the histories of one town.
func inhabit(t testing.TB, seed uint64, total *counts) {
	w := newTown(t, seed)
	for range perTown {
		w.live()
	}
	w.parcels = nil
	w.settle(true)
	w.judge(true)
	w.close()
	for _, list := range w.seen {
		total.deposits.Add(int64(len(list)))
	}
	total.proved.Add(int64(len(w.proved)))
	total.unproved.Add(int64(len(w.culprit) - len(w.proved)))
}

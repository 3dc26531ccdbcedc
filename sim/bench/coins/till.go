package coins

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"jiaozi/crypt/brands"
	"jiaozi/node/mintapi"
	"jiaozi/sim/bench/load"
	"jiaozi/sim/bench/meter"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// mint measures the mint behind its API, on all cores.
func (r *run) mint(ctx context.Context) (err error) {
	dir := filepath.Join(r.Dir, "mint")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	b, err := newBank(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	people, err := r.withdrawals(ctx, b)
	if err != nil {
		return fmt.Errorf("withdraw: %w", err)
	}
	if err := r.deposits(ctx, b, people); err != nil {
		return fmt.Errorf("deposit: %w", err)
	}
	return nil
}

// atOnce does n things at the same time.
func atOnce(n int, do func(i int) error) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	return errors.Join(errs...)
}

var wall = meter.Clock(meter.Wall)

// played is one round of a figure by the clock.
type played struct{ ops, limit, cpu float64 }

// play takes rounds of so many operations, each after its limit, and makes the figure of the middle one.
func (r *run) play(ctx context.Context, ops int, f load.Figure, do, limit func(round int) error) (load.Figure, error) {
	var rounds []played
	for i := range r.Scale.Rounds {
		if err := ctx.Err(); err != nil {
			return f, err
		}
		runtime.GC()
		bare, err := wall.Spent(func() error { return limit(i) })
		if err != nil {
			return f, err
		}
		runtime.GC()
		before := meter.CPU()
		took, err := wall.Spent(func() error { return do(i) })
		if err != nil {
			return f, err
		}
		cpu := meter.CPU() - before
		rounds = append(rounds, played{perSecond(ops, took), perSecond(ops, bare), float64(cpu.Microseconds()) / float64(ops)})
	}
	slices.SortFunc(rounds, func(a, b played) int { return cmp.Compare(a.ops/a.limit, b.ops/b.limit) })
	middle := rounds[len(rounds)/2]
	f.Ops, f.Limit, f.CPU = middle.ops, middle.limit, middle.cpu
	return f, nil
}

func perSecond(ops int, took time.Duration) float64 { return float64(ops) / took.Seconds() }

// grown adds to a figure what so many operations have left in the store, and opens the bank again.
func (b *bank) grown(ctx context.Context, ops int, do func() (load.Figure, error)) (f load.Figure, err error) {
	if err := b.reopen(ctx); err != nil {
		return f, err
	}
	journal, tables, err := b.size()
	if err != nil {
		return f, err
	}
	if f, err = do(); err != nil {
		return f, err
	}
	if err := b.reopen(ctx); err != nil {
		return f, err
	}
	journalNow, tablesNow, err := b.size()
	if err != nil {
		return f, err
	}
	f.More = append(f.More, load.Extra{Name: "journal_bytes", Value: (journalNow - journal) / float64(ops)},
		load.Extra{Name: "tables_bytes", Value: (tablesNow - tables) / float64(ops)})
	return f, nil
}

// reopen brings everything that was put off into the files.
func (b *bank) reopen(ctx context.Context) error {
	if err := b.close(); err != nil {
		return err
	}
	return b.open(ctx)
}

// withdrawals measures people who withdraw, and gives them with their coins.
func (r *run) withdrawals(ctx context.Context, b *bank) ([]*person, error) {
	var people []*person
	for i := range r.Scale.People {
		p, err := newPerson(ctx, b, fmt.Sprintf("person-%d", i))
		if err != nil {
			return nil, err
		}
		people = append(people, p)
	}
	each := (r.Scale.Coins + len(people)*denominations - 1) / (len(people) * denominations)
	coins := each * len(people) * denominations
	do := func(int) error {
		return atOnce(len(people), func(i int) error {
			for range each {
				if err := people[i].withdraw(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	towns, err := newTowns()
	if err != nil {
		return nil, err
	}
	bare := func(int) error {
		return atOnce(len(towns), func(i int) error {
			for range coins / len(towns) {
				if _, err := towns[i].withdraw(towns[i].coin); err != nil {
					return err
				}
			}
			return nil
		})
	}
	f, err := b.grown(ctx, coins*r.Scale.Rounds, func() (load.Figure, error) {
		for _, p := range people { // the address changed
			if p.line, err = mintapi.NewClient(b.address); err != nil {
				return load.Figure{}, err
			}
		}
		return r.play(ctx, coins, load.Figure{
			Name:  "coins/withdraw",
			About: lang.Text{EN: "wallets withdraw through the API, 20 coins in two requests, their own work included; limit: the cryptography of both sides alone", ZH: "钱包经接口取币，含钱包自身计算；极限为双方的密码运算"},
		}, do, bare)
	})
	if err != nil {
		return nil, err
	}
	return people, r.emit(f)
}

// newTowns makes one for each core.
func newTowns() (towns []*town, err error) {
	for range runtime.GOMAXPROCS(0) {
		t, err := newTown(0)
		if err != nil {
			return nil, err
		}
		towns = append(towns, t)
	}
	return towns, nil
}

// A parcel is one request of a till, ready to send, and what it holds.
type parcel struct {
	raw         []byte
	items, aids [][]byte
}

// deposits measures tills that hand in what the people were asked to pay.
func (r *run) deposits(ctx context.Context, b *bank, people []*person) error {
	bill := coin.Terms{Network: network, Payee: shop, Amount: money.New(money.CNY, 1), Time: time.Now().Unix()}
	t := brands.Terms{Network: network, Payee: brands.PayeeOf(network, shop), Currency: money.CNY, Amount: 1, Time: bill.Time}
	terms := t.Digest()
	parcels, err := pack(people, bill, terms)
	if err != nil {
		return err
	}
	each := len(parcels) / r.Scale.Rounds
	coins := each * coin.MaxItems
	do := func(round int) error { return b.handIn(ctx, parcels[round*each:][:each], r.Scale.Tills) }
	bare := func(round int) error { return verify(b.keys, parcels[round*each:][:each], terms) }
	f, err := b.grown(ctx, coins*r.Scale.Rounds, func() (load.Figure, error) {
		return r.play(ctx, coins, load.Figure{
			Name: "coins/deposit", More: []load.Extra{{Name: "wire_bytes", Value: float64(len(parcels[0].raw)) / coin.MaxItems}},
			About: lang.Text{EN: "tills deposit through the API, 64 coins in a request, each in the book on the disk; limit: decoding and checking the same on all cores", ZH: "商户经接口存币，每次 64 枚并落盘入账；极限为各核仅解码核对"},
		}, do, bare)
	})
	if err != nil {
		return err
	}
	return r.emit(f)
}

// pack has everybody pay all that he has.
func pack(people []*person, bill coin.Terms, terms brands.Digest) ([]parcel, error) {
	var list []parcel
	q := &coin.Deposit{Terms: bill}
	for _, p := range people {
		for _, own := range p.owns {
			m := &brands.Money{Head: own.Coin()}
			line, err := own.Pay(m.SpecFor(terms))
			if err != nil {
				return nil, err
			}
			pay := m.Close(line)
			q.Items, q.Aids = append(q.Items, pay.Append(nil)), append(q.Aids, pay.Aid())
			if len(q.Items) < coin.MaxItems {
				continue
			}
			raw, err := coin.Append(nil, q)
			if err != nil {
				return nil, err
			}
			list, q = append(list, parcel{raw, q.Items, q.Aids}), &coin.Deposit{Terms: bill}
		}
	}
	return list, nil
}

// handIn deposits parcels from so many tills at once; every coin must be accepted.
func (b *bank) handIn(ctx context.Context, parcels []parcel, tills int) error {
	return atOnce(tills, func(till int) error {
		line, err := mintapi.NewClient(b.address)
		if err != nil {
			return err
		}
		for i := till; i < len(parcels); i += tills {
			answer, err := post[coin.Deposited](ctx, line, parcels[i].raw)
			if err != nil {
				return err
			}
			for _, item := range answer.Items {
				if item.Code != coin.Accepted {
					return fmt.Errorf("a good coin: %v", item.Code)
				}
			}
		}
		return nil
	})
}

// verify is what of a deposit is cryptography.
func verify(keys brands.Keys, parcels []parcel, terms brands.Digest) error {
	cores := runtime.GOMAXPROCS(0)
	all := make([]brands.Digest, coin.MaxItems)
	for i := range all {
		all[i] = terms
	}
	return atOnce(cores, func(core int) error {
		for i := core; i < len(parcels); i += cores {
			ps := make([]*brands.Payment, len(parcels[i].items))
			for n, raw := range parcels[i].items {
				var err error
				if ps[n], err = brands.ParseAidedPayment(raw, parcels[i].aids[n]); err != nil {
					return err
				}
			}
			bad, err := brands.VerifyBatchVartime(keys, ps, all[:len(ps)], rand.Reader)
			if err != nil || len(bad) > 0 {
				return fmt.Errorf("%d good coins are refused: %w", len(bad), err)
			}
		}
		return nil
	})
}

package shard

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/book/postgres"
	"jiaozi/internal/pgtest"
	"jiaozi/value/money"
)

// logical is a server whose log can be replicated row by row.
func logical(t *testing.T) *pgtest.Server {
	return pgtest.Start(t, pgtest.Options{Settings: map[string]string{
		"wal_level": "logical", "max_wal_senders": "10", "max_replication_slots": "10",
		"wal_retrieve_retry_interval": "200ms", // by default a subscription rests five seconds after a loss
	}})
}

// newServers is a town of two shards, each on a server of its own.
func newServers(t *testing.T) (w *town, a, b *pgtest.Server) {
	a, b = logical(t), logical(t)
	m, err := New([]Shard{
		{Name: "a", Parts: Ranges{{From: 0, To: 999}}, Store: a.DSN("postgres"), Chain: 0},
		{Name: "b", Parts: Ranges{{From: 1000, To: 4095}}, Store: b.DSN("postgres"), Chain: 1000},
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	w = &town{TB: t, m: m, opener: func(ctx context.Context, s Shard) (book.Engine, error) {
		// The writer before may have been cut off; a new one takes over.
		return postgres.Open(ctx, s.Store, postgres.Options{Chain: s.Chain, IndexDir: filepath.Join(dir, s.Name), TakeOver: true})
	}}
	w.open()
	t.Cleanup(func() { w.Close() })
	return w, a, b
}

// underFire cuts the power of a server after some of the road's calls.
type underFire struct {
	Road
	calls int
	cut   map[int]*pgtest.Server
}

func (u *underFire) fire() error {
	u.calls++
	if s := u.cut[u.calls]; s != nil {
		return errors.Join(s.Kill(), s.Restart())
	}
	return nil
}

func (u *underFire) Start(ctx context.Context) error {
	return errors.Join(u.Road.Start(ctx), u.fire())
}

func (u *underFire) Arrived(ctx context.Context) (bool, error) {
	arrived, err := u.Road.Arrived(ctx)
	return arrived, errors.Join(err, u.fire())
}

// traffic books on the part for as long as the test lets it, and counts.
type traffic struct {
	w       *town
	stop    chan struct{}
	done    sync.WaitGroup
	booked  money.Minor
	refused int
	trouble error
}

func (w *town) traffic(from, to book.Account) *traffic {
	tr := &traffic{w: w, stop: make(chan struct{})}
	tr.done.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-tr.stop:
				return
			default:
			}
			for done := false; !done && tr.trouble == nil; {
				results, err := w.Transfer(context.Background(), []Transfer{pay(fmt.Sprint("traffic ", i), from, to, 1)})
				switch {
				case err != nil:
					tr.trouble = err
				case results[0].Code == book.OK:
					tr.booked++
					done = true
				case results[0].Code == book.PartMoved:
					tr.refused++
					tr.trouble = soon(context.Background())
				default:
					tr.trouble = errors.New(results[0].Code.Explain())
				}
			}
		}
	})
	return tr
}

func (tr *traffic) end() {
	close(tr.stop)
	tr.done.Wait()
}

// A part moves between two real servers while it is in use, by the servers' own
// replication, and keeps its past; nothing of the move is left behind.
func TestPartMovesBetweenServers(t *testing.T) {
	if testing.Short() {
		t.Skip("starts two servers: not in short mode")
	}
	w, a, b := newServers(t)
	w.lived()
	busy, shop := account(3, "busy"), account(3, "shop")
	w.ok(fund(busy, 1_000_000), fund(shop, 0))
	began := time.Now()
	cars := w.traffic(busy, shop)
	road := &postgres.Road{Source: a.DSN("postgres"), Target: b.DSN("postgres"), Reach: a.DSN("postgres"), Part: 3, Chain: 0}
	if err := w.tryMove(3, "a", "b", road); err != nil {
		t.Fatal(err)
	}
	cars.end()
	t.Logf("moved in %v; %d payments of the part meanwhile, %d were told to come again", time.Since(began), cars.booked, cars.refused)
	if cars.trouble != nil || cars.booked == 0 {
		t.Fatalf("%d payments (%v)", cars.booked, cars.trouble)
	}
	w.has(shop, cars.booked)
	w.stays("moved")
	nothingLeft(t, a, b)
	if err := errors.Join(a.Kill(), a.Restart(), b.Kill(), b.Restart()); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	w.has(shop, cars.booked)
	w.stays("after a power cut")
	w.transfer(book.OK, pay("new", alice, dave, 40)) // b to a
	w.pump(1)
	w.sound()
}

// Both servers lose power again and again while a part moves.
func TestMoveBetweenServersSurvivesPowerCuts(t *testing.T) {
	if testing.Short() {
		t.Skip("starts two servers: not in short mode")
	}
	w, a, b := newServers(t)
	w.lived()
	road := &underFire{
		Road: &postgres.Road{Source: a.DSN("postgres"), Target: b.DSN("postgres"), Reach: a.DSN("postgres"), Part: 3, Chain: 0},
		cut:  map[int]*pgtest.Server{1: b, 2: a, 4: b, 6: a},
	}
	for try := 1; ; try++ {
		err := w.tryMove(3, "a", "b", road)
		if err == nil {
			break
		}
		if try == 10 {
			t.Fatal(err)
		}
		t.Logf("try %d: %v", try, err)
		w.reopen()
	}
	w.stays("moved")
	nothingLeft(t, a, b)
}

func nothingLeft(t *testing.T, servers ...*pgtest.Server) {
	t.Helper()
	for _, s := range servers {
		left, err := s.SQL("postgres", `SELECT (SELECT count(*) FROM pg_replication_slots) + (SELECT count(*) FROM pg_replication_origin)
			+ (SELECT count(*) FROM pg_subscription) + (SELECT count(*) FROM pg_publication)`)
		if err != nil || left != "0" {
			t.Errorf("%q things of the move are left (%v)", left, err)
		}
	}
}

package issuer

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jiaozi/book"
	"jiaozi/crypt/pin"
	"jiaozi/value/clock"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/purse"
)

// ending is all that a story leaves behind, for comparison.
type ending struct {
	Money    position
	Status   Status
	Listed   bool
	Tries    uint8
	Seen     History
	Answers  []string // codes and verdicts, in order
	Alerts   []AlertKind
	Told     []string // what clearing was told
	Verified bool
}

// persist calls again until the call goes through, with an issuer that
// remembers nothing, as its callers do after a lost answer.
func (s *scheme) persist(call func() ([]byte, error)) []byte {
	s.t.Helper()
	for range 5 {
		out, err := call()
		if err == nil {
			return out
		}
		if !errors.Is(err, errFault) {
			s.t.Fatal(err)
		}
		s.issuer = s.open()
	}
	s.t.Fatal("the call never went through")
	return nil
}

// story plays all that changes the issuer's books once: loads done, declined,
// reversed and left in flight, a wrong PIN, payments, a flagged one, a clone, a
// closure.
func story(s *scheme) (e ending) {
	ctx, date := s.t.Context(), clock.DateOf(s.now)
	do := func(call func() error) {
		s.persist(func() ([]byte, error) { return nil, call() })
	}
	send := func(m *iso8583.Message) *iso8583.Message {
		raw := s.seal(m)
		answer := s.opened(s.persist(func() ([]byte, error) { return s.issuer.Serve(ctx, raw, s.now) }))
		e.Answers = append(e.Answers, answer.Text(39))
		return answer
	}
	present := func(records ...purse.Record) {
		file := s.file(records...)
		out := s.persist(func() ([]byte, error) { return s.issuer.Present(ctx, file, s.now) })
		e.Answers = append(e.Answers, verdicts(s.decodeOutcome(out)))
	}
	do(func() error { return s.issuer.Fund(ctx, book.ID{1}, account, yuan(50000), date) })
	secret, err := pin.Parse("123456")
	check(s.t, err)
	do(func() error {
		_, err := s.issuer.RegisterCard(ctx, NewCard{PAN: pan, PSN: 1, Account: account, Expiry: 20301231,
			Limit: yuan(100000), Balance: yuan(1000), PIN: secret}, date)
		return err
	})
	c := newSimCard(s.t, pan, 1000)

	undone, m := s.loadRequest(c, "630000", 700)
	send(m)
	send(s.reversal(undone, "630000"))
	_, m = s.loadRequest(c, "600000", 4000)
	m.SetBytes(52, s.pinBlock("654321", pan))
	send(m)
	done, m := s.loadRequest(c, "600000", 4000)
	c.take(send(m), c.arqc)
	send(s.notice(done, "600000", 2, nil))
	_, m = s.loadRequest(c, "600000", 60000)
	send(m)
	torn := s.flagged(c, 200, true)
	twin := c.copy()
	present(torn, s.tap(c, 300), s.insert(c, 100))
	flying, m := s.loadRequest(c, "630000", 2000)
	c.take(send(m), c.arqc)
	send(s.notice(flying, "630000", 0, nil))
	present(s.tap(c, 50), s.tap(c, 60))
	closed, m := s.loadRequest(c, "290000", 0)
	c.take(send(m), c.arqc)
	send(s.notice(closed, "290000", 2, c.secondAC(closed, 0)))
	present(s.tap(twin, 80))
	s.persist(func() ([]byte, error) { return s.issuer.PublishList(ctx, s.now) })
	return s.ending(e)
}

func (s *scheme) ending(e ending) ending {
	k := s.known()
	e.Money, e.Status, e.Listed, e.Tries, e.Seen, e.Alerts = s.position(), k.Status, k.Listed, k.PINTries, k.Seen, s.alerts()
	pending, err := s.ledger.Outbox(s.t.Context(), topicClearing, 0, 100)
	check(s.t, err)
	for _, p := range pending {
		e.Told = append(e.Told, string(p.Key))
	}
	report, err := s.ledger.Verify(s.t.Context())
	check(s.t, err)
	e.Verified = len(report.Findings) == 0
	return e
}

// Goal: whichever call of the book fails, before or after it took the commands,
// calling again ends in the same place: same money, same answers, once each.
func TestACrashAtAnyStepChangesNothing(t *testing.T) {
	calm := quickScheme(t)
	want := story(calm)
	if !want.Verified || !slices.Contains(want.Answers, "clone/clone") || want.Money.InFlight != 0 {
		t.Fatalf("the story is not the one meant: %+v", want)
	}
	for failAt := 1; failAt <= calm.door.calls; failAt++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("call %d after %t", failAt, after), func(t *testing.T) {
				s := quickScheme(t)
				s.door.failAt, s.door.after = failAt, after
				if diff := cmp.Diff(want, story(s)); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// Goal: callers who meet on one card do not lose or double anything: stale
// decisions are made again.
func TestManyCallersOneCard(t *testing.T) {
	s := newScheme(t)
	c := s.card(10000)
	const callers = 8
	files := make([][]byte, callers)
	for n := range files {
		files[n] = s.file(s.tap(c, 100), s.tap(c, 10))
	}
	_, m := s.loadRequest(c, "600000", 1000)
	raw := s.seal(m)
	results := make(chan error, 2*callers)
	for n := range callers {
		go func() {
			_, err := s.issuer.Present(t.Context(), files[n], s.now)
			results <- err
		}()
		go func() {
			_, err := s.issuer.Serve(t.Context(), raw, s.now)
			results <- err
		}()
	}
	for range 2 * callers {
		check(t, <-results)
	}
	s.holds(position{Account: 49000, Float: 10000 - callers*110, InFlight: 1000, Clearing: callers * 110})
}

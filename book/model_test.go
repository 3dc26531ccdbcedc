package book_test

import (
	"fmt"
	"testing"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/value/money"

	"pgregory.net/rapid"
)

// model is the book as one would write it on a blackboard: one command at a
// time, nothing clever, big maps. It shares no code with plan or with Verify.
type model struct {
	balance map[int]int64 // accounts 0..4; 0 and 1 may stand on either side
	holds   map[string]*modelHold
	once    map[string]string
	record  map[string]int
	deleted map[string]bool
	answers map[string]modelAnswer
}

type modelHold struct {
	account      int
	left, expiry int64
}

type modelAnswer struct {
	step step
	code book.Code
}

// step is a command of the model's little language.
type step struct {
	ID       string
	Kind     book.Kind
	From, To int
	Amount   int64
	Hold     string
	Final    bool
	At       int64
	Once     string
	Record   string
	Expect   int
	Delete   bool
}

func newModel() *model {
	return &model{map[int]int64{}, map[string]*modelHold{}, map[string]string{}, map[string]int{}, map[string]bool{}, map[string]modelAnswer{}}
}

func (m *model) held(account int) (sum int64) {
	for _, h := range m.holds {
		if h.account == account {
			sum += h.left
		}
	}
	return sum
}

func (m *model) apply(s step) book.Code {
	if a, ok := m.answers[s.ID]; ok {
		if a.step != s {
			return book.IDReused
		}
		return a.code
	}
	code := m.decide(s)
	switch code {
	case book.OK, book.Insufficient, book.HoldUnknown, book.HoldExceeded, book.HoldExpired:
		m.answers[s.ID] = modelAnswer{s, code}
	}
	return code
}

func (m *model) version(record string) int {
	if m.deleted[record] {
		return 0
	}
	return m.record[record]
}

func (m *model) decide(s step) book.Code {
	if _, taken := m.once[s.Once]; s.Once != "" && taken {
		return book.Exists
	}
	h := m.holds[s.Hold]
	if s.Kind >= book.Capture {
		switch {
		case h == nil:
			return book.HoldUnknown
		case s.Kind == book.Capture && h.expiry != 0 && s.At >= h.expiry:
			return book.HoldExpired
		case s.Kind == book.Capture && s.From != h.account:
			return book.Malformed
		case s.Kind == book.Capture && s.Amount > h.left:
			return book.HoldExceeded
		case s.Kind == book.Expire && (h.expiry == 0 || s.At < h.expiry):
			return book.HoldActive
		}
	}
	if s.Record != "" && m.version(s.Record) != s.Expect {
		return book.VersionConflict
	}
	if !m.money(s, h) {
		return book.Insufficient
	}
	if s.Once != "" {
		m.once[s.Once] = s.ID
	}
	if s.Record != "" {
		m.record[s.Record]++
		m.deleted[s.Record] = s.Delete
	}
	return book.OK
}

// money moves or reserves, and says whether there was enough.
func (m *model) money(s step, h *modelHold) bool {
	covered := s.From > 1
	switch s.Kind {
	case book.Transfer:
		if covered && s.From != s.To && m.balance[s.From]-s.Amount < m.held(s.From) {
			return false
		}
	case book.Hold:
		if covered && m.balance[s.From]-s.Amount < m.held(s.From) {
			return false
		}
		m.holds[s.ID] = &modelHold{s.From, s.Amount, s.At}
		return true
	case book.Capture:
		h.left -= s.Amount
	}
	if s.Kind != book.Transfer && (s.Kind != book.Capture || s.Final || h.left == 0) {
		delete(m.holds, s.Hold)
	}
	if s.Kind <= book.Capture {
		m.balance[s.From] -= s.Amount
		m.balance[s.To] += s.Amount
	}
	return true
}

const testCurrency money.Currency = 156

func testAccount(n int) book.Account {
	name := fmt.Sprint("account ", n)
	return book.Account{ID: book.AccountID(book.DeriveID(name).At(0)), Name: name, Normal: book.Credit, Currency: testCurrency, NeverNegative: n > 1}
}

// command translates a step for the book.
func (s step) command() book.Command {
	from, to := testAccount(s.From), testAccount(s.To)
	c := book.Command{ID: book.DeriveID(s.ID).At(0), Kind: s.Kind, Event: "model", Date: 20261122, Final: s.Final}
	amount := money.New(testCurrency, money.Minor(s.Amount))
	out := book.Leg{Account: from.ID, Side: book.Debit, Amount: amount}
	switch s.Kind {
	case book.Hold:
		c.Open, c.Legs, c.Expires = []book.Account{from}, []book.Leg{out}, s.At
	case book.Transfer, book.Capture:
		c.Open = []book.Account{from, to}
		c.Legs = []book.Leg{out, {Account: to.ID, Side: book.Credit, Amount: amount}}
	}
	if s.Kind >= book.Capture {
		c.Hold, c.At = book.DeriveID(s.Hold).At(0), s.At
	}
	if s.Once != "" {
		c.Once = []book.Once{{Space: "once", Key: []byte(s.Once), Value: []byte(s.ID)}}
	}
	if s.Record != "" {
		p := book.Put{Space: "record", Key: []byte(s.Record), Expect: uint64(s.Expect), Value: []byte(s.ID)}
		if s.Delete {
			p.Value = nil
		}
		c.Put = []book.Put{p}
	}
	return c
}

func drawStep(t *rapid.T) step {
	id := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"})
	s := step{
		ID:   id.Draw(t, "id"),
		Kind: rapid.SampledFrom([]book.Kind{book.Transfer, book.Transfer, book.Transfer, book.Hold, book.Capture, book.Release, book.Expire}).Draw(t, "kind"),
		At:   rapid.Int64Range(0, 3).Draw(t, "at"),
	}
	s.From = rapid.IntRange(0, 4).Draw(t, "from")
	s.Amount = rapid.Int64Range(1, 20).Draw(t, "amount")
	if s.Kind == book.Transfer || s.Kind == book.Capture {
		s.To = rapid.IntRange(0, 4).Draw(t, "to")
	}
	if s.Kind >= book.Capture {
		s.Hold = id.Draw(t, "hold")
		s.Final = s.Kind == book.Capture && rapid.Bool().Draw(t, "final")
	}
	if s.Kind == book.Transfer {
		s.At = 0
	}
	if s.Kind >= book.Release {
		s.From, s.Amount = 0, 0
	}
	s.Once = rapid.SampledFrom([]string{"", "", "", "x", "y"}).Draw(t, "once")
	s.Record = rapid.SampledFrom([]string{"", "", "r", "q"}).Draw(t, "record")
	if s.Record != "" {
		s.Expect = rapid.IntRange(0, 3).Draw(t, "expect")
		s.Delete = rapid.IntRange(0, 3).Draw(t, "delete") == 0
	}
	return s
}

// Goal: plan decides as the model does, however commands fall into batches, and
// Verify agrees with both. Method: random histories that collide on purpose.
func TestPlanDecidesAsTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx := t.Context()
		ledger, err := book.Open(ctx, &booktest.Memory{})
		if err != nil {
			t.Fatal(err)
		}
		defer ledger.Close()
		m := newModel()
		for range rapid.IntRange(1, 12).Draw(t, "batches") {
			steps := rapid.SliceOfN(rapid.Custom(drawStep), 1, 6).Draw(t, "steps")
			cmds := make([]book.Command, len(steps))
			for i, s := range steps {
				cmds[i] = s.command()
			}
			results, err := ledger.Apply(ctx, cmds)
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range steps {
				if want := m.apply(s); results[i].Code != want {
					t.Fatalf("%+v: %s, the model says %s", s, results[i].Code, want)
				}
				if prior := results[i].Prior; results[i].Code == book.Exists && string(prior) != m.once[s.Once] {
					t.Fatalf("%+v: prior %q, the model says %q", s, prior, m.once[s.Once])
				}
			}
		}
		m.compare(t, ledger)
	})
}

func (m *model) compare(t *rapid.T, ledger *book.Ledger) {
	report, err := ledger.Verify(t.Context())
	if err != nil || len(report.Findings) > 0 {
		t.Fatalf("%v %v", report.Findings, err)
	}
	for _, a := range report.Books.Accounts() {
		var n int
		if _, err := fmt.Sscanf(a.Name, "account %d", &n); err != nil {
			t.Fatal(err)
		}
		if int64(a.Balance) != m.balance[n] || int64(a.Held) != m.held(n) {
			t.Fatalf("%s: %d held %d, the model says %d and %d", a.Name, a.Balance, a.Held, m.balance[n], m.held(n))
		}
	}
	for record := range m.record {
		value, version, err := ledger.Get(t.Context(), "record", []byte(record))
		if err != nil || int(version) != m.version(record) || (value == nil) != (version == 0) {
			t.Fatalf("record %s: version %d, the model says %d (%v)", record, version, m.version(record), err)
		}
	}
}

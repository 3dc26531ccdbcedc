package book_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/book/booktest"

	"pgregory.net/rapid"
)

// Goal: plan decides as the model does, however commands fall into batches, and
// memory, tables, index and Verify agree with both, whenever the book is written
// behind, closed, or left for dead. Method: random histories that collide on
// purpose, in a cache too small for them.
func TestPlanDecidesAsTheModel(t *testing.T) { rapid.Check(t, playHistory) }

// FuzzPlan is the same, driven by what the fuzzer finds.
func FuzzPlan(f *testing.F) { f.Fuzz(rapid.MakeFuzz(playHistory)) }

// Goal: the size of the pieces shows nowhere. Method: the same calls to one ledger
// that plans batches whole and to one that plans them in pieces; answers and
// journals must be equal to the byte.
func TestPiecesShowNowhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		small := rapid.IntRange(1, 5).Draw(t, "piece")
		var engines [2]booktest.Memory
		var ledgers [2]*book.Ledger
		for i, piece := range []int{0, small} {
			var err error
			if ledgers[i], err = book.OpenWith(t.Context(), &engines[i], book.InPieces(book.Options{Accounts: 4, Behind: time.Hour}, piece)); err != nil {
				t.Fatal(err)
			}
		}
		m := newModel()
		for range rapid.IntRange(1, 4).Draw(t, "calls") {
			var steps []step
			var cmds []book.Command
			for range rapid.IntRange(1, 30).Draw(t, "commands") {
				s := drawStep(t, m)
				steps, cmds = append(steps, s), append(cmds, s.command())
			}
			m.call(steps)
			whole, err := ledgers[0].Apply(t.Context(), cmds)
			pieces, pieceErr := ledgers[1].Apply(t.Context(), cmds)
			if err != nil || pieceErr != nil || !reflect.DeepEqual(whole, pieces) {
				t.Fatalf("whole %+v %v, in pieces of %d %+v %v", whole, err, small, pieces, pieceErr)
			}
			if rapid.Bool().Draw(t, "behind") {
				if err := errors.Join(ledgers[0].WriteBehind(t.Context()), ledgers[1].WriteBehind(t.Context())); err != nil {
					t.Fatal(err)
				}
			}
		}
		if a, b := journal(t, &engines[0]), journal(t, &engines[1]); !reflect.DeepEqual(a, b) {
			t.Fatalf("whole %+v, in pieces of %d %+v", a, small, b)
		}
		if err := errors.Join(ledgers[0].Close(), ledgers[1].Close()); err != nil {
			t.Fatal(err)
		}
	})
}

// journal lists the rows of an engine.
func journal(t *rapid.T, e book.Engine) (rows []book.Row) {
	view, err := e.View(t.Context())
	if err == nil {
		err = view.Journal(t.Context(), 0, func(r book.Row) error { rows = append(rows, r); return nil })
		err = errors.Join(err, view.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// theatre is a ledger under test and the model beside it.
type theatre struct {
	*rapid.T
	engine  *booktest.Memory
	options book.Options
	ledger  *book.Ledger
	model   *model
}

func playHistory(t *rapid.T) {
	p := &theatre{T: t, engine: &booktest.Memory{}, model: newModel(), options: book.Options{
		Accounts: rapid.SampledFrom([]int{0, 1, 4}).Draw(t, "cache"), Behind: time.Hour,
	}}
	p.pieces()
	p.open()
	for range rapid.IntRange(1, 12).Draw(t, "calls") {
		p.call()
		switch rapid.SampledFrom([]string{"", "", "", "behind", "reopen", "crash"}).Draw(t, "then") {
		case "behind":
			p.must(p.ledger.WriteBehind(t.Context()))
		case "reopen":
			p.must(p.ledger.Close())
			p.pieces()
			p.open()
		case "crash":
			p.pieces()
			p.open() // the old one keeps still: it waits an hour to write behind
		}
	}
	p.compare()
	p.must(p.ledger.Close())
}

func (p *theatre) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *theatre) open() {
	p.Helper()
	var err error
	p.ledger, err = book.OpenWith(p.Context(), p.engine, p.options)
	p.must(err)
}

// pieces draws in what pieces batches are planned: the whole batch, or a few
// commands.
func (p *theatre) pieces() {
	p.options = book.InPieces(p.options, rapid.SampledFrom([]int{0, 1, 2, 3}).Draw(p.T, "piece"))
}

// call sends one call and compares every answer.
func (p *theatre) call() {
	p.Helper()
	var steps []step
	var cmds []book.Command
	for range rapid.IntRange(1, 6).Draw(p.T, "commands") {
		s := drawStep(p.T, p.model)
		steps, cmds = append(steps, s), append(cmds, s.command())
	}
	results, err := p.ledger.Apply(p.Context(), cmds)
	p.must(err)
	spoil(cmds)
	for i, want := range p.model.call(steps) {
		if results[i].Code != want {
			p.Fatalf("command %d, %+v: %s, the model says %s", i, steps[i], results[i].Code, want)
		}
		if prior := results[i].Prior; want == book.Exists && string(prior) != p.model.once[steps[i].Once] {
			p.Fatalf("%+v: prior %q, the model says %q", steps[i], prior, p.model.once[steps[i].Once])
		}
	}
}

// spoil changes all that commands consist of: once they are answered they are the
// caller's again.
func spoil(cmds []book.Command) {
	for _, c := range cmds {
		clear(c.Legs)
		clear(c.Open)
		clear(c.Limit)
		clear(c.Close)
		for i := range c.Once {
			clear(c.Once[i].Key)
			clear(c.Once[i].Value)
		}
		for i := range c.Put {
			clear(c.Put[i].Key)
			clear(c.Put[i].Value)
		}
	}
	clear(cmds)
}

// compare looks at the whole book: the ledger, a reader beside it, and Verify.
func (p *theatre) compare() {
	p.Helper()
	reader, err := book.OpenReader(p.Context(), 0, p.engine)
	p.must(err)
	p.must(errors.Join(booktest.CheckHistory(p.Context(), p.ledger), booktest.CheckHistory(p.Context(), reader), reader.Close()))
	report, err := p.ledger.Verify(p.Context())
	if err != nil || len(report.Findings) > 0 {
		p.Fatalf("%v %v", report.Findings, err)
	}
	m := p.model
	for _, a := range report.Books.Accounts() {
		var n int
		if _, err := fmt.Sscanf(a.Name, "account %d", &n); err != nil {
			p.Fatal(err)
		}
		if int64(a.Balance) != m.balance[n] || int64(a.Held) != m.held(n) || int64(a.AccountState.Line) != m.line[n] || a.Closed != m.closed[n] {
			p.Fatalf("%s: %+v, the model says %d, %d held, line %d, closed %v", a.Name, a.AccountState, m.balance[n], m.held(n), m.line[n], m.closed[n])
		}
	}
	for record := range m.record {
		value, version, err := p.ledger.Get(p.Context(), "record", []byte(record))
		if err != nil || int(version) != m.version(record) || (value == nil) != (version == 0) {
			p.Fatalf("record %s: version %d, the model says %d (%v)", record, version, m.version(record), err)
		}
	}
	p.askAgain()
}

// askAgain sends every answered command once more.
func (p *theatre) askAgain() {
	p.Helper()
	for _, id := range slices.Sorted(maps.Keys(p.model.answers)) {
		a := p.model.answers[id]
		cmd := a.step.command()
		results, err := p.ledger.Apply(p.Context(), []book.Command{cmd})
		p.must(err)
		if r := results[0]; r.Code != a.code || !r.Replayed {
			p.Fatalf("%+v asked again: %+v, first %s", a.step, r, a.code)
		}
	}
}

package auditor_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/book/chart"
	"jiaozi/role/auditor"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"

	"pgregory.net/rapid"
)

const (
	issuer ident.Inst     = "62100001"
	shop   ident.Inst     = "62200001"
	cny    money.Currency = 156
	hkd    money.Currency = 344
)

var (
	pair       = chart.Pair{Issuer: issuer, Acquirer: shop}
	background = context.Background()
)

func yuan(m money.Minor) money.Amount { return money.New(cny, m) }

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// world is a scheme reduced to what an auditor sees: a book, cards, tills.
type world struct {
	failer
	ledger   *book.Ledger
	evidence auditor.Evidence
	n        int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{failer: t, ledger: openBook(t)}
	t.Cleanup(func() { _ = w.ledger.Close() })
	return w
}

func openBook(t failer) *book.Ledger {
	t.Helper()
	ledger, err := book.Open(background, &booktest.Memory{})
	if err != nil {
		t.Fatal(err)
	}
	return ledger
}

// post books a posting, with the once-keys of the event.
func (w *world) post(p book.Posting, once ...book.Once) {
	w.Helper()
	w.n++
	cmd := p.Command(book.DeriveID(w.n), 20261122)
	cmd.Once = once
	r, err := w.ledger.Apply(background, []book.Command{cmd})
	if err != nil || r[0].Code != book.OK {
		w.Fatalf("%s: %v %v", p.Event, r, err)
	}
}

func tap(ref ident.CardRef, atc uint16) book.Once {
	return book.Once{Space: auditor.SpaceTap, Key: binary.BigEndian.AppendUint16(ref[:], atc), Value: []byte("claim")}
}

func cloneTap(ref ident.CardRef, atc uint16) book.Once {
	o := tap(ref, atc)
	return book.Once{Space: "iss/clone", Key: append(o.Key, "another cryptogram"...)}
}

// spend books an accepted payment.
func (w *world) spend(c *testCard, atc uint16, amount money.Minor) {
	w.Helper()
	w.post(chart.Spend(pair, c.ref, yuan(amount)), tap(c.ref, atc))
}

func (w *world) suspend(c *testCard, once book.Once, amount money.Minor) {
	w.Helper()
	w.post(chart.SpendSuspense(pair, yuan(amount)), once)
}

// uncleared puts a payment into somebody's hands.
func (w *world) uncleared(c *testCard, atc uint16, amount money.Minor, flag purse.Flag) {
	pan, err := ident.ParsePAN(ident.WithLuhn("621234567890123"))
	if err != nil {
		w.Fatal(err)
	}
	w.evidence.Payments = append(w.evidence.Payments, auditor.Payment{Ref: c.ref, Where: "terminal T0000001", Record: purse.Record{
		PAN: pan, Amount: yuan(amount), Other: yuan(0), When: time.Date(2026, 11, 22, 10, 0, 0, 0, clock.Zone),
		TID: "T0000001", MID: "M00000000000001", ATC: atc, Entry: purse.Contactless, Flag: flag, Country: 156,
		AC: [8]byte{1, byte(atc)}, CID: emv.CID(emv.TC), TxnType: emv.TxnPurchase,
		IAD: emv.IAD{DKI: 1, CVN: emv.CVN17, Alg: emv.Alg3DES, IDD: emv.IDDBalance}.Append(nil),
	}})
}

// audit looks at the world as it is.
func (w *world) audit(cards ...*testCard) auditor.Report {
	w.Helper()
	e := w.evidence
	e.Currency, e.Journal = cny, w.ledger
	var err error
	if e.Book, err = w.ledger.Verify(background); err != nil {
		w.Fatal(err)
	}
	for _, c := range cards {
		e.Cards = append(e.Cards, c.evidence())
	}
	report, err := auditor.Audit(background, e)
	if err != nil {
		w.Fatal(err)
	}
	if report.Conserved != (len(report.Findings) == 0) {
		w.Fatal("conserved and findings contradict each other")
	}
	return report
}

func (w *world) conserved(cards ...*testCard) auditor.Report {
	w.Helper()
	report := w.audit(cards...)
	if !report.Conserved {
		w.Fatalf("not conserved: %v", report.Findings)
	}
	return report
}

// off wants exactly one finding, of this code.
func (w *world) off(want auditor.Code, cards ...*testCard) {
	w.Helper()
	report := w.audit(cards...)
	if len(report.Findings) != 1 || report.Findings[0].Code != want {
		w.Fatalf("findings %v, want one %s", report.Findings, want)
	}
	for _, l := range []lang.Lang{lang.EN, lang.ZH} {
		if report.Findings[0].Text.In(l) == "" {
			w.Fatalf("%s has no words", want)
		}
	}
}

func noted(r auditor.Report, code auditor.Code) bool {
	return slices.ContainsFunc(r.Notes, func(f auditor.Finding) bool { return f.Code == code })
}

// testCard is a card that keeps a log of ten payments.
type testCard struct {
	ref     ident.CardRef
	atc     uint16
	balance money.Minor
	log     []auditor.Debit
}

func (c *testCard) pay(amount money.Minor) (atc uint16) {
	c.atc++
	c.balance -= amount
	c.log = append(c.log, auditor.Debit{ATC: c.atc, Amount: yuan(amount)})
	return c.atc
}

func (c *testCard) evidence() auditor.Card {
	recent := c.log[max(0, len(c.log)-10):]
	return auditor.Card{Ref: c.ref, ATC: c.atc, Balance: yuan(c.balance), Log: recent, LogComplete: len(c.log) < 10}
}

// issue hands out a card with money on it.
func (w *world) issue(n byte, balance money.Minor) *testCard {
	w.Helper()
	c := &testCard{ref: ident.CardRef{n}, balance: balance}
	if balance > 0 {
		w.post(chart.InitialBalance(issuer, c.ref, yuan(balance)))
	}
	return c
}

func TestPaymentsOnTheirWayAreConserved(t *testing.T) {
	w := newWorld(t)
	c := w.issue(1, 10000)
	w.spend(c, c.pay(300), 300)
	w.uncleared(c, c.pay(200), 200, purse.None)
	w.uncleared(c, 1, 300, purse.None) // still at the till, though the book has it
	w.uncleared(c, 2, 200, purse.None) // the same at the acquirer
	report := w.conserved(c)
	if report.Float != yuan(9700) || report.Entries != 2 {
		t.Fatalf("%+v", report)
	}
	total := report.Totals[0]
	if total.OnCards != yuan(9500) || total.Uncleared != yuan(200) || !total.Unseen.IsZero() {
		t.Fatalf("%+v", total)
	}
}

func TestMoneyFromNowhereIsFound(t *testing.T) {
	w := newWorld(t)
	c := w.issue(1, 10000)
	c.balance++
	w.off(auditor.CodeCard, c)
	c.balance -= 2
	w.off(auditor.CodeCard, c)
	stranger := &testCard{ref: ident.CardRef{9}, balance: 5}
	c.balance++
	w.off(auditor.CodeStranger, c, stranger)
	stranger.balance = 0
	w.conserved(c, stranger)
}

// A till's word is not enough: the card's log decides what the card paid.
func TestTornPaymentCountsOnlyIfTheCardMadeIt(t *testing.T) {
	w := newWorld(t)
	c := w.issue(1, 10000)
	c.atc++ // the tap was torn before the card committed
	w.uncleared(c, 1, 700, purse.Torn)
	if report := w.conserved(c); !report.Totals[0].Uncleared.IsZero() {
		t.Fatalf("%+v", report.Totals)
	}
	w.uncleared(c, c.pay(400), 400, purse.Torn) // this one after it
	if report := w.conserved(c); report.Totals[0].Uncleared != yuan(400) {
		t.Fatalf("%+v", report.Totals)
	}
	w.uncleared(c, 50, 900, purse.None) // a counter that the card never reached
	if report := w.conserved(c); !noted(report, auditor.CodeNotMade) {
		t.Fatal("a payment that the card did not make went unnoted")
	}
}

// A debit that no evidence mentions is at a till that is not at hand.
func TestDebitsKnownToTheCardAloneAreElsewhere(t *testing.T) {
	w := newWorld(t)
	c := w.issue(1, 10000)
	c.pay(400)
	if report := w.conserved(c); !noted(report, auditor.CodeElsewhere) || report.Totals[0].Uncleared != yuan(400) {
		t.Fatalf("%+v", report)
	}
}

// A full log no longer shows old payments; then the sums decide.
func TestUndecidedPaymentBeyondTheLog(t *testing.T) {
	for _, committed := range []bool{true, false} {
		w := newWorld(t)
		c := w.issue(1, 10000)
		if committed {
			c.pay(777)
		} else {
			c.atc++
		}
		w.uncleared(c, 1, 777, purse.Torn)
		w.uncleared(c, 1, 555, purse.ODAFailed)
		for range 10 {
			w.spend(c, c.pay(10), 10)
		}
		report := w.conserved(c)
		if noted(report, auditor.CodeUndecided) != committed {
			t.Fatalf("committed %v: %+v", committed, report.Notes)
		}
		c.balance -= 1
		w.off(auditor.CodeCard, c)
	}
}

func TestLoadsInFlightAreConservedOnEitherSide(t *testing.T) {
	w := newWorld(t)
	c := w.issue(1, 1000)
	w.post(chart.LoadCash(pair, c.ref, yuan(5000)))
	if report := w.conserved(c); report.Totals[0].OnTheWay != yuan(5000) || !noted(report, auditor.CodeOnTheWay) {
		t.Fatalf("%+v", report.Totals)
	}
	c.balance += 5000 // it arrived, and the issuer does not know
	if report := w.conserved(c); !report.Totals[0].OnTheWay.IsZero() {
		t.Fatalf("%+v", report.Totals)
	}
	c.balance += 5000 // it arrived twice
	w.off(auditor.CodeCard, c)
	c.balance -= 5000
	w.post(chart.LoadDone(issuer, c.ref, yuan(5000)))
	w.conserved(c)
}

func TestClosureOnItsWay(t *testing.T) {
	w := newWorld(t)
	c := w.issue(1, 1000)
	c.balance = 0
	w.off(auditor.CodeCard, c)
	closing := c.evidence()
	closing.Closing = yuan(1000)
	w.evidence.Cards = []auditor.Card{closing}
	if report := w.conserved(); !noted(report, auditor.CodeClosing) || report.Totals[0].OnTheWay != yuan(1000) {
		t.Fatalf("%+v", report)
	}
}

func TestUnseenCardsAreListed(t *testing.T) {
	w := newWorld(t)
	c := w.issue(1, 1000)
	w.issue(2, 2000)
	report := w.conserved(c)
	if !noted(report, auditor.CodeUnseen) || report.Totals[0].Unseen != yuan(2000) || report.Float != yuan(3000) {
		t.Fatalf("%+v", report)
	}
}

// A clone's second payment is in suspense. Whichever of the two came first, the
// difference is explained counter by counter, and not a fen more.
func TestCloneIsExplainedByTheJournal(t *testing.T) {
	for _, cloneFirst := range []bool{false, true} {
		w := newWorld(t)
		c := w.issue(1, 10000)
		atc := c.pay(300)
		if cloneFirst {
			w.spend(c, atc, 450)
			w.suspend(c, cloneTap(c.ref, atc), 300)
		} else {
			w.spend(c, atc, 300)
			w.suspend(c, cloneTap(c.ref, atc), 450)
		}
		w.spend(c, c.pay(20), 20)
		report := w.conserved(c)
		if noted(report, auditor.CodeClone) != cloneFirst {
			t.Fatalf("clone first %v: %+v", cloneFirst, report.Notes)
		}
		c.balance--
		w.off(auditor.CodeCard, c)
	}
}

// The copy may run ahead of the card: those counters the card never reached.
func TestCloneThatRanAheadIsExplained(t *testing.T) {
	w := newWorld(t)
	c := w.issue(1, 10000)
	atc := c.pay(300)
	w.spend(c, atc, 300)
	w.suspend(c, cloneTap(c.ref, atc), 450)
	w.spend(c, atc+1, 100) // the copy's next payment
	if report := w.conserved(c); !noted(report, auditor.CodeClone) {
		t.Fatalf("%+v", report.Notes)
	}
}

// A copy drains the float on a counter that the card never paid with; the card's
// own payment then finds too little and goes to suspense under its own counter.
func TestOverspendIsExplained(t *testing.T) {
	w := newWorld(t)
	c := w.issue(1, 1000)
	c.atc++ // a declined tap
	w.spend(c, c.atc, 900)
	w.suspend(c, tap(c.ref, c.pay(800)), 800)
	if report := w.conserved(c); !noted(report, auditor.CodeClone) {
		t.Fatalf("%+v", report.Notes)
	}
	c.balance++
	w.off(auditor.CodeCard, c)
}

// Without a payment in suspense a wrong posting is a wrong posting: an issuer
// cannot book what it likes and call it a clone.
func TestWrongPostingIsNotExcused(t *testing.T) {
	w := newWorld(t)
	c := w.issue(1, 10000)
	w.spend(c, c.pay(300), 350)
	w.off(auditor.CodeCard, c)
	w.suspend(c, cloneTap(c.ref, 1), 999) // and an unrelated suspense does not help
	w.off(auditor.CodeCard, c)
}

// Of two files of one card, one must agree; the other is noted.
func TestSecondFileOfACardIsNoted(t *testing.T) {
	w := newWorld(t)
	c := w.issue(1, 10000)
	copied := *c
	w.spend(c, c.pay(300), 300)
	if report := w.conserved(c, &copied); !noted(report, auditor.CodeTwin) || report.Totals[0].OnCards != yuan(9700) {
		t.Fatalf("%+v", report)
	}
	if report := w.conserved(&copied, c); !noted(report, auditor.CodeTwin) || report.Totals[0].OnCards != yuan(9700) {
		t.Fatalf("%+v", report)
	}
}

func TestControlAccountsStayInRange(t *testing.T) {
	w := newWorld(t)
	c := w.issue(1, 10000)
	p, err := chart.CloneBorne(chart.Clone{Pair: pair, Bearer: chart.IssuerBears, Amount: yuan(1)})
	if err != nil {
		t.Fatal(err)
	}
	w.post(p) // out of an empty suspense account
	w.off(auditor.CodeControl, c)
}

func TestForeignAccountsAreFound(t *testing.T) {
	w := newWorld(t)
	a := book.Account{ID: book.AccountID{1}, Name: "nobody's", Normal: book.Debit, Currency: cny}
	w.post(book.Posting{Event: "x", Open: []book.Account{a}})
	w.off(auditor.CodeControl)
}

// What book.Verify found is an audit's finding too, first of all.
func TestBookFindingsComeFirst(t *testing.T) {
	report, err := auditor.Audit(background, auditor.Evidence{Currency: cny, Book: book.Report{
		Findings: []book.Finding{{Code: "hash", Where: "batch 7", What: "changed"}}}})
	if err != nil || report.Conserved || report.Findings[0].Where != "batch 7" || report.Findings[0].Code != "hash" {
		t.Fatalf("%+v %v", report, err)
	}
	if zh := report.Findings[0].Text.In(lang.ZH); zh != "批次写入后被改动：changed" {
		t.Fatal(zh)
	}
}

func TestInvalidRecordsAreFound(t *testing.T) {
	w := newWorld(t)
	c := w.issue(1, 10000)
	w.uncleared(c, 1, 5, purse.None)
	w.evidence.Payments[0].Record.IAD = nil
	w.off(auditor.CodeRecord, c)
}

// A card's money in another currency is an account of its own.
func TestCurrenciesAreApart(t *testing.T) {
	w := newWorld(t)
	c := w.issue(1, 10000)
	w.post(chart.InitialBalance(issuer, c.ref, money.New(hkd, 70)))
	report := w.conserved(c)
	if len(report.Totals) != 2 || report.Totals[1].Unseen != money.New(hkd, 70) || report.Float != yuan(10000) {
		t.Fatalf("%+v", report.Totals)
	}
}

// Goal: any honest day is conserved, and the same day with one fen more or less
// on one card is not. Method: random payments that stop at random stages.
func TestHonestDaysAreConservedAndOneFenIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{failer: t, ledger: openBook(t)}
		defer w.ledger.Close()
		var cards []*testCard
		for n := range rapid.IntRange(1, 3).Draw(t, "cards") {
			cards = append(cards, w.issue(byte(n+1), 100_000))
		}
		for i := range rapid.IntRange(0, 30).Draw(t, "events") {
			w.event(t, i, cards[rapid.IntRange(0, len(cards)-1).Draw(t, "card")])
		}
		w.conserved(cards...)
		c := cards[rapid.IntRange(0, len(cards)-1).Draw(t, "spoiled")]
		fen := rapid.SampledFrom([]money.Minor{-1, 1}).Draw(t, "fen")
		c.balance += fen
		if report := w.audit(cards...); report.Conserved {
			t.Fatalf("%d fen went unseen", fen)
		}
	})
}

// event is one thing that may happen to a card. Amounts are multiples of ten, so
// that no coincidence of sums hides the fen.
func (w *world) event(t *rapid.T, i int, c *testCard) {
	amount := money.Minor(10 * rapid.Int64Range(1, 100).Draw(t, "amount"))
	switch rapid.IntRange(0, 5).Draw(t, "event") {
	case 0:
		w.spend(c, c.pay(amount), amount)
	case 1:
		w.uncleared(c, c.pay(amount), amount, purse.None)
	case 2: // torn before the card committed
		c.atc++
		w.uncleared(c, c.atc, amount, purse.Torn)
	case 3: // torn after it
		w.uncleared(c, c.pay(amount), amount, purse.Torn)
	case 4: // torn, and refunded since
		w.post(chart.TornRefund(issuer, c.ref, fmt.Sprint(i), yuan(amount)), tap(c.ref, c.pay(amount)))
	case 5:
		w.post(chart.LoadAccountUndone(issuer, "x", c.ref, yuan(0)))
		w.post(chart.LoadCash(pair, c.ref, yuan(amount)))
		w.post(chart.LoadDone(issuer, c.ref, yuan(amount)))
		c.balance += amount
	}
}

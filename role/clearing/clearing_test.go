package clearing

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/book/sqlite"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/wire/clearing"
)

// Goal: details are routed to the issuer that they name, numbered and signed,
// and the same presentment is routed the same way again.
func TestDetailsReachTheirIssuer(t *testing.T) {
	s := newScheme(t)
	file := s.presentment(shopsA, today, s.payment(bankA, midA, 100), s.payment(bankB, midA, 200), s.payment(bankA, midB, 300))
	first, err := s.clearing.Accept(t.Context(), file)
	check(t, err)
	s.open()
	second, err := s.clearing.Accept(t.Context(), file)
	check(t, err)
	if len(first) != 2 || first[0].To != bankA || first[1].To != bankB {
		t.Fatalf("routed to %d issuers", len(first))
	}
	for n := range first {
		if first[n].To != second[n].To || !bytes.Equal(first[n].File, second[n].File) {
			t.Error("routed otherwise the second time")
		}
	}
	f := s.read(first[0].File)
	if f.Trailer.Count != 2 || f.Trailer.Sum != yuan(400) || f.Details[1].Sequence != 3 {
		t.Errorf("bank A got %+v", f.Trailer)
	}
}

// Goal: files in the wrong hands, form, order or of the wrong parties are
// refused, and the text says why.
func TestPresentmentsThatAreRefused(t *testing.T) {
	s := newScheme(t)
	good := s.presentmentNo(shopsA, today, 1, s.payment(bankA, midA, 100))
	foreign := s.payment(bankA, midA, 100)
	foreign.Issuer = "62100009"
	forged := &clearing.File{Header: clearing.Header{Kind: clearing.Presentment, From: shopsA, To: netInst, Date: today, Sequence: 1, Currency: money.CNY}}
	asOther, err := clearing.Append(nil, forged, func(msg []byte) ([]byte, error) { return signer{keyOf(shopsB)}.Sign("", "", msg) })
	check(t, err)
	bent := bytes.Clone(good)
	bent[60] ^= 1
	for _, tc := range []struct {
		why  string
		file []byte
		want error
	}{
		{"altered", bent, ErrFile},
		{"cut short", good[:len(good)-1], ErrFile},
		{"signed by another acquirer", asOther, ErrFile},
		{"of an issuer", s.presentmentNo(bankA, today, 1, s.payment(bankA, midA, 100)), ErrFile},
		{"for an unknown issuer", s.presentmentNo(shopsA, today, 1, foreign), ErrFile},
		{"a file is missing before it", s.presentmentNo(shopsA, today, 2, s.payment(bankA, midA, 100)), ErrGap},
	} {
		if _, err := s.clearing.Accept(t.Context(), tc.file); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", tc.why, err)
		}
	}
	_, err = s.clearing.Accept(t.Context(), good)
	check(t, err)
	other := s.presentmentNo(shopsA, today, 1, s.payment(bankA, midA, 999))
	if _, err := s.clearing.Accept(t.Context(), other); !errors.Is(err, ErrDiffers) {
		t.Errorf("other content under a used name: %v", err)
	}
	stranger := s.signed(&clearing.File{Header: clearing.Header{Kind: clearing.Presentment, From: "48010009", To: netInst, Date: today, Sequence: 1, Currency: money.CNY}})
	if _, err := s.clearing.Accept(t.Context(), stranger); !errors.Is(err, ErrFile) {
		t.Errorf("a stranger's file: %v", err)
	}
}

// Goal: an outcome counts once, and only if it is the named issuer's verdict on
// the very details that it was sent.
func TestOutcomesThatAreRefused(t *testing.T) {
	s := newScheme(t)
	routed, err := s.clearing.Accept(t.Context(), s.presentment(shopsA, today, s.payment(bankA, midA, 100), s.payment(bankB, midA, 200)))
	check(t, err)
	good := s.judge(routed[0].File)
	f := s.read(good)
	f.Details[0].Gross = yuan(99)
	if err := s.clearing.Outcome(t.Context(), s.signed(f)); !errors.Is(err, ErrFile) {
		t.Errorf("a changed amount: %v", err)
	}
	f = s.read(good)
	f.Header.From = bankB
	if err := s.clearing.Outcome(t.Context(), s.signed(f)); !errors.Is(err, ErrFile) {
		t.Errorf("another issuer's word: %v", err)
	}
	f = s.read(good)
	f.Header.Sequence = 9
	if err := s.clearing.Outcome(t.Context(), s.signed(f)); !errors.Is(err, ErrFile) {
		t.Errorf("an answer to nothing: %v", err)
	}
	for range 2 {
		check(t, s.clearing.Outcome(t.Context(), good))
	}
	f = s.read(good)
	f.Details[0].Verdict = clearing.Rejected
	if err := s.clearing.Outcome(t.Context(), s.signed(f)); !errors.Is(err, ErrDiffers) {
		t.Errorf("a second opinion: %v", err)
	}
}

// Goal: fees are integer, half up, item by item, with their caps.
func TestFeesOfOnePayment(t *testing.T) {
	tariffs := DebitTariffs()
	tariffs.Merchants = map[ident.MID]Tariff{midB: {Rate: 10000}}
	for _, tc := range []struct {
		gross, interchange, network, merchant money.Minor
		mid                                   ident.MID
		why                                   string
	}{
		{1, 0, 0, 0, midA, "a fen costs nothing"},
		{143, 1, 0, 1, midA, "0.5005 rounds up"},
		{142, 0, 0, 1, midA, "0.497 rounds down, 0.71 up"},
		{1538, 5, 0, 8, midA, "0.49985 rounds down"},
		{1539, 5, 1, 8, midA, "0.500175 rounds up"},
		{371428, 1300, 121, 1857, midA, "just at the cap of 13.00"},
		{100_000_000, 1300, 325, 2000, midA, "all caps"},
		{100_000_000, 1300, 325, 1_000_000, midB, "a merchant's own rate, without a cap"},
	} {
		f, err := tariffs.fees(tc.mid, yuan(tc.gross))
		check(t, err)
		got := [4]money.Minor{f.Interchange.Minor(), f.NetworkIssuer.Minor(), f.NetworkAcquirer.Minor(), f.Merchant.Minor()}
		if want := [4]money.Minor{tc.interchange, tc.network, tc.network, tc.merchant}; got != want {
			t.Errorf("%s: %v, want %v", tc.why, got, want)
		}
	}
}

// Goal: a day with payments, clones, refusals and cash loads ends with every
// Clearing account at zero, reserves moved by a net of zero, merchants paid, and
// is the same when settled again.
func TestTheDayAddsUp(t *testing.T) {
	engine, err := sqlite.Open(filepath.Join(t.TempDir(), "book"))
	check(t, err)
	s := newSchemeOn(t, engine)
	s.run(s.presentment(shopsA, today, s.payment(bankA, midA, 100000), s.payment(bankB, midA, 50000), s.payment(bankA, midB, 30092), s.payment(bankA, midA, 20093), s.payment(bankA, midA, 10094)))
	s.run(s.presentment(shopsB, today, s.payment(bankB, midB, 70000), s.payment(bankB, midB, 40091)))
	s.cashLoad(bankA, shopsA, midA, 20000, false)
	s.cashLoad(bankA, shopsA, midA, 5000, false)
	s.cashLoad(bankA, shopsA, midA, 5000, true)

	report, files, err := s.clearing.Settle(t.Context(), today)
	check(t, err)
	for _, pair := range s.clearing.pairs() {
		if b := s.balance(chart.Clearing(pair, money.CNY)); b != 0 {
			t.Errorf("issuer %s still owes %s %d", pair.Issuer, pair.Acquirer, b)
		}
	}
	sum := money.Minor(0)
	for _, p := range report.Positions {
		moved := s.balance(chart.Reserve(p.Inst, money.CNY))
		if moved != p.Net.Minor() {
			t.Errorf("%s: the reserve moved by %d, the report says %s", p.Inst, moved, p.Net)
		}
		sum += moved
	}
	if sum != 0 {
		t.Errorf("reserves moved by %d in all", sum)
	}
	// 1000.00 - 5.00 + 500.00 - 2.50 (caps not reached); the clone is paid back by the acquirer.
	if got := s.balance(chart.Merchant(shopsA, midA, money.CNY)); got != 150000-750 {
		t.Errorf("merchant A is owed %d", got)
	}
	if got := s.balance(chart.Till(shopsA, midA, money.CNY)); got != 20000 {
		t.Errorf("merchant A's till owes %d", got)
	}
	if got := s.balance(chart.Loss(shopsA, money.CNY)); got != 30092 {
		t.Errorf("the acquirer bears %d", got)
	}
	if want := (Count{Accepted: 3, Duplicate: 1, Clone: 1, Rejected: 1, Pending: 1, Cash: 2, CashUndone: 1}); report.Count != want {
		t.Errorf("counted %+v", report.Count)
	}
	s.checkFiles(files)
	head, err := s.ledger.Head(t.Context())
	check(t, err)
	again, same, err := s.clearing.Settle(t.Context(), today)
	check(t, err)
	if after, _ := s.ledger.Head(t.Context()); after.Seq > head.Seq+1 || again.Text(lang.EN) != report.Text(lang.EN) {
		t.Error("settling again did something else")
	}
	for n := range files {
		if !bytes.Equal(files[n].File, same[n].File) {
			t.Error("settling again wrote another file")
		}
	}
	verified, err := s.ledger.Verify(t.Context())
	check(t, err)
	if len(verified.Findings) != 0 {
		t.Errorf("findings: %v", verified.Findings)
	}
}

// checkFiles: each institution gets its own lines, with fees on what was paid
// and none on the rest.
func (s *scheme) checkFiles(files []Dispatch) {
	s.t.Helper()
	lines := make(map[ident.Inst]int)
	for _, d := range files {
		f := s.read(d.File)
		lines[d.To] = len(f.Details)
		for _, it := range f.Details {
			if it.Issuer != d.To && it.Acquirer != d.To {
				s.t.Errorf("%s got a line of others", d.To)
			}
			paid := it.Verdict == clearing.Accepted || it.Verdict == clearing.Clone
			if it.Gross.Minor() >= 30000 && paid && it.Fees.Merchant.IsZero() || !paid && !it.Fees.Merchant.IsZero() {
				s.t.Errorf("line %d of %s: %s with a fee of %s", it.Sequence, d.To, it.Verdict, it.Fees.Merchant)
			}
		}
	}
	if lines[bankA] != 7 || lines[bankB] != 3 || lines[shopsA] != 8 || lines[shopsB] != 2 {
		s.t.Errorf("lines %v", lines)
	}
}

// Goal: each rule about clones puts the loss where it says, and the net stays zero.
func TestWhoBearsAClone(t *testing.T) {
	for _, bearer := range []chart.Bearer{chart.IssuerBears, chart.AcquirerBears, chart.MerchantBears} {
		s := newScheme(t)
		s.cfg.Bearer = bearer
		s.open()
		s.run(s.presentment(shopsA, today, s.payment(bankA, midA, 10092)))
		_, _, err := s.clearing.Settle(t.Context(), today)
		check(t, err)
		got := [3]money.Minor{s.balance(chart.Loss(bankA, money.CNY)), s.balance(chart.Loss(shopsA, money.CNY)), s.balance(chart.Merchant(shopsA, midA, money.CNY))}
		want := map[chart.Bearer][3]money.Minor{
			chart.IssuerBears: {10092, 0, 10042}, chart.AcquirerBears: {0, 10092, 10042}, chart.MerchantBears: {0, 0, -50}}[bearer]
		if got != want {
			t.Errorf("bearer %d: %v, want %v", bearer, got, want)
		}
		if left := s.balance(chart.Suspense(bankA, money.CNY)); left != 0 {
			t.Errorf("bearer %d: %d left in suspense", bearer, left)
		}
	}
}

// Goal: what comes after a day was settled belongs to the next one, whatever
// date it bears; the closed day stays as it was.
func TestLateFilesBelongToTheNextDay(t *testing.T) {
	s := newScheme(t)
	s.run(s.presentment(shopsA, today, s.payment(bankA, midA, 10000)))
	late, err := s.clearing.Accept(t.Context(), s.presentment(shopsA, today, s.payment(bankA, midA, 20000)))
	check(t, err)
	outcome := s.judge(late[0].File) // posted by the issuer, and on its way here
	first, _, err := s.clearing.Settle(t.Context(), today)
	check(t, err)
	if first.Count.Accepted != 1 {
		t.Errorf("the first day counts %+v", first.Count)
	}
	check(t, s.clearing.Outcome(t.Context(), outcome))
	s.run(s.presentment(shopsA, today, s.payment(bankA, midA, 30000)))
	again, _, err := s.clearing.Settle(t.Context(), today)
	check(t, err)
	if again.Text(lang.EN) != first.Text(lang.EN) {
		t.Error("the closed day changed")
	}
	second, _, err := s.clearing.Settle(t.Context(), today.AddDays(1))
	check(t, err)
	if second.Count.Accepted != 2 {
		t.Errorf("the second day counts %+v", second.Count)
	}
	if b := s.balance(chart.Clearing(chart.Pair{Issuer: bankA, Acquirer: shopsA}, money.CNY)); b != 0 {
		t.Errorf("%d is left", b)
	}
}

// Goal: days that were skipped are settled with the next settled day, and then
// are over.
func TestSkippedDays(t *testing.T) {
	s := newScheme(t)
	s.run(s.presentment(shopsA, today, s.payment(bankA, midA, 10000)))
	report, _, err := s.clearing.Settle(t.Context(), today.AddDays(2))
	check(t, err)
	if report.Count.Accepted != 1 {
		t.Errorf("counted %+v", report.Count)
	}
	for _, d := range []clock.Date{today, today.AddDays(1)} {
		if _, _, err := s.clearing.Settle(t.Context(), d); !errors.Is(err, ErrDay) {
			t.Errorf("%s: %v", d, err)
		}
	}
	if _, _, err := s.clearing.Settle(t.Context(), 20261350); !errors.Is(err, ErrDay) {
		t.Errorf("a day that does not exist: %v", err)
	}
}

// Goal: if the issuers' postings and the files disagree by a fen, nothing is
// settled, and the text names the pair.
func TestADayThatDoesNotAddUpIsRefused(t *testing.T) {
	pair := chart.Pair{Issuer: bankA, Acquirer: shopsA}
	for why, spoil := range map[string]func(s *scheme){
		"a posting without a file": func(s *scheme) { s.post(chart.SpendSuspense(pair, yuan(1)), book.ID{1}) },
		"a cash load never told":   func(s *scheme) { s.post(chart.LoadCash(pair, ident.CardRef{1}, yuan(1)), book.ID{1}) },
		"an outcome never posted": func(s *scheme) {
			routed, err := s.clearing.Accept(t.Context(), s.presentment(shopsA, today, s.payment(bankA, midA, 193)))
			check(t, err)
			f := s.read(s.judge(routed[0].File))
			f.Details[0].Verdict, f.Details[0].Reason = clearing.Accepted, "approved"
			check(t, s.clearing.Outcome(t.Context(), s.signed(f)))
		},
	} {
		s := newScheme(t)
		s.run(s.presentment(shopsA, today, s.payment(bankA, midA, 10000)))
		spoil(s)
		_, _, err := s.clearing.Settle(t.Context(), today)
		if !errors.Is(err, ErrNet) || !strings.Contains(err.Error(), string(bankA)) {
			t.Errorf("%s: %v", why, err)
		}
		if b := s.balance(chart.Merchant(shopsA, midA, money.CNY)); b != 0 {
			t.Errorf("%s: settled all the same", why)
		}
	}
}

// Goal: a day with nothing in it can be closed, and is printed in both languages.
func TestAnEmptyDay(t *testing.T) {
	s := newScheme(t)
	report, files, err := s.clearing.Settle(t.Context(), today)
	check(t, err)
	if len(files) != 0 || len(report.Positions) != 0 {
		t.Errorf("%d files, %d positions", len(files), len(report.Positions))
	}
	for _, l := range []lang.Lang{lang.EN, lang.ZH} {
		if !strings.Contains(report.Text(l), "2026-11-22") {
			t.Errorf("the report lacks its date: %q", report.Text(l))
		}
	}
}

// Goal: large presentments become several files, each answered on its own.
func TestLargePresentmentsAreSplit(t *testing.T) {
	s := newScheme(t)
	details := make([]clearing.Detail, maxRouted+1)
	one := s.payment(bankA, midA, 100)
	for n := range details {
		details[n] = one
	}
	routed, err := s.clearing.Accept(t.Context(), s.presentment(shopsA, today, details...))
	check(t, err)
	if len(routed) != 2 || s.read(routed[0].File).Trailer.Count != maxRouted || s.read(routed[1].File).Trailer.Count != 1 {
		t.Errorf("%d files", len(routed))
	}
}

// Goal: whichever call of the book fails, before or after it took the commands,
// calling again ends in the same place.
func TestACrashAtAnyStepChangesNothing(t *testing.T) {
	calm := newScheme(t)
	want := calm.twoDays()
	for failAt := 1; failAt <= calm.door.calls; failAt++ {
		for _, after := range []bool{false, true} {
			s := newScheme(t)
			s.door.failAt, s.door.after = failAt, after
			if got := s.twoDays(); got != want {
				t.Errorf("call %d, after %t:\n%s\nwant:\n%s", failAt, after, got, want)
			}
		}
	}
}

// twoDays plays two days and tells what they left behind.
func (s *scheme) twoDays() string {
	s.t.Helper()
	var text strings.Builder
	persist := func(call func() error) {
		s.t.Helper()
		for range 3 {
			err := call()
			if err == nil {
				return
			}
			if !errors.Is(err, errFault) {
				s.t.Fatal(err)
			}
			s.open()
		}
		s.t.Fatal("the call never went through")
	}
	for n, date := range []clock.Date{today, today.AddDays(1)} {
		s.last[shopsA] = 0
		file := s.presentment(shopsA, date, s.payment(bankA, midA, money.Minor(10000*(n+1))), s.payment(bankB, midB, 20092))
		s.cashLoad(bankA, shopsA, midA, 500, false)
		persist(func() error {
			routed, err := s.clearing.Accept(s.t.Context(), file)
			for _, r := range routed {
				if err = errors.Join(err, s.clearing.Outcome(s.t.Context(), s.judge(r.File))); err != nil {
					break
				}
			}
			return err
		})
		persist(func() error {
			report, files, err := s.clearing.Settle(s.t.Context(), date)
			if err == nil {
				text.WriteString(report.Text(lang.EN))
				for _, f := range files {
					text.WriteString(s.read(f.File).Header.ID.String() + "\n")
				}
			}
			return err
		})
	}
	check(s.t, s.ledger.Accounts(s.t.Context(), func(a book.AccountRow) error {
		text.WriteString(a.Name + " " + yuan(a.Balance).String() + "\n")
		return nil
	}))
	return text.String()
}

// Goal: a crash between closing a day and posting it is mended by the next day's
// settlement too.
func TestTheNextDayPostsWhatACrashLeft(t *testing.T) {
	s := newScheme(t)
	s.run(s.presentment(shopsA, today, s.payment(bankA, midA, 10000)))
	s.door.failAt = s.door.calls + 2 // close, then post
	if _, _, err := s.clearing.Settle(t.Context(), today); !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	if b := s.balance(chart.Merchant(shopsA, midA, money.CNY)); b != 0 {
		t.Fatalf("the day was posted: %d", b)
	}
	_, _, err := s.clearing.Settle(t.Context(), today.AddDays(1))
	check(t, err)
	if b := s.balance(chart.Merchant(shopsA, midA, money.CNY)); b != 10000-50 {
		t.Errorf("the merchant is owed %d", b)
	}
}

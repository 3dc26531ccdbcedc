package issuer

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/money"
	"jiaozi/wire/clearing"
	"jiaozi/wire/emv"
	"jiaozi/wire/list"
	"jiaozi/wire/purse"
)

// Goal: every good payment is paid once and leaves the float; the register
// keeps what the card proved last.
func TestPaymentsArePaid(t *testing.T) {
	s := newScheme(t)
	c := s.card(10000)
	got := verdicts(s.present(s.tap(c, 1000), s.insert(c, 2000), s.tap(c, 500)))
	if got != "accepted/approved accepted/approved accepted/approved" {
		t.Errorf("verdicts %s", got)
	}
	s.holds(position{Account: 50000, Float: 6500, Clearing: 3500})
	if last, ok := s.known().Seen.last(); !ok || last.ATC != 3 || last.Balance != 6500 {
		t.Errorf("last proof %+v", last)
	}
}

// Goal: the same file again is the same outcome, byte for byte; the same
// payments in another file are duplicates; another file under the same name is
// refused.
func TestFilesAndPaymentsCountOnce(t *testing.T) {
	s := newScheme(t)
	c := s.card(10000)
	a, b := s.tap(c, 1000), s.tap(c, 2000)
	file := s.file(a, b)
	first, err := s.issuer.Present(t.Context(), file, s.now)
	check(t, err)
	s.now = s.now.Add(time.Hour)
	second, err := s.open().Present(t.Context(), file, s.now)
	check(t, err)
	if !bytes.Equal(first, second) {
		t.Error("the second outcome differs")
	}
	elsewhere := b // uploaded through another terminal: the card's proof is the same
	elsewhere.TID, elsewhere.STAN = "T0000009", 99
	if got := verdicts(s.present(a, elsewhere, a)); got != "duplicate/duplicate duplicate/duplicate duplicate/duplicate" {
		t.Errorf("verdicts %s", got)
	}
	s.files = 0
	if _, err := s.issuer.Present(t.Context(), s.file(a), s.now); !errors.Is(err, ErrFileDiffers) {
		t.Errorf("another file under a used name: %v", err)
	}
	s.holds(position{Account: 50000, Float: 7000, Clearing: 3000})
}

// Goal: the same payment twice in one file counts once.
func TestDuplicateWithinAFile(t *testing.T) {
	s := quickScheme(t)
	c := s.card(10000)
	a, b := s.tap(c, 1000), s.tap(c, 300)
	if got := verdicts(s.present(a, a, b)); got != "accepted/approved duplicate/duplicate accepted/approved" {
		t.Errorf("verdicts %s", got)
	}
	s.holds(position{Account: 50000, Float: 8700, Clearing: 1300})
}

// Goal: whichever of two cards with one counter is presented first is paid from
// the float, the other from suspense; both orders end alike, the card is listed
// and stays cloned.
func TestCloneInBothOrders(t *testing.T) {
	for _, together := range []bool{true, false} {
		for _, order := range [][]int{{0, 1}, {1, 0}} {
			s := quickScheme(t)
			c := s.card(10000)
			twin := c.copy()
			taps := []purse.Record{s.tap(c, 1000), s.tap(twin, 1000)}
			var got string
			if together {
				got = verdicts(s.present(taps[order[0]], taps[order[1]]))
			} else {
				got = verdicts(s.present(taps[order[0]])) + " " + verdicts(s.present(taps[order[1]]))
			}
			if got != "accepted/approved clone/clone" {
				t.Errorf("verdicts %s", got)
			}
			s.holds(position{Account: 50000, Float: 9000, Clearing: 2000, Suspense: 1000})
			if k := s.known(); k.Status != Cloned || !k.Listed {
				t.Errorf("the card is %s, listed %t", k.Status, k.Listed)
			}
			if got := verdicts(s.present(taps[order[1]], taps[order[0]])); got != "duplicate/duplicate duplicate/duplicate" {
				t.Errorf("presented again: %s", got)
			}
			if a := s.alerts(); !slices.Equal(a, []AlertKind{AlertClone}) {
				t.Errorf("alerts %v", a)
			}
			s.holds(position{Account: 50000, Float: 9000, Clearing: 2000, Suspense: 1000})
		}
	}
}

// Goal: a record that the card did not make moves nothing, and says why.
func TestPaymentsThatAreRejected(t *testing.T) {
	for _, tc := range []struct {
		why  string
		bend func(s *scheme, c *simCard, r *purse.Record)
		want string
	}{
		{"a forged cryptogram", func(_ *scheme, _ *simCard, r *purse.Record) { r.AC[3] ^= 1 }, "rejected/bad_cryptogram"},
		{"a higher amount", func(_ *scheme, _ *simCard, r *purse.Record) { r.Amount = yuan(9000) }, "rejected/bad_cryptogram"},
		{"another counter", func(_ *scheme, _ *simCard, r *purse.Record) { r.ATC++ }, "rejected/bad_cryptogram"},
		{"an IAD of no card of the scheme", func(_ *scheme, _ *simCard, r *purse.Record) { r.IAD = []byte{6, 1, 10, 3, 0, 0, 0} }, "rejected/bad_cryptogram"},
		{"a card of another issuer's keys", func(s *scheme, c *simCard, r *purse.Record) { r.PAN = mustPAN("621234567890888") }, "rejected/bad_cryptogram"},
		{"a card nobody registered", func(s *scheme, _ *simCard, r *purse.Record) {
			stranger := newSimCard(s.t, mustPAN("621234567890888"), 5000)
			*r = s.tap(stranger, 100)
		}, "rejected/unknown_card"},
		{"the second cryptogram of a load", func(_ *scheme, c *simCard, r *purse.Record) {
			r.TxnType = 0x60
			c.sign(r, emv.CVN01, emv.ARQC, emv.TC, c.balance)
		}, "rejected/declined_by_card"},
		{"a decline", func(_ *scheme, c *simCard, r *purse.Record) { c.sign(r, emv.CVN17, emv.AAC, emv.AAC, c.balance) }, "rejected/declined_by_card"},
	} {
		t.Run(tc.why, func(t *testing.T) {
			s := quickScheme(t)
			c := s.card(10000)
			r := s.tap(c, 1000)
			tc.bend(s, c, &r)
			if got := verdicts(s.present(r)); got != tc.want {
				t.Errorf("verdict %s, want %s", got, tc.want)
			}
			s.holds(position{Account: 50000, Float: 10000})
		})
	}
}

// Goal: a good cryptogram whose balance was altered on its way is paid once,
// its balance is not believed, and an altered copy is not a second payment.
func TestAlteredBalanceIsNotBelieved(t *testing.T) {
	s := quickScheme(t)
	c := s.card(10000)
	honest := s.tap(c, 1000)
	iad, err := emv.ParseIAD(honest.IAD)
	check(t, err)
	iad.Value[4] ^= 0x10 // contactless cryptograms do not cover the value, its MAC does
	bent := honest
	bent.IAD = iad.Append(nil)
	if got := verdicts(s.present(bent, honest)); got != "accepted/approved duplicate/duplicate" {
		t.Errorf("verdicts %s", got)
	}
	s.holds(position{Account: 50000, Float: 9000, Clearing: 1000})
	if a := s.alerts(); !slices.Equal(a, []AlertKind{AlertBalanceMAC}) {
		t.Errorf("alerts %v", a)
	}
	if _, proved := s.known().Seen.last(); proved {
		t.Error("the altered balance was believed")
	}
}

// Goal: a payment beyond what the card was given is paid from suspense, because
// the terminal was promised so, and the card is stopped.
func TestOverspendGoesToSuspense(t *testing.T) {
	s := quickScheme(t)
	c := s.card(1000)
	c.balance = 99999 // the memory was altered
	if got := verdicts(s.present(s.tap(c, 800), s.tap(c, 900))); got != "accepted/approved accepted/suspense" {
		t.Errorf("verdicts %s", got)
	}
	s.holds(position{Account: 50000, Float: 200, Clearing: 1700, Suspense: 900})
	if k := s.known(); k.Status != Blocked || !k.Listed {
		t.Errorf("the card is %s, listed %t", k.Status, k.Listed)
	}
	if a := s.alerts(); !slices.Equal(a, []AlertKind{AlertBalance, AlertOverspend}) {
		t.Errorf("alerts %v", a)
	}
}

// flagged makes the record of a torn tap: the terminal got the cryptogram, and
// does not know whether the card committed.
func (s *scheme) flagged(c *simCard, sum money.Minor, committed bool) purse.Record {
	before := c.balance
	r := s.tap(c, sum)
	r.Flag = purse.Torn
	if !committed {
		c.balance = before
	}
	return r
}

// Goal: a payment that was not completed at the till waits for the card's next
// proof: debited is refunded to the cardholder, not debited is dropped.
func TestFlaggedPaymentIsDecidedByTheCard(t *testing.T) {
	for committed, want := range map[bool]position{
		true:  {Account: 52000, Float: 7700, Clearing: 300},
		false: {Account: 50000, Float: 9700, Clearing: 300},
	} {
		for _, late := range []bool{false, true} {
			s := quickScheme(t)
			c := s.card(10000)
			torn := s.flagged(c, 2000, committed)
			next := s.tap(c, 300)
			records := []purse.Record{torn, next}
			if late { // the proof is here before the question
				records = []purse.Record{next, torn}
			}
			for _, r := range records {
				want := map[bool]string{true: "pending/flagged", false: "accepted/approved"}[r.Flag != purse.None]
				if got := verdicts(s.present(r)); got != want {
					t.Errorf("verdict %s", got)
				}
			}
			s.holds(want)
			if n := len(s.known().Flagged); n != 0 {
				t.Errorf("%d questions are left", n)
			}
			if got := verdicts(s.present(torn)); committed && got != "duplicate/duplicate" {
				t.Errorf("the refunded payment again: %s", got)
			}
			s.holds(want)
		}
	}
}

// Goal: a contact payment whose cryptogram is lost is decided from the balances
// before and after it.
func TestFlaggedPaymentWithoutACryptogram(t *testing.T) {
	for committed, want := range map[bool]position{
		true:  {Account: 52000, Float: 7500, Clearing: 500},
		false: {Account: 50000, Float: 9500, Clearing: 500},
	} {
		s := quickScheme(t)
		c := s.card(10000)
		first := s.tap(c, 200)
		lost := s.flagged(c, 2000, committed)
		lost.Flag, lost.IAD, lost.AC = purse.NoCryptogram, nil, [8]byte{}
		last := s.tap(c, 300)
		if got := verdicts(s.present(first, lost, last)); got != "accepted/approved pending/flagged accepted/approved" {
			t.Errorf("verdicts %s", got)
		}
		s.holds(want)
	}
}

// lostInsert is the report of a contact payment whose cryptogram was lost: the
// terminal knows the counter that the card was about to use.
func (s *scheme) lostInsert(c *simCard, sum money.Minor) purse.Record {
	ahead := c.copy()
	r := s.insert(ahead, sum)
	r.Flag, r.IAD, r.AC = purse.NoCryptogram, nil, [8]byte{}
	return r
}

// Goal: if the card never saw the lost payment, its counter belongs to the next
// one, whose proof wins in whichever order they arrive.
func TestProofWinsOverAGuessedCounter(t *testing.T) {
	for _, proofFirst := range []bool{true, false} {
		s := quickScheme(t)
		c := s.card(10000)
		before := s.tap(c, 200)
		lost := s.lostInsert(c, 2000)
		genuine := s.tap(c, 700)
		s.present(before)
		order := []purse.Record{lost, genuine}
		if proofFirst {
			order = []purse.Record{genuine, lost}
		}
		s.present(order...)
		s.present(s.tap(c, 300))
		s.holds(position{Account: 50000, Float: 8800, Clearing: 1200})
		if n := len(s.known().Flagged); n != 0 {
			t.Errorf("%d questions are left", n)
		}
	}
}

// Goal: a guess that the next balance contradicts is not decided; one that it
// fits by chance is refunded, and the genuine payment is paid when it comes.
func TestAWrongRefundIsNotTheMerchantsLoss(t *testing.T) {
	s := quickScheme(t)
	c := s.card(10000)
	before := s.tap(c, 200)
	lost := s.lostInsert(c, 2000)
	onTheWay := s.tap(c, 2500)
	s.present(before, lost, s.tap(c, 300))
	s.holds(position{Account: 50000, Float: 9500, Clearing: 500})
	s.present(onTheWay)
	s.holds(position{Account: 50000, Float: 7000, Clearing: 3000})

	s = quickScheme(t)
	c = s.card(10000)
	before, lost = s.tap(c, 200), s.lostInsert(c, 2000)
	onTheWay = s.tap(c, 2000)
	s.present(before, lost, s.tap(c, 300))
	s.holds(position{Account: 52000, Float: 7500, Clearing: 500})
	for _, want := range []string{"accepted/suspense", "duplicate/duplicate"} {
		if got := verdicts(s.present(onTheWay)); got != want {
			t.Errorf("verdict %s, want %s", got, want)
		}
	}
	s.holds(position{Account: 52000, Float: 7500, Clearing: 2500, Suspense: 2000})
	if a := s.alerts(); !slices.Equal(a, []AlertKind{AlertRefund}) || s.known().Status != Active {
		t.Errorf("alerts %v, the card is %s", a, s.known().Status)
	}
}

// Goal: while a counter is missing, a flagged payment that could have been
// either stays open, and the missing payment decides it.
func TestFlaggedPaymentWaitsForWhatIsMissing(t *testing.T) {
	s := quickScheme(t)
	c := s.card(10000)
	torn := s.flagged(c, 2000, true)
	missing := s.tap(c, 100)
	s.present(torn, s.tap(c, 300))
	s.holds(position{Account: 50000, Float: 9700, Clearing: 300})
	s.present(missing)
	s.holds(position{Account: 52000, Float: 7600, Clearing: 400})
}

// Goal: a payment reported as not completed that turns out to be completed is
// paid and never refunded.
func TestFlaggedThenCompleted(t *testing.T) {
	s := quickScheme(t)
	c := s.card(10000)
	torn := s.flagged(c, 2000, true)
	recovered := torn
	recovered.Flag = purse.None
	if got := verdicts(s.present(torn, recovered, s.tap(c, 300), torn)); got != "pending/flagged accepted/approved accepted/approved duplicate/duplicate" {
		t.Errorf("verdicts %s", got)
	}
	s.holds(position{Account: 50000, Float: 7700, Clearing: 2300})
	// And the other way round: refunded first, then presented for money.
	s = quickScheme(t)
	c = s.card(10000)
	torn = s.flagged(c, 2000, true)
	s.present(torn, s.tap(c, 300))
	recovered = torn
	recovered.Flag = purse.None
	if got := verdicts(s.present(recovered)); got != "rejected/refunded" {
		t.Errorf("verdict %s", got)
	}
	s.holds(position{Account: 52000, Float: 7700, Clearing: 300})
}

// Goal: once a card is known to be copied, no proof of either copy decides
// anything about its money.
func TestClonesProveNothing(t *testing.T) {
	s := quickScheme(t)
	c := s.card(10000)
	twin := c.copy()
	s.present(s.tap(c, 100), s.tap(twin, 120))
	torn := s.flagged(c, 2000, true)
	if got := verdicts(s.present(torn, s.tap(c, 300))); got != "pending/flagged accepted/approved" {
		t.Errorf("verdicts %s", got)
	}
	s.holds(position{Account: 50000, Float: 9600, Clearing: 520, Suspense: 120})
	if n := len(s.known().Flagged); n != 1 {
		t.Errorf("%d questions are open", n)
	}
}

// Goal: two cryptograms on one counter are a copy also if one of them was not
// completed at the till: what comes second is paid from suspense, if it is paid.
func TestAFlaggedCopyIsAClone(t *testing.T) {
	for _, flaggedFirst := range []bool{true, false} {
		s := quickScheme(t)
		c := s.card(10000)
		twin := c.copy()
		records := []purse.Record{s.flagged(c, 2000, true), s.tap(twin, 300)}
		want, money := "pending/flagged clone/clone", position{Account: 50000, Float: 10000, Clearing: 300, Suspense: 300}
		if !flaggedFirst {
			records[0], records[1] = records[1], records[0]
			want, money = "accepted/approved duplicate/duplicate", position{Account: 50000, Float: 9700, Clearing: 300}
		}
		for range 2 {
			if got := verdicts(s.present(records[0])) + " " + verdicts(s.present(records[1])); got != want {
				t.Errorf("verdicts %s", got)
			}
			want = "duplicate/duplicate duplicate/duplicate"
		}
		if k := s.known(); k.Status != Cloned || !k.Listed {
			t.Errorf("the card is %s, listed %t", k.Status, k.Listed)
		}
		if a := s.alerts(); !slices.Equal(a, []AlertKind{AlertClone}) {
			t.Errorf("alerts %v", a)
		}
		s.holds(money)
	}
}

// Goal: a terminal that asks for a tap's cryptogram, never lets the card debit, and
// presents it all the same is paid once, and the card's next proof tells of it.
func TestAPaymentThatTheCardNeverMadeIsNoticed(t *testing.T) {
	s := quickScheme(t)
	c := s.card(10000)
	lie := s.flagged(c, 2000, false)
	lie.Flag = purse.None
	if got := verdicts(s.present(lie, s.tap(c, 300))); got != "accepted/approved accepted/approved" {
		t.Errorf("verdicts %s", got)
	}
	if a := s.alerts(); !slices.Equal(a, []AlertKind{AlertBalance}) {
		t.Errorf("alerts %v", a)
	}
	s.holds(position{Account: 50000, Float: 7700, Clearing: 2300})
	if k := s.known(); k.Status != Blocked || !k.Listed {
		t.Errorf("the card is %s, listed %t: it pays for nothing again", k.Status, k.Listed)
	}
}

// Goal: a load in flight cannot have paid for what the card spent before it.
func TestALaterLoadPaysForNothing(t *testing.T) {
	s := quickScheme(t)
	c := s.card(1000)
	copied := c.copy()
	copied.balance = 5000 // put there by nobody
	early := s.tap(copied, 3000)
	c.atc++ // used up without a record
	_, m := s.loadRequest(c, "600000", 5000)
	s.code(s.serve(s.seal(m)), "00")
	if got := verdicts(s.present(early)); got != "accepted/suspense" {
		t.Errorf("verdict %s", got)
	}
	s.holds(position{Account: 45000, Float: 1000, InFlight: 5000, Clearing: 3000, Suspense: 3000})
}

// Goal: a forged flagged record is rejected and opens no question.
func TestForgedFlaggedPayment(t *testing.T) {
	s := quickScheme(t)
	c := s.card(10000)
	torn := s.flagged(c, 2000, true)
	torn.AC[0] ^= 1
	if got := verdicts(s.present(torn)); got != "rejected/bad_cryptogram" {
		t.Errorf("verdict %s", got)
	}
	if n := len(s.known().Flagged); n != 0 {
		t.Errorf("%d questions", n)
	}
}

// Goal: files of others, of other kinds, or altered ones are refused whole.
func TestFilesThatAreRefused(t *testing.T) {
	s := quickScheme(t)
	c := s.card(10000)
	file := s.file(s.tap(c, 100))
	bent := bytes.Clone(file)
	bent[len(bent)/2] ^= 1
	if _, err := s.issuer.Present(t.Context(), bent, s.now); !errors.Is(err, ErrFile) {
		t.Errorf("an altered file: %v", err)
	}
	if _, err := s.issuer.Present(t.Context(), file[:len(file)-1], s.now); !errors.Is(err, ErrFile) {
		t.Errorf("a short file: %v", err)
	}
	own, err := s.issuer.Present(t.Context(), file, s.now)
	check(t, err)
	if _, err := s.issuer.Present(t.Context(), own, s.now); !errors.Is(err, ErrFile) {
		t.Errorf("an outcome instead of a presentment: %v", err)
	}
	s.holds(position{Account: 50000, Float: 9900, Clearing: 100})
}

// Goal: details for another issuer, or whose sum is not the record's, are
// rejected one by one.
func TestDetailsThatDoNotFit(t *testing.T) {
	s := quickScheme(t)
	c := s.card(10000)
	r := s.tap(c, 100)
	record := purse.Append(nil, r)
	for _, d := range []clearing.Detail{
		{Sequence: 1, Acquirer: acquirerInst, Issuer: "62100002", Record: record, Gross: yuan(100)},
		{Sequence: 1, Acquirer: acquirerInst, Issuer: issuerInst, Record: record, Gross: yuan(999)},
		{Sequence: 1, Acquirer: acquirerInst, Issuer: issuerInst, Record: record[:40], Gross: yuan(100)},
	} {
		task, rule, err := s.issuer.tap(clearing.FileID{}, &d)
		if task != nil || rule != rulingMalformed || err != nil {
			t.Errorf("ruling %d, %v", rule, err)
		}
	}
}

// Goal: each edition of the blacklist has its own, higher number, lists what is
// stopped and nothing else, and verifies at the terminal.
func TestBlacklistIsNumberedAndSigned(t *testing.T) {
	s := quickScheme(t)
	s.card(1000)
	public, err := s.vault.Public("list")
	check(t, err)
	edition := func(i *Issuer) *list.List {
		t.Helper()
		b, err := i.PublishList(t.Context(), s.now)
		check(t, err)
		l, err := list.Decode(b, public)
		check(t, err)
		check(t, l.Usable(s.now))
		return l
	}
	if l := edition(s.issuer); l.Number != 1 || l.Contains(pan, 1) {
		t.Errorf("edition %d, lists the card: %t", l.Number, l.Contains(pan, 1))
	}
	date := clock.DateOf(s.now)
	for range 2 {
		check(t, s.issuer.SetStatus(t.Context(), pan, 1, Blocked, date))
	}
	if l := edition(s.open()); l.Number != 2 || !l.Contains(pan, 1) || l.Len() != 1 {
		t.Errorf("edition %d, lists the card: %t", l.Number, l.Contains(pan, 1))
	}
	check(t, s.issuer.SetStatus(t.Context(), pan, 1, Active, date))
	check(t, s.issuer.SetStatus(t.Context(), pan, 1, Blocked, date))
	check(t, s.issuer.SetStatus(t.Context(), pan, 1, Active, date))
	if l := edition(s.issuer); l.Number != 3 || l.Contains(pan, 1) {
		t.Errorf("edition %d, lists the card: %t", l.Number, l.Contains(pan, 1))
	}
}

// Goal: orders of officers that make no sense are refused with a reason, and
// repetitions change nothing.
func TestOfficersOrders(t *testing.T) {
	s := quickScheme(t)
	c := s.card(1000)
	date, ctx := clock.DateOf(s.now), t.Context()
	same := NewCard{PAN: pan, PSN: 1, Account: account, Expiry: 20301231, Limit: yuan(100000), Balance: yuan(1000)}
	_, err := s.issuer.RegisterCard(ctx, same, date)
	check(t, err)
	check(t, s.issuer.Fund(ctx, book.DeriveID("fund", account), account, yuan(50000), date))
	check(t, s.issuer.OpenAccount(ctx, account, date))
	s.holds(position{Account: 50000, Float: 1000})
	other := same
	other.Account = "acct-2"
	fresh := NewCard{PAN: mustPAN("621234567890555"), PSN: 1, Account: account, Expiry: 20301231, Limit: yuan(100)}
	over, foreign, nameless := fresh, fresh, fresh
	over.Balance, foreign.Limit, nameless.Account = yuan(101), money.New(money.HKD, 100), ""
	for why, n := range map[string]NewCard{"another account": other, "over its limit": over, "foreign": foreign, "no account": nameless} {
		if _, err := s.issuer.RegisterCard(ctx, n, date); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", why, err)
		}
	}
	if err := s.issuer.Fund(ctx, book.ID{3}, account, yuan(-5), date); !errors.Is(err, ErrRefused) {
		t.Errorf("a negative payment: %v", err)
	}
	if err := s.issuer.SetStatus(ctx, pan, 1, Cloned, date); !errors.Is(err, ErrRefused) {
		t.Errorf("an officer's clone: %v", err)
	}
	twin := c.copy()
	s.present(s.tap(c, 10), s.tap(twin, 10))
	if err := s.issuer.SetStatus(ctx, pan, 1, Active, date); !errors.Is(err, ErrRefused) {
		t.Errorf("a cloned card made active: %v", err)
	}
	if _, _, err := s.issuer.Card(ctx, fresh.PAN, 1); !errors.Is(err, ErrUnknownCard) {
		t.Errorf("a card nobody registered: %v", err)
	}
}

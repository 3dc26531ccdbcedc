package journey

import (
	"testing"
	"time"

	"jiaozi/crypt/oda/testkeys"
	"jiaozi/crypt/pin"
	"jiaozi/crypt/vault"
	"jiaozi/link/mem"
	"jiaozi/node/perso"
	"jiaozi/role/terminal"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/apdu"
	"jiaozi/wire/list"
	"jiaozi/wire/purse"
)

const (
	tap    = purse.Contactless
	insert = purse.Contact
)

// Goal: a declined customer hears the true reason, on tap and insert alike, and
// the card has not paid. Method: one row for each reason.
func TestWhyItIsDeclined(t *testing.T) {
	both := []purse.Entry{tap, insert}
	for _, row := range []struct {
		why     string
		entries []purse.Entry
		order   func(*perso.Order)
		shop    func(*shop)
		sale    money.Amount
		pin     func() (pin.PIN, error)
		want    reason.Code
	}{
		{why: "the balance is short", entries: both, order: func(o *perso.Order) { o.Balance = yuan(10_00) }, sale: yuan(10_01), want: reason.InsufficientFunds},
		{why: "a short balance is said before a limit", entries: both, order: func(o *perso.Order) { o.Balance, o.SingleLimit = yuan(5_00), yuan(8_00) }, sale: yuan(9_00), want: reason.InsufficientFunds},
		{why: "over the card's single limit", entries: both, sale: yuan(150_01), pin: typed("1234"), want: reason.OverSingleLimit},
		{why: "over the terminal's limit", entries: both, sale: yuan(300_01), want: reason.OverTerminalLimit},
		{why: "the till speaks another currency", entries: both, sale: money.New(money.HKD, 5_00), want: reason.ForeignCurrency},
		{why: "the purse holds another currency", entries: both, order: hongKong, sale: yuan(5_00), want: reason.ForeignCurrency},
		{why: "below the reset threshold the card wants the issuer", entries: both, order: func(o *perso.Order) { o.Threshold = yuan(195_00) }, sale: yuan(6_00), want: reason.OnlineRequired},
		{why: "the card has expired", entries: both, order: func(o *perso.Order) { o.Expiry = 20261031 }, sale: yuan(1_00), want: reason.Expired},
		{why: "the card is not valid yet", entries: both, order: func(o *perso.Order) { o.Effective = 20270101 }, sale: yuan(1_00), want: reason.NotYetEffective},
		{why: "the card is listed", entries: both, shop: listCard, sale: yuan(1_00), want: reason.Blacklisted},
		{why: "the list is too old", entries: both, shop: func(s *shop) { s.clock.Advance(31 * 24 * time.Hour) }, sale: yuan(1_00), want: reason.ListExpired},
		{why: "the PIN is asked and there is no pad", entries: []purse.Entry{insert}, sale: yuan(100_01), want: reason.PINRequired},
		{why: "the PIN is wrong", entries: []purse.Entry{insert}, sale: yuan(100_01), pin: typed("9999"), want: reason.PINWrong},
		{why: "a tap above the CVM limit", entries: []purse.Entry{tap}, shop: func(s *shop) { s.cfg.CVMLimit = yuan(50_00); s.open() }, sale: yuan(50_01), want: reason.PINRequired},
		{why: "an unknown scheme key", entries: []purse.Entry{insert}, shop: func(s *shop) { s.cfg.CAKeys = nil; s.open() }, sale: yuan(1_00), want: reason.ODAFailed},
		{why: "nothing is no sale", entries: both, sale: yuan(0), want: reason.FormatError},
	} {
		for _, entry := range row.entries {
			t.Run(row.why, func(t *testing.T) {
				o := order(0)
				if row.order != nil {
					row.order(&o)
				}
				s, c := newShop(t, vault.Secure), newCard(issue(o))
				if row.shop != nil {
					row.shop(s)
				}
				before := c.evidence().Balance
				out := s.till.Purchase(t.Context(), c.offer(entry), terminal.Sale{Amount: row.sale, Entry: entry, PIN: row.pin})
				if out.Result != terminal.Declined || out.Reason != row.want || out.Flagged {
					t.Errorf("entry %v: %v %s (%v), want declined %s", entry, out.Result, out.Reason, out.Err, row.want)
				}
				if c.evidence().Balance != before || len(s.till.Uncleared()) != 0 {
					t.Errorf("entry %v: declined and yet something was taken", entry)
				}
				if out.Receipt == "" || out.Reason.Text(lang.ZH) == "" {
					t.Errorf("entry %v: nobody is told why", entry)
				}
			})
		}
	}
}

func hongKong(o *perso.Order) {
	hkd := func(m money.Minor) money.Amount { return money.New(money.HKD, m) }
	o.Currency, o.Country = money.HKD, 344
	o.Balance, o.BalanceLimit, o.SingleLimit, o.Threshold, o.PINAbove = hkd(200_00), hkd(1000_00), hkd(150_00), hkd(0), hkd(100_00)
}

func listCard(s *shop) {
	s.host.list = blacklist(2, list.Card{PAN: pan(0), PSN: 1})
	check(s.till.RefreshList(s.t.Context()))
}

// A forged card signs with a key that no issuer certified. Over the contacts it is
// found before it pays; on a tap it has claimed a payment by then, which goes to
// the issuer flagged and is never a sale.
func TestAForgedCardIsDeclined(t *testing.T) {
	for _, entry := range []purse.Entry{tap, insert} {
		o := order(0)
		profile := must(perso.Build(perso.Keys{Vault: issuerVault(), Cards: cardKeys, CA: "ca", Issuer: "rsa"}, o))
		profile.Private = must(testkeys.Card(5))
		s, c := newShop(t, vault.Secure), newCard(format(profile))
		out := s.till.Purchase(t.Context(), c.offer(entry), terminal.Sale{Amount: yuan(5_00), Entry: entry})
		if out.Result != terminal.Declined || out.Reason != reason.ODAFailed || out.Flagged != (entry == tap) {
			t.Errorf("%v: %v %s, flagged %v", entry, out.Result, out.Reason, out.Flagged)
		}
		for _, r := range s.till.Uncleared() {
			if r.Flag != purse.ODAFailed {
				t.Errorf("%v: a record with flag %v", entry, r.Flag)
			}
		}
		if got := s.till.Totals(); got.Count != 0 {
			t.Errorf("%v: %d sales", entry, got.Count)
		}
	}
}

// The PIN counter of the card stops a thief at the till, and the right PIN pays.
func TestThePINIsAskedAndCounted(t *testing.T) {
	s, c := newShop(t, vault.Secure), newCard(blanks()[0])
	pay := func(p string) terminal.Outcome {
		return s.till.Purchase(t.Context(), c.offer(insert), terminal.Sale{Amount: yuan(120_00), Entry: insert, PIN: typed(p)})
	}
	if out := pay("0000"); out.Reason != reason.PINWrong {
		t.Fatalf("%v %s (%v)", out.Result, out.Reason, out.Err)
	}
	if out := pay("1234"); out.Result != terminal.Approved {
		t.Fatalf("%v %s (%v)", out.Result, out.Reason, out.Err)
	}
	c = newCard(blanks()[0])
	for _, want := range []reason.Code{reason.PINWrong, reason.PINWrong, reason.PINBlocked, reason.PINBlocked} {
		if out := pay("0000"); out.Reason != want {
			t.Errorf("%v %s, want %s", out.Result, out.Reason, want)
		}
	}
}

// After a torn tap another card pays as if nothing had happened, and the first
// one is still remembered.
func TestAnotherCardIsNotHeldUp(t *testing.T) {
	p := newPlay(t, tap)
	first := p.card
	torn, _ := p.pay(yuan(8_00), fault{line: func(c apdu.Card) apdu.Card { return mem.LoseAnswer(c, mem.Nth(tapCommands-1)) }})
	p.card = newCard(blanks()[1])
	other, _ := p.pay(yuan(8_00), fault{line: intact})
	if torn.Result != terminal.Unknown || other.Result != terminal.Approved || other.AfterTorn {
		t.Fatalf("torn %v, other %v after torn %v", torn.Result, other.Result, other.AfterTorn)
	}
	p.card = first
	back, _ := p.pay(yuan(8_00), fault{line: intact})
	if back.Result != terminal.Recovered || !back.AfterTorn || back.STAN != torn.STAN {
		t.Errorf("back: %v %s, trace %d, torn trace %d", back.Result, back.Reason, back.STAN, torn.STAN)
	}
}

// A torn payment that the card did not make is repeated: Approved, and said to be so.
func TestATapTornBeforeTheCommitIsRepeated(t *testing.T) {
	p := newPlay(t, tap)
	torn, _ := p.pay(yuan(8_00), fault{line: func(c apdu.Card) apdu.Card { return mem.LoseCommand(c, mem.Nth(tapCommands-1)) }})
	back, _ := p.pay(yuan(8_00), fault{line: intact})
	if torn.Result != terminal.Unknown || back.Result != terminal.Approved || !back.AfterTorn {
		t.Errorf("torn %v, back %v after torn %v", torn.Result, back.Result, back.AfterTorn)
	}
	p.verdict()
}

// A torn payment of another amount cannot stand for this sale: it is flagged, the
// customer is told once, and the next presentation pays.
func TestATornPaymentOfAnotherAmountIsFlagged(t *testing.T) {
	for _, entry := range []purse.Entry{tap, insert} {
		p := newPlay(t, entry)
		commands, _ := count(t, newPlay(t, entry))
		p.pay(yuan(8_00), fault{line: func(c apdu.Card) apdu.Card { return mem.LoseAnswer(c, mem.Nth(commands-1)) }})
		told, _ := p.pay(yuan(9_00), fault{line: intact})
		if told.Result != terminal.Declined || told.Reason != reason.Torn || !told.Flagged {
			t.Errorf("%v: %v %s", entry, told.Result, told.Reason)
		}
		paid, _ := p.pay(yuan(9_00), fault{line: intact})
		if paid.Result != terminal.Approved {
			t.Errorf("%v: %v %s (%v)", entry, paid.Result, paid.Reason, paid.Err)
		}
		p.verdict()
	}
}

// A process that died after the approval and before the beep completes that sale
// when the customer taps again at once; later the same amount is a new sale.
func TestASuccessThatNobodySawIsShownOnce(t *testing.T) {
	for _, wait := range []time.Duration{time.Minute, time.Hour} {
		p := newPlay(t, tap)
		_, alive := p.pay(yuan(3_00), fault{line: intact, disk: diskDiesAfter, at: 1})
		if _, ok := p.till.Unsaid(); alive || !ok {
			t.Fatalf("the process lives (%v) or nothing is unsaid", alive)
		}
		p.clock.Advance(wait)
		out, _ := p.pay(yuan(3_00), fault{line: intact})
		want := terminal.Recovered
		if wait > 5*time.Minute {
			want = terminal.Approved
		}
		if out.Result != want {
			t.Errorf("after %v: %v, want %v", wait, out.Result, want)
		}
		if out, _ := p.pay(yuan(3_00), fault{line: intact}); out.Result != terminal.Approved {
			t.Errorf("the next sale: %v %s", out.Result, out.Reason)
		}
	}
}

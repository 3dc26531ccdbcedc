package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jiaozi/link/framed"
	"jiaozi/node/durable"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// seededScheme makes a repeatable test scheme, which needs no RSA generation.
func seededScheme(t *testing.T) Options {
	t.Helper()
	seed := uint64(7)
	o := Options{Dir: filepath.Join(t.TempDir(), "data"), Test: true, Seed: &seed}
	if err := Init(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return o
}

func opened(t *testing.T, o Options) *Node {
	t.Helper()
	n, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// Goal: a crash during init leaves nothing that stands in the way of init.
// Method: take away each thing that init writes, as if it had not come so far.
func TestInitCompletesAfterACrash(t *testing.T) {
	o := seededScheme(t)
	for _, gone := range []string{"scheme.json", "trust.json", "book/journal.db", "vault.age", "scheme.key"} {
		for _, name := range []string{"scheme.json", gone} {
			if err := os.Remove(filepath.Join(o.Dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		}
		if gone == "book/journal.db" {
			if err := os.RemoveAll(filepath.Join(o.Dir, "book")); err != nil {
				t.Fatal(err)
			}
		}
		if err := Init(t.Context(), o); err != nil {
			t.Fatalf("without %s: %v", gone, err)
		}
		if err := opened(t, o).Close(); err != nil {
			t.Fatalf("without %s: %v", gone, err)
		}
	}
}

func TestASecondProcessIsRefused(t *testing.T) {
	o := seededScheme(t)
	opened(t, o)
	if _, err := Open(t.Context(), o); !errors.Is(err, durable.ErrLocked) {
		t.Fatal(err)
	}
}

func TestSchemeFileIsStrict(t *testing.T) {
	o := seededScheme(t)
	path := filepath.Join(o.Dir, "scheme.json")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for why, change := range map[string][2]string{
		"an unknown key":                      {`"version"`, `"tap_limt": "1.00", "version"`},
		"another version":                     {`"version": 1`, `"version": 2`},
		"an unknown currency":                 {`"CNY"`, `"XYZ"`},
		"a negative limit":                    {`"1000.00"`, `"-1000.00"`},
		"a bad institution":                   {`"10000001"`, `"1"`},
		"a bad rule":                          {`"clone_bearer": "issuer"`, `"clone_bearer": "nobody"`},
		"a bad time":                          {`"23:00"`, `"25:00"`},
		"a bad aid":                           {`"A000000333010101"`, `"A0"`},
		"a bad iin":                           {`"62999901"`, `"62"`},
		"no JSON":                             {`{`, ``},
		"a mint with no name":                 {`"Jiaozi mint"`, `""`},
		"no denomination":                     {`"denominations": 17`, `"denominations": 0`},
		"a denomination that no amount holds": {`"denominations": 17`, `"denominations": 41`},
		"a note that is no power of two":      {`"0.64"`, `"0.65"`},
		"a note that is too deep":             {`"depth": 6`, `"depth": 7`},
		"a note with no parts":                {`"depth": 6`, `"depth": 0`},
		"a note smaller than its parts":       {`"0.64"`, `"0.32"`},
		"a note that stands twice":            {`"0.64"`, `"40.96"`},
		"a note in bad words":                 {`"0.64"`, `"much"`},
		"a group in capitals":                 {`"groups": []`, `"groups": ["Canteen"]`},
		"a group without a name":              {`"groups": []`, `"groups": [""]`},
		"a group that stands twice":           {`"groups": []`, `"groups": ["canteen", "canteen"]`},
		"more keys than a wallet reads":       {`"groups": []`, `"groups": ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"]`},
		"an epoch that does not fit a year":   {`"issue_months": 1`, `"issue_months": 5`},
		"coins that nobody may spend":         {`"spend_months": 3`, `"spend_months": 0`},
		"coins that nobody may deposit":       {`"deposit_months": 1`, `"deposit_months": 0`},
		"coins for ever":                      {`"spend_months": 3`, `"spend_months": 120`},
	} {
		bad := strings.Replace(string(good), change[0], change[1], 1)
		if bad == string(good) {
			t.Errorf("%s: %s is not in the file", why, change[0])
		}
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadScheme(o.Dir); err == nil {
			t.Errorf("%s was taken", why)
		}
	}
}

func TestKeyFileMustBePrivateAndWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	id, err := MakeKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := MakeKey(path); err != nil || again.String() != id.String() {
		t.Fatal("making a key twice must give the same key", err)
	}
	secret := id.String()
	for why, content := range map[string]string{"empty": "", "a damaged key": secret[:len(secret)-1] + "x", "too long": strings.Repeat("#\n", maxKeyFile)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenKey(path); err == nil || strings.Contains(err.Error(), secret[20:40]) {
			t.Errorf("%s: %v", why, err)
		}
	}
	if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKey(path); err == nil || !strings.Contains(err.Error(), "chmod") {
		t.Errorf("a key that all may read: %v", err)
	}
}

func TestTrustedKeysAreCheckedAgainstTheirChecksum(t *testing.T) {
	o := seededScheme(t)
	trust, err := loadTrust(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	trust.CA[0].Modulus[5] ^= 1
	if err := trust.save(o.Dir); err != nil {
		t.Fatal(err)
	}
	if _, err := loadTrust(o.Dir); !errors.Is(err, ErrIntegrity) {
		t.Fatal(err)
	}
}

// Goal: the business date never goes back and never names a closed day.
func TestBusinessDateMovesOnWhenADayIsClosed(t *testing.T) {
	o := seededScheme(t)
	now := clock.NewManual(time.Date(2027, 3, 1, 10, 0, 0, 0, clock.Zone))
	o.Clock = now
	n := opened(t, o)
	for _, want := range []clock.Date{20270301, 20270302, 20270303} {
		report, err := n.EndOfDay(t.Context())
		if err != nil || report.Date != want || !report.Net.IsZero() {
			t.Fatalf("%+v (%v), want %s", report, err, want)
		}
	}
	now.Advance(30 * 24 * time.Hour)
	if got, err := n.BusinessDate(t.Context()); err != nil || got != 20270331 {
		t.Fatal(got, err)
	}
}

// Goal: a card that clearing finds to be copied is on the list that tills fetch next.
func TestTheDayEndsWithANewBlacklist(t *testing.T) {
	n := opened(t, seededScheme(t))
	if _, err := n.EndOfDay(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n.listed.IsZero() {
		t.Fatal("no edition was published")
	}
}

func TestCutOffClosesTheDayOnce(t *testing.T) {
	o := seededScheme(t)
	now := clock.NewManual(time.Date(2027, 3, 1, 22, 59, 0, 0, clock.Zone))
	o.Clock = now
	n := opened(t, o)
	for _, step := range []struct {
		wait time.Duration
		want clock.Date
	}{{0, 20270301}, {time.Minute, 20270302}, {time.Minute, 20270302}, {24 * time.Hour, 20270303}} {
		now.Advance(step.wait)
		if err := n.cutOff(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := n.BusinessDate(t.Context()); err != nil || got != step.want {
			t.Fatalf("at %s the business date is %s (%v), want %s", now.Now(), got, err, step.want)
		}
	}
}

func TestOrdersDoNotShowTheirSecrets(t *testing.T) {
	key, number := "0123456789abcdef", "6299990100000017"
	text := fmt.Sprintf("%v %+v %s", AddTerminal{Spec: TerminalSpec{TID: "POS00001"}, TMK: []byte(key)},
		CardOrder{Name: "x", PAN: number, PIN: "258036"}, CardOrder{PAN: number})
	for _, secret := range []string{key, fmt.Sprint([]byte(key)), number, "258036"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q shows %q", text, secret)
		}
	}
}

// Goal: seeded runs repeat and different runs differ, so that a second demo does
// not reuse numbers of the first.
func TestSeededStreamsRepeatPerRun(t *testing.T) {
	seed := uint64(1)
	draw := func(o Options, name string, run uint64) (b [16]byte) {
		if _, err := o.stream(name, run).Read(b[:]); err != nil {
			t.Fatal(err)
		}
		return b
	}
	o := Options{Seed: &seed}
	a := draw(o, "x", 1)
	if a != draw(o, "x", 1) || a == draw(o, "x", 2) || a == draw(o, "y", 1) || a == draw(Options{}, "x", 1) {
		t.Fatal("streams are not told apart by name and run, or do not repeat")
	}
}

// Goal: the audit names what is wrong with a card's file, and says nothing bad
// of a card that is in somebody's pocket.
func TestAuditOfCardFiles(t *testing.T) {
	o := seededScheme(t)
	n := opened(t, o)
	issued, err := n.IssueCard(t.Context(), CardOrder{Name: "anna", Balance: "50.00"})
	if err != nil {
		t.Fatal(err)
	}
	image, err := os.ReadFile(issued.Path)
	if err != nil {
		t.Fatal(err)
	}
	expect := func(why string, conserved bool) {
		t.Helper()
		report, err := n.Audit(t.Context())
		if err != nil || report.Conserved != conserved || report.Float != money.New(money.CNY, 5000) {
			t.Fatalf("%s: %+v (%v)", why, report, err)
		}
	}
	expect("whole card", true)
	image[len(image)/2] ^= 1
	if err := os.WriteFile(issued.Path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	expect("one bit of the file is flipped", false)
	if err := os.Remove(issued.Path); err != nil {
		t.Fatal(err)
	}
	expect("the card is elsewhere", true)
}

func TestEveryCardNumberIsNewAndOfTheIssuer(t *testing.T) {
	n := opened(t, seededScheme(t))
	seen := map[string]bool{}
	for range 3 {
		pan, err := n.newPAN(t.Context())
		if err != nil || seen[pan.Reveal()] || !strings.HasPrefix(pan.Reveal(), n.scheme.IIN) {
			t.Fatal(pan, err)
		}
		seen[pan.Reveal()] = true
	}
	if _, err := n.cardNumber(t.Context(), "4111111111111111"); err == nil {
		t.Fatal("another issuer's number was taken")
	}
}

// Goal: no card carries money that nobody paid. Method: order a second card of a
// number that is given out, same words otherwise, and look at book and disk.
func TestANumberIsGivenOutOnce(t *testing.T) {
	n := opened(t, seededScheme(t))
	order := CardOrder{Path: filepath.Join(t.TempDir(), "a.card"), PAN: "6299990100000999", Balance: "50.00"}
	if _, err := n.cardNumber(t.Context(), order.PAN); err != nil {
		order.PAN = ident.WithLuhn(order.PAN[:15])
	}
	if _, err := n.IssueCard(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	order.Path = filepath.Join(t.TempDir(), "a.card")
	if _, err := n.IssueCard(t.Context(), order); err == nil {
		t.Fatal("a second card of the number was made")
	}
	if _, err := os.Stat(order.Path); !errors.Is(err, os.ErrNotExist) {
		t.Fatal("its file is there:", err)
	}
	if _, err := n.IssueCard(t.Context(), CardOrder{Name: "../a"}); err == nil {
		t.Fatal("a name that leads out of the folder was taken")
	}
}

// hasty is a caller who hangs up as soon as the card's file is there.
type hasty struct {
	context.Context
	hangUp context.CancelFunc
	path   string
}

func (h hasty) Done() <-chan struct{} {
	if _, err := os.Stat(h.path); err == nil {
		h.hangUp()
	}
	return h.Context.Done()
}

// Goal: a caller who hangs up while the book takes the card leaves no registered
// balance whose card file was thrown away.
func TestACardOutlivesItsCaller(t *testing.T) {
	n := opened(t, seededScheme(t))
	ctx, hangUp := context.WithCancel(t.Context())
	issued, err := n.IssueCard(hasty{ctx, hangUp, n.CardPath("anna")}, CardOrder{Name: "anna", Balance: "50.00"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(issued.Path); err != nil {
		t.Fatal(err)
	}
	if report, err := n.Audit(t.Context()); err != nil || !report.Conserved || report.Float != money.New(money.CNY, 5000) {
		t.Fatalf("%+v (%v)", report, err)
	}
}

// Goal: who calls a card's file as another did does not get into that one's account.
func TestFilesOfOneNameAreTwoAccounts(t *testing.T) {
	n := opened(t, seededScheme(t))
	accounts := map[string]bool{}
	for range 2 {
		issued, err := n.IssueCard(t.Context(), CardOrder{Path: filepath.Join(t.TempDir(), "my.card")})
		if err != nil {
			t.Fatal(err)
		}
		accounts[issued.Account] = true
	}
	if len(accounts) != 2 {
		t.Fatalf("accounts %v", accounts)
	}
}

// Goal: a host that listens and never answers ends as no answer, which the terminal
// reverses, and not as a till that hangs.
func TestASilentHostIsGivenUp(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	client := framed.NewClient(silent.Addr().String(), nil)
	defer client.Close()
	if _, err := (patient{client, time.Millisecond}).Exchange(t.Context(), []byte{1}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

// Goal: a second till of a shop leaves the shop as it was registered.
func TestASecondTillLeavesItsMerchantAlone(t *testing.T) {
	n := opened(t, seededScheme(t))
	shop := TerminalSpec{TID: "TILL0001", MID: "SHOP00000000001", MerchantName: "Noodles", Profile: "secure"}
	if err := n.EnsureTerminal(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	shop.TID, shop.MerchantName = "TILL0002", ""
	if err := n.EnsureTerminal(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	if m, err := n.acquirer.Merchant(t.Context(), shop.MID); err != nil || m.Name != "Noodles" {
		t.Fatalf("%+v (%v)", m, err)
	}
}

// Goal: no address is no port, and not any port of every interface.
func TestNoAddressIsNotServed(t *testing.T) {
	n := opened(t, seededScheme(t))
	if err := n.ServeRoles(t.Context(), Addresses{}); err != nil {
		t.Fatal(err)
	}
	if n.Bound() != (Addresses{}) {
		t.Fatalf("listens at %+v", n.Bound())
	}
}

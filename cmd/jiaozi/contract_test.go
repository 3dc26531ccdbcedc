package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"jiaozi/value/reason"
)

// run executes one command line in this process, as a script would.
func run(t *testing.T, ctx context.Context, stdin string, args ...string) (stdout string, code int) {
	t.Helper()
	root := rootCommand()
	var out bytes.Buffer
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(io.Discard)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil {
		t.Logf("jiaozi %s: %v", strings.Join(args, " "), err)
	}
	return out.String(), exitCode(err)
}

func runOK(t *testing.T, args ...string) string {
	t.Helper()
	out, code := run(t, t.Context(), "", args...)
	if code != 0 {
		t.Fatalf("jiaozi %s: exit %d", strings.Join(args, " "), code)
	}
	return out
}

// demoRun is one demo as a script reads it.
type demoRun struct {
	steps   []stepLine
	summary summaryLine
	coins   coinSummaryLine // of the story of coins
}

func playDemo(t *testing.T, dir string, more ...string) demoRun {
	t.Helper()
	out := runOK(t, append([]string{"demo", "--data", dir, "-o", "json"}, more...)...)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var run demoRun
	last := any(&run.summary)
	if slices.Contains(more, "coins") {
		last = &run.coins
	}
	for i, text := range lines {
		dec := json.NewDecoder(strings.NewReader(text))
		dec.DisallowUnknownFields()
		into := last
		if i < len(lines)-1 {
			run.steps = append(run.steps, stepLine{})
			into = &run.steps[i]
		}
		if err := dec.Decode(into); err != nil {
			t.Fatalf("line %d is not of the contract: %v: %s", i+1, err, text)
		}
	}
	return run
}

// Goal: the lines that scripts read have the promised form and add up. Method:
// parse them strictly, count the outcomes of payments, and compare.
func TestDemoKeepsItsContract(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	run := playDemo(t, dir)
	count := map[string]int{}
	for i, s := range run.steps {
		if s.Step != i+1 || s.Name == "" || s.Text == "" || s.Currency == "" || !s.Reason.Known() {
			t.Errorf("step %d: %+v", i+1, s)
		}
		count[s.Outcome]++
	}
	for outcome := range count {
		if !strings.Contains(" approved declined unknown recovered ", " "+outcome+" ") {
			t.Errorf("outcome %q", outcome)
		}
	}
	s := run.summary
	if !s.Summary || !s.Conserved || s.Taps < 25 || s.Taps != s.Approved+s.Declined+s.Recovered || s.Recovered != 2 || s.Loads < 3 {
		t.Errorf("summary %+v", s)
	}
	if count["recovered"] != s.Recovered || count["approved"] < s.Approved || count["declined"] < s.Declined {
		t.Errorf("steps %v do not fit the summary %+v", count, s)
	}
	shows(t, run, reason.InsufficientFunds, reason.OverSingleLimit, reason.OverTerminalLimit, reason.ForeignCurrency, reason.Blacklisted,
		reason.Expired, reason.ODAFailed, reason.Clone, reason.Recovered, reason.LoadLost, reason.Refunded)
}

// shows demands that every reason ends some step.
func shows(t *testing.T, run demoRun, wanted ...reason.Code) {
	t.Helper()
	seen := map[reason.Code]bool{}
	for _, s := range run.steps {
		seen[s.Reason] = true
	}
	for _, r := range wanted {
		if !seen[r] {
			t.Errorf("no step shows %s", r)
		}
	}
}

// Goal: a second demo on the same data continues: the same story, new cards, a
// longer journal, more float, and not a replay of the first.
func TestSecondDemoContinues(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first := playDemo(t, dir)
	entries := auditOK(t, dir).Entries
	second := playDemo(t, dir, "--lang", "zh")
	if got := auditOK(t, dir).Entries; got <= entries {
		t.Errorf("the journal has %d entries after the second run, %d after the first", got, entries)
	}
	a, b := first.summary, second.summary
	if a.Taps != b.Taps || a.Approved != b.Approved || a.Declined != b.Declined || a.Loads != b.Loads || a.Float == b.Float {
		t.Errorf("first %+v, second %+v", a, b)
	}
	if han := regexp.MustCompile(`\p{Han}`); !han.MatchString(second.steps[0].Text) || han.MatchString(first.steps[0].Text) {
		t.Errorf("languages: %q, %q", first.steps[0].Text, second.steps[0].Text)
	}
}

// Goal: the story of coins keeps the same contract, names exactly the three who paid
// twice, and a second run on the same data continues: it has its own figures, in the
// other language, months later. Method: strict parsing, counting, an audit.
func TestDemoOfCoinsKeepsItsContract(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first := playDemo(t, dir, "--story", "coins")
	count := map[string]int{}
	for i, s := range first.steps {
		if s.Step != i+1 || s.Name == "" || s.Text == "" || s.Currency == "" || !s.Reason.Known() {
			t.Errorf("step %d: %+v", i+1, s)
		}
		count[s.Outcome]++
	}
	s := first.coins
	if !s.Summary || !s.Conserved || s.Taps != s.Approved+s.Declined+s.Recovered || s.Taps < 20 || s.Loads < 5 {
		t.Errorf("summary %+v", s)
	}
	if s.CoinsIssued == 0 || s.CoinsDeposited == 0 || s.CoinsDeposited > s.CoinsIssued || s.DoubleSpends < 3 || s.Named != 3 || s.AccusedHonest != 0 {
		t.Errorf("coins %+v", s)
	}
	shows(t, first, reason.DoubleSpent, reason.CardNeeded, reason.AskMintFirst, reason.CoinsClaimed, reason.CoinExpired, reason.MintUnreachable, reason.AlreadyDone)
	doc := auditOK(t, dir)
	if len(doc.Coins) == 0 || doc.Coins[0].DoubleSpent != s.DoubleSpends || doc.Coins[0].Named != 3 {
		t.Errorf("audit %+v", doc.Coins)
	}

	second := playDemo(t, dir, "--story", "coins", "--lang", "zh")
	s.Float = second.coins.Float // what is outstanding of both runs
	if second.coins != s {
		t.Errorf("first %+v, second %+v", first.coins, second.coins)
	}
	if han := regexp.MustCompile(`\p{Han}`); !han.MatchString(second.steps[0].Text) {
		t.Errorf("language: %q", second.steps[0].Text)
	}
	if got := auditOK(t, dir); got.Entries <= doc.Entries || len(got.Coins) <= len(doc.Coins) {
		t.Errorf("the second run left %d entries, %d epochs after %d, %d", got.Entries, len(got.Coins), doc.Entries, len(doc.Coins))
	}
	// The other story goes on where this one has left the calendar.
	playDemo(t, dir)
	auditOK(t, dir)
}

func auditOK(t *testing.T, dir string) auditDoc {
	t.Helper()
	var doc auditDoc
	dec := json.NewDecoder(strings.NewReader(runOK(t, "audit", "--data", dir, "-o", "json")))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if !doc.Conserved || doc.Findings == nil || len(doc.Findings) != 0 {
		t.Fatalf("%+v", doc)
	}
	return doc
}

func TestWrongUseIsExitTwoAndStdoutStaysEmpty(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for _, args := range [][]string{
		{"demo", "--data", dir, "--story", "nonsense"},
		{"demo", "--data", dir, "-o", "xml"},
		{"demo", "--data", dir, "--lang", "fr"},
		{"audit", "--data", dir, "-o", "json"},
		{"up", "--data", dir},
		{"day", "--data", dir},
		{"terminal", "list", "--data", dir},
		{"terminal", "add", "--data", dir, "--mid", "1", "--tid", "2", "--tmk", "3"},
		{"pos", "--data", dir, "--tid", "TEA00001"},
		{"nonsense"},
	} {
		if out, code := run(t, t.Context(), "", args...); code != exitUsage || out != "" {
			t.Errorf("jiaozi %s: exit %d, stdout %q", strings.Join(args, " "), code, out)
		}
	}
}

func TestInitRefusesADirectoryThatHoldsAScheme(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	runOK(t, "init", "--data", dir)
	if _, code := run(t, t.Context(), "", "init", "--data", dir); code != exitUsage {
		t.Errorf("exit %d", code)
	}
	auditOK(t, dir)
}

func TestAProductionSchemeRefusesPublishedMasterKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	runOK(t, "init", "--data", dir)
	add := []string{"terminal", "add", "--data", dir, "--mid", "104110054110001", "--tid", "POS00001", "--profile", "cup", "--tmk"}
	if _, code := run(t, t.Context(), "", append(add, "0123456789ABCDEFFEDCBA9876543210")...); code != exitUsage {
		t.Errorf("exit %d", code)
	}
	runOK(t, append(add, "5D2C8A91E37F406B9A14C6D0F3B8275E")...)
}

// Goal: a customer pays in once, and the card loads from the account. Method:
// one voucher twice, then a load and a second one that the account cannot pay.
func TestAccountIsFilledOnceAndLoadsTheCard(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	runOK(t, "init", "--data", dir, "--test")
	pos, _ := serveUp(t, dir)
	runOK(t, "terminal", "add", "--data", dir, "--mid", strangerMID, "--tid", strangerTID, "--tmk", strings.Repeat("0123456789ABCDEF", 4))
	var made struct{ Account string }
	card := runOK(t, "card", "new", "--data", dir, "--file", filepath.Join(dir, "cards", "anna.card"), "--pin", "258036", "-o", "json")
	if err := json.Unmarshal([]byte(card), &made); err != nil || made.Account == "" {
		t.Fatal(err, card)
	}
	deposit := []string{"account", "deposit", "--data", dir, "--account", made.Account, "--amount", "80.00", "--voucher", "slip 1"}
	runOK(t, deposit...)
	runOK(t, deposit...)
	if got := runOK(t, "account", "show", "--data", dir, "--account", made.Account, "-o", "json"); !strings.Contains(got, `"balance":80.00`) {
		t.Fatal(got)
	}
	till := []string{"pos", "--data", dir, "--tid", strangerTID, "--host", pos}
	out, code := run(t, t.Context(), "signon\nload anna 60.00 account\n258036\nload anna 60.00 account\n258036\n", till...)
	if code != exitDeclined || !strings.Contains(out, "approved approved") || !strings.Contains(out, "declined account_insufficient") {
		t.Fatalf("exit %d: %s", code, out)
	}
	for _, args := range [][]string{{"--account", "nobody", "--amount", "1.00"}, {"--account", made.Account}, {"--account", made.Account, "--amount", "-1.00"}} {
		if _, code := run(t, t.Context(), "", append([]string{"account", "deposit", "--data", dir}, args...)...); code != exitUsage {
			t.Errorf("deposit %v: exit %d", args, code)
		}
	}
	auditOK(t, dir)
}

func TestAuditOfADamagedVaultIsADocument(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	runOK(t, "init", "--data", dir, "--test")
	path := filepath.Join(dir, "vault.age")
	sealed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sealed[len(sealed)-10] ^= 1
	if err := os.WriteFile(path, sealed, 0o600); err != nil {
		t.Fatal(err)
	}
	out, code := run(t, t.Context(), "", "audit", "--data", dir, "-o", "json")
	var doc auditDoc
	if err := json.Unmarshal([]byte(out), &doc); err != nil || doc.Conserved || len(doc.Findings) != 1 || code != exitIntegrity {
		t.Fatalf("exit %d, %v: %s", code, err, out)
	}
}

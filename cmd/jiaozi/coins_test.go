package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"jiaozi/node"
	"jiaozi/wire/coin"
)

// coinTown is a running scheme with a mint, and a folder for wallets.
type coinTown struct {
	*testing.T
	data, dir, mint, http string
	stop                  func()
}

func newCoinTown(t *testing.T) *coinTown {
	t.Helper()
	t.Setenv("JIAOZI_KEY_FILE", "")
	b := &coinTown{T: t, data: filepath.Join(t.TempDir(), "data"), dir: t.TempDir()}
	runOK(t, "init", "--data", b.data, "--test")
	ctx, cancel := context.WithCancel(t.Context())
	lines, out := io.Pipe()
	root := rootCommand()
	root.SetOut(out)
	root.SetErr(io.Discard)
	root.SetArgs([]string{"up", "--data", b.data, "--pos", "127.0.0.1:0", "--http", "127.0.0.1:0", "--coins", "127.0.0.1:0"})
	ended := make(chan error, 1)
	go func() {
		err := root.ExecuteContext(ctx)
		out.CloseWithError(fmt.Errorf("up ended: %w", io.EOF))
		ended <- err
	}()
	stopped := false
	b.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("up: %v", err)
		}
	}
	t.Cleanup(b.stop)
	var pos string
	if _, err := fmt.Fscanf(lines, "points of sale on %s health and metrics on %s\ncoins on %s\n", &pos, &b.http, &b.mint); err != nil {
		t.Fatalf("up did not say where it listens: %v", err)
	}
	return b
}

func (b *coinTown) path(name string) string { return filepath.Join(b.dir, name) }

// do runs a command in JSON and decodes its answer strictly.
func (b *coinTown) do(into any, stdin string, args ...string) {
	b.Helper()
	out, code := run(b.T, b.Context(), stdin, append(args, "-o", "json")...)
	if code != 0 {
		b.Fatalf("jiaozi %s: exit %d", strings.Join(args, " "), code)
	}
	dec := json.NewDecoder(strings.NewReader(out))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		b.Fatalf("jiaozi %s: %v in %s", strings.Join(args, " "), err, out)
	}
}

// fails runs a command that must end with this code.
func (b *coinTown) fails(code int, stdin string, args ...string) {
	b.Helper()
	if out, got := run(b.T, b.Context(), stdin, args...); got != code {
		b.Errorf("jiaozi %s: exit %d, want %d: %s", strings.Join(args, " "), got, code, out)
	}
}

// wallet gives the words of a wallet command, the mint's address where it is taken.
func (b *coinTown) wallet(name, verb string, more ...string) []string {
	args := []string{"wallet", verb, "--wallet", b.path(name)}
	if strings.Contains(" enroll keys withdraw deposit exchange refresh reclaim resume ", " "+verb+" ") {
		args = append(args, "--mint", b.mint)
	}
	return append(args, more...)
}

// join opens an account with 100.00 in it and makes a wallet for it.
func (b *coinTown) join(name string) {
	b.Helper()
	runOK(b.T, "account", "open", "--data", b.data, "--account", name)
	runOK(b.T, "account", "deposit", "--data", b.data, "--account", name, "--amount", "100.00")
	runOK(b.T, b.wallet(name, "init", "--phrase-out", b.path(name+".words"))...)
	code := runOK(b.T, "mint", "enroll", "--data", b.data, "--account", name)
	var done reportDoc
	b.do(&done, code, b.wallet(name, "enroll", "--account", name)...)
	if done.Wallet.Account != name {
		b.Fatalf("%+v", done)
	}
}

func (b *coinTown) withdraw(name, amount string) {
	b.Helper()
	var done reportDoc
	b.do(&done, "", b.wallet(name, "withdraw", "--amount", amount)...)
	if done.Withdrawn.String() != amount {
		b.Fatalf("%+v", done)
	}
}

// pay carries a payment by texts: request, payment, receipt.
func (b *coinTown) pay(from, to string, demand ...string) passed {
	b.Helper()
	request := runOK(b.T, b.wallet(to, "request", demand...)...)
	payment, code := run(b.T, b.Context(), request, b.wallet(from, "pay")...)
	if code != 0 {
		b.Fatalf("pay: exit %d", code)
	}
	receipt, code := run(b.T, b.Context(), payment, b.wallet(to, "receive")...)
	if code != 0 {
		b.Fatalf("receive: exit %d", code)
	}
	var done passed
	b.do(&done, receipt, b.wallet(from, "receipt")...)
	return done
}

func (b *coinTown) holds(name string) walletDoc {
	b.Helper()
	var doc walletDoc
	b.do(&doc, "", b.wallet(name, "balance")...)
	return doc
}

func (b *coinTown) account(name, want string) {
	b.Helper()
	if got := runOK(b.T, "account", "show", "--data", b.data, "--account", name, "-o", "json"); !strings.Contains(got, `"balance":`+want) {
		b.Errorf("account of %s: %s, want %s", name, got, want)
	}
}

func (b *coinTown) copyWallet(from, to string) {
	b.Helper()
	for _, end := range []string{"", ".key"} {
		raw, err := os.ReadFile(b.path(from) + end)
		if err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(b.path(to)+end, raw, 0o600); err != nil {
			b.Fatal(err)
		}
	}
}

// Goal: electronic cash by commands alone: coins go from hand to hand without the
// mint, come back through two accounts, and the mint's books add up.
func TestCoinsGoFromHandToHandByCommands(t *testing.T) {
	b := newCoinTown(t)
	for _, name := range []string{"anna", "ben", "cora"} {
		b.join(name)
		b.withdraw(name, "5.00")
	}
	b.account("anna", "95.00")
	if got := b.pay("anna", "ben", "--amount", "2.35", "--memo", "tea"); got.Wallet.Available != "2.65" || got.Wallet.Pending != "0.00" {
		t.Errorf("%+v", got)
	}
	b.pay("ben", "cora", "--amount", "7.00")
	b.pay("cora", "anna", "--amount", "0.01", "--deposit")
	for name, want := range map[string]string{"anna": "2.65", "ben": "0.35", "cora": "11.99"} {
		if got := b.holds(name); got.Available.String() != want {
			t.Errorf("%s holds %+v, want %s", name, got, want)
		}
		runOK(t, b.wallet(name, "deposit")...)
	}
	b.account("anna", "97.66")
	b.account("ben", "95.35")
	b.account("cora", "106.99")
	var status []node.EpochState
	b.do(&status, "", "mint", "status", "--data", b.data)
	if len(status) == 0 || status[0].Issued != "15.00" || status[0].Outstanding != "0.00" || !status[0].Balanced {
		t.Errorf("%+v", status)
	}
	b.stop()
	auditOK(t, b.data)
}

// Goal: a merchant without a wallet account of its own is paid over HTTP, by a
// payer who has too much in one coin and no smaller one, and gives change.
func TestATillTakesAPaymentOverHTTP(t *testing.T) {
	b := newCoinTown(t)
	b.join("anna")
	b.withdraw("anna", "5.00")
	runOK(t, "mint", "merchant", "--data", b.data, "--account", "shop-1", "--mid", strangerMID, "--group", "canteen")
	runOK(t, b.wallet("till", "init", "--phrase-out", b.path("till.words"))...)
	runOK(t, b.wallet("till", "keys")...)
	lines, out := io.Pipe()
	root := rootCommand()
	root.SetOut(out)
	root.SetErr(io.Discard)
	root.SetArgs(b.wallet("till", "request", "--amount", "1.11", "--payee", "shop-1", "--listen", "127.0.0.1:0", "-o", "json"))
	ended := make(chan error, 1)
	go func() {
		ended <- root.ExecuteContext(t.Context())
		out.Close()
	}()
	dec := json.NewDecoder(lines)
	var asked, got passed
	if err := dec.Decode(&asked); err != nil {
		t.Fatal(err)
	}
	b.fails(exitDeclined, asked.Message.Text, b.wallet("anna", "pay", "--post", "--at-most", "1.10")...)
	var paid passed
	b.do(&paid, asked.Message.Text, b.wallet("anna", "pay", "--post", "--at-most", "1.11")...)
	if err := dec.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if paid.Amount != "1.11" || paid.Wallet.Available != "3.89" || paid.Wallet.Pending != "0.00" || got.Wallet.Pending != "1.11" {
		t.Errorf("paid %+v, got %+v", paid, got)
	}
	b.fails(exitUnreachable, asked.Message.Text, b.wallet("anna", "pay", "--post")...) // the till has gone
	var done reportDoc
	b.do(&done, "", b.wallet("till", "deposit")...)
	if done.Credited != "1.11" || done.Wallet.Pending != "0.00" {
		t.Errorf("%+v", done)
	}
}

// Goal: whoever pays with a copied wallet file is named, by a proof that anyone can
// check with the mint's keys alone, and a changed proof is found out.
func TestWhoPaysTwiceIsNamedToAnyone(t *testing.T) {
	b := newCoinTown(t)
	for _, name := range []string{"anna", "ben", "cora"} {
		b.join(name)
	}
	b.withdraw("anna", "4.00")
	b.copyWallet("anna", "copy")
	b.pay("anna", "ben", "--amount", "4.00", "--deposit")
	runOK(t, b.wallet("cora", "keys")...)
	b.pay("copy", "cora", "--amount", "4.00", "--deposit")
	runOK(t, b.wallet("ben", "deposit")...)
	out, code := run(t, t.Context(), "", b.wallet("cora", "deposit", "-o", "json")...)
	if code != exitDeclined || !strings.Contains(out, `"code":"double_spent"`) {
		t.Errorf("exit %d: %s", code, out)
	}
	b.account("ben", "104.00")
	b.account("cora", "100.00")
	keys, folder := b.path("keys.jz"), b.path("guilt")
	runOK(t, "mint", "keys", "--data", b.data, "--out", keys)
	var list []guiltDoc
	b.do(&list, "", "mint", "guilt", "--data", b.data, "--out", folder)
	if len(list) == 0 {
		t.Fatal("nobody was named")
	}
	for _, g := range list {
		var named namedDoc
		b.do(&named, "", "coin", "trace", g.File, "--keys", keys)
		if named.Account != "anna" || named.Identity != g.Identity || !named.Proven {
			t.Errorf("%+v", named)
		}
	}
	raw, err := os.ReadFile(list[0].File)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	if err := os.WriteFile(list[0].File, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	b.fails(exitIntegrity, "", "coin", "trace", list[0].File, "--keys", keys)
}

// Goal: a lost wallet comes back from its words, and a backup knows that it is one.
func TestALostWalletComesBackFromItsWords(t *testing.T) {
	b := newCoinTown(t)
	b.join("anna")
	b.withdraw("anna", "3.00")
	runOK(t, b.wallet("anna", "backup", "--out", b.path("anna.backup"))...)
	runOK(t, b.wallet("again", "restore", "--account", "anna", "--phrase-file", b.path("anna.words"))...)
	var done reportDoc
	b.do(&done, "", b.wallet("again", "refresh")...)
	if done.Wallet.Available != "3.00" || done.Wallet.Account != "anna" {
		t.Errorf("%+v", done)
	}
	words, err := os.ReadFile(b.path("anna.words"))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(b.path("anna.words")); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	if _, code := run(t, t.Context(), string(words), b.wallet("third", "restore", "--account", "anna")...); code != 0 {
		t.Errorf("exit %d", code)
	}
	b.fails(exitUsage, strings.Replace(string(words), " ", " zebra ", 1), b.wallet("fourth", "restore", "--account", "anna")...)
	runOK(t, b.wallet("fifth", "restore", "--backup", b.path("anna.backup"), "--backup-key-file", b.path("anna.key"))...)
	if got := b.holds("fifth"); got.Available != "0.00" || got.Recoverable != "3.00" {
		t.Errorf("%+v", got)
	}
	b.fails(exitUsage, "", b.wallet("sixth", "init")...) // nobody would see the words
	if _, err := os.Stat(b.path("sixth")); err == nil {
		t.Error("a wallet whose words nobody saw")
	}
	b.fails(exitUsage, "", b.wallet("anna", "init", "--phrase-out", b.path("other.words"))...)
	if _, err := os.Stat(b.path("other.words")); err == nil {
		t.Error("words of a wallet that was not made")
	}
}

func TestWalletErrorsHaveTheirExitCodes(t *testing.T) {
	b := newCoinTown(t)
	b.join("anna")
	b.join("ben")
	b.withdraw("anna", "1.00")
	b.withdraw("ben", "1.00")
	other := newCoinTown(t)
	other.join("zoe")
	other.withdraw("zoe", "1.00")
	request := runOK(t, b.wallet("ben", "request", "--amount", "0.50")...)
	b.fails(exitDeclined, runOK(t, b.wallet("ben", "request", "--amount", "5.00")...), b.wallet("anna", "pay")...)
	b.fails(exitIntegrity, request, other.wallet("zoe", "pay")...)
	b.fails(exitIntegrity, "", append(other.wallet("zoe", "keys"), "--mint", b.mint)...)
	b.fails(exitDeclined, "", b.wallet("anna", "withdraw", "--amount", "1000.00")...)
	b.fails(exitUsage, "", b.wallet("anna", "withdraw", "--amount", "much")...)
	b.fails(exitUsage, "jiaozi:nonsense", b.wallet("anna", "pay")...)
	b.fails(exitUsage, request, b.wallet("anna", "pay", "--qr", "gif")...)
	b.fails(exitUsage, request, b.wallet("anna", "pay", "--form", "xml")...)
	b.fails(exitUsage, request, append(b.wallet("anna", "pay", "--in", "-"), "jiaozi:twice")...)
	b.fails(exitUsage, request, b.wallet("ben", "receive")...) // a request is no payment
	b.fails(exitUsage, "", b.wallet("nobody", "balance")...)
	b.fails(exitUsage, "", b.wallet("anna", "balance", "--key-file", b.path("ben.key"))...)
	b.fails(exitUsage, "", b.wallet("anna", "reclaim", "--request", "12")...)
	b.fails(exitUsage, "", b.wallet("anna", "resume", "--mint", "nowhere")...)
	b.fails(exitUsage, "", "account", "open", "--data", b.data, "--account", "A B")
	b.fails(exitUsage, "", "mint", "enroll", "--data", b.data, "--account", "nobody")

	m, err := coin.ParseText(strings.TrimSpace(request))
	if err != nil {
		t.Fatal(err)
	}
	old := m.(*coin.Request)
	old.Time -= 4000
	old.Expires -= 4000
	text, err := coin.Text(old)
	if err != nil {
		t.Fatal(err)
	}
	b.fails(exitDeclined, text, b.wallet("anna", "pay")...)

	raw, err := os.ReadFile(b.path("anna"))
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-3] ^= 1
	if err := os.WriteFile(b.path("anna"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	b.fails(exitIntegrity, "", b.wallet("anna", "balance")...)
	b.stop()
	b.fails(exitUnreachable, "", b.wallet("ben", "withdraw", "--amount", "1.00")...)
	if got := b.holds("ben"); got.Available != "1.00" {
		t.Errorf("%+v", got)
	}
}

// Goal: two sides with no network pass pictures: QR sheets out, the same read in.
func TestPaymentsGoThroughPictures(t *testing.T) {
	b := newCoinTown(t)
	b.join("anna")
	b.join("ben")
	b.withdraw("anna", "1.00")
	b.withdraw("ben", "1.00")
	runOK(t, b.wallet("ben", "request", "--amount", "0.75", "--qr", "png", "--out", b.path("request.png"))...)
	runOK(t, b.wallet("anna", "pay", "--qr-in", b.path("request.png"), "--qr", "png", "--out", b.path("payment.png"))...)
	receipt := runOK(t, b.wallet("ben", "receive", "--qr-in", b.path("payment.png"), "--form", "ndef", "--out", b.path("receipt.ndef"))...)
	if strings.Contains(strings.ToLower(receipt), "jiaozi:") {
		t.Error("the receipt went to the file and to standard output")
	}
	runOK(t, b.wallet("anna", "receipt", "--in", b.path("receipt.ndef"))...)
	if a, c := b.holds("anna"), b.holds("ben"); a.Available != "0.25" || c.Available != "1.75" {
		t.Errorf("%+v, %+v", a, c)
	}
	for _, form := range []string{"svg", "terminal"} {
		if out := runOK(t, b.wallet("ben", "request", "--amount", "0.01", "--qr", form)...); len(out) < 1000 {
			t.Errorf("%s: %q", form, out)
		}
	}
	var report struct{ Kind, Text string }
	if err := json.Unmarshal([]byte(runOK(t, "coin", "explain", "--qr-in", b.path("payment.png"), "--lang", "zh", "-o", "json")), &report); err != nil || report.Kind != "coin" || !regexp.MustCompile(`\p{Han}`).MatchString(report.Text) {
		t.Error(err, report)
	}
	keys := b.path("keys.jz")
	runOK(t, b.wallet("ben", "keys", "--out", keys)...)
	if out := runOK(t, "coin", "verify", "--keys", keys, "--qr-in", b.path("payment.png"), "-o", "json"); !strings.Contains(out, `"sum":0.75`) {
		t.Error(out)
	}
	other := newCoinTown(t)
	runOK(t, "mint", "keys", "--data", other.data, "--out", keys)
	b.fails(exitIntegrity, "", "coin", "verify", "--keys", keys, "--qr-in", b.path("payment.png"))
}

// Goal: with a card the wallet alone pays nothing, a wrong PIN is told apart, and the
// server has counted what it was asked.
func TestAWalletWithACardPaysWithItOnly(t *testing.T) {
	b := newCoinTown(t)
	card := filepath.Join(b.data, "cards", "anna.card")
	var made struct{ Account string }
	if err := json.Unmarshal([]byte(runOK(t, "card", "new", "--data", b.data, "--file", card, "--pin", "258036", "-o", "json")), &made); err != nil {
		t.Fatal(err)
	}
	runOK(t, "account", "deposit", "--data", b.data, "--account", made.Account, "--amount", "10.00")
	for name, text := range map[string]string{"pin": "258036\n", "wrong": "111111\n"} {
		if err := os.WriteFile(b.path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	with := []string{"--card", card, "--card-key-file", filepath.Join(b.data, "scheme.key"), "--card-pin-file", b.path("pin")}
	runOK(t, b.wallet("anna", "init", append(with, "--phrase-out", b.path("words"))...)...)
	code := runOK(t, "mint", "enroll", "--data", b.data, "--account", made.Account)
	if _, exit := run(t, t.Context(), code, b.wallet("anna", "enroll", append(with, "--account", made.Account)...)...); exit != 0 {
		t.Fatalf("enroll: exit %d", exit)
	}
	runOK(t, b.wallet("anna", "withdraw", append(with, "--amount", "3.00")...)...)
	b.join("ben")
	b.withdraw("ben", "1.00")
	request := runOK(t, b.wallet("ben", "request", "--amount", "0.70")...)
	b.fails(exitDeclined, request, b.wallet("anna", "pay")...)
	b.fails(exitDeclined, request, b.wallet("anna", "pay", append(with, "--card-pin-file", b.path("wrong"))...)...)
	payment, exit := run(t, t.Context(), request, b.wallet("anna", "pay", with...)...)
	if exit != 0 {
		t.Fatalf("pay: exit %d", exit)
	}
	if _, exit := run(t, t.Context(), payment, b.wallet("ben", "receive")...); exit != 0 {
		t.Errorf("receive: exit %d", exit)
	}
	metrics := fetch(t, b.http+"/metrics")
	for _, want := range []string{`jiaozi_mint_requests_total{kind="enrol",result="answered"} 2`, `jiaozi_mint_requests_total{kind="challenge",result="answered"}`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

func TestEveryCoinCommandHasHelp(t *testing.T) {
	for _, room := range rootCommand().Commands() {
		if !strings.Contains(" wallet mint coin account ", " "+room.Name()+" ") {
			continue
		}
		for _, cmd := range room.Commands() {
			var out bytes.Buffer
			cmd.SetOut(&out)
			if err := cmd.Help(); err != nil || cmd.Short == "" || !strings.Contains(out.String(), "--lang en|zh") {
				t.Errorf("%s: %v: %s", cmd.CommandPath(), err, out.String())
			}
		}
	}
}

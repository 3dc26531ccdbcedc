package crash

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// exitUnreachable: the mint was not there; what was begun is kept.
const exitUnreachable = 4

// bank is a scheme with a mint, each a process of its own, and the wallets of
// people, each a file.
type bank struct {
	t         *testing.T
	dir, home string                   // of the scheme, of the wallets
	mint      string                   // address, the same in every life
	account   map[string]string        // of each wallet
	usual     map[string]time.Duration // how long each command takes
	proxy     *proxy
	kill      func() (complaints string) // of the server
}

const startFen = 100_00 // in each account

func newBank(t *testing.T, dir, home string, people ...string) *bank {
	t.Helper()
	b := &bank{t: t, dir: dir, home: home, account: map[string]string{}, usual: map[string]time.Duration{}, mint: "127.0.0.1:0"}
	b.must("init", "--data", dir, "--test")
	b.open()
	t.Cleanup(func() { b.kill() })
	b.proxy = newProxy(t, b)
	for _, name := range people {
		b.account[name] = name
		b.must("account", "open", "--data", dir, "--account", name)
		b.must("account", "deposit", "--data", dir, "--account", name, "--amount", "100.00", "--voucher", "first")
		code := b.must("mint", "enroll", "--data", dir, "--account", name)
		b.must("wallet", "init", "--wallet", b.file(name), "--phrase-out", b.file(name+".words"))
		if r := feed(t, deadline, bytes.NewReader(code.out), "wallet", "enroll", "--wallet", b.file(name), "--mint", "http://"+b.mint, "--account", name); r.code != 0 {
			t.Fatal(r)
		}
		b.wallet(name, "withdraw", "--amount", "0.01") // blanks with it
		b.wallet(name, "deposit")
	}
	return b
}

func (b *bank) file(name string) string { return filepath.Join(b.home, name) }

func (b *bank) must(args ...string) run {
	b.t.Helper()
	r := play(b.t, args...)
	if r.code != 0 {
		b.t.Fatalf("%s", r)
	}
	return r
}

// open starts the server, after its death at the same address.
func (b *bank) open() {
	b.t.Helper()
	said, kill := serve(b.t, 2, "--data", b.dir, "--pos", "127.0.0.1:0", "--http", "127.0.0.1:0", "--coins", b.mint)
	b.mint, b.kill = strings.TrimPrefix(said[1], "coins on http://"), kill
}

// args is a command of somebody's wallet, through the proxy if it needs the mint.
func (b *bank) args(name, verb string, more ...string) []string {
	args := append([]string{"wallet", verb, "--wallet", b.file(name), "-o", "json"}, more...)
	switch verb {
	case "withdraw", "deposit", "resume", "refresh", "exchange":
		args = append(args, "--mint", b.proxy.URL)
	}
	return args
}

func (b *bank) wallet(name, verb string, more ...string) run {
	b.t.Helper()
	r := b.must(b.args(name, verb, more...)...)
	b.usual[verb] = r.took
	return r
}

// fen reads an amount of money.
func (b *bank) fen(n json.Number) int {
	b.t.Helper()
	var yuan, fen int
	if _, err := fmt.Sscanf(n.String(), "%d.%02d", &yuan, &fen); err != nil {
		b.t.Fatalf("%q is no amount: %v", n, err)
	}
	return 100*yuan + fen
}

// held is what a wallet holds, and how much of it is pending.
func (b *bank) held(name string) (all, pending int) {
	b.t.Helper()
	var doc struct{ Available, Pending, Recoverable json.Number }
	r := b.wallet(name, "balance")
	if err := json.Unmarshal(r.out, &doc); err != nil {
		b.t.Fatalf("%v\n%s", err, r)
	}
	pending = b.fen(doc.Pending)
	return b.fen(doc.Available) + pending + b.fen(doc.Recoverable), pending
}

func (b *bank) balance(name string) int {
	b.t.Helper()
	var doc struct{ Balance json.Number }
	r := b.must("account", "show", "--data", b.dir, "--account", name, "-o", "json")
	if err := json.Unmarshal(r.out, &doc); err != nil {
		b.t.Fatalf("%v\n%s", err, r)
	}
	return b.fen(doc.Balance)
}

// settled ends what is pending and compares everything with everything: accounts,
// wallets, the mint's published books, proofs of guilt, the audit.
func (b *bank) settled() {
	b.t.Helper()
	accounts, wallets := 0, 0
	for name, account := range b.account {
		b.wallet(name, "resume")
		all, pending := b.held(name)
		if pending != 0 {
			b.t.Errorf("%s has reconnected and %d fen are pending", name, pending)
		}
		accounts, wallets = accounts+b.balance(account), wallets+all
	}
	var epochs []struct {
		Outstanding  json.Number
		Balanced     bool
		Named        int
		DoubleSpends int `json:"double_spends"`
	}
	r := b.must("mint", "status", "--data", b.dir, "-o", "json")
	if err := json.Unmarshal(r.out, &epochs); err != nil {
		b.t.Fatalf("%v\n%s", err, r)
	}
	outstanding := 0
	for _, e := range epochs {
		outstanding += b.fen(e.Outstanding)
		if !e.Balanced || e.Named+e.DoubleSpends > 0 {
			b.t.Errorf("the mint publishes %+v", e)
		}
	}
	if accounts+wallets != startFen*len(b.account) || wallets != outstanding {
		b.t.Errorf("accounts hold %d, wallets %d, outstanding are %d", accounts, wallets, outstanding)
	}
	if r := b.must("mint", "guilt", "--data", b.dir, "-o", "json"); string(bytes.TrimSpace(r.out)) != "[]" {
		b.t.Errorf("somebody is accused: %s", r)
	}
	mustConserve(b.t, b.dir)
}

// proxy stands between wallets and the mint. It kills a wallet before it passes the
// n-th request on, or before it hands the n-th answer back.
type proxy struct {
	*httptest.Server
	b      *bank
	mu     sync.Mutex
	passed int
	at     int // from 1 on; 0: never
	kill   context.CancelFunc
}

func newProxy(t *testing.T, b *bank) *proxy {
	p := &proxy{b: b}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

// arm has the wallet of ctx killed at the n-th event.
func (p *proxy) arm(at int, kill context.CancelFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passed, p.at, p.kill = 0, at, kill
}

// pass reports whether the wallet lives on.
func (p *proxy) pass(r *http.Request) bool {
	p.mu.Lock()
	p.passed++
	deadly := p.passed == p.at
	p.mu.Unlock()
	if !deadly {
		return true
	}
	p.kill()
	<-r.Context().Done() // its connection dies with it
	return false
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || !p.pass(r) {
		return
	}
	answer, err := http.Post("http://"+p.b.mint+r.URL.Path, r.Header.Get("Content-Type"), bytes.NewReader(body))
	if err != nil {
		panic(http.ErrAbortHandler) // the mint is dead: so is this line
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if !p.pass(r) {
		return
	}
	w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
	w.WriteHeader(answer.StatusCode)
	_, _ = w.Write(said) // the wallet may be dead
}

// killAt plays a wallet's command and kills it at the n-th event on its line.
func (b *bank) killAt(n int, args []string) run {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), deadline)
	defer cancel()
	b.proxy.arm(n, cancel)
	defer b.proxy.arm(0, nil)
	return under(ctx, b.t, nil, args...)
}

// between skips steps unless there is time for all.
func between(steps int) int {
	if os.Getenv("JIAOZI_SOAK") != "" {
		return 1
	}
	return steps
}

// Goal: a wallet that dies between any two messages of a withdrawal, a deposit or a
// restoring loses nothing. Method: a proxy kills the program at each of them.
func TestWalletKilledAtAnyMessageLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the program many times; left out of -short")
	}
	t.Parallel()
	b := newBank(t, filepath.Join(t.TempDir(), "data"), t.TempDir(), "anna")
	kills := 0
	for at := 1; ; at += between(4) {
		before, _ := b.held("anna")
		r := b.killAt(at, b.args("anna", "withdraw", "--amount", "0.21"))
		kills++
		if all, _ := b.held("anna"); all != before && all != before+21 {
			t.Fatalf("killed at event %d: from %d to %d", at, before, all)
		}
		b.settled()
		if r.code >= 0 {
			break
		}
	}
	for at := 1; ; at++ {
		r := b.killAt(at, b.args("anna", "deposit"))
		kills++
		b.settled()
		if r.code >= 0 {
			break
		}
		b.wallet("anna", "withdraw", "--amount", "0.21")
	}
	b.wallet("anna", "withdraw", "--amount", "0.21")
	b.must("wallet", "restore", "--wallet", b.file("found"), "--account", "anna", "--phrase-file", b.file("anna.words"))
	for at := 1; ; at += between(7) {
		kills++
		if b.killAt(at, b.args("found", "refresh")).code >= 0 {
			break
		}
	}
	if all, pending := b.held("found"); all != 21 || pending != 0 {
		t.Errorf("restored are %d, pending %d of them", all, pending)
	}
	b.account = map[string]string{"found": "anna"}
	b.settled()
	t.Logf("%d kills", kills-3) // the last of each kind came too late
}

// Goal: a payment between two people, each of whom dies at any moment, arrives once.
// Method: SIGKILL at random moments of request, pay, receive and receipt.
func TestPaymentKilledAtAnyMomentArrivesOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the program many times; left out of -short")
	}
	t.Parallel()
	seed := crashSeed(t)
	t.Logf("JIAOZI_CRASH_SEED=%d repeats these moments", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	b := newBank(t, filepath.Join(t.TempDir(), "data"), t.TempDir(), "anna", "ben")
	rounds := 24 / between(4)
	for n := range rounds {
		b.wallet("anna", "withdraw", "--amount", "0.07")
		b.wallet("ben", "withdraw", "--amount", "0.01") // blanks with it
		to := filepath.Join(b.home, fmt.Sprint("step", n, "."))
		b.killed(dice, "ben", to+"request", "request", "--amount", "0.07")
		b.killed(dice, "anna", to+"payment", "pay", "--in", to+"request")
		b.killed(dice, "ben", to+"receipt", "receive", "--in", to+"payment")
		b.killed(dice, "anna", "", "receipt", "--in", to+"receipt")
	}
	b.settled()
	if got, _ := b.held("ben"); got != rounds*8 {
		t.Errorf("ben has %d, not %d", got, rounds*8)
	}
	t.Logf("%d commands were killed", rounds*4)
}

// killed plays a command that is killed somewhere, then once more to its end. A
// message that it leaves behind is whole.
func (b *bank) killed(dice *rand.Rand, name, out, verb string, more ...string) {
	b.t.Helper()
	if out != "" {
		more = append(more, "--out", out)
	}
	usual := cmp.Or(b.usual[verb], 200*time.Millisecond)
	r := playFor(b.t, time.Duration(dice.Int64N(int64(usual))), b.args(name, verb, more...)...)
	if r.code > 0 {
		b.t.Fatalf("before it was killed\n%s", r)
	}
	left, _ := os.ReadFile(out)
	if r.code == 0 && verb == "request" {
		return
	}
	b.wallet(name, verb, more...)
	whole, _ := os.ReadFile(out)
	if len(left) > 0 && verb != "request" && !bytes.Equal(left, whole) {
		b.t.Errorf("%s again handed over something else", verb)
	}
}

// Goal: a mint that dies at any moment has done what it said, and loses nothing of
// what it did not say. Method: the server is killed and opened again while several
// wallets withdraw and deposit.
func TestKilledMintKeepsItsWord(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the server many times; left out of -short")
	}
	t.Parallel()
	seed := crashSeed(t)
	t.Logf("JIAOZI_CRASH_SEED=%d repeats these moments", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	b := newBank(t, filepath.Join(t.TempDir(), "data"), t.TempDir(), "anna", "ben", "cora")
	rounds := 4 * 6 / between(6)
	for range rounds {
		var busy sync.WaitGroup
		for name := range b.account {
			busy.Go(func() { b.customer(name) })
		}
		after := time.Duration(dice.Int64N(int64(700 * time.Millisecond)))
		gone := make(chan struct{})
		time.AfterFunc(after, func() { b.kill(); close(gone) })
		<-gone
		busy.Wait()
		b.open()
		b.settled()
	}
	t.Logf("%d kills of the server", rounds)
}

// customer withdraws and deposits until the mint is gone.
func (b *bank) customer(name string) {
	for {
		for _, args := range [][]string{b.args(name, "withdraw", "--amount", "0.13"), b.args(name, "deposit", "--amount", "0.05")} {
			r := play(b.t, args...)
			if r.code == 0 {
				continue
			}
			if r.code != exitUnreachable {
				b.t.Errorf("a mint that is gone: %s", r)
			}
			return
		}
	}
}

// fill leaves so many kilobytes on a disk, and gives what frees the rest.
func (d disk) fill(kilobytes int64) (free func()) {
	d.t.Helper()
	path := filepath.Join(d.dir, "filler")
	for size := int64(1 << 20); size >= 4096; size /= 2 {
		for {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				d.t.Fatal(err)
			}
			_, err = f.Write(make([]byte, size))
			f.Close()
			if err != nil {
				break
			}
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() < kilobytes*1024 {
		d.t.Fatal(err, "the disk was too small to be filled")
	}
	if err := os.Truncate(path, info.Size()-kilobytes*1024); err != nil {
		d.t.Fatal(err)
	}
	return func() { os.Remove(path) }
}

// Goal: a full disk under the wallet is an error that says so; nothing is lost, and
// as soon as there is room all goes on.
func TestFullDiskUnderTheWalletLosesNoCoin(t *testing.T) {
	t.Parallel()
	for _, room := range []int64{0, 8} {
		t.Run(fmt.Sprintf("%d kB left", room), func(t *testing.T) {
			d := newDisk(t, 2048)
			b := newBank(t, filepath.Join(t.TempDir(), "data"), d.dir, "anna", "ben")
			b.wallet("anna", "withdraw", "--amount", "1.00")
			to := filepath.Join(t.TempDir(), "message")
			b.wallet("ben", "request", "--amount", "0.07", "--out", to+".request")
			before, _ := b.held("anna")
			free := d.fill(room)
			for _, args := range [][]string{b.args("anna", "withdraw", "--amount", "0.21"), b.args("anna", "deposit"), b.args("anna", "pay", "--in", to+".request", "--out", to+".payment")} {
				r := play(t, args...)
				if r.code <= 0 || !fullDisk.MatchString(r.errors) {
					t.Errorf("the error must say that the disk is full\n%s", r)
				}
				if all, _ := b.held("anna"); all != before {
					t.Errorf("from %d to %d", before, all)
				}
			}
			free()
			b.settled()
			b.wallet("anna", "pay", "--in", to+".request", "--out", to+".payment")
			b.wallet("ben", "receive", "--in", to+".payment", "--out", to+".receipt")
			b.wallet("anna", "receipt", "--in", to+".receipt")
			b.settled()
		})
	}
}

// Goal: the same under the mint: whoever withdraws or deposits meanwhile has it
// pending, and gets it once the mint is opened on a disk with room.
func TestFullDiskUnderTheMintLosesNoCoin(t *testing.T) {
	t.Parallel()
	d := newDisk(t, 64*1024)
	b := newBank(t, filepath.Join(d.dir, "data"), t.TempDir(), "anna", "ben")
	b.wallet("ben", "withdraw", "--amount", "1.00")
	free := d.fill(0)
	for n := 0; ; n++ { // the store may have room of its own for a while
		r := play(t, b.args("anna", "withdraw", "--amount", "0.01")...)
		s := play(t, b.args("ben", "deposit", "--amount", "0.01")...)
		if r.code > 0 && s.code > 0 {
			break
		}
		if n == 500 {
			t.Fatal("the mint goes on without a disk")
		}
	}
	if said := b.kill(); !fullDisk.MatchString(said) {
		t.Errorf("the mint must say that its disk is full: %s", said)
	}
	free()
	b.open()
	b.settled()
}

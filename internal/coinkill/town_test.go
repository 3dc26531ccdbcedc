//go:build linux

package coinkill

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"jiaozi/crypt/phrase"
	"jiaozi/node"
	"jiaozi/node/walletfile"
	"jiaozi/role/wallet"
	"jiaozi/value/money"
	"jiaozi/wire/coin"

	"filippo.io/age"
)

// town is a scheme whose mint answers on a loopback port, and the wallet files of
// some people, all with one key. No wallet is open while nobody uses it.
type town struct {
	*testing.T
	node   *node.Node
	dir    string
	key    *age.X25519Identity
	file   map[string]string      // where somebody's wallet is
	goesBy map[string]string      // who is meant by a name, if not its first bearer
	holds  map[string]money.Minor // what it held when it was last looked at
	funds  money.Minor            // of all together, in accounts and wallets
}

const startFunds = 100_00 // of each account

// few blanks and no change of coins for age, so that an operation is short.
var policy = wallet.Policy{Blanks: 3, RequestBlanks: 3, ChangeBlanks: 2}

func newTown(t *testing.T, people ...string) *town {
	t.Helper()
	seed := uint64(11)
	o := node.Options{Dir: filepath.Join(t.TempDir(), "data"), Test: true, Seed: &seed}
	w := &town{T: t, dir: t.TempDir(), file: map[string]string{}, goesBy: map[string]string{}, holds: map[string]money.Minor{}}
	w.must(node.Init(t.Context(), o))
	w.small(o.Dir)
	n, err := node.Open(t.Context(), o)
	w.must(err)
	w.node = n
	t.Cleanup(func() { w.must(n.Close()) })
	w.must(n.ServeRoles(t.Context(), node.Addresses{Coins: "127.0.0.1:0"}))
	w.key, err = age.GenerateX25519Identity()
	w.must(err)
	for _, name := range people {
		w.join(name)
	}
	return w
}

// small takes fewer denominations than a real scheme: a restored wallet asks for
// each of them.
func (w *town) small(dir string) {
	w.Helper()
	path := filepath.Join(dir, "scheme.json")
	raw, err := os.ReadFile(path)
	w.must(err)
	var scheme map[string]any
	w.must(json.Unmarshal(raw, &scheme))
	coins := scheme["coins"].(map[string]any)
	coins["denominations"], coins["notes"] = 7, []node.CoinNote{{Value: "0.64", Depth: 6}}
	raw, err = json.Marshal(scheme)
	w.must(err)
	w.must(os.WriteFile(path, raw, 0o600))
}

func (w *town) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *town) mint() string { return "http://" + w.node.Bound().Coins }

func (w *town) options(name string) node.WalletOptions {
	return node.WalletOptions{Path: w.file[name], Secret: walletfile.Key(w.key), Mint: w.mint(), Policy: policy}
}

func words(name string) phrase.Phrase {
	var entropy [phrase.Size]byte
	copy(entropy[:], name)
	return phrase.FromEntropy(entropy)
}

func yuan(fen money.Minor) money.Amount { return money.New(money.CNY, fen) }

// join opens an account with money in it, and a wallet with blanks.
func (w *town) join(name string) {
	w.Helper()
	_, err := node.OpenAccount{Account: name}.Run(w.Context(), w.node)
	w.must(err)
	w.must(w.node.Deposit(w.Context(), name, yuan(startFunds), "first"))
	w.funds += startFunds
	code, err := node.EnrolOrder{Account: name}.Run(w.Context(), w.node)
	w.must(err)
	w.file[name] = filepath.Join(w.dir, name)
	p, err := node.MakeWallet(w.options(name), words(name))
	w.must(err)
	w.must(p.RefreshKeys(w.Context()))
	w.must(p.Enrol(w.Context(), name, coin.EnrolCode(code.(node.EnrolCode).Code)))
	_, err = p.FillBlanks(w.Context())
	w.must(err)
	w.close(p)
}

// newcomer has somebody new go by a name from now on.
func (w *town) newcomer(name string) {
	w.Helper()
	w.goesBy[name] = fmt.Sprint(name, len(w.file))
	w.join(w.goesBy[name])
}

func (w *town) person(name string) string { return cmp.Or(w.goesBy[name], name) }

// restore is for somebody who has lost the wallet and has the words.
func (w *town) restore(name string) {
	w.Helper()
	name = w.person(name)
	w.file[name] += "+"
	p, err := node.RestoreWallet(w.options(name), words(name), name)
	w.must(err)
	w.must(p.RefreshKeys(w.Context()))
	w.close(p)
}

// with opens somebody's wallet for do, as after a crash.
func (w *town) with(name string, do func(*node.Purse) error) wallet.Balance {
	w.Helper()
	name = w.person(name)
	p, err := node.OpenWallet(w.options(name))
	w.must(err)
	if left, err := filepath.Glob(filepath.Join(w.dir, "."+filepath.Base(w.file[name])+".*")); err != nil || len(left) > 0 {
		w.Errorf("a killed write left %q behind: %v", left, err)
	}
	if err := do(p); err != nil {
		w.Fatalf("%s: %v", name, err)
	}
	b := p.Balance()
	w.holds[name] = sum(b)
	w.close(p)
	return b
}

// close lets a wallet go, while no child is being started: it would hold the lock
// until it has become another program.
func (w *town) close(p *node.Purse) {
	w.Helper()
	forking.RLock()
	defer forking.RUnlock()
	w.must(p.Close())
}

func nothing(*node.Purse) error { return nil }

func (w *town) resume(p *node.Purse) error {
	_, err := p.Resume(w.Context())
	return err
}

// gets empties a wallet and has it withdraw an amount, of which it then deposits
// some: what is left are the larger coins.
func (w *town) gets(name string, amount, back money.Minor) {
	w.Helper()
	w.with(name, func(p *node.Purse) error {
		if w.holds[w.person(name)] > 0 {
			if _, err := p.Deposit(w.Context(), yuan(0)); err != nil {
				return err
			}
		}
		_, err := p.Withdraw(w.Context(), wallet.Order{Amount: yuan(amount)})
		if err == nil && back > 0 {
			_, err = p.Deposit(w.Context(), yuan(back))
		}
		return err
	})
}

func sum(b wallet.Balance) money.Minor {
	return b.Available.Minor() + b.Pending.Minor() + b.Recoverable.Minor()
}

// accounts is what the bank owes the people.
func (w *town) accounts() money.Minor {
	w.Helper()
	var all money.Minor
	for name := range w.file {
		balance, err := w.node.AccountBalance(w.Context(), name)
		w.must(err)
		all += balance.Minor()
	}
	return all
}

// booked: at every moment accounts and coins outstanding are all the money.
func (w *town) booked() (outstanding money.Minor) {
	w.Helper()
	amount, err := w.node.CoinsOutstanding(w.Context())
	w.must(err)
	if got := w.accounts() + amount.Minor(); got != w.funds {
		w.Fatalf("accounts and coins outstanding are %d, not %d", got, w.funds)
	}
	return amount.Minor()
}

// settled: when nothing is on its way, the wallets hold exactly the coins that are
// outstanding.
func (w *town) settled() {
	w.Helper()
	var held money.Minor
	for _, n := range w.holds {
		held += n
	}
	if out := w.booked(); held != out {
		w.Fatalf("the wallets hold %d, outstanding are %d: %v", held, out, w.holds)
	}
}

// sound: nobody is accused, the mint's books are balanced, the audit finds nothing.
func (w *town) sound() {
	w.Helper()
	list, err := node.GuiltOrder{}.Run(w.Context(), w.node)
	w.must(err)
	if guilty := list.([]node.GuiltState); len(guilty) > 0 {
		w.Errorf("%d proofs of guilt, the first against %s", len(guilty), guilty[0].Account)
	}
	status, err := node.MintStatus{}.Run(w.Context(), w.node)
	w.must(err)
	for _, epoch := range status.([]node.EpochState) {
		if !epoch.Balanced || epoch.DoubleSpends > 0 || epoch.Named > 0 {
			w.Errorf("the mint publishes %+v", epoch)
		}
	}
	report, err := w.node.Audit(w.Context())
	w.must(err)
	if !report.Conserved {
		w.Errorf("the audit finds %+v", report.Findings)
	}
	for name := range w.file {
		w.with(name, func(p *node.Purse) error {
			if no := p.Refused(); len(no) > 0 {
				w.Errorf("%s was refused %d coins, the first because of %v", name, len(no), no[0].Code)
			}
			return nil
		})
	}
}

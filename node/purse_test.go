package node

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"jiaozi/crypt/phrase"
	"jiaozi/crypt/pin"
	"jiaozi/node/mintapi"
	"jiaozi/node/walletfile"
	"jiaozi/role/wallet"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// town is a running scheme and the wallets of people.
type town struct {
	*testing.T
	node *Node
	dir  string
}

func newTown(t *testing.T) *town {
	n := opened(t, seededScheme(t))
	if err := n.ServeRoles(t.Context(), Addresses{Coins: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	return &town{t, n, t.TempDir()}
}

func (w *town) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *town) options(name string) WalletOptions {
	secret, err := walletfile.Passphrase("the passphrase of "+name, 1)
	w.must(err)
	return WalletOptions{Path: filepath.Join(w.dir, name), Secret: secret, Mint: "http://" + w.node.Bound().Coins}
}

func words(name string) phrase.Phrase {
	var entropy [phrase.Size]byte
	copy(entropy[:], name)
	return phrase.FromEntropy(entropy)
}

func yuan(fen money.Minor) money.Amount { return money.New(money.CNY, fen) }

// open opens an account at the bank with money in it.
func (w *town) open(name string) {
	w.Helper()
	_, err := OpenAccount{name}.Run(w.Context(), w.node)
	w.must(err)
	_, err = DepositOrder{name, "100.00", "first"}.Run(w.Context(), w.node)
	w.must(err)
}

// join makes a wallet and enrols it; o says with what.
func (w *town) join(name string, o WalletOptions) *Purse {
	w.Helper()
	p, err := MakeWallet(o, words(name))
	w.must(err)
	w.Cleanup(func() { p.Close() })
	w.must(p.RefreshKeys(w.Context()))
	code, err := EnrolOrder{name}.Run(w.Context(), w.node)
	w.must(err)
	w.must(p.Enrol(w.Context(), name, coin.EnrolCode(code.(EnrolCode).Code)))
	return p
}

func (w *town) balance(account string) string {
	w.Helper()
	sum, err := w.node.AccountBalance(w.Context(), account)
	w.must(err)
	return sum.String()
}

// pay plays a payment on a request and gives what the payee says.
func (w *town) pay(from, to *Purse, d wallet.Demand) {
	w.Helper()
	d.Lifetime = 600
	request, err := to.Ask(d)
	w.must(err)
	payment, err := from.Pay(request)
	w.must(err)
	got, err := to.Receive(payment)
	w.must(err)
	_, err = from.TakeReceipt(got.Receipt)
	w.must(err)
}

// Goal: two copies of one wallet file both pay; whoever deposits second is not
// paid, and the proof names the owner and nobody else.
func TestACopiedWalletFileNamesItsOwner(t *testing.T) {
	w := newTown(t)
	w.open("anna")
	w.open("ben")
	w.open("cora")
	anna, ben, cora := w.join("anna", w.options("anna")), w.join("ben", w.options("ben")), w.join("cora", w.options("cora"))
	report, err := anna.Withdraw(t.Context(), wallet.Order{Amount: yuan(10_00)})
	w.must(err)
	if report.Withdrawn != yuan(10_00) || w.balance("anna") != "90.00" {
		t.Fatal(report.Withdrawn, w.balance("anna"))
	}
	w.must(anna.Close())
	raw, err := os.ReadFile(filepath.Join(w.dir, "anna"))
	w.must(err)
	w.must(os.WriteFile(filepath.Join(w.dir, "copy"), raw, 0o600))
	o := w.options("anna")
	anna, err = OpenWallet(o)
	w.must(err)
	defer anna.Close()
	if _, err := OpenWallet(o); !errors.Is(err, walletfile.ErrBusy) {
		t.Fatal(err)
	}
	o.Path = filepath.Join(w.dir, "copy")
	twin, err := OpenWallet(o)
	w.must(err)
	defer twin.Close()
	w.pay(anna, ben, wallet.Demand{Amount: yuan(10_00), Deposit: true})
	w.pay(twin, cora, wallet.Demand{Amount: yuan(10_00), Deposit: true})
	_, err = ben.Deposit(t.Context(), yuan(0))
	w.must(err)
	_, err = cora.Deposit(t.Context(), yuan(0))
	w.must(err)
	if w.balance("ben") != "110.00" || w.balance("cora") != "100.00" || len(cora.Refused()) == 0 {
		t.Fatal(w.balance("ben"), w.balance("cora"), cora.Refused())
	}
	list, err := GuiltOrder{}.Run(t.Context(), w.node)
	w.must(err)
	for _, g := range list.([]GuiltState) {
		if g.Account != "anna" {
			t.Errorf("named %q", g.Account)
		}
	}
	if len(list.([]GuiltState)) != len(cora.Refused()) {
		t.Errorf("%d proofs for %d refused coins", len(list.([]GuiltState)), len(cora.Refused()))
	}
}

// Goal: with a card the wallet file alone cannot pay; with it, it pays a merchant
// that has no wallet account of its own, and a restored one is known again.
func TestAWalletPaysWithItsCardOnly(t *testing.T) {
	w := newTown(t)
	card, err := w.node.IssueCard(t.Context(), CardOrder{Name: "anna", PIN: "258036"})
	w.must(err)
	_, err = DepositOrder{"anna", "100.00", "first"}.Run(t.Context(), w.node)
	w.must(err)
	shop := MerchantOrder{Account: "shop-1", MID: "104110054110001"}
	_, err = shop.Run(t.Context(), w.node)
	w.must(err)
	digits, err := pin.Parse("258036")
	w.must(err)
	o := w.options("anna")
	o.Card = &WalletCard{Path: filepath.Join(w.node.Dir(), card.Path), Key: w.node.key, PIN: digits}
	if filepath.IsAbs(card.Path) {
		o.Card.Path = card.Path
	}
	anna := w.join("anna", o)
	_, err = anna.Withdraw(t.Context(), wallet.Order{Amount: yuan(5_00)})
	w.must(err)
	till, err := MakeWallet(w.options("till"), words("till"))
	w.must(err)
	defer till.Close()
	w.must(till.RefreshKeys(t.Context()))
	w.pay(anna, till, wallet.Demand{Amount: yuan(2_00), Deposit: true, Payee: "shop-1"})
	report, err := till.Deposit(t.Context(), yuan(0))
	w.must(err)
	if report.Credited != yuan(2_00) {
		t.Fatal(report.Credited)
	}
	w.must(anna.Close())
	bare := o
	bare.Card = nil
	alone, err := OpenWallet(bare)
	w.must(err)
	defer alone.Close()
	request, err := till.Ask(wallet.Demand{Amount: yuan(1_00), Deposit: true, Payee: "shop-1", Lifetime: 600})
	w.must(err)
	if _, err := alone.Pay(request); !errors.Is(err, wallet.ErrNeedsCard) {
		t.Fatal(err)
	}
	again := o
	again.Path = filepath.Join(w.dir, "again")
	restored, err := RestoreWallet(again, words("anna"), "anna")
	w.must(err)
	defer restored.Close()
	_, err = restored.Refresh(t.Context())
	w.must(err)
	if got := restored.Balance(); got.Available != yuan(3_00) {
		t.Fatalf("%+v", got)
	}
}

func TestAMintThatIsNotThereIsUnreachable(t *testing.T) {
	w := newTown(t)
	w.open("anna")
	anna := w.join("anna", w.options("anna"))
	w.must(w.node.Close())
	_, err := anna.Withdraw(t.Context(), wallet.Order{Amount: yuan(1_00)})
	if !errors.Is(err, wallet.ErrOffline) || !errors.Is(err, mintapi.ErrUnreachable) {
		t.Fatal(err)
	}
	if got := anna.Balance(); got.Pending != yuan(1_00) {
		t.Errorf("%+v", got)
	}
}

func TestABackupPaysNothingBeforeItAsked(t *testing.T) {
	w := newTown(t)
	w.open("anna")
	anna := w.join("anna", w.options("anna"))
	_, err := anna.Withdraw(t.Context(), wallet.Order{Amount: yuan(3_00)})
	w.must(err)
	paper, err := walletfile.Passphrase("on paper", 1)
	w.must(err)
	backup, err := anna.Backup(paper)
	w.must(err)
	o := w.options("anna2")
	if _, err := RestoreBackup(o, backup, o.Secret); !errors.Is(err, walletfile.ErrForeign) {
		t.Fatal(err)
	}
	again, err := RestoreBackup(o, backup, paper)
	w.must(err)
	defer again.Close()
	if got := again.Balance(); got.Available != yuan(0) || got.Recoverable != yuan(3_00) {
		t.Fatalf("%+v", got)
	}
	_, err = again.Refresh(t.Context())
	w.must(err)
	if got := again.Balance(); got.Available != yuan(3_00) {
		t.Fatalf("%+v", got)
	}
}

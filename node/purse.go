package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"jiaozi/crypt/brands"
	"jiaozi/crypt/phrase"
	"jiaozi/crypt/pin"
	"jiaozi/node/cardfile"
	"jiaozi/node/mintapi"
	"jiaozi/node/observer"
	"jiaozi/node/walletfile"
	"jiaozi/role/card"
	"jiaozi/role/wallet"
	"jiaozi/value/clock"
	"jiaozi/value/money"
	"jiaozi/wire/apdu"
	"jiaozi/wire/coin"
)

// WalletOptions say which wallet to open, and with what.
type WalletOptions struct {
	Path     string            // of the wallet file
	Secret   walletfile.Secret // opens it
	Mint     string            // address of the mint's API; "" for a wallet that stays offline
	Card     *WalletCard       // nil: without the card
	Currency money.Currency    // zero: yuan
	Network  brands.Network    // the scheme, to pin before the mint is first asked; zero: the mint's word
	Policy   wallet.Policy
	Clock    clock.Clock // nil: the machine's
	Rand     io.Reader   // nil: the machine's
}

// WalletCard is a wallet's card: one in a file, or any other that is on Line.
type WalletCard struct {
	Path string
	Key  *age.X25519Identity // opens the file
	Line apdu.Card           // instead of Path
	PIN  pin.PIN             // zero: the card has none, or is only looked at
}

// Purse is an open wallet with all that it holds open. It belongs to one goroutine.
type Purse struct {
	*wallet.Wallet
	file *walletfile.File
	card *cardfile.File // nil unless its card is in a file
	mint *mintapi.Client
}

// Format shows nothing of the coins under every verb.
func (p *Purse) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "purse(sealed)") }

// OpenWallet opens a wallet's file. What was begun and not ended waits for Resume.
func OpenWallet(o WalletOptions) (*Purse, error) {
	return o.assemble(walletfile.Open, wallet.Open)
}

// MakeWallet makes a wallet from fresh words, which its owner has written down.
func MakeWallet(o WalletOptions, words phrase.Phrase) (*Purse, error) {
	return o.assemble(walletfile.Create, func(w wallet.World, c wallet.Config) (*wallet.Wallet, error) {
		return wallet.New(w, c, words)
	})
}

// RestoreWallet makes the wallet of an account anew from its words; Refresh then
// asks the mint for its coins.
func RestoreWallet(o WalletOptions, words phrase.Phrase, account string) (*Purse, error) {
	return o.assemble(walletfile.Create, func(w wallet.World, c wallet.Config) (*wallet.Wallet, error) {
		return wallet.Restore(w, c, words, account)
	})
}

// RestoreBackup makes a wallet of what Backup gave. It pays nothing before Refresh.
func RestoreBackup(o WalletOptions, backup []byte, secret walletfile.Secret) (*Purse, error) {
	state, err := walletfile.Unseal(backup, secret)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	return o.assemble(walletfile.Create, func(w wallet.World, c wallet.Config) (*wallet.Wallet, error) {
		// A file is made only of what opens: a foreign backup leaves none behind.
		trial := w
		trial.Store = &remembered{state}
		if _, err := wallet.Open(trial, c); err != nil {
			return nil, err
		}
		if err := w.Store.Save(state); err != nil {
			return nil, err
		}
		return wallet.Open(w, c)
	})
}

// KeysFile fetches the mint's keys for the wallet, and gives them as a file with
// which others check coins offline.
func (p *Purse) KeysFile(ctx context.Context) ([]byte, error) {
	if err := p.RefreshKeys(ctx); err != nil {
		return nil, err
	}
	raw, err := p.mint.Keys(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := coin.Parse[coin.Keys](raw)
	if err != nil {
		return nil, fmt.Errorf("the mint's keys: %w", err)
	}
	if brands.Network(keys.Network) != p.Network() {
		return nil, wallet.ErrNetwork // it has changed since a moment ago
	}
	return raw, nil
}

// remembered is a store in memory.
type remembered struct{ state []byte }

func (r *remembered) Load() ([]byte, error) { return r.state, nil }

func (r *remembered) Save(state []byte) error {
	r.state = state
	return nil
}

// Backup gives a copy of the wallet, sealed like its file or under another secret.
func (p *Purse) Backup(secret walletfile.Secret) ([]byte, error) {
	state, err := p.Wallet.Backup()
	if err != nil {
		return nil, err
	}
	return walletfile.Seal(state, secret)
}

// assemble opens file, mint and card, and the wallet over them.
func (o WalletOptions) assemble(
	file func(string, walletfile.Secret) (*walletfile.File, error), open func(wallet.World, wallet.Config) (*wallet.Wallet, error),
) (_ *Purse, err error) {
	world := wallet.World{Clock: o.Clock, Rand: o.Rand}
	if world.Clock == nil {
		world.Clock = clock.System{}
	}
	if world.Rand == nil {
		world.Rand = rand.Reader
	}
	p := new(Purse)
	if o.Mint != "" {
		if p.mint, err = mintapi.NewClient(o.Mint); err != nil {
			return nil, err
		}
		world.Mint = p.mint
	}
	if p.file, err = file(o.Path, o.Secret); err != nil {
		return nil, err
	}
	world.Store = p.file
	if err := p.insert(o.Card, &world); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	config := wallet.Config{Currency: o.Currency, Network: o.Network, Policy: o.Policy}
	if config.Currency == 0 {
		config.Currency = money.CNY
	}
	if p.Wallet, err = open(world, config); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// insert opens the card's coin application for the wallet.
func (p *Purse) insert(c *WalletCard, world *wallet.World) error {
	if c == nil {
		return nil
	}
	line := c.Line
	if line == nil {
		file, err := cardfile.Open(c.Path, c.Key)
		if err != nil {
			return err
		}
		p.card = file
		chip, err := card.Open(file, rand.Reader)
		if err != nil {
			return err
		}
		if _, err := chip.PowerOn(card.Contact); err != nil {
			return fmt.Errorf("power the card up: %w", err)
		}
		line = chip
	}
	open, err := observer.Open(line, observer.Options{PIN: c.PIN})
	if err != nil {
		return err
	}
	world.Card = open
	return nil
}

// Close lets file and card go.
func (p *Purse) Close() error {
	var err error
	if p.card != nil {
		err = p.card.Close()
	}
	return errors.Join(err, p.file.Close())
}

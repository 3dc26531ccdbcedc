package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"jiaozi/crypt/pin"
	"jiaozi/node"
	"jiaozi/node/walletfile"
	"jiaozi/value/money"

	"github.com/spf13/cobra"
)

func walletCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "wallet", Short: "Hold electronic coins: withdraw, pay and be paid offline, deposit, restore"}
	cmd.AddCommand(walletInitCommand(), walletRestoreCommand(), walletBackupCommand(),
		walletEnrollCommand(), walletKeysCommand(), walletWithdrawCommand(), walletDepositCommand(), walletExchangeCommand(),
		walletRefreshCommand(), walletReclaimCommand(), walletResumeCommand(),
		walletRequestCommand(), walletPayCommand(), walletReceiveCommand(), walletReceiptCommand(), walletDeliveredCommand(),
		walletBalanceCommand(), walletCoinsCommand())
	return cmd
}

// walletFlags say which wallet, and what opens it.
type walletFlags struct {
	file, mint, currency    string
	secret                  secretFlags
	card, cardKey, cardPIN  string
	network                 string // of a wallet that is made
	withMint, fresh, noCard bool
}

// Where a mint is unless somebody says otherwise: that of `jiaozi up --coins`.
const (
	mintVariable = "JIAOZI_MINT"
	mintHere     = "http://127.0.0.1:5290"
)

func (f *walletFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.file, "wallet", "", "wallet file")
	f.secret.register(cmd, "", "wallet")
	flags.StringVar(&f.currency, "currency", "CNY", "currency of the wallet")
	if !f.noCard {
		flags.StringVar(&f.card, "card", "", "file of the card that the wallet was made with; it is needed to withdraw and to pay")
		flags.StringVar(&f.cardKey, "card-key-file", "", "age identity that seals the card (default: CARD.key)")
		flags.StringVar(&f.cardPIN, "card-pin-file", "", "file that holds the card's PIN")
	}
	if f.withMint {
		flags.StringVar(&f.mint, "mint", "", "address of the mint (default: "+mintVariable+", else "+mintHere+")")
	}
	if f.fresh {
		flags.StringVar(&f.network, "network", "", "number of the scheme, 32 hex digits as `mint keys` shows it; another mint is then refused from the start")
	}
	mustHave(cmd, "wallet")
}

func mustHave(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(fmt.Sprint("flag is not defined: ", err))
		}
	}
}

// options reads the files that the flags name; the wallet's key file is made if it
// is to be.
func (f *walletFlags) options() (node.WalletOptions, error) {
	o := node.WalletOptions{Path: f.file}
	var err error
	if o.Currency, err = money.ParseCurrency(f.currency); err != nil {
		return o, fmt.Errorf("--currency: %w", err)
	}
	if f.withMint {
		if o.Mint = f.mint; o.Mint == "" {
			o.Mint = os.Getenv(mintVariable)
		}
		if o.Mint == "" {
			o.Mint = mintHere
		}
	}
	if f.network != "" {
		raw, err := hex.DecodeString(f.network)
		if err != nil || len(raw) != len(o.Network) {
			return o, fmt.Errorf("--network %q is not %d hex digits", f.network, 2*len(o.Network))
		}
		copy(o.Network[:], raw)
	}
	if f.card != "" {
		if o.Card, err = f.walletCard(); err != nil {
			return o, err
		}
	}
	o.Secret, err = f.secret.secret(f.file+".key", f.fresh)
	return o, err
}

func (f *walletFlags) walletCard() (*node.WalletCard, error) {
	path := f.cardKey
	if path == "" {
		path = f.card + ".key"
	}
	key, err := node.OpenKey(path)
	if err != nil {
		return nil, fmt.Errorf("%w (name the card's key with --card-key-file)", err)
	}
	c := &node.WalletCard{Path: f.card, Key: key}
	if f.cardPIN != "" {
		text, err := readSecret(f.cardPIN)
		if err != nil {
			return nil, err
		}
		if c.PIN, err = pin.Parse(text); err != nil {
			return nil, fmt.Errorf("--card-pin-file: %w", err)
		}
	}
	return c, nil
}

// open opens the wallet for one command.
func (f *walletFlags) open() (*node.Purse, error) {
	o, err := f.options()
	if err != nil {
		return nil, err
	}
	return node.OpenWallet(o)
}

// secretFlags say what seals a file: a key file or a passphrase.
type secretFlags struct{ keyFile, passphraseFile string }

func (s *secretFlags) register(cmd *cobra.Command, prefix, what string) {
	cmd.Flags().StringVar(&s.keyFile, prefix+"key-file", "", "age identity that seals the "+what+" (default: JIAOZI_KEY_FILE, else WALLET.key)")
	cmd.Flags().StringVar(&s.passphraseFile, prefix+"passphrase-file", "", "file that holds the passphrase that seals the "+what+", instead of a key")
}

func (s *secretFlags) given() bool { return s.keyFile != "" || s.passphraseFile != "" }

// secret reads the key or the passphrase. With fresh a key that is not there is made.
func (s *secretFlags) secret(beside string, fresh bool) (walletfile.Secret, error) {
	if s.passphraseFile != "" {
		if s.keyFile != "" {
			return walletfile.Secret{}, errors.New("give a key file or a passphrase, not both")
		}
		text, err := readSecret(s.passphraseFile)
		if err != nil {
			return walletfile.Secret{}, err
		}
		return walletfile.Passphrase(text, walletfile.DefaultCost)
	}
	path := node.KeyPath(s.keyFile, beside)
	open := node.OpenKey
	if fresh {
		open = node.MakeKey
	}
	key, err := open(path)
	if err != nil {
		return walletfile.Secret{}, fmt.Errorf("%w (name the wallet's key with --key-file, or its passphrase with --passphrase-file)", err)
	}
	return walletfile.Key(key), nil
}

const maxSecretFile = 4096

// readSecret reads the one line that a file holds.
func readSecret(path string) (string, error) {
	raw, err := readBounded(path, maxSecretFile)
	return strings.TrimRight(string(raw), "\r\n"), err
}

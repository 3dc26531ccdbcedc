package main

import (
	"errors"
	"io"

	"jiaozi/crypt/phrase"
	"jiaozi/node"
	"jiaozi/node/walletfile"

	"github.com/spf13/cobra"
)

// restoring are the wishes of `wallet restore`.
type restoring struct {
	walletFlags
	account, phraseFile, backup string
	backupSecret                secretFlags
}

func walletRestoreCommand() *cobra.Command {
	r := restoring{walletFlags: walletFlags{fresh: true}}
	var out output
	cmd := &cobra.Command{
		Use:   "restore",
		Short: "Make a lost wallet again, from its 24 words or from a backup; `wallet refresh` then finds its coins",
		Example: `  jiaozi wallet restore --wallet my.wallet --account alice --phrase-file words.txt
  jiaozi wallet restore --wallet my.wallet --backup my.backup`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := r.restore(cmd)
			if err != nil {
				return classifyWallet(err)
			}
			return classifyWallet(errors.Join(printWallet(cmd.OutOrStdout(), p, out), p.Close()))
		},
	}
	r.register(cmd)
	outputFlags(cmd, &out)
	cmd.Flags().StringVar(&r.account, "account", "", "the account at the bank that the wallet was enrolled for")
	cmd.Flags().StringVar(&r.phraseFile, "phrase-file", "", "file that holds the 24 words (default: standard input)")
	cmd.Flags().StringVar(&r.backup, "backup", "", "file that `wallet backup` has written, instead of the words")
	r.backupSecret.register(cmd, "backup-", "backup")
	return cmd
}

func (r *restoring) restore(cmd *cobra.Command) (*node.Purse, error) {
	if r.backup != "" {
		return r.fromBackup()
	}
	if r.account == "" {
		return nil, errors.New("--account is missing: name the account that the wallet was enrolled for")
	}
	words, err := r.words(cmd)
	if err != nil {
		return nil, err
	}
	o, err := r.options()
	if err != nil {
		return nil, err
	}
	return node.RestoreWallet(o, words, r.account)
}

func (r *restoring) words(cmd *cobra.Command) (phrase.Phrase, error) {
	if r.phraseFile != "" && r.phraseFile != "-" {
		text, err := readSecret(r.phraseFile)
		if err != nil {
			return phrase.Phrase{}, err
		}
		return phrase.Parse(text)
	}
	raw, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxSecretFile))
	if err != nil {
		return phrase.Phrase{}, err
	}
	return phrase.Parse(string(raw))
}

// maxBackup bounds a backup's file: the largest state, sealed.
const maxBackup = walletfile.MaxState + 1<<20

func (r *restoring) fromBackup() (*node.Purse, error) {
	raw, err := readBounded(r.backup, maxBackup)
	if err != nil {
		return nil, err
	}
	o, err := r.options()
	if err != nil {
		return nil, err
	}
	secret := o.Secret
	if r.backupSecret.given() {
		if secret, err = r.backupSecret.secret("", false); err != nil {
			return nil, err
		}
	}
	return node.RestoreBackup(o, raw, secret)
}

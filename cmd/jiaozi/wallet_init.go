package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"

	"jiaozi/crypt/phrase"
	"jiaozi/node"
	"jiaozi/node/durable"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func walletInitCommand() *cobra.Command {
	f := walletFlags{fresh: true}
	var out output
	var phraseOut string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make a wallet; its 24 words are shown once, to be written on paper",
		Example: `  jiaozi wallet init --wallet my.wallet
  jiaozi wallet init --wallet my.wallet --phrase-out words.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			words, err := phrase.New(rand.Reader)
			if err != nil {
				return err
			}
			show, err := keepWords(cmd.OutOrStdout(), words, phraseOut, out)
			if err != nil {
				return err
			}
			p, err := makeWallet(&f, words)
			if err != nil {
				return errors.Join(classifyWallet(err), forget(phraseOut))
			}
			return classifyWallet(errors.Join(show(), printWallet(cmd.OutOrStdout(), p, out), p.Close()))
		},
	}
	f.register(cmd)
	outputFlags(cmd, &out)
	cmd.Flags().StringVar(&phraseOut, "phrase-out", "", "new file for the 24 words, readable by its owner only (default: the terminal)")
	return cmd
}

func makeWallet(f *walletFlags, words phrase.Phrase) (*node.Purse, error) {
	o, err := f.options()
	if err != nil {
		return nil, err
	}
	return node.MakeWallet(o, words)
}

// keepWords writes the words to a file, or gives what will show them: a wallet whose
// words nobody has seen must not come to be.
func keepWords(w io.Writer, words phrase.Phrase, path string, out output) (show func() error, err error) {
	if path != "" {
		if _, err := os.Lstat(path); err == nil {
			return nil, fmt.Errorf("--phrase-out: %s exists; choose another name: words are never overwritten", path)
		}
		return func() error { return nil }, durable.WriteFile(path, []byte(words.Reveal(out.lang)+"\n"), 0o600)
	}
	if file, ok := w.(*os.File); !ok || !term.IsTerminal(int(file.Fd())) || out.json() {
		return nil, errors.New("the 24 words are shown on a terminal or written to a file: name one with --phrase-out")
	}
	return func() error {
		_, err := fmt.Fprintf(w, "%s\n\n  %s\n\n", out.say("Write these 24 words on paper. They are shown once; whoever has them has the wallet.",
			"请将以下 24 个词抄写在纸上。只显示一次；持有者即可掌控钱包。"), words.Reveal(out.lang))
		return err
	}, nil
}

// forget removes the words of a wallet that was not made.
func forget(path string) error {
	if path == "" {
		return nil
	}
	return os.Remove(path)
}

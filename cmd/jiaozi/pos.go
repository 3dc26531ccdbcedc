package main

import (
	"fmt"
	"os"

	"jiaozi/node"
	"jiaozi/node/till"
	"jiaozi/value/ident"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func posCommand() *cobra.Command {
	var data dataFlags
	var out output
	var tid, host string
	cmd := &cobra.Command{
		Use:   "pos",
		Short: "Be a point of sale: type an amount, present a card (works over ssh and in a pipe)",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			id, err := ident.ParseTID(tid)
			if err != nil {
				return err
			}
			t, err := node.OpenTill(data.options(), id, host, out.lang)
			if err != nil {
				return classify(err)
			}
			defer t.Close()
			desk := till.Desk{Till: t, Options: data.options(), Lang: out.lang, In: cmd.InOrStdin(), Out: cmd.OutOrStdout(), Secret: hiddenInput()}
			return classify(desk.Run(cmd.Context()))
		},
	}
	data.register(cmd)
	cmd.Flags().Var(&out.lang, "lang", "language of the texts")
	cmd.Flags().StringVar(&tid, "tid", "", "terminal id, as given to terminal add")
	cmd.Flags().StringVar(&host, "host", "127.0.0.1:5200", "address of the server for points of sale")
	if err := cmd.MarkFlagRequired("tid"); err != nil {
		panic(fmt.Sprint("flag --tid is not defined: ", err))
	}
	return cmd
}

// hiddenInput reads a PIN without showing it when a person types; in a pipe the
// PIN is the next line.
func hiddenInput() func() (string, error) {
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		return nil
	}
	return func() (string, error) {
		typed, err := term.ReadPassword(fd)
		return string(typed), err
	}
}

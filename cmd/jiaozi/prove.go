package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"jiaozi/book"
	"jiaozi/node"
	"jiaozi/node/durable"
	"jiaozi/value/clock"

	"github.com/spf13/cobra"
)

func proveCommand() *cobra.Command {
	var data dataFlags
	var id, account, date, since, file string
	cmd := &cobra.Command{
		Use:   "prove",
		Short: "Make a file by which anyone can check an entry of the book; may run beside up",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf(id, account, since); err != nil {
				return err
			}
			raw, err := prove(cmd, data.options(), id, account, date, since)
			if err != nil {
				return classify(err)
			}
			if file != "" {
				return classify(durable.WriteFile(file, raw, 0o644))
			}
			_, err = cmd.OutOrStdout().Write(raw)
			return err
		},
	}
	data.register(cmd)
	cmd.Flags().StringVar(&id, "id", "", "the entry of the command with this id, 32 hex digits")
	cmd.Flags().StringVar(&account, "account", "", "the last entry of this account, which says what it held, as `card new` printed it")
	cmd.Flags().StringVar(&since, "since", "", "instead of an entry: that the checkpoint only adds to that of this earlier date")
	cmd.Flags().StringVar(&date, "date", "", "business date of the checkpoint, such as 2026-11-22 (default: the newest)")
	cmd.Flags().StringVar(&file, "out", "", "file to write (default: standard output)")
	return cmd
}

func oneOf(id, account, since string) error {
	given := 0
	for _, s := range []string{id, account, since} {
		if s != "" {
			given++
		}
	}
	if given != 1 {
		return errors.New("say what to prove: one of --id, --account and --since")
	}
	return nil
}

func prove(cmd *cobra.Command, o node.Options, id, account, date, since string) ([]byte, error) {
	var to clock.Date
	var err error
	if date != "" {
		if to, err = clock.ParseDate(date); err != nil {
			return nil, err
		}
	}
	if since != "" {
		from, err := clock.ParseDate(since)
		if err != nil {
			return nil, err
		}
		return node.ProveExtension(cmd.Context(), o, from, to)
	}
	order := node.ProofOrder{Account: account, Date: to}
	if id != "" {
		raw, err := hex.DecodeString(id)
		if err != nil || len(raw) != len(order.ID) {
			return nil, fmt.Errorf("--id %q is not 32 hex digits", id)
		}
		order.ID = book.ID(raw)
	}
	return node.Prove(cmd.Context(), o, order)
}

// readBounded reads a file that a stranger may have made.
func readBounded(path string, limit int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err == nil && len(raw) > limit {
		err = fmt.Errorf("%s has more than %d bytes", path, limit)
	}
	return raw, err
}

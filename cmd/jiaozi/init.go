package main

import (
	"fmt"

	"jiaozi/node"

	"github.com/spf13/cobra"
)

// dataFlags are the flags of every command that works on a data directory.
type dataFlags struct {
	dir, keyFile string
}

func (d *dataFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&d.dir, "data", "jiaozi-data", "data directory of the scheme")
	cmd.Flags().StringVar(&d.keyFile, "key-file", "", "age identity that seals vault and cards (default: JIAOZI_KEY_FILE, else scheme.key in the data directory)")
}

func (d *dataFlags) options() node.Options { return node.Options{Dir: d.dir, KeyFile: d.keyFile} }

func initCommand() *cobra.Command {
	var data dataFlags
	var test bool
	var store string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make a scheme: keys, book and configuration in one directory",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := data.options()
			o.Test, o.Store = test, store
			if err := node.Init(cmd.Context(), o); err != nil {
				return classify(err)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "scheme made in %s; start it with: jiaozi up --data %s\n", data.dir, data.dir)
			return err
		},
	}
	data.register(cmd)
	cmd.Flags().StringVar(&store, "store", "", "PostgreSQL database of the book, as postgres://user@host:port/name (default: embedded in the data directory)")
	cmd.Flags().BoolVar(&test, "test", false, "mark a test scheme: published test keys are allowed")
	return cmd
}

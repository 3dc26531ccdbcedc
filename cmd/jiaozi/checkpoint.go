package main

import (
	"fmt"

	"jiaozi/node"

	"github.com/spf13/cobra"
)

func checkpointCommand() *cobra.Command {
	var data dataFlags
	var out output
	cmd := &cobra.Command{
		Use:   "checkpoint",
		Short: "Sign the book as it is now; the end of each day does it by itself",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var made node.CheckpointDoc
			if err := node.Admin(cmd.Context(), data.options(), node.MakeCheckpoint{}, &made); err != nil {
				return classify(err)
			}
			if out.json() {
				return line(cmd.OutOrStdout(), made)
			}
			_, err := fmt.Fprint(cmd.OutOrStdout(), made.Note)
			return err
		},
	}
	data.register(cmd)
	outputFlags(cmd, &out)
	return cmd
}

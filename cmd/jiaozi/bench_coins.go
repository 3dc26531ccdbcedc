package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"jiaozi/sim/bench/coins"
	"jiaozi/sim/bench/load"

	"github.com/spf13/cobra"
)

func benchCoinsCommand() *cobra.Command {
	var out output
	var data string
	o := coins.Options{Scale: coins.Full()}
	cmd := &cobra.Command{
		Use:   "coins",
		Short: "Measure blind coins, each figure beside its limit",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return classify(runBenchCoins(cmd.Context(), cmd.OutOrStdout(), data, o, out))
		},
	}
	outputFlags(cmd, &out)
	cmd.Flags().StringVar(&data, "data", "", "folder on the disk that is measured (default: that of TMPDIR)")
	cmd.Flags().StringSliceVar(&o.Only, "only", nil, "measure only some: "+strings.Join(coins.Stages(), ", "))
	return cmd
}

// runBenchCoins measures in a directory of its own, which it removes.
func runBenchCoins(ctx context.Context, w io.Writer, data string, o coins.Options, out output) (err error) {
	if o.Dir, err = benchDir(data); err != nil {
		return fmt.Errorf("bench coins: %w", err)
	}
	defer os.RemoveAll(o.Dir)
	return coins.Run(ctx, o, func(f load.Figure) error { return printLoad(w, f, out) })
}

// benchDir makes a directory for a run's files in data, which is made too; "" is TMPDIR.
func benchDir(data string) (string, error) {
	if data != "" {
		if err := os.MkdirAll(data, 0o700); err != nil {
			return "", err
		}
	}
	return os.MkdirTemp(data, "jiaozi-bench-")
}

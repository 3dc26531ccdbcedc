package main

import (
	"fmt"

	"jiaozi/node"

	"github.com/spf13/cobra"
)

func upCommand() *cobra.Command {
	var data dataFlags
	var addrs node.Addresses
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run the scheme as a server for points of sale, and for wallets of coins",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := node.Open(cmd.Context(), data.options())
			if err != nil {
				return classify(err)
			}
			defer n.Close()
			if err := n.ServeRoles(cmd.Context(), addrs); err != nil {
				return classify(err)
			}
			bound := n.Bound()
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "points of sale on %s, health and metrics on http://%s\n", bound.POS, bound.HTTP); err != nil {
				return err
			}
			if bound.Coins != "" {
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "coins on http://%s\n", bound.Coins); err != nil {
					return err
				}
			}
			return classify(n.Wait(cmd.Context()))
		},
	}
	data.register(cmd)
	cmd.Flags().StringVar(&addrs.POS, "pos", "127.0.0.1:5200", "address for points of sale (ISO 8583 over TCP, 2-byte length)")
	cmd.Flags().StringVar(&addrs.HTTP, "http", "127.0.0.1:5280", "address of /healthz and /metrics")
	cmd.Flags().StringVar(&addrs.Coins, "coins", "", "address of the mint for wallets, such as 127.0.0.1:5290 (default: none)")
	return cmd
}

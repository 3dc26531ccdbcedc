package main

import (
	"encoding/json"
	"fmt"

	"jiaozi/node"

	"github.com/spf13/cobra"
)

func dayCommand() *cobra.Command {
	var data dataFlags
	var out output
	cmd := &cobra.Command{
		Use:   "day",
		Short: "Close the business day: clear, net, settle, open the next",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var report node.DayReport
			if err := node.Admin(cmd.Context(), data.options(), node.CloseDay{}, &report); err != nil {
				return classify(err)
			}
			if out.json() {
				return line(cmd.OutOrStdout(), report)
			}
			return table(cmd.OutOrStdout(), [][]string{
				{"date", report.Date.String()}, {"presented", fmt.Sprint(report.Presented)}, {"accepted", fmt.Sprint(report.Accepted)},
				{"clones", fmt.Sprint(report.Clones)}, {"gross", report.Gross.Format(out.lang)}, {"net", report.Net.Format(out.lang)},
			})
		},
	}
	data.register(cmd)
	outputFlags(cmd, &out)
	return cmd
}

var _ json.Marshaler = node.DayReport{}

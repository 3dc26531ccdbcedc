package main

import (
	"errors"
	"fmt"
	"io"

	"jiaozi/book/shard"
	"jiaozi/node"
	"jiaozi/value/clock"

	"github.com/spf13/cobra"
)

func shardsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "shards", Short: "Check, audit, deliver between and move parts of the shards of one book"}
	cmd.AddCommand(shardsCheckCommand(), shardsAuditCommand(), shardsPumpCommand(), shardsMoveCommand())
	return cmd
}

// shardVerb is what all of them have in common: a map, and a form of output.
func shardVerb(use, short string, run func(cmd *cobra.Command, o node.ShardOptions, out output) error) (*cobra.Command, *node.ShardOptions) {
	var o node.ShardOptions
	var out output
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return classify(run(cmd, o, out)) },
	}
	outputFlags(cmd, &out)
	cmd.Flags().StringVar(&o.Map, "map", "", "file of the shard map")
	require(cmd, "map")
	return cmd, &o
}

// opening gives a verb the flags of those that open the shards.
func opening(cmd *cobra.Command, o *node.ShardOptions) *cobra.Command {
	cmd.Flags().StringVar(&o.Data, "data", "", "folder for index and head of the shards that are in PostgreSQL (default: none, and every start reads the whole journals)")
	return cmd
}

// booking gives it those of the ones that book something, too.
func booking(cmd *cobra.Command, o *node.ShardOptions) *cobra.Command {
	cmd.Flags().Func("date", "business date of what is booked, as 2026-11-22 (default: today)", func(text string) (err error) {
		o.Date, err = clock.ParseDate(text)
		return err
	})
	return opening(cmd, o)
}

func require(cmd *cobra.Command, flag string) {
	if err := cmd.MarkFlagRequired(flag); err != nil {
		panic("flag --" + flag + " is not defined: " + err.Error())
	}
}

func shardsCheckCommand() *cobra.Command {
	cmd, _ := shardVerb("check", "Check the map, without opening any shard",
		func(cmd *cobra.Command, o node.ShardOptions, out output) error {
			m, err := node.ReadShards(o.Map)
			if err != nil {
				return err
			}
			return printMap(cmd.OutOrStdout(), m, out)
		})
	return cmd
}

type shardDoc struct {
	Name  string       `json:"name"`
	Chain uint16       `json:"chain"`
	Count int          `json:"count"`
	Parts shard.Ranges `json:"parts"`
	Store string       `json:"store"`
}

type mapDoc struct {
	Shards []shardDoc `json:"shards"`
}

func printMap(w io.Writer, m shard.Map, out output) error {
	doc, rows := mapDoc{}, [][]string{{"shard", "chain", "parts", "store"}}
	for _, s := range m.Shards() {
		count := 0
		for _, r := range s.Parts {
			count += int(r.To-r.From) + 1
		}
		doc.Shards = append(doc.Shards, shardDoc{s.Name, s.Chain, count, s.Parts, s.Store})
		rows = append(rows, []string{s.Name, fmt.Sprint(s.Chain), fmt.Sprint(count), s.Store})
	}
	if out.json() {
		return line(w, doc)
	}
	return table(w, rows)
}

func shardsAuditCommand() *cobra.Command {
	return opening(shardVerb("audit", "Verify every shard and the value between them; nobody else may write to them meanwhile",
		func(cmd *cobra.Command, o node.ShardOptions, out output) error {
			report, err := node.AuditShards(cmd.Context(), o)
			if err != nil {
				return err
			}
			if err := printBetween(cmd.OutOrStdout(), report, out); err != nil || len(report.Findings) == 0 {
				return err
			}
			return fmt.Errorf("%w: %s", node.ErrIntegrity, report.Findings[0])
		}))
}

type pairDoc struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Currency string `json:"currency"`
	Sent     string `json:"sent"`
	Received string `json:"received"`
	InFlight string `json:"in_flight"`
}

type unclaimedDoc struct {
	Shard    string `json:"shard"`
	Currency string `json:"currency"`
	Amount   string `json:"amount"`
}

type betweenDoc struct {
	Sound     bool           `json:"sound"`
	Pairs     []pairDoc      `json:"pairs"`
	Unclaimed []unclaimedDoc `json:"unclaimed"`
	Findings  []findingDoc   `json:"findings"`
}

func printBetween(w io.Writer, r shard.Report, out output) error {
	doc := betweenDoc{Sound: len(r.Findings) == 0, Pairs: []pairDoc{}, Unclaimed: []unclaimedDoc{}, Findings: []findingDoc{}}
	rows := [][]string{{"sound", fmt.Sprint(doc.Sound)}}
	for _, p := range r.Pairs {
		d := pairDoc{p.From, p.To, p.Sent.Currency().Code(), p.Sent.String(), p.Received.String(), p.InFlight.String()}
		doc.Pairs = append(doc.Pairs, d)
		rows = append(rows, []string{p.From + " to " + p.To,
			fmt.Sprintf("%s: sent %s, received %s, on the way %s", d.Currency, d.Sent, d.Received, d.InFlight)})
	}
	for _, u := range r.Unclaimed {
		d := unclaimedDoc{u.Shard, u.Amount.Currency().Code(), u.Amount.String()}
		doc.Unclaimed = append(doc.Unclaimed, d)
		rows = append(rows, []string{"unclaimed in " + d.Shard, d.Currency + " " + d.Amount})
	}
	for _, f := range r.Findings {
		doc.Findings = append(doc.Findings, findingDoc{f.Code, f.Where, f.What})
		rows = append(rows, []string{f.Where, f.What})
	}
	if out.json() {
		return line(w, doc)
	}
	return table(w, rows)
}

type arrivedDoc struct {
	Arrived int `json:"arrived"`
}

func shardsPumpCommand() *cobra.Command {
	return booking(shardVerb("pump", "Deliver what is on its way between the shards",
		func(cmd *cobra.Command, o node.ShardOptions, out output) error {
			arrived, err := node.PumpShards(cmd.Context(), o)
			if err != nil && arrived == 0 {
				return err
			}
			if out.json() {
				return errors.Join(err, line(cmd.OutOrStdout(), arrivedDoc{arrived}))
			}
			return errors.Join(err, table(cmd.OutOrStdout(), [][]string{{"arrived", fmt.Sprint(arrived)}}))
		}))
}

func shardsMoveCommand() *cobra.Command {
	var order node.MoveOrder
	cmd := booking(shardVerb("move", "Move a part to another shard and rewrite the map; run it again if it was interrupted",
		func(cmd *cobra.Command, o node.ShardOptions, out output) error {
			if err := node.MovePart(cmd.Context(), o, order); err != nil {
				return err
			}
			m, err := node.ReadShards(o.Map)
			if err != nil {
				return err
			}
			return printMap(cmd.OutOrStdout(), m, out)
		}))
	cmd.Flags().Uint16Var(&order.Part, "part", 0, "number of the part")
	cmd.Flags().StringVar(&order.To, "to", "", "name of the shard that gets it")
	cmd.Flags().StringVar(&order.Reach, "reach", "", "address by which that shard's server finds the one that has the part (default: the one in the map)")
	cmd.Flags().BoolVar(&order.Abandon, "abandon", false, "give up a move that was begun and leave the part where it is")
	require(cmd, "part")
	require(cmd, "to")
	return cmd
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"jiaozi/node"
	"jiaozi/sim/cash"
	"jiaozi/sim/coins"
	"jiaozi/sim/story"
	"jiaozi/value/money"
	"jiaozi/value/reason"

	"github.com/spf13/cobra"
)

func demoCommand() *cobra.Command {
	var data dataFlags
	var out output
	var name string
	var seed uint64
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Play a story: electronic cash on cards and at tills, or blind coins in wallets",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			play, known := stories[name]
			if !known {
				return fmt.Errorf("story %q is not known: use %s", name, strings.Join(slices.Sorted(maps.Keys(stories)), " or "))
			}
			o := data.options()
			o.Seed = &seed
			return classify(playStory(cmd.Context(), cmd.OutOrStdout(), o, out, play))
		},
	}
	data.register(cmd)
	outputFlags(cmd, &out)
	cmd.Flags().StringVar(&name, "story", "cash", "which story to play: cash (cards, tills, settlement) or coins (wallets, notes, double spends)")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "seed of the keys and numbers that a new test scheme draws")
	return cmd
}

// storyFunc plays a story on an open node and gives its summary line, for scripts and
// for people.
type storyFunc func(context.Context, *node.Node, *story.Clock, story.Options) (doc any, text string, err error)

var stories = map[string]storyFunc{"cash": playCash, "coins": playCoins}

// playStory plays a story on a test scheme, made if it is not there.
func playStory(ctx context.Context, w io.Writer, o node.Options, out output, play storyFunc) error {
	clk := new(story.Clock)
	o.Test, o.Clock = true, clk
	if err := node.EnsureInit(ctx, o); err != nil {
		return err
	}
	n, err := node.Open(ctx, o)
	if err != nil {
		return err
	}
	defer n.Close()
	if err := clk.Resume(ctx, n); err != nil {
		return err
	}
	if err := n.ServeRoles(ctx, node.Addresses{POS: loopbackAnyPort, Coins: loopbackAnyPort}); err != nil {
		return err
	}
	doc, text, err := play(ctx, n, clk, story.Options{Lang: out.lang, Emit: func(s story.Step) error { return printStep(w, s, out) }})
	if err != nil && !errors.Is(err, node.ErrIntegrity) {
		return err
	}
	return errors.Join(printSummary(w, doc, text, out), err) // what does not add up is told with the figures
}

const loopbackAnyPort = "127.0.0.1:0"

// stepLine is the contract's form of a step.
type stepLine struct {
	Step     int         `json:"step"`
	Name     string      `json:"name"`
	Outcome  string      `json:"outcome"`
	Amount   json.Number `json:"amount"`
	Currency string      `json:"currency"`
	Reason   reason.Code `json:"reason"`
	Text     string      `json:"text"`
}

func printStep(w io.Writer, s story.Step, out output) error {
	if out.json() {
		currency := s.Amount.Currency()
		if currency == 0 {
			currency = money.CNY
		}
		return line(w, stepLine{s.Number, s.Name, s.Outcome, json.Number(money.New(currency, s.Amount.Minor()).String()), currency.Code(), s.Reason, s.Text})
	}
	amount := ""
	if !s.Amount.IsZero() {
		amount = s.Amount.Format(out.lang)
	}
	_, err := fmt.Fprintf(w, "%3d  %-9s %13s  %s\n", s.Number, s.Outcome, amount, s.Text)
	return err
}

// summaryLine is the contract's last line.
type summaryLine struct {
	Summary   bool        `json:"summary"`
	Taps      int         `json:"taps"`
	Approved  int         `json:"approved"`
	Declined  int         `json:"declined"`
	Recovered int         `json:"recovered"`
	Loads     int         `json:"loads"`
	Float     json.Number `json:"float"`
	Conserved bool        `json:"conserved"`
}

// coinSummaryLine is that of the story of coins.
type coinSummaryLine struct {
	summaryLine
	CoinsIssued    uint64 `json:"coins_issued"`
	CoinsDeposited uint64 `json:"coins_deposited"`
	DoubleSpends   int    `json:"double_spends"`
	Named          int    `json:"named"`
	AccusedHonest  int    `json:"accused_honest"`
}

func newSummary(t story.Tally, float money.Amount, conserved bool) summaryLine {
	return summaryLine{true, t.Taps, t.Approved, t.Declined, t.Recovered, t.Loads, json.Number(float.String()), conserved}
}

// tallied says in words what every story counts.
func tallied(t story.Tally) string {
	return fmt.Sprintf("%d payments: %d approved, %d declined, %d recovered; %d loads", t.Taps, t.Approved, t.Declined, t.Recovered, t.Loads)
}

func playCash(ctx context.Context, n *node.Node, _ *story.Clock, o story.Options) (any, string, error) {
	s, err := cash.Play(ctx, n, o)
	text := fmt.Sprintf("%s; float %s; conserved: %t", tallied(s.Tally), s.Float.Format(o.Lang), s.Conserved)
	return newSummary(s.Tally, s.Float, s.Conserved), text, err
}

func playCoins(ctx context.Context, n *node.Node, c *story.Clock, o story.Options) (any, string, error) {
	s, err := coins.Play(ctx, n, c, o)
	doc := coinSummaryLine{newSummary(s.Tally, s.Float, s.Conserved), s.CoinsIssued, s.CoinsDeposited, s.DoubleSpends, s.Named, s.AccusedHonest}
	text := fmt.Sprintf("%s; %d coins issued, %d back; %d paid twice, %d people named, %d of them honest; float %s; conserved: %t",
		tallied(s.Tally), s.CoinsIssued, s.CoinsDeposited, s.DoubleSpends, s.Named, s.AccusedHonest, s.Float.Format(o.Lang), s.Conserved)
	return doc, text, err
}

func printSummary(w io.Writer, doc any, text string, out output) error {
	if out.json() {
		return line(w, doc)
	}
	_, err := fmt.Fprintf(w, "\n%s\n", text)
	return err
}

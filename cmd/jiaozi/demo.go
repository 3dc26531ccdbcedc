package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"jiaozi/node"
	"jiaozi/sim/cash"
	"jiaozi/sim/story"
	"jiaozi/value/money"
	"jiaozi/value/reason"

	"github.com/spf13/cobra"
)

func demoCommand() *cobra.Command {
	var data dataFlags
	var out output
	var story string
	var seed uint64
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Play a story: electronic cash from the bank to the card to the till to settlement",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if story != "cash" {
				return fmt.Errorf("story %q is not known: use cash", story)
			}
			o := data.options()
			o.Seed = &seed
			return classify(playCash(cmd.Context(), cmd.OutOrStdout(), o, out))
		},
	}
	data.register(cmd)
	outputFlags(cmd, &out)
	cmd.Flags().StringVar(&story, "story", "cash", "which story to play")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "seed of the keys and numbers that a new test scheme draws")
	return cmd
}

// playCash plays the story on a test scheme, made if it is not there.
func playCash(ctx context.Context, w io.Writer, o node.Options, out output) error {
	o.Test = true
	if err := node.EnsureInit(ctx, o); err != nil {
		return err
	}
	n, err := node.Open(ctx, o)
	if err != nil {
		return err
	}
	defer n.Close()
	if err := n.ServeRoles(ctx, node.Addresses{POS: loopbackAnyPort}); err != nil {
		return err
	}
	summary, err := cash.Play(ctx, n, story.Options{Lang: out.lang, Emit: func(s story.Step) error { return printStep(w, s, out) }})
	if err != nil && !errors.Is(err, node.ErrIntegrity) {
		return err
	}
	return errors.Join(printSummary(w, summary, out), err) // what does not add up is told with the figures
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

func printSummary(w io.Writer, s cash.Summary, out output) error {
	if out.json() {
		return line(w, summaryLine{true, s.Taps, s.Approved, s.Declined, s.Recovered, s.Loads, json.Number(s.Float.String()), s.Conserved})
	}
	_, err := fmt.Fprintf(w, "\n%d payments: %d approved, %d declined, %d recovered; %d loads; float %s; conserved: %t\n",
		s.Taps, s.Approved, s.Declined, s.Recovered, s.Loads, s.Float.Format(out.lang), s.Conserved)
	return err
}

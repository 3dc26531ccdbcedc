package main

import (
	"encoding/base64"
	"fmt"
	"io"

	"jiaozi/book/proof"

	"github.com/spf13/cobra"
)

// maxBookKeys bounds a file of public keys.
const maxBookKeys = 1 << 20

func verifyCommand() *cobra.Command {
	var out output
	var keyFile string
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check a file that prove made, offline: only the scheme's public key is needed",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			keyText, err := readBounded(keyFile, maxBookKeys)
			if err != nil {
				return classify(err)
			}
			keys, err := proof.ParseKeys(string(keyText))
			if err != nil {
				return classify(err)
			}
			raw, err := readBounded(args[0], proof.MaxFile)
			if err != nil {
				return classify(err)
			}
			if proof.IsExtension(raw) {
				earlier, later, err := proof.VerifyExtension(raw, keys)
				if err != nil {
					return failWith(exitIntegrity, err)
				}
				return printExtension(cmd.OutOrStdout(), earlier, later, out)
			}
			shown, err := proof.Verify(raw, keys)
			if err != nil {
				return failWith(exitIntegrity, err)
			}
			return printProven(cmd.OutOrStdout(), shown, out)
		},
	}
	outputFlags(cmd, &out)
	cmd.Flags().StringVar(&keyFile, "key", "", "file with the public key of the scheme's book: book.pub in its data directory")
	if err := cmd.MarkFlagRequired("key"); err != nil {
		panic("flag --key is not defined: " + err.Error())
	}
	return cmd
}

// provenDoc is what a proof shows, in the words of a statement.
type provenDoc struct {
	Proven  bool        `json:"proven"`
	ID      string      `json:"id"`
	Event   string      `json:"event"`
	Kind    string      `json:"kind"`
	Date    string      `json:"date"`
	Outcome string      `json:"outcome"`
	Legs    []provenLeg `json:"legs"`
	Batch   uint64      `json:"batch"`
	Origin  string      `json:"origin"`
	Signed  string      `json:"signed"` // business date of the checkpoint
	Entries uint64      `json:"entries"`
	Root    string      `json:"root"`
}

type provenLeg struct {
	Account  string `json:"account"`
	Side     string `json:"side"`
	Currency string `json:"currency"`
	Amount   string `json:"amount"`
	Balance  string `json:"balance,omitempty"`
}

func newProvenDoc(p *proof.Proven) provenDoc {
	c, r := &p.Entry.Command, &p.Entry.Result
	doc := provenDoc{Proven: true, ID: c.ID.String(), Event: c.Event, Kind: c.Kind.String(), Date: c.Date.String(), Outcome: r.Code.String(),
		Legs: []provenLeg{}, Batch: p.Leaf.Seq, Origin: p.Checkpoint.Origin, Signed: p.Checkpoint.Date.String(),
		Entries: p.Checkpoint.Size, Root: base64.StdEncoding.EncodeToString(p.Checkpoint.Root[:])}
	for i, leg := range c.Legs {
		l := provenLeg{Account: leg.Account.String(), Side: leg.Side.String(), Currency: leg.Amount.Currency().Code(), Amount: leg.Amount.String()}
		if i < len(r.Balances) {
			l.Balance = r.Balances[i].String()
		}
		doc.Legs = append(doc.Legs, l)
	}
	return doc
}

func printProven(w io.Writer, p *proof.Proven, out output) error {
	doc := newProvenDoc(p)
	if out.json() {
		return line(w, doc)
	}
	rows := [][]string{{"proven", "true"}, {"entry", doc.ID}, {"event", doc.Event + " (" + doc.Kind + ")"}, {"date", doc.Date}, {"outcome", doc.Outcome}}
	for _, l := range doc.Legs {
		text := fmt.Sprintf("%s %s %s %s", l.Account, l.Side, l.Currency, l.Amount)
		if l.Balance != "" {
			text += ", then holds " + l.Balance
		}
		rows = append(rows, []string{"leg", text})
	}
	rows = append(rows, []string{"signed by", doc.Origin}, []string{"checkpoint", fmt.Sprintf("%s, %d entries", doc.Signed, doc.Entries)}, []string{"root", doc.Root})
	return table(w, rows)
}

type extensionDoc struct {
	Proven  bool   `json:"proven"`
	Origin  string `json:"origin"`
	From    string `json:"from"`
	To      string `json:"to"`
	Entries uint64 `json:"entries"` // in the later one
	Added   uint64 `json:"added"`
	Earlier string `json:"earlier_root"`
	Later   string `json:"later_root"`
}

func printExtension(w io.Writer, earlier, later proof.Checkpoint, out output) error {
	doc := extensionDoc{true, later.Origin, earlier.Date.String(), later.Date.String(), later.Size, later.Size - earlier.Size,
		base64.StdEncoding.EncodeToString(earlier.Root[:]), base64.StdEncoding.EncodeToString(later.Root[:])}
	if out.json() {
		return line(w, doc)
	}
	return table(w, [][]string{{"proven", "true"}, {"signed by", doc.Origin}, {"from", doc.From + "  " + doc.Earlier}, {"to", doc.To + "  " + doc.Later},
		{"entries", fmt.Sprint(doc.Entries)}, {"added", fmt.Sprint(doc.Added)}})
}

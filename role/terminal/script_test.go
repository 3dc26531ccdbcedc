package terminal

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jiaozi/crypt/pin"
	"jiaozi/value/money"
	"jiaozi/wire/apdu"
	"jiaozi/wire/purse"
)

// A dialogue is a talk with a card, played by a file: lines with # are remarks,
// "sale" begins a presentation, "expect" says how it ends; then command, ----,
// answer, in hex, or "gone" for a card that left. They were recorded from the
// project's own card (package journey); to change them, record again or edit.
type dialogue struct {
	name   string
	scenes []scene
}

type scene struct {
	sale      Sale
	expect    string
	exchanges []exchange
}

type exchange struct {
	remark  string
	command []byte
	answer  []byte // nil: the card is gone
}

// player is the card: it answers as written, and only to what is written.
type player struct {
	t         testing.TB
	exchanges []exchange
	strict    bool // an unexpected command is a failure of the test
	at        int
}

func (p *player) Transmit(c apdu.Command) (apdu.Response, error) {
	if p.at == len(p.exchanges) {
		if p.strict {
			p.t.Errorf("a command after the last one: %X", c.Append(nil))
		}
		return apdu.Response{}, apdu.ErrGone
	}
	x := p.exchanges[p.at]
	p.at++
	if got := c.Append(nil); !bytes.Equal(got, x.command) {
		if p.strict {
			p.t.Errorf("%s: sent\n%X, want\n%X", x.remark, got, x.command)
		}
		return apdu.Response{}, apdu.ErrGone
	}
	if x.answer == nil {
		p.at = len(p.exchanges)
		return apdu.Response{}, apdu.ErrGone
	}
	n := len(x.answer) - 2 // not parsed: an answer may be longer than is lawful
	if n < 0 {
		return apdu.Response{}, apdu.ErrGone
	}
	return apdu.Response{Data: x.answer[:n], SW: apdu.SW(x.answer[n])<<8 | apdu.SW(x.answer[n+1])}, nil
}

func loadScripts(t testing.TB) []dialogue {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	var out []dialogue
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := parseScript(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		s.name = strings.TrimSuffix(filepath.Base(file), ".txt")
		out = append(out, s)
	}
	return out
}

func parseScript(text string) (dialogue, error) {
	var s dialogue
	var remark string
	answering := false
	for n, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		last := func() *scene { return &s.scenes[len(s.scenes)-1] }
		switch {
		case words[0] == "#":
			remark = strings.Join(words[1:], " ")
		case words[0] == "sale":
			sale, err := parseSale(words[1:])
			if err != nil {
				return s, fmt.Errorf("line %d: %w", n+1, err)
			}
			s.scenes = append(s.scenes, scene{sale: sale})
		case words[0] == "expect":
			last().expect = strings.Join(words[1:], " ")
		case words[0] == "----":
			answering = true
		default:
			var b []byte
			if words[0] != "gone" {
				var err error
				if b, err = hex.DecodeString(words[0]); err != nil {
					return s, fmt.Errorf("line %d: %w", n+1, err)
				}
			}
			if x := &last().exchanges; answering {
				(*x)[len(*x)-1].answer = b
			} else {
				*x = append(*x, exchange{remark: remark, command: b})
			}
			answering = false
		}
	}
	return s, nil
}

func parseSale(words []string) (Sale, error) {
	if len(words) < 2 {
		return Sale{}, fmt.Errorf("sale tap|insert AMOUNT [pin DIGITS]")
	}
	total, err := money.Parse(money.CNY, words[1])
	sale := Sale{Amount: total, Entry: purse.Contactless}
	if words[0] == "insert" {
		sale.Entry = purse.Contact
	}
	if len(words) == 4 {
		sale.PIN = func() (pin.PIN, error) { return pin.Parse(words[3]) }
	}
	return sale, err
}

func TestScripts(t *testing.T) {
	for _, s := range loadScripts(t) {
		t.Run(s.name, func(t *testing.T) {
			till := openTest(t, &memory{})
			for i, x := range s.scenes {
				card := &player{t: t, exchanges: x.exchanges, strict: true}
				out := till.Purchase(t.Context(), card, x.sale)
				if got := fmt.Sprintf("%v %s", out.Result, out.Reason); got != x.expect {
					t.Errorf("presentation %d: %s, want %s (%v)", i+1, got, x.expect, out.Err)
				}
				if card.at != len(x.exchanges) {
					t.Errorf("presentation %d: %d of %d commands were sent", i+1, card.at, len(x.exchanges))
				}
			}
		})
	}
}

package journey

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jiaozi/crypt/vault"
	"jiaozi/link/mem"
	"jiaozi/node/perso"
	"jiaozi/role/terminal"
	"jiaozi/value/money"
	"jiaozi/wire/apdu"
	"jiaozi/wire/purse"
)

var update = flag.Bool("update", false, "write the terminal's scripts anew from the real card")

// scriptDir is where the terminal's own tests find the dialogues. A role's tests
// know no other role, so the card that answers there is one of these files.
const scriptDir = "../../role/terminal/testdata"

// scene is one presentation of a script.
type scene struct {
	entry purse.Entry
	fen   money.Minor
	pin   string
	torn  func(apdu.Card) apdu.Card
}

// script is a file: a remark, a card, presentations.
type script struct {
	name, remark string
	order        func(*perso.Order)
	scenes       []scene
}

func scripts() []script {
	last := tapCommands - 1
	lost := func(c apdu.Card) apdu.Card { return mem.LoseAnswer(c, mem.Nth(last)) }
	unheard := func(c apdu.Card) apdu.Card { return mem.LoseCommand(c, mem.Nth(last)) }
	gac := func(c apdu.Card) apdu.Card {
		return mem.LoseAnswer(c, func(x apdu.Command) bool { return x.INS == apdu.InsGenerateAC })
	}
	return []script{
		{"tap-approved", "A tap pays from the purse.", nil, []scene{{entry: tap, fen: 12_50}}},
		{"insert-approved", "An insert pays from the purse.", nil, []scene{{entry: insert, fen: 12_50}}},
		{"insert-pin", "Above the card's limit it asks for the PIN.", nil, []scene{{entry: insert, fen: 120_00, pin: "1234"}}},
		{"insert-pin-wrong", "A wrong PIN is declined before the card is asked to pay.", nil, []scene{{entry: insert, fen: 120_00, pin: "9999"}}},
		{"tap-short", "The balance is too small.", func(o *perso.Order) { o.Balance = yuan(5_00) }, []scene{{entry: tap, fen: 12_50}}},
		{"insert-short", "The balance is too small.", func(o *perso.Order) { o.Balance = yuan(5_00) }, []scene{{entry: insert, fen: 12_50}}},
		{"tap-over-limit", "The amount is over the card's limit for one payment.", nil, []scene{{entry: tap, fen: 160_00}}},
		{"tap-online", "The card wants the issuer, which an offline till cannot ask.", func(o *perso.Order) { o.Threshold = yuan(199_00) }, []scene{{entry: tap, fen: 12_50}}},
		{"tap-foreign", "The purse holds Hong Kong dollars.", hongKong, []scene{{entry: tap, fen: 12_50}}},
		{"tap-expired", "The card has expired.", func(o *perso.Order) { o.Expiry = 20261031 }, []scene{{entry: tap, fen: 12_50}}},
		{"tap-torn-after", "The last answer is lost after the card has paid; the next tap completes it.", nil,
			[]scene{{entry: tap, fen: 12_50, torn: lost}, {entry: tap, fen: 12_50}}},
		{"tap-torn-before", "The last command is lost before the card has paid; the next tap pays.", nil,
			[]scene{{entry: tap, fen: 12_50, torn: unheard}, {entry: tap, fen: 12_50}}},
		{"insert-torn", "The cryptogram is lost: the payment goes to the issuer, and the third insert pays.", nil,
			[]scene{{entry: insert, fen: 12_50, torn: gac}, {entry: insert, fen: 12_50}, {entry: insert, fen: 12_50}}},
	}
}

// tapCommands is how many commands an ordinary tap of these cards takes: two
// selections, one start, four records.
const tapCommands = 7

// still is the terminal's source of numbers in scripts: always the same.
type still struct{}

func (still) Read(p []byte) (int, error) { return copy(p, "\x11\x22\x33\x44"), nil }

// TestRecordTheScripts writes the dialogues that the terminal's own tests play.
func TestRecordTheScripts(t *testing.T) {
	if !*update {
		t.Skip("writes files: go test ./internal/journey -run TestRecordTheScripts -update")
	}
	for _, s := range scripts() {
		if err := os.WriteFile(filepath.Join(scriptDir, s.name+".txt"), []byte(s.record(t)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func (s script) record(t *testing.T) string {
	o := order(0)
	if s.order != nil {
		s.order(&o)
	}
	c, stage := newCard(issue(o)), newShop(t, vault.Secure)
	stage.cfg.ListFloor = yuan(1000_00)
	till := must(terminal.Open(stage.cfg, &disk{}, stage.keys, stage.host, stage.clock, still{}))
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", s.remark)
	for _, x := range s.scenes {
		var talk strings.Builder
		card := apdu.Card(c.offer(x.entry))
		if x.torn != nil {
			card = x.torn(card)
		}
		card = mem.Trace(card, func(e mem.Exchange) { talk.WriteString(written(e)) })
		sale := terminal.Sale{Amount: yuan(x.fen), Entry: x.entry}
		words := []string{"sale", map[purse.Entry]string{tap: "tap", insert: "insert"}[x.entry], sale.Amount.String()}
		if x.pin != "" {
			sale.PIN, words = typed(x.pin), append(words, "pin", x.pin)
		}
		out := till.Purchase(t.Context(), card, sale)
		c.card.PowerOff()
		fmt.Fprintf(&b, "\n%s\nexpect %v %s\n%s", strings.Join(words, " "), out.Result, out.Reason, talk.String())
	}
	return b.String()
}

// written is one exchange as a script has it.
func written(e mem.Exchange) string {
	answer := "gone"
	if e.Err == nil {
		answer = fmt.Sprintf("%X", e.Response.Append(nil))
	}
	return fmt.Sprintf("\n# %s\n%X\n----\n%s\n", remark(e.Command), e.Command.Append(nil), answer)
}

func remark(c apdu.Command) string {
	switch c.INS {
	case apdu.InsSelect:
		return "SELECT"
	case apdu.InsGPO:
		return "GET PROCESSING OPTIONS"
	case apdu.InsReadRecord:
		return fmt.Sprintf("READ RECORD %d of file %d", c.P1, c.P2>>3)
	case apdu.InsGetData:
		return fmt.Sprintf("GET DATA %02X%02X", c.P1, c.P2)
	case apdu.InsInternalAuth:
		return "INTERNAL AUTHENTICATE"
	case apdu.InsVerify:
		return "VERIFY"
	case apdu.InsGenerateAC:
		return "GENERATE AC"
	}
	return fmt.Sprintf("command %02X", c.INS)
}

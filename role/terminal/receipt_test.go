package terminal

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"jiaozi/value/lang"
	"jiaozi/value/reason"
)

var update = flag.Bool("update", false, "write the receipts in testdata anew")

// Goal: a receipt fits the paper in both widths and languages, hides the card
// number and shows the proof. Method: golden files; every line is measured.
func TestReceipts(t *testing.T) {
	record := sampleRecord(trace{7, 12})
	for _, columns := range []int{narrowReceipt, wideReceipt} {
		for _, l := range []lang.Lang{lang.EN, lang.ZH} {
			till := openTest(t, &memory{})
			till.cfg.Columns, till.cfg.Lang = columns, l
			out := Outcome{Result: Approved, Reason: reason.Approved, Amount: record.Amount, PAN: record.PAN, Balance: yuan(187_50), Batch: 7, STAN: 12}
			inDoubt := out
			inDoubt.Result, inDoubt.Reason, inDoubt.Flagged = Declined, reason.ODAFailed, true
			text := till.receipt(&record, out) + "\n" + till.receipt(&record, inDoubt) + "\n" + till.slip(Cash, out, testTime) + "\n" +
				till.settlementSlip(Settlement{Batch: 7, Next: 8, Count: 3, Total: yuan(30_00), Flagged: 1, FlaggedTotal: yuan(7_00)})
			checkPaper(t, text, columns)
			golden(t, fmt.Sprintf("testdata/receipt-%d-%v.golden", columns, l), text)
		}
	}
}

func checkPaper(t *testing.T, text string, columns int) {
	t.Helper()
	for _, line := range strings.Split(text, "\n") {
		if lang.Width(line) > columns {
			t.Errorf("%d columns on paper of %d: %q", lang.Width(line), columns, line)
		}
	}
	if strings.Contains(text, testPAN.Reveal()) || !strings.Contains(text, testPAN.Masked()) {
		t.Error("the card number is shown, or not even masked")
	}
	if !strings.Contains(text, "0102030000000000") {
		t.Error("the certificate is missing")
	}
}

func golden(t *testing.T, path, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s differs (-update writes it anew):\n%s", path, text)
	}
}

func TestLongTextsBreakAtTheEdge(t *testing.T) {
	p := &paper{columns: 10}
	p.text("one two three 一二三四五六七八")
	p.pair(lang.Text{EN: "a long label"}, "value")
	want := "one two\nthree\n一二三四五\n六七八\na long label\n     value\n"
	if got := p.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

package card

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jiaozi/value/lang"
	"jiaozi/wire/apdu"
	"jiaozi/wire/observer"
)

var update = flag.Bool("update", false, "write the card's replies in testdata anew")

// TestCoinDialogues plays the scripts of testdata: a remark, a command in hex or
// "power contact", a line of dashes, what the card replies. The card is always the
// same one: PIN 1234, secret C015.., three answers over the air, wallet key 3A...
// Whoever builds another card or wallet can follow them with any reader.
func TestCoinDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/coins-*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d scripts (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			played := playScript(t, string(script))
			if *update {
				if err := os.WriteFile(file, []byte(played), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if played != string(script) {
				t.Errorf("the card replies otherwise (-update writes it):\n%s", played)
			}
		})
	}
}

// playScript gives the script with what the card replies now.
func playScript(t *testing.T, script string) string {
	t.Helper()
	memory := new(RAM)
	p := baseProfile
	withCoins(&p)
	if err := Format(memory, p); err != nil {
		t.Fatal(err)
	}
	c := reopen(t, memory)
	var out []string
	for block := range strings.SplitSeq(strings.TrimSpace(script), "\n\n") {
		asked, _, _ := strings.Cut(block, "\n----")
		lines := strings.Split(asked, "\n")
		reply := ""
		if command := lines[len(lines)-1]; !strings.HasPrefix(command, "#") {
			reply = "\n----\n" + c.reply(t, command)
		}
		out = append(out, asked+reply)
	}
	return strings.Join(out, "\n\n") + "\n"
}

func (c *Card) reply(t *testing.T, command string) string {
	t.Helper()
	if side, ok := strings.CutPrefix(command, "power "); ok {
		i := map[string]Interface{"contact": Contact, "contactless": Contactless}[side]
		return fmt.Sprintf("%X", mustGet(c.PowerOn(i)))
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(command, " ", ""))
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	cmd, err := apdu.ParseCommand(raw)
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	answer, err := c.Transmit(cmd)
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	var text string
	for data := answer.Data; len(data) > 0; {
		n := min(len(data), 32)
		text += fmt.Sprintf("%X\n", data[:n])
		data = data[n:]
	}
	return fmt.Sprintf("%s%v  %s", text, answer.SW, observer.Text(answer.SW, lang.EN))
}

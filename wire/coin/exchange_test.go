package coin

import (
	"crypto/ed25519"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata anew")

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs from what is written now; released numbers and forms never change (-update writes it anew):\n%s", file, got)
	}
}

// A line of the script: who says what to whom, and why.
type line struct {
	from, to, why string
	message       Message
}

// exchange is one whole story: enrol, withdraw two coins, pay with change, deposit.
func exchange() []line {
	request := sampleRequest()
	digest := must(request.Digest())
	payment := &Payment{Nonce: nonce, Request: digest, Paid: yuan(2048), Change: yuan(814),
		Items: [][]byte{fill(0x51, 272), fill(0x52, 272)}, ChangeBlanks: [][]byte{fill(0x54, 208)}}
	return []line{
		{"anyone", "mint", "who are you, and which coins do you make?", &Ask{What: TypeKeys}},
		{"mint", "anyone", "who the mint is and which coins it makes", sampleKeys(fill(0x61, 250))},
		{"wallet", "mint", "join my number to my account", sampleSigned(&Enrol{Network: network, Code: "K7QP-22XA", Account: "alice@bank", Opening: fill(0x41, 96), AuthKey: [32]byte(owner.Public().(ed25519.PublicKey))})},
		{"mint", "wallet", "it is open", &Enrolled{Account: "alice@bank", Identity: point(0x11), Time: noon}},
		{"wallet", "mint", "open a withdrawal with each of two keys", sampleSigned(&Commit{Keys: [][16]byte{key(1), key(2)}})},
		{"mint", "wallet", "the first moves; the second key is busy", &Commitments{Items: []Commitment{{Key: key(1), Code: Accepted, Session: 9, A: point(3), B: point(4), Deadline: noon + 60}, {Key: key(2), Code: SessionOpen}}}},
		{"wallet", "mint", "the challenge: debit me and answer", sampleSigned(&Challenge{Items: []ChallengeItem{{Key: key(1), Session: 9, C: point(5)}}})},
		{"mint", "wallet", "debited and answered", &Answer{Items: []AnswerItem{{Key: key(1), Session: 9, Code: Accepted, R: point(6)}}}},
		{"payee", "payer", "offline: please pay", request},
		{"payer", "payee", "two coins, and change onto my blank", payment},
		{"payee", "payer", "taken; here is the change", &Receipt{Nonce: nonce, Request: digest, Payment: sha256.Sum256(must(Append(nil, payment))), Code: Accepted, Change: [][]byte{fill(0x55, 480)}}},
		{"payee", "mint", "the two coins, for my account", &Deposit{Terms: terms(), Items: payment.Items, Aids: [][]byte{fill(0x77, 160), nil}}},
		{"mint", "payee", "one is credited, one was spent before", &Deposited{Items: []DepositedItem{{Code: Accepted, Value: yuan(1024)}, {Code: DoubleSpent, Guilt: must(Append(nil, sampleGuilt()))}}}},
		{"mint", "anyone", "who spent it twice", sampleGuilt()},
		{"mint", "anyone", "what is outstanding", &Status{Network: network, Time: noon, Lines: []StatusLine{{Epoch: 202611, Issued: yuan(4096), Deposited: yuan(1024), Expired: yuan(0), Outstanding: yuan(3072), CoinsIssued: 3, CoinsDeposited: 1, DoubleSpends: 1, Named: 1}}}},
	}
}

// Goal: the bytes on the wire are those of the released form, and a person can
// read what they say. Method: one whole story in testdata, fields and text.
func TestExchangeReadsLikeAPlay(t *testing.T) {
	var play strings.Builder
	play.WriteString("# One whole exchange: each message with its fields in the order in which they\n# travel, and its text. Coins, keys and proofs are fillings here.\n")
	for _, l := range exchange() {
		fmt.Fprintf(&play, "\n%s -> %s: %s\n----\n", l.from, l.to, l.why)
		for _, f := range must(Describe(l.message)) {
			fmt.Fprintf(&play, "%s: %s\n", f.Name, f.Value)
		}
		fmt.Fprintf(&play, "%s\n", must(Text(l.message)))
	}
	golden(t, "testdata/exchange.txt", play.String())
}

// Goal: what was released is read for ever. Method: the texts of the script give
// the messages of the story.
func TestReleasedTextsAreRead(t *testing.T) {
	script, err := os.ReadFile("testdata/exchange.txt")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for l := range strings.Lines(string(script)) {
		if strings.HasPrefix(l, prefix) {
			texts = append(texts, l)
		}
	}
	story := exchange()
	if len(texts) != len(story) {
		t.Fatalf("%d texts, %d messages", len(texts), len(story))
	}
	for i, text := range texts {
		if m, err := ParseText(text); err != nil || !reflect.DeepEqual(m, story[i].message) {
			t.Errorf("%v: %v", story[i].message.Type(), err)
		}
	}
}

// Goal: a description hides nothing that is written, and refuses what is not.
func TestDescribeNamesEveryField(t *testing.T) {
	for _, m := range samples() {
		fields, err := Describe(m)
		if err != nil || len(fields) < 2 || fields[0].Value != m.Type().String() {
			t.Errorf("%v: %v %v", m.Type(), fields, err)
		}
	}
	if _, err := Describe(&Failure{}); err == nil {
		t.Error("an unwritable message is described")
	}
}

package explain

import (
	"regexp"
	"strings"
	"testing"

	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// spoken are messages with every field name there is.
func spoken() []coin.Message {
	cny := func(m money.Minor) money.Amount { return money.New(money.CNY, m) }
	id, key, b := [32]byte{1}, [16]byte{2}, []byte{3}
	terms := coin.Terms{Network: key, Payee: "shop", Amount: cny(5), Time: 1, Nonce: key, Group: "canteen"}
	enrol := &coin.Enrol{Network: key, Code: "K7QP-SECRET", Account: "anna", Opening: b, AuthKey: id, Card: b}
	return []coin.Message{
		&coin.Request{Terms: terms, Expires: 9, Name: "Tea", Memo: "two pots", URL: "http://tea.example/"},
		&coin.Payment{Nonce: key, Request: id, ToBlanks: true, Paid: cny(5), Change: cny(1), Items: [][]byte{b}, ChangeBlanks: [][]byte{b}},
		&coin.Receipt{Nonce: key, Request: id, Code: coin.Accepted, Change: [][]byte{b}},
		&coin.Signed{Account: id, Time: 1, Serial: 2, Body: enrol},
		&coin.Failure{Code: coin.ClockOff, Text: "late"},
		&coin.Keys{Network: key, Mint: "Bank", Sign: id, Time: 1, Keys: [][]byte{b}},
		enrol, &coin.Enrolled{Account: "anna", Identity: id, Time: 1},
		&coin.Commit{Keys: [][16]byte{key}},
		&coin.Commitments{Items: []coin.Commitment{{Key: key, Code: coin.Accepted, Session: 1, A: id, B: id, Image: id, Deadline: 1}}},
		&coin.Challenge{Items: []coin.ChallengeItem{{Key: key, Session: 1, C: id}}},
		&coin.Answer{Items: []coin.AnswerItem{{Key: key, Session: 1, Code: coin.Accepted, R: id}}},
		&coin.Deposit{Terms: terms, Items: [][]byte{b}, Aids: [][]byte{b}},
		&coin.Deposited{Items: []coin.DepositedItem{{Code: coin.DoubleSpent, Guilt: b}}},
		&coin.Recover{Key: key, From: 1},
		&coin.Recovered{Key: key, Items: []coin.RecoveredItem{{Session: 1, A: id, B: id, C: id, R: id, At: 1}}, More: true},
		&coin.Claim{Items: []coin.ClaimItem{{Coin: b, Proof: b}}},
		&coin.Claimed{Items: []coin.ClaimedItem{{Code: coin.Accepted, Value: cny(5)}}},
		&coin.Status{Network: key, Time: 1, Lines: []coin.StatusLine{{Epoch: 202611, Issued: cny(5), Deposited: cny(5), Expired: cny(0), Outstanding: cny(0)}}},
		&coin.GuiltFile{Network: key, Time: 1, Key: b, Guilt: b, Identity: id, Account: "anna", Opening: b},
		&coin.Ask{What: coin.TypeKeys},
	}
}

// Goal: every message is explained in both languages, whatever form it comes in, and
// none of them tells a secret.
func TestEveryMessageOfCoinsIsExplained(t *testing.T) {
	han := regexp.MustCompile(`\p{Han}`)
	for _, m := range spoken() {
		raw, err := coin.Append(nil, m)
		if err != nil {
			t.Fatalf("%v: %v", m.Type(), err)
		}
		text, err := coin.Text(m)
		if err != nil {
			t.Fatal(err)
		}
		tag, err := coin.AppendNDEF(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range [][]byte{raw, []byte(text + "\n"), tag} {
			en, err := Message(form, lang.EN)
			if err != nil || en.Kind != Coin || en.Text == "" || len(en.Lines) < 2 {
				t.Fatalf("%v: %+v, %v", m.Type(), en, err)
			}
			zh, err := Message(form, lang.ZH)
			if err != nil || !han.MatchString(zh.Text) || len(zh.Lines) != len(en.Lines) {
				t.Fatalf("%v: %+v, %v", m.Type(), zh, err)
			}
			for i, line := range zh.Lines {
				last := line.Name[strings.LastIndex(line.Name, " ")+1:]
				if !han.MatchString(line.Name) && last != "A" && last != "B" {
					t.Errorf("%v: field %q is %q in Chinese", m.Type(), line.Field, line.Name)
				}
				if strings.Contains(en.Lines[i].Value, "SECRET") {
					t.Errorf("%v: %+v", m.Type(), en.Lines[i])
				}
			}
		}
	}
}

func TestCodesOfMessagesAreExplained(t *testing.T) {
	raw, err := coin.Append(nil, &coin.Failure{Code: coin.ClockOff, Text: "late"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Message(raw, lang.ZH)
	if err != nil || !strings.Contains(strings.Join(r.Lines[1].Notes, ""), "时钟") {
		t.Errorf("%+v, %v", r, err)
	}
}

func FuzzMessage(f *testing.F) {
	for _, m := range spoken() {
		raw, err := coin.Append(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := Message(b, lang.ZH); err == nil && (r.Kind != Coin || len(r.Lines) == 0) {
			t.Errorf("%+v", r)
		}
	})
}

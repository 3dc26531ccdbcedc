package terminal

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"

	"jiaozi/value/reason"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
)

// altered plays a script in which a man in the middle changes the answer to the
// n-th command with the given instruction.
func altered(t *testing.T, name string, ins byte, nth int, change func(answer []byte) []byte) (Outcome, *Terminal) {
	t.Helper()
	for _, s := range loadScripts(t) {
		if s.name != name {
			continue
		}
		x := s.scenes[0]
		exchanges := slices.Clone(x.exchanges)
		for i := range exchanges {
			if exchanges[i].command[1] != ins {
				continue
			}
			if nth--; nth < 0 {
				exchanges[i].answer = change(bytes.Clone(exchanges[i].answer))
				break
			}
		}
		till := openTest(t, &memory{})
		return till.Purchase(t.Context(), &player{t: t, exchanges: exchanges}, x.sale), till
	}
	t.Fatalf("no script %s", name)
	return Outcome{}, nil
}

func replaced(t *testing.T, from, to string) func([]byte) []byte {
	return func(b []byte) []byte {
		old, _ := hex.DecodeString(from)
		changed, _ := hex.DecodeString(to)
		if !bytes.Contains(b, old) || len(old) != len(changed) {
			t.Fatalf("%s is not in the answer, or its replacement has another length", from)
		}
		return bytes.Replace(b, old, changed, 1)
	}
}

// Goal: whoever changes what the card says on a tap gets no goods; if the card has
// paid by then, the record is flagged so that its holder is not out of pocket.
// Method: one row for each attack on the recorded tap.
func TestAChangedTapIsNoPayment(t *testing.T) {
	for _, row := range []struct {
		why     string
		ins     byte
		nth     int
		from    string
		to      string
		want    reason.Code
		flagged bool
	}{
		{"attack 7: qualifiers in clear claim a verified holder", apdu.InsGPO, 0, "9F6C020000", "9F6C020080", reason.ODAFailed, false},
		{"attack 4: the card is said to know no dynamic authentication", apdu.InsGPO, 0, "82022000", "82020000", reason.ODAFailed, false},
		{"the AIP is under the signature", apdu.InsGPO, 0, "82022000", "82022001", reason.ODAFailed, true},
		{"attack 34a: another sequence number, to miss the blacklist", apdu.InsGPO, 0, "5F340101", "5F340102", reason.ODAFailed, false},
		{"an unknown version of the signed data", apdu.InsGPO, 0, "9F690801", "9F690802", reason.ODAFailed, false},
		{"attack 42: a cryptogram of the contact interface", apdu.InsGPO, 0, "9F101307011103", "9F101307010103", reason.ProtocolError, false},
		{"attack 8: the card number in track 2 is another", apdu.InsGPO, 0, "6212340000000001D2912", "6212340000000019D2912", reason.ProtocolError, false},
		{"attack 5: a signed date is extended", apdu.InsReadRecord, 0, "5F2403291231", "5F2403391231", reason.ODAFailed, true},
		{"attack 27: another scheme key is named", apdu.InsReadRecord, 2, "8F01E1", "8F01E2", reason.ODAFailed, true},
		{"attack 3: the signature is another's", apdu.InsGPO, 0, "9F4B8190", "9F4B8190", reason.ODAFailed, true},
	} {
		change := replaced(t, row.from, row.to)
		if row.from == row.to {
			change = func(b []byte) []byte { b[len(b)-10] ^= 1; return b }
		}
		if len(row.from)%2 != 0 {
			change = replaced(t, row.from+"2", row.to+"2")
		}
		out, till := altered(t, "tap-approved", row.ins, row.nth, change)
		if out.Result != Declined || out.Reason != row.want || out.Flagged != row.flagged {
			t.Errorf("%s: %v %s, flagged %v (%v)", row.why, out.Result, out.Reason, out.Flagged, out.Err)
		}
		for _, r := range till.Uncleared() {
			if r.Flag != purse.ODAFailed || !row.flagged {
				t.Errorf("%s: a record with flag %v is left", row.why, r.Flag)
			}
		}
	}
}

// Offsets in the answer to GENERATE AC, 80 len CID ATC(2) AC(8) IAD(19).
const (
	atCID = 2
	atCVN = 15
	atCVR = 17
)

// Goal: the card's word at GENERATE AC is taken as the card meant it: a refusal
// closes the open payment, a contradiction leaves it open. Method: one row each on
// the recorded insert.
func TestTheWordOfTheCardAtGenerateAC(t *testing.T) {
	decide := func(d emv.Decision) func([]byte) []byte {
		return func(b []byte) []byte {
			cvr := emv.CVR(b[atCVR : atCVR+3])
			cvr.SetFirst(d)
			copy(b[atCVR:], cvr[:])
			b[atCID] = byte(d)
			return b
		}
	}
	for _, row := range []struct {
		why    string
		script string
		change func([]byte) []byte
		want   Result
		code   reason.Code
		open   int
	}{
		{"the card refuses", "insert-approved", decide(emv.AAC), Declined, reason.DeclinedByCard, 0},
		{"the card wants the issuer", "insert-approved", decide(emv.ARQC), Declined, reason.OnlineRequired, 0},
		{"refused in clear, paid under the MAC", "insert-approved", func(b []byte) []byte { b[atCID] = 0; return b }, Unknown, reason.Torn, 1},
		{"attack 42: a cryptogram of the contactless interface", "insert-approved", func(b []byte) []byte { b[atCVN] = emv.CVN17; return b }, Unknown, reason.Torn, 1},
		{"attack 1: the till believes in a PIN that the card never saw", "insert-pin", func(b []byte) []byte { b[atCVR] &^= byte(emv.CVRPINVerified); return b }, Declined, reason.PINWrong, 0},
	} {
		out, till := altered(t, row.script, apdu.InsGenerateAC, 0, row.change)
		if out.Result != row.want || out.Reason != row.code || len(till.state.pending) != row.open {
			t.Errorf("%s: %v %s, %d open (%v)", row.why, out.Result, out.Reason, len(till.state.pending), out.Err)
		}
		if row.code == reason.PINWrong && (!out.Flagged || till.Totals().Flagged != 1) {
			t.Errorf("%s: the debit is not flagged", row.why)
		}
	}
}

// TestAnOrderlyEndLeavesNothingUnsaid: Close marks the last sale as signalled, so
// that the next process sells the same again to the same card.
func TestAnOrderlyEndLeavesNothingUnsaid(t *testing.T) {
	for _, orderly := range []bool{true, false} {
		store := &memory{}
		till := openTest(t, store)
		s := loadScripts(t)[slices.IndexFunc(loadScripts(t), func(s dialogue) bool { return s.name == "tap-approved" })]
		till.Purchase(t.Context(), &player{t: t, exchanges: s.scenes[0].exchanges}, s.scenes[0].sale)
		if orderly {
			if err := till.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if _, unsaid := openTest(t, store).Unsaid(); unsaid == orderly {
			t.Errorf("orderly %v, unsaid %v", orderly, unsaid)
		}
	}
}

// TestWithoutRandomnessNoSale: a predictable number is worse than none (attack 11).
func TestWithoutRandomnessNoSale(t *testing.T) {
	till := openTest(t, &memory{})
	till.rand = bytes.NewReader([]byte{1, 2, 3})
	out := till.Purchase(t.Context(), nil, Sale{Amount: yuan(1), Entry: purse.Contactless})
	if out.Result != Declined || out.Reason != reason.SystemError {
		t.Errorf("%v %s", out.Result, out.Reason)
	}
}

func TestEveryHostCodeHasItsReason(t *testing.T) {
	for code, want := range map[string]reason.Code{
		"51": reason.AccountInsufficient, "55": reason.PINWrong, "75": reason.PINBlocked, "54": reason.Expired, "14": reason.UnknownCard,
		"61": reason.OverBalanceLimit, "22": reason.LoadInFlight, "43": reason.CardBlocked, "97": reason.UnknownTerminal, "A0": reason.MACError,
		"30": reason.FormatError, "91": reason.HostUnreachable, "05": reason.HostDeclined, "??": reason.HostDeclined,
	} {
		if got := hostReason(code); got != want {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
	}
}

package explain_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/wire/emv"
	"jiaozi/wire/explain"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/purse"
)

// render is the report as lines "depth field | name | value | notes".
func render(r explain.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", r.Kind, r.Text)
	for _, l := range r.Lines {
		fmt.Fprintf(&b, "%s%s | %s | %s | %s\n", strings.Repeat("  ", l.Depth), l.Field, l.Name, l.Value, strings.Join(l.Notes, "; "))
	}
	return b.String()
}

func TestEveryKindIsRecognised(t *testing.T) {
	for _, row := range []struct {
		why, input string
		kind       explain.Kind
		want       []string
	}{
		{"status word", "6985", explain.Status, []string{"conditions of use not satisfied"}},
		{"status word unknown to us", "6FFF", explain.Status, []string{"6FFF"}},
		{"wrong PIN", "63C2", explain.Status, []string{"2 tries left"}},
		{"directory", "00A404000E325041592E5359532E444446303100", explain.Command, []string{"SELECT", "by name, first", "2PAY.SYS.DDF01", "Le"}},
		{"with spaces and 0x", "0x00 B2 01 0C 00", explain.Command, []string{"READ RECORD", "record 1 of file 1"}},
		{"options", "80A8000002830000", explain.Command, []string{"GET PROCESSING OPTIONS", "83 | Command Template"}},
		{"counter", "80CA9F3600", explain.Command, []string{"GET DATA", "9F36 Application Transaction Counter"}},
		{"cryptogram", "80AE50000401020304 00", explain.Command, []string{"asks for TC, with a combined signature"}},
		{"issuer's answer", "008200000A872DEA4684895F933030", explain.Command, []string{"ARPC 872DEA4684895F93", "approved online"}},
		{"load", "04DA9F790A000000010000D1217584", explain.Command, []string{"PUT DATA", "secure messaging", "EC Balance", "(100.00)", "MAC | message authentication code | D1217584"}},
		{"block", "841E000004D1217584", explain.Command, []string{"APPLICATION BLOCK", "D1217584"}},
		{"coins prepared", "8032000005000000080300", explain.Command, []string{"PREPARE", "3 indices from 8 on"}},
		{"coin answered over the air", "8434000034000000000900000000000000000000000000000000000000000000000000000000000000260B87D06A796B58BBE5C95799424C4300",
			explain.Command, []string{"ANSWER", "secure messaging", "index 0, challenge 0900", "seal of the paired wallet | 260B87D06A796B58BBE5C95799424C43"}},
		{"wallet paired", "803A0000203A3A3A3A3A3A3A3A3A3A3A3A3A3A3A3A3A3A3A3A3A3A3A3A3A3A3A3A3A3A3A3A", explain.Command, []string{"PAIR", "32 bytes, not shown"}},
		{"purse balance", "805C000204", explain.Command, []string{"GET BALANCE"}},
		{"response", "6F178407A0000003330101A50C500450424F43870101880101 9000", explain.Response, []string{"6F | File Control", "    50 | Application Label", `"PBOC"`, "SW"}},
		{"short response, also TLV", "9F360200429000", explain.Response, []string{"0042", "success"}},
		{"format 1 of GPO", "800A7C00 08010100 10010301 9000", explain.Response, []string{"82 | Application Interchange", "94 | Application File", "file 2: records 1 to 3"}},
		{"format 1 of a cryptogram", "801E 40 0042 F44B2D820889AB06 07010103900000010A0100000100009A3C9EFE 9000", explain.Response, []string{"TC: approved", "balance 100.00"}},
		{"challenge", "0102030405060708 9000", explain.Response, []string{"data without tags | (8 bytes, not shown)"}},
		{"TLV", "9F0206000000001234 5F2A020156", explain.TLV, []string{"(12.34)", "Transaction Currency Code"}},
		{"named value", "TVR 8000048000", explain.Value, []string{"offline data authentication was not performed", "online PIN entered"}},
		{"name in small letters", "tsi E800", explain.Value, []string{"B1b7 cardholder verification"}},
		{"tag value", "9F79=000000010000", explain.Value, []string{"EC Balance", "(100.00)"}},
		{"value without a tag", "CVR A00000", explain.Value, []string{"CVR | Card Verification Results", "first cryptogram ARQC"}},
		{"template value", "70=5F2A020156", explain.TLV, []string{"70 | Record", "5F2A"}},
	} {
		r, err := explain.Explain(strings.Fields(row.input), lang.EN)
		if err != nil {
			t.Errorf("%s: %v", row.why, err)
			continue
		}
		text := render(r)
		if r.Kind != row.kind {
			t.Errorf("%s is taken for %s", row.why, r.Kind)
		}
		for _, want := range row.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is missing in\n%s", row.why, want, text)
			}
		}
	}
}

func TestNonsenseIsRefusedAndNotRepeated(t *testing.T) {
	for _, row := range []struct{ why, input string }{
		{"nothing", ""},
		{"odd", "698"},
		{"words", "hello world"},
		{"no value", "TVR"},
		{"value too short", "TVR 8000"},
		{"unknown name", "XYZ 8000048000"},
		{"no tag", "00=11"},
		{"random", "DEADBEEF"},
		{"zeros", "00000000000000000000"},
		{"card number as typed", "6212345678901232"},
		{"TLV cut short", "9F02060000000012"},
		{"TLV with a longer length than needed", "5A810162"},
		{"unknown tags only", "DF550100DF560100"},
		{"command with a byte too many", "80CA9F360000"},
		{"frame around nothing", "600001000060310031000002005555"},
		{"longer than anything", strings.Repeat("00", explain.MaxText)},
	} {
		for _, l := range []lang.Lang{lang.EN, lang.ZH} {
			r, err := explain.Explain([]string{row.input}, l)
			if err == nil {
				t.Errorf("%s is taken for %s", row.why, render(r))
				continue
			}
			if len(row.input) > 8 && strings.Contains(err.Error(), row.input) {
				t.Errorf("%s: the error repeats it: %v", row.why, err)
			}
		}
	}
}

func TestRefusalsSayWhatIsWrong(t *testing.T) {
	for _, row := range []struct{ input, want string }{
		{"9F02060000000012", "9F02 wants 6 bytes, 5 are left"},
		{"5A810162", "shortest form"},
		{"TVR 8000", "2 bytes, but this tag has 5"},
		{"0200702004", "begins like an ISO 8583 message"},
		{"XYZ 00", "not hexadecimal"},
	} {
		_, err := explain.Explain([]string{row.input}, lang.EN)
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.input, err, row.want)
		}
	}
}

func TestBothLanguagesAreSpoken(t *testing.T) {
	for _, input := range []string{"6985", "80CA9F3600", "9F360200429000", "TVR 8000048000", "841E000004D1217584"} {
		r, err := explain.Explain([]string{input}, lang.ZH)
		if err != nil {
			t.Fatal(err)
		}
		if text := render(r); !strings.ContainsFunc(text, func(c rune) bool { return c > 0x4E00 }) || strings.Contains(text, "unknown") {
			t.Errorf("%s is not explained in Chinese:\n%s", input, text)
		}
	}
}

const (
	pan   = "6212345678901232"
	inner = "567890" // the digits that must never show
)

func TestCardNumbersAndPINsAreMasked(t *testing.T) {
	digits, err := ident.ParsePAN(pan)
	if err != nil {
		t.Fatal(err)
	}
	record := purse.Append(nil, purse.Record{
		PAN: digits, Amount: money.New(money.CNY, 100), Other: money.Zero(money.CNY),
		When: time.Date(2026, 11, 22, 9, 0, 0, 0, clock.Zone), TID: "T0000001", MID: "M00000000000001",
		Entry: purse.Contact, Flag: purse.NoCryptogram, TxnType: emv.TxnPurchase, Country: 156,
	})
	for _, row := range []struct{ why, input string }{
		{"record", "701A 5A08" + pan + "5F24033012315F280201565F340100 9000"},
		{"track", "7715 570F" + pan + "D3012201000000" + "82027C00 9000"},
		{"record cut short", "70195A08" + pan + "5F2403301231 9000"},
		{"payment record", hex.EncodeToString(record)},
		{"track value", "57=" + pan + "D3012201"},
		{"card number value", "PAN " + pan},
		{"record written by script", "04DC010C0E" + "5A08" + pan + "D1217584"},
		{"PIN", "0020008008 24567890FFFFFFFF"},
		{"PIN change", "8424000204 56789012"},
	} {
		r, err := explain.Explain([]string{row.input}, lang.EN)
		if err != nil {
			// A refusal shows nothing either, but the rows are meant to work.
			t.Errorf("%s: %v", row.why, err)
			continue
		}
		if text := render(r); strings.Contains(text, inner) {
			t.Errorf("%s leaks:\n%s", row.why, text)
		}
	}
}

// messages are a card present request with everything that must be hidden, and
// a sign-on.
func messages(t testing.TB) map[string]string {
	t.Helper()
	found := map[string]string{}
	for name, fields := range map[string]map[int]string{
		"0200": {
			2: pan, 3: "600000", 4: "000000010000", 11: "000017", 22: "051", 25: "91", 35: pan + "=30122010000012345",
			41: "T0000001", 42: "M00000000000001", 49: "156", 52: "\x12\x34\x56\x78\x9A\xBC\xDE\xF0",
			55: "\x5A\x08\x62\x12\x34\x56\x78\x90\x12\x32\x95\x05\x80\x00\x00\x00\x00", 60: "45000003000", 64: "12345678",
		},
		"0800": {11: "000001", 41: "T0000001", 42: "M00000000000001", 60: "00000003003"},
	} {
		mti := iso8583.MTI(0x0200)
		if name == "0800" {
			mti = 0x0800
		}
		m := iso8583.Message{MTI: mti}
		for n, v := range fields {
			m.Set(n, v)
		}
		body, err := iso8583.POS.Append(nil, &m)
		if err != nil {
			t.Fatal(err)
		}
		found[name] = hex.EncodeToString(body)
	}
	return found
}

func TestMessagesAreFoundInTheirFrames(t *testing.T) {
	for name, body := range messages(t) {
		framed := "6000030000603100310000" + body
		length := fmt.Sprintf("%04X", len(framed)/2)
		for _, row := range []struct {
			why, input string
			fields     []string
		}{
			{"bare", body, []string{"mti"}},
			{"with length", fmt.Sprintf("%04X", len(body)/2) + body, []string{"length", "mti"}},
			{"with TPDU and header", framed, []string{"TPDU", "header", "mti"}},
			{"with all", length + framed, []string{"length", "TPDU", "header", "mti"}},
		} {
			r, err := explain.Explain([]string{row.input}, lang.EN)
			if err != nil {
				t.Errorf("%s %s: %v", name, row.why, err)
				continue
			}
			var fields []string
			for _, l := range r.Lines[:len(row.fields)] {
				fields = append(fields, l.Field)
			}
			if r.Kind != explain.ISO8583 || !slices.Equal(fields, row.fields) {
				t.Errorf("%s %s: %s", name, row.why, render(r))
			}
			if strings.Contains(render(r), inner) {
				t.Errorf("%s %s leaks:\n%s", name, row.why, render(r))
			}
		}
		if _, err := explain.Explain([]string{framed[:len(framed)-2]}, lang.EN); err == nil || !strings.Contains(err.Error(), "ISO 8583") {
			t.Errorf("%s cut short: %v", name, err)
		}
	}
}

func TestReportIsOneJSONObject(t *testing.T) {
	r, err := explain.Explain([]string{"6985"}, lang.EN)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"kind":"status","text":"status word","lines":[{"depth":0,"field":"SW","name":"status word","value":"6985","notes":["conditions of use not satisfied"]}]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func FuzzExplain(f *testing.F) {
	for _, seed := range []string{"6985", "TVR 8000048000", "9F360200429000", "80CA9F3600", "9F79=000000010000", "57=" + pan + "D3012201"} {
		f.Add(seed)
	}
	for _, body := range messages(f) {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, input string) {
		for _, l := range []lang.Lang{lang.EN, lang.ZH} {
			r, err := explain.Explain([]string{input}, l)
			if (err == nil) != (len(r.Lines) > 0) {
				t.Fatalf("%d lines with error %v", len(r.Lines), err)
			}
		}
	})
}

func ExampleExplain() {
	r, err := explain.Explain([]string{"TVR", "8000048000"}, lang.EN)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, note := range r.Lines[0].Notes {
		fmt.Println(note)
	}
	// Output:
	// B1b8 offline data authentication was not performed
	// B3b3 online PIN entered
	// B4b8 transaction exceeds the floor limit
}

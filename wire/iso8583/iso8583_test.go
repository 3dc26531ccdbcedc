package iso8583

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"jiaozi/value/lang"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Messages that others published, with their MAC, decode and encode to the same
// bytes, and the bytes under the MAC are those that the publisher named.
func TestPublishedMessagesSurviveDecodeAndEncode(t *testing.T) {
	raw, err := os.ReadFile("testdata/published.json")
	if err != nil {
		t.Fatal(err)
	}
	var published []struct {
		Source, MAB, Field64 string
		Fields               map[int]string
	}
	if err := json.Unmarshal(raw, &published); err != nil {
		t.Fatal(err)
	}
	for _, p := range published {
		t.Run(p.MAB[:4], func(t *testing.T) {
			body := unhex(t, p.MAB+p.Field64)
			var m Message
			if err := POS.Decode(body, &m); err != nil {
				t.Fatal(err)
			}
			for n, want := range p.Fields {
				if got := m.Text(n); got != want {
					t.Errorf("field %d: %q, want %q", n, got, want)
				}
			}
			again, err := POS.Append(nil, &m)
			if err != nil || !bytes.Equal(again, body) {
				t.Errorf("encoded again: %X, %v", again, err)
			}
			mab, mac, err := POS.MAB(body)
			if err != nil || !bytes.Equal(mab, unhex(t, p.MAB)) || !bytes.Equal(mac, unhex(t, p.Field64)) {
				t.Errorf("MAB %X, MAC %X, %v", mab, mac, err)
			}
		})
	}
}

// Each packing rule of the dialect, one row: the field, the value, its bytes.
func TestDialectPacksFields(t *testing.T) {
	for _, c := range []struct {
		why, value, wire string
		field            int
	}{
		{"variable n, odd: length counts digits, trailing pad", "6212340000000000011", "19 6212340000000000011 0", 2},
		{"variable n, even", "6212345678901232", "16 6212345678901232", 2},
		{"fixed n12", "000000001000", "000000001000", 4},
		{"F22 is n3 with a trailing pad", "071", "0710", 22},
		{"F23 is n3 with a leading zero", "001", "0001", 23},
		{"z: the separator is nibble D", "4392260009942820=1312101120084", "30 4392260009942820D1312101120084", 35},
		{"text as it is", "12345678", "3132333435363738", 41},
		{"b8", "\x01\x02\x03\x04\x05\x06\x07\x08", "0102030405060708", 52},
		{"LLL binary counts bytes", "\x9f\x36\x02\x00\x01", "0005 9F36020001", 55},
		{"LLL n counts digits", "00000001003", "0011 000000010030", 60},
	} {
		t.Run(fmt.Sprintf("F%d %s", c.field, c.why), func(t *testing.T) {
			m := Message{MTI: 0x0200}
			m.Set(c.field, c.value)
			body, err := POS.Append(nil, &m)
			if err != nil {
				t.Fatal(err)
			}
			if want := unhex(t, c.wire); !bytes.Equal(body[10:], want) {
				t.Fatalf("packed %X, want %X", body[10:], want)
			}
			var back Message
			if err := POS.Decode(body, &back); err != nil || back != m {
				t.Fatalf("unpacked %q, %v", back.Text(c.field), err)
			}
		})
	}
}

// body builds a message with one field from raw bytes.
func body(mti uint16, field int, content []byte) []byte {
	var b Bits
	b.add(field)
	out := []byte{byte(mti >> 8), byte(mti)}
	out = binary.BigEndian.AppendUint64(out, mirror(b[0]))
	return append(out, content...)
}

// Everything that is not exactly the dialect is refused, with the path of the field
// and without its content.
func TestDecodeRefusesWhatIsNotTheDialect(t *testing.T) {
	for _, c := range []struct {
		why  string
		raw  []byte
		path string
		err  error
	}{
		{"empty", nil, "mti", ErrTruncated},
		{"unknown type", body(0x0260, 3, unhex(t, "000000")), "mti", ErrUnknownType},
		{"type with a non-digit", body(0x02A0, 3, unhex(t, "000000")), "mti", ErrUnknownType},
		{"secondary bitmap in a 64-bit dialect", body(0x0200, 1, make([]byte, 8)), "1", ErrUnknownField},
		{"field the dialect lacks", body(0x0200, 24, unhex(t, "0003")), "24", ErrUnknownField},
		{"fixed field cut short", body(0x0200, 4, unhex(t, "0000")), "4", ErrTruncated},
		{"length prefix cut short", body(0x0200, 55, unhex(t, "00")), "55", ErrTruncated},
		{"length beyond the end", body(0x0200, 55, unhex(t, "0005 9F36")), "55", ErrTruncated},
		{"length above the maximum", body(0x0200, 2, unhex(t, "20 62123456789012345678")), "2", ErrTooLong},
		{"length that is not BCD", body(0x0200, 2, unhex(t, "1A 6212345678901232")), "2", ErrLength},
		{"LLL with a high nibble", body(0x0200, 55, unhex(t, "1005 9F36020001")), "55", ErrTooLong},
		{"letter in a numeric field", body(0x0200, 3, unhex(t, "00A000")), "3", ErrDigit},
		{"letter in the odd digit", body(0x0200, 60, unhex(t, "0011 0000000100A0")), "60", ErrDigit},
		{"F22 padded with F is not in the table", body(0x0200, 22, unhex(t, "071F")), "22", ErrPadding},
		{"F23 with a leading digit", body(0x0200, 23, unhex(t, "1001")), "23", ErrPadding},
		{"F60 padded with a digit", body(0x0200, 60, unhex(t, "0011 000000010031")), "60", ErrPadding},
		{"control character in text", body(0x0200, 41, []byte("1234567\x00")), "41", ErrCharacter},
		{"bytes after the last field", body(0x0200, 3, unhex(t, "00000000")), "end", ErrTrailing},
		{"longer than any frame", make([]byte, MaxMessage+1), "end", ErrTooLong},
	} {
		t.Run(c.why, func(t *testing.T) {
			m := Message{MTI: 0x0800}
			m.Set(3, "999999")
			err := POS.Decode(c.raw, &m)
			var e *Error
			if !errors.As(err, &e) || e.Path != c.path || !errors.Is(err, c.err) {
				t.Fatalf("got %v, want %v at %s", err, c.err, c.path)
			}
			if m != (Message{}) {
				t.Fatal("a refused message must leave nothing behind")
			}
		})
	}
}

// Pad nibbles that the table names are accepted and kept: the MAC was made over
// them, so encoding again must give the same bytes.
func TestTolerablePaddingIsKept(t *testing.T) {
	for _, c := range []struct {
		field int
		wire  string
	}{{2, "19 6212340000000000011 F"}, {35, "29 4392260009942820D131210112008 F"}} {
		raw := body(0x0200, c.field, unhex(t, c.wire))
		var m Message
		if err := POS.Decode(raw, &m); err != nil {
			t.Fatal(err)
		}
		if again, err := POS.Append(nil, &m); err != nil || !bytes.Equal(again, raw) {
			t.Fatalf("field %d: %X %v", c.field, again, err)
		}
		var onward Message
		onward.MTI = 0x0200
		onward.Copy(&m, c.field)
		inner, err := Interchange.Append(nil, &onward)
		if err != nil || inner[len(inner)-1]&15 != 0 {
			t.Fatalf("the interchange has one form only: %X %v", inner, err)
		}
		if err := Interchange.Decode(raw, &onward); !errors.Is(err, ErrPadding) {
			t.Fatalf("the interchange tolerates no other pad: %v", err)
		}
		m.Set(c.field, m.Text(c.field))
		if fresh, err := POS.Append(nil, &m); err != nil || fresh[len(fresh)-1]&15 != 0 {
			t.Fatalf("a value set anew has canonical padding: %X %v", fresh, err)
		}
	}
}

// Values that do not fit their field are refused by Append, never cut or padded.
func TestAppendRefusesValuesThatDoNotFit(t *testing.T) {
	for _, c := range []struct {
		why, value string
		field      int
		err        error
	}{
		{"short", "1", 3, ErrLength},
		{"long", "1234567", 3, ErrTooLong},
		{"letter", "12345a", 3, ErrDigit},
		{"letter in an odd place", "00000001a", 60, ErrDigit},
		{"letter first", "a01", 23, ErrDigit},
		{"letter last", "07a", 22, ErrDigit},
		{"not a track", "1234 5", 35, ErrDigit},
		{"control", "123\n5678", 41, ErrCharacter},
		{"no such field", "1", 24, ErrUnknownField},
		{"no such field here", "1", 128, ErrUnknownField},
	} {
		m := Message{MTI: 0x0200}
		m.Set(c.field, c.value)
		if out, err := POS.Append([]byte("kept"), &m); !errors.Is(err, c.err) || string(out) != "kept" {
			t.Errorf("%s: %q %v, want %v", c.why, out, err, c.err)
		}
	}
	if _, err := POS.Append(nil, &Message{MTI: 0x9999}); !errors.Is(err, ErrUnknownType) {
		t.Errorf("unknown type: %v", err)
	}
}

// Decode then encode is the identity on every message that both dialects can say.
func TestEveryMessageSurvivesTheWire(t *testing.T) {
	for _, s := range []*Spec{POS, Interchange} {
		t.Run(s.Name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				m := drawMessage(r, s)
				raw, err := s.Append(nil, &m)
				if err != nil {
					r.Fatal(err)
				}
				var back Message
				if err := s.Decode(raw, &back); err != nil || back != m {
					r.Fatalf("%v became %v: %v", m, back, err)
				}
			})
		})
	}
}

func drawMessage(r *rapid.T, s *Spec) Message {
	m := Message{MTI: rapid.SampledFrom(s.Types).Draw(r, "type").MTI}
	for n := range s.Fields {
		f := &s.Fields[n]
		if f.Form == 0 || !rapid.Bool().Draw(r, "has") {
			continue
		}
		least := f.Size
		if f.Prefix != 0 {
			least = 0
		}
		alphabet := map[Form]string{Digits: "0123456789", Track: "0123456789:;<=>?", Text: " A9~"}[f.Form]
		v := rapid.SliceOfN(rapid.Byte(), least, f.Size).Draw(r, "value")
		for i := range v {
			if alphabet != "" {
				v[i] = alphabet[int(v[i])%len(alphabet)]
			}
		}
		m.SetBytes(n, v)
	}
	return m
}

// The secondary bitmap appears exactly when it is needed.
func TestInterchangeBitmapIsAsShortAsItCanBe(t *testing.T) {
	m := Message{MTI: 0x0800}
	m.Set(11, "000001")
	short, err := Interchange.Append(nil, &m)
	if err != nil || len(short) != 2+8+3 {
		t.Fatalf("%X %v", short, err)
	}
	m.Set(128, "12345678")
	long, err := Interchange.Append(nil, &m)
	if err != nil || len(long) != 2+16+3+8 {
		t.Fatalf("%X %v", long, err)
	}
	padded := append(append([]byte{}, short[:10]...), make([]byte, 8)...)
	padded[2] |= 0x80
	if err := Interchange.Decode(append(padded, short[10:]...), &m); !errors.Is(err, ErrBitmap) {
		t.Fatalf("empty secondary bitmap: %v", err)
	}
	if err := Interchange.Decode(padded[:12], &m); !errors.Is(err, ErrTruncated) {
		t.Fatalf("cut secondary bitmap: %v", err)
	}
}

// Seal puts the MAC over everything before it, the bitmap with the MAC's bit
// included, and MAB gives the receiver the same bytes.
func TestSealedMessageVerifies(t *testing.T) {
	for _, s := range []*Spec{POS, Interchange} {
		m := Message{MTI: 0x0200}
		m.Set(11, "000001")
		var sealed []byte
		out, err := s.Seal([]byte("prefix"), &m, func(mab []byte) ([8]byte, error) {
			sealed = append(sealed, mab...)
			return [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, nil
		})
		if err != nil || !bytes.HasPrefix(out, []byte("prefix")) {
			t.Fatal(err)
		}
		mab, mac, err := s.MAB(out[len("prefix"):])
		if err != nil || !bytes.Equal(mab, sealed) || mac[0] != 1 || m.Text(s.MAC) != string(mac) {
			t.Fatalf("%s: MAB %X, sealed %X, MAC %X, %v", s.Name, mab, sealed, mac, err)
		}
		m.Unset(s.MAC)
		bare, err := s.Append(nil, &m)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.MAB(bare); !errors.Is(err, ErrNoMAC) {
			t.Fatalf("no MAC: %v", err)
		}
		if _, err := s.Seal(nil, &m, func([]byte) ([8]byte, error) { return [8]byte{}, errors.New("no key") }); err == nil {
			t.Fatal("a key that fails must fail the message")
		}
	}
}

// The table says which messages must carry a MAC under which profile.
func TestMACRulesAreData(t *testing.T) {
	for _, c := range []struct {
		mti         MTI
		cup, secure bool
	}{{0x0200, true, true}, {0x0620, true, true}, {0x0500, false, true}, {0x0320, false, true}, {0x0800, false, false}, {0x9999, false, false}} {
		if POS.MustMAC(c.mti, false) != c.cup || POS.MustMAC(c.mti, true) != c.secure {
			t.Errorf("%s: cup %v secure %v", c.mti, POS.MustMAC(c.mti, false), POS.MustMAC(c.mti, true))
		}
	}
}

// Validate names the first field that a type cannot do without.
func TestValidateNamesTheMissingField(t *testing.T) {
	m := Message{MTI: 0x0800}
	for n, v := range map[int]string{11: "000001", 41: "12345678", 60: "00000001003"} {
		m.Set(n, v)
	}
	err := POS.Validate(&m)
	if e := (*Error)(nil); !errors.As(err, &e) || e.Path != "42" || !errors.Is(err, ErrMissing) {
		t.Fatalf("got %v", err)
	}
	m.Set(42, strings.Repeat("1", 15))
	if err := POS.Validate(&m); err != nil {
		t.Fatal(err)
	}
	if err := POS.Validate(&Message{}); !errors.Is(err, ErrUnknownType) {
		t.Fatalf("got %v", err)
	}
}

// A message is a value: a copy does not follow the original.
func TestMessagesAreValues(t *testing.T) {
	a := Message{MTI: 0x0200}
	a.Set(3, "000000")
	b := a
	c := a.Clone()
	a.Set(3, "600000")
	a.Unset(3, 4)
	if b.Text(3) != "000000" || c.Text(3) != "000000" || a.Has(3) || a.Bytes(3) != nil || b == a {
		t.Fatal("copies share state")
	}
	a.Reset()
	if a != (Message{}) {
		t.Fatal("reset left something")
	}
}

// However a message is printed, no card data comes out.
func TestPrintingAMessageLeaksNothing(t *testing.T) {
	m := sale(t)
	for _, s := range []string{fmt.Sprint(m), fmt.Sprintf("%+v", m), fmt.Sprintf("%#v", &m), fmt.Sprintf("%s", &m)} {
		if strings.Contains(s, "62123400") || !strings.Contains(s, "0200[2 3 4") {
			t.Fatalf("printed %s", s)
		}
	}
}

// Describe names every field in both languages and masks what identifies the card.
func TestDescribeMasksTheCard(t *testing.T) {
	m := sale(t)
	m.Set(35, "6212340000000000011=30012200000000000")
	m.Set(39, "51")
	m.SetBytes(52, unhex(t, "ACF46E73838A82F9"))
	m.SetBytes(64, unhex(t, "3732343839434143"))
	for _, l := range []lang.Lang{lang.EN, lang.ZH} {
		var all strings.Builder
		for _, line := range POS.Describe(&m, l) {
			if line.Name == "" && line.Value == "" {
				t.Errorf("empty line at %s", line.Path)
			}
			fmt.Fprintln(&all, line)
		}
		out := all.String()
		for _, secret := range []string{"6212340000000000011", "0000000011", "3001220", "ACF46E73", "37323438"} {
			if strings.Contains(out, secret) {
				t.Errorf("%s shown in\n%s", secret, out)
			}
		}
		for _, want := range []string{"621234*********0011", "55.9F36", lang.Text{EN: "amount", ZH: "交易金额"}.In(l), lang.Text{EN: "does not hold enough", ZH: "余额不足"}.In(l)} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q missing in\n%s", l, want, out)
			}
		}
	}
}

// Broken chip data is described as far as it goes and never panics.
func TestDescribeSurvivesBrokenChipData(t *testing.T) {
	m := Message{MTI: 0x0200}
	m.SetBytes(55, unhex(t, "9F3602000195FF"))
	lines := POS.Describe(&m, lang.EN)
	if last := lines[len(lines)-1]; last.Name != "unreadable" {
		t.Fatalf("last line %v", last)
	}
}

// Every field and type has a name in both languages, every code a text and a class
// that agrees with its first digit's meaning.
func TestTablesAreComplete(t *testing.T) {
	for _, s := range []*Spec{POS, Interchange} {
		for n, f := range s.Fields {
			if f.Form != 0 && (f.Name.EN == "" || f.Name.ZH == "" || f.Size == 0) {
				t.Errorf("%s field %d is incomplete", s.Name, n)
			}
		}
		for _, row := range s.Types {
			if row.Name.EN == "" || row.Name.ZH == "" || row.Need == (Bits{}) {
				t.Errorf("%s type %s is incomplete", s.Name, row.MTI)
			}
		}
	}
	seen := ""
	for _, r := range responses {
		if r.Code <= seen || r.Text.EN == "" || r.Text.ZH == "" || len(r.Code) != 2 {
			t.Errorf("response %q out of order or incomplete", r.Code)
		}
		if r.Reverse && r.Approved() {
			t.Errorf("response %q both approves and reverses", r.Code)
		}
		seen = r.Code
	}
}

// A code that nobody knows never approves.
func TestUnknownResponseCodeDeclines(t *testing.T) {
	if r, known := Lookup("ZZ"); known || r.Approved() || r.Text.EN == "" {
		t.Fatalf("%+v", r)
	}
	for code, approved := range map[string]bool{"00": true, "10": true, "51": false, "A0": false, "98": false} {
		if r, _ := Lookup(code); r.Approved() != approved {
			t.Errorf("%s: %+v", code, r)
		}
	}
	if r, _ := Lookup(CodeMAC); !r.Retriable() || r.Class != SignOn {
		t.Error("a bad MAC must make the terminal sign on again")
	}
}

// A request that cannot be decoded is refused with its own type, if it shows one;
// answers and noise are not answered.
func TestUndecodableRequestIsRefusedByType(t *testing.T) {
	for raw, want := range map[string]string{
		"0200FF": "02100000000002000000" + "3330", "0260": "02700000000002000000" + "3330",
		"0210": "", "02": "", "": "", "0A00": "", "8200": "",
	} {
		if got := Refuse(unhex(t, raw), CodeFormat); !bytes.Equal(got, unhex(t, want)) {
			t.Errorf("%s: %X, want %s", raw, got, want)
		}
	}
	var m Message
	if err := POS.Decode(Refuse([]byte{2, 0}, CodeFormat), &m); err != nil || m.Text(39) != CodeFormat {
		t.Error(m, err)
	}
}

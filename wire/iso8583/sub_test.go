package iso8583

import (
	"bytes"
	"errors"
	"testing"

	"jiaozi/value/money"
)

// Field 60 keeps how many sub-fields were sent, so that it can be sent again.
func TestF60KeepsItsParts(t *testing.T) {
	for _, c := range []struct {
		digits string
		want   F60
	}{
		{"22000001", F60{Type: 22, Batch: 1, Parts: 2}},
		{"00000024004", F60{Batch: 24, NetCode: 4, Parts: 3}},
		{"2200002400060", F60{Type: 22, Batch: 24, Cap: 6, Parts: 5}},
		{"36000024000501048", F60{Type: 36, Batch: 24, Cap: 5, Partial: 1, Account: 48, Parts: 7}},
	} {
		got, err := ParseF60(c.digits)
		if err != nil || got != c.want || got.Digits() != c.digits {
			t.Errorf("%s: %+v %s %v", c.digits, got, got.Digits(), err)
		}
	}
	if s := (F60{Batch: 7, NetCode: NetSettle}).Digits(); s != "00000007201" {
		t.Errorf("three parts by default, got %s", s)
	}
}

// Sub-fields that are cut, too long or not digits are refused with their path.
func TestSubfieldsAreStrict(t *testing.T) {
	path := func(err error) string {
		var e *Error
		if errors.As(err, &e) {
			return e.Path
		}
		return ""
	}
	for digits, want := range map[string]string{"": "60.2", "22": "60.2", "2200001": "60.2", "220000010": "60.3", "22000001000600000": "", "220000010006000001": "60", "2200000x": "60.2", "+2000001": "60.1"} {
		if _, err := ParseF60(digits); path(err) != want {
			t.Errorf("F60 %q: %v, want %q", digits, err, want)
		}
	}
	for digits, want := range map[string]string{"": "61", "0000010000021301": "61.3", "00000x0000021201": "61.1", "000001_000021201": "61.2", "0000010000021232": "61.3"} {
		if _, err := ParseOriginal(digits); path(err) != want {
			t.Errorf("F61 %q: %v, want %q", digits, err, want)
		}
	}
	o := Original{Batch: 3, STAN: 77, Date: 1122}
	if got, err := ParseOriginal(o.Digits()); err != nil || got != o {
		t.Errorf("F61 %s: %+v %v", o.Digits(), got, err)
	}
}

// Totals survive the wire, and what does not fit is refused rather than cut.
func TestTotalsSurviveTheWire(t *testing.T) {
	want := Totals{Home: Sums{Debit: 123456, DebitCount: 12, Credit: 5, CreditCount: 1, Reply: TotalsEqual}, Foreign: Sums{Debit: 999_999_999_999, DebitCount: 999}}
	s, err := want.Digits()
	if err != nil || len(s) != 62 {
		t.Fatalf("%q %v", s, err)
	}
	if got, err := ParseTotals(s); err != nil || got != want {
		t.Fatalf("%+v %v", got, err)
	}
	for _, bad := range []Sums{{Debit: -1}, {Debit: money.Minor(1_000_000_000_000)}, {DebitCount: 1000}, {Reply: 10}} {
		if _, err := (Totals{Home: bad}).Digits(); !errors.Is(err, ErrValue) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := ParseTotals(s[1:]); !errors.Is(err, ErrLength) {
		t.Error(err)
	}
	if _, err := ParseTotals(s[1:] + "x"); !errors.Is(err, ErrDigit) {
		t.Error(err)
	}
}

// The key field has one layout per key size.
func TestKeyFieldSurvivesTheWire(t *testing.T) {
	for _, size := range []int{8, 16, 24} {
		k := KeyField{TPK: bytes.Repeat([]byte{1}, size), TAK: bytes.Repeat([]byte{2}, size), TPKCheck: [4]byte{3}, TAKCheck: [4]byte{4}}
		b, err := k.Bytes()
		if err != nil || len(b) != 2*(size+4) {
			t.Fatalf("%d: %v", size, err)
		}
		back, err := ParseKeyField(b)
		if err != nil || !bytes.Equal(back.TPK, k.TPK) || !bytes.Equal(back.TAK, k.TAK) || back.TPKCheck != k.TPKCheck || back.TAKCheck != k.TAKCheck {
			t.Fatalf("%d: %+v %v", size, back, err)
		}
	}
	if _, err := (KeyField{TPK: make([]byte, 16), TAK: make([]byte, 8)}).Bytes(); !errors.Is(err, ErrLength) {
		t.Error(err)
	}
	if _, err := ParseKeyField(make([]byte, 60)); !errors.Is(err, ErrLength) {
		t.Error(err)
	}
}

// The other tenants of field 62.
func TestField62Helpers(t *testing.T) {
	if serial, err := ParseSignOnText(SignOnText("JZ00000001")); err != nil || serial != "JZ00000001" {
		t.Error(serial, err)
	}
	for _, bad := range []string{"", "Sequence No", "Sequence No05abc", "Sequence Nox1a", "sequence no01a"} {
		if _, err := ParseSignOnText(bad); err == nil {
			t.Errorf("accepted %q", bad)
		}
	}
	chunk := ListChunk{More: true, Total: 12, Data: []byte("data")}
	b, err := chunk.Bytes()
	if err != nil || string(b) != "1012data" {
		t.Fatalf("%q %v", b, err)
	}
	if back, err := ParseListChunk(b); err != nil || !back.More || back.Total != 12 || string(back.Data) != "data" {
		t.Errorf("%+v %v", back, err)
	}
	for _, bad := range []string{"", "2001x", "1000x", "1x01x", string(make([]byte, 500))} {
		if _, err := ParseListChunk([]byte(bad)); err == nil {
			t.Errorf("accepted %q", bad)
		}
	}
	if _, err := (ListChunk{}).Bytes(); err == nil {
		t.Error("a list of no chunks")
	}
	if n, err := ParseListRequest([]byte(ListRequest(37))); err != nil || n != 37 {
		t.Error(n, err)
	}
	for _, bad := range []string{"", "1", "00x", "0001"} {
		if _, err := ParseListRequest([]byte(bad)); err == nil {
			t.Errorf("accepted %q", bad)
		}
	}
	if flag, err := ParseFlagField([]byte(FlagField(2))); err != nil || flag != 2 {
		t.Error(flag, err)
	}
	for _, bad := range []string{"", "\xDF\x01\x02\x00\x00", "\xDF\x01\x01"} {
		if _, err := ParseFlagField([]byte(bad)); err == nil {
			t.Errorf("accepted %q", bad)
		}
	}
}

// A frame survives, its answer goes back where it came from, and noise is refused.
func TestFrames(t *testing.T) {
	f := Frame{TPDU: NewTPDU(0x0003, 0x0001), Header: DefaultHeader.Instruct(AskBlacklist), Body: []byte{2, 0}}
	raw := AppendFrame(nil, f)
	back, err := DecodeFrame(raw)
	if err != nil || back.TPDU != f.TPDU || back.Header.Instruction() != AskBlacklist || !bytes.Equal(back.Body, f.Body) {
		t.Fatalf("%+v %v", back, err)
	}
	if f.TPDU.Reply() != NewTPDU(0x0001, 0x0003) {
		t.Errorf("reply %X", f.TPDU.Reply())
	}
	for _, bad := range [][]byte{nil, raw[:10], append([]byte{0x61}, raw[1:]...), append(append([]byte{}, raw[:5]...), 0xFF, 0, 0, 0, 0, 0)} {
		if _, err := DecodeFrame(bad); err == nil {
			t.Errorf("accepted %X", bad)
		}
	}
}

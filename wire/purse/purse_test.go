package purse_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

var compare = cmp.Options{
	cmp.Comparer(func(a, b ident.PAN) bool { return a == b }),
	cmp.Comparer(func(a, b money.Amount) bool { return a == b }),
	cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }),
}

// sample is the transaction of testdata/cvn.txt, so that its cryptogram input
// can be compared.
func sample() purse.Record {
	pan, err := ident.ParsePAN(ident.WithLuhn("621234567890123"))
	if err != nil {
		panic(err)
	}
	return purse.Record{
		PAN: pan, PSN: 0,
		Amount: money.New(money.CNY, 1234), Other: money.Zero(money.CNY),
		When: time.Date(2026, 11, 22, 13, 45, 7, 0, clock.Zone),
		TID:  "T0000001", MID: "M00000000000001", STAN: 17, Batch: 3,
		Entry: purse.Contactless,
		AC:    [8]byte{0xF4, 0x4B, 0x2D, 0x82, 0x08, 0x89, 0xAB, 0x06},
		CID:   emv.CID(emv.TC), ATC: 0x42,
		IAD: emv.IAD{DKI: 1, CVN: emv.CVN01, CVR: emv.CVR{0xA0}, Alg: emv.Alg3DES, IDD: emv.IDDBalance,
			Value: [5]byte{0, 0, 1, 0, 0}, MAC: [4]byte{0x9A, 0x3C, 0x9E, 0xFE}}.Append(nil),
		UN: [4]byte{0x11, 0x22, 0x33, 0x44}, AIP: emv.AIP{0x7C, 0x00},
		TxnType: emv.TxnPurchase, Country: 156, Caps: [3]byte{0xE0, 0x40, 0xC8},
		ECAuth: [6]byte([]byte("ECC001")), ListVersion: 9,
	}
}

func TestRecordReadsBackAsItself(t *testing.T) {
	for _, flag := range []purse.Flag{purse.None, purse.Torn, purse.ODAFailed} {
		r := sample()
		r.Flag = flag
		b := purse.Append(nil, r)
		got, err := purse.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(r, got, compare); d != "" {
			t.Error(d)
		}
		if again := purse.Append(nil, got); !bytes.Equal(again, b) {
			t.Errorf("written again as %X", again)
		}
	}
}

func TestEveryValidRecordReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRecord(t)
		if err := r.Validate(); err != nil {
			t.Fatal(err)
		}
		got, err := purse.Decode(purse.Append(nil, r))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(r, got, compare); d != "" {
			t.Fatal(d)
		}
	})
}

func anyRecord(t *rapid.T) purse.Record {
	r := sample()
	pan, err := ident.ParsePAN(ident.WithLuhn(rapid.StringMatching(`[0-9]{11,18}`).Draw(t, "pan")))
	if err != nil {
		t.Fatal(err)
	}
	c := money.Currency(rapid.Uint16Range(1, 999).Draw(t, "currency"))
	minor := rapid.Int64Range(0, int64(money.MaxN12))
	r.PAN, r.PSN = pan, ident.PSN(rapid.Uint8Range(0, 99).Draw(t, "psn"))
	r.Amount = money.New(c, money.Minor(minor.Draw(t, "amount")))
	r.Other = money.New(c, money.Minor(minor.Draw(t, "other")))
	first := time.Date(2000, 1, 1, 0, 0, 0, 0, clock.Zone)
	r.When = first.Add(time.Duration(rapid.Int64Range(0, 49*365*86400).Draw(t, "when")) * time.Second)
	r.STAN, r.Batch = rapid.Uint32Range(0, 999_999).Draw(t, "stan"), rapid.Uint32Range(0, 999_999).Draw(t, "batch")
	r.ATC, r.ListVersion = rapid.Uint16().Draw(t, "atc"), rapid.Uint32().Draw(t, "list")
	r.Country = rapid.Uint16Range(0, 999).Draw(t, "country")
	if rapid.Bool().Draw(t, "no cryptogram") {
		r.Flag, r.IAD, r.AC = purse.NoCryptogram, nil, [8]byte{}
	}
	return r
}

func TestInvalidRecordsAreNamed(t *testing.T) {
	for _, row := range []struct {
		why    string
		change func(*purse.Record)
	}{
		{"no card number", func(r *purse.Record) { r.PAN = ident.PAN{} }},
		{"sequence number has two digits", func(r *purse.Record) { r.PSN = 100 }},
		{"amounts are not negative", func(r *purse.Record) { r.Amount = money.New(money.CNY, -1) }},
		{"n12 has twelve digits", func(r *purse.Record) { r.Amount = money.New(money.CNY, money.MaxN12+1) }},
		{"one currency", func(r *purse.Record) { r.Other = money.Zero(money.HKD) }},
		{"some currency", func(r *purse.Record) { r.Amount, r.Other = money.Amount{}, money.Amount{} }},
		{"terminal id", func(r *purse.Record) { r.TID = "T1" }},
		{"merchant id", func(r *purse.Record) { r.MID = "M1" }},
		{"six digits of trace", func(r *purse.Record) { r.STAN = 1_000_000 }},
		{"entry mode", func(r *purse.Record) { r.Entry = 1 }},
		{"time is missing", func(r *purse.Record) { r.When = time.Time{} }},
		{"no fractions", func(r *purse.Record) { r.When = r.When.Add(time.Nanosecond) }},
		{"two-digit years end in 2049", func(r *purse.Record) { r.When = time.Date(2050, 1, 1, 0, 0, 0, 0, clock.Zone) }},
		{"IAD is up to 32 bytes", func(r *purse.Record) { r.IAD = make([]byte, 33) }},
		{"country has three digits", func(r *purse.Record) { r.Country = 1000 }},
		{"unknown flag", func(r *purse.Record) { r.Flag = 4 }},
		{"a plain record has a cryptogram", func(r *purse.Record) { r.IAD = nil }},
		{"and one flagged as having none has none", func(r *purse.Record) { r.Flag = purse.NoCryptogram }},
	} {
		r := sample()
		row.change(&r)
		if err := r.Validate(); !errors.Is(err, purse.ErrRecord) {
			t.Errorf("%s: %v", row.why, err)
		}
	}
}

func TestOtherEncodingsOfARecordAreRefused(t *testing.T) {
	good := purse.Append(nil, sample())
	outer, _, err := tlv.Next(good)
	if err != nil {
		t.Fatal(err)
	}
	list, err := tlv.Decode(outer.Value)
	if err != nil {
		t.Fatal(err)
	}
	wrap := func(l tlv.List) []byte { return tlv.Append(nil, purse.TagRecord, tlv.AppendList(nil, l)) }
	swapped := append(tlv.List(nil), list...)
	swapped[0], swapped[1] = swapped[1], swapped[0]
	padded := append(tlv.List(nil), list...)
	padded[0].Value = append(append([]byte(nil), padded[0].Value...), 0xFF)
	for _, row := range []struct {
		why string
		b   []byte
	}{
		{"empty", nil},
		{"truncated", good[:len(good)-1]},
		{"trailing byte", append(append([]byte(nil), good...), 0)},
		{"another template", append([]byte{0xE2}, good[1:]...)},
		{"order", wrap(swapped)},
		{"an object missing", wrap(list[1:])},
		{"an object twice", wrap(append(append(tlv.List(nil), list...), list[0]))},
		{"card number padded twice", wrap(padded)},
		{"too large", make([]byte, purse.MaxBytes+1)},
	} {
		if _, err := purse.Decode(row.b); err == nil {
			t.Errorf("%s: accepted", row.why)
		}
	}
}

func TestErrorsNeverRepeatTheCardNumber(t *testing.T) {
	good := purse.Append(nil, sample())
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 0xFF
		if _, err := purse.Decode(bad); err != nil && bytes.Contains([]byte(err.Error()), []byte("62123456789")) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
}

// vectors reads the lines "CVN version hex" of testdata/cvn.txt.
func vectors(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.ReadFile("testdata/cvn.txt")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(file)) {
		if words := strings.Fields(line); len(words) == 3 && words[0] == "CVN" {
			found[words[1]] = words[2]
		}
	}
	return found
}

func TestACInputMatchesThePublishedLayouts(t *testing.T) {
	r := sample()
	in, err := purse.ACInput(r)
	if err != nil {
		t.Fatal(err)
	}
	want := vectors(t)
	if got := fmt.Sprintf("%X", in); got != want["01"] {
		t.Errorf("CVN 01\n got %s\nwant %s", got, want["01"])
	}
	r.IAD[2] = emv.CVN17
	if in, err = purse.ACInput(r); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%X", in); got != want["17"] {
		t.Errorf("CVN 17\n got %s\nwant %s", got, want["17"])
	}
	r.IAD[2] = 0x0A
	if _, err = purse.ACInput(r); !errors.Is(err, purse.ErrCVN) {
		t.Errorf("unknown version: %v", err)
	}
	r.IAD = r.IAD[:8]
	if _, err = purse.ACInput(r); !errors.Is(err, emv.ErrIAD) {
		t.Errorf("short IAD: %v", err)
	}
}

func TestChipDataCarriesTheProof(t *testing.T) {
	want := sample()
	f55 := want.F55()
	if len(f55) > 255 {
		t.Fatalf("%d bytes do not fit field 55", len(f55))
	}
	got := purse.Record{
		PAN: want.PAN, PSN: want.PSN, TID: want.TID, MID: want.MID, STAN: want.STAN, Batch: want.Batch,
		Entry: want.Entry, Flag: want.Flag, ECAuth: [6]byte{1}, // must not survive
	}
	if err := got.SetF55(f55); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, compare); d != "" {
		t.Error(d)
	}
	if got.Proof() != want.Proof() {
		t.Error("the proof changed on the way")
	}
}

func TestFlaggedRecordTravelsWithoutCryptogram(t *testing.T) {
	want := sample()
	want.Flag, want.IAD, want.AC, want.CID = purse.NoCryptogram, nil, [8]byte{}, 0
	got := purse.Record{PAN: want.PAN, TID: want.TID, MID: want.MID, STAN: want.STAN, Batch: want.Batch, Entry: want.Entry, Flag: want.Flag}
	if err := got.SetF55(want.F55()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, compare); d != "" {
		t.Error(d)
	}
}

func TestBadChipDataLeavesTheRecordAlone(t *testing.T) {
	good := sample().F55()
	list, err := tlv.Decode(good)
	if err != nil {
		t.Fatal(err)
	}
	declined := append(tlv.List(nil), list[:len(list)-1]...)
	declined = append(declined, tlv.Item{Tag: emv.TagARC, Value: []byte("Z1")})
	noATC := tlv.List{}
	for _, it := range list {
		if it.Tag != emv.TagATC {
			noATC = append(noATC, it)
		}
	}
	for _, row := range []struct {
		why string
		b   []byte
	}{
		{"truncated", good[:len(good)-1]},
		{"too long", make([]byte, 256)},
		{"offline declined is no payment", tlv.AppendList(nil, declined)},
		{"no counter", tlv.AppendList(nil, noATC)},
		{"shadow tag", append(append([]byte(nil), good...), tlv.Append(nil, emv.TagAC, make([]byte, 8))...)},
	} {
		r, before := sample(), sample()
		if err := r.SetF55(row.b); err == nil {
			t.Errorf("%s: accepted", row.why)
		}
		if d := cmp.Diff(before, r, compare); d != "" {
			t.Errorf("%s changed the record: %s", row.why, d)
		}
	}
}

func TestProofIsTheCardsWordOnly(t *testing.T) {
	base := sample()
	base.IAD[2] = emv.CVN17
	for _, row := range []struct {
		why    string
		change func(*purse.Record)
		same   bool
	}{
		{"another terminal uploads it again", func(r *purse.Record) { r.TID, r.STAN, r.Batch = "T0000002", 99, 7 }, true},
		{"flagged the second time", func(r *purse.Record) { r.Flag = purse.Torn }, true},
		{"CVN 17 does not cover the TVR", func(r *purse.Record) { r.TVR.Set(emv.TVRExpired) }, true},
		{"another cryptogram", func(r *purse.Record) { r.AC[0] ^= 1 }, false},
		{"another amount", func(r *purse.Record) { r.Amount = money.New(money.CNY, 1235) }, false},
		{"another counter", func(r *purse.Record) { r.ATC++ }, false},
		{"another card", func(r *purse.Record) { r.PSN++ }, false},
		{"another balance", func(r *purse.Record) { r.IAD = append([]byte(nil), r.IAD...); r.IAD[14]++ }, false},
	} {
		r := base
		row.change(&r)
		if same := r.Proof() == base.Proof(); same != row.same {
			t.Errorf("%s: same proof = %v", row.why, same)
		}
	}
}

func FuzzDecode(f *testing.F) {
	good := purse.Append(nil, sample())
	f.Add(good)
	f.Add(good[:40])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := purse.Decode(b)
		if err != nil {
			return
		}
		if again := purse.Append(nil, r); !bytes.Equal(again, b) {
			t.Fatalf("%X became %X", b, again)
		}
		_ = r.Proof()
	})
}

func FuzzSetF55(f *testing.F) {
	f.Add(sample().F55())
	f.Add([]byte{0x9F, 0x26})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := sample()
		if r.SetF55(b) != nil || r.Validate() != nil {
			return
		}
		again := sample()
		if err := again.SetF55(r.F55()); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(r, again, compare); d != "" {
			t.Fatal(d)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	record := purse.Append(nil, sample())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := purse.Decode(record); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkProof(b *testing.B) {
	r := sample()
	b.ReportAllocs()
	for b.Loop() {
		_ = r.Proof()
	}
}

func ExampleRecord() {
	r := sample()
	stored := purse.Append(nil, r) // what the terminal makes durable
	back, err := purse.Decode(stored)
	fmt.Println(back.PAN, back.Amount, back.ATC, err)
	// Output: 621234******1232 12.34 66 <nil>
}

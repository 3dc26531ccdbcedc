package emv_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/wire/emv"
)

func TestBitsAreWhereTheStandardPutsThem(t *testing.T) {
	var tvr emv.TVR
	tvr.Set(emv.TVRExpired)
	tvr.Set(emv.TVROverFloorLimit)
	if tvr != (emv.TVR{0, 0x40, 0, 0x80, 0}) || !tvr.Has(emv.TVRExpired) || tvr.Has(emv.TVRNewCard) {
		t.Errorf("TVR %X", tvr)
	}
	if !tvr.Meets(emv.TVR{0, 0x40, 0, 0, 0}) || tvr.Meets(emv.TVR{0xFF, 0, 0, 0, 0}) {
		t.Error("action codes do not meet the TVR as Book 3, 10.7 says")
	}
	var tsi emv.TSI
	tsi.Set(emv.TSICVMDone)
	var aip emv.AIP
	aip.Set(emv.AIPDDA)
	var ttq emv.TTQ
	ttq.Set(emv.TTQfDDAVersion01)
	var ctq emv.CTQ
	ctq.Set(emv.CTQCDCVMDone)
	if tsi != (emv.TSI{0x40}) || aip != (emv.AIP{0x20}) || ttq != (emv.TTQ{3: 0x80}) || ctq != (emv.CTQ{1: 0x80}) {
		t.Errorf("TSI %X, AIP %X, TTQ %X, CTQ %X", tsi, aip, ttq, ctq)
	}
	if !tsi.Has(emv.TSICVMDone) || !aip.Has(emv.AIPDDA) || !ttq.Has(emv.TTQfDDAVersion01) || !ctq.Has(emv.CTQCDCVMDone) {
		t.Error("a bit that was set is not there")
	}
}

func TestCVRKeepsTheCardsDecisions(t *testing.T) {
	var v emv.CVR
	v.SetFirst(emv.ARQC)
	if v[0] != 0xA0 || v.First() != emv.ARQC {
		t.Errorf("after the first: %X", v)
	}
	if _, ok := v.Second(); ok {
		t.Error("there was no second yet")
	}
	v.Set(emv.CVRVelocityExceeded)
	v.SetSecond(emv.TC)
	if second, ok := v.Second(); !ok || second != emv.TC || v.First() != emv.ARQC || v[0] != 0x60 {
		t.Errorf("after the second: %X", v)
	}
	if !v.Has(emv.CVRVelocityExceeded) {
		t.Error("a decision erased a bit")
	}
	v.SetScripts(99)
	if v.Scripts() != 15 {
		t.Errorf("the counter stops at 15, not %d", v.Scripts())
	}
	v.SetFirst(emv.TC)
	if d := (emv.IAD{CVR: v}).Decision(); d != emv.TC || v[0] != 0x90 {
		t.Errorf("a new transaction: %v %X", d, v)
	}
}

func TestDecisionsHaveTheirNames(t *testing.T) {
	for want, d := range map[string]emv.Decision{"AAC": emv.AAC, "TC": emv.TC, "ARQC": emv.ARQC, "RFU": 0xC0} {
		if d.String() != want {
			t.Errorf("%v, want %s", d, want)
		}
	}
	if emv.CID(0x49).Decision() != emv.TC {
		t.Error("a CID with reason bits is still a TC")
	}
}

func TestIADReadsBackWithItsBalance(t *testing.T) {
	raw := unhex(t, "07 01 01 03 A00000 01 0A 01 0000012345 9A3C9EFE")
	iad, err := emv.ParseIAD(raw)
	if err != nil {
		t.Fatal(err)
	}
	if again := iad.Append(nil); !bytes.Equal(again, raw) {
		t.Errorf("written again as %X", again)
	}
	balance, err := iad.Balance(money.CNY)
	if err != nil || balance != money.New(money.CNY, 12345) {
		t.Errorf("balance %v: %v", balance, err)
	}
	if iad.Decision() != emv.ARQC {
		t.Errorf("decision %v", iad.Decision())
	}
	if v, err := emv.BalanceValue(balance); err != nil || v != iad.Value {
		t.Errorf("value %X: %v", v, err)
	}
	iad.IDD = emv.IDDCumulative
	if _, err := iad.Balance(money.CNY); !errors.Is(err, emv.ErrNoBalance) {
		t.Errorf("another value is no balance: %v", err)
	}
	if _, err := emv.BalanceValue(money.New(money.CNY, 1e10)); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("eleven digits: %v", err)
	}
}

func TestForeignIssuerDataIsRefused(t *testing.T) {
	good := unhex(t, "07 01 01 03 A00000 01 0A 01 0000012345 9A3C9EFE")
	for _, i := range []int{0, 3, 8} {
		bad := append([]byte(nil), good...)
		bad[i]++
		if _, err := emv.ParseIAD(bad); !errors.Is(err, emv.ErrIAD) {
			t.Errorf("length byte %d: %v", i, err)
		}
	}
	for _, b := range [][]byte{nil, good[:18], append(good, 0)} {
		if _, err := emv.ParseIAD(b); !errors.Is(err, emv.ErrIAD) {
			t.Errorf("%d bytes: %v", len(b), err)
		}
	}
}

func TestMalformedLocatorsAreRefused(t *testing.T) {
	for _, row := range []struct{ why, hex string }{
		{"empty", ""},
		{"not whole entries", "080101"},
		{"file 0", "00010100"},
		{"file 31", "F8010100"},
		{"low bits of the file", "09010100"},
		{"record 0", "08000100"},
		{"backwards", "08020100"},
		{"more signed than there are", "08010203"},
		{"too long", strings.Repeat("08010100", 64)},
	} {
		if _, err := emv.ParseAFL(unhex(t, row.hex)); !errors.Is(err, emv.ErrAFL) {
			t.Errorf("%s: %v", row.why, err)
		}
	}
	afl, err := emv.ParseAFL(unhex(t, "08010302 10010100"))
	if err != nil || afl.Records() != 4 || !bytes.Equal(afl.Append(nil), unhex(t, "0801030210010100")) {
		t.Errorf("%v %v", afl, err)
	}
}

func TestCVMListReadsBack(t *testing.T) {
	raw := unhex(t, "00000000 000003E8 4203 1F00")
	list, err := emv.ParseCVMList(raw)
	if err != nil || list.Y != 1000 || !list.Rules[0].ContinueOnFailure() || list.Rules[1].ContinueOnFailure() {
		t.Fatalf("%+v: %v", list, err)
	}
	if again := list.Append(nil); !bytes.Equal(again, raw) {
		t.Errorf("written again as %X", again)
	}
	for _, b := range [][]byte{nil, raw[:8], raw[:11], make([]byte, 254)} {
		if _, err := emv.ParseCVMList(b); !errors.Is(err, emv.ErrCVMList) {
			t.Errorf("%d bytes: %v", len(b), err)
		}
	}
}

func TestTrack2ReadsBack(t *testing.T) {
	for _, row := range []string{"6212345678901232D30122010000012345", "6212345678901232D3012201000001234F", "6212345678901232D3012201"} {
		raw := unhex(t, row)
		track, err := emv.ParseTrack2(raw)
		if err != nil {
			t.Fatalf("%s: %v", row, err)
		}
		if again := track.Append(nil); !bytes.Equal(again, raw) {
			t.Errorf("%s became %X", row, again)
		}
		if track.Expiry() != "3012" || track.ServiceCode() != "201" || track.PAN().Reveal() != "6212345678901232" {
			t.Errorf("%s: expiry %s, service %s", row, track.Expiry(), track.ServiceCode())
		}
	}
}

func TestMalformedTracksAreRefused(t *testing.T) {
	for _, row := range []struct{ why, hex string }{
		{"empty", ""},
		{"no separator", "6212345678901232"},
		{"two separators", "6212345678901232D3012201D1"},
		{"no service code", "6212345678901232D3012F"},
		{"check digit", "6212345678901233D3012201"},
		{"padded twice", "6212345678901232D30122010FFF"},
		{"letter", "6212345678901232D3012201A0"},
		{"too long", "6212345678901232D30122010000012345678900"},
	} {
		if _, err := emv.ParseTrack2(unhex(t, row.hex)); err == nil {
			t.Errorf("%s: accepted", row.why)
		}
	}
}

func TestTrack2MasksItself(t *testing.T) {
	pan, err := ident.ParsePAN("6212345678901232")
	if err != nil {
		t.Fatal(err)
	}
	track, err := emv.NewTrack2(pan, "3012", "201", "999888777")
	if err != nil {
		t.Fatal(err)
	}
	text, err := track.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	held := struct{ hidden emv.Track2 }{track}
	all := fmt.Sprintf("%v %+v %#v %s %x %s %v %v %+v %v", track, track, track, track, track, text, track.LogValue(), held, held, &held)
	if strings.Contains(all, "567890") || strings.Contains(all, "999888777") || strings.Contains(all, "3012201") {
		t.Errorf("leaks: %s", all)
	}
	if !strings.Contains(track.Reveal(), "6212345678901232D3012201999888777") {
		t.Error("Reveal does not")
	}
	if none := (emv.Track2{}); none.Reveal()+none.Masked()+none.Expiry() != "" || !none.IsZero() || !none.PAN().IsZero() {
		t.Error("no track is not empty")
	}
	for _, bad := range [][3]string{{"301", "201", ""}, {"3012", "20", ""}, {"3012", "201", "D"}, {"3012", "201", strings.Repeat("0", 15)}} {
		if _, err := emv.NewTrack2(pan, bad[0], bad[1], bad[2]); !errors.Is(err, emv.ErrTrack2) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestEveryTrackReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pan, err := ident.ParsePAN(ident.WithLuhn(rapid.StringMatching(`[0-9]{11,18}`).Draw(t, "pan")))
		if err != nil {
			t.Fatal(err)
		}
		disc := rapid.StringMatching(`[0-9]{0,9}`).Draw(t, "discretionary")
		want, err := emv.NewTrack2(pan, "3012", "201", disc)
		if err != nil {
			t.Fatal(err)
		}
		got, err := emv.ParseTrack2(want.Append(nil))
		if err != nil || got != want {
			t.Fatalf("%v: %v", got, err)
		}
	})
}

func FuzzStructures(f *testing.F) {
	for _, seed := range []string{"07010103A00000010A0100000123459A3C9EFE", "0801030210010100", "6212345678901232D3012201", "00000000000003E842031F00"} {
		f.Add(unhex(f, seed))
	}
	same := func(t *testing.T, got, want []byte) {
		if !bytes.Equal(got, want) {
			t.Fatalf("%X became %X", want, got)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := emv.ParseIAD(b); err == nil {
			same(t, v.Append(nil), b)
			_, _ = v.Balance(money.CNY)
			_ = emv.Explain(emv.TagIAD, b, lang.ZH)
		}
		if v, err := emv.ParseAFL(b); err == nil {
			same(t, v.Append(nil), b)
		}
		if v, err := emv.ParseTrack2(b); err == nil {
			same(t, v.Append(nil), b)
		}
		if v, err := emv.ParseCVMList(b); err == nil {
			same(t, v.Append(nil), b)
		}
	})
}

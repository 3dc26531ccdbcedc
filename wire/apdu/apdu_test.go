package apdu_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"jiaozi/value/lang"
	"jiaozi/wire/apdu"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestISO7816_4_TheFourCasesOfACommand(t *testing.T) {
	for _, row := range []struct {
		why, hex string
		want     apdu.Command
	}{
		{"case 1", "841E0000", apdu.Command{CLA: 0x84, INS: 0x1E, Le: apdu.NoLe}},
		{"case 2, all there is", "0084000000", apdu.Command{INS: 0x84, Le: apdu.MaxLe}},
		{"case 2, eight bytes", "0084000008", apdu.Command{INS: 0x84, Le: 8}},
		{"case 3", "00820000020102", apdu.Command{INS: 0x82, Data: []byte{1, 2}, Le: apdu.NoLe}},
		{"case 4", "80A80000 02 8300 00", apdu.Command{CLA: 0x80, INS: 0xA8, Data: []byte{0x83, 0}, Le: apdu.MaxLe}},
	} {
		got, err := apdu.ParseCommand(unhex(t, row.hex))
		if err != nil {
			t.Fatalf("%s: %v", row.why, err)
		}
		if d := cmp.Diff(row.want, got); d != "" {
			t.Errorf("%s: %s", row.why, d)
		}
		if again := got.Append(nil); !bytes.Equal(again, unhex(t, row.hex)) {
			t.Errorf("%s: written again as %X", row.why, again)
		}
	}
}

func TestWhatIsNotOneCommandIsRefused(t *testing.T) {
	for _, row := range []struct{ why, hex string }{
		{"empty", ""},
		{"half a header", "00A404"},
		{"Lc beyond the end", "00A40400 05 0102"},
		{"bytes behind Le", "00A40400 01 AA 00 00"},
		{"extended length", "00A40400 000001 AA"},
		{"Lc of nothing", "00A40400 00 00"},
	} {
		if _, err := apdu.ParseCommand(unhex(t, row.hex)); !errors.Is(err, apdu.ErrCommand) {
			t.Errorf("%s: %v", row.why, err)
		}
	}
}

func TestWhatIsNotOneResponseIsRefused(t *testing.T) {
	for _, size := range []int{0, 1, 259} {
		if _, err := apdu.ParseResponse(make([]byte, size)); !errors.Is(err, apdu.ErrResponse) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	r, err := apdu.ParseResponse(append(make([]byte, 256), 0x90, 0x00))
	if err != nil || len(r.Data) != 256 || !r.SW.OK() {
		t.Errorf("the longest response: %v", err)
	}
}

func TestEveryCommandReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		header := rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "header")
		want := apdu.Command{CLA: header[0], INS: header[1], P1: header[2], P2: header[3], Le: apdu.NoLe}
		if data := rapid.SliceOfN(rapid.Byte(), 0, apdu.MaxData).Draw(t, "data"); len(data) > 0 {
			want.Data = data
		}
		if rapid.Bool().Draw(t, "has Le") {
			want.Le = rapid.IntRange(1, apdu.MaxLe).Draw(t, "Le")
		}
		got, err := apdu.ParseCommand(want.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

func TestConstructorsWriteTheStandardsBytes(t *testing.T) {
	ppse := []byte("2PAY.SYS.DDF01")
	mac := [4]byte{0xD1, 0x21, 0x75, 0x84}
	for _, row := range []struct {
		why  string
		got  apdu.Command
		want string
	}{
		{"directory", apdu.Select(ppse), "00A40400 0E 325041592E5359532E4444463031 00"},
		{"next of a partial name", apdu.SelectNext([]byte{0xA0, 0, 0, 3, 0x33}), "00A40402 05 A000000333 00"},
		{"file 1, record 2", apdu.ReadRecord(1, 2), "00B2020C00"},
		{"log of file 11", apdu.ReadRecord(11, 1), "00B2015C00"},
		{"no PDOL", apdu.GPO(nil), "80A80000 02 8300 00"},
		{"PDOL data", apdu.GPO([]byte{1, 2}), "80A80000 04 83020102 00"},
		{"counter", apdu.GetData(0x9F36), "80CA9F3600"},
		{"PIN", apdu.Verify([8]byte{0x24, 0x12, 0x34, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}), "00200080 08 241234FFFFFFFFFF"},
		{"DDA", apdu.InternalAuth([]byte{1, 2, 3, 4}), "00880000 04 01020304 00"},
		{"ask for a TC", apdu.GenerateAC(apdu.RequestTC, []byte{9}), "80AE4000 01 09 00"},
		{"issuer's answer", apdu.ExternalAuth(unhex(t, "872DEA4684895F933030")), "008200000A872DEA4684895F933030"},
		{"random", apdu.GetChallenge(), "0084000000"},
		{"load", apdu.PutData(0x9F79, unhex(t, "000000010000"), mac), "04DA9F790A000000010000D1217584"},
		{"block", apdu.BlockApplication(mac), "841E000004D1217584"},
		{"unblock", apdu.UnblockApplication(mac), "8418000004D1217584"},
		{"unblock PIN", apdu.UnblockPIN(mac), "8424000004D1217584"},
	} {
		if got := row.got.Append(nil); !bytes.Equal(got, unhex(t, row.want)) {
			t.Errorf("%s: %X, want %s", row.why, got, row.want)
		}
	}
	header := apdu.PutData(0x9F79, make([]byte, 6), [4]byte{}).Header()
	if !bytes.Equal(header[:], unhex(t, "04DA9F790A")) {
		t.Errorf("the header that the script MAC covers: %X", header)
	}
}

func TestStatusWordsSpeakBothLanguages(t *testing.T) {
	for _, row := range []struct {
		sw     apdu.SW
		en, zh string
	}{
		{0x9000, "success", "成功"},
		{0x6985, "conditions of use not satisfied", "使用条件不满足"},
		{0x63C2, "wrong PIN, 2 tries left", "PIN 错误，还可尝试 2 次"},
		{0x6C13, "wrong Le, repeat with 19", "Le 错误，应为 19"},
		{0x6100, "success, 256 bytes wait (GET RESPONSE)", "成功，还有 256 字节可取"},
		{0x1234, "status unknown to this dictionary", "本字典未收录的状态字"},
	} {
		if en, zh := row.sw.Text(lang.EN), row.sw.Text(lang.ZH); en != row.en || zh != row.zh {
			t.Errorf("%v: %q, %q", row.sw, en, zh)
		}
	}
	if n, ok := apdu.WrongPIN(3).TriesLeft(); !ok || n != 3 {
		t.Errorf("WrongPIN(3) leaves %d tries", n)
	}
	if apdu.SW(0x1234).Known() || !apdu.SW(0x6A82).Known() {
		t.Error("Known does not know")
	}
}

func TestACommandThatCannotBeWrittenStopsTheProgram(t *testing.T) {
	for _, c := range []apdu.Command{{Le: 0}, {Le: 257}, {Data: make([]byte, 256), Le: apdu.NoLe}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Le %d with %d bytes was written", c.Le, len(c.Data))
				}
			}()
			c.Append(nil)
		}()
	}
}

func FuzzParseCommand(f *testing.F) {
	for _, seed := range []string{"", "0084000000", "00A4040005A00000033300", "841E0000", "00A40400000001AA"} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := apdu.ParseCommand(b)
		if err != nil {
			return
		}
		if again := c.Append(nil); !bytes.Equal(again, b) {
			t.Fatalf("%X became %X", b, again)
		}
	})
}

func FuzzParseResponse(f *testing.F) {
	for _, seed := range []string{"", "9000", "6985", "770A9F2701409F360200429000"} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := apdu.ParseResponse(b)
		if err != nil {
			return
		}
		_ = r.SW.Text(lang.ZH)
		if again := r.Append(nil); !bytes.Equal(again, b) {
			t.Fatalf("%X became %X", b, again)
		}
	})
}

func ExampleSelect() {
	fmt.Printf("%X\n", apdu.Select([]byte("2PAY.SYS.DDF01")).Append(nil))
	// Output: 00A404000E325041592E5359532E444446303100
}

func ExampleSW_Text() {
	fmt.Println(apdu.ConditionsNotMet, apdu.ConditionsNotMet.Text(lang.EN))
	// Output: 6985 conditions of use not satisfied
}

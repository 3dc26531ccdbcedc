package iso8583

import (
	"encoding/binary"
	"testing"
)

// chip is field 55 of an upload, 139 bytes.
const chip = "9F2608A1B2C3D4E5F60718" + "9F2701409F101307010103A00000040A0100000090005A1B2C3D" + "9F370411223344" +
	"9F36020027" + "950500000000009A032611229C0100" + "9F0206000000001000" + "5F2A020156" + "82027C00" + "9F1A020156" +
	"9F0306000000000000" + "9F3303E0E9C8" + "9F34033F0000" + "9F3501229F1E083132333435363738" + "8409A00000033301010601" + "9F0902008C"

// sale is an upload with all that the dialect asks for.
func sale(t testing.TB) Message {
	m := Message{MTI: 0x0200}
	for n, v := range map[int]string{
		2: "6212340000000000011", 3: "000000", 4: "000000001000", 11: "000123", 12: "101530", 13: "1122", 14: "3012",
		22: "071", 23: "001", 25: "00", 41: "10000001", 42: "100000000000001", 49: "156", 60: "36000001000601",
	} {
		m.Set(n, v)
	}
	m.SetBytes(55, unhex(t, chip))
	m.SetBytes(64, unhex(t, "3732343839434143"))
	return m
}

// Gate: decode, validate and encode in 1.5 us and 3 allocations.
func BenchmarkDecodeEncode0200(b *testing.B) {
	m := sale(b)
	raw, err := POS.Append(nil, &m)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		var m Message
		if err := POS.Decode(raw, &m); err != nil {
			b.Fatal(err)
		}
		if err := POS.Validate(&m); err != nil {
			b.Fatal(err)
		}
		out, err := POS.Append(nil, &m)
		if err != nil || len(out) != len(raw) {
			b.Fatal(err)
		}
	}
}

// The gate on allocations holds in every test run; time is for the benchmark.
func TestDecodeValidateEncodeAllocatesThreeTimesAtMost(t *testing.T) {
	m := sale(t)
	if n := len(m.Text(55)); n != 139 {
		t.Fatalf("field 55 has %d bytes", n)
	}
	raw, err := POS.Append(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	var back Message
	allocs := testing.AllocsPerRun(100, func() {
		if POS.Decode(raw, &back) != nil || POS.Validate(&back) != nil {
			t.Fatal("refused")
		}
		if _, err := POS.Append(nil, &back); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 3 {
		t.Fatalf("%v allocations", allocs)
	}
}

func FuzzDecode(f *testing.F) {
	m := sale(f)
	raw, err := POS.Append(nil, &m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(raw[:40])
	m.Unset(64)
	m.SetBytes(128, []byte("12345678"))
	inner, err := Interchange.Append(nil, &m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(inner)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range []*Spec{POS, Interchange} {
			var m Message
			if s.Decode(b, &m) != nil {
				continue
			}
			again, err := s.Append(nil, &m)
			if err != nil || string(again) != string(b) {
				t.Fatalf("%s: %X became %X, %v", s.Name, b, again, err)
			}
			s.Describe(&m, 0)
		}
	})
}

func FuzzSubfields(f *testing.F) {
	for _, s := range []string{"00000024004", "0000030000771122", "1012data", "Sequence No10JZ00000001", "037", "\xDF\x01\x01\x02"} {
		f.Add([]byte(s))
	}
	f.Add(binary.BigEndian.AppendUint64(make([]byte, 32), 7))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := string(b)
		if v, err := ParseF60(s); err == nil && v.Digits() != s {
			t.Errorf("F60 %q", s)
		}
		if v, err := ParseOriginal(s); err == nil && v.Digits() != s {
			t.Errorf("F61 %q", s)
		}
		if v, err := ParseTotals(s); err == nil {
			if again, err := v.Digits(); err != nil || again != s {
				t.Errorf("F48 %q", s)
			}
		}
		if v, err := ParseKeyField(b); err == nil {
			if again, err := v.Bytes(); err != nil || string(again) != s {
				t.Errorf("keys %X", b)
			}
		}
		if v, err := ParseListChunk(b); err == nil {
			if again, err := v.Bytes(); err != nil || string(again) != s {
				t.Errorf("chunk %X", b)
			}
		}
		if v, err := ParseListRequest(b); err == nil && ListRequest(v) != s {
			t.Errorf("request %q", s)
		}
		if v, err := ParseSignOnText(s); err == nil && SignOnText(v) != s {
			t.Errorf("sign-on %q", s)
		}
		if v, err := ParseFlagField(b); err == nil && FlagField(v) != s {
			t.Errorf("flag %X", b)
		}
		if v, err := DecodeFrame(b); err == nil && string(AppendFrame(nil, v)) != s {
			t.Errorf("frame %X", b)
		}
	})
}

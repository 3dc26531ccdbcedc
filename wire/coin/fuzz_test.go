package coin

import (
	"bytes"
	"testing"
)

// small samples keep the fuzzer quick.
func seeds() []Message {
	return []Message{sampleRequest(), sampleSigned(&Commit{Keys: [][16]byte{key(1)}}), &Recover{Key: key(1)}, &Failure{Code: Busy, Text: "later"},
		&Payment{Paid: yuan(1), Change: yuan(0), Items: [][]byte{{1, 2}}}, &Deposited{Items: []DepositedItem{{Code: Accepted, Value: yuan(1)}}}}
}

// FuzzDecode: whatever is read is written back byte for byte, and described.
func FuzzDecode(f *testing.F) {
	for _, m := range seeds() {
		f.Add(must(Append(nil, m)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		if again, err := Append(nil, m); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x became %x (%v)", b, again, err)
		}
		if _, err := Describe(m); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzBody gives the fuzzer the body alone, with a head that is right.
func FuzzBody(f *testing.F) {
	for _, m := range seeds() {
		f.Add(byte(m.Type()), must(Append(nil, m))[headLen:])
	}
	f.Fuzz(func(t *testing.T, typ byte, body []byte) {
		b := append([]byte(magic), version, typ, byte(len(body)>>24), byte(len(body)>>16), byte(len(body)>>8), byte(len(body)))
		b = append(b, body...)
		if m, err := Decode(b); err == nil {
			if again, err := Append(nil, m); err != nil || !bytes.Equal(again, b) {
				t.Fatalf("%x became %x (%v)", b, again, err)
			}
		}
	})
}

// FuzzText: whatever is read as a text is written back letter for letter, but for
// the case of the scheme and the space around.
func FuzzText(f *testing.F) {
	for _, m := range seeds() {
		f.Add(must(Text(m)))
		f.Add(must(Parts(m, minPart))[0])
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePart(s)
		if err != nil {
			return
		}
		again := frame(prefix, p.piece)
		if p.count > 1 {
			again = frame(partPrefix(p.index, p.count), append(p.id[:], p.piece...))
		}
		if q, err := parsePart(again); err != nil || len(again) > len(s) || q.index != p.index || !bytes.Equal(q.piece, p.piece) {
			t.Fatalf("%q became %q (%v)", s, again, err)
		}
		if m, err := ParseText(s); err == nil && must(Text(m)) != again {
			t.Fatalf("%q became %q", s, must(Text(m)))
		}
	})
}

// FuzzRead: files and collectors.
func FuzzRead(f *testing.F) {
	for _, m := range seeds() {
		f.Add(must(Append(nil, m)))
		var lines []byte
		for _, s := range must(Parts(m, 80)) {
			lines = append(append(lines, s...), '\n')
		}
		f.Add(lines)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Read(b)
		if (m == nil) == (err == nil) {
			t.Fatal("neither a message nor an error, or both")
		}
	})
}

// FuzzNDEF: whatever is read is written back byte for byte.
func FuzzNDEF(f *testing.F) {
	for _, m := range seeds() {
		f.Add(must(AppendNDEF(nil, m)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseNDEF(b)
		if err != nil {
			return
		}
		if again, err := AppendNDEF(nil, m); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x became %x (%v)", b, again, err)
		}
	})
}

// FuzzAssembler: fragments of any kind, cut from one string of bytes, never break
// the assembler and never make it hold more than a message.
func FuzzAssembler(f *testing.F) {
	for _, m := range seeds() {
		f.Add(bytes.Join(must(Fragments(m, 1, 60)), nil), byte(60-attHead))
	}
	f.Fuzz(func(t *testing.T, b []byte, size byte) {
		var a Assembler
		for size > 0 && len(b) > 0 {
			n := min(int(size), len(b))
			_, _ = a.Add(b[:n])
			b = b[n:]
			if len(a.b) > MaxMessage {
				t.Fatal("the assembler grows beyond a message")
			}
		}
	})
}

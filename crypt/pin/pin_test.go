package pin

import (
	"encoding/hex"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"jiaozi/crypt/internal/secrettest"
	"jiaozi/value/ident"
)

// The first block is ANSI X9.24-1:2009, A.4, as carried in the tests of
// openemv/dukpt; the others follow from the construction rules of ISO 9564-1.
func TestPublishedFormat0(t *testing.T) {
	for _, c := range []struct{ pin, pan, block string }{
		{"1234", "4012345678909", "041274EDCBA9876F"},
		{"1234", "43219876543210987", "0412AC89ABCDEF67"},
	} {
		block := Format0(parsed(t, c.pin), number(t, c.pan))
		if got := hex.EncodeToString(block[:]); got != hex.EncodeToString(unhex(t, c.block)) {
			t.Errorf("block %s, want %s", got, c.block)
		}
		p, err := ParseFormat0([8]byte(unhex(t, c.block)), number(t, c.pan))
		if err != nil || p.Reveal() != c.pin {
			t.Errorf("block %s was not read back: %v", c.block, err)
		}
	}
}

func TestFormat2IsWhatVERIFYCarries(t *testing.T) {
	block := Format2(parsed(t, "1234"))
	if got := hex.EncodeToString(block[:]); got != "241234ffffffffff" {
		t.Errorf("block %s", got)
	}
	p, err := ParseFormat2(block)
	if err != nil || !p.Equal(parsed(t, "1234")) {
		t.Errorf("not read back: %v", err)
	}
}

func TestEveryPINComesBackFromItsBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[0-9]{4,12}`).Draw(t, "pin")
		pan, err := ident.ParsePAN(ident.WithLuhn(rapid.StringMatching(`[1-9][0-9]{10,17}`).Draw(t, "pan")))
		if err != nil {
			t.Fatal(err)
		}
		p, err := Parse(digits)
		if err != nil || p.Reveal() != digits {
			t.Fatalf("PIN not taken: %v", err)
		}
		for format, back := range map[string]func() (PIN, error){
			"0": func() (PIN, error) { return ParseFormat0(Format0(p, pan), pan) },
			"2": func() (PIN, error) { return ParseFormat2(Format2(p)) },
		} {
			if got, err := back(); err != nil || got.Reveal() != digits {
				t.Errorf("format %s lost the PIN: %v", format, err)
			}
		}
	})
}

func TestMalformedBlocksAreRefused(t *testing.T) {
	for _, c := range []struct{ why, block string }{
		{"format 0 in place of 2", "041234FFFFFFFFFF"},
		{"format 1", "141234FFFFFFFFFF"},
		{"three digits", "23123FFFFFFFFFFF"},
		{"no digits", "20FFFFFFFFFFFFFF"},
		{"thirteen digits", "2D1234567890123F"},
		{"a letter among the digits", "24123AFFFFFFFFFF"},
		{"fill among the digits", "24123FFFFFFFFFFF"},
		{"a digit in the fill", "241234FFFF1FFFFF"},
		{"last fill nibble", "241234FFFFFFFFFE"},
		{"last byte after twelve digits", "2C123456789012F0"},
	} {
		if _, err := ParseFormat2([8]byte(unhex(t, c.block))); !errors.Is(err, ErrBlock) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
}

func TestBlockOfAnotherCardIsRefused(t *testing.T) {
	block := Format0(parsed(t, "1234"), number(t, "4012345678909"))
	if _, err := ParseFormat0(block, number(t, "43219876543210987")); !errors.Is(err, ErrBlock) {
		t.Errorf("opened for another card: %v", err)
	}
}

func TestParseTakesDigitsOnly(t *testing.T) {
	for _, s := range []string{"", "123", "1234567890123", "12a4", "12 4", "１２３４", "-123", "12/4", "12:4"} {
		if _, err := Parse(s); !errors.Is(err, ErrPIN) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestAbsentPINsAreNotEqual(t *testing.T) {
	if (PIN{}).Equal(PIN{}) || parsed(t, "1234").Equal(PIN{}) || (PIN{}).Equal(parsed(t, "1234")) {
		t.Error("an absent PIN equals something")
	}
	if parsed(t, "1234").Equal(parsed(t, "12345")) || !parsed(t, "1234").Equal(parsed(t, "1234")) {
		t.Error("PINs compare wrongly")
	}
	if (PIN{}).Reveal() != "" || !(PIN{}).IsZero() {
		t.Error("an absent PIN has digits")
	}
}

func TestPINNeverShows(t *testing.T) {
	p := parsed(t, "739182640517")
	secrettest.Check(t, p, []byte(p.Reveal()))
	secrettest.Check(t, p, []byte{7, 3, 9, 1, 8, 2, 6, 4, 0, 5, 1, 7})
}

func FuzzParseBlocks(f *testing.F) {
	f.Add([]byte("\x04\x12\x74\xed\xcb\xa9\x87\x6f"))
	f.Add([]byte("\x24\x12\x34\xff\xff\xff\xff\xff"))
	f.Add([]byte("\x2c\x12\x34\x56\x78\x90\x12\xff"))
	pan, err := ident.ParsePAN("4012345678909")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) != 8 {
			return
		}
		block := [8]byte(b)
		if p, err := ParseFormat0(block, pan); err == nil && Format0(p, pan) != block {
			t.Error("format 0 has two forms")
		}
		if p, err := ParseFormat2(block); err == nil && Format2(p) != block {
			t.Error("format 2 has two forms")
		}
	})
}

func parsed(t *testing.T, s string) PIN {
	t.Helper()
	p, err := Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func number(t *testing.T, s string) ident.PAN {
	t.Helper()
	p, err := ident.UncheckedPAN(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func unhex(t *testing.T, h string) []byte {
	t.Helper()
	b, err := hex.DecodeString(h)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

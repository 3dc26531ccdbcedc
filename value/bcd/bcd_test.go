package bcd

import (
	"testing"

	"pgregory.net/rapid"
)

func TestPackedDigitsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[0-9]{0,30}`).Draw(t, "digits")
		n := (len(s)+1)/2 + rapid.IntRange(0, 3).Draw(t, "room")
		left, err := EncodeLeft(s, n)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := DecodeLeft(left); err != nil || back != s {
			t.Fatalf("left %q: %q (%v)", s, back, err)
		}
	})
}

func TestWhatIsNotDecimalIsRefused(t *testing.T) {
	for _, s := range []string{"1", "1a", "٠٠"} {
		if _, err := Encode(s); err == nil {
			t.Errorf("Encode(%q)", s)
		}
	}
	if _, err := EncodeLeft("123", 1); err == nil {
		t.Error("three digits in one byte")
	}
	if _, err := EncodeLeft("1x", 1); err == nil {
		t.Error("letter taken")
	}
	for _, b := range [][]byte{{0xA0}, {0x0F}} {
		if _, err := Decode(b); err == nil {
			t.Errorf("Decode(%x)", b)
		}
	}
	for _, b := range [][]byte{{0xF1}, {0x1A}, {0xFF, 0x10}} {
		if _, err := DecodeLeft(b); err == nil {
			t.Errorf("DecodeLeft(%x)", b)
		}
	}
}

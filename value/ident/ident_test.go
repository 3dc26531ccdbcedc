package ident

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const digits = "6212345678901232"

// Goal: no way of printing a PAN shows its middle digits. Method: print it in
// every verb and encoding and look for them.
func TestPANMasksItselfEverywhere(t *testing.T) {
	p, err := ParsePAN(digits)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%08b"} {
		fmt.Fprintf(&out, verb+"\n", p)
		fmt.Fprintf(&out, verb+"\n", struct{ Card PAN }{p})
		fmt.Fprintf(&out, verb+"\n", struct{ card PAN }{p})
		fmt.Fprintf(&out, verb+"\n", &struct{ card PAN }{p})
	}
	if err := json.NewEncoder(&out).Encode(map[string]any{"pan": p}); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("card", "pan", p)
	for _, secret := range []string{digits, digits[6:12], fmt.Sprintf("%x", digits[6:12])} {
		if strings.Contains(out.String(), secret) {
			t.Fatalf("the output shows %q", secret)
		}
	}
	if !strings.Contains(out.String(), "621234******1232") {
		t.Fatal("the mask is not shown either")
	}
	if p.Reveal() != digits {
		t.Fatal("Reveal must give the digits")
	}
}

func TestPANNeedsItsCheckDigit(t *testing.T) {
	for last := '0'; last <= '9'; last++ {
		s := digits[:15] + string(last)
		if _, err := ParsePAN(s); (err == nil) != (s == digits) {
			t.Errorf("last digit %c: %v", last, err)
		}
	}
	if WithLuhn(digits[:15]) != digits {
		t.Error("WithLuhn disagrees")
	}
}

func TestPANRefusesOtherForms(t *testing.T) {
	for _, s := range []string{"", "0", "00000000000", "62123456789012 2", "00000000000000000000", "６２１２３４５６７８９０１２３２"} {
		if _, err := ParsePAN(s); err != ErrPAN {
			t.Errorf("%q: %v", s, err)
		}
		if _, err := UncheckedPAN(s); err != ErrPAN {
			t.Errorf("unchecked %q: %v", s, err)
		}
	}
}

func TestNamesRefuseOtherForms(t *testing.T) {
	for _, s := range []string{"", "1234567", "123456789", "1234567 ", "1234567\x00", strings.Repeat("9", 65535)} {
		if _, err := ParseTID(s); err == nil || len(err.Error()) > 100 {
			t.Errorf("terminal id of %d bytes: %v", len(s), err)
		}
	}
	if _, err := ParseMID("10000000000000"); err == nil {
		t.Error("14-character merchant id taken")
	}
	if _, err := ParseInst("1234567"); err == nil {
		t.Error("7-digit institution taken")
	}
	if _, err := ParseAID([]byte{1, 2, 3, 4}); err == nil {
		t.Error("4-byte application id taken")
	}
}

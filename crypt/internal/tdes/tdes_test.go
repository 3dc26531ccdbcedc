package tdes

import (
	"bytes"
	"crypto/des"
	"encoding/hex"
	"math/bits"
	"testing"

	"pgregory.net/rapid"
)

// The halves must amount to crypto/des's own EDE2, and 8 bytes to single DES.
func TestTwoSchedulesAreTripleDES(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key")
		block := [8]byte(rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "block"))
		k, err := New(raw)
		if err != nil {
			t.Fatal(err)
		}
		reference, err := des.NewTripleDESCipher(append(bytes.Clone(raw), raw[:8]...))
		if err != nil {
			t.Fatal(err)
		}
		var want [8]byte
		reference.Encrypt(want[:], block[:])
		if got := k.Encrypt(block); got != want || k.Decrypt(got) != block {
			t.Errorf("triple DES differs")
		}
		single, err := New(raw[:8])
		if err != nil {
			t.Fatal(err)
		}
		one, err := des.NewCipher(raw[:8])
		if err != nil {
			t.Fatal(err)
		}
		one.Encrypt(want[:], block[:])
		if single.Encrypt(block) != want {
			t.Error("single DES differs")
		}
	})
}

// A terminal master key and a wrapped MAC key as published at the youkuaiyun copy of
// zhu244912654, article 80005341.
func TestPublishedWrappedKey(t *testing.T) {
	tmk, err := hex.DecodeString("70F2A84CCBC2AE8625CBB0F2C22AB923")
	if err != nil {
		t.Fatal(err)
	}
	k, err := New(tmk)
	if err != nil {
		t.Fatal(err)
	}
	clear := k.Decrypt([8]byte{0x96, 0xD6, 0x05, 0xEA, 0x17, 0x6B, 0x7E, 0x9E})
	if got := hex.EncodeToString(clear[:]); got != "c24a8fb57aa20123" {
		t.Errorf("unwrapped %s", got)
	}
}

func TestOddParityTouchesTheParityBitOnly(t *testing.T) {
	for b := range 256 {
		raw := []byte{byte(b)}
		SetOddParity(raw)
		if bits.OnesCount8(raw[0])%2 != 1 || raw[0]&^1 != byte(b)&^1 {
			t.Errorf("%02X became %02X", b, raw[0])
		}
	}
}

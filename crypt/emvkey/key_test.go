package emvkey

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"jiaozi/crypt/internal/secrettest"
	"jiaozi/value/ident"
)

func TestKeyShowsOnlyItsCheckValue(t *testing.T) {
	k := key(t, imkAC)
	secrettest.Check(t, k, k.Reveal())
	secrettest.Check(t, CardKeys{k, k, k}, k.Reveal())
	if got := fmt.Sprintf("%x", k); got != "key(08D7B4)" {
		t.Errorf("a key prints %s", got)
	}
	if got := fmt.Sprint(Key{}); got != "key(none)" {
		t.Errorf("no key prints %s", got)
	}
}

func TestNewKeyTakesSixteenBytesOnly(t *testing.T) {
	for _, n := range []int{0, 8, 15, 17, 24} {
		if _, err := NewKey(make([]byte, n)); err == nil {
			t.Errorf("%d bytes were taken", n)
		}
	}
}

func TestUnsetKeyStopsTheProgram(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an unset key was used")
		}
	}()
	AC(Key{}, nil)
}

func TestEveryInputBindsTheCryptogram(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		imk, err := NewKey(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "imk"))
		if err != nil {
			t.Fatal(err)
		}
		p, err := ident.ParsePAN(ident.WithLuhn(rapid.StringMatching(`[1-9][0-9]{11,17}`).Draw(t, "pan")))
		if err != nil {
			t.Fatal(err)
		}
		atc := rapid.Uint16().Draw(t, "atc")
		data := rapid.SliceOfN(rapid.Byte(), 1, 64).Draw(t, "data")
		udk := CardKey(imk, p, 1)
		ac := AC(Session(udk, atc), data)
		at := rapid.IntRange(0, 8*len(data)-1).Draw(t, "bit")
		data[at/8] ^= 1 << (at % 8)
		if AC(Session(udk, atc), data) == ac {
			t.Error("data does not bind")
		}
		data[at/8] ^= 1 << (at % 8)
		if AC(Session(udk, atc+1), data) == ac {
			t.Error("counter does not bind")
		}
		if AC(Session(udk, atc), append(data, 0)) == ac {
			t.Error("length does not bind")
		}
	})
}

func BenchmarkCryptogramFromMasterKey(b *testing.B) {
	imk, _ := NewKey([]byte("0123456789abcdef"))
	p, _ := ident.ParsePAN(ident.WithLuhn("621234567890123"))
	data := make([]byte, 37)
	for b.Loop() {
		AC(Session(CardKey(imk, p, 0), 7), data)
	}
}

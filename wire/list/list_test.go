package list

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"jiaozi/value/ident"
)

var (
	key    = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	pub    = key.Public().(ed25519.PublicKey)
	issued = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	week   = 7 * 24 * time.Hour
)

func sign(msg []byte) ([]byte, error) { return ed25519.Sign(key, msg), nil }

func card(t testing.TB, n int) Card {
	t.Helper()
	pan, err := ident.ParsePAN(ident.WithLuhn(fmt.Sprintf("621234%09d", n)))
	if err != nil {
		t.Fatal(err)
	}
	return Card{PAN: pan, PSN: ident.PSN(n % 3)}
}

func build(t testing.TB, number uint32, cards ...Card) *List {
	t.Helper()
	l, err := Build(1, number, [16]byte{9, 8, 7}, issued, issued.Add(week), cards)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func pack(t testing.TB, l *List) []byte {
	t.Helper()
	b, err := Append(nil, l, sign)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every card that was put on the list is found after the journey, the same number
// with another sequence number and all others are not.
func TestListedCardsAreFoundAndOnlyThey(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		numbers := rapid.SliceOfDistinct(rapid.IntRange(0, 199), rapid.ID[int]).Draw(r, "cards")
		var cards []Card
		listed := map[int]bool{}
		for _, n := range numbers {
			cards, listed[n] = append(cards, card(t, n), card(t, n)), true
		}
		l, err := Decode(pack(t, build(t, 1, cards...)), pub)
		if err != nil || l.Len() != len(numbers) {
			r.Fatalf("%d of %d, %v", l.Len(), len(numbers), err)
		}
		for n := range 200 {
			c := card(t, n)
			if l.Contains(c.PAN, c.PSN) != listed[n] || l.Contains(c.PAN, c.PSN+7) {
				r.Fatalf("card %d: listed %v", n, listed[n])
			}
		}
	})
}

// One flipped bit anywhere, a cut, an addition or another issuer's key: refused.
func TestChangedListIsRefused(t *testing.T) {
	b := pack(t, build(t, 3, card(t, 1), card(t, 2)))
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 1
		if _, err := Decode(bad, pub); err == nil {
			t.Fatalf("bit in byte %d", i)
		}
		if _, err := Decode(b[:i], pub); err == nil {
			t.Fatalf("cut at %d", i)
		}
	}
	if _, err := Decode(append(bytes.Clone(b), 0), pub); !errors.Is(err, ErrSignature) {
		t.Fatal(err)
	}
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	if _, err := Decode(b, other); !errors.Is(err, ErrSignature) {
		t.Fatal(err)
	}
	if _, err := Decode(b, nil); !errors.Is(err, ErrSignature) {
		t.Fatal(err)
	}
}

// A list that the issuer signed by mistake is refused for its form.
func TestSignedNonsenseIsRefused(t *testing.T) {
	good := pack(t, build(t, 3, card(t, 1), card(t, 2)))
	body := good[:len(good)-signature]
	for why, spoil := range map[string]func(b []byte){
		"count too high":       func(b []byte) { binary.BigEndian.PutUint32(b[42:], 3) },
		"count far too high":   func(b []byte) { binary.BigEndian.PutUint32(b[42:], 1<<31) },
		"entries out of order": func(b []byte) { copy(b[headLen:], b[headLen+8:]) },
		"expires before issue": func(b []byte) { binary.BigEndian.PutUint64(b[34:], 0) },
		"date beyond all time": func(b []byte) { binary.BigEndian.PutUint64(b[34:], 1<<63) },
	} {
		b := bytes.Clone(body)
		spoil(b)
		if _, err := Decode(append(b, ed25519.Sign(key, b)...), pub); err == nil {
			t.Error(why)
		}
	}
	huge := append([]byte(magic), make([]byte, headLen+(MaxEntries+10)*entryLen+signature)...)
	if _, err := Decode(huge, pub); err == nil {
		t.Error("longer than any list")
	}
}

// A terminal never goes back, never uses an expired or a future list, and takes the
// same edition again.
func TestAcceptNeverGoesBack(t *testing.T) {
	three, four := build(t, 3), build(t, 4)
	other := build(t, 9)
	other.ID = 2
	for _, c := range []struct {
		why           string
		current, next *List
		now           time.Time
		want          error
	}{
		{"first list", nil, three, issued, nil},
		{"newer", three, four, issued.Add(time.Hour), nil},
		{"same again", three, three, issued.Add(time.Hour), nil},
		{"older", four, three, issued.Add(time.Hour), ErrRollback},
		{"another list's number proves nothing", three, other, issued.Add(time.Hour), ErrOther},
		{"at its end", nil, three, issued.Add(week), ErrExpired},
		{"before its time", nil, three, issued.Add(-time.Second), ErrNotYet},
	} {
		if err := Accept(c.current, c.next, c.now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.why, err, c.want)
		}
	}
}

// What cannot be carried or makes no sense is refused when it is built or signed.
func TestBuildRefusesWhatTerminalsCannotUse(t *testing.T) {
	if _, err := Build(1, 1, [16]byte{}, issued, issued, nil); err == nil {
		t.Error("a list that expires at once")
	}
	if _, err := Build(1, 1, [16]byte{}, issued, issued.Add(week), make([]Card, MaxEntries+1)); err == nil {
		t.Error("too many cards")
	}
	l := build(t, 1)
	if _, err := Append(nil, l, func([]byte) ([]byte, error) { return nil, errors.New("no key") }); err == nil {
		t.Error("unsigned")
	}
	if _, err := Append(nil, l, func([]byte) ([]byte, error) { return []byte{1}, nil }); err == nil {
		t.Error("short signature")
	}
}

func FuzzDecode(f *testing.F) {
	good := pack(f, build(f, 3, card(f, 1), card(f, 2)))
	f.Add(good[:len(good)-signature])
	f.Add([]byte(magic))
	// The fuzzer cannot sign, so the body is signed here: what is under test is the
	// reading of what an issuer signed.
	f.Fuzz(func(t *testing.T, body []byte) {
		l, err := Decode(append(bytes.Clone(body), ed25519.Sign(key, body)...), pub)
		if err != nil {
			return
		}
		again, err := Append(nil, l, sign)
		if err != nil || !bytes.Equal(again[:len(body)], body) {
			t.Fatalf("%x became %x, %v", body, again, err)
		}
	})
}

package observer

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"jiaozi/value/clock"
	"jiaozi/value/lang"
	"jiaozi/wire/apdu"
)

const lastDay clock.Date = 20311231

func secret(t testing.TB, fill byte) Secret {
	t.Helper()
	s, err := NewSecret(bytes.Repeat([]byte{fill, 0x5E}, Size/2))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func certified(t testing.TB) (Certificate, ed25519.PublicKey) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	c, err := Certify([Size]byte{1, 2, 3}, lastDay, func(msg []byte) ([]byte, error) { return ed25519.Sign(key, msg), nil })
	if err != nil {
		t.Fatal(err)
	}
	return c, key.Public().(ed25519.PublicKey)
}

func ExampleSelect() {
	fmt.Printf("%X\n", Select().Append(nil))
	// Output: 00A4040008F04A5A434F494E0100
}

func ExamplePrepare() {
	fmt.Printf("%X\n", Prepare(Range{First: 258, Count: 8}).Append(nil))
	// Output: 8032000005000001020800
}

func TestCommandsAreReadAsWritten(t *testing.T) {
	r, err := ParsePrepare(Prepare(Range{1<<32 - 1, 8}).Data)
	if err != nil || r != (Range{1<<32 - 1, 8}) || r.End() != 1<<32+7 {
		t.Errorf("%v, %v", r, err)
	}
	q := Question{77, [Size]byte{9, Size - 1: 3}}
	if got, err := ParseAnswer(Answer(q).Data); err != nil || got != q {
		t.Errorf("%v, %v", got, err)
	}
	for _, cmd := range []apdu.Command{ReadStatus(5), Retire(5)} {
		if got, err := ParseIndex(cmd.Data); err != nil || got != 5 {
			t.Errorf("%02X: %v, %v", cmd.INS, got, err)
		}
	}
}

func TestLengthsAreExact(t *testing.T) {
	// One byte less or more is another form.
	certificate, _ := certified(t)
	info := Info{Flags: HasPIN, Window: 8, Certificate: certificate}
	for what, form := range map[string]struct {
		good []byte
		read func([]byte) error
	}{
		"PREPARE":     {Prepare(Range{0, 1}).Data, func(b []byte) error { _, err := ParsePrepare(b); return err }},
		"prepared":    {make([]byte, 2*Size), func(b []byte) error { _, err := ParsePrepared(b, 2); return err }},
		"ANSWER":      {Answer(Question{}).Data, func(b []byte) error { _, err := ParseAnswer(b); return err }},
		"answered":    {make([]byte, Size), func(b []byte) error { _, err := ParseAnswered(b); return err }},
		"index":       {ReadStatus(1).Data, func(b []byte) error { _, err := ParseIndex(b); return err }},
		"selected":    {AppendSelected(nil, allFlags), func(b []byte) error { _, err := ParseSelected(b); return err }},
		"INFO":        {info.Append(nil), func(b []byte) error { _, err := ParseInfo(b); return err }},
		"open":        {Status{State: Open}.Append(nil), func(b []byte) error { _, err := ParseStatus(b); return err }},
		"answered at": {Status{State: Answered}.Append(nil), func(b []byte) error { _, err := ParseStatus(b); return err }},
		"certificate": {certificate.Append(nil), func(b []byte) error { _, err := ParseCertificate(b); return err }},
		"secret":      {secret(t, 1).Reveal(), func(b []byte) error { _, err := NewSecret(b); return err }},
	} {
		if err := form.read(form.good); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		for _, bad := range [][]byte{nil, form.good[:len(form.good)-1], append(bytes.Clone(form.good), 0)} {
			if err := form.read(bad); err == nil {
				t.Errorf("%s: %d bytes were accepted", what, len(bad))
			}
		}
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	certificate, _ := certified(t)
	info := Info{Low: 9, Next: 8, Window: 8, Certificate: certificate}
	wide := Info{Low: 1, Next: 10, Window: 8, Certificate: certificate}
	selected := AppendSelected(nil, 0)
	unknown := bytes.Clone(selected)
	unknown[len(unknown)-1] = byte(allFlags) + 1
	noDate := certificate.Append(nil)
	noDate[len(Domain)+Size+3] = 99
	for what, read := range map[string]func() error{
		"indices that run backwards":   func() error { _, err := ParseInfo(info.Append(nil)); return err },
		"more indices than the window": func() error { _, err := ParseInfo(wide.Append(nil)); return err },
		"unknown flags":                func() error { _, err := ParseSelected(unknown); return err },
		"unknown state":                func() error { _, err := ParseStatus([]byte{4}); return err },
		"no date":                      func() error { _, err := ParseCertificate(noDate); return err },
		"no indices":                   func() error { _, err := ParsePrepare([]byte{0, 0, 0, 0, 0}); return err },
		"too many indices":             func() error { _, err := ParsePrepare([]byte{0, 0, 0, 0, 9}); return err },
	} {
		if err := read(); !errors.Is(err, ErrForm) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := NewSecret(make([]byte, Size)); err == nil {
		t.Error("a secret of zeros was accepted")
	}
	if _, err := DrawSecret(strings.NewReader("short")); err == nil {
		t.Error("a secret was drawn from too little")
	}
}

func TestOnlyTheIssuersWordHolds(t *testing.T) {
	c, issuer := certified(t)
	if err := c.Verify(issuer, lastDay); err != nil {
		t.Fatal(err)
	}
	for i := range c.Append(nil) {
		b := c.Append(nil)
		b[i] ^= 1
		if bad, err := ParseCertificate(b); err == nil && bad.Verify(issuer, 20260101) == nil {
			t.Fatalf("byte %d may be changed", i)
		}
	}
	if err := c.Verify(issuer, lastDay+1); !errors.Is(err, ErrCertificate) || !strings.Contains(err.Error(), "2031-12-31") {
		t.Errorf("the day after: %v", err)
	}
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	for _, key := range []ed25519.PublicKey{other, nil, issuer[:31]} {
		if err := c.Verify(key, 20260101); !errors.Is(err, ErrCertificate) {
			t.Errorf("key of %d bytes: %v", len(key), err)
		}
	}
	for why, sign := range map[string]func([]byte) ([]byte, error){
		"no key":     func([]byte) ([]byte, error) { return nil, errors.New("no key") },
		"no Ed25519": func([]byte) ([]byte, error) { return []byte{1}, nil },
	} {
		if _, err := Certify(c.Identity, lastDay, sign); err == nil {
			t.Error(why)
		}
	}
	if _, err := Certify(c.Identity, 20311301, nil); err == nil {
		t.Error("certified until a day that is none")
	}
}

func TestSealCoversTheWholeCommand(t *testing.T) {
	key := secret(t, 1)
	for _, cmd := range []apdu.Command{ReadInfo(), Answer(Question{Index: 3}), Retire(9)} {
		sealed := Seal(key, cmd)
		back, err := Unseal(key, sealed)
		if err != nil || !reflect.DeepEqual(back, cmd) {
			t.Fatalf("%+v, %v", back, err)
		}
		raw := sealed.Append(nil)
		for i := range raw {
			spoilt := bytes.Clone(raw)
			spoilt[i] ^= 1
			if c, err := apdu.ParseCommand(spoilt); err == nil && c.Le == sealed.Le {
				if _, err := Unseal(key, c); !errors.Is(err, ErrMAC) {
					t.Fatalf("byte %d of %02X may be changed", i, cmd.INS)
				}
			}
		}
		for why, c := range map[string]apdu.Command{"plain": cmd, "cut": {CLA: ClaSealed, INS: cmd.INS, Data: make([]byte, MACBytes-1)}} {
			if _, err := Unseal(key, c); !errors.Is(err, ErrMAC) {
				t.Errorf("%s: %v", why, err)
			}
		}
		for _, other := range []Secret{secret(t, 2), {}} {
			if _, err := Unseal(other, sealed); !errors.Is(err, ErrMAC) {
				t.Errorf("another key: %v", err)
			}
		}
	}
}

func TestSecretShowsNothing(t *testing.T) {
	raw := bytes.Repeat([]byte{0xA7, 0x5E}, Size/2)
	s := secret(t, 0xA7)
	type holder struct {
		Open   Secret
		hidden Secret
	}
	h := holder{s, s}
	var shown strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&shown, verb+verb+verb+verb, s, &s, h, &h)
	}
	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	shown.Write(b)
	slog.New(slog.NewTextHandler(&shown, nil)).Info("x", "s", s, "h", h)
	for _, form := range []string{hex.EncodeToString(raw[:4]), string(raw[:4]), "167 94", "167, 94", "0xa7, 0x5e"} {
		if strings.Contains(strings.ToLower(shown.String()), form) {
			t.Fatalf("the secret shows as %q in %q", form, shown.String())
		}
	}
	if s.String() != secret(t, 0xA7).String() || s.String() == secret(t, 1).String() || (Secret{}).String() != "secret(none)" {
		t.Error("the check value does not tell secrets apart")
	}
	if !s.Equal(secret(t, 0xA7)) || s.Equal(secret(t, 1)) || s.Equal(Secret{}) || !(Secret{}).Equal(Secret{}) {
		t.Error("Equal is wrong")
	}
}

func TestStatusWordsSpeakBothLanguages(t *testing.T) {
	for sw := range texts {
		en, zh := Text(sw, lang.EN), Text(sw, lang.ZH)
		if en == "" || zh == "" || en == zh || en == sw.Text(lang.EN) {
			t.Errorf("%v: %q, %q", sw, en, zh)
		}
	}
	if Text(apdu.OK, lang.EN) != apdu.OK.Text(lang.EN) || State(9).String() != "invalid" || Answered.String() != "answered" {
		t.Error("the ordinary words are lost")
	}
}

// FuzzDecode: whatever a decoder takes is written back byte for byte.
func FuzzDecode(f *testing.F) {
	certificate, _ := certified(f)
	info := Info{Flags: HasPIN, Low: 1, Next: 3, Window: 8, Certificate: certificate}
	for _, b := range [][]byte{
		Prepare(Range{7, 3}).Data, Answer(Question{Index: 9}).Data, Retire(4).Data, AppendSelected(nil, Paired), info.Append(nil),
		Status{State: Answered}.Append(nil), Status{State: Open}.Append(nil), certificate.Append(nil), make([]byte, Size),
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		again := map[string][]byte{}
		if r, err := ParsePrepare(b); err == nil {
			again["PREPARE"] = Prepare(r).Data
		}
		if points, err := ParsePrepared(b, uint8(len(b)/Size)); err == nil {
			again["prepared"] = bytes.Join(slices(points), nil)
		}
		if q, err := ParseAnswer(b); err == nil {
			again["ANSWER"] = Answer(q).Data
		}
		if a, err := ParseAnswered(b); err == nil {
			again["answered"] = a[:]
		}
		if n, err := ParseIndex(b); err == nil {
			again["index"] = ReadStatus(n).Data
		}
		if flags, err := ParseSelected(b); err == nil {
			again["SELECT"] = AppendSelected(nil, flags)
		}
		if i, err := ParseInfo(b); err == nil {
			again["INFO"] = i.Append(nil)
		}
		if s, err := ParseStatus(b); err == nil {
			again["STATUS"] = s.Append(nil)
		}
		if c, err := ParseCertificate(b); err == nil {
			again["certificate"] = c.Append(nil)
		}
		for what, out := range again {
			if !bytes.Equal(out, b) {
				t.Errorf("%s: %X was taken and is written %X", what, b, out)
			}
		}
	})
}

func slices(points [][Size]byte) (all [][]byte) {
	for i := range points {
		all = append(all, points[i][:])
	}
	return all
}

// FuzzUnseal: no command is taken that Seal did not make.
func FuzzUnseal(f *testing.F) {
	key := secret(f, 1)
	f.Add(Seal(key, ReadInfo()).Append(nil))
	f.Add(Answer(Question{}).Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := apdu.ParseCommand(b)
		if err != nil {
			return
		}
		if plain, err := Unseal(key, c); err == nil && !bytes.Equal(Seal(key, plain).Append(nil), b) {
			t.Fatalf("%X was taken", b)
		}
	})
}

package card

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"jiaozi/crypt/pin"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

func TestProfileSurvivesTheMemory(t *testing.T) {
	p, err := decodeProfile(baseProfile.append(nil))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(p.append(nil), baseProfile.append(nil)) || p.PAN != testPAN {
		t.Fatal("the profile came back as another")
	}
}

func TestFormatRefusesWhatIsNoCard(t *testing.T) {
	tests := map[string]func(*Profile){
		"label":         func(p *Profile) { p.Label = "" },
		"holder":        func(p *Profile) { p.Holder = strings.Repeat("X", 27) },
		"validity":      func(p *Profile) { p.Effective = p.Expiry.AddDays(1) },
		"no date":       func(p *Profile) { p.Expiry = clock.Date(0) },
		"tries":         func(p *Profile) { p.TryLimit = 16 },
		"PIN, no tries": func(p *Profile) { p.TryLimit = 0 },
		"tries, no PIN": func(p *Profile) { p.PIN = pin.PIN{} },
		"over limit":    func(p *Profile) { p.Balance = yuan(1000_01) },
		"currency":      func(p *Profile) { p.SingleLimit = money.New(money.HKD, 1) },
		"negative":      func(p *Profile) { p.ResetThreshold = yuan(-1) },
		"eleven digits": func(p *Profile) { p.BalanceLimit = yuan(100_000_000_00) },
		"long record":   func(p *Profile) { p.Contact.Cert = make([]byte, 248) },
		"PIN amount":    func(p *Profile) { p.PINAbove = yuan(1 << 32) },
		"country":       func(p *Profile) { p.Country = 1000 },
	}
	for why, change := range tests {
		p := baseProfile
		change(&p)
		m := new(RAM)
		if err := Format(m, p); err == nil {
			t.Errorf("%s: formatted", why)
		}
		if *m != (RAM{}) {
			t.Errorf("%s: the memory was touched before the profile was refused", why)
		}
	}
}

func TestNumbersOfEveryLengthFit(t *testing.T) {
	for _, digits := range []string{"62123400001", "621234000000001", "621234000000000001"} {
		p := baseProfile
		p.PAN = mustGet(ident.ParsePAN(ident.WithLuhn(digits)))
		if err := Format(new(RAM), certified(p)); err != nil {
			t.Errorf("%d digits: %v", len(digits)+1, err)
		}
	}
}

func TestProfileShowsNoSecret(t *testing.T) {
	shown := fmt.Sprintf("%v %+v %#v", baseProfile, baseProfile, baseProfile)
	for _, secret := range []string{testPAN.Reveal(), fmt.Sprintf("%x", testKeys.AC.Reveal())} {
		if strings.Contains(shown, secret) {
			t.Error("a printed profile shows a secret")
		}
	}
}

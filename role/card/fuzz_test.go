package card

import (
	"bytes"
	"testing"

	"jiaozi/value/money"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
)

// FuzzTransmit throws arbitrary command sequences at a card: no panic, and
// without the issuer's keys the balance never rises and never falls but by what
// the log says.
func FuzzTransmit(f *testing.F) {
	seed := func(i Interface, commands ...apdu.Command) {
		b := []byte{byte(i)}
		for _, c := range commands {
			raw := c.Append(nil)
			b = append(append(b, byte(len(raw))), raw...)
		}
		f.Add(b)
	}
	p := pay(30_00)
	seed(Contact, apdu.Select([]byte(testAID)), apdu.GPO(p.build(contactPDOL)), apdu.Verify(format2("1234")),
		apdu.InternalAuth(p.un[:]), apdu.GenerateAC(apdu.RequestTC, p.build(cdol1)), put(emv.TagECBalance, 900_00))
	seed(Contact, apdu.Select([]byte(testAID)), apdu.GPO(p.build(contactPDOL)), apdu.GenerateAC(apdu.RequestARQC, p.build(cdol1)),
		apdu.ExternalAuth(make([]byte, 10)), apdu.GenerateAC(apdu.RequestTC, p.build(cdol2)), apdu.UnblockPIN([4]byte{}))
	taps := []apdu.Command{apdu.Select([]byte(ppse)), apdu.Select([]byte(testAID)), apdu.GPO(p.build(tapPDOL))}
	for _, n := range names(tapPath().afl) {
		taps = append(taps, apdu.ReadRecord(n.sfi, n.number))
	}
	seed(Contactless, append(taps, apdu.GetData(emv.TagECBalance), apdu.GetChallenge())...)

	memory := new(RAM)
	if err := Format(memory, baseProfile); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		m := *memory
		r := power(t, reopen(t, &m), Interface(b[0]&1))
		b = b[1:]
		for range 64 {
			if len(b) == 0 || len(b) < 1+int(b[0]) {
				break
			}
			raw := b[1 : 1+int(b[0])]
			b = b[1+len(raw):]
			if cmd, err := apdu.ParseCommand(raw); err == nil {
				r.send(cmd)
			}
		}
		e := r.card.Evidence()
		if e.Balance.Minor() > baseProfile.Balance.Minor() || len(e.Loads) > 0 {
			t.Fatalf("the balance rose to %v without the issuer", e.Balance)
		}
		if len(e.Log) < logSize {
			conserved(t, e)
		}
		if again := reopen(t, &m).Evidence(); sum(again) != sum(e) {
			t.Fatalf("the memory holds %+v, the card %+v", sum(again), sum(e))
		}
	})
}

// FuzzDecodeState: what is accepted is written back byte for byte.
func FuzzDecodeState(f *testing.F) {
	s := baseProfile.start()
	f.Add(s.append(nil))
	s.payments = [][]byte{paymentFormat.Build(pay(1).get, emv.Fill)}
	s.patches = []record{{1, 1, []byte{0x70, 0x00}}}
	f.Add(s.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decodeState(b, money.CNY)
		if err == nil && !bytes.Equal(s.append(nil), b) {
			t.Fatalf("%X was accepted but is written as %X", b, s.append(nil))
		}
	})
}

// FuzzDecodeProfile: likewise for the personalised part.
func FuzzDecodeProfile(f *testing.F) {
	f.Add(baseProfile.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := decodeProfile(b)
		if err == nil && !bytes.Equal(p.append(nil), b) {
			t.Fatal("a profile was accepted that is written otherwise")
		}
	})
}

package card

import (
	"testing"

	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

func TestBothDirectoriesAnswerOnBothInterfaces(t *testing.T) {
	for _, i := range []Interface{Contact, Contactless} {
		r := power(t, newCard(t), i)
		a := r.decode(emv.TagFCI, r.ok(apdu.Select([]byte(pse))))
		proprietary := mustGet(tlv.Decode(r.find(a, emv.TagFCIProprietary)))
		sfi := r.find(proprietary, emv.TagSFI)[0]
		entry := r.decode(emv.TagRecord, r.ok(apdu.ReadRecord(sfi, 1)))
		application := mustGet(tlv.Decode(r.find(entry, emv.TagDirectoryEntry)))
		if got := r.find(application, emv.TagAID); string(got) != string(testAID) {
			t.Errorf("%v: PSE names %X", i, got)
		}
		r.want(apdu.RecordNotFound, apdu.ReadRecord(sfi, 2))

		a = r.decode(emv.TagFCI, r.ok(apdu.Select([]byte(ppse))))
		proprietary = mustGet(tlv.Decode(r.find(a, emv.TagFCIProprietary)))
		entries := mustGet(tlv.Decode(r.find(proprietary, emv.TagFCIDiscretionary)))
		application = mustGet(tlv.Decode(r.find(entries, emv.TagDirectoryEntry)))
		if got := r.find(application, emv.TagAID); string(got) != string(testAID) {
			t.Errorf("%v: PPSE names %X", i, got)
		}
		r.want(apdu.FileNotFound, apdu.ReadRecord(sfi, 1))
	}
}

func TestSelectionByPartialName(t *testing.T) {
	r := power(t, newCard(t), Contact)
	for _, tt := range []struct {
		why  string
		name string
		sw   apdu.SW
	}{
		{"whole name", string(testAID), apdu.OK},
		{"provider only", string(testAID[:5]), apdu.OK},
		{"less than a provider", string(testAID[:4]), apdu.FileNotFound},
		{"longer than the name", string(testAID) + "\x01", apdu.FileNotFound},
		{"another provider", "\xA0\x00\x00\x00\x03", apdu.FileNotFound},
		{"nothing", "", apdu.FileNotFound},
	} {
		if got := r.send(apdu.Select([]byte(tt.name))); got.SW != tt.sw {
			t.Errorf("%s: %v, want %v", tt.why, got.SW, tt.sw)
		}
	}
	r.ok(apdu.Select([]byte(testAID[:5])))
	r.want(apdu.FileNotFound, apdu.SelectNext([]byte(testAID[:5])))
}

func TestOutOfOrderIsRefusedAndChangesNothing(t *testing.T) {
	pre := map[string]func(terminal){
		"nothing selected": func(terminal) {},
		"directory":        func(r terminal) { r.ok(apdu.Select([]byte(pse))) },
		"selected":         func(r terminal) { r.ok(apdu.Select([]byte(testAID))) },
		"completed": func(r terminal) {
			r.insert(pay(1))
			r.generate(apdu.RequestTC, pay(1), cdol1)
		},
	}
	commands := map[string]apdu.Command{
		"GPO":           apdu.GPO(pay(1).build(contactPDOL)),
		"VERIFY":        apdu.Verify(format2("1234")),
		"INTERNAL AUTH": apdu.InternalAuth(make([]byte, 4)),
		"EXTERNAL AUTH": apdu.ExternalAuth(make([]byte, 10)),
		"GENERATE AC":   apdu.GenerateAC(apdu.RequestTC, pay(1).build(cdol1)),
		"PUT DATA":      put(emv.TagECBalance, 900_00),
		"BLOCK":         apdu.BlockApplication([4]byte{}),
		"UNBLOCK":       apdu.UnblockApplication([4]byte{}),
		"PIN UNBLOCK":   apdu.UnblockPIN([4]byte{}),
	}
	for where, prepare := range pre {
		for what, cmd := range commands {
			if where == "selected" && what == "GPO" {
				continue
			}
			c := newCard(t)
			r := power(t, c, Contact)
			prepare(r)
			seq := c.seq
			r.want(apdu.ConditionsNotMet, cmd)
			if c.seq != seq {
				t.Errorf("%s in %s wrote to the memory", what, where)
			}
		}
	}
}

func TestSecondGPONeedsANewSelection(t *testing.T) {
	for _, i := range []Interface{Contact, Contactless} {
		r := power(t, newCard(t), i)
		r.gpo(pay(1))
		list := contactPDOL
		if i == Contactless {
			list = tapPDOL
		}
		r.want(apdu.ConditionsNotMet, apdu.GPO(pay(1).build(list)))
	}
}

func TestStatusWords(t *testing.T) {
	raw := func(cla, ins, p1, p2 byte, data ...byte) apdu.Command {
		return apdu.Command{CLA: cla, INS: ins, P1: p1, P2: p2, Data: data, Le: apdu.NoLe}
	}
	short := apdu.GetData(emv.TagATC)
	short.Le = 1
	tests := []struct {
		why string
		cmd apdu.Command
		sw  apdu.SW
	}{
		{"unknown instruction", raw(0x00, 0x70, 0, 0), apdu.UnknownInstruction},
		{"wrong class", raw(0x80, apdu.InsSelect, 4, 0), apdu.UnknownClass},
		{"script without secure messaging", raw(0x00, apdu.InsPutData, 0x9F, 0x79), apdu.UnknownClass},
		{"selection by file id", raw(0x00, apdu.InsSelect, 0, 0, 0x3F, 0x00), apdu.WrongP1P2},
		{"GPO with parameters", raw(0x80, apdu.InsGPO, 1, 0, 0x83, 0x00), apdu.WrongP1P2},
		{"GPO without its template", raw(0x80, apdu.InsGPO, 0, 0, 0x84, 0x00), apdu.WrongData},
		{"GPO with an overrun", raw(0x80, apdu.InsGPO, 0, 0, 0x83, 0x05, 0x00), apdu.WrongData},
		{"GPO with too little", raw(0x80, apdu.InsGPO, 0, 0, 0x83, 0x00), apdu.WrongLength},
		{"record 0", raw(0x00, apdu.InsReadRecord, 0, 0x0C), apdu.WrongP1P2},
		{"record by another reference", raw(0x00, apdu.InsReadRecord, 1, 0x0A), apdu.WrongP1P2},
		{"record that is not there", apdu.ReadRecord(sfiContactData, 3), apdu.RecordNotFound},
		{"file that is not there", apdu.ReadRecord(9, 1), apdu.FileNotFound},
		{"file of the other interface", apdu.ReadRecord(sfiTapData, 1), apdu.FileNotFound},
		{"empty log", apdu.ReadRecord(sfiPayments, 1), apdu.RecordNotFound},
		{"data that is not there", apdu.GetData(0x9F50), apdu.DataNotFound},
		{"an answer that would be cut", short, apdu.WrongLength},
		{"GET CHALLENGE with parameters", raw(0x00, apdu.InsGetChallenge, 1, 0), apdu.WrongP1P2},
		{"CDA", raw(0x80, apdu.InsGenerateAC, apdu.RequestTC|apdu.RequestCDA, 0), apdu.WrongP1P2},
	}
	for _, tt := range tests {
		r := power(t, newCard(t), Contact)
		r.ok(apdu.Select([]byte(testAID)))
		if got := r.send(tt.cmd); got.SW != tt.sw || len(got.Data) != 0 {
			t.Errorf("%s: %v with %d bytes, want %v", tt.why, got.SW, len(got.Data), tt.sw)
		}
	}
}

func TestWrongLengthsAfterGPO(t *testing.T) {
	r := power(t, newCard(t), Contact)
	r.gpo(pay(1))
	r.want(apdu.WrongLength, apdu.Command{INS: apdu.InsVerify, P2: plainPIN, Data: []byte{0x24}, Le: apdu.NoLe})
	r.want(apdu.WrongP1P2, apdu.Command{INS: apdu.InsVerify, P2: 0x88, Data: make([]byte, 8), Le: apdu.NoLe})
	r.want(apdu.WrongLength, apdu.InternalAuth(make([]byte, 5)))
	r.want(apdu.WrongLength, apdu.GenerateAC(apdu.RequestTC, nil))
	r.ok(apdu.InternalAuth(make([]byte, 4)))
	r.want(apdu.ConditionsNotMet, apdu.InternalAuth(make([]byte, 4)))
}

func TestChallengesDiffer(t *testing.T) {
	r := power(t, newCard(t), Contact)
	r.want(apdu.ConditionsNotMet, apdu.GetChallenge())
	r.ok(apdu.Select([]byte(testAID)))
	exact := apdu.GetChallenge()
	exact.Le = challengeBytes
	a, b := r.ok(apdu.GetChallenge()), r.ok(exact)
	if len(a) != challengeBytes || string(a) == string(b) {
		t.Fatalf("%X, then %X", a, b)
	}
}

func TestNumbersOfTheCard(t *testing.T) {
	c := newCard(t)
	for _, i := range []Interface{Contact, Contactless} {
		r := power(t, c, i)
		r.want(apdu.ConditionsNotMet, apdu.GetData(emv.TagATC))
		r.ok(apdu.Select([]byte(testAID)))
		for tag, want := range map[tlv.Tag]string{
			emv.TagATC:              "\x00\x00",
			emv.TagLastOnlineATC:    "\x00\x00",
			emv.TagPINTries:         "\x03",
			emv.TagECBalance:        "\x00\x00\x00\x02\x00\x00",
			emv.TagOfflineAvailable: "\x00\x00\x00\x02\x00\x00",
			emv.TagECBalanceLimit:   "\x00\x00\x00\x10\x00\x00",
			emv.TagECSingleLimit:    "\x00\x00\x00\x01\x50\x00",
			emv.TagECResetThreshold: "\x00\x00\x00\x00\x00\x00",
			emv.TagPBOCCurrency:     "\x01\x56",
		} {
			if got := r.getData(tag); string(got) != want {
				t.Errorf("%v %v: %X", i, tag, got)
			}
		}
	}
}

func TestLogKeepsTheNewestTen(t *testing.T) {
	c := newCard(t)
	r := power(t, c, Contactless)
	for range logSize + 2 {
		g := r.tapGPO(pay(1_00))
		r.files(r.find(g.list, emv.TagAFL))
	}
	e := c.Evidence()
	if len(e.Log) != logSize || e.Log[0].ATC != logSize+2 || e.Log[logSize-1].ATC != 3 {
		t.Fatalf("%d entries, newest %d, oldest %d", len(e.Log), e.Log[0].ATC, e.Log[len(e.Log)-1].ATC)
	}
	format := mustGet(tlv.ParseDOL(r.getData(emv.TagLogFormat)))
	newest := mustGet(format.Split(r.ok(apdu.ReadRecord(sfiPayments, 1))))
	if got := r.find(newest, emv.TagATC); u16(got) != logSize+2 {
		t.Fatalf("record 1 of the log has counter %X", got)
	}
	r.want(apdu.RecordNotFound, apdu.ReadRecord(sfiPayments, logSize+1))
}

func TestWithoutPowerTheCardIsGone(t *testing.T) {
	c := newCard(t)
	if _, err := c.Transmit(apdu.Select([]byte(pse))); err == nil {
		t.Fatal("answered without power")
	}
	power(t, c, Contact).ok(apdu.Select([]byte(testAID)))
	c.PowerOff()
	if _, err := c.Transmit(apdu.GetData(emv.TagATC)); err == nil {
		t.Fatal("answered after power off")
	}
	power(t, c, Contact).want(apdu.ConditionsNotMet, apdu.GetData(emv.TagATC))
}

func TestAnswerToResetOffersOnlyT1(t *testing.T) {
	b, err := newCard(t).PowerOn(Contact)
	if err != nil {
		t.Fatal(err)
	}
	var check byte
	for _, x := range b[1:] {
		check ^= x
	}
	if b[0] != 0x3B || b[5]&0x0F != 1 || b[6]&0x0F != 1 || check != 0 {
		t.Fatalf("ATR %X", b)
	}
}

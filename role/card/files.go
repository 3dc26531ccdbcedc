package card

import (
	"bytes"

	"jiaozi/value/must"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/observer"
	"jiaozi/wire/tlv"
)

// The directories (EMV Book 1, 12.3; Book B, 3.3). Both answer on both
// interfaces, since a reader on a desk does not say which side it looks from.
const (
	pse  = "1PAY.SYS.DDF01"
	ppse = "2PAY.SYS.DDF01"
)

const (
	selectByName = 0x04
	selectNext   = 0x02 // P2: the next application with the same partial name
)

func (c *Card) selectFile(cmd apdu.Command) ([]byte, apdu.SW, error) {
	if cmd.P1 != selectByName || cmd.P2 != 0 && cmd.P2 != selectNext {
		return refuse(apdu.WrongP1P2)
	}
	// Whatever was going on is over, and an unfinished tap with it.
	c.session = session{iface: c.session.iface}
	if cmd.P2 == selectNext {
		return refuse(apdu.FileNotFound) // no two applications share a name
	}
	switch string(cmd.Data) {
	case pse:
		c.session.phase = inPSE
		return fci(cmd.Data, tlv.List{
			{Tag: emv.TagSFI, Value: []byte{sfiDirectory}},
			{Tag: emv.TagLanguage, Value: []byte("zhen")},
		}), apdu.OK, nil
	case ppse:
		c.session.phase = inPPSE
		return fci(cmd.Data, tlv.List{{Tag: emv.TagFCIDiscretionary, Value: c.applet.entry()}}), apdu.OK, nil
	}
	if string(cmd.Data) == observer.AID {
		return c.selectCoins()
	}
	return c.selectApplication(cmd.Data)
}

// selectApplication takes a whole or partial name: at least the five bytes of
// the provider (EMV Book 1, 12.2.1).
func (c *Card) selectApplication(name []byte) ([]byte, apdu.SW, error) {
	if len(name) < 5 || !bytes.HasPrefix([]byte(c.applet.AID), name) {
		return refuse(apdu.FileNotFound)
	}
	c.session.phase = selected
	answer := c.applet.contacts
	if c.session.iface == Contactless {
		answer = c.applet.tapFCI
	}
	if c.state.blocked || c.state.spent() {
		return answer, apdu.ApplicationBlocked, nil
	}
	return answer, apdu.OK, nil
}

func (c *Card) readRecord(cmd apdu.Command) ([]byte, apdu.SW, error) {
	name := recordName{sfi: cmd.P2 >> 3, number: cmd.P1}
	if cmd.P2&0x07 != 0x04 || name.sfi == 0 || name.number == 0 {
		return refuse(apdu.WrongP1P2)
	}
	switch {
	case c.session.phase == idle:
		return refuse(apdu.ConditionsNotMet)
	case c.session.phase == inPSE && name.sfi == sfiDirectory:
		return c.readEntry(name.number, [][]byte{tlv.Append(nil, emv.TagRecord, c.applet.entry())})
	case c.session.phase < selected:
		return refuse(apdu.FileNotFound)
	case name.sfi == sfiPayments:
		return c.readEntry(name.number, c.state.payments)
	case name.sfi == sfiLoads:
		return c.readEntry(name.number, c.state.loads)
	}
	return c.readFile(name)
}

func (c *Card) readEntry(number byte, entries [][]byte) ([]byte, apdu.SW, error) {
	if int(number) > len(entries) {
		return refuse(apdu.RecordNotFound)
	}
	return entries[number-1], apdu.OK, nil
}

// readFile reads an application record. Those of the other interface do not
// exist: the holder's name is not for the air.
func (c *Card) readFile(name recordName) ([]byte, apdu.SW, error) {
	afl := c.applet.cash.afl
	if c.session.iface == Contactless {
		afl = c.applet.tap.afl
	}
	found := false
	for _, e := range afl {
		found = found || e.SFI == name.sfi
	}
	if !found {
		return refuse(apdu.FileNotFound)
	}
	data, ok := c.record(name)
	if !ok {
		return refuse(apdu.RecordNotFound)
	}
	if c.session.phase != tapping {
		return data, apdu.OK, nil
	}
	return c.tapRecord(name, data)
}

// record gives a record as scripts left it.
func (c *Card) record(name recordName) ([]byte, bool) {
	for _, list := range [][]record{c.state.patches, c.applet.records} {
		for _, r := range list {
			if (recordName{r.sfi, r.number}) == name {
				return r.data, true
			}
		}
	}
	return nil, false
}

// tapRecord is READ RECORD inside a tap. The last record pays: debit and log are
// on the memory before it leaves. Until then the holder can pull the card away
// and nothing has happened; a terminal that wants the last record before the
// others would be paid for something it cannot verify, and is refused.
func (c *Card) tapRecord(name recordName, data []byte) ([]byte, apdu.SW, error) {
	due := c.session.due
	must.Hold(len(due) > 0, "card: a tap with no record left to read")
	if name != due[len(due)-1] {
		for i, d := range due {
			if d == name {
				c.session.due = append(due[:i:i], due[i+1:]...)
				break
			}
		}
		return data, apdu.OK, nil
	}
	if len(due) > 1 {
		return refuse(apdu.ConditionsNotMet)
	}
	err := c.commit(func(s *state) {
		s.balance = c.session.after
		s.payments = pushed(s.payments, c.paymentEntry())
	})
	if err != nil {
		return nil, 0, err
	}
	c.session.phase = completed
	return data, apdu.OK, nil
}

// getData answers what lives outside the records. Both interfaces see it: a
// terminal needs balance and counter to recover a torn tap, and to say why a
// card declined.
func (c *Card) getData(cmd apdu.Command) ([]byte, apdu.SW, error) {
	if c.session.phase < selected {
		return refuse(apdu.ConditionsNotMet)
	}
	tag, s := tlv.Tag(cmd.P1)<<8|tlv.Tag(cmd.P2), c.state
	var value []byte
	switch tag {
	case emv.TagATC:
		value = be16(s.atc)
	case emv.TagLastOnlineATC:
		value = be16(s.onlineATC)
	case emv.TagPINTries:
		value = []byte{s.pinTries}
	case emv.TagLogFormat:
		value = paymentFormat.Append(nil)
	case emv.TagLoadLogFormat:
		value = loadFormat.Append(nil)
	case emv.TagECBalance, emv.TagOfflineAvailable:
		value = n12(s.balance)
	case emv.TagECBalanceLimit:
		value = n12(s.balanceLimit)
	case emv.TagECSingleLimit:
		value = n12(s.singleLimit)
	case emv.TagECResetThreshold:
		value = n12(s.threshold)
	case emv.TagPBOCCurrency:
		currency := c.applet.Currency.BCD()
		value = currency[:]
	default:
		return refuse(apdu.DataNotFound)
	}
	return tlv.Append(nil, tag, value), apdu.OK, nil
}

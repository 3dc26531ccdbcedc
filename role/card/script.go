package card

import (
	"crypto/subtle"
	"slices"

	"jiaozi/crypt/emvkey"
	"jiaozi/value/money"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// plan reads the authenticated data of a script command and gives the change it
// makes, or the status word to refuse it with.
type plan func(cmd apdu.Command, data []byte) (change func(*state), sw apdu.SW)

// maxScripts keeps the counter inside its nibble of the CVR.
const maxScripts = 15

// script carries out a secured command: MAC, plan, one commit together with the
// script counter, from which the issuer learns later whether it happened.
func (c *Card) script(cmd apdu.Command, p plan) ([]byte, apdu.SW, error) {
	now := &c.session
	if !c.scriptAllowed(cmd.INS) || len(now.scriptMACs) == maxScripts {
		return refuse(apdu.ConditionsNotMet)
	}
	if len(cmd.Data) < apdu.MACBytes {
		return refuse(apdu.SecureDataMissing)
	}
	data, got := cmd.Data[:len(cmd.Data)-apdu.MACBytes], [4]byte(cmd.Data[len(cmd.Data)-apdu.MACBytes:])
	want := emvkey.ScriptMAC(now.skMAC, cmd.Header(), now.atc, now.ac, data)
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		return c.scriptFails(apdu.SecureDataWrong)
	}
	if slices.Contains(now.scriptMACs, got) {
		return refuse(apdu.ConditionsNotMet) // a replay, which counts as nothing
	}
	now.scriptMACs = append(now.scriptMACs, got)
	change, sw := p(cmd, data)
	if sw != apdu.OK {
		return c.scriptFails(sw)
	}
	err := c.commit(func(s *state) {
		change(s)
		s.scripts = min(s.scripts+1, maxScripts)
	})
	return nil, apdu.OK, err
}

// scriptAllowed: scripts belong to an online transaction whose issuer has proved
// itself. Only unblocking works without, since a blocked card gives nothing but
// AACs, and the script's MAC is then bound to that.
func (c *Card) scriptAllowed(ins byte) bool {
	now := &c.session
	switch {
	case now.scriptsShut || now.phase != online && now.phase != completed:
		return false
	case now.asksFor && now.authOK:
		return true
	}
	return ins == apdu.InsAppUnblock && c.state.blocked
}

// scriptFails remembers the failure for the next CVR and ends scripts for this
// transaction: a four-byte MAC must not be guessed twice.
func (c *Card) scriptFails(sw apdu.SW) ([]byte, apdu.SW, error) {
	c.session.scriptsShut = true
	return nil, sw, c.commit(func(s *state) { s.scriptFailed = true })
}

func (c *Card) putData(cmd apdu.Command) ([]byte, apdu.SW, error) {
	return c.script(cmd, c.planPutData)
}

// planPutData sets an amount. The balance is absolute, so the issuer must know
// the old one from a MAC; counter and cryptogram in the script's MAC make it a
// value for this transaction only.
func (c *Card) planPutData(cmd apdu.Command, data []byte) (func(*state), apdu.SW) {
	set, known := amounts[tlv.Tag(cmd.P1)<<8|tlv.Tag(cmd.P2)]
	if !known {
		return nil, apdu.DataNotFound
	}
	if len(data) != 6 {
		return nil, apdu.WrongLength
	}
	value, err := money.FromN12(c.applet.Currency, data)
	if err != nil || !set.fits(c.state, value) {
		return nil, apdu.WrongData
	}
	return func(s *state) { set.set(c, s, value) }, apdu.OK
}

// settable is an amount that the issuer may write, and what it must respect.
type settable struct {
	fits func(*state, money.Amount) bool
	set  func(*Card, *state, money.Amount)
}

var amounts = map[tlv.Tag]settable{
	emv.TagECBalance: {
		fits: func(s *state, v money.Amount) bool { return v.Minor() <= s.balanceLimit.Minor() },
		set: func(c *Card, s *state, v money.Amount) {
			s.loads = pushed(s.loads, c.loadEntry(n12(s.balance), n12(v)))
			s.balance = v
		},
	},
	emv.TagECBalanceLimit: {
		fits: func(s *state, v money.Amount) bool {
			_, err := emv.BalanceValue(v)
			return err == nil && v.Minor() >= s.balance.Minor()
		},
		set: func(_ *Card, s *state, v money.Amount) { s.balanceLimit = v },
	},
	emv.TagECSingleLimit: {
		fits: func(*state, money.Amount) bool { return true },
		set:  func(_ *Card, s *state, v money.Amount) { s.singleLimit = v },
	},
	emv.TagECResetThreshold: {
		fits: func(s *state, v money.Amount) bool { return v.Minor() <= s.balanceLimit.Minor() },
		set:  func(_ *Card, s *state, v money.Amount) { s.threshold = v },
	},
}

func (c *Card) blockApplication(cmd apdu.Command) ([]byte, apdu.SW, error) {
	return c.script(cmd, func(cmd apdu.Command, data []byte) (func(*state), apdu.SW) {
		return func(s *state) { s.blocked = true }, bare(cmd, data)
	})
}

func (c *Card) unblockApplication(cmd apdu.Command) ([]byte, apdu.SW, error) {
	return c.script(cmd, func(cmd apdu.Command, data []byte) (func(*state), apdu.SW) {
		return func(s *state) { s.blocked = false }, bare(cmd, data)
	})
}

// unblockPIN gives all tries back. Changing the PIN (P2 01, 02) is not offered.
func (c *Card) unblockPIN(cmd apdu.Command) ([]byte, apdu.SW, error) {
	return c.script(cmd, func(cmd apdu.Command, data []byte) (func(*state), apdu.SW) {
		return func(s *state) { s.pinTries = c.applet.TryLimit }, bare(cmd, data)
	})
}

// bare checks a script command that has parameters 00 00 and no data but a MAC.
func bare(cmd apdu.Command, data []byte) apdu.SW {
	switch {
	case cmd.P1 != 0 || cmd.P2 != 0:
		return apdu.WrongP1P2
	case len(data) != 0:
		return apdu.WrongLength
	}
	return apdu.OK
}

func (c *Card) updateRecord(cmd apdu.Command) ([]byte, apdu.SW, error) {
	return c.script(cmd, c.planUpdateRecord)
}

// planUpdateRecord replaces a record that exists by a well-formed one. Files
// above 10 hold the logs, which are the card's own word.
func (c *Card) planUpdateRecord(cmd apdu.Command, data []byte) (func(*state), apdu.SW) {
	name := recordName{sfi: cmd.P2 >> 3, number: cmd.P1}
	if cmd.P2&0x07 != 0x04 || name.sfi > maxPatchableFile {
		return nil, apdu.WrongP1P2
	}
	if _, ok := c.record(name); !ok {
		return nil, apdu.RecordNotFound
	}
	outer, err := tlv.Decode(data)
	if err != nil || len(outer) != 1 || outer[0].Tag != emv.TagRecord {
		return nil, apdu.WrongData
	}
	if _, err := tlv.Decode(outer[0].Value); err != nil {
		return nil, apdu.WrongData
	}
	patches := slices.Clone(c.state.patches)
	patches = slices.DeleteFunc(patches, func(r record) bool { return recordName{r.sfi, r.number} == name })
	if len(patches) == maxPatches {
		return nil, apdu.NotEnoughSpace
	}
	patches = append(patches, record{name.sfi, name.number, slices.Clone(data)})
	return func(s *state) { s.patches = patches }, apdu.OK
}

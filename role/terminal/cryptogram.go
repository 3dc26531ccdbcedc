package terminal

import (
	"encoding/binary"
	"fmt"

	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

// cryptogram is what the card put its key to.
type cryptogram struct {
	atc uint16
	ac  [8]byte
	cid emv.CID
	raw []byte // 9F10 as it came
	iad emv.IAD
}

// readCryptogram takes the objects of a cryptogram out of an answer and checks
// them against each other. A version that belongs to the other interface means
// that a contact card is made to sign a tap (attack 42).
func readCryptogram(get func(tlv.Tag) ([]byte, bool), entry purse.Entry) (cryptogram, *stop) {
	ac, _ := get(emv.TagAC)
	atc, _ := get(emv.TagATC)
	raw, _ := get(emv.TagIAD)
	if len(ac) != 8 || len(atc) != 2 {
		return cryptogram{}, because(reason.ProtocolError, fmt.Errorf("the card's answer lacks its cryptogram or counter"))
	}
	iad, err := emv.ParseIAD(raw)
	if err != nil {
		return cryptogram{}, because(reason.ProtocolError, err)
	}
	want := emv.CVN01
	if entry == purse.Contactless {
		want = emv.CVN17
	}
	if iad.CVN != want {
		return cryptogram{}, because(reason.ProtocolError, fmt.Errorf("the cryptogram is of version %02X, this interface makes %02X", iad.CVN, want))
	}
	c := cryptogram{atc: binary.BigEndian.Uint16(atc), ac: [8]byte(ac), raw: raw, iad: iad, cid: emv.CID(iad.Decision())}
	cid, ok := get(emv.TagCID)
	if ok && len(cid) == 1 {
		c.cid = emv.CID(cid[0])
	}
	// The decision in clear must be the one under the MAC.
	if c.cid.Decision() != iad.Decision() {
		return cryptogram{}, because(reason.ProtocolError, fmt.Errorf("the card says %v and signs %v", c.cid.Decision(), iad.Decision()))
	}
	return c, nil
}

func (c *cryptogram) decision() emv.Decision { return c.iad.Decision() }

// balance is what the cryptogram says of the purse; no currency if nothing.
func (c *cryptogram) balance(currency money.Currency) money.Amount {
	balance, err := c.iad.Balance(currency)
	if err != nil {
		return money.Amount{}
	}
	return balance
}

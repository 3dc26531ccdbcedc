package terminal

import (
	"strconv"
	"time"

	"jiaozi/wire/emv"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/tlv"
)

// The chip data of each message, in the dialect's order (field 55).
var (
	requestTags = []tlv.Tag{
		emv.TagAC, emv.TagCID, emv.TagIAD, emv.TagUN, emv.TagATC, emv.TagTVR, emv.TagDate, emv.TagTxnType, emv.TagAmount,
		emv.TagCurrency, emv.TagAIP, emv.TagTerminalCountry, emv.TagAmountOther, emv.TagTerminalCaps,
		emv.TagCVMResults, emv.TagTerminalType, emv.TagSerial, emv.TagDFName, emv.TagTerminalVersion, emv.TagTxnCounter, emv.TagECIssuerAuth,
	}
	reversalTags = []tlv.Tag{emv.TagTVR, emv.TagSerial, emv.TagIAD, emv.TagATC}
	noticeTags   = []tlv.Tag{
		emv.TagTerminalCaps, emv.TagTVR, emv.TagUN, emv.TagSerial, emv.TagIAD, emv.TagAC, emv.TagATC,
		emv.TagAIP, emv.TagScriptResult, emv.TagTerminalCountry, emv.TagDate,
	}
)

// chipData packs what is known of the tags.
func (v *service) chipData(tags []tlv.Tag, c cryptogram) []byte {
	signed := map[tlv.Tag][]byte{
		emv.TagAC: c.ac[:], emv.TagCID: {byte(c.cid)}, emv.TagIAD: c.raw, emv.TagATC: {byte(c.atc >> 8), byte(c.atc)},
		emv.TagDFName: []byte(v.aid), emv.TagScriptResult: v.result.bytes(),
	}
	var out []byte
	for _, tag := range tags {
		value, ok := signed[tag]
		if !ok {
			value, ok = v.own(tag)
		}
		if ok {
			out = tlv.Append(out, tag, value)
		}
	}
	return out
}

// reversal is the 0400 that undoes the request: the original without what must
// not be kept (PIN block, tracks) and with the reason.
func (v *service) reversal(code string) *iso8583.Message {
	m := v.request.Clone()
	m.MTI = 0x0400
	m.Unset(26, 35, 36, 37, 52, 53, 62)
	m.Set(39, code)
	m.SetBytes(55, v.chipData(reversalTags, v.last))
	return m
}

// notice is the 0620 that tells the host what became of the script. It has a
// trace number of its own and names the original.
func (v *service) notice() (*iso8583.Message, error) {
	tr, err := v.t.nextTrace()
	if err != nil {
		return nil, err
	}
	m := v.t.message(0x0620, tr, v.when, iso8583.F60{Type: iso8583.TypeManagement, NetCode: iso8583.NetScriptResult})
	m.Copy(v.request, 2, 3, 4, 22, 23, 25, 49)
	m.SetBytes(55, v.chipData(noticeTags, v.last))
	m.Set(61, iso8583.Original{Batch: v.trace.Batch, STAN: v.trace.STAN, Date: monthDay(v.when)}.Digits())
	return m, nil
}

func monthDay(t time.Time) uint16 {
	n, _ := strconv.ParseUint(t.Format("0102"), 10, 16) // four digits that Go has just written
	return uint16(n)
}

package terminal

import (
	"fmt"

	"jiaozi/value/reason"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// lastPlainSFI is the last file whose records enter the signature without their
// template (EMV Book 3, 10.3); those of files 11 to 30 enter whole.
const lastPlainSFI = 10

// place is one record of the card.
type place struct {
	sfi, rec byte
	signed   bool
}

// places lists the records of a locator in reading order.
func places(afl emv.AFL) []place {
	var out []place
	for _, e := range afl {
		for rec := int(e.First); rec <= int(e.Last); rec++ {
			out = append(out, place{e.SFI, byte(rec), rec-int(e.First) < int(e.Signed)})
		}
	}
	return out
}

// readRecords reads in order and takes what the records hold.
func (s *session) readRecords(from []place) *stop {
	for _, p := range from {
		r, st := s.send(apdu.ReadRecord(p.sfi, p.rec))
		if st != nil {
			return st
		}
		if !r.SW.OK() {
			return refusedWith(fmt.Sprintf("read record %d of file %d", p.rec, p.sfi), r.SW)
		}
		if st := s.takeRecord(p, r.Data); st != nil {
			return st
		}
	}
	return nil
}

func (s *session) takeRecord(p place, b []byte) *stop {
	content, err := template(b, emv.TagRecord)
	if err != nil {
		return because(reason.ProtocolError, fmt.Errorf("record %d of file %d: %w", p.rec, p.sfi, err))
	}
	objects, err := tlv.Decode(content)
	if err != nil {
		return because(reason.ProtocolError, fmt.Errorf("record %d of file %d: %w", p.rec, p.sfi, err))
	}
	if p.signed && p.sfi <= lastPlainSFI {
		s.signed = append(s.signed, content...)
	} else if p.signed {
		s.signed = append(s.signed, b...)
	}
	return s.take(objects)
}

package terminal

import (
	"errors"
	"fmt"

	"jiaozi/value/bcd"
	"jiaozi/value/ident"
	"jiaozi/value/reason"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// initiate sends GET PROCESSING OPTIONS and takes the answer.
func (s *session) initiate() *stop {
	dol, st := s.dol(s.fci, emv.TagPDOL)
	if st != nil {
		return st
	}
	r, st := s.send(apdu.GPO(dol.Build(s.own, emv.Fill)))
	if st != nil {
		return st
	}
	switch {
	case r.SW.OK():
	case r.SW == apdu.ConditionsNotMet, r.SW == apdu.DataInvalidated:
		// The card is there and refuses this application (EMV Book 1, 12.4); PBOC
		// cards answer 6984 when the application is blocked.
		return because(reason.AppBlocked, nil)
	default:
		return refusedWith("GET PROCESSING OPTIONS", r.SW)
	}
	objects, st := answer(r.Data, []tlv.Tag{emv.TagAIP, emv.TagAFL}, []int{2, -1})
	if st != nil {
		return st
	}
	if st := s.take(objects); st != nil {
		return st
	}
	return s.takeProfile()
}

// dol reads a data object list; a card without one asks for nothing.
func (s *session) dol(from tlv.List, tag tlv.Tag) (tlv.DOL, *stop) {
	raw, _ := from.Find(tag)
	dol, err := tlv.ParseDOL(raw)
	if err != nil {
		return nil, because(reason.ProtocolError, fmt.Errorf("%v: %w", tag, err))
	}
	return dol, nil
}

// answer reads an answer in format 2 (77, objects) or format 1 (80, the values of
// tags with the given lengths, -1 for the rest; EMV Book 3, 6.5.8.4).
func answer(b []byte, tags []tlv.Tag, lengths []int) (tlv.List, *stop) {
	item, rest, err := tlv.Next(b)
	if err != nil || len(rest) != 0 {
		return nil, because(reason.ProtocolError, errors.Join(errors.New("the answer is not one template"), err))
	}
	var objects tlv.List
	switch item.Tag {
	case emv.TagResponse2:
		objects, err = tlv.Decode(item.Value)
	case emv.TagResponse1:
		objects, err = values(item.Value, tags, lengths)
	default:
		err = fmt.Errorf("the answer is a template %v", item.Tag)
	}
	if err != nil {
		return nil, because(reason.ProtocolError, err)
	}
	return objects, nil
}

func values(b []byte, tags []tlv.Tag, lengths []int) (tlv.List, error) {
	var out tlv.List
	for i, tag := range tags {
		n := lengths[i]
		if n < 0 {
			n = len(b)
		}
		if n > len(b) || n == 0 {
			return nil, fmt.Errorf("%v: %w", tag, tlv.ErrTruncated)
		}
		out, b = append(out, tlv.Item{Tag: tag, Value: b[:n]}), b[n:]
	}
	if len(b) != 0 {
		return nil, tlv.ErrLength
	}
	return out, nil
}

func (s *session) takeProfile() *stop {
	aip, st := s.need(emv.TagAIP, len(s.aip))
	if st != nil {
		return st
	}
	s.aip = emv.AIP(aip)
	afl, err := emv.ParseAFL(s.data[emv.TagAFL])
	if err != nil {
		return because(reason.ProtocolError, err)
	}
	if len(afl) > maxAFLEntries || afl.Records() > maxRecords {
		return because(reason.ProtocolError, fmt.Errorf("the card wants %d records read", afl.Records()))
	}
	s.afl = afl
	return nil
}

// identify learns whose card it is. Track 2 and 5A must name the same card: a
// second number is how a listed card would hide.
func (s *session) identify() *stop {
	if b, ok := s.data[emv.TagTrack2]; ok {
		track, err := emv.ParseTrack2(b)
		if err != nil {
			return because(reason.ProtocolError, err)
		}
		s.pan = track.PAN()
	}
	if b, ok := s.data[emv.TagPAN]; ok {
		pan, err := parsePAN(b)
		if err != nil {
			return because(reason.ProtocolError, err)
		}
		if !s.pan.IsZero() && s.pan != pan {
			return because(reason.ProtocolError, errors.New("track 2 and the card number differ"))
		}
		s.pan = pan
	}
	if s.pan.IsZero() {
		return because(reason.ProtocolError, errors.New("the card gives no number"))
	}
	if b, ok := s.data[emv.TagPSN]; ok {
		n, err := bcd.Decode(b)
		if err != nil || len(b) != 1 {
			return because(reason.ProtocolError, errors.New("the card's sequence number is malformed"))
		}
		s.psn = ident.PSN((n[0]-'0')*10 + n[1] - '0')
	}
	return nil
}

func parsePAN(b []byte) (ident.PAN, error) {
	digits, err := bcd.DecodeLeft(b)
	if err != nil {
		return ident.PAN{}, err
	}
	return ident.ParsePAN(digits)
}

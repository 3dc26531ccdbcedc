package terminal

import (
	"errors"
	"fmt"
	"slices"

	"jiaozi/value/ident"
	"jiaozi/value/reason"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

// The directories (EMV Book 1, 12.2.2; EMV Contactless Book B, 3.3.2).
const (
	directoryContact     = "1PAY.SYS.DDF01"
	directoryContactless = "2PAY.SYS.DDF01"
)

var errNoApplication = errors.New("the card has no application that this terminal knows")

// candidate is an application that card and terminal have in common.
type candidate struct {
	aid      ident.AID
	priority byte // 1 first; 0 means none and comes last
}

// selectApplication picks by the directory, or by the terminal's list when the
// card has no directory.
func (s *session) selectApplication() *stop {
	candidates, st := s.candidates()
	if st != nil {
		return st
	}
	blocked := false
	for _, c := range candidates {
		chosen, isBlocked, st := s.choose(c.aid)
		if st != nil || chosen {
			return st
		}
		blocked = blocked || isBlocked
	}
	if blocked {
		return because(reason.AppBlocked, nil)
	}
	return because(reason.ProtocolError, errNoApplication)
}

func (s *session) candidates() ([]candidate, *stop) {
	name := directoryContact
	if s.entry == purse.Contactless {
		name = directoryContactless
	}
	r, st := s.send(apdu.Select([]byte(name)))
	if st != nil {
		return nil, st
	}
	switch {
	case r.SW.OK():
	case r.SW == apdu.FunctionNotSupported: // EMV Book 1, 12.3.2: the card is blocked
		return nil, because(reason.CardBlocked, nil)
	default:
		return s.known(), nil
	}
	var found []candidate
	if s.entry == purse.Contactless {
		found, st = proximityDirectory(r.Data)
	} else {
		found, st = s.contactDirectory(r.Data)
	}
	if st != nil {
		return nil, st
	}
	found = s.common(found)
	if len(found) == 0 {
		return s.known(), nil
	}
	return found, nil
}

// known is the terminal's own list.
func (s *session) known() []candidate {
	var out []candidate
	for _, aid := range s.t.cfg.AIDs {
		out = append(out, candidate{aid: aid})
	}
	return out
}

// common keeps what the terminal knows too, best priority first. A terminal name
// may be the head of the card's (partial selection, EMV Book 1, 12.3.1).
func (s *session) common(found []candidate) []candidate {
	found = slices.DeleteFunc(found, func(c candidate) bool {
		return !slices.ContainsFunc(s.t.cfg.AIDs, func(known ident.AID) bool {
			return len(c.aid) >= len(known) && c.aid[:len(known)] == known
		})
	})
	rank := func(c candidate) int { return (int(c.priority) + 15) % 16 } // 0 last
	slices.SortStableFunc(found, func(a, b candidate) int { return rank(a) - rank(b) })
	return found[:min(len(found), maxCandidates)]
}

// proximityDirectory reads the entries out of the FCI of the PPSE.
func proximityDirectory(fci []byte) ([]candidate, *stop) {
	objects, err := proprietary(fci)
	if err != nil {
		return nil, because(reason.ProtocolError, fmt.Errorf("PPSE: %w", err))
	}
	discretionary, ok := objects.Find(emv.TagFCIDiscretionary)
	if !ok {
		return nil, nil
	}
	return entries(discretionary)
}

// contactDirectory reads the records of the PSE's file.
func (s *session) contactDirectory(fci []byte) ([]candidate, *stop) {
	objects, err := proprietary(fci)
	if err != nil {
		return nil, because(reason.ProtocolError, fmt.Errorf("PSE: %w", err))
	}
	sfi, ok := objects.Find(emv.TagSFI)
	if !ok || len(sfi) != 1 || sfi[0] < 1 || sfi[0] > maxDirectory {
		return nil, because(reason.ProtocolError, errors.New("PSE: no file of the directory"))
	}
	var found []candidate
	for rec := byte(1); rec <= maxDirectory; rec++ {
		r, st := s.send(apdu.ReadRecord(sfi[0], rec))
		if st != nil {
			return nil, st
		}
		if r.SW == apdu.RecordNotFound {
			break
		}
		if !r.SW.OK() {
			return nil, refusedWith("read the directory", r.SW)
		}
		content, err := template(r.Data, emv.TagRecord)
		if err != nil {
			return nil, because(reason.ProtocolError, fmt.Errorf("directory record: %w", err))
		}
		more, st := entries(content)
		if st != nil {
			return nil, st
		}
		found = append(found, more...)
	}
	return found, nil
}

func entries(b []byte) ([]candidate, *stop) {
	objects, err := tlv.Decode(b, emv.TagDirectoryEntry)
	if err != nil {
		return nil, because(reason.ProtocolError, fmt.Errorf("directory: %w", err))
	}
	var found []candidate
	for _, content := range objects.All(emv.TagDirectoryEntry) {
		entry, err := tlv.Decode(content)
		if err != nil {
			return nil, because(reason.ProtocolError, fmt.Errorf("directory entry: %w", err))
		}
		name, _ := entry.Find(emv.TagAID)
		aid, err := ident.ParseAID(name)
		if err != nil {
			return nil, because(reason.ProtocolError, fmt.Errorf("directory entry: %w", err))
		}
		c := candidate{aid: aid}
		if p, ok := entry.Find(emv.TagPriority); ok && len(p) == 1 {
			c.priority = p[0] & 0x0F
		}
		found = append(found, c)
	}
	return found, nil
}

// choose selects one application and keeps its FCI.
func (s *session) choose(aid ident.AID) (chosen, blocked bool, st *stop) {
	r, st := s.send(apdu.Select([]byte(aid)))
	if st != nil {
		return false, false, st
	}
	switch {
	case r.SW == apdu.ApplicationBlocked:
		return false, true, nil
	case r.SW == apdu.FunctionNotSupported:
		return false, false, because(reason.CardBlocked, nil)
	case !r.SW.OK():
		return false, false, nil
	}
	objects, err := proprietary(r.Data)
	if err != nil {
		return false, false, because(reason.ProtocolError, fmt.Errorf("application: %w", err))
	}
	s.fci = slices.Clone(objects)
	if inner, ok := objects.Find(emv.TagFCIDiscretionary); ok {
		discretionary, err := tlv.Decode(inner)
		if err != nil {
			return false, false, because(reason.ProtocolError, fmt.Errorf("application: %w", err))
		}
		s.fci = append(s.fci, discretionary...)
	}
	s.aid = aid
	return true, false, nil
}

// proprietary opens 6F{84, A5{...}} and gives the content of A5.
func proprietary(fci []byte) (tlv.List, error) {
	content, err := template(fci, emv.TagFCI)
	if err != nil {
		return nil, err
	}
	outer, err := tlv.Decode(content)
	if err != nil {
		return nil, err
	}
	inner, ok := outer.Find(emv.TagFCIProprietary)
	if _, named := outer.Find(emv.TagDFName); !ok || !named {
		return nil, errors.New("the file control information lacks 84 or A5")
	}
	return tlv.Decode(inner)
}

// template opens one constructed object that must be all there is.
func template(b []byte, tag tlv.Tag) ([]byte, error) {
	item, rest, err := tlv.Next(b)
	if err != nil {
		return nil, err
	}
	if item.Tag != tag || len(rest) != 0 {
		return nil, fmt.Errorf("the answer is not one template %v", tag)
	}
	return item.Value, nil
}

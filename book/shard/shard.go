// Package shard makes one book of many ledgers on many machines.
//
//	Map      which of the 4096 parts lives in which shard
//	Shards   the ledgers of this process: Apply sends each command to the shard
//	         that keeps all it touches, reads go by key
//	Transfer moves value between any two accounts; between shards through
//	         clearing accounts and the outbox, carried by Pump
//	Audit    sent = received + on its way, for every pair, and all debits = all
//	         credits
//
// Promises: a command is booked on one shard, whole, or not at all. A transfer
// between shards leaves the payer and enters its way in one commit, leaves its
// way and reaches the payee in one commit, and does each once, whatever crashes
// in between and however often it is carried; if the payee's shard refuses for
// good, it comes back by itself. There is no two-phase commit, and no shard
// waits for another one.
//
// A shard has a home: the part with the number of its chain. Its clearing
// accounts and the keys of what it received live there, and the home never moves.
//
// Start with Parse and Open. ADR 0013 has the reasons.
package shard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"jiaozi/book"
)

// Shard is one line of the map.
type Shard struct {
	// Name is for ever: accounts and messages are called by it.
	Name string `json:"name"`
	// Parts are ranges of parts, both ends included: "0-99,101-2047,4000".
	Parts Ranges `json:"parts"`
	// Store says where the shard is: a path or a DSN. Only the opener reads it.
	Store string `json:"store"`
	// Chain is the number of the shard's journal and the part that is its home.
	Chain uint16 `json:"chain"`
}

// Ranges are parts, ascending, written as in "0-99,101-2047".
type Ranges []book.PartRange

// Map says which shard keeps which part. Each part has exactly one.
type Map struct {
	shards []Shard
	owner  [book.Parts]int16
}

// ErrMap: the map cannot be used; the text says which line of it, and why.
var ErrMap = errors.New("shard map")

var shardName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Parse reads a map from JSON, an array of shards. It is strict: unknown fields,
// parts that nobody or more than one keeps, and a home that is elsewhere are
// refused.
func Parse(text []byte) (Map, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var list []Shard
	if err := d.Decode(&list); err != nil {
		return Map{}, fmt.Errorf("%w: %w", ErrMap, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Map{}, fmt.Errorf("%w: something follows the list of shards", ErrMap)
	}
	return New(list)
}

// New makes a map of shards, as strict as Parse.
func New(list []Shard) (Map, error) {
	m := Map{shards: list}
	for part := range m.owner {
		m.owner[part] = -1
	}
	for i, s := range list {
		if err := m.add(int16(i), s); err != nil {
			return Map{}, fmt.Errorf("%w: shard %q: %w", ErrMap, s.Name, err)
		}
	}
	for part, owner := range m.owner {
		if owner < 0 {
			return Map{}, fmt.Errorf("%w: no shard keeps part %d: every part from 0 to %d needs one", ErrMap, part, book.Parts-1)
		}
	}
	for i, s := range list {
		if home := m.owner[s.Chain]; int(home) != i {
			return Map{}, fmt.Errorf("%w: the home of shard %q, part %d, is in shard %q: choose a chain that is one of its own parts",
				ErrMap, s.Name, s.Chain, list[home].Name)
		}
	}
	return m, nil
}

func (m *Map) add(index int16, s Shard) error {
	switch {
	case !shardName.MatchString(s.Name):
		return errors.New("a name is 1 to 32 of a-z, 0-9 and -, and does not begin with -")
	case s.Chain >= book.Parts:
		return fmt.Errorf("chain %d: a chain is a number below %d", s.Chain, book.Parts)
	case s.Store == "":
		return errors.New("has no store: give a path or a DSN")
	}
	for _, before := range m.shards[:index] {
		if before.Name == s.Name {
			return errors.New("the name is used twice")
		}
		if before.Store == s.Store {
			return fmt.Errorf("the store is that of shard %q", before.Name)
		}
	}
	for _, r := range s.Parts {
		if r.From > r.To || r.To >= book.Parts {
			return fmt.Errorf("parts %s: a range is low-high, of numbers below %d", r, book.Parts)
		}
		for part := r.From; part <= r.To; part++ {
			if other := m.owner[part]; other >= 0 {
				return fmt.Errorf("part %d is kept by shard %q already", part, m.shards[other].Name)
			}
			m.owner[part] = index
		}
	}
	return nil
}

// Shards lists the shards as they were given.
func (m Map) Shards() []Shard { return m.shards }

// Of is the shard that keeps a part.
func (m Map) Of(part uint16) Shard { return m.shards[m.owner[part]] }

// Has reports whether a shard keeps a part.
func (r Ranges) Has(part uint16) bool {
	for _, one := range r {
		if one.Has(part) {
			return true
		}
	}
	return false
}

// Moved is the map after part has moved to the shard named to.
func (m Map) Moved(part uint16, to string) (Map, error) {
	list := make([]Shard, len(m.shards))
	found := false
	for i, s := range m.shards {
		here := s.Name == to
		found = found || here
		var keeps [book.Parts]bool
		for p := range keeps {
			keeps[p] = int(m.owner[p]) == i && p != int(part) || here && p == int(part)
		}
		s.Parts = rangesOf(&keeps)
		list[i] = s
	}
	if !found || int(part) >= book.Parts {
		return Map{}, fmt.Errorf("%w: part %d cannot move to %q: no such part or shard", ErrMap, part, to)
	}
	return New(list)
}

func rangesOf(keeps *[book.Parts]bool) (list Ranges) {
	for part := range keeps {
		switch {
		case !keeps[part]:
		case part > 0 && keeps[part-1]:
			list[len(list)-1].To = uint16(part)
		default:
			list = append(list, book.PartRange{From: uint16(part), To: uint16(part)})
		}
	}
	return list
}

// MarshalText writes ranges as in "0-99,101".
func (r Ranges) MarshalText() ([]byte, error) {
	var b []byte
	for i, one := range r {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(one.From), 10)
		if one.To != one.From {
			b = strconv.AppendUint(append(b, '-'), uint64(one.To), 10)
		}
	}
	return b, nil
}

// UnmarshalText reads what MarshalText writes.
func (r *Ranges) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return nil // a shard that waits for its first part
	}
	for word := range strings.SplitSeq(string(text), ",") {
		low, high, isRange := strings.Cut(strings.TrimSpace(word), "-")
		if !isRange {
			high = low
		}
		from, err := strconv.ParseUint(low, 10, 16)
		to, err2 := strconv.ParseUint(high, 10, 16)
		if err != nil || err2 != nil {
			return fmt.Errorf("parts %q: write ranges of numbers, as in 0-99,101-2047", text)
		}
		*r = append(*r, book.PartRange{From: uint16(from), To: uint16(to)})
	}
	return nil
}

// JSON writes the map as Parse reads it.
func (m Map) JSON() []byte {
	b, err := json.MarshalIndent(m.shards, "", "  ")
	if err != nil {
		panic(err) // strings and numbers only
	}
	return append(b, '\n')
}

package book

import (
	"encoding/binary"
)

// The body of a journal row: bodyVersion, the number of entries, and each entry
// behind its length: the command and its result. Numbers are big endian or
// minimal varints, byte strings carry their length, so that a body has exactly
// one form. The lengths let a reader take one entry without decoding the others.
const (
	bodyVersion = 2
	bodyHeader  = 1 + binary.MaxVarintLen16
	entryHeader = 4 // the longest length: MaxCommand and its result
)

// Entry is a command with the answer it got.
type Entry struct {
	Command Command
	Result  Result
}

// Batch is one row of the journal, decoded.
type Batch struct {
	Seq        uint64
	Prev, Hash Hash
	Entries    []Entry
}

// Bits of the byte that opens a command: which rare fields follow.
const (
	hasHold = 1 << iota
	hasExpires
	hasAt
	isFinal
	hasReverses
	isLinked
	hasTerms // limits or closures
	hasDays
)

// AppendEntry writes the canonical bytes of a well-formed entry.
func AppendEntry(b []byte, e *Entry) []byte {
	return appendResult(appendCommand(b, &e.Command), &e.Result)
}

// AppendBody writes the body of a row from the bytes of its entries; Entries is
// the way back.
func AppendBody(b []byte, entries [][]byte) []byte {
	b = append(b, bodyVersion)
	b = binary.AppendUvarint(b, uint64(len(entries)))
	for _, entry := range entries {
		b = appendBytes(b, entry)
	}
	return b
}

// appendCommand writes the canonical bytes of a command that form accepted.
func appendCommand(b []byte, c *Command) []byte {
	b = append(b, byte(c.Kind), commandFlags(c))
	b = append(b, c.ID[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(c.Date))
	b = appendString(b, c.Event)
	if c.moves() {
		b = c.Handover.append(b)
	}
	if c.Hold != (ID{}) {
		b = append(b, c.Hold[:]...)
	}
	if c.Expires != 0 {
		b = binary.BigEndian.AppendUint64(b, uint64(c.Expires))
	}
	if c.At != 0 {
		b = binary.BigEndian.AppendUint64(b, uint64(c.At))
	}
	if c.Reverses != (ID{}) {
		b = append(b, c.Reverses[:]...)
	}
	if c.Days != (Days{}) {
		b = binary.BigEndian.AppendUint32(b, uint32(c.Days.From))
		b = binary.BigEndian.AppendUint32(b, uint32(c.Days.To))
	}
	b = appendLegs(b, c.Legs)
	b = appendOpens(b, c.Open)
	if len(c.Limit)+len(c.Close) > 0 {
		b = appendTerms(b, c)
	}
	b = appendRecords(b, c)
	b = binary.AppendUvarint(b, uint64(len(c.Done)))
	for _, number := range c.Done {
		b = binary.AppendUvarint(b, number)
	}
	return appendBytes(b, c.Note)
}

func commandFlags(c *Command) (f byte) {
	if c.Hold != (ID{}) {
		f |= hasHold
	}
	if c.Expires != 0 {
		f |= hasExpires
	}
	if c.At != 0 {
		f |= hasAt
	}
	if c.Final {
		f |= isFinal
	}
	if c.Reverses != (ID{}) {
		f |= hasReverses
	}
	if c.Linked {
		f |= isLinked
	}
	if len(c.Limit)+len(c.Close) > 0 {
		f |= hasTerms
	}
	if c.Days != (Days{}) {
		f |= hasDays
	}
	return f
}

func appendLegs(b []byte, legs []Leg) []byte {
	b = binary.AppendUvarint(b, uint64(len(legs)))
	for i := range legs {
		leg := &legs[i]
		b = append(b, leg.Account[:]...)
		b = append(b, byte(leg.Side))
		b = binary.BigEndian.AppendUint16(b, uint16(leg.Amount.Currency()))
		b = binary.BigEndian.AppendUint64(b, uint64(leg.Amount.Minor()))
	}
	return b
}

func appendOpens(b []byte, accounts []Account) []byte {
	b = binary.AppendUvarint(b, uint64(len(accounts)))
	for i := range accounts {
		a := &accounts[i]
		b = append(b, a.ID[:]...)
		b = append(b, byte(a.Normal), boolByte(a.NeverNegative))
		b = binary.BigEndian.AppendUint16(b, uint16(a.Currency))
		b = binary.AppendUvarint(b, uint64(a.Line))
		b = appendString(b, a.Name)
	}
	return b
}

func appendTerms(b []byte, c *Command) []byte {
	b = binary.AppendUvarint(b, uint64(len(c.Limit)))
	for i := range c.Limit {
		b = append(b, c.Limit[i].Account[:]...)
		b = binary.AppendUvarint(b, uint64(c.Limit[i].Line))
	}
	b = binary.AppendUvarint(b, uint64(len(c.Close)))
	for i := range c.Close {
		b = append(b, c.Close[i][:]...)
	}
	return b
}

func appendRecords(b []byte, c *Command) []byte {
	b = binary.AppendUvarint(b, uint64(len(c.Once)))
	for i := range c.Once {
		b = appendString(b, c.Once[i].Space)
		b = appendBytes(b, c.Once[i].Key)
		b = appendBytes(b, c.Once[i].Value)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Put)))
	for i := range c.Put {
		p := &c.Put[i]
		b = appendString(b, p.Space)
		b = appendBytes(b, p.Key)
		b = binary.AppendUvarint(b, p.Expect)
		b = append(b, boolByte(p.Value == nil))
		b = appendBytes(b, p.Value)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Out)))
	for i := range c.Out {
		b = appendString(b, c.Out[i].Topic)
		b = appendBytes(b, c.Out[i].Key)
		b = appendBytes(b, c.Out[i].Body)
	}
	return b
}

// appendResult writes what is not already said by the command: Seq is the row's
// and the currencies of the balances are those of the legs.
func appendResult(b []byte, r *Result) []byte {
	b = append(b, byte(r.Code))
	for i := range r.Balances {
		b = binary.BigEndian.AppendUint64(b, uint64(r.Balances[i].Minor()))
	}
	return b
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendBytes(b, v []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// resultSize is the room of a result in the journal.
func resultSize(r *Result) int { return 1 + 8*len(r.Balances) }

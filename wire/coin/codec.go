package coin

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"jiaozi/value/lang"
	"jiaozi/value/money"
)

const (
	magic   = "JZC"
	version = 1
	headLen = len(magic) + 1 + 1 + 4
	maxUnix = 1<<37 - 1 // some year beyond 6000; keeps the sign bit out of the format
)

// Append writes the envelope of m behind dst. It refuses a message that Decode
// would not give back: a field beyond its bound, an empty coin, a sum without a
// currency.
func Append(dst []byte, m Message) ([]byte, error) { return appendNoted(dst, m, nil) }

func appendNoted(dst []byte, m Message, note func(field, value string)) ([]byte, error) {
	c := &codec{b: append(dst, magic...), note: note}
	c.b = append(c.b, version, byte(m.Type()), 0, 0, 0, 0)
	body := len(dst) + headLen
	m.fields(c)
	size := len(c.b) - body
	if c.err == nil && size > MaxMessage-headLen {
		c.err = fmt.Errorf("%d bytes: %w", size, ErrTooLarge)
	}
	if c.err != nil {
		return nil, fmt.Errorf("write %v: %w", m.Type(), c.err)
	}
	binary.BigEndian.PutUint32(c.b[body-4:], uint32(size))
	return c.b, nil
}

// Decode reads one envelope, whole and alone. The message does not alias b.
func Decode(b []byte) (Message, error) {
	t, body, err := open(b)
	if err != nil {
		return nil, fmt.Errorf("read coin message: %w", err)
	}
	m := blank(t)
	if m == nil {
		return nil, fmt.Errorf("read coin message: %v is unknown: %w", t, ErrVersion)
	}
	c := &codec{b: body, reading: true}
	m.fields(c)
	if c.err == nil && len(c.b) != 0 {
		c.err = fmt.Errorf("%d bytes follow the last field: %w", len(c.b), ErrForm)
	}
	if c.err != nil {
		return nil, fmt.Errorf("read %v: %w", t, c.err)
	}
	return m, nil
}

// Parse reads an envelope that must be of one type:
//
//	request, err := coin.Parse[coin.Request](b)
func Parse[T any, M interface {
	*T
	Message
}](b []byte) (*T, error) {
	m, err := Decode(b)
	if err != nil {
		return nil, err
	}
	want, ok := m.(M)
	if !ok {
		return nil, fmt.Errorf("a %v came where a %v belongs: %w", m.Type(), M(new(T)).Type(), ErrType)
	}
	return (*T)(want), nil
}

// open checks the head and gives type and body.
func open(b []byte) (Type, []byte, error) {
	if len(b) > MaxMessage {
		return 0, nil, fmt.Errorf("%d bytes: %w", len(b), ErrTooLarge)
	}
	if len(b) < headLen {
		return 0, nil, fmt.Errorf("%d bytes: %w", len(b), ErrShort)
	}
	if string(b[:len(magic)]) != magic {
		return 0, nil, fmt.Errorf("it does not begin with %s, so it is something else: %w", magic, ErrForm)
	}
	if b[len(magic)] != version {
		return 0, nil, fmt.Errorf("version %d, this program speaks %d: %w", b[len(magic)], version, ErrVersion)
	}
	size := binary.BigEndian.Uint32(b[headLen-4:])
	switch body := b[headLen:]; {
	case uint64(size) > uint64(len(body)):
		return 0, nil, fmt.Errorf("it announces %d bytes, %d came: %w", size, len(body), ErrShort)
	case uint64(size) < uint64(len(body)):
		return 0, nil, fmt.Errorf("%d bytes follow it: %w", uint64(len(body))-uint64(size), ErrForm)
	}
	return Type(b[len(magic)+1]), b[headLen:], nil
}

// codec takes fields off the front of b or puts them behind it. After the first
// error nothing is read any more. Writing leaves the message untouched, so that
// two writers may share one.
type codec struct {
	b       []byte
	reading bool
	err     error
	note    func(field, value string) // told of each field that is written, if set
}

// rule is a condition on what was read or is being written.
func (c *codec) rule(ok bool, format string, args ...any) {
	if c.err == nil && !ok {
		c.err = fmt.Errorf(format+": %w", append(args, ErrForm)...)
	}
}

// take gives the next n bytes, or nil after an error.
func (c *codec) take(field string, n int) []byte {
	if c.err == nil && len(c.b) < n {
		c.err = fmt.Errorf("%s wants %d bytes, %d are left: %w", field, n, len(c.b), ErrShort)
	}
	if c.err != nil {
		return nil
	}
	head := c.b[:n]
	c.b = c.b[n:]
	return head
}

// number is an unsigned integer of size bytes, big-endian.
func (c *codec) number(field string, v *uint64, size int) {
	var full [8]byte
	if c.reading {
		copy(full[8-size:], c.take(field, size))
		*v = binary.BigEndian.Uint64(full[:])
		return
	}
	if size < 8 {
		c.rule(*v < 1<<(8*size), "%s is %d and does not fit %d bytes", field, *v, size)
	}
	binary.BigEndian.PutUint64(full[:], *v)
	c.b = append(c.b, full[8-size:]...)
}

func (c *codec) u64(field string, v *uint64) {
	c.number(field, v, 8)
	c.tell(field, "%d", *v)
}

func (c *codec) u32(field string, v *uint32) {
	n := uint64(*v)
	c.number(field, &n, 4)
	if c.reading {
		*v = uint32(n)
	}
	c.tell(field, "%d", *v)
}

func (c *codec) boolean(field string, v *bool) {
	n := uint64(0)
	if *v {
		n = 1
	}
	c.number(field, &n, 1)
	c.rule(n <= 1, "%s is neither 0 nor 1", field)
	if c.reading {
		*v = n == 1
	}
	c.tell(field, "%t", *v)
}

// when is a time in Unix seconds, never before 1970.
func (c *codec) when(field string, v *int64) {
	c.rule(c.reading || *v >= 0, "%s lies before 1970", field)
	n := uint64(*v)
	c.number(field, &n, 8)
	c.rule(n <= maxUnix, "%s is not a time", field)
	if c.reading {
		*v = int64(n)
	}
	c.tell(field, "%s", time.Unix(*v, 0).UTC().Format(time.RFC3339))
}

// sum is an amount that is zero or more, of a currency. Nothing of no currency is
// a sum as well: what a refused coin was worth.
func (c *codec) sum(field string, v *money.Amount) {
	currency, minor := uint64(v.Currency()), uint64(v.Minor())
	c.number(field, &currency, 2)
	c.number(field, &minor, 8)
	c.rule(minor <= math.MaxInt64, "%s is negative", field)
	c.rule(currency <= 999 && (currency != 0 || minor == 0), "%s has no currency", field)
	if c.reading && c.err == nil {
		*v = money.New(money.Currency(currency), money.Minor(minor))
	}
	c.tell(field, "%s", v.Format(lang.EN))
}

// fixed is a field whose length never varies.
func (c *codec) fixed(field string, v []byte) {
	if c.reading {
		copy(v, c.take(field, len(v)))
		return
	}
	c.b = append(c.b, v...)
	c.tell(field, "%x", v)
}

// length is the size of what follows, at most max.
func (c *codec) length(field string, n *int, max, size int) {
	v := uint64(*n)
	c.number(field, &v, size)
	c.rule(v <= uint64(max), "%s has a length of %d, at most %d", field, v, max)
	if c.err != nil {
		v = 0
	}
	*n = int(v)
}

// blob is bytes that this package does not look into; nil if there are none.
func (c *codec) blob(field string, v *[]byte, max int) {
	n := len(*v)
	c.length(field, &n, max, 2)
	if !c.reading {
		c.b = append(c.b, *v...)
		c.tell(field, "%s", excerpt(*v))
		return
	}
	*v = nil
	if n > 0 {
		*v = append([]byte(nil), c.take(field, n)...)
	}
}

// blobs is a list of such bytes, none of them empty.
func (c *codec) blobs(field string, v *[][]byte, max, size int) {
	list(c, field, v, max, func(c *codec, item *[]byte) {
		c.blob("bytes", item, size)
		c.rule(len(*item) > 0, "%s holds an item without bytes", field)
	})
}

// text is a string that ok accepts.
func (c *codec) text(field string, v *string, max int, ok func(string) bool) {
	n := len(*v)
	c.length(field, &n, max, 2)
	if c.reading {
		*v = string(c.take(field, n))
	} else {
		c.b = append(c.b, *v...)
		c.tell(field, "%q", *v)
	}
	c.rule(ok(*v), "%s is empty, too long, or holds characters that do not belong there", field)
}

// secret is an enrolment code: it is never described.
func (c *codec) secret(field string, v *EnrolCode) {
	note := c.note
	c.note = nil
	c.text(field, (*string)(v), MaxCode, enrolCodeOK)
	c.note = note
	c.tell(field, "%v", *v)
}

// list is a counted list; nil if there is nothing in it. What is read grows with
// the bytes that came, not with the count that they announce.
func list[T any](c *codec, field string, v *[]T, max int, each func(*codec, *T)) {
	n := len(*v)
	c.length(field, &n, max, 2)
	if c.reading {
		*v = nil
	}
	note := c.note
	for i := 0; i < n && c.err == nil; i++ {
		if c.reading {
			*v = append(*v, *new(T))
		}
		if note != nil {
			c.note = under(note, fmt.Sprintf("%s %d", field, i+1))
		}
		each(c, &(*v)[i])
	}
	c.note = note
}

// message is a message inside another.
func (c *codec) message(field string, v *Message, may func(Type) bool) {
	var b []byte
	if !c.reading {
		c.rule(*v != nil && may((*v).Type()), "%s is missing, or a message that nobody signs", field)
		if c.err == nil {
			c.tell(field, "%v", (*v).Type())
			b, c.err = appendNoted(nil, *v, under(c.note, field))
		}
	}
	n := len(b)
	c.length(field, &n, MaxMessage, 4)
	if !c.reading {
		c.b = append(c.b, b...)
	} else if b = c.take(field, n); c.err == nil {
		*v, c.err = nested(b, may)
	}
}

// nested reads an inner message only if its type may stand there, so that
// messages cannot nest without end.
func nested(b []byte, may func(Type) bool) (Message, error) {
	t, _, err := open(b)
	if err != nil {
		return nil, err
	}
	if !may(t) {
		return nil, fmt.Errorf("a %v cannot stand in another message: %w", t, ErrForm)
	}
	return Decode(b)
}

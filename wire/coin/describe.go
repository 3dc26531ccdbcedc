package coin

import (
	"fmt"
)

// Field is one field of a message as a person reads it.
type Field struct {
	Name, Value string
}

// Describe lists the fields of a message in the order in which they travel: times
// in UTC, sums with their currency, numbers of keys in hex, coins by length and
// first bytes, enrolment codes masked. It refuses what Append refuses.
func Describe(m Message) ([]Field, error) {
	fields := []Field{{"message", m.Type().String()}}
	_, err := appendNoted(nil, m, func(name, value string) { fields = append(fields, Field{name, value}) })
	if err != nil {
		return nil, err
	}
	return fields, nil
}

// tell describes a field to whoever listens.
func (c *codec) tell(field, format string, args ...any) {
	if c.note != nil && c.err == nil {
		c.note(field, fmt.Sprintf(format, args...))
	}
}

// under is a listener for what lies inside a field.
func under(note func(name, value string), field string) func(name, value string) {
	if note == nil {
		return nil
	}
	return func(name, value string) { note(field+" "+name, value) }
}

// excerpt shows enough of b to tell it from another.
func excerpt(b []byte) string {
	const shown = 16
	switch {
	case len(b) == 0:
		return "none"
	case len(b) <= shown:
		return fmt.Sprintf("%x", b)
	}
	return fmt.Sprintf("%x... (%d bytes)", b[:shown], len(b))
}

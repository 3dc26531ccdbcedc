package iso8583

import (
	"fmt"
	"strings"

	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// Line is one line of a description.
type Line struct {
	Path  string // "2", "55.9F26"
	Name  string
	Value string // masked
}

func (l Line) String() string { return fmt.Sprintf("%-8s %s: %s", l.Path, l.Name, l.Value) }

// Describe explains a message for a person, in the order of its fields. Card
// numbers show their ends, tracks the ends of their card number, PIN blocks, keys
// and MACs only their length.
func (s *Spec) Describe(m *Message, l lang.Lang) []Line {
	row, _ := s.Type(m.MTI)
	lines := []Line{{Path: "mti", Name: row.Name.In(l), Value: m.MTI.String()}}
	left := m.has
	for n := left.pop(); n != 0; n = left.pop() {
		f := &s.Fields[n]
		lines = append(lines, Line{Path: fmt.Sprint(n), Name: f.Name.In(l), Value: f.show(n, m.value[n], l)})
		if f.Show == ShowTLV {
			lines = append(lines, describeTLV(n, m.value[n], l)...)
		}
	}
	return lines
}

func (f *Field) show(n int, v string, l lang.Lang) string {
	switch f.Show {
	case ShowPAN:
		return maskPAN(v)
	case ShowTrack:
		return maskTrack(v)
	case ShowLength, ShowTLV:
		return bytesWord(len(v)).In(l)
	}
	if f.Form == Binary {
		return fmt.Sprintf("%X", v)
	}
	if n == 39 {
		r, _ := Lookup(v)
		return v + " " + r.Text.In(l)
	}
	return v
}

func bytesWord(n int) lang.Text {
	return lang.Text{EN: fmt.Sprintf("(%d bytes)", n), ZH: fmt.Sprintf("(%d 字节)", n)}
}

// maskPAN masks a number that need not pass any check.
func maskPAN(v string) string {
	if pan, err := ident.UncheckedPAN(v); err == nil {
		return pan.Masked()
	}
	return strings.Repeat("*", len(v))
}

func maskTrack(v string) string {
	number, _, found := strings.Cut(v, "=")
	if !found {
		return strings.Repeat("*", len(v))
	}
	return maskPAN(number) + "=" + strings.Repeat("*", len(v)-len(number)-1)
}

// describeTLV explains chip data; emv.Show masks what identifies the card.
func describeTLV(n int, v string, l lang.Lang) []Line {
	var lines []Line
	err := tlv.Walk([]byte(v), func(depth int, item tlv.Item) error {
		line := Line{Path: fmt.Sprintf("%d.%s", n, item.Tag), Name: emv.Name(item.Tag, l)}
		if !tlv.Constructed(item.Tag) {
			line.Value = emv.Show(item.Tag, item.Value)
		}
		lines = append(lines, line)
		for _, meaning := range emv.Explain(item.Tag, item.Value, l) {
			lines = append(lines, Line{Path: line.Path, Value: meaning})
		}
		return nil
	})
	if err != nil {
		lines = append(lines, Line{Path: fmt.Sprint(n), Name: lang.Text{EN: "unreadable", ZH: "无法解析"}.In(l), Value: err.Error()})
	}
	return lines
}

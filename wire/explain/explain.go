// Package explain recognises bytes of the trade and puts them into words: card
// commands and responses, status words, TLV, single values such as a TVR, and
// ISO 8583 messages with or without their length, TPDU and header.
//
//	"6985"              -> status word
//	"00B2010C00"        -> command: READ RECORD, record 1 of file 1
//	"TVR 8000048000"    -> value: which bits are set
//	"9F02=000000001234" -> value of a tag written in hexadecimal
//	"6F1A84...9000"     -> response: TLV and status word
//	"0089 6000..."      -> ISO 8583 in its frame
//
// Explain is the whole package. It tries the readings from the most to the
// least demanding and takes the first that fits completely; what fits none is
// refused rather than guessed. Card numbers are masked and PIN data is hidden
// in everything it returns, and its errors never repeat the input.
package explain

import (
	"encoding/hex"
	"strings"

	"jiaozi/value/lang"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// MaxText bounds the input: the largest TLV in hexadecimal, with a space after
// each byte.
const MaxText = 3 * tlv.MaxBytes

// Kind is what the input turned out to be; the codes are stable.
type Kind string

// The kinds.
const (
	Status   Kind = "status"
	Command  Kind = "command"
	Response Kind = "response"
	TLV      Kind = "tlv"
	Value    Kind = "value"
	ISO8583  Kind = "iso8583"
)

// Line is one thing found in the input. Depth tells how deep it is nested,
// Notes what its bits or codes mean.
type Line struct {
	Depth int      `json:"depth"`
	Field string   `json:"field"`
	Name  string   `json:"name"`
	Value string   `json:"value"`
	Notes []string `json:"notes,omitempty"`
}

// Report is the explanation, ready to print.
type Report struct {
	Kind  Kind   `json:"kind"`
	Text  string `json:"text"`
	Lines []Line `json:"lines"`
}

// Error says in the reader's language why the input is not explained.
type Error string

func (e Error) Error() string { return string(e) }

// Explain reads the words of one input, as typed on a command line.
func Explain(words []string, l lang.Lang) (Report, error) {
	text := strings.TrimSpace(strings.Join(words, " "))
	if len(text) > MaxText {
		return Report{}, refuse(l, "the input is longer than any card or terminal sends", "输入过长，超过任何卡片或终端的报文")
	}
	tag, rest, named := splitName(text)
	b, err := unhex(rest)
	if err != nil || len(b) == 0 {
		return Report{}, refuse(l, "not hexadecimal: give an even number of digits 0-9 A-F, or a name such as TVR and its value",
			"不是十六进制：请输入偶数个 0-9 A-F，或名称（如 TVR）加数值")
	}
	if named {
		return explainValue(tag, b, l)
	}
	return recognise(b, l)
}

// splitName finds "NAME hex" and "TAG=hex".
func splitName(text string) (tlv.Tag, string, bool) {
	if head, rest, ok := strings.Cut(text, "="); ok {
		if tag, ok := tagOf(strings.TrimSpace(head)); ok {
			return tag, rest, true
		}
		return 0, text, false
	}
	head, rest, _ := strings.Cut(text, " ")
	if tag, ok := emv.ByName(strings.ToUpper(head)); ok {
		return tag, rest, true
	}
	return 0, text, false
}

func tagOf(text string) (tlv.Tag, bool) {
	if tag, ok := emv.ByName(strings.ToUpper(text)); ok {
		return tag, true
	}
	b, err := hex.DecodeString(text)
	if err != nil {
		return 0, false
	}
	tag, n, err := tlv.DecodeTag(b)
	return tag, err == nil && n == len(b)
}

// unhex accepts the spaces, line ends and 0x that dumps come with.
func unhex(text string) ([]byte, error) {
	text = strings.Join(strings.Fields(text), "")
	text = strings.TrimPrefix(strings.TrimPrefix(text, "0x"), "0X")
	return hex.DecodeString(text)
}

func explainValue(tag tlv.Tag, b []byte, l lang.Lang) (Report, error) {
	if info, ok := emv.Lookup(tag); ok && !info.Fits(len(b)) {
		return Report{}, Error(strings.Join(append([]string{info.Name.In(l)}, emv.Explain(tag, b, l)...), ": "))
	}
	if tlv.Constructed(tag) {
		return explainTLV(tlv.Append(nil, tag, b), l)
	}
	line := item(0, tlv.Item{Tag: tag, Value: b}, l)
	if tag == 0 { // the CVR has no tag of its own
		line.Field = "CVR"
	}
	return Report{Kind: Value, Text: say(l, "value of a data object", "数据对象的值"), Lines: []Line{line}}, nil
}

func refuse(l lang.Lang, en, zh string) error { return Error(say(l, en, zh)) }

func say(l lang.Lang, en, zh string) string { return lang.Text{EN: en, ZH: zh}.In(l) }

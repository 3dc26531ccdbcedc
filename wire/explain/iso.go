package explain

import (
	"encoding/binary"
	"fmt"
	"strings"

	"jiaozi/value/lang"
	"jiaozi/wire/iso8583"
)

const (
	lengthBytes = 2
	mtiBytes    = 2
)

// maxISO bounds a message: its length has two bytes.
const maxISO = 1<<16 - 1 + lengthBytes

// explainISO finds a message behind an optional length and an optional TPDU
// with header. Bytes that begin with a type that a dialect has but do not decode
// are reported with the field that is wrong.
func explainISO(b []byte, l lang.Lang) (Report, error) {
	if len(b) > maxISO {
		return Report{}, errNot
	}
	lines, body, framed := unframe(b, l)
	specs := []*iso8583.Spec{iso8583.POS, iso8583.Interchange}
	if framed {
		specs = specs[:1] // only terminals use TPDU and header
	}
	var complaint error
	for _, spec := range specs {
		var m iso8583.Message
		err := spec.Decode(body, &m)
		if err == nil {
			text := say(l, "ISO 8583 message", "ISO 8583 报文") + " (" + spec.Name + ")"
			return Report{Kind: ISO8583, Text: text, Lines: append(lines, described(spec, &m, l)...)}, nil
		}
		if complaint == nil && begins(spec, body) {
			complaint = err
		}
	}
	if complaint != nil {
		return Report{}, Error(say(l, "begins like an ISO 8583 message, but ", "开头像 ISO 8583 报文，但内容有误：") + complaint.Error())
	}
	return Report{}, errNot
}

// begins reports whether the bytes open with a message type of the dialect.
func begins(spec *iso8583.Spec, body []byte) bool {
	if len(body) < mtiBytes {
		return false
	}
	_, ok := spec.Type(iso8583.MTI(binary.BigEndian.Uint16(body)))
	return ok
}

// unframe takes off a length that fits, and then TPDU and header if they are
// there.
func unframe(b []byte, l lang.Lang) (lines []Line, body []byte, framed bool) {
	body = b
	if len(b) > lengthBytes && int(binary.BigEndian.Uint16(b)) == len(b)-lengthBytes {
		lines = append(lines, Line{Field: "length", Name: say(l, "length", "长度"), Value: fmt.Sprint(len(b) - lengthBytes)})
		body = b[lengthBytes:]
	}
	frame, err := iso8583.DecodeFrame(body)
	if err != nil {
		return lines, body, false
	}
	lines = append(lines,
		Line{Field: "TPDU", Name: say(l, "transport address", "传输协议数据单元（TPDU）"), Value: fmt.Sprintf("%X", frame.TPDU), Notes: []string{
			fmt.Sprintf(say(l, "to %X, from %X", "目的 %X，源 %X"), frame.TPDU[1:3], frame.TPDU[3:5])}},
		Line{Field: "header", Name: say(l, "message header", "报文头"), Value: fmt.Sprintf("%X", frame.Header)})
	return lines, frame.Body, true
}

// described turns the codec's lines into ours; a line without a name explains
// the one before it.
func described(spec *iso8583.Spec, m *iso8583.Message, l lang.Lang) []Line {
	var lines []Line
	for _, d := range spec.Describe(m, l) {
		if d.Name == "" && len(lines) > 0 {
			last := &lines[len(lines)-1]
			last.Notes = append(last.Notes, d.Value)
			continue
		}
		lines = append(lines, Line{Depth: strings.Count(d.Path, "."), Field: d.Path, Name: d.Name, Value: d.Value})
	}
	return lines
}

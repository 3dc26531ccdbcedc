package explain

import (
	"errors"

	"jiaozi/value/lang"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// errNot says that the bytes are something else; the next reading is tried.
var errNot = errors.New("something else")

// recognise tries each reading. The order matters where two could fit: a short
// response "9F36020042 9000" is also TLV, since 9000 reads as tag 90 without a
// value, and any four bytes are formally a command. A reading that fits only
// at its beginning (a known tag, a known message type) leaves its complaint
// behind, to be reported if nothing else fits.
func recognise(b []byte, l lang.Lang) (Report, error) {
	var complaint error
	for _, read := range []func([]byte, lang.Lang) (Report, error){
		explainStatus, explainISO, explainTaggedResponse, explainCommand, explainTLV, explainPlainResponse,
	} {
		report, err := read(b, l)
		if err == nil {
			return report, nil
		}
		if complaint == nil && !errors.Is(err, errNot) {
			complaint = err
		}
	}
	if complaint != nil {
		return Report{}, complaint
	}
	return Report{}, refuse(l,
		"not recognised as a command, response, status word, TLV or ISO 8583 message; check for missing or additional bytes, or name the value (TVR 8000048000)",
		"无法识别：不是命令、响应、状态字、TLV 或 ISO 8583 报文；请检查是否缺少或多出字节，或注明名称（如 TVR 8000048000）")
}

// explainStatus: two bytes that begin with 6 or 9.
func explainStatus(b []byte, l lang.Lang) (Report, error) {
	if len(b) != 2 || !statusLike(b) {
		return Report{}, errNot
	}
	return Report{Kind: Status, Text: say(l, "status word", "状态字"), Lines: []Line{statusLine(status(b), l)}}, nil
}

func statusLike(b []byte) bool { return b[0]>>4 == 6 || b[0]>>4 == 9 }

func status(b []byte) apdu.SW { return apdu.SW(b[0])<<8 | apdu.SW(b[1]) }

func statusLine(sw apdu.SW, l lang.Lang) Line {
	return Line{Field: "SW", Name: say(l, "status word", "状态字"), Value: sw.String(), Notes: []string{sw.Text(l)}}
}

// explainTaggedResponse: TLV that this house knows, then a known status word.
func explainTaggedResponse(b []byte, l lang.Lang) (Report, error) {
	r, err := apdu.ParseResponse(b)
	if err != nil || len(r.Data) == 0 || !r.SW.Known() {
		return Report{}, errNot
	}
	lines, err := tree(r.Data, l)
	if err != nil {
		return Report{}, errNot
	}
	return response(lines, r.SW, l), nil
}

// explainPlainResponse: data without tags (a challenge, a log record), told
// from nonsense only by a plain success at its end. The data is not shown: it
// may be a record cut short, with a card number in it.
func explainPlainResponse(b []byte, l lang.Lang) (Report, error) {
	r, err := apdu.ParseResponse(b)
	if err != nil || len(r.Data) == 0 || !r.SW.OK() {
		return Report{}, errNot
	}
	data := Line{Field: "data", Name: say(l, "data without tags", "无标签数据"), Value: hidden(len(r.Data), l)}
	return response([]Line{data}, r.SW, l), nil
}

func response(lines []Line, sw apdu.SW, l lang.Lang) Report {
	return Report{Kind: Response, Text: say(l, "card response (R-APDU)", "卡片响应（R-APDU）"), Lines: append(lines, statusLine(sw, l))}
}

func explainTLV(b []byte, l lang.Lang) (Report, error) {
	lines, err := tree(b, l)
	if err != nil {
		return Report{}, brokenTLV(b, err, l)
	}
	return Report{Kind: TLV, Text: say(l, "BER-TLV data", "BER-TLV 数据"), Lines: lines}, nil
}

// brokenTLV says where data that begins with a tag of ours goes wrong.
func brokenTLV(b []byte, cause error, l lang.Lang) error {
	tag, _, err := tlv.DecodeTag(b)
	if _, known := emv.Lookup(tag); err != nil || !known {
		return errNot
	}
	return Error(say(l, "begins like TLV, but ", "开头像 TLV，但内容有误：") + cause.Error())
}

// tree lists TLV data. Short nonsense often parses as TLV, so at least one tag
// must be in the dictionary.
func tree(b []byte, l lang.Lang) ([]Line, error) {
	var lines []Line
	known := false
	err := tlv.Walk(b, func(depth int, it tlv.Item) error {
		if len(lines) >= tlv.MaxItems {
			return tlv.ErrTooLarge
		}
		if _, ok := emv.Lookup(it.Tag); ok {
			known = true
		}
		lines = append(lines, item(depth, it, l))
		lines = append(lines, format1(depth+1, it, l)...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, errNot
	}
	return lines, nil
}

func item(depth int, it tlv.Item, l lang.Lang) Line {
	line := Line{Depth: depth, Field: it.Tag.String(), Name: emv.Name(it.Tag, l)}
	if line.Name == "" {
		line.Name = say(l, "unknown tag", "未知标签")
	}
	if !tlv.Constructed(it.Tag) {
		line.Value = emv.Show(it.Tag, it.Value)
		line.Notes = emv.Explain(it.Tag, it.Value, l)
	}
	return line
}

const (
	aipBytes = 2
	acHead   = 1 + 2 + 8 // CID, ATC, cryptogram
)

// format1 splits template 80, whose values carry no tags: the answer of GET
// PROCESSING OPTIONS is AIP and AFL, that of GENERATE AC is CID, ATC, AC, IAD
// (EMV Book 3, 6.5.5.4 and 6.5.8.4). Anything else is a signature.
func format1(depth int, it tlv.Item, l lang.Lang) []Line {
	v := it.Value
	if it.Tag != emv.TagResponse1 || len(v) < aipBytes {
		return nil
	}
	var parts tlv.List
	if _, err := emv.ParseAFL(v[aipBytes:]); err == nil {
		parts = tlv.List{{Tag: emv.TagAIP, Value: v[:aipBytes]}, {Tag: emv.TagAFL, Value: v[aipBytes:]}}
	} else if isCryptogram(v) {
		parts = tlv.List{{Tag: emv.TagCID, Value: v[:1]}, {Tag: emv.TagATC, Value: v[1:3]}, {Tag: emv.TagAC, Value: v[3:acHead]}, {Tag: emv.TagIAD, Value: v[acHead:]}}
	}
	var lines []Line
	for _, part := range parts {
		lines = append(lines, item(depth, part, l))
	}
	return lines
}

func isCryptogram(v []byte) bool {
	if len(v) < acHead {
		return false
	}
	_, err := emv.ParseIAD(v[acHead:])
	return err == nil || len(v) == acHead
}

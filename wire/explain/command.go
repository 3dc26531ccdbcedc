package explain

import (
	"fmt"
	"strings"

	"jiaozi/value/lang"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/observer"
	"jiaozi/wire/tlv"
)

// verb is one instruction: its name, what its parameters say, how its data
// reads. A nil function has nothing to add.
type verb struct {
	name   lang.Text
	params func(apdu.Command, lang.Lang) string
	data   func(apdu.Command, lang.Lang) []Line
}

// Instructions of EMV, PBOC scripts and the e-purse that have no constructor.
const (
	insReadBinary   = 0xB0
	insReadCAPP     = 0xB4
	insUpdateBinary = 0xD6
	insUpdateCAPP   = 0xDE
	insAppendRecord = 0xE2
	insInitialise   = 0x50
	insCredit       = 0x52
	insDebit        = 0x54
	insGetProof     = 0x5A
	insGetBalance   = 0x5C
)

var verbs = map[byte]verb{
	apdu.InsSelect:       {lang.Text{EN: "SELECT", ZH: "选择（SELECT）"}, selectParams, nameData},
	apdu.InsReadRecord:   {lang.Text{EN: "READ RECORD", ZH: "读记录（READ RECORD）"}, recordParams, nil},
	apdu.InsGPO:          {lang.Text{EN: "GET PROCESSING OPTIONS", ZH: "取处理选项（GPO）"}, nil, tlvData},
	apdu.InsGetData:      {lang.Text{EN: "GET DATA", ZH: "取数据（GET DATA）"}, tagParams, nil},
	apdu.InsVerify:       {lang.Text{EN: "VERIFY (PIN)", ZH: "验证 PIN（VERIFY）"}, nil, hiddenData},
	apdu.InsInternalAuth: {lang.Text{EN: "INTERNAL AUTHENTICATE", ZH: "内部认证（INTERNAL AUTHENTICATE）"}, nil, plainData},
	apdu.InsExternalAuth: {lang.Text{EN: "EXTERNAL AUTHENTICATE", ZH: "外部认证（EXTERNAL AUTHENTICATE）"}, nil, issuerData},
	apdu.InsGenerateAC:   {lang.Text{EN: "GENERATE AC", ZH: "生成应用密文（GENERATE AC）"}, cryptogramParams, plainData},
	apdu.InsGetChallenge: {lang.Text{EN: "GET CHALLENGE", ZH: "取随机数（GET CHALLENGE）"}, nil, nil},
	apdu.InsGetResponse:  {lang.Text{EN: "GET RESPONSE", ZH: "取响应（GET RESPONSE）"}, nil, nil},
	apdu.InsPutData:      {lang.Text{EN: "PUT DATA", ZH: "设置数据（PUT DATA）"}, tagParams, putData},
	apdu.InsUpdateRecord: {lang.Text{EN: "UPDATE RECORD", ZH: "修改记录（UPDATE RECORD）"}, recordParams, hiddenData},
	apdu.InsAppBlock:     {lang.Text{EN: "APPLICATION BLOCK", ZH: "应用锁定（APPLICATION BLOCK）"}, nil, putData},
	apdu.InsAppUnblock:   {lang.Text{EN: "APPLICATION UNBLOCK", ZH: "应用解锁（APPLICATION UNBLOCK）"}, nil, putData},
	apdu.InsCardBlock:    {lang.Text{EN: "CARD BLOCK", ZH: "卡片锁定（CARD BLOCK）"}, nil, putData},
	apdu.InsPINChange:    {lang.Text{EN: "PIN CHANGE/UNBLOCK", ZH: "PIN 修改/解锁（PIN CHANGE/UNBLOCK）"}, nil, hiddenData},
	insReadBinary:        {lang.Text{EN: "READ BINARY", ZH: "读二进制文件（READ BINARY）"}, nil, nil},
	insUpdateBinary:      {lang.Text{EN: "UPDATE BINARY", ZH: "修改二进制文件（UPDATE BINARY）"}, nil, hiddenData},
	insReadCAPP:          {lang.Text{EN: "READ CAPP DATA", ZH: "读扩展应用数据（READ CAPP DATA）"}, nil, plainData},
	insUpdateCAPP:        {lang.Text{EN: "UPDATE CAPP DATA CACHE", ZH: "更新扩展应用缓存（UPDATE CAPP DATA CACHE）"}, nil, hiddenData},
	insAppendRecord:      {lang.Text{EN: "APPEND RECORD", ZH: "添加记录（APPEND RECORD）"}, nil, hiddenData},
	insInitialise:        {lang.Text{EN: "INITIALIZE (e-purse)", ZH: "交易初始化（电子钱包 INITIALIZE）"}, nil, plainData},
	insCredit:            {lang.Text{EN: "CREDIT FOR LOAD (e-purse)", ZH: "圈存（电子钱包 CREDIT FOR LOAD）"}, nil, plainData},
	insDebit:             {lang.Text{EN: "DEBIT (e-purse)", ZH: "扣款（电子钱包 DEBIT）"}, nil, plainData},
	insGetProof:          {lang.Text{EN: "GET TRANSACTION PROVE (e-purse)", ZH: "取交易认证（电子钱包 GET TRANSACTION PROVE）"}, nil, plainData},
	insGetBalance:        {lang.Text{EN: "GET BALANCE (e-purse)", ZH: "读余额（电子钱包 GET BALANCE）"}, nil, nil},
}

// The classes that these instructions are spoken in.
var classes = []byte{apdu.ClaISO, apdu.ClaISOSecure, apdu.ClaEMV, apdu.ClaEMVSecure}

// explainCommand takes bytes for a command only if class and instruction are
// known: formally, any four bytes are one.
func explainCommand(b []byte, l lang.Lang) (Report, error) {
	c, err := apdu.ParseCommand(b)
	if err != nil {
		return Report{}, errNot
	}
	v, known := verbs[c.INS]
	if coin, ok := coinVerbs[c.INS]; ok && (c.CLA == observer.ClaPlain || c.CLA == observer.ClaSealed) {
		v, known = coin, true
	}
	if !known || !strings.Contains(string(classes), string([]byte{c.CLA})) {
		return Report{}, errNot
	}
	head := Line{Field: "header", Name: v.name.In(l), Value: fmt.Sprintf("%02X %02X %02X %02X", c.CLA, c.INS, c.P1, c.P2)}
	if v.params != nil {
		head.Notes = []string{v.params(c, l)}
	}
	if c.CLA&apdu.ClaISOSecure != 0 {
		head.Notes = append(head.Notes, say(l, "secure messaging", "安全报文"))
	}
	lines := []Line{head}
	if len(c.Data) > 0 {
		lines = append(lines, commandData(v, c, l)...)
	}
	if c.Le != apdu.NoLe {
		lines = append(lines, Line{Field: "Le", Name: say(l, "expected length", "期望长度"), Value: fmt.Sprint(c.Le)})
	}
	return Report{Kind: Command, Text: say(l, "card command (C-APDU)", "卡片命令（C-APDU）"), Lines: lines}, nil
}

func commandData(v verb, c apdu.Command, l lang.Lang) []Line {
	if v.data == nil {
		return plainData(c, l)
	}
	return v.data(c, l)
}

func dataLine(value string, l lang.Lang) Line {
	return Line{Field: "data", Name: say(l, "data", "数据"), Value: value}
}

func plainData(c apdu.Command, l lang.Lang) []Line {
	return []Line{dataLine(fmt.Sprintf("%X", c.Data), l)}
}

// hiddenData: PIN blocks, and records that may hold a card number.
func hiddenData(c apdu.Command, l lang.Lang) []Line {
	return []Line{dataLine(hidden(len(c.Data), l), l)}
}

func hidden(n int, l lang.Lang) string {
	return fmt.Sprintf(say(l, "(%d bytes, not shown)", "（%d 字节，不显示）"), n)
}

func tlvData(c apdu.Command, l lang.Lang) []Line {
	if lines, err := tree(c.Data, l); err == nil {
		return lines
	}
	return plainData(c, l)
}

// nameData shows directory names such as 2PAY.SYS.DDF01 as text.
func nameData(c apdu.Command, l lang.Lang) []Line {
	line := item(0, tlv.Item{Tag: emv.TagDFName, Value: c.Data}, l)
	if strings.HasSuffix(string(c.Data), "PAY.SYS.DDF01") {
		line.Notes = []string{string(c.Data)}
	}
	return []Line{line}
}

func issuerData(c apdu.Command, l lang.Lang) []Line {
	return []Line{item(0, tlv.Item{Tag: emv.TagIssuerAuth, Value: c.Data}, l)}
}

// putData splits a secured command into the value and its MAC.
func putData(c apdu.Command, l lang.Lang) []Line {
	n := len(c.Data) - apdu.MACBytes
	if n < 0 || c.CLA&apdu.ClaISOSecure == 0 {
		return hiddenData(c, l)
	}
	var lines []Line
	switch tag := paramTag(c); {
	case n > 0 && tag.Valid():
		lines = append(lines, item(0, tlv.Item{Tag: tag, Value: c.Data[:n]}, l))
	case n > 0:
		lines = append(lines, dataLine(fmt.Sprintf("%X", c.Data[:n]), l))
	}
	return append(lines, Line{Field: "MAC", Name: say(l, "message authentication code", "报文鉴别码"), Value: fmt.Sprintf("%X", c.Data[n:])})
}

func selectParams(c apdu.Command, l lang.Lang) string {
	switch {
	case c.P1 == 0x04 && c.P2 == 0x00:
		return say(l, "by name, first occurrence", "按名称，第一个")
	case c.P1 == 0x04 && c.P2 == 0x02:
		return say(l, "by name, next occurrence", "按名称，下一个")
	}
	return say(l, "by file identifier or another way", "按文件标识或其他方式")
}

func recordParams(c apdu.Command, l lang.Lang) string {
	return fmt.Sprintf(say(l, "record %d of file %d", "第 %d 条记录，文件 %d"), c.P1, c.P2>>3)
}

func paramTag(c apdu.Command) tlv.Tag {
	if c.P1 == 0 {
		return tlv.Tag(c.P2)
	}
	return tlv.Tag(c.P1)<<8 | tlv.Tag(c.P2)
}

func tagParams(c apdu.Command, l lang.Lang) string {
	tag := paramTag(c)
	return strings.TrimSpace(fmt.Sprintf("%v %s", tag, emv.Name(tag, l)))
}

func cryptogramParams(c apdu.Command, l lang.Lang) string {
	text := fmt.Sprintf(say(l, "asks for %v", "请求 %v"), emv.CID(c.P1).Decision())
	if c.P1&apdu.RequestCDA != 0 {
		text += say(l, ", with a combined signature (CDA)", "，并请求复合签名（CDA）")
	}
	return text
}

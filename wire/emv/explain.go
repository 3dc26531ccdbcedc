package emv

import (
	"fmt"
	"strings"

	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/wire/tlv"
)

var bitFields = map[tlv.Tag]bitField{
	TagTVR: tvrField, TagIACDefault: tvrField, TagIACDenial: tvrField, TagIACOnline: tvrField,
	0xDF11: tvrField, 0xDF12: tvrField, 0xDF13: tvrField, // terminal action codes
	TagTSI: tsiField, TagAIP: aipField, TagTTQ: ttqField, TagCTQ: ctqField,
	TagTerminalCaps: terminalCapsField, TagAddlCaps: addlCapsField, TagAUC: aucField,
	TagCardProcesses: processesField, 0xDF61: extendedField,
}

var codeTables = map[tlv.Tag]map[byte]lang.Text{
	TagTxnType: txnTypes, TagTerminalType: terminalTypes, TagECSupport: ecSupport,
}

// Explain says what a value means beyond its digits, one sentence a line. It
// says nothing about values that need no explanation, and never repeats card
// numbers. A value that its tag does not allow is reported as such.
func Explain(t tlv.Tag, value []byte, l lang.Lang) []string {
	if info, ok := Lookup(t); ok && !info.Fits(len(value)) {
		return []string{wrongLength(info, len(value), l)}
	}
	if field, ok := bitFields[t]; ok {
		if lines := field.explain(value, l); len(lines) > 0 {
			return lines
		}
		return []string{lang.Text{EN: "no bit is set", ZH: "没有置位"}.In(l)}
	}
	if table, ok := codeTables[t]; ok && len(value) == 1 {
		return []string{word(table, value[0], l)}
	}
	if explain, ok := explainers[t]; ok {
		return explain(value, l)
	}
	if info, ok := Lookup(t); ok && info.Format == List {
		return explainDOL(value, l)
	}
	return nil
}

var explainers = map[tlv.Tag]func([]byte, lang.Lang) []string{
	tagCVR: explainCVR, TagCID: explainCID, TagIAD: explainIAD, TagAFL: explainAFL,
	TagCVMList: explainCVMList, TagCVMResults: explainCVMResults, TagScriptResult: explainScript,
	TagLogEntry: explainLogEntry, TagLoadLogEntry: explainLogEntry, TagARC: explainARC,
	TagCardAuthData: explainCardAuth, TagIssuerAuth: explainIssuerAuth,
}

func wrongLength(i Info, n int, l lang.Lang) string {
	if i.Min == i.Max {
		return lang.Text{
			EN: fmt.Sprintf("%d bytes, but this tag has %d", n, i.Min),
			ZH: fmt.Sprintf("长度为 %d 字节，该标签应为 %d 字节", n, i.Min),
		}.In(l)
	}
	if i.Max == 0 {
		return lang.Text{
			EN: fmt.Sprintf("%d bytes, but this tag has at least %d", n, i.Min),
			ZH: fmt.Sprintf("长度为 %d 字节，该标签至少应为 %d 字节", n, i.Min),
		}.In(l)
	}
	return lang.Text{
		EN: fmt.Sprintf("%d bytes, but this tag has %d to %d", n, i.Min, i.Max),
		ZH: fmt.Sprintf("长度为 %d 字节，该标签应为 %d 至 %d 字节", n, i.Min, i.Max),
	}.In(l)
}

// explain lists the bits that are set, from the highest of the first byte on.
func (f bitField) explain(value []byte, l lang.Lang) []string {
	if len(value) != f.size {
		return malformed(l)
	}
	var lines []string
	rest := append([]byte(nil), value...)
	for _, b := range f.bits {
		if hasBit(value, b.bit) {
			lines = append(lines, bitLine(b.bit, b.text.In(l)))
			rest[b.bit>>8] &^= byte(b.bit)
		}
	}
	return append(lines, reserved(rest, l)...)
}

// reserved names set bits without a meaning: a sign of another kernel's data.
func reserved(rest []byte, l lang.Lang) []string {
	var lines []string
	for i, v := range rest {
		for mask := byte(0x80); mask != 0; mask >>= 1 {
			if v&mask != 0 {
				lines = append(lines, bitLine(uint16(i)<<8|uint16(mask), lang.Text{EN: "reserved bit is set", ZH: "保留位被置位"}.In(l)))
			}
		}
	}
	return lines
}

// bitLine numbers bytes from 1 and bits from 8 down to 1, as the standards do.
func bitLine(bit uint16, text string) string {
	n := 1
	for mask := byte(bit); mask > 1; mask >>= 1 {
		n++
	}
	return fmt.Sprintf("B%db%d %s", bit>>8+1, n, text)
}

func malformed(l lang.Lang) []string {
	return []string{lang.Text{EN: "malformed value", ZH: "值的格式不正确"}.In(l)}
}

// word looks a code up and admits when it is not in the table.
func word[K ~byte](table map[K]lang.Text, code K, l lang.Lang) string {
	if t, ok := table[code]; ok {
		return t.In(l)
	}
	return fmt.Sprintf("%02X: %s", byte(code), lang.Text{EN: "reserved or unknown", ZH: "保留或未知"}.In(l))
}

func explainCVR(value []byte, l lang.Lang) []string {
	if len(value) != len(CVR{}) {
		return malformed(l)
	}
	v := CVR(value)
	lines := []string{lang.Text{EN: "first cryptogram ", ZH: "第一次密文 "}.In(l) + word(decisions, v.First(), l)}
	if second, ok := v.Second(); ok {
		lines = append(lines, lang.Text{EN: "second cryptogram ", ZH: "第二次密文 "}.In(l)+word(decisions, second, l))
	}
	if n := v.Scripts(); n > 0 {
		lines = append(lines, lang.Text{EN: fmt.Sprintf("%d script commands carried out last time", n), ZH: fmt.Sprintf("上次交易执行了 %d 条脚本命令", n)}.In(l))
	}
	flags := v
	flags[0] &^= cvrFirstMask | cvrSecondMask
	flags[2] &= 0x0F
	return append(lines, cvrField.explain(flags[:], l)...)
}

func explainCID(value []byte, l lang.Lang) []string {
	lines := []string{word(decisions, CID(value[0]).Decision(), l)}
	if value[0]&0x08 != 0 {
		lines = append(lines, lang.Text{EN: "advice required", ZH: "需要通知"}.In(l))
	}
	if reason := value[0] & 0x07; reason != 0 {
		lines = append(lines, word(cidReasons, reason, l))
	}
	return lines
}

func explainIAD(value []byte, l lang.Lang) []string {
	d, err := ParseIAD(value)
	if err != nil {
		return []string{lang.Text{EN: "not the 19-byte PBOC form with a MACed value", ZH: "不是带 MAC 的 19 字节 PBOC 格式"}.In(l)}
	}
	lines := []string{
		fmt.Sprintf("%s %02X", lang.Text{EN: "derivation key index", ZH: "分散密钥索引（DKI）"}.In(l), d.DKI),
		word(cvnNames, d.CVN, l),
		word(algNames, d.Alg, l),
		fmt.Sprintf("%s %X, MAC %X", word(iddNames, d.IDD, l), d.Value, d.MAC),
	}
	if balance, err := d.Balance(money.CNY); err == nil {
		lines[3] = fmt.Sprintf("%s %s, MAC %X", word(iddNames, d.IDD, l), balance, d.MAC)
	}
	return append(lines, explainCVR(d.CVR[:], l)...)
}

func explainAFL(value []byte, l lang.Lang) []string {
	afl, err := ParseAFL(value)
	if err != nil {
		return malformed(l)
	}
	lines := make([]string, 0, len(afl))
	for _, e := range afl {
		lines = append(lines, lang.Text{
			EN: fmt.Sprintf("file %d: records %d to %d, the first %d are signed", e.SFI, e.First, e.Last, e.Signed),
			ZH: fmt.Sprintf("文件 %d：记录 %d 至 %d，前 %d 条参与脱机数据认证", e.SFI, e.First, e.Last, e.Signed),
		}.In(l))
	}
	return lines
}

func explainRule(r CVMRule, l lang.Lang) string {
	next := lang.Text{EN: "otherwise fail", ZH: "否则失败"}
	if r.ContinueOnFailure() {
		next = lang.Text{EN: "otherwise try the next", ZH: "否则尝试下一条"}
	}
	return fmt.Sprintf("%s, %s; %s", word(cvmMethods, r.Method&cvmMethodMask, l), word(cvmConditions, r.Condition, l), next.In(l))
}

func explainCVMList(value []byte, l lang.Lang) []string {
	list, err := ParseCVMList(value)
	if err != nil {
		return malformed(l)
	}
	lines := []string{fmt.Sprintf("X %d, Y %d", list.X, list.Y)}
	for _, r := range list.Rules {
		lines = append(lines, explainRule(r, l))
	}
	return lines
}

func explainCVMResults(value []byte, l lang.Lang) []string {
	method := word(cvmMethods, value[0]&cvmMethodMask, l)
	if value[0]&cvmMethodMask == cvmMethodMask {
		method = lang.Text{EN: "no CVM performed", ZH: "未执行 CVM"}.In(l)
	}
	return []string{method, word(cvmConditions, value[1], l), word(cvmOutcomes, value[2], l)}
}

const scriptResultBytes = 5

func explainScript(value []byte, l lang.Lang) []string {
	if len(value)%scriptResultBytes != 0 {
		return malformed(l)
	}
	var lines []string
	for ; len(value) > 0; value = value[scriptResultBytes:] {
		lines = append(lines, lang.Text{
			EN: fmt.Sprintf("%s, command %d, script %X", word(scriptOutcomes, value[0]>>4, l), value[0]&0xF, value[1:5]),
			ZH: fmt.Sprintf("%s，第 %d 条命令，脚本 %X", word(scriptOutcomes, value[0]>>4, l), value[0]&0xF, value[1:5]),
		}.In(l))
	}
	return lines
}

func explainLogEntry(value []byte, l lang.Lang) []string {
	return []string{lang.Text{
		EN: fmt.Sprintf("file %d, %d records", value[0], value[1]),
		ZH: fmt.Sprintf("文件 %d，%d 条记录", value[0], value[1]),
	}.In(l)}
}

func explainARC(value []byte, l lang.Lang) []string {
	if t, ok := authResponses[string(value)]; ok {
		return []string{t.In(l)}
	}
	return nil
}

// CardAuthPSN is where our cards put their sequence number (5F34) in 9F69, behind
// version, number and CTQ: the rest of that object is the issuer's to use, and
// fDDA 01 signs all of it, while 5F34 itself stands unsigned in a tap's answer.
const CardAuthPSN = 7

// explainCardAuth reads 9F69: version, the card's own random number, the CTQ
// and what else the issuer put there.
func explainCardAuth(value []byte, l lang.Lang) []string {
	lines := []string{fmt.Sprintf("%s %02X, %s %X", lang.Text{EN: "fDDA version", ZH: "fDDA 版本"}.In(l), value[0],
		lang.Text{EN: "card random number", ZH: "卡片随机数"}.In(l), value[1:5])}
	if len(value) >= 7 {
		lines = append(lines, ctqField.explain(value[5:7], l)...)
	}
	if len(value) > CardAuthPSN {
		lines = append(lines, fmt.Sprintf("%s %X", Name(TagPSN, l), value[CardAuthPSN:CardAuthPSN+1]))
	}
	return lines
}

func explainIssuerAuth(value []byte, l lang.Lang) []string {
	if len(value) != 10 {
		return nil
	}
	return append([]string{fmt.Sprintf("ARPC %X, ARC %q", value[:8], value[8:])}, explainARC(value[8:], l)...)
}

func explainDOL(value []byte, l lang.Lang) []string {
	dol, err := tlv.ParseDOL(value)
	if err != nil {
		return malformed(l)
	}
	lines := make([]string, 0, len(dol))
	for _, e := range dol {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%v (%d) %s", e.Tag, e.Len, Name(e.Tag, l))))
	}
	return lines
}

// Name is the tag's name, or nothing if the dictionary has none.
func Name(t tlv.Tag, l lang.Lang) string {
	if t == tagCVR {
		return lang.Text{EN: "Card Verification Results (CVR)", ZH: "卡片验证结果（CVR）"}.In(l)
	}
	info, ok := Lookup(t)
	if !ok {
		return ""
	}
	return info.Name.In(l)
}

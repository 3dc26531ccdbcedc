package apdu

import (
	"fmt"

	"jiaozi/value/lang"
)

// SW is the status word that ends every response.
type SW uint16

// Status words with a meaning in EMV Book 3, ISO 7816-4 or PBOC.
const (
	OK                   SW = 0x9000
	MemoryUnchanged      SW = 0x6200
	DataCorrupted        SW = 0x6281
	EndOfFile            SW = 0x6282
	ApplicationBlocked   SW = 0x6283
	VerifyFailed         SW = 0x6300
	MemoryError          SW = 0x6581
	WrongLength          SW = 0x6700
	ClassNotSupported    SW = 0x6800
	ChannelNotSupported  SW = 0x6881
	SecureNotSupported   SW = 0x6882
	CommandNotAllowed    SW = 0x6900
	IncompatibleFile     SW = 0x6981
	SecurityNotSatisfied SW = 0x6982
	AuthMethodBlocked    SW = 0x6983
	DataInvalidated      SW = 0x6984
	ConditionsNotMet     SW = 0x6985
	NoCurrentFile        SW = 0x6986
	SecureDataMissing    SW = 0x6987
	SecureDataWrong      SW = 0x6988
	WrongData            SW = 0x6A80
	FunctionNotSupported SW = 0x6A81
	FileNotFound         SW = 0x6A82
	RecordNotFound       SW = 0x6A83
	NotEnoughSpace       SW = 0x6A84
	WrongP1P2            SW = 0x6A86
	DataNotFound         SW = 0x6A88
	WrongOffset          SW = 0x6B00
	UnknownInstruction   SW = 0x6D00
	UnknownClass         SW = 0x6E00
	InternalFault        SW = 0x6F00
	MACWrong             SW = 0x9302
	BalanceShort         SW = 0x9401
	KeyIndexUnknown      SW = 0x9403
)

var swTexts = map[SW]lang.Text{
	OK:                   {EN: "success", ZH: "成功"},
	MemoryUnchanged:      {EN: "warning: memory unchanged", ZH: "警告：存储器内容未变"},
	DataCorrupted:        {EN: "warning: part of the data may be corrupted", ZH: "警告：回送的数据可能出错"},
	EndOfFile:            {EN: "warning: end of file before the expected length", ZH: "警告：文件长度小于 Le"},
	ApplicationBlocked:   {EN: "the selected file or application is blocked", ZH: "选择的文件无效（应用已锁定）"},
	VerifyFailed:         {EN: "authentication failed", ZH: "认证失败"},
	MemoryError:          {EN: "the card's memory failed", ZH: "写存储器失败"},
	WrongLength:          {EN: "wrong length (Lc or Le)", ZH: "长度错误（Lc 或 Le）"},
	ClassNotSupported:    {EN: "functions of this class byte are not supported", ZH: "不支持该 CLA 的功能"},
	ChannelNotSupported:  {EN: "logical channels are not supported", ZH: "不支持逻辑信道"},
	SecureNotSupported:   {EN: "secure messaging is not supported", ZH: "不支持安全报文"},
	CommandNotAllowed:    {EN: "command not allowed", ZH: "命令不允许"},
	IncompatibleFile:     {EN: "command does not fit the file", ZH: "命令与文件结构不相容"},
	SecurityNotSatisfied: {EN: "security status not satisfied", ZH: "安全状态不满足"},
	AuthMethodBlocked:    {EN: "authentication method blocked (PIN tries used up)", ZH: "验证方法已锁定（PIN 次数用尽）"},
	DataInvalidated:      {EN: "referenced data invalidated", ZH: "引用数据无效"},
	ConditionsNotMet:     {EN: "conditions of use not satisfied", ZH: "使用条件不满足"},
	NoCurrentFile:        {EN: "no current file selected", ZH: "没有选择当前文件"},
	SecureDataMissing:    {EN: "secure messaging object missing", ZH: "安全报文数据项丢失"},
	SecureDataWrong:      {EN: "secure messaging object incorrect (MAC)", ZH: "安全报文数据项不正确（MAC 错）"},
	WrongData:            {EN: "wrong parameters in the data field", ZH: "数据域参数不正确"},
	FunctionNotSupported: {EN: "function not supported (or card blocked)", ZH: "功能不支持（或卡已锁定）"},
	FileNotFound:         {EN: "file or application not found", ZH: "未找到文件或应用"},
	RecordNotFound:       {EN: "record not found", ZH: "未找到记录"},
	NotEnoughSpace:       {EN: "not enough space in the file", ZH: "文件中存储空间不足"},
	WrongP1P2:            {EN: "wrong P1 or P2", ZH: "P1 或 P2 不正确"},
	DataNotFound:         {EN: "referenced data not found", ZH: "未找到引用数据"},
	WrongOffset:          {EN: "wrong parameters (offset outside the file)", ZH: "参数错误（偏移超出文件）"},
	UnknownInstruction:   {EN: "instruction not supported", ZH: "INS 不支持"},
	UnknownClass:         {EN: "class not supported", ZH: "CLA 不支持"},
	InternalFault:        {EN: "the card failed without saying why", ZH: "卡片内部错误，原因未知"},
	MACWrong:             {EN: "wrong MAC (e-purse)", ZH: "MAC 无效（电子钱包）"},
	BalanceShort:         {EN: "balance too small (e-purse)", ZH: "金额不足（电子钱包）"},
	KeyIndexUnknown:      {EN: "key index not supported (e-purse)", ZH: "密钥索引不支持（电子钱包）"},
}

// OK reports success.
func (s SW) OK() bool { return s == OK }

// TriesLeft reads 63Cx: the PIN was wrong and x tries remain.
func (s SW) TriesLeft() (int, bool) {
	return int(s & 0xF), s&0xFFF0 == 0x63C0
}

// WrongPIN is the 63Cx with this many tries left.
func WrongPIN(triesLeft uint8) SW { return 0x63C0 | SW(triesLeft&0xF) }

// Known reports whether Text has more to say than the number.
func (s SW) Known() bool {
	_, ok := s.text()
	return ok
}

// Text says in words what the card said.
func (s SW) Text(l lang.Lang) string {
	if t, ok := s.text(); ok {
		return t.In(l)
	}
	return lang.Text{EN: "status unknown to this dictionary", ZH: "本字典未收录的状态字"}.In(l)
}

func (s SW) text() (lang.Text, bool) {
	if t, ok := swTexts[s]; ok {
		return t, true
	}
	if n, ok := s.TriesLeft(); ok {
		return lang.Text{EN: fmt.Sprintf("wrong PIN, %d tries left", n), ZH: fmt.Sprintf("PIN 错误，还可尝试 %d 次", n)}, true
	}
	low := byte(s)
	switch s >> 8 {
	case 0x61:
		return lang.Text{EN: fmt.Sprintf("success, %d bytes wait (GET RESPONSE)", decodeLe(low)), ZH: fmt.Sprintf("成功，还有 %d 字节可取", decodeLe(low))}, true
	case 0x6C:
		return lang.Text{EN: fmt.Sprintf("wrong Le, repeat with %d", decodeLe(low)), ZH: fmt.Sprintf("Le 错误，应为 %d", decodeLe(low))}, true
	}
	return lang.Text{}, false
}

// String is the four hexadecimal digits, "6985".
func (s SW) String() string { return fmt.Sprintf("%04X", uint16(s)) }

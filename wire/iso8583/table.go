package iso8583

import "jiaozi/value/lang"

// padF marks the fields that some terminals fill with F instead of 0 when the
// count of digits is odd.
const padF = 1 << 0xF

// POS is the UnionPay-style terminal dialect: BCD, primary bitmap only, lengths
// that count digits, MAC in field 64.
var POS = &Spec{Name: "pos", MAC: 64, Types: posTypes, Fields: [LastField + 1]Field{
	2:  {Name: lang.Text{EN: "card number", ZH: "主账号"}, Form: Digits, Size: 19, Prefix: 2, Pads: padF, Show: ShowPAN},
	3:  {Name: lang.Text{EN: "processing code", ZH: "交易处理码"}, Form: Digits, Size: 6},
	4:  {Name: lang.Text{EN: "amount", ZH: "交易金额"}, Form: Digits, Size: 12},
	11: {Name: lang.Text{EN: "trace number", ZH: "受卡方系统跟踪号"}, Form: Digits, Size: 6},
	12: {Name: lang.Text{EN: "local time", ZH: "受卡方所在地时间"}, Form: Digits, Size: 6},
	13: {Name: lang.Text{EN: "local date", ZH: "受卡方所在地日期"}, Form: Digits, Size: 4},
	14: {Name: lang.Text{EN: "expiry", ZH: "卡有效期"}, Form: Digits, Size: 4, Show: ShowLength},
	15: {Name: lang.Text{EN: "settlement date", ZH: "清算日期"}, Form: Digits, Size: 4},
	22: {Name: lang.Text{EN: "entry mode", ZH: "服务点输入方式码"}, Form: Digits, Size: 3, Left: true},
	23: {Name: lang.Text{EN: "card sequence number", ZH: "卡序列号"}, Form: Digits, Size: 3},
	25: {Name: lang.Text{EN: "condition code", ZH: "服务点条件码"}, Form: Digits, Size: 2},
	26: {Name: lang.Text{EN: "PIN capture code", ZH: "服务点PIN获取码"}, Form: Digits, Size: 2},
	32: {Name: lang.Text{EN: "acquirer", ZH: "受理方标识码"}, Form: Digits, Size: 11, Prefix: 2},
	35: {Name: lang.Text{EN: "track 2", ZH: "二磁道数据"}, Form: Track, Size: 37, Prefix: 2, Pads: padF, Show: ShowTrack},
	36: {Name: lang.Text{EN: "track 3", ZH: "三磁道数据"}, Form: Track, Size: 104, Prefix: 3, Pads: padF, Show: ShowTrack},
	37: {Name: lang.Text{EN: "retrieval reference", ZH: "检索参考号"}, Form: Text, Size: 12},
	38: {Name: lang.Text{EN: "authorisation code", ZH: "授权标识应答码"}, Form: Text, Size: 6},
	39: {Name: lang.Text{EN: "response code", ZH: "应答码"}, Form: Text, Size: 2},
	41: {Name: lang.Text{EN: "terminal", ZH: "受卡机终端标识码"}, Form: Text, Size: 8},
	42: {Name: lang.Text{EN: "merchant", ZH: "受卡方标识码"}, Form: Text, Size: 15},
	44: {Name: lang.Text{EN: "additional response data", ZH: "附加响应数据"}, Form: Text, Size: 25, Prefix: 2},
	48: {Name: lang.Text{EN: "totals or details", ZH: "附加数据"}, Form: Digits, Size: 322, Prefix: 3},
	49: {Name: lang.Text{EN: "currency", ZH: "交易货币代码"}, Form: Text, Size: 3},
	52: {Name: lang.Text{EN: "PIN block", ZH: "个人标识码数据"}, Form: Binary, Size: 8, Show: ShowLength},
	53: {Name: lang.Text{EN: "security control", ZH: "安全控制信息"}, Form: Digits, Size: 16},
	54: {Name: lang.Text{EN: "balance", ZH: "余额"}, Form: Text, Size: 20, Prefix: 3},
	55: {Name: lang.Text{EN: "chip data", ZH: "IC卡数据域"}, Form: Binary, Size: 255, Prefix: 3, Show: ShowTLV},
	58: {Name: lang.Text{EN: "e-purse data", ZH: "电子钱包标准的交易信息"}, Form: Binary, Size: 100, Prefix: 3, Show: ShowLength},
	59: {Name: lang.Text{EN: "terminal information", ZH: "终端信息"}, Form: Text, Size: 600, Prefix: 3},
	60: {Name: lang.Text{EN: "batch and function", ZH: "自定义域(批次与功能)"}, Form: Digits, Size: 17, Prefix: 3},
	61: {Name: lang.Text{EN: "original transaction", ZH: "原始信息域"}, Form: Digits, Size: 29, Prefix: 3},
	62: {Name: lang.Text{EN: "keys, lists, parameters", ZH: "自定义域(密钥与参数)"}, Form: Binary, Size: 512, Prefix: 3, Show: ShowLength},
	63: {Name: lang.Text{EN: "operator or organisation", ZH: "自定义域(操作员)"}, Form: Text, Size: 163, Prefix: 3},
	64: {Name: lang.Text{EN: "MAC", ZH: "报文鉴别码"}, Form: Binary, Size: macLen, Show: ShowLength},
}}

// Interchange is the inner form between acquirer and issuer: the same packing, no
// TPDU, both institutions named, MAC in field 128.
var Interchange = interchange()

func interchange() *Spec {
	s := &Spec{Name: "interchange", MAC: 128, Wide: true, Types: interchangeTypes, Fields: POS.Fields}
	for n := range s.Fields {
		s.Fields[n].Pads = 0 // both ends are ours: one form only
	}
	s.Fields[7] = Field{Name: lang.Text{EN: "transmission time", ZH: "交易传输时间"}, Form: Digits, Size: 10}
	s.Fields[33] = Field{Name: lang.Text{EN: "forwarding institution", ZH: "发送机构标识码"}, Form: Digits, Size: 11, Prefix: 2}
	s.Fields[90] = Field{Name: lang.Text{EN: "original data elements", ZH: "原始数据元"}, Form: Digits, Size: 42}
	s.Fields[100] = Field{Name: lang.Text{EN: "issuer", ZH: "接收机构标识码"}, Form: Digits, Size: 11, Prefix: 2}
	s.Fields[128] = s.Fields[64]
	s.Fields[64] = Field{}
	return s
}

// The least that a message of each type has to say. What more a transaction needs
// is for the role that understands it.
var (
	needRequest = Fields(11, 41, 42, 60)
	needAnswer  = Fields(11, 39, 41, 42)
	needMoney   = Fields(3, 4, 11, 25, 41, 42, 49, 60)
	needRoute   = Fields(3, 11, 32, 41, 42, 60, 100, 128)
	needRouted  = Fields(11, 32, 39, 41, 128)
)

var posTypes = []Type{
	{MTI: 0x0200, Name: lang.Text{EN: "financial request", ZH: "金融交易请求"}, Need: needMoney, MAC: MACAlways},
	{MTI: 0x0210, Name: lang.Text{EN: "financial answer", ZH: "金融交易应答"}, Need: needAnswer, MAC: MACAlways},
	{MTI: 0x0100, Name: lang.Text{EN: "authorisation request", ZH: "授权请求"}, Need: needMoney, MAC: MACAlways},
	{MTI: 0x0110, Name: lang.Text{EN: "authorisation answer", ZH: "授权应答"}, Need: needAnswer, MAC: MACAlways},
	{MTI: 0x0220, Name: lang.Text{EN: "financial advice", ZH: "金融通知请求"}, Need: needMoney, MAC: MACAlways},
	{MTI: 0x0230, Name: lang.Text{EN: "financial advice answer", ZH: "金融通知应答"}, Need: needAnswer, MAC: MACAlways},
	{MTI: 0x0320, Name: lang.Text{EN: "batch upload", ZH: "批上送请求"}, Need: needRequest, MAC: MACSecure},
	{MTI: 0x0330, Name: lang.Text{EN: "batch upload answer", ZH: "批上送应答"}, Need: needAnswer, MAC: MACSecure},
	{MTI: 0x0400, Name: lang.Text{EN: "reversal", ZH: "冲正请求"}, Need: needMoney, MAC: MACAlways},
	{MTI: 0x0410, Name: lang.Text{EN: "reversal answer", ZH: "冲正应答"}, Need: needAnswer, MAC: MACAlways},
	{MTI: 0x0500, Name: lang.Text{EN: "settlement", ZH: "批结算请求"}, Need: Fields(11, 41, 42, 48, 60), MAC: MACSecure},
	{MTI: 0x0510, Name: lang.Text{EN: "settlement answer", ZH: "批结算应答"}, Need: needAnswer, MAC: MACSecure},
	{MTI: 0x0620, Name: lang.Text{EN: "script result notice", ZH: "脚本结果通知"}, Need: Fields(3, 11, 41, 42, 55, 60, 61), MAC: MACAlways},
	{MTI: 0x0630, Name: lang.Text{EN: "script result notice answer", ZH: "脚本结果通知应答"}, Need: needAnswer, MAC: MACAlways},
	{MTI: 0x0800, Name: lang.Text{EN: "sign-on or download", ZH: "签到或下载请求"}, Need: needRequest},
	{MTI: 0x0810, Name: lang.Text{EN: "sign-on or download answer", ZH: "签到或下载应答"}, Need: needAnswer},
	{MTI: 0x0820, Name: lang.Text{EN: "sign-off, echo or status", ZH: "签退、回响或状态请求"}, Need: needRequest},
	{MTI: 0x0830, Name: lang.Text{EN: "sign-off, echo or status answer", ZH: "签退、回响或状态应答"}, Need: Fields(39, 41, 42)},
}

var interchangeTypes = []Type{
	{MTI: 0x0200, Name: lang.Text{EN: "financial request", ZH: "金融交易请求"}, Need: needRoute, MAC: MACAlways},
	{MTI: 0x0210, Name: lang.Text{EN: "financial answer", ZH: "金融交易应答"}, Need: needRouted, MAC: MACAlways},
	{MTI: 0x0420, Name: lang.Text{EN: "reversal advice", ZH: "冲正通知"}, Need: needRoute, MAC: MACAlways},
	{MTI: 0x0430, Name: lang.Text{EN: "reversal advice answer", ZH: "冲正通知应答"}, Need: needRouted, MAC: MACAlways},
	{MTI: 0x0620, Name: lang.Text{EN: "script result notice", ZH: "脚本结果通知"}, Need: needRoute, MAC: MACAlways},
	{MTI: 0x0630, Name: lang.Text{EN: "script result notice answer", ZH: "脚本结果通知应答"}, Need: needRouted, MAC: MACAlways},
	{MTI: 0x0800, Name: lang.Text{EN: "network message", ZH: "网络管理请求"}, Need: Fields(11, 32, 128), MAC: MACAlways},
	{MTI: 0x0810, Name: lang.Text{EN: "network answer", ZH: "网络管理应答"}, Need: Fields(11, 32, 39, 128), MAC: MACAlways},
}

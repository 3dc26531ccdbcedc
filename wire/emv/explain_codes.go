package emv

import "jiaozi/value/lang"

var cvmMethods = map[byte]lang.Text{
	0x00: {EN: "fail CVM processing", ZH: "CVM 失败"},
	0x01: {EN: "plaintext PIN verified by the card", ZH: "卡片执行明文 PIN 核对"},
	0x02: {EN: "enciphered PIN verified online", ZH: "联机加密 PIN 验证"},
	0x03: {EN: "plaintext PIN verified by the card, and signature", ZH: "卡片执行明文 PIN 核对加签名"},
	0x04: {EN: "enciphered PIN verified by the card", ZH: "卡片执行加密 PIN 核对"},
	0x05: {EN: "enciphered PIN verified by the card, and signature", ZH: "卡片执行加密 PIN 核对加签名"},
	0x1E: {EN: "signature (paper)", ZH: "签名（纸）"},
	0x1F: {EN: "no CVM required", ZH: "无需 CVM"},
	0x20: {EN: "cardholder ID document check (PBOC)", ZH: "持卡人证件出示（PBOC）"},
}

var cvmConditions = map[byte]lang.Text{
	0x00: {EN: "always", ZH: "总是"},
	0x01: {EN: "if unattended cash", ZH: "如果是无人值守现金交易"},
	0x02: {EN: "if not cash and not cashback", ZH: "如果不是现金也不是返现交易"},
	0x03: {EN: "if the terminal supports it", ZH: "如果终端支持这个 CVM"},
	0x04: {EN: "if manual cash", ZH: "如果是人工值守现金交易"},
	0x05: {EN: "if purchase with cashback", ZH: "如果是返现交易"},
	0x06: {EN: "if in the application currency and under X", ZH: "如果是应用货币且小于 X"},
	0x07: {EN: "if in the application currency and over X", ZH: "如果是应用货币且大于 X"},
	0x08: {EN: "if in the application currency and under Y", ZH: "如果是应用货币且小于 Y"},
	0x09: {EN: "if in the application currency and over Y", ZH: "如果是应用货币且大于 Y"},
}

var cvmOutcomes = map[byte]lang.Text{
	0x00: {EN: "result unknown", ZH: "结果未知"},
	0x01: {EN: "failed", ZH: "失败"},
	0x02: {EN: "successful", ZH: "成功"},
}

var decisions = map[Decision]lang.Text{
	AAC:  {EN: "AAC: declined", ZH: "AAC：交易拒绝"},
	TC:   {EN: "TC: approved", ZH: "TC：交易批准"},
	ARQC: {EN: "ARQC: the issuer must be asked online", ZH: "ARQC：请求联机授权"},
	0xC0: {EN: "reserved (AAR)", ZH: "保留（AAR）"},
}

var cidReasons = map[byte]lang.Text{
	1: {EN: "service not allowed", ZH: "服务不允许"},
	2: {EN: "PIN try limit exceeded", ZH: "PIN 尝试次数超限"},
	3: {EN: "issuer authentication failed", ZH: "发卡行认证失败"},
}

var cvnNames = map[byte]lang.Text{
	CVN01: {EN: "cryptogram version 01 (contact)", ZH: "密文版本 01（接触）"},
	CVN17: {EN: "cryptogram version 17 (contactless)", ZH: "密文版本 17（非接触）"},
}

var algNames = map[byte]lang.Text{
	Alg3DES: {EN: "algorithm 3DES", ZH: "算法 3DES"},
	AlgSM4:  {EN: "algorithm SM4", ZH: "算法 SM4"},
}

var iddNames = map[byte]lang.Text{
	IDDBalance:    {EN: "electronic cash balance", ZH: "电子现金余额"},
	IDDCumulative: {EN: "cumulative total (CTTA)", ZH: "累计脱机交易金额（CTTA）"},
	IDDBoth:       {EN: "balance and cumulative total", ZH: "电子现金余额和 CTTA"},
	IDDTotalLimit: {EN: "cumulative total and its limit", ZH: "CTTA 和 CTTAL"},
	IDDAvailable:  {EN: "available offline amount", ZH: "可用脱机消费金额"},
}

var txnTypes = map[byte]lang.Text{
	TxnPurchase:    {EN: "purchase", ZH: "消费"},
	TxnCash:        {EN: "cash", ZH: "取现"},
	TxnRefund:      {EN: "refund", ZH: "退货"},
	TxnInquiry:     {EN: "balance inquiry", ZH: "余额查询"},
	TxnLoadAccount: {EN: "load from the card's own account", ZH: "指定账户圈存"},
	TxnLoadOther:   {EN: "load from another account", ZH: "非指定账户圈存"},
	TxnLoadCash:    {EN: "load against cash", ZH: "现金充值"},
	TxnClosure:     {EN: "closure refund", ZH: "销卡退余额"},
}

// EMV Book 4 Annex A1: who controls it, and where it decides.
var terminalTypes = map[byte]lang.Text{
	0x11: {EN: "financial institution, attended, online only", ZH: "金融机构控制，有人值守，仅联机"},
	0x12: {EN: "financial institution, attended, offline with online capability", ZH: "金融机构控制，有人值守，具有联机能力的脱机"},
	0x13: {EN: "financial institution, attended, offline only", ZH: "金融机构控制，有人值守，仅脱机"},
	0x14: {EN: "financial institution, unattended, online only", ZH: "金融机构控制，无人值守，仅联机"},
	0x15: {EN: "financial institution, unattended, offline with online capability", ZH: "金融机构控制，无人值守，具有联机能力的脱机"},
	0x16: {EN: "financial institution, unattended, offline only", ZH: "金融机构控制，无人值守，仅脱机"},
	0x21: {EN: "merchant, attended, online only", ZH: "商户控制，有人值守，仅联机"},
	0x22: {EN: "merchant, attended, offline with online capability", ZH: "商户控制，有人值守，具有联机能力的脱机"},
	0x23: {EN: "merchant, attended, offline only", ZH: "商户控制，有人值守，仅脱机"},
	0x24: {EN: "merchant, unattended, online only", ZH: "商户控制，无人值守，仅联机"},
	0x25: {EN: "merchant, unattended, offline with online capability", ZH: "商户控制，无人值守，具有联机能力的脱机"},
	0x26: {EN: "merchant, unattended, offline only", ZH: "商户控制，无人值守，仅脱机"},
	0x34: {EN: "cardholder, unattended, online only", ZH: "持卡人控制，无人值守，仅联机"},
	0x35: {EN: "cardholder, unattended, offline with online capability", ZH: "持卡人控制，无人值守，具有联机能力的脱机"},
	0x36: {EN: "cardholder, unattended, offline only", ZH: "持卡人控制，无人值守，仅脱机"},
}

var authResponses = map[string]lang.Text{
	"00": {EN: "approved online", ZH: "联机批准"},
	"Y1": {EN: "offline approved", ZH: "脱机批准"},
	"Z1": {EN: "offline declined", ZH: "脱机拒绝"},
	"Y3": {EN: "unable to go online, offline approved", ZH: "不能联机，脱机批准"},
	"Z3": {EN: "unable to go online, offline declined", ZH: "不能联机，脱机拒绝"},
}

var scriptOutcomes = map[byte]lang.Text{
	0: {EN: "script not performed", ZH: "脚本未执行"},
	1: {EN: "script processing failed", ZH: "脚本处理失败"},
	2: {EN: "script processing successful", ZH: "脚本处理成功"},
}

var ecSupport = map[byte]lang.Text{
	0: {EN: "electronic cash not supported or not wanted", ZH: "不支持电子现金"},
	1: {EN: "electronic cash supported", ZH: "支持电子现金"},
}

package emv

import "jiaozi/value/lang"

// EMV Book 4 Annex A2.
var terminalCapsField = bitField{3, []bitText{
	{0x0080, lang.Text{EN: "manual key entry", ZH: "手工键盘输入"}},
	{0x0040, lang.Text{EN: "magnetic stripe", ZH: "磁条"}},
	{0x0020, lang.Text{EN: "IC with contacts", ZH: "接触式 IC 卡"}},
	{0x0180, lang.Text{EN: "plaintext PIN for ICC verification", ZH: "IC 卡明文 PIN 验证"}},
	{0x0140, lang.Text{EN: "enciphered PIN for online verification", ZH: "加密 PIN 联机验证"}},
	{0x0120, lang.Text{EN: "signature (paper)", ZH: "签名（纸）"}},
	{0x0110, lang.Text{EN: "enciphered PIN for offline verification", ZH: "加密 PIN 脱机验证"}},
	{0x0108, lang.Text{EN: "no CVM required", ZH: "无需 CVM"}},
	{0x0101, lang.Text{EN: "cardholder ID document check (PBOC)", ZH: "持卡人证件验证（PBOC）"}},
	{0x0280, lang.Text{EN: "SDA", ZH: "静态数据认证（SDA）"}},
	{0x0240, lang.Text{EN: "DDA", ZH: "动态数据认证（DDA）"}},
	{0x0220, lang.Text{EN: "card capture", ZH: "吞卡"}},
	{0x0208, lang.Text{EN: "CDA", ZH: "复合动态数据认证（CDA）"}},
}}

// EMV Book 4 Annex A3.
var addlCapsField = bitField{5, []bitText{
	{0x0080, lang.Text{EN: "cash", ZH: "现金"}},
	{0x0040, lang.Text{EN: "goods", ZH: "商品"}},
	{0x0020, lang.Text{EN: "services", ZH: "服务"}},
	{0x0010, lang.Text{EN: "cashback", ZH: "返现"}},
	{0x0008, lang.Text{EN: "inquiry", ZH: "查询"}},
	{0x0004, lang.Text{EN: "transfer", ZH: "转账"}},
	{0x0002, lang.Text{EN: "payment", ZH: "付款"}},
	{0x0001, lang.Text{EN: "administrative", ZH: "管理"}},
	{0x0180, lang.Text{EN: "cash deposit", ZH: "存款"}},
	{0x0280, lang.Text{EN: "numeric keys", ZH: "数字键"}},
	{0x0240, lang.Text{EN: "alphabetic and special character keys", ZH: "字母和特殊字符键"}},
	{0x0220, lang.Text{EN: "command keys", ZH: "命令键"}},
	{0x0210, lang.Text{EN: "function keys", ZH: "功能键"}},
	{0x0380, lang.Text{EN: "print, attendant", ZH: "打印，服务员"}},
	{0x0340, lang.Text{EN: "print, cardholder", ZH: "打印，持卡人"}},
	{0x0320, lang.Text{EN: "display, attendant", ZH: "显示，服务员"}},
	{0x0310, lang.Text{EN: "display, cardholder", ZH: "显示，持卡人"}},
	{0x0302, lang.Text{EN: "code table 10", ZH: "代码表 10"}},
	{0x0301, lang.Text{EN: "code table 9", ZH: "代码表 9"}},
	{0x0480, lang.Text{EN: "code table 8", ZH: "代码表 8"}},
	{0x0440, lang.Text{EN: "code table 7", ZH: "代码表 7"}},
	{0x0420, lang.Text{EN: "code table 6", ZH: "代码表 6"}},
	{0x0410, lang.Text{EN: "code table 5", ZH: "代码表 5"}},
	{0x0408, lang.Text{EN: "code table 4", ZH: "代码表 4"}},
	{0x0404, lang.Text{EN: "code table 3", ZH: "代码表 3"}},
	{0x0402, lang.Text{EN: "code table 2", ZH: "代码表 2"}},
	{0x0401, lang.Text{EN: "code table 1", ZH: "代码表 1"}},
}}

// EMV Book 3 Annex C2.
var aucField = bitField{2, []bitText{
	{0x0080, lang.Text{EN: "valid for domestic cash", ZH: "国内现金交易有效"}},
	{0x0040, lang.Text{EN: "valid for international cash", ZH: "国际现金交易有效"}},
	{0x0020, lang.Text{EN: "valid for domestic goods", ZH: "国内商品有效"}},
	{0x0010, lang.Text{EN: "valid for international goods", ZH: "国际商品有效"}},
	{0x0008, lang.Text{EN: "valid for domestic services", ZH: "国内服务有效"}},
	{0x0004, lang.Text{EN: "valid for international services", ZH: "国际服务有效"}},
	{0x0002, lang.Text{EN: "valid at ATMs", ZH: "ATM 有效"}},
	{0x0001, lang.Text{EN: "valid at terminals other than ATMs", ZH: "除 ATM 外的终端有效"}},
	{0x0180, lang.Text{EN: "domestic cashback allowed", ZH: "允许国内返现"}},
	{0x0140, lang.Text{EN: "international cashback allowed", ZH: "允许国际返现"}},
}}

// JR/T 0025.12, as commonly described; its text is not public.
var processesField = bitField{4, []bitText{
	{0x0080, lang.Text{EN: "low value check supported", ZH: "支持小额检查"}},
	{0x0040, lang.Text{EN: "low value and CTTA check supported", ZH: "支持小额和 CTTA 检查"}},
	{0x0020, lang.Text{EN: "new card check supported", ZH: "支持新卡检查"}},
	{0x0010, lang.Text{EN: "PIN tries exceeded check supported", ZH: "支持 PIN 重试次数超过检查"}},
	{0x0008, lang.Text{EN: "offline transactions in other currencies allowed", ZH: "允许货币不匹配的脱机交易"}},
	{0x0004, lang.Text{EN: "card prefers contact for online", ZH: "卡优先选择接触式联机"}},
	{0x0002, lang.Text{EN: "returns the available offline amount", ZH: "返回脱机消费可用余额"}},
	{0x0001, lang.Text{EN: "prepaid supported", ZH: "支持预付"}},
	{0x0180, lang.Text{EN: "transactions in other currencies not allowed", ZH: "不允许不匹配货币的交易"}},
	{0x0140, lang.Text{EN: "new card at an offline-only reader: decline", ZH: "如果是新卡且读卡器仅支持脱机则拒绝交易"}},
	{0x0280, lang.Text{EN: "online PIN for transactions in the card's currency", ZH: "匹配货币的交易支持联机 PIN"}},
	{0x0240, lang.Text{EN: "online PIN for transactions in other currencies", ZH: "不匹配货币的交易支持联机 PIN"}},
	{0x0220, lang.Text{EN: "CVM required for transactions in other currencies", ZH: "对于不匹配货币交易，卡要求 CVM"}},
	{0x0210, lang.Text{EN: "signature supported", ZH: "支持签名"}},
}}

var extendedField = bitField{1, []bitText{
	{0x0080, lang.Text{EN: "segmented fare supported", ZH: "支持分段扣费"}},
	{0x0040, lang.Text{EN: "segmented fare with offline pre-authorisation supported", ZH: "支持分段扣费与脱机预授权"}},
	{0x0001, lang.Text{EN: "response MAC supported", ZH: "支持 R-MAC"}},
}}

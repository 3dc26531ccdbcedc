package emv

import "jiaozi/value/lang"

// PBOC debit/credit and contactless (kernel 7).
var pbocTags = []Info{
	{0x9F51, lang.Text{EN: "Application Currency Code (PBOC)", ZH: "应用货币代码（PBOC）"}, Num, 2, 2, srcPBOC},
	{0x9F52, lang.Text{EN: "Application Default Action (ADA)", ZH: "应用缺省行为（ADA）"}, Binary, 2, 4, srcPBOC},
	{0x9F53, lang.Text{EN: "Consecutive Transaction Limit (International)", ZH: "连续脱机交易限制数（国际—货币）"}, Binary, 1, 1, srcPBOC},
	{0x9F54, lang.Text{EN: "Cumulative Total Transaction Amount Limit (CTTAL)", ZH: "累计脱机交易金额限制数（CTTAL）"}, Money, 6, 6, srcPBOC},
	{0x9F55, lang.Text{EN: "Geographic Indicator", ZH: "地理指示器"}, Binary, 1, 1, srcPBOC},
	{0x9F56, lang.Text{EN: "Issuer Authentication Indicator", ZH: "发卡行认证指示器"}, Binary, 1, 1, srcPBOC},
	{0x9F57, lang.Text{EN: "Issuer Country Code (PBOC)", ZH: "发卡行国家代码（PBOC）"}, Num, 2, 2, srcPBOC},
	{0x9F58, lang.Text{EN: "Lower Consecutive Offline Limit (PBOC)", ZH: "连续脱机交易下限（PBOC）"}, Binary, 1, 1, srcPBOC},
	{0x9F59, lang.Text{EN: "Upper Consecutive Offline Limit (PBOC)", ZH: "连续脱机交易上限（PBOC）"}, Binary, 1, 1, srcPBOC},
	{0x9F5A, lang.Text{EN: "Application Program Identifier", ZH: "应用程序标识"}, Binary, 1, 16, srcTap},
	{0x9F5C, lang.Text{EN: "Cumulative Total Transaction Amount Upper Limit", ZH: "累计脱机交易金额上限"}, Money, 6, 6, srcPBOC},
	{0x9F61, lang.Text{EN: "Cardholder ID Number", ZH: "持卡人证件号"}, Secret, 1, 40, srcPBOC},
	{0x9F62, lang.Text{EN: "Cardholder ID Type", ZH: "持卡人证件类型"}, Num, 1, 1, srcPBOC},
	{0x9F63, lang.Text{EN: "Card Product Identification", ZH: "卡产品标识信息"}, Binary, 16, 16, srcPBOC},
	{0x9F67, lang.Text{EN: "MSD Offset", ZH: "MSD 偏移量"}, Binary, 1, 1, srcTap},
	{0x9F68, lang.Text{EN: "Card Additional Processes", ZH: "卡片附加处理"}, Binary, 4, 4, srcTap},
	{0x9F69, lang.Text{EN: "Card Authentication Related Data", ZH: "卡片认证相关数据"}, Binary, 5, 16, srcTap},
	{0x9F6B, lang.Text{EN: "Card CVM Limit", ZH: "卡片 CVM 限额"}, Money, 6, 6, srcTap},
	{0x9F6C, lang.Text{EN: "Card Transaction Qualifiers (CTQ)", ZH: "卡片交易属性（CTQ）"}, Binary, 2, 2, srcTap},
	{0x9F6E, lang.Text{EN: "Form Factor Indicator", ZH: "产品形态标识"}, Binary, 4, 32, srcTap},
	{0x9F72, lang.Text{EN: "Consecutive Transaction Limit (International - Country)", ZH: "连续脱机交易限制数（国际—国家）"}, Binary, 1, 1, srcPBOC},
	{0x9F73, lang.Text{EN: "Currency Conversion Factor", ZH: "货币转换因子"}, Binary, 4, 4, srcPBOC},
	{0x9F75, lang.Text{EN: "Cumulative Total Transaction Amount Limit (Dual Currency)", ZH: "累计脱机交易金额限制数（双货币）"}, Money, 6, 6, srcPBOC},
	{0x9F76, lang.Text{EN: "Secondary Application Currency Code", ZH: "第二应用货币代码"}, Num, 2, 2, srcPBOC},
}

// Electronic cash, its second currency and the extended (segmented) uses.
var cashTags = []Info{
	{0x9F5D, lang.Text{EN: "Available Offline Spending Amount", ZH: "可用脱机消费金额"}, Money, 6, 6, srcEC},
	{0x9F6D, lang.Text{EN: "EC Reset Threshold", ZH: "电子现金重置阈值"}, Money, 6, 6, srcEC},
	{0x9F74, lang.Text{EN: "EC Issuer Authorisation Code", ZH: "电子现金发卡行授权码"}, Alpha, 6, 6, srcEC},
	{0x9F77, lang.Text{EN: "EC Balance Limit", ZH: "电子现金余额上限"}, Money, 6, 6, srcEC},
	{0x9F78, lang.Text{EN: "EC Single Transaction Limit", ZH: "电子现金单笔交易限额"}, Money, 6, 6, srcEC},
	{0x9F79, lang.Text{EN: "EC Balance", ZH: "电子现金余额"}, Money, 6, 6, srcEC},
	{0x9F7A, lang.Text{EN: "EC Terminal Support Indicator", ZH: "电子现金终端支持指示器"}, Binary, 1, 1, srcEC},
	{0x9F7B, lang.Text{EN: "EC Terminal Transaction Limit", ZH: "电子现金终端交易限额"}, Money, 6, 6, srcEC},
	{0xDF4D, lang.Text{EN: "EC Load Log Entry", ZH: "圈存日志入口"}, Binary, 2, 2, srcEC},
	{0xDF4F, lang.Text{EN: "EC Load Log Format", ZH: "圈存日志格式"}, List, 0, 252, srcEC},
	{0xDF60, lang.Text{EN: "CAPP Transaction Indicator", ZH: "扩展应用（CAPP）交易指示位"}, Binary, 1, 1, srcEC},
	{0xDF61, lang.Text{EN: "Extended Application Support (segmented fare)", ZH: "扩展应用支持标识（分段扣费）"}, Binary, 1, 1, srcEC},
	{0xDF62, lang.Text{EN: "Segmented Deduction Limit", ZH: "分段扣费抵扣限额"}, Money, 6, 6, srcEC},
	{0xDF63, lang.Text{EN: "Segmented Amount Deducted So Far", ZH: "分段扣费已抵扣额"}, Money, 6, 6, srcEC},
	{0xDF69, lang.Text{EN: "SM Algorithm Support Indicator", ZH: "国密（SM）算法支持指示器"}, Binary, 1, 1, srcEC},
	{0xDF71, lang.Text{EN: "EC Second Currency Code", ZH: "电子现金第二币种代码"}, Num, 2, 2, srcEC},
	{0xDF76, lang.Text{EN: "EC Second Currency Reset Threshold", ZH: "电子现金第二币种重置阈值"}, Money, 6, 6, srcEC},
	{0xDF77, lang.Text{EN: "EC Second Currency Balance Limit", ZH: "电子现金第二币种余额上限"}, Money, 6, 6, srcEC},
	{0xDF78, lang.Text{EN: "EC Second Currency Single Transaction Limit", ZH: "电子现金第二币种单笔交易限额"}, Money, 6, 6, srcEC},
	{0xDF79, lang.Text{EN: "EC Second Currency Balance", ZH: "电子现金第二币种余额"}, Money, 6, 6, srcEC},
}

// Parameters that an acquirer sends to its terminals (AIDs and CA keys).
var posTags = []Info{
	{0xDF01, lang.Text{EN: "Application Selection Indicator", ZH: "应用选择指示符（ASI）"}, Binary, 1, 1, srcPOS},
	{0xDF02, lang.Text{EN: "CA Public Key Modulus", ZH: "认证中心公钥模"}, Binary, 1, 248, srcPOS},
	{0xDF03, lang.Text{EN: "CA Public Key Check Value", ZH: "认证中心公钥校验值"}, Binary, 20, 20, srcPOS},
	{0xDF04, lang.Text{EN: "CA Public Key Exponent", ZH: "认证中心公钥指数"}, Binary, 1, 3, srcPOS},
	{0xDF05, lang.Text{EN: "CA Public Key Expiry Date", ZH: "认证中心公钥有效期"}, Binary, 4, 8, srcPOS},
	{0xDF06, lang.Text{EN: "CA Public Key Hash Algorithm", ZH: "认证中心公钥哈希算法标识"}, Binary, 1, 1, srcPOS},
	{0xDF07, lang.Text{EN: "CA Public Key Algorithm", ZH: "认证中心公钥算法标识"}, Binary, 1, 1, srcPOS},
	{0xDF11, lang.Text{EN: "Terminal Action Code - Default", ZH: "终端行为代码（TAC）— 缺省"}, Binary, 5, 5, srcPOS},
	{0xDF12, lang.Text{EN: "Terminal Action Code - Online", ZH: "终端行为代码（TAC）— 联机"}, Binary, 5, 5, srcPOS},
	{0xDF13, lang.Text{EN: "Terminal Action Code - Denial", ZH: "终端行为代码（TAC）— 拒绝"}, Binary, 5, 5, srcPOS},
	{0xDF14, lang.Text{EN: "Default DDOL", ZH: "缺省动态数据认证数据对象列表（DDOL）"}, List, 0, 252, srcPOS},
	{0xDF15, lang.Text{EN: "Threshold for Biased Random Selection", ZH: "偏置随机选择阈值"}, Binary, 4, 4, srcPOS},
	{0xDF16, lang.Text{EN: "Maximum Target Percentage for Biased Random Selection", ZH: "偏置随机选择最大目标百分数"}, Num, 1, 1, srcPOS},
	{0xDF17, lang.Text{EN: "Target Percentage for Random Selection", ZH: "随机选择目标百分数"}, Num, 1, 1, srcPOS},
	{0xDF18, lang.Text{EN: "Terminal Online PIN Capability", ZH: "终端联机 PIN 支持能力"}, Binary, 1, 1, srcPOS},
	{0xDF19, lang.Text{EN: "Contactless Reader Offline Floor Limit", ZH: "非接触读写器脱机最低限额"}, Money, 6, 6, srcPOS},
	{0xDF20, lang.Text{EN: "Contactless Reader Transaction Limit", ZH: "非接触读写器交易限额"}, Money, 6, 6, srcPOS},
	{0xDF21, lang.Text{EN: "Contactless Reader CVM Limit", ZH: "非接触读写器 CVM 限额"}, Money, 6, 6, srcPOS},
	{0xFF56, lang.Text{EN: "Copy of the Chip Data (transit)", ZH: "IC 卡数据副本（公交）"}, Template, 0, 0, srcPOS},
}

// Our own payment record (package purse), in the private class.
var recordTags = []Info{
	{0xE1, lang.Text{EN: "Offline Payment Record", ZH: "脱机消费记录"}, Template, 0, 400, srcOwn},
	{0xC1, lang.Text{EN: "Terminal Batch Number", ZH: "终端批次号"}, Num, 3, 3, srcOwn},
	{0xC2, lang.Text{EN: "Record Flag", ZH: "记录标记"}, Binary, 1, 1, srcOwn},
	{0xC3, lang.Text{EN: "Blacklist Number", ZH: "黑名单编号"}, Binary, 4, 4, srcOwn},
}

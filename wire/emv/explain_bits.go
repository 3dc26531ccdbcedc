package emv

import "jiaozi/value/lang"

type bitText struct {
	bit  uint16
	text lang.Text
}

// bitField is a value of size bytes whose every bit has its own meaning; bits
// that its table does not list are reserved.
type bitField struct {
	size int
	bits []bitText
}

var tvrField = bitField{5, []bitText{
	{uint16(TVRODANotPerformed), lang.Text{EN: "offline data authentication was not performed", ZH: "未进行脱机数据认证"}},
	{uint16(TVRSDAFailed), lang.Text{EN: "SDA failed", ZH: "脱机静态数据认证（SDA）失败"}},
	{uint16(TVRDataMissing), lang.Text{EN: "ICC data missing", ZH: "IC 卡数据缺失"}},
	{uint16(TVROnExceptionFile), lang.Text{EN: "card appears on the terminal exception file (blacklist)", ZH: "卡片出现在终端异常文件（黑名单）中"}},
	{uint16(TVRDDAFailed), lang.Text{EN: "DDA failed", ZH: "脱机动态数据认证（DDA）失败"}},
	{uint16(TVRCDAFailed), lang.Text{EN: "CDA failed", ZH: "复合动态数据认证（CDA）失败"}},
	{uint16(TVRSDASelected), lang.Text{EN: "SDA selected", ZH: "选择了 SDA"}},
	{uint16(TVRVersionsDiffer), lang.Text{EN: "ICC and terminal have different application versions", ZH: "IC 卡和终端应用版本不一致"}},
	{uint16(TVRExpired), lang.Text{EN: "expired application", ZH: "应用已过期"}},
	{uint16(TVRNotYetEffective), lang.Text{EN: "application not yet effective", ZH: "应用尚未生效"}},
	{uint16(TVRServiceNotAllowed), lang.Text{EN: "requested service not allowed for the card product", ZH: "卡产品不允许所请求的服务"}},
	{uint16(TVRNewCard), lang.Text{EN: "new card", ZH: "新卡"}},
	{uint16(TVRCVMFailed), lang.Text{EN: "cardholder verification was not successful", ZH: "持卡人验证未成功"}},
	{uint16(TVRUnknownCVM), lang.Text{EN: "unrecognised CVM", ZH: "未知的 CVM"}},
	{uint16(TVRPINTriesExceeded), lang.Text{EN: "PIN try limit exceeded", ZH: "PIN 尝试次数超限"}},
	{uint16(TVRNoPINPad), lang.Text{EN: "PIN entry required, PIN pad absent or not working", ZH: "要求输入 PIN，但密码键盘不存在或工作不正常"}},
	{uint16(TVRPINNotEntered), lang.Text{EN: "PIN entry required, PIN pad present, PIN not entered", ZH: "要求输入 PIN，密码键盘存在，但未输入 PIN"}},
	{uint16(TVROnlinePIN), lang.Text{EN: "online PIN entered", ZH: "已输入联机 PIN"}},
	{uint16(TVROverFloorLimit), lang.Text{EN: "transaction exceeds the floor limit", ZH: "交易超过最低限额"}},
	{uint16(TVRLowerOfflineLimit), lang.Text{EN: "lower consecutive offline limit exceeded", ZH: "超过连续脱机交易下限"}},
	{uint16(TVRUpperOfflineLimit), lang.Text{EN: "upper consecutive offline limit exceeded", ZH: "超过连续脱机交易上限"}},
	{uint16(TVRRandomOnline), lang.Text{EN: "transaction selected randomly for online processing", ZH: "交易被随机选择联机处理"}},
	{uint16(TVRForcedOnline), lang.Text{EN: "merchant forced the transaction online", ZH: "商户要求联机交易"}},
	{uint16(TVRDefaultTDOL), lang.Text{EN: "default TDOL used", ZH: "使用缺省 TDOL"}},
	{uint16(TVRIssuerAuthFailed), lang.Text{EN: "issuer authentication failed", ZH: "发卡行认证失败"}},
	{uint16(TVRScriptFailedBefore), lang.Text{EN: "script processing failed before the final GENERATE AC", ZH: "最后一次 GENERATE AC 之前脚本处理失败"}},
	{uint16(TVRScriptFailedAfter), lang.Text{EN: "script processing failed after the final GENERATE AC", ZH: "最后一次 GENERATE AC 之后脚本处理失败"}},
	{uint16(TVRRelayOverThreshold), lang.Text{EN: "relay resistance threshold exceeded", ZH: "中继攻击检测超过阈值"}},
	{uint16(TVRRelayTimeExceeded), lang.Text{EN: "relay resistance time limits exceeded", ZH: "中继攻击检测超过时限"}},
}}

var tsiField = bitField{2, []bitText{
	{uint16(TSIODADone), lang.Text{EN: "offline data authentication was performed", ZH: "脱机数据认证已进行"}},
	{uint16(TSICVMDone), lang.Text{EN: "cardholder verification was performed", ZH: "持卡人验证已进行"}},
	{uint16(TSICardRiskDone), lang.Text{EN: "card risk management was performed", ZH: "卡片风险管理已进行"}},
	{uint16(TSIIssuerAuthDone), lang.Text{EN: "issuer authentication was performed", ZH: "发卡行认证已进行"}},
	{uint16(TSITerminalRiskDone), lang.Text{EN: "terminal risk management was performed", ZH: "终端风险管理已进行"}},
	{uint16(TSIScriptDone), lang.Text{EN: "script processing was performed", ZH: "脚本处理已进行"}},
}}

var aipField = bitField{2, []bitText{
	{uint16(AIPSDA), lang.Text{EN: "SDA supported", ZH: "支持 SDA"}},
	{uint16(AIPDDA), lang.Text{EN: "DDA supported", ZH: "支持 DDA"}},
	{uint16(AIPCVM), lang.Text{EN: "cardholder verification is supported", ZH: "支持持卡人验证"}},
	{uint16(AIPTerminalRisk), lang.Text{EN: "terminal risk management is to be performed", ZH: "要执行终端风险管理"}},
	{uint16(AIPIssuerAuth), lang.Text{EN: "issuer authentication is supported (EXTERNAL AUTHENTICATE)", ZH: "支持发卡行认证（外部认证命令）"}},
	{uint16(AIPOnDeviceCVM), lang.Text{EN: "on-device cardholder verification is supported", ZH: "支持设备端持卡人验证"}},
	{uint16(AIPCDA), lang.Text{EN: "CDA supported", ZH: "支持 CDA"}},
	{uint16(AIPEMVMode), lang.Text{EN: "contactless EMV mode is supported", ZH: "支持非接触 EMV 模式"}},
	{uint16(AIPRelay), lang.Text{EN: "relay resistance protocol is supported", ZH: "支持中继攻击检测协议"}},
}}

var ttqField = bitField{4, []bitText{
	{uint16(TTQMSD), lang.Text{EN: "magnetic stripe mode supported", ZH: "支持非接触磁条模式（MSD）"}},
	{uint16(TTQFullContactless), lang.Text{EN: "full contactless PBOC supported", ZH: "支持非接触 PBOC 借贷记"}},
	{uint16(TTQqPBOC), lang.Text{EN: "qPBOC (quick contactless) supported", ZH: "支持 qPBOC"}},
	{uint16(TTQContact), lang.Text{EN: "contact PBOC supported", ZH: "支持接触式 PBOC 借贷记"}},
	{uint16(TTQOfflineOnly), lang.Text{EN: "offline-only terminal", ZH: "终端仅支持脱机"}},
	{uint16(TTQOnlinePIN), lang.Text{EN: "online PIN supported", ZH: "支持联机 PIN"}},
	{uint16(TTQSignature), lang.Text{EN: "signature supported", ZH: "支持签名"}},
	{uint16(TTQODAForOnline), lang.Text{EN: "offline data authentication for online transactions supported", ZH: "支持联机交易的脱机数据认证"}},
	{uint16(TTQOnlineRequired), lang.Text{EN: "online cryptogram required", ZH: "要求联机密文"}},
	{uint16(TTQCVMRequired), lang.Text{EN: "cardholder verification required", ZH: "要求 CVM"}},
	{uint16(TTQContactPIN), lang.Text{EN: "contact offline PIN supported", ZH: "支持接触式脱机 PIN"}},
	{uint16(TTQIssuerUpdate), lang.Text{EN: "issuer update processing supported", ZH: "支持发卡行更新处理"}},
	{uint16(TTQCDCVM), lang.Text{EN: "consumer device CVM supported", ZH: "支持消费者设备 CVM（CDCVM）"}},
	{uint16(TTQfDDAVersion01), lang.Text{EN: "fDDA version 01 supported", ZH: "支持 fDDA 01 版"}},
}}

var ctqField = bitField{2, []bitText{
	{uint16(CTQOnlinePIN), lang.Text{EN: "online PIN required", ZH: "需要联机 PIN"}},
	{uint16(CTQSignature), lang.Text{EN: "signature required", ZH: "需要签名"}},
	{uint16(CTQOnlineIfODAFails), lang.Text{EN: "go online if offline data authentication fails and the reader can", ZH: "脱机数据认证失败且读写器支持联机时转联机"}},
	{uint16(CTQSwitchIfODAFails), lang.Text{EN: "switch to contact if offline data authentication fails and the reader can", ZH: "脱机数据认证失败且读写器支持接触时终止并转接触"}},
	{uint16(CTQOnlineIfExpired), lang.Text{EN: "go online if the application has expired", ZH: "应用过期时转联机"}},
	{uint16(CTQSwitchForCash), lang.Text{EN: "switch to contact for cash", ZH: "取现交易转接触"}},
	{uint16(CTQSwitchForCashback), lang.Text{EN: "switch to contact for cashback", ZH: "返现交易转接触"}},
	{uint16(CTQCDCVMDone), lang.Text{EN: "consumer device CVM performed", ZH: "消费者设备 CVM（CDCVM）已执行"}},
	{uint16(CTQIssuerUpdate), lang.Text{EN: "card supports issuer update processing", ZH: "卡片支持发卡行更新处理"}},
}}

var cvrField = bitField{3, []bitText{
	{uint16(CVRIssuerAuthFailed), lang.Text{EN: "issuer authentication performed and failed", ZH: "发卡行认证执行但失败"}},
	{uint16(CVRPINVerified), lang.Text{EN: "offline PIN verification was performed", ZH: "脱机 PIN 验证已执行"}},
	{uint16(CVRPINFailed), lang.Text{EN: "offline PIN verification failed", ZH: "脱机 PIN 验证失败"}},
	{uint16(CVRUnableOnline), lang.Text{EN: "unable to go online", ZH: "不能联机"}},
	{uint16(CVRLastOnlineIncomplete), lang.Text{EN: "last online transaction was not completed", ZH: "上次联机交易未完成"}},
	{uint16(CVRPINTriesExceeded), lang.Text{EN: "PIN try limit exceeded", ZH: "PIN 尝试次数超限"}},
	{uint16(CVRVelocityExceeded), lang.Text{EN: "velocity checking counters exceeded (also: balance short, over the single limit, below the reset threshold)", ZH: "频度检查计数器超限（含余额不足、超单笔限额、低于重置阈值）"}},
	{uint16(CVRNewCard), lang.Text{EN: "new card", ZH: "新卡"}},
	{uint16(CVRLastIssuerAuthFailed), lang.Text{EN: "issuer authentication failed on the last online transaction", ZH: "上次联机交易发卡行认证失败"}},
	{uint16(CVRIssuerAuthNotPerformed), lang.Text{EN: "issuer authentication was not performed after online authorisation", ZH: "联机授权后发卡行认证未执行"}},
	{uint16(CVRBlockedByPINTries), lang.Text{EN: "application blocked by the card because PIN tries were exceeded", ZH: "因 PIN 尝试次数超限应用被卡片锁定"}},
	{uint16(CVRLastSDAFailed), lang.Text{EN: "SDA failed on the last transaction, which was declined offline", ZH: "上次交易 SDA 失败且脱机拒绝"}},
	{uint16(CVRScriptFailed), lang.Text{EN: "issuer script processing failed on the last transaction", ZH: "上次交易发卡行脚本处理失败"}},
	{uint16(CVRLastDDAFailed), lang.Text{EN: "DDA failed on the last transaction, which was declined offline", ZH: "上次交易 DDA 失败且脱机拒绝"}},
	{uint16(CVRDDAPerformed), lang.Text{EN: "DDA performed", ZH: "DDA 已执行"}},
	{uint16(CVRPINNotReceived), lang.Text{EN: "PIN verification command not received from a card that expects a PIN", ZH: "期待 PIN 的卡片未收到 PIN 验证命令"}},
}}

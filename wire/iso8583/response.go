package iso8583

import "jiaozi/value/lang"

// Class says what a response code means for the sale.
type Class uint8

// The classes of response codes.
const (
	Decline Class = iota
	Approve
	ApproveNote // approved, with a remark for the operator
	Capture     // declined, keep the card
	Retry       // not decided: the same message may be sent again
	SignOn      // working keys are out of step: sign on, then repeat
)

// Response codes that the roles answer with.
const (
	CodeApproved          = "00"
	CodeUnknownMerchant   = "03"
	CodeDoNotHonour       = "05"
	CodeError             = "06"
	CodeInvalid           = "12"
	CodeBadAmount         = "13"
	CodeUnknownCard       = "14"
	CodeNoIssuer          = "15"
	CodeRepeat            = "22"
	CodeNoRecord          = "25"
	CodeFormat            = "30"
	CodeFunction          = "40"
	CodeInsufficient      = "51"
	CodeExpired           = "54"
	CodeWrongPIN          = "55"
	CodeNotPermitted      = "57"
	CodeTerminalForbidden = "58"
	CodeOverLimit         = "61"
	CodeRestricted        = "62"
	CodePINTries          = "75"
	CodeCutOff            = "90"
	CodeIssuerDown        = "91"
	CodeUnreachable       = "92"
	CodeDuplicate         = "94"
	CodeTotals            = "95"
	CodeSystem            = "96"
	CodeUnknownTerminal   = "97"
	CodeTimeout           = "98"
	CodePINFormat         = "99"
	CodeMAC               = "A0"
)

// ResponseCode is one row of the table of field 39.
type ResponseCode struct {
	Code    string
	Class   Class
	Reverse bool // the terminal must reverse: the outcome upstream is not known
	Text    lang.Text
}

// Approved tells whether the code lets goods be handed over.
func (r ResponseCode) Approved() bool { return r.Class == Approve || r.Class == ApproveNote }

// Retriable tells whether the same message may be sent again.
func (r ResponseCode) Retriable() bool { return r.Class == Retry || r.Class == SignOn }

// Lookup gives the row of a code. A code that the table lacks is a decline: a
// terminal must not approve what it does not understand.
func Lookup(code string) (ResponseCode, bool) {
	for _, r := range responses {
		if r.Code == code {
			return r, true
		}
	}
	return ResponseCode{Code: code, Class: Decline, Text: lang.Text{
		EN: "Declined for a reason that is not in the table: ask the acquirer.", ZH: "交易失败：未知应答码，请联系收单机构。"}}, false
}

// responses follows the order of the codes. The texts are for the person at the
// till: what happened, and what to do.
var responses = []ResponseCode{
	{Code: "00", Class: Approve, Text: lang.Text{EN: "Approved.", ZH: "交易成功"}},
	{Code: "01", Text: lang.Text{EN: "Declined: the cardholder must contact the issuer.", ZH: "交易失败，请持卡人联系发卡行"}},
	{Code: "03", Text: lang.Text{EN: "The merchant is not registered: check the merchant number.", ZH: "商户未登记，请核对商户号"}},
	{Code: "04", Class: Capture, Text: lang.Text{EN: "Keep the card and call the acquirer.", ZH: "没收卡，请联系收单机构"}},
	{Code: "05", Text: lang.Text{EN: "Declined by the issuer: the cardholder must contact it.", ZH: "发卡行拒绝，请持卡人联系发卡行"}},
	{Code: "06", Text: lang.Text{EN: "The issuer reported an error: try later.", ZH: "发卡行处理出错，请稍后重试"}},
	{Code: "07", Class: Capture, Text: lang.Text{EN: "Keep the card, special condition: call the acquirer.", ZH: "特殊条件下没收卡，请联系收单机构"}},
	{Code: "10", Class: ApproveNote, Text: lang.Text{EN: "Approved for a part of the amount: collect the rest otherwise.", ZH: "部分金额批准，余额请另行收取"}},
	{Code: "11", Class: Approve, Text: lang.Text{EN: "Approved (VIP).", ZH: "重要人物批准"}},
	{Code: "12", Text: lang.Text{EN: "This transaction is not valid here: choose another.", ZH: "无效交易，请选择其他交易"}},
	{Code: "13", Text: lang.Text{EN: "The amount is not valid: enter it again.", ZH: "无效金额，请重新输入"}},
	{Code: "14", Text: lang.Text{EN: "The card number is not known: use another card.", ZH: "无效卡号，请换卡"}},
	{Code: "15", Text: lang.Text{EN: "No issuer for this card: use another card.", ZH: "此卡无对应发卡行，请换卡"}},
	{Code: "16", Class: Approve, Text: lang.Text{EN: "Approved: update track 3.", ZH: "批准更新第三磁道"}},
	{Code: "21", Text: lang.Text{EN: "The card is not initialised: the cardholder must contact the issuer.", ZH: "卡未初始化，请持卡人联系发卡行"}},
	{Code: "22", Class: Retry, Text: lang.Text{EN: "Something went wrong on the way: send it again.", ZH: "操作有误，请重试"}},
	{Code: "25", Text: lang.Text{EN: "The original transaction was not found: check its number.", ZH: "没有原始交易，请核对凭证号"}},
	{Code: "30", Text: lang.Text{EN: "The message is malformed: check the terminal's software.", ZH: "报文格式错误，请检查终端程序"}},
	{Code: "33", Class: Capture, Text: lang.Text{EN: "The card has expired: keep it.", ZH: "过期卡，请没收"}},
	{Code: "34", Text: lang.Text{EN: "Suspected fraud: call the acquirer.", ZH: "有作弊嫌疑，请联系收单机构"}},
	{Code: "35", Class: Capture, Text: lang.Text{EN: "Keep the card and call the acquirer.", ZH: "没收卡，请与收单机构联系"}},
	{Code: "36", Class: Capture, Text: lang.Text{EN: "The card is restricted: keep it.", ZH: "受限制的卡，请没收"}},
	{Code: "37", Class: Capture, Text: lang.Text{EN: "Keep the card and call the acquirer's security desk.", ZH: "没收卡，请联系收单机构安全部门"}},
	{Code: "38", Text: lang.Text{EN: "Too many wrong PINs: the cardholder must contact the issuer.", ZH: "密码错误次数超限，请持卡人联系发卡行"}},
	{Code: "40", Text: lang.Text{EN: "The host does not offer this function.", ZH: "请求的功能尚不支持"}},
	{Code: "41", Class: Capture, Text: lang.Text{EN: "The card was reported lost: keep it.", ZH: "挂失卡，请没收"}},
	{Code: "43", Class: Capture, Text: lang.Text{EN: "The card was stolen: keep it and call the acquirer.", ZH: "被窃卡，请没收并联系收单机构"}},
	{Code: "51", Text: lang.Text{EN: "The account does not hold enough.", ZH: "余额不足"}},
	{Code: "54", Text: lang.Text{EN: "The card has expired.", ZH: "卡已过期"}},
	{Code: "55", Text: lang.Text{EN: "Wrong PIN: enter it again.", ZH: "密码错误，请重新输入"}},
	{Code: "57", Text: lang.Text{EN: "This card may not do that.", ZH: "此卡不允许此交易"}},
	{Code: "58", Text: lang.Text{EN: "This terminal may not do that: call the acquirer.", ZH: "终端不允许此交易，请联系收单机构"}},
	{Code: "59", Text: lang.Text{EN: "The card failed a check: use another card.", ZH: "卡片校验错误，请换卡"}},
	{Code: "61", Text: lang.Text{EN: "Over the limit: choose a smaller amount.", ZH: "金额超限，请减少金额"}},
	{Code: "62", Text: lang.Text{EN: "The card is restricted: the cardholder must contact the issuer.", ZH: "受限制的卡，请持卡人联系发卡行"}},
	{Code: "64", Text: lang.Text{EN: "The amount differs from the original: check it.", ZH: "原始金额不符，请核对"}},
	{Code: "65", Text: lang.Text{EN: "Too many transactions: try tomorrow.", ZH: "交易次数超限，请明日再试"}},
	{Code: "68", Class: Retry, Reverse: true, Text: lang.Text{EN: "The issuer answered too late: nothing is known; it is being reversed.", ZH: "发卡行应答超时，结果未知，正在冲正"}},
	{Code: "75", Text: lang.Text{EN: "Too many wrong PINs: the cardholder must contact the issuer.", ZH: "密码错误次数超限"}},
	{Code: "90", Class: Retry, Text: lang.Text{EN: "The system is closing its day: try again in a few minutes.", ZH: "系统日切，请稍后重试"}},
	{Code: "91", Class: Retry, Text: lang.Text{EN: "The issuer cannot be reached: try later.", ZH: "发卡行状态不正常，请稍后重试"}},
	{Code: "92", Class: Retry, Text: lang.Text{EN: "The line to the issuer is down: try later.", ZH: "发卡行线路异常，请稍后重试"}},
	{Code: "94", Text: lang.Text{EN: "Trace number used before: sign on again.", ZH: "流水号重复，请重新签到"}},
	{Code: "95", Text: lang.Text{EN: "The totals differ: upload the batch.", ZH: "对账不平，请上送批明细"}},
	{Code: "96", Class: Retry, Text: lang.Text{EN: "The host has a fault: try later.", ZH: "系统异常，请稍后重试"}},
	{Code: "97", Class: SignOn, Text: lang.Text{EN: "The terminal is not known: check its number and sign on again.", ZH: "终端未登记，请核对终端号并重新签到"}},
	{Code: "98", Class: Retry, Reverse: true, Text: lang.Text{EN: "No answer from the issuer: nothing is known; it is being reversed.", ZH: "收不到发卡行应答，结果未知，正在冲正"}},
	{Code: "99", Class: SignOn, Text: lang.Text{EN: "The PIN block is malformed: sign on again.", ZH: "PIN格式错，请重新签到"}},
	{Code: "A0", Class: SignOn, Text: lang.Text{EN: "The message authentication failed: sign on again.", ZH: "MAC校验错，请重新签到"}},
	{Code: "A1", Text: lang.Text{EN: "Transfer currencies differ.", ZH: "转账货币不一致"}},
	{Code: "A2", Class: ApproveNote, Text: lang.Text{EN: "Approved: confirm with the issuer.", ZH: "交易成功，请向发卡行确认"}},
	{Code: "A3", Text: lang.Text{EN: "The receiving account is wrong.", ZH: "资金到账行账号错误"}},
	{Code: "A4", Class: ApproveNote, Text: lang.Text{EN: "Approved: confirm with the receiving bank.", ZH: "交易成功，请向资金到账行确认"}},
	{Code: "A5", Class: ApproveNote, Text: lang.Text{EN: "Approved: confirm with the receiving bank.", ZH: "交易成功，请向资金到账行确认到账"}},
	{Code: "A6", Class: ApproveNote, Text: lang.Text{EN: "Approved: confirm with the receiving bank.", ZH: "交易成功，请向资金到账行核实"}},
	{Code: "A7", Text: lang.Text{EN: "The security processing failed: sign on again.", ZH: "安全处理失败，请重新签到"}},
}

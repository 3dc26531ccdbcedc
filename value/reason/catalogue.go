package reason

import "jiaozi/value/lang"

// The reasons, in alphabetical order.
const (
	AccountInsufficient Code = "account_insufficient"
	AlreadyDone         Code = "already_done"
	AppBlocked          Code = "app_blocked"
	Approved            Code = "approved"
	AskMintFirst        Code = "ask_mint_first"
	BadCryptogram       Code = "bad_cryptogram"
	Blacklisted         Code = "blacklisted"
	Busy                Code = "busy"
	CardBlocked         Code = "card_blocked"
	CardClosed          Code = "card_closed"
	CardNeeded          Code = "card_needed"
	CardRemoved         Code = "card_removed"
	Clone               Code = "clone"
	CoinExpired         Code = "coin_expired"
	CoinsClaimed        Code = "coins_claimed"
	DeclinedByCard      Code = "declined_by_card"
	DoubleSpent         Code = "double_spent"
	Duplicate           Code = "duplicate"
	Expired             Code = "expired"
	Flagged             Code = "flagged"
	ForeignCurrency     Code = "foreign_currency"
	FormatError         Code = "format_error"
	HostDeclined        Code = "host_declined"
	HostUnreachable     Code = "host_unreachable"
	InsufficientFunds   Code = "insufficient_funds"
	ListExpired         Code = "list_expired"
	LoadInFlight        Code = "load_in_flight"
	LoadLost            Code = "load_lost"
	MACError            Code = "mac_error"
	MintUnreachable     Code = "mint_unreachable"
	NotYetEffective     Code = "not_yet_effective"
	ODAFailed           Code = "oda_failed"
	OnlineRequired      Code = "online_required"
	OverBalanceLimit    Code = "over_balance_limit"
	OverSingleLimit     Code = "over_single_limit"
	OverTerminalLimit   Code = "over_terminal_limit"
	PINBlocked          Code = "pin_blocked"
	PINRequired         Code = "pin_required"
	PINWrong            Code = "pin_wrong"
	ProtocolError       Code = "protocol_error"
	Recovered           Code = "recovered"
	Refunded            Code = "refunded"
	Repeated            Code = "repeated"
	Reversed            Code = "reversed"
	StorageFull         Code = "storage_full"
	Suspense            Code = "suspense"
	SystemError         Code = "system_error"
	Torn                Code = "torn"
	UnknownCard         Code = "unknown_card"
	UnknownTerminal     Code = "unknown_terminal"
	WrongCard           Code = "wrong_card"
)

var catalogue = map[Code]lang.Text{
	AccountInsufficient: {EN: "The account does not hold enough for this: choose a smaller amount or pay into the account.", ZH: "账户余额不足：请减少金额或先存款。"},
	AlreadyDone:         {EN: "This was done before; the first result stands.", ZH: "此操作此前已完成，以首次结果为准。"},
	AppBlocked:          {EN: "The application on the card is blocked: the cardholder must see the issuer.", ZH: "卡上应用已锁定：请持卡人联系发卡行。"},
	Approved:            {EN: "Approved.", ZH: "交易成功。"},
	AskMintFirst:        {EN: "The wallet is a restored one and may not know what it paid: it must ask the mint first.", ZH: "钱包系恢复所得，可能不知已付款项：须先联机询问铸币方。"},
	BadCryptogram:       {EN: "The card's cryptogram does not verify: the record was not made by this card; nothing was paid.", ZH: "卡片密文校验失败：该记录并非此卡产生，未付款。"},
	Blacklisted:         {EN: "The card is on the blacklist: hand over no goods and send the cardholder to the issuer.", ZH: "卡片在黑名单中：请勿交付商品，请持卡人联系发卡行。"},
	Busy:                {EN: "The system is busy: try again in a moment.", ZH: "系统繁忙：请稍后重试。"},
	CardBlocked:         {EN: "The card is blocked: the cardholder must see the issuer.", ZH: "卡片已锁定：请持卡人联系发卡行。"},
	CardClosed:          {EN: "The card is closed; its balance was refunded.", ZH: "卡片已销户，余额已退回。"},
	CardNeeded:          {EN: "These coins are paid with their card only: bring the card.", ZH: "这些电子币须凭卡支付：请出示卡片。"},
	CardRemoved:         {EN: "The card left the reader too early; nothing was debited. Present it again.", ZH: "卡片过早离开读卡器，未扣款：请重新挥卡或插卡。"},
	Clone:               {EN: "Two different payments claim the same counter of one card: a copy exists. The card is blocked and the second payment is in suspense.", ZH: "同一卡片计数器出现两笔不同交易：存在克隆卡。卡片已停用，第二笔交易挂账。"},
	CoinExpired:         {EN: "The coins were not brought back in time and are worth nothing now: exchange coins before they end.", ZH: "电子币逾期未兑回，已失效：请在到期前兑换。"},
	CoinsClaimed:        {EN: "The coins of the lost wallet were claimed from the mint and withdrawn anew.", ZH: "遗失钱包的电子币已向铸币方认领并重新提取。"},
	DeclinedByCard:      {EN: "The card declined the payment.", ZH: "卡片拒绝交易。"},
	DoubleSpent:         {EN: "The coins had been paid before: nothing is paid for them, and the two payments together name who did it.", ZH: "电子币此前已被花费：不再付款，两笔付款合在一起即查明付款人。"},
	Duplicate:           {EN: "This record was received before; it counts once.", ZH: "该记录此前已收到，只计一次。"},
	Expired:             {EN: "The card has expired: use another card.", ZH: "卡片已过有效期：请换卡。"},
	Flagged:             {EN: "The payment was not completed at the till. The record goes to the issuer, who decides by the next balance that the card proves.", ZH: "交易未在收银台完成：记录将上送发卡行，按卡片下次证明的余额判定。"},
	ForeignCurrency:     {EN: "The card's purse does not hold this currency: pay in the card's currency.", ZH: "卡内电子现金不支持该币种：请使用卡片币种。"},
	FormatError:         {EN: "The message or the card's answer has a wrong form and was refused.", ZH: "报文或卡片应答格式错误，已拒绝。"},
	HostDeclined:        {EN: "The host declined.", ZH: "主机拒绝。"},
	HostUnreachable:     {EN: "The host cannot be reached: check the line and try again; nothing was taken.", ZH: "无法连接主机：请检查线路后重试，未扣款。"},
	InsufficientFunds:   {EN: "The balance on the card is too small: load the card or pay a smaller amount.", ZH: "卡内余额不足：请先圈存或减少金额。"},
	ListExpired:         {EN: "The terminal's blacklist is too old to trust: connect the terminal and refresh the list.", ZH: "终端黑名单已过期：请联机更新黑名单。"},
	LoadInFlight:        {EN: "An earlier load of this card is not settled yet: present the card again after it is.", ZH: "该卡上一笔圈存尚未确认：确认后请再次操作。"},
	LoadLost:            {EN: "The answer to the load was lost: it is reversed, or settled when the card next proves its balance.", ZH: "圈存应答丢失：已冲正，或待卡片下次证明余额后确认。"},
	MACError:            {EN: "The message's authentication code is wrong: nothing was done. Sign on again.", ZH: "报文 MAC 错误：未做任何处理，请重新签到。"},
	MintUnreachable:     {EN: "The mint's answer did not arrive: what was begun is kept and ends at the next connection; nothing is lost.", ZH: "未收到铸币方应答：已开始的操作保留待续，下次联机即可完成，资金无损。"},
	NotYetEffective:     {EN: "The card is not valid yet.", ZH: "卡片尚未生效。"},
	ODAFailed:           {EN: "The card could not prove that it is genuine: its certificate or signature is false. Do not accept it.", ZH: "卡片未能证明真伪：证书或签名无效，请勿受理。"},
	OnlineRequired:      {EN: "The card asks for an online decision that this terminal cannot get: declined.", ZH: "卡片要求联机，而本终端仅脱机：拒绝。"},
	OverBalanceLimit:    {EN: "The load would lift the card above its balance limit: load less.", ZH: "圈存后将超过卡片余额上限：请减少金额。"},
	OverSingleLimit:     {EN: "The amount is above the card's limit for one payment.", ZH: "金额超过卡片单笔限额。"},
	OverTerminalLimit:   {EN: "The amount is above this terminal's limit for offline payments.", ZH: "金额超过终端脱机交易限额。"},
	PINBlocked:          {EN: "The PIN is blocked after too many wrong tries: the cardholder must see the issuer.", ZH: "密码输错次数过多已锁定：请持卡人联系发卡行。"},
	PINRequired:         {EN: "This payment needs the PIN: insert the card and type it.", ZH: "此交易需要密码：请插卡并输入密码。"},
	PINWrong:            {EN: "The PIN is wrong: try again.", ZH: "密码错误：请重试。"},
	ProtocolError:       {EN: "The card answered against the rules: the transaction was ended and nothing was taken.", ZH: "卡片应答不符合规范：交易已终止，未扣款。"},
	Recovered:           {EN: "The card had paid at the earlier, interrupted tap: that payment is completed, nothing is taken again.", ZH: "上次中断的挥卡已扣款：现已补登完成，未重复扣款。"},
	Refunded:            {EN: "The balance of the closed card was refunded to the account.", ZH: "已销卡余额已退回账户。"},
	Repeated:            {EN: "The earlier, interrupted tap had taken nothing; the payment is made now, once.", ZH: "上次中断的挥卡并未扣款；本次付款成功，仅扣一次。"},
	Reversed:            {EN: "The transaction was reversed; the money is back.", ZH: "交易已冲正，资金已退回。"},
	StorageFull:         {EN: "The terminal cannot store another payment: settle the batch or free space. Nothing was taken.", ZH: "终端存储已满：请结算批次或清理空间，未扣款。"},
	Suspense:            {EN: "The payment is held in suspense until it is decided who bears it.", ZH: "交易已挂账，待判定责任方。"},
	SystemError:         {EN: "The system met an internal error; nothing was done. See the log and try again.", ZH: "系统内部错误：未做任何处理，请查看日志后重试。"},
	Torn:                {EN: "The card left the field before the payment was complete: present the same card again.", ZH: "卡片在交易完成前离开感应区：请重新挥同一张卡。"},
	UnknownCard:         {EN: "The issuer does not know this card.", ZH: "发卡行无此卡。"},
	UnknownTerminal:     {EN: "This terminal is not registered: add it first.", ZH: "终端未登记：请先添加终端。"},
	WrongCard:           {EN: "This is not the card that is expected here.", ZH: "不是此处应出示的卡片。"},
}

package coin

import (
	"fmt"

	"jiaozi/value/lang"
)

// Code says what became of a request or of one of its items. Its number goes over
// the wire, its String into JSON and scripts, its Text to people. None of the
// three changes meaning once released. The zero Code is none: it is not written.
type Code uint8

// What was done.
const (
	Accepted   Code = 1 // done now
	Replayed   Code = 2 // the same was done before; the first answer is given again
	AfterClaim Code = 3 // the owner had claimed the coin as lost; the payee is paid all the same
)

// What is wrong with a coin.
const (
	Invalid       Code = 16 // a signature, proof or encoding does not verify
	DoubleSpent   Code = 17 // it was spent before on other terms: see the guilt
	Expired       Code = 18 // the key's time, or the request's, is over
	NotYet        Code = 19 // the key's time has not begun
	UnknownKey    Code = 20 // the mint has no such key
	GroupMismatch Code = 21 // good at another group of merchants only
	Spent         Code = 22 // claimed as lost, but it had been deposited
	NotYours      Code = 23 // claimed as lost, but the proof names another owner
	TooManyHops   Code = 24 // it went through more hands than a coin may: exchange it at the mint
	BlankUsed     Code = 25 // its last blank had received before
)

// What is wrong with a payment or a deposit.
const (
	WrongNetwork   Code = 32
	WrongPayee     Code = 33
	WrongAmount    Code = 34
	WrongCurrency  Code = 35
	UnknownRequest Code = 36 // the payee asked for no such payment
	NoChange       Code = 37 // the payee cannot give the change: pay exactly
)

// What is wrong with a withdrawal.
const (
	SessionOpen    Code = 48 // one withdrawal of this account and key is open: finish it, or wait for its deadline
	SessionDead    Code = 49 // its deadline passed: commit again
	UnknownSession Code = 50
	OtherChallenge Code = 51 // another challenge was answered: this one is refused for ever
	IssueClosed    Code = 52 // the key makes no coins any more, or not yet
	Insufficient   Code = 53 // the account does not hold enough
)

// What is wrong with an account or with a request as such.
const (
	UnknownAccount  Code = 64
	AccountClosed   Code = 65
	BadEnrolCode    Code = 66
	AlreadyEnrolled Code = 67
	BadSignature    Code = 68
	ClockOff        Code = 69 // the request's time is too far from the mint's
	StaleSerial     Code = 70 // a request with this serial or a later one came before
	Malformed       Code = 71
	TooLarge        Code = 72
	Busy            Code = 73 // ask again in a moment
	Unavailable     Code = 74 // a part of the mint cannot be reached: ask again later
	Internal        Code = 75
)

// Paid reports whether the code says that it was done, now or before.
func (c Code) Paid() bool { return c == Accepted || c == Replayed || c == AfterClaim }

// Known reports whether the code is one of the above.
func (c Code) Known() bool { _, ok := codes[c]; return ok }

// String is the stable name.
func (c Code) String() string {
	if row, ok := codes[c]; ok {
		return row.name
	}
	return fmt.Sprintf("code %d", uint8(c))
}

// Text gives the words for a person: what happened, and what to do.
func (c Code) Text(l lang.Lang) string {
	if row, ok := codes[c]; ok {
		return row.text.In(l)
	}
	return c.String()
}

// MarshalText writes the stable name.
func (c Code) MarshalText() ([]byte, error) {
	if !c.Known() {
		return nil, fmt.Errorf("%v is not a code: %w", c, ErrForm)
	}
	return []byte(c.String()), nil
}

// UnmarshalText reads the stable name.
func (c *Code) UnmarshalText(b []byte) error {
	for code, row := range codes {
		if row.name == string(b) {
			*c = code
			return nil
		}
	}
	return fmt.Errorf("%.40q is not a code: %w", b, ErrForm)
}

func (c *codec) code(field string, v *Code) {
	n := uint64(*v)
	c.number(field, &n, 1)
	c.rule(Code(n).Known(), "%s %d is unknown", field, n)
	if c.reading {
		*v = Code(n)
	}
	c.tell(field, "%v", *v)
}

type codeRow struct {
	name string
	text lang.Text
}

var codes = map[Code]codeRow{
	Accepted:   {"accepted", lang.Text{EN: "Done.", ZH: "已完成。"}},
	Replayed:   {"replayed", lang.Text{EN: "This was done before; the first answer stands and nothing moves twice.", ZH: "此前已完成：以首次结果为准，不会重复入账。"}},
	AfterClaim: {"claimed", lang.Text{EN: "The coin's owner had claimed it as lost; the payee is paid all the same.", ZH: "该币曾被持有人申报丢失；收款人照常入账。"}},

	Invalid:       {"invalid", lang.Text{EN: "The coin does not verify: it was made by somebody else, changed, or bound to other terms. Do not accept it.", ZH: "币验证失败：伪造、被改动或绑定了其他条款，请勿接受。"}},
	DoubleSpent:   {"double_spent", lang.Text{EN: "The coin was spent before on other terms: nobody is paid for it now, and the proof names who spent it twice.", ZH: "该币此前已用于另一笔付款：本次不付款，证据可指认双花者。"}},
	Expired:       {"expired", lang.Text{EN: "Its time is over: exchange old coins at the mint, or ask for a new request.", ZH: "已过期：请到铸币方兑换旧币，或索取新的收款请求。"}},
	NotYet:        {"not_yet_valid", lang.Text{EN: "Its time has not begun: check the clock.", ZH: "尚未生效：请检查时钟。"}},
	UnknownKey:    {"unknown_key", lang.Text{EN: "The mint has no such key: fetch the mint's keys again.", ZH: "铸币方没有该密钥：请重新获取密钥列表。"}},
	GroupMismatch: {"group_mismatch", lang.Text{EN: "The coin is good at another group of merchants only: pay with another coin.", ZH: "该币仅限另一商户群使用：请换用其他币。"}},
	Spent:         {"spent", lang.Text{EN: "The coin was not lost: it had been deposited. Nothing is credited.", ZH: "该币并未丢失：此前已存入，不再入账。"}},
	NotYours:      {"not_yours", lang.Text{EN: "The proof does not show that the coin is this account's: nothing is credited.", ZH: "证明未能表明该币属于本账户：不入账。"}},
	TooManyHops:   {"too_many_hops", lang.Text{EN: "The coin went through as many hands as a coin may: exchange it at the mint before it is passed on.", ZH: "该币转手次数已达上限：请先到铸币方兑换。"}},
	BlankUsed:     {"blank_used", lang.Text{EN: "The blank that the coin was paid onto had received before: ask for a new request.", ZH: "收款用的空白币已被使用：请索取新的收款请求。"}},

	WrongNetwork:   {"wrong_network", lang.Text{EN: "This belongs to another scheme of coins: choose the right mint.", ZH: "属于另一个发币体系：请选择正确的铸币方。"}},
	WrongPayee:     {"wrong_payee", lang.Text{EN: "The coins are bound to another payee: only he can deposit them.", ZH: "币已绑定其他收款人：只有其本人可以存入。"}},
	WrongAmount:    {"wrong_amount", lang.Text{EN: "The coins do not add up to the amount: pay again with the right sum.", ZH: "币值合计与金额不符：请按正确金额付款。"}},
	WrongCurrency:  {"wrong_currency", lang.Text{EN: "The coins are of another currency than was asked for.", ZH: "币种与请求不符。"}},
	UnknownRequest: {"unknown_request", lang.Text{EN: "The payee asked for no such payment: ask for a new request.", ZH: "收款人没有该收款请求：请索取新的请求。"}},
	NoChange:       {"no_change", lang.Text{EN: "The payee cannot give the change: pay the exact amount.", ZH: "收款人无法找零：请支付准确金额。"}},

	SessionOpen:    {"session_open", lang.Text{EN: "A withdrawal of this account with this key is open: finish it, or wait for its deadline.", ZH: "该账户在此密钥下有未完成的提币：请先完成或等待超时。"}},
	SessionDead:    {"session_dead", lang.Text{EN: "The withdrawal's deadline has passed and nothing was debited: begin again.", ZH: "提币已超时，未扣款：请重新开始。"}},
	UnknownSession: {"unknown_session", lang.Text{EN: "The mint has no such withdrawal: begin again.", ZH: "铸币方没有该提币记录：请重新开始。"}},
	OtherChallenge: {"other_challenge", lang.Text{EN: "Another challenge of this withdrawal was answered; this one is refused for ever. Recover the first answer.", ZH: "该提币已应答另一挑战，本挑战永久拒绝：请恢复首次应答。"}},
	IssueClosed:    {"issue_closed", lang.Text{EN: "This key makes no coins now: fetch the mint's keys and use the current one.", ZH: "该密钥当前不再发币：请更新密钥列表并使用当期密钥。"}},
	Insufficient:   {"insufficient_funds", lang.Text{EN: "The account does not hold enough: withdraw less or pay into the account.", ZH: "账户余额不足：请减少金额或先存款。"}},

	UnknownAccount:  {"unknown_account", lang.Text{EN: "The mint has no such account: enrol first.", ZH: "铸币方没有该账户：请先开通。"}},
	AccountClosed:   {"account_closed", lang.Text{EN: "The account is closed: see the bank.", ZH: "账户已关闭：请联系银行。"}},
	BadEnrolCode:    {"bad_enrol_code", lang.Text{EN: "The enrolment code is wrong, used or too old: ask the bank for a new one.", ZH: "开通码错误、已使用或已过期：请向银行索取新码。"}},
	AlreadyEnrolled: {"already_enrolled", lang.Text{EN: "The account, or this number, is enrolled already.", ZH: "该账户或身份已开通。"}},
	BadSignature:    {"bad_signature", lang.Text{EN: "The request's signature does not verify: nothing was done.", ZH: "请求签名验证失败：未做任何处理。"}},
	ClockOff:        {"clock_off", lang.Text{EN: "The clocks are too far apart: set the wallet's clock and try again.", ZH: "时钟偏差过大：请校准钱包时钟后重试。"}},
	StaleSerial:     {"stale_serial", lang.Text{EN: "A later request of this account came before: two wallets may be using one phrase. Synchronise and try again.", ZH: "该账户已有更晚的请求：可能有两个钱包使用同一助记词，请同步后重试。"}},
	Malformed:       {"malformed", lang.Text{EN: "The message has a wrong form and was refused: update the older of the two programs.", ZH: "报文格式错误，已拒绝：请更新较旧的一方程序。"}},
	TooLarge:        {"too_large", lang.Text{EN: "The message is larger than any may be: send fewer coins at a time.", ZH: "报文过大：请减少每次的币数。"}},
	Busy:            {"busy", lang.Text{EN: "The mint is busy: try again in a moment.", ZH: "铸币方繁忙：请稍后重试。"}},
	Unavailable:     {"unavailable", lang.Text{EN: "A part of the mint cannot be reached: nothing is lost, try again later.", ZH: "铸币方部分服务不可达：不会丢失，请稍后重试。"}},
	Internal:        {"internal", lang.Text{EN: "The mint met an internal error: nothing is lost, try again; the operator finds the cause in the log.", ZH: "铸币方内部错误：不会丢失，请重试；运营方可查看日志。"}},
}

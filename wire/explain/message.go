package explain

import (
	"regexp"

	"jiaozi/value/lang"
	"jiaozi/wire/coin"
)

// Coin is the kind of Report that Message gives.
const Coin Kind = "coin"

// MaxMessage bounds a message that travels as texts; a file is smaller.
const MaxMessage = 4 * coin.MaxMessage

// Message puts a message of coins into words: an envelope, jiaozi: texts, one a line
// and in any order, or an NDEF record. It shows what everybody sees who carries the
// message: coins by their first bytes, enrolment codes masked.
func Message(b []byte, l lang.Lang) (Report, error) {
	m, err := coin.Read(b)
	if err != nil {
		tag, bad := coin.ParseNDEF(b)
		if bad != nil {
			return Report{}, err // what most people bring is a text
		}
		m = tag
	}
	fields, err := coin.Describe(m)
	if err != nil {
		return Report{}, err
	}
	r := Report{Kind: Coin, Text: messageName(m.Type(), l)}
	for _, f := range fields {
		line := Line{Field: f.Name, Name: fieldName(f.Name, l), Value: f.Value}
		var code coin.Code
		if code.UnmarshalText([]byte(f.Value)) == nil {
			line.Notes = []string{code.Text(l)}
		}
		r.Lines = append(r.Lines, line)
	}
	return r, nil
}

var messageNames = map[coin.Type]lang.Text{
	coin.TypeRequest:     {EN: "request: somebody asks for money", ZH: "收款请求：有人请求付款"},
	coin.TypePayment:     {EN: "payment: coins that answer a request", ZH: "付款：对收款请求的支付"},
	coin.TypeReceipt:     {EN: "receipt: the payee's answer, with the change", ZH: "回执：收款人的答复及找零"},
	coin.TypeSigned:      {EN: "request of an account's owner to the mint, signed", ZH: "账户持有人致铸币方的签名请求"},
	coin.TypeFailure:     {EN: "refusal by the mint", ZH: "铸币方拒绝"},
	coin.TypeKeys:        {EN: "keys: what a mint publishes", ZH: "密钥：铸币方公布的内容"},
	coin.TypeEnrol:       {EN: "enrolment: open an account for coins", ZH: "开通：为账户开通电子币"},
	coin.TypeEnrolled:    {EN: "enrolled: the account is open for coins", ZH: "已开通电子币"},
	coin.TypeCommit:      {EN: "withdrawal, first move: the wallet names keys", ZH: "提币第一步：钱包指定密钥"},
	coin.TypeCommitments: {EN: "withdrawal, second move: the mint commits itself", ZH: "提币第二步：铸币方承诺"},
	coin.TypeChallenge:   {EN: "withdrawal, third move: the wallet's challenge, which is paid for", ZH: "提币第三步：钱包挑战（扣款）"},
	coin.TypeAnswer:      {EN: "withdrawal, last move: the mint's blind signature", ZH: "提币最后一步：铸币方盲签名"},
	coin.TypeDeposit:     {EN: "deposit: coins for an account", ZH: "存币：将币存入账户"},
	coin.TypeDeposited:   {EN: "deposited: what became of each coin", ZH: "存币结果：逐币答复"},
	coin.TypeRecover:     {EN: "recovery: a restored wallet asks for its withdrawals", ZH: "恢复：恢复的钱包查询提币记录"},
	coin.TypeRecovered:   {EN: "recovered: withdrawals of a lost wallet", ZH: "恢复结果：丢失钱包的提币记录"},
	coin.TypeClaim:       {EN: "claim: coins that were lost before they were paid", ZH: "申报：未支付即丢失的币"},
	coin.TypeClaimed:     {EN: "claimed: what became of each lost coin", ZH: "申报结果：逐币答复"},
	coin.TypeStatus:      {EN: "status: the mint's published books", ZH: "状态：铸币方公布的账目"},
	coin.TypeGuilt:       {EN: "proof of guilt: who paid a coin twice", ZH: "双花证据：谁将同一枚币支付了两次"},
	coin.TypeAsk:         {EN: "question to the mint", ZH: "向铸币方查询"},
}

func messageName(t coin.Type, l lang.Lang) string { return messageNames[t].In(l) }

// nested is a field of an item of a list, such as "items 2 value".
var nested = regexp.MustCompile(`^(.+) (\d+)(?: (.+))?$`)

// fieldName is a field's name in words.
func fieldName(name string, l lang.Lang) string {
	if l == lang.EN {
		return name
	}
	if zh, ok := fieldNames[name]; ok {
		return zh
	}
	if m := nested.FindStringSubmatch(name); m != nil {
		text := fieldName(m[1], l) + " " + m[2]
		if m[3] != "" && m[3] != "bytes" {
			text += " " + fieldName(m[3], l)
		}
		return text
	}
	if len(name) > 5 && name[:5] == "body " {
		return fieldNames["body"] + " " + fieldName(name[5:], l)
	}
	return name
}

var fieldNames = map[string]string{
	"message": "报文", "network": "体系", "payee": "收款账户", "amount": "金额", "time": "时间", "nonce": "随机数", "contract": "合同摘要",
	"group": "商户群", "expiry": "有效期", "name": "名称", "memo": "附言", "address": "送达地址", "blanks": "空白币", "request": "请求摘要", "payment": "付款摘要",
	"to blanks": "付到空白币", "paid": "已付", "change": "找零", "coins": "币", "aids": "解码辅助", "blanks for the change": "找零用空白币", "code": "代码",
	"what": "查询内容", "signing key": "签名公钥", "keys": "密钥", "enrolment code": "开通码", "account": "账户", "opening": "开户证明",
	"authentication key": "认证公钥", "card certificate": "卡证书", "identity": "身份号", "key": "密钥", "items": "条目", "session": "会话",
	"A": "A", "B": "B", "image": "像", "deadline": "截止时间", "challenge": "挑战", "answer": "应答", "value": "币值", "guilt": "双花证据",
	"from": "起始", "more": "还有更多", "coin": "币", "proof": "证明", "lines": "行", "epoch": "期次", "issued": "已发行", "deposited": "已回收",
	"expired": "已过期", "outstanding": "流通中", "coins issued": "发行枚数", "coins deposited": "回收枚数", "double spends": "双花次数",
	"named": "已指认", "text": "说明", "signature": "签名", "serial": "序号", "body": "内容",
}

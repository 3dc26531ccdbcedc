package auditor

import (
	"fmt"

	"jiaozi/value/lang"
)

// Code is the stable name of a finding.
type Code string

// What the auditor itself finds and notes; findings of book.Verify keep their
// own codes.
const (
	CodeControl   Code = "control-account"
	CodeCard      Code = "card-difference"
	CodeStranger  Code = "card-unknown"
	CodeUnseen    Code = "card-unseen"
	CodeTwin      Code = "card-twin"
	CodeClone     Code = "clone"
	CodeNotMade   Code = "payment-not-made"
	CodeUndecided Code = "payment-undecided"
	CodeOnTheWay  Code = "load-on-the-way"
	CodeElsewhere Code = "payment-elsewhere"
	CodeRecord    Code = "payment-invalid"
	CodeClosing   Code = "closure-on-the-way"
	CodeOverflow  Code = "overflow"

	CodeCoinCount     Code = "coin-count"
	CodeCoinEntry     Code = "coin-entry"
	CodeCoinSpent     Code = "coin-spent-key"
	CodeCoinForged    Code = "coin-forged"
	CodeCoinKey       Code = "coin-key"
	CodeGuilt         Code = "guilt-false"
	CodeGuiltStranger Code = "guilt-stranger"
	CodeDoubleSpent   Code = "double-spent"
)

// Table: the words for every code, own and of the book. What follows the colon
// in a finding is data: names, numbers and amounts.
var words = map[Code]lang.Text{
	CodeControl:   {EN: "a control account is out of its range", ZH: "控制账户超出允许范围"},
	CodeCard:      {EN: "the card and the book differ, and nothing explains it", ZH: "卡片与账簿不符，且无法解释"},
	CodeStranger:  {EN: "the card holds money that the book does not know", ZH: "卡内有账簿未记载的资金"},
	CodeUnseen:    {EN: "no card file at hand; the float is known, not proved", ZH: "无卡片文件，浮存金额仅见于账簿，未经核实"},
	CodeTwin:      {EN: "a second file of the same card does not match the book", ZH: "同一张卡的另一份文件与账簿不符"},
	CodeClone:     {EN: "a copy of the card has paid; the second payment is in suspense", ZH: "该卡曾被复制使用，第二笔付款已挂账"},
	CodeNotMade:   {EN: "the card at hand did not make this payment", ZH: "现有卡片并未发生这笔付款"},
	CodeUndecided: {EN: "the card's log is too short to tell; the sums say how it was", ZH: "卡片日志不足以判断，由金额推定"},
	CodeOnTheWay:  {EN: "a load is on its way and not on the card", ZH: "圈存在途，尚未到卡"},
	CodeRecord:    {EN: "a payment record is not valid", ZH: "付款记录无效"},
	CodeElsewhere: {EN: "the card paid, and nobody at hand holds the record yet", ZH: "卡片已付款，现有各方均未持有该记录"},
	CodeClosing:   {EN: "a closed card is empty, and its refund is on its way", ZH: "已销卡余额清零，退款在途"},
	CodeOverflow:  {EN: "a sum leaves the range of amounts", ZH: "合计超出金额范围"},

	CodeCoinCount:     {EN: "the mint's accounts of coins and its journal differ", ZH: "造币账户与流水不符"},
	CodeCoinEntry:     {EN: "an entry moves coins as none of the mint's events does", ZH: "有分录不按规则变动电子币"},
	CodeCoinSpent:     {EN: "a coin's spent key was taken and nothing was paid for it", ZH: "电子币的已花费标记被占用，但未付款"},
	CodeCoinForged:    {EN: "more coins of a key came back than were issued", ZH: "某一密钥收回的电子币多于发行"},
	CodeCoinKey:       {EN: "a published key is not one that coins may be made with", ZH: "公布的造币密钥无效"},
	CodeGuilt:         {EN: "a proof of guilt does not hold", ZH: "重复花费的证明不成立"},
	CodeGuiltStranger: {EN: "a proof of guilt names nobody who was enrolled", ZH: "重复花费的证明未指向已登记的账户"},
	CodeDoubleSpent:   {EN: "a coin was paid twice, and its owner is named", ZH: "有电子币被重复花费，持有人已查明"},

	"wal-header":       {EN: "the write-ahead log is damaged", ZH: "预写日志文件头损坏"},
	"wal-frame":        {EN: "a frame of the write-ahead log is damaged", ZH: "预写日志有一帧损坏"},
	"store":            {EN: "the database file is damaged", ZH: "数据库文件损坏"},
	"head":             {EN: "the journal does not match the head kept outside it", ZH: "流水与库外保存的链头不符"},
	"chain":            {EN: "the chain of batches is broken", ZH: "批次链断裂"},
	"hash":             {EN: "a batch was changed after it was written", ZH: "批次写入后被改动"},
	"body":             {EN: "a batch cannot be read", ZH: "批次内容无法读取"},
	"journal":          {EN: "the journal cannot be read to its end", ZH: "流水无法读完"},
	"table":            {EN: "a table differs from the journal", ZH: "数据表与流水不符"},
	"trial-balance":    {EN: "debits and credits differ", ZH: "借贷不平"},
	"entry-id":         {EN: "a command was booked twice", ZH: "同一指令重复入账"},
	"entry-account":    {EN: "an entry uses an account wrongly", ZH: "分录使用账户有误"},
	"entry-currency":   {EN: "an entry mixes currencies", ZH: "分录混用币种"},
	"entry-leg":        {EN: "an entry has a leg that is not positive", ZH: "分录金额不为正"},
	"entry-overflow":   {EN: "an entry leaves the range of amounts", ZH: "分录超出金额范围"},
	"entry-unbalanced": {EN: "an entry is not balanced", ZH: "分录借贷不平"},
	"entry-answer":     {EN: "an entry was answered with a wrong balance", ZH: "分录回复的余额有误"},
	"entry-negative":   {EN: "an account fell below what it must keep", ZH: "账户低于应保留的余额"},
	"entry-hold":       {EN: "an entry breaks a rule of holds", ZH: "分录违反冻结规则"},
	"entry-once":       {EN: "a once-key was taken twice", ZH: "一次性键被重复占用"},
	"entry-version":    {EN: "a record changed under a wrong version", ZH: "记录版本不符"},
}

// text joins the words of a code with the data of the case.
func text(code Code, format string, args ...any) lang.Text {
	data := fmt.Sprintf(format, args...)
	w, known := words[code]
	if !known {
		w = lang.Text{EN: string(code), ZH: string(code)}
	}
	return lang.Text{EN: w.EN + ": " + data, ZH: w.ZH + "：" + data}
}

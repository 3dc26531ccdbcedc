package observer

import (
	"jiaozi/value/lang"
	"jiaozi/wire/apdu"
)

// texts is what status words mean here; the others mean what they always do.
var texts = map[apdu.SW]lang.Text{
	apdu.SecurityNotSatisfied: {EN: "over the contacts: verify the PIN first; over the air: the command is not sealed by the paired wallet", ZH: "接触式：须先验证 PIN；非接触式：命令未经配对钱包签封"},
	apdu.AuthMethodBlocked:    {EN: "the PIN tries are used up: the card's issuer must give them back", ZH: "PIN 次数已用尽：须由发卡行解锁"},
	apdu.DataInvalidated:      {EN: "this index was answered with another challenge, or is closed: the coin cannot be paid with this card again", ZH: "该序号已用另一挑战应答或已关闭：此币不能再用本卡支付"},
	apdu.ConditionsNotMet:     {EN: "as many answers over the air as the card allows: verify the PIN over the contacts", ZH: "非接触应答次数已达上限：请接触式验证 PIN"},
	apdu.WrongData:            {EN: "the data are not in the form, or the challenge is no scalar", ZH: "数据格式不符，或挑战不是合法标量"},
	apdu.FileNotFound:         {EN: "this card has no coin application", ZH: "本卡没有电子币应用"},
	apdu.NotEnoughSpace:       {EN: "too many indices are open: pay or change the oldest coins, then retire their indices", ZH: "未关闭序号过多：请先花掉或兑换最旧的币，再关闭其序号"},
	apdu.DataNotFound:         {EN: "this index was never prepared", ZH: "该序号从未准备过"},
	apdu.UnknownClass:         {EN: "commands are plain over the contacts and sealed over the air", ZH: "接触式用明文命令，非接触式用签封命令"},
}

// Text says what a status word of the coin application means.
func Text(sw apdu.SW, l lang.Lang) string {
	if t, ok := texts[sw]; ok {
		return t.In(l)
	}
	return sw.Text(l)
}

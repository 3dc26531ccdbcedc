package cash

import (
	"context"

	"jiaozi/sim/story"
	"jiaozi/value/lang"
	"jiaozi/value/reason"
)

var (
	approved  = story.End(story.Approved, reason.Approved)
	recovered = story.End(story.Recovered, reason.Recovered) // the torn tap had paid
	repeated  = story.End(story.Recovered, reason.Repeated)  // it had not; this one did
)

func declined(why reason.Code) ending { return story.End(story.Declined, why) }

// Table: the scenes of the day, in their order.
var scenes = []scene{
	story.Act("sign_on", story.Errand, approved, lang.Text{EN: "The tills sign on and fetch working keys and the blacklist", ZH: "各终端签到，取得工作密钥和黑名单"}, signOn),
	story.Act("fund", story.Errand, approved, lang.Text{EN: "Alice and Carol pay into their bank accounts", ZH: "小艾和小柯向银行账户存款"}, fund),

	story.Act("load_account", story.Load, approved, lang.Text{EN: "Alice loads her card from her account at the bank's kiosk", ZH: "小艾在银行自助机从账户圈存"}, loadFrom("alice", byAccount, "200.00")),
	story.Act("load_cash", story.Load, approved, lang.Text{EN: "Bob loads his card with cash at the teahouse", ZH: "小波在茶馆用现金圈存"}, loadFrom("bob", byCash, "150.00")),
	story.Act("load_answer_lost", story.Load, story.End(story.Unknown, reason.LoadLost), lang.Text{EN: "Carol loads, and the line drops the answer", ZH: "小柯圈存时线路中断"}, loadLost),
	story.Act("load_reversed", story.Errand, story.End(story.Approved, reason.Reversed), lang.Text{EN: "The kiosk sends the reversal from its outbox", ZH: "自助机从发件箱补发冲正"}, flushed("carol", "600.00")),
	story.Act("load_again", story.Load, approved, lang.Text{EN: "Carol loads again", ZH: "小柯再次圈存"}, loadFrom("carol", byAccount, "500.00")),

	story.Act("tap", story.Payment, approved, lang.Text{EN: "Alice taps for a pot of tea", ZH: "小艾挥卡买一壶茶"}, tap("alice", tea, "12.50")),
	story.Act("tap", story.Payment, approved, lang.Text{EN: "Alice taps for a book", ZH: "小艾挥卡买书"}, tap("alice", books, "35.00")),
	story.Act("insert", story.Payment, approved, lang.Text{EN: "Alice inserts her card for two dictionaries", ZH: "小艾插卡买两本词典"}, insert("alice", books, "60.00", "")),
	story.Act("tap", story.Payment, approved, lang.Text{EN: "Alice taps for a cake", ZH: "小艾挥卡买点心"}, tap("alice", tea, "8.80")),
	story.Act("tap", story.Payment, approved, lang.Text{EN: "Alice taps for her friends' tea", ZH: "小艾挥卡请朋友喝茶"}, tap("alice", tea, "20.00")),
	story.Act("tap", story.Payment, approved, lang.Text{EN: "Bob taps for noodles", ZH: "小波挥卡买面"}, tap("bob", tea, "15.00")),
	story.Act("tap", story.Payment, approved, lang.Text{EN: "Bob taps for a magazine", ZH: "小波挥卡买杂志"}, tap("bob", books, "22.40")),
	story.Act("tap", story.Payment, approved, lang.Text{EN: "Bob taps for a pen", ZH: "小波挥卡买笔"}, tap("bob", books, "9.90")),
	story.Act("insert", story.Payment, approved, lang.Text{EN: "Bob inserts his card for a map", ZH: "小波插卡买地图"}, insert("bob", books, "18.00", "")),
	story.Act("tap", story.Payment, approved, lang.Text{EN: "Dave taps for a gift", ZH: "小戴挥卡买礼物"}, tap("dave", books, "40.00")),
	story.Act("tap", story.Payment, approved, lang.Text{EN: "Erin taps for tea", ZH: "小叶挥卡买茶"}, tap("erin", tea, "5.00")),
	story.Act("tap", story.Payment, approved, lang.Text{EN: "Grace taps for tea", ZH: "小葛挥卡买茶"}, tap("grace", tea, "10.00")),

	story.Act("pin_wrong", story.Payment, declined(reason.PINWrong), lang.Text{EN: "Carol inserts her card for an atlas and mistypes the PIN", ZH: "小柯插卡买地图集，输错密码"}, insert("carol", books, "320.00", wrongPIN)),
	story.Act("pin_right", story.Payment, approved, lang.Text{EN: "Carol types the right PIN; the card compares it", ZH: "小柯输入正确密码，由卡片比对"}, insert("carol", books, "320.00", rightPIN)),
	story.Act("insufficient", story.Payment, declined(reason.InsufficientFunds), lang.Text{EN: "Alice taps for more than her card holds", ZH: "小艾挥卡金额超过卡内余额"}, tap("alice", books, "99.00")),
	story.Act("over_single_limit", story.Payment, declined(reason.OverSingleLimit), lang.Text{EN: "Dave taps for more than his card allows at once", ZH: "小戴挥卡金额超过卡片单笔限额"}, tap("dave", books, "60.00")),
	story.Act("over_terminal_limit", story.Payment, declined(reason.OverTerminalLimit), lang.Text{EN: "Carol taps for more than the till takes by tap", ZH: "小柯挥卡金额超过终端限额"}, tap("carol", books, "350.00")),
	story.Act("foreign_currency", story.Payment, declined(reason.ForeignCurrency), lang.Text{EN: "Bob taps at the ferry, which sells in Hong Kong dollars", ZH: "小波在以港币计价的码头挥卡"}, tap("bob", ferry, "10.00")),
	story.Act("expired", story.Payment, declined(reason.Expired), lang.Text{EN: "Frank taps with a card that has expired", ZH: "小傅用过期卡挥卡"}, tap("frank", tea, "5.00")),
	story.Act("block", story.Errand, approved, lang.Text{EN: "Erin reports her card lost; the issuer publishes a new blacklist and the tills fetch it", ZH: "小叶挂失，发卡行发布新黑名单，各终端更新"}, block),
	story.Act("blacklisted", story.Payment, declined(reason.Blacklisted), lang.Text{EN: "Whoever found Erin's card taps with it", ZH: "拾卡者用小叶的卡挥卡"}, tap("erin", tea, "5.00")),
	story.Act("forged", story.Payment, declined(reason.ODAFailed), lang.Text{EN: "Mallory taps with a card whose certificate he made himself", ZH: "老马用自制证书的伪卡挥卡"}, forged),
	story.Act("tap", story.Payment, approved, lang.Text{EN: "Heidi taps for a novel", ZH: "小何挥卡买小说"}, tapAndCopy),
	story.Act("clone_taps", story.Payment, approved, lang.Text{EN: "A copy of Heidi's card taps elsewhere; offline nobody can tell", ZH: "小何卡片的复制品在别处挥卡，脱机无法分辨"}, tap("heidi-copy", tea, "26.00")),

	story.Act("torn_before", story.Torn, story.End(story.Unknown, reason.Torn), lang.Text{EN: "Alice takes her card away too early", ZH: "小艾过早移开卡片"}, tornTap("alice", tea, "5.00", beforeCommit)),
	story.Act("torn_before_again", story.Payment, repeated, lang.Text{EN: "She taps the same card again", ZH: "她再次挥同一张卡"}, tapAgain("alice", tea, "5.00")),
	story.Act("torn_after", story.Torn, story.End(story.Unknown, reason.Torn), lang.Text{EN: "Alice's card leaves just after it paid, before the till heard", ZH: "小艾的卡扣款后、终端收到前离开"}, tornTap("alice", tea, "6.00", afterCommit)),
	story.Act("torn_after_again", story.Payment, recovered, lang.Text{EN: "She taps again, and the till reads the card's log first", ZH: "再次挥卡，终端先读取卡片日志"}, tapAgain("alice", tea, "6.00")),

	story.Act("close_card", story.Errand, story.End(story.Approved, reason.Refunded), lang.Text{EN: "Grace closes her card at the kiosk", ZH: "小葛在自助机销卡"}, closeCard),
	story.Act("closed_card_taps", story.Payment, declined(reason.AppBlocked), lang.Text{EN: "Grace's closed card taps", ZH: "小葛用已销的卡挥卡"}, tap("grace", books, "1.00")),

	story.Act("upload_torn", story.Errand, story.End(story.Unknown, reason.HostUnreachable), lang.Text{EN: "The bookshop uploads its batch; the line drops the answers", ZH: "书店上送批次，应答丢失"}, uploadLost),
	story.Act("upload_again", story.Errand, approved, lang.Text{EN: "The bookshop uploads the whole batch again; it counts once", ZH: "书店重新上送整个批次，只计一次"}, settleTill(books)),
	story.Act("upload", story.Errand, approved, lang.Text{EN: "The teahouse settles its batch", ZH: "茶馆批结算"}, settleTill(tea)),
	story.Act("end_of_day", story.Errand, approved, lang.Text{EN: "End of day: proofs verified, positions netted to zero, banks settle", ZH: "日终：核验凭证，轧差归零，清算入账"}, endOfDay),
	story.Act("clone_caught", story.Errand, story.End(story.Declined, reason.Clone), lang.Text{EN: "Clearing finds two payments on one counter of Heidi's card", ZH: "清分发现小何卡片同一计数器有两笔交易"}, cloneCaught),
	story.Act("statement", story.Errand, approved, lang.Text{EN: "The merchants get their statements", ZH: "商户取得对账单"}, statements),
	story.Act("audit", story.Errand, approved, lang.Text{EN: "The auditor recomputes everything from the journal and from the cards", ZH: "审计员由流水和卡片重新核算"}, auditDay),
}

// playFunc is how a scene is played.
type playFunc = func(context.Context, *stage) (result, error)

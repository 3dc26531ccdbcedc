package coins

import (
	"jiaozi/sim/story"
	"jiaozi/value/lang"
	"jiaozi/value/reason"
)

var approved = story.End(story.Approved, reason.Approved)

func declined(why reason.Code) story.Ending { return story.End(story.Declined, why) }

// Table: the scenes, in their order.
var scenes = []scene{
	story.Act("mint_open", story.Errand, approved, lang.Text{EN: "The mint publishes its keys; a teahouse and a bookshop take coins", ZH: "铸币方公布密钥；茶馆和书店受理电子币"}, openShops),
	story.Act("open_accounts", story.Errand, approved, lang.Text{EN: "Ten people open accounts, two of them with a card, and enrol their wallets", ZH: "十人开户，其中两人持卡，钱包完成登记"}, openAccounts),

	story.Act("withdraw", story.Load, approved, lang.Text{EN: "Alice withdraws coins that the bank cannot see", ZH: "小艾提取银行无法辨认的电子币"}, withdraw("alice", "60.00")),
	story.Act("withdraw_answer_lost", story.Load, story.End(story.Unknown, reason.MintUnreachable), lang.Text{EN: "Bob withdraws, and the line loses the answers", ZH: "小波提取时线路丢失应答"}, withdrawDeaf("bob", "20.00")),
	story.Act("withdraw_resumed", story.Load, approved, lang.Text{EN: "Bob's wallet ends it when the line is back; he is debited once", ZH: "线路恢复后钱包自行完成，只扣款一次"}, resume("bob", "20.00")),
	story.Act("withdraw_card", story.Load, approved, lang.Text{EN: "Carol withdraws coins that only her card can pay", ZH: "小柯提取只能凭卡支付的电子币"}, withdraw("carol", "20.00")),
	story.Act("withdraw_note", story.Load, approved, lang.Text{EN: "Dave withdraws one note of which any part can be paid", ZH: "小戴提取一张可任意拆付的数字券"}, withdrawNotes("dave", "40.96")),
	story.Act("withdraw", story.Load, approved, lang.Text{EN: "Lena withdraws coins", ZH: "小莱提取电子币"}, withdraw("lena", "15.00")),

	story.Act("pay_merchant", story.Payment, approved, lang.Text{EN: "Alice pays for tea; neither side is online", ZH: "小艾付茶钱，双方均脱机"}, pay("alice", tea, "12.50")),
	story.Act("pass_on", story.Payment, approved, lang.Text{EN: "Alice pays Erin", ZH: "小艾付给小叶"}, pay("alice", "erin", "5.12")),
	story.Act("pass_on", story.Payment, approved, lang.Text{EN: "Erin pays Frank with the same coins, offline", ZH: "小叶脱机将同一电子币付给小傅"}, pay("erin", "frank", "5.12")),
	story.Act("pass_on", story.Payment, approved, lang.Text{EN: "Frank pays for tea with them: three hands, no mint", ZH: "小傅再用其付茶钱：三手流转，未经铸币方"}, pay("frank", tea, "5.12")),
	story.Act("pay_person", story.Payment, approved, lang.Text{EN: "Alice pays Erin once more", ZH: "小艾再次付给小叶"}, pay("alice", "erin", "5.12")),
	story.Act("change", story.Payment, approved, lang.Text{EN: "Erin has no small coins; Bob gives change", ZH: "小叶没有小额币，小波找零"}, payWithChange("erin", "bob", "5.00")),
	story.Act("divide", story.Payment, approved, lang.Text{EN: "Dave pays for tea with a part of his note", ZH: "小戴用数字券的一部分付茶钱"}, pay("dave", tea, "13.44")),
	story.Act("divide", story.Payment, approved, lang.Text{EN: "Dave pays for a pen with another part of it", ZH: "小戴用同一券的另一部分买笔"}, pay("dave", bookshop, "3.20")),
	story.Act("card_missing", story.Payment, declined(reason.CardNeeded), lang.Text{EN: "Carol's telephone tries to pay without her card", ZH: "小柯的手机未带卡尝试付款"}, withoutCard("carol", bookshop, "7.00")),
	story.Act("pay_card", story.Payment, approved, lang.Text{EN: "She brings the card, and the same request is paid", ZH: "她取来卡片，同一请求付款成功"}, payWaiting("carol", bookshop, "7.00")),
	story.Act("pay_merchant", story.Payment, approved, lang.Text{EN: "Lena pays for tea", ZH: "小莱付茶钱"}, pay("lena", tea, "4.00")),

	story.Act("withdraw", story.Load, approved, lang.Text{EN: "Mallory withdraws coins", ZH: "老马提取电子币"}, withdraw("mallory", "8.00")),
	story.Act("payer_pays", story.Payment, approved, lang.Text{EN: "Mallory copies the wallet file and pays for tea", ZH: "老马复制钱包文件后付茶钱"}, payAndCopy("mallory", tea, "6.00")),
	story.Act("payer_pays_again", story.Payment, approved, lang.Text{EN: "The copy pays for a book with the same coins; offline nobody can tell", ZH: "复制的钱包用同一电子币买书，脱机无法分辨"}, pay("mallory-copy", bookshop, "6.00")),
	story.Act("middle_receives", story.Payment, approved, lang.Text{EN: "Alice pays Mike", ZH: "小艾付给小麦"}, pay("alice", "mike", "2.56")),
	story.Act("middle_pays", story.Payment, approved, lang.Text{EN: "Mike copies his wallet and passes the coins on for tea", ZH: "小麦复制钱包后把电子币转付茶钱"}, payAndCopy("mike", tea, "2.56")),
	story.Act("middle_pays_again", story.Payment, approved, lang.Text{EN: "The copy passes them on for a book", ZH: "复制的钱包再把它们转付书钱"}, pay("mike-copy", bookshop, "2.56")),
	story.Act("withdraw_card", story.Load, approved, lang.Text{EN: "Craig withdraws coins that are bound to his card", ZH: "老柯提取与卡绑定的电子币"}, withdraw("craig", "5.00")),
	story.Act("broken_card_pays", story.Payment, approved, lang.Text{EN: "Craig breaks his card open, copies it, and pays for tea", ZH: "老柯破解并复制其卡，再付茶钱"}, payAndCopy("craig", tea, "4.00")),
	story.Act("broken_card_pays_again", story.Payment, approved, lang.Text{EN: "The copied card answers once more, for a book", ZH: "复制的卡再次应答，用于买书"}, pay("craig-copy", bookshop, "4.00")),

	story.Act("deposit", story.Errand, approved, lang.Text{EN: "The teahouse deposits", ZH: "茶馆兑回电子币"}, deposit(tea, "47.62")),
	story.Act("deposit_replayed", story.Errand, story.End(story.Approved, reason.AlreadyDone), lang.Text{EN: "Somebody who listened sends the deposit again", ZH: "窃听者重发同一兑回请求"}, depositAgain),
	story.Act("double_spent", story.Errand, declined(reason.DoubleSpent), lang.Text{EN: "The bookshop deposits; what was paid twice is refused", ZH: "书店兑回，重复花费的被拒"}, deposit(bookshop, "10.20")),
	story.Act("named", story.Errand, approved, lang.Text{EN: "The proofs name Mallory, Mike and Craig; anyone can check them", ZH: "证明指出老马、小麦和老柯，人人可核验"}, namedAll),

	story.Act("wallet_lost", story.Errand, approved, lang.Text{EN: "Lena loses her telephone and restores the wallet from 24 words", ZH: "小莱丢失手机，用24个单词恢复钱包"}, restore("lena")),
	story.Act("restored_pays", story.Payment, declined(reason.AskMintFirst), lang.Text{EN: "The restored wallet tries to pay offline", ZH: "恢复的钱包尝试脱机付款"}, pay("lena", tea, "1.00")),
	story.Act("restored", story.Errand, story.End(story.Recovered, reason.CoinsClaimed), lang.Text{EN: "It asks the mint, and has what Lena had not spent", ZH: "钱包联机询问铸币方，取回未花费部分"}, refresh("lena", "11.00")),
	story.Act("pay_merchant", story.Payment, approved, lang.Text{EN: "Lena pays for tea again", ZH: "小莱再次付茶钱"}, pay("lena", tea, "1.00")),
	story.Act("deposit", story.Errand, approved, lang.Text{EN: "The teahouse deposits once more", ZH: "茶馆再次兑回"}, deposit(tea, "1.00")),

	story.Act("months_pass", story.Errand, approved, lang.Text{EN: "Three months pass; the coins are soon too old to pay with", ZH: "三个月过去，电子币即将不能支付"}, later(3, 20)),
	story.Act("exchange", story.Errand, approved, lang.Text{EN: "Alice exchanges hers for new ones", ZH: "小艾兑换为新币"}, exchange("alice")),
	story.Act("epoch_over", story.Errand, approved, lang.Text{EN: "The epoch ends: what nobody brought back expires", ZH: "该期电子币到期：未兑回者失效"}, later(5, 2)),
	story.Act("deposit_too_late", story.Errand, declined(reason.CoinExpired), lang.Text{EN: "Bob comes too late", ZH: "小波来迟一步"}, deposit("bob", "0.00")),
	story.Act("pay_new", story.Payment, approved, lang.Text{EN: "Alice pays for tea with her new coins", ZH: "小艾用新币付茶钱"}, payRefreshed("alice", tea, "4.70")),
	story.Act("deposit", story.Errand, approved, lang.Text{EN: "The teahouse deposits them", ZH: "茶馆兑回新币"}, deposit(tea, "4.70")),
	story.Act("end_of_day", story.Errand, approved, lang.Text{EN: "The bank closes the day", ZH: "银行日终"}, endOfDay),
	story.Act("audit", story.Errand, approved, lang.Text{EN: "The auditor counts every coin again and checks every proof", ZH: "审计员重新核算每枚电子币并核验每份证明"}, auditAll),
}

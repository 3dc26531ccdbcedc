package terminal

import (
	"fmt"
	"strings"
	"time"

	"jiaozi/value/clock"
	"jiaozi/value/lang"
	"jiaozi/value/reason"
	"jiaozi/wire/purse"
)

// words of the receipt, in both languages.
var (
	wordSale       = lang.Text{EN: "PURCHASE (E-CASH)", ZH: "消费（电子现金）"}
	wordMerchant   = lang.Text{EN: "Merchant", ZH: "商户号"}
	wordTerminal   = lang.Text{EN: "Terminal", ZH: "终端号"}
	wordCard       = lang.Text{EN: "Card", ZH: "卡号"}
	wordEntry      = lang.Text{EN: "Entry", ZH: "用卡方式"}
	wordTap        = lang.Text{EN: "tap", ZH: "挥卡"}
	wordInsert     = lang.Text{EN: "insert", ZH: "插卡"}
	wordBatch      = lang.Text{EN: "Batch", ZH: "批次号"}
	wordTrace      = lang.Text{EN: "Trace", ZH: "凭证号"}
	wordTime       = lang.Text{EN: "Time", ZH: "日期时间"}
	wordCounter    = lang.Text{EN: "Card counter (ATC)", ZH: "交易计数（ATC）"}
	wordCryptogram = lang.Text{EN: "Certificate (TC)", ZH: "交易证书（TC）"}
	wordAmount     = lang.Text{EN: "AMOUNT", ZH: "金额"}
	wordBalance    = lang.Text{EN: "Balance on card", ZH: "卡内余额"}
	wordFlagged    = lang.Text{EN: "IN DOUBT: the issuer decides", ZH: "待发卡行判定"}
	wordSettlement = lang.Text{EN: "SETTLEMENT", ZH: "批结算"}
	wordSales      = lang.Text{EN: "Sales", ZH: "消费笔数"}
	wordTotal      = lang.Text{EN: "TOTAL", ZH: "合计"}
	wordDoubtful   = lang.Text{EN: "In doubt", ZH: "待判定笔数"}
	wordDoubtTotal = lang.Text{EN: "In doubt, sum", ZH: "待判定金额"}
	wordRefused    = lang.Text{EN: "Refused by the acquirer", ZH: "收单拒收笔数"}
	wordEqual      = lang.Text{EN: "The host counts the same.", ZH: "对账平"}
	wordUnequal    = lang.Text{EN: "The host counted differently; all details were sent again.", ZH: "对账不平，已上送全部明细"}
	wordNext       = lang.Text{EN: "Next batch", ZH: "下一批次"}
)

var serviceWords = [...]lang.Text{
	0:       wordSale,
	Account: {EN: "LOAD (OWN ACCOUNT)", ZH: "圈存（指定账户）"},
	Other:   {EN: "LOAD (OTHER ACCOUNT)", ZH: "圈存（非指定账户）"},
	Cash:    {EN: "LOAD (CASH)", ZH: "圈存（现金充值）"},
	closure: {EN: "CARD CLOSURE", ZH: "电子现金销卡"},
}

var resultWords = [...]lang.Text{
	Unknown:   {EN: "NOT DECIDED YET", ZH: "结果未知"},
	Approved:  {EN: "APPROVED", ZH: "交易成功"},
	Declined:  {EN: "DECLINED", ZH: "交易拒绝"},
	Recovered: {EN: "APPROVED (EARLIER TAP COMPLETED)", ZH: "交易成功（补登上次挥卡）"},
}

// paper is a receipt being written: lines of a fixed number of columns, in which
// a Chinese character takes two.
type paper struct {
	b       strings.Builder
	columns int
	lang    lang.Lang
}

func (t *Terminal) paper() *paper {
	p := &paper{columns: t.cfg.Columns, lang: t.cfg.Lang}
	p.centre(t.cfg.MerchantName)
	p.pair(wordMerchant, string(t.cfg.MID))
	p.pair(wordTerminal, string(t.cfg.TID))
	p.rule()
	return p
}

func (p *paper) line(s string) { p.b.WriteString(strings.TrimRight(s, " ") + "\n") }
func (p *paper) rule()         { p.line(strings.Repeat("-", p.columns)) }

func (p *paper) centre(s string) {
	p.line(strings.Repeat(" ", max(0, (p.columns-lang.Width(s))/2)) + s)
}

// pair sets a label left and a value right; what does not fit goes to a line of its own.
func (p *paper) pair(label lang.Text, value string) {
	left := label.In(p.lang)
	gap := p.columns - lang.Width(left) - lang.Width(value)
	if gap < 1 {
		p.line(left)
		left, gap = "", max(0, p.columns-lang.Width(value))
	}
	p.line(left + strings.Repeat(" ", gap) + value)
}

// text breaks a sentence at spaces, and where there are none at the last column.
func (p *paper) text(s string) {
	line := ""
	for _, word := range strings.Split(s, " ") {
		for _, piece := range pieces(word, p.columns) {
			switch {
			case line == "":
				line = piece
			case lang.Width(line)+1+lang.Width(piece) <= p.columns:
				line += " " + piece
			default:
				p.line(line)
				line = piece
			}
		}
	}
	p.line(line)
}

// pieces cuts a word that is wider than the paper.
func pieces(word string, columns int) []string {
	var out []string
	start, width := 0, 0
	for i, r := range word {
		w := lang.Width(string(r))
		if width+w > columns {
			out = append(out, word[start:i])
			start, width = i, 0
		}
		width += w
	}
	return append(out, word[start:])
}

func (p *paper) String() string { return p.b.String() }

// ending is what every receipt closes with.
func (p *paper) ending(out Outcome) {
	p.rule()
	p.pair(wordAmount, out.Amount.Format(p.lang))
	if out.Balance.Currency() != 0 {
		p.pair(wordBalance, out.Balance.Format(p.lang))
	}
	p.centre(resultWords[out.Result].In(p.lang))
	if out.Result != Approved {
		p.text(out.Reason.Text(p.lang))
	}
	if out.Flagged {
		p.centre(wordFlagged.In(p.lang))
		p.text(reason.Flagged.Text(p.lang))
	}
}

func (p *paper) head(title lang.Text, out Outcome, when time.Time) {
	p.centre(title.In(p.lang))
	if !out.PAN.IsZero() {
		p.pair(wordCard, out.PAN.Masked())
	}
	if out.STAN != 0 {
		p.pair(wordBatch, fmt.Sprintf("%06d", out.Batch))
		p.pair(wordTrace, fmt.Sprintf("%06d", out.STAN))
	}
	p.pair(wordTime, when.In(clock.Zone).Format("2006-01-02 15:04:05"))
}

// receipt is for a payment with a record: it shows the card's proof.
func (t *Terminal) receipt(r *purse.Record, out Outcome) string {
	p := t.paper()
	p.head(wordSale, out, r.When)
	entry := wordInsert
	if r.Entry == purse.Contactless {
		entry = wordTap
	}
	p.pair(wordEntry, entry.In(p.lang))
	p.pair(wordCounter, fmt.Sprintf("%05d", r.ATC))
	if r.HasCryptogram() {
		p.pair(wordCryptogram, fmt.Sprintf("%X", r.AC))
	}
	if r.Amount != out.Amount {
		p.pair(wordFlagged, r.Amount.Format(p.lang))
	}
	p.ending(out)
	return p.String()
}

// slip is for everything else: refusals, loads, a card that left.
func (t *Terminal) slip(title Service, out Outcome, when time.Time) string {
	p := t.paper()
	p.head(serviceWords[title], out, when)
	p.ending(out)
	return p.String()
}

func (t *Terminal) settlementSlip(s Settlement) string {
	p := t.paper()
	p.centre(wordSettlement.In(p.lang))
	p.pair(wordBatch, fmt.Sprintf("%06d", s.Batch))
	p.pair(wordTime, t.now().Format("2006-01-02 15:04:05"))
	p.rule()
	p.pair(wordSales, fmt.Sprint(s.Count))
	p.pair(wordTotal, s.Total.Format(p.lang))
	if s.Flagged > 0 {
		p.pair(wordDoubtful, fmt.Sprint(s.Flagged))
		p.pair(wordDoubtTotal, s.FlaggedTotal.Format(p.lang))
	}
	if s.Refused > 0 {
		p.pair(wordRefused, fmt.Sprint(s.Refused))
	}
	verdict := wordEqual
	if !s.Equal {
		verdict = wordUnequal
	}
	p.text(verdict.In(p.lang))
	p.pair(wordNext, fmt.Sprintf("%06d", s.Next))
	return p.String()
}

package issuer

import (
	"context"
	"encoding/binary"
	"fmt"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
)

// AlertKind says what an officer should look at.
type AlertKind uint8

const (
	AlertBalance    AlertKind = iota + 1 // the card proves more than it was given
	AlertUndone                          // a script was carried out after its order was undone
	AlertClone                           // two cryptograms on one counter
	AlertOverspend                       // a payment beyond what the card was given
	AlertRefund                          // a refunded counter that another payment proves to be its own
	AlertBalanceMAC                      // a good payment with a balance that is not the card's
)

var alertWords = [...]lang.Text{
	AlertBalance:    {EN: "The card proves %s but its loads and payments leave %s: find out who funded it.", ZH: "卡片证明余额 %s，而已知圈存与消费仅余 %s：请查明资金来源。"},
	AlertUndone:     {EN: "A script that adds %s was carried out after the load had been undone; the issuer knows of %s on the card.", ZH: "圈存已撤销后脚本仍写入 %s；发卡行记录卡内为 %s。"},
	AlertClone:      {EN: "A second payment of %s claims a counter that was used: the card was copied (%s left on it).", ZH: "第二笔 %s 的交易占用已使用的计数器：卡片被复制（卡内余 %s）。"},
	AlertOverspend:  {EN: "A payment of %s is more than the %s that the card can hold: it is in suspense.", ZH: "消费 %s 超过卡内可能的余额 %s：已挂账。"},
	AlertRefund:     {EN: "A payment of %s proves a counter whose uncompleted payment was refunded: the refund was not due (%s left on the card).", ZH: "交易 %s 证明其计数器已被退款占用：该退款本不应发生（卡内余 %s）。"},
	AlertBalanceMAC: {EN: "A payment of %s verifies but its balance does not: the record was altered on its way (%s on the card).", ZH: "交易 %s 密文正确但余额 MAC 错误：记录在途中被改动（卡内 %s）。"},
}

// Alert is one finding. It changes nothing by itself.
type Alert struct {
	Kind  AlertKind
	Date  clock.Date
	Card  ident.CardRef
	ATC   uint16
	Sum   money.Amount // what was claimed
	Known money.Amount // what the issuer knows of
}

// Text says it to a person.
func (a Alert) Text(l lang.Lang) string {
	if a.Kind < AlertBalance || int(a.Kind) >= len(alertWords) {
		return fmt.Sprintf("alert(%d)", uint8(a.Kind))
	}
	return fmt.Sprintf(alertWords[a.Kind].In(l), a.Sum.Format(l), a.Known.Format(l))
}

// alertPut writes a finding beside the change of its card, whose version makes
// the key unique.
func (i *Issuer) alertPut(w *work, date clock.Date, a *Alert) book.Put {
	key := binary.BigEndian.AppendUint32(nil, uint32(date))
	key = append(key, w.ref[:]...)
	key = binary.BigEndian.AppendUint64(key, w.version)
	v := &writer{[]byte{recordVersion}}
	v.uint(uint64(a.Kind))
	v.uint(uint64(a.ATC))
	v.minor(a.Sum.Minor())
	v.minor(a.Known.Minor())
	return book.Put{Space: i.space(spaceAlert), Key: key, Value: v.b}
}

// Alerts visits the findings of the issuer, oldest day first.
func (i *Issuer) Alerts(ctx context.Context, fn func(Alert) error) error {
	return i.door.Scan(ctx, i.space(spaceAlert), nil, func(key, value []byte, _ uint64) error {
		const size = 4 + len(ident.CardRef{}) + 8
		r := &reader{b: value}
		if len(key) != size || r.take(1)[0] != recordVersion {
			return fmt.Errorf("alert: %w", errRecord)
		}
		a := Alert{Date: clock.Date(binary.BigEndian.Uint32(key)), Card: ident.CardRef(key[4:20])}
		a.Kind, a.ATC = AlertKind(r.uint(uint64(AlertBalanceMAC))), uint16(r.uint(0xFFFF))
		a.Sum, a.Known = money.New(i.cfg.Currency, r.minor()), money.New(i.cfg.Currency, r.minor())
		if err := r.done("alert"); err != nil {
			return err
		}
		return fn(a)
	})
}

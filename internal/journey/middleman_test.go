package journey

import (
	"bytes"
	"testing"

	"jiaozi/crypt/pin"
	"jiaozi/crypt/vault"
	"jiaozi/role/terminal"
	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

// middleman sits between till and card, changes what passes, and may answer himself.
type middleman struct {
	card apdu.Card
	ask  func(apdu.Command) (apdu.Command, *apdu.Response) // a response keeps the command from the card
	say  func(apdu.Command, apdu.Response) apdu.Response
}

func (m middleman) Transmit(c apdu.Command) (apdu.Response, error) {
	asked := c
	if m.ask != nil {
		var own *apdu.Response
		asked.Data = bytes.Clone(c.Data)
		if asked, own = m.ask(asked); own != nil {
			return *own, nil
		}
	}
	r, err := m.card.Transmit(asked)
	if err == nil && m.say != nil {
		r.Data = bytes.Clone(r.Data)
		r = m.say(c, r)
	}
	return r, err
}

// onGPO changes what the card is told when the payment starts.
func onGPO(change func(data []byte)) func(apdu.Command) (apdu.Command, *apdu.Response) {
	return func(c apdu.Command) (apdu.Command, *apdu.Response) {
		if c.INS == apdu.InsGPO {
			change(c.Data)
		}
		return c, nil
	}
}

// Where a tap's GPO data hold what is fought over: 83, length, then 9F66 9F02 9F03 9F1A 95 5F2A.
const (
	atTTQ      = 2
	atAmount   = atTTQ + 4
	atCurrency = atAmount + 6 + 6 + 2 + 5
)

// onAnswer puts his own status word in the place of the card's for one instruction.
func onAnswer(ins byte, sw apdu.SW) func(apdu.Command, apdu.Response) apdu.Response {
	return func(c apdu.Command, r apdu.Response) apdu.Response {
		if c.INS == ins {
			return apdu.Response{SW: sw}
		}
		return r
	}
}

// A status word has no MAC: whoever stands between could load the card, deny it, and
// have the account filled again. And a purse that proved to be empty is paid out,
// whatever is said of the rest.
func TestAMiddlemanDoesNotUndoALoad(t *testing.T) {
	l := newLoader(t, vault.Secure)
	wedge := middleman{card: l.card.offer(purse.Contact), say: onAnswer(apdu.InsPutData, apdu.SecureDataWrong)}
	out := l.till.Load(t.Context(), wedge, terminal.LoadOrder{Amount: yuan(50_00), Kind: terminal.Account, PIN: typed("1234")})
	if out.Result != terminal.Unknown || out.Reason != reason.LoadLost {
		t.Errorf("a refusal that anybody can make: %v %s", out.Result, out.Reason)
	}
	l.verdict(out, yuan(50_00))
	l = newLoader(t, vault.Secure)
	wedge = middleman{card: l.card.offer(purse.Contact), say: onAnswer(apdu.InsAppBlock, apdu.SecureDataWrong)}
	out = l.till.CloseCard(t.Context(), wedge, typed("1234"))
	if out.Result != terminal.Approved || !out.Balance.IsZero() {
		t.Errorf("an empty purse: %v %s", out.Result, out.Reason)
	}
}

// onTag changes the value of an object wherever the card says it.
func onTag(tag tlv.Tag, change func(value []byte)) func(apdu.Command, apdu.Response) apdu.Response {
	return func(_ apdu.Command, r apdu.Response) apdu.Response {
		objects := open(r.Data)
		for i := range objects {
			if objects[i].Tag == tag {
				change(objects[i].Value)
			}
		}
		return r
	}
}

// open lists the objects of one template; changing a value changes the answer.
func open(answer []byte) tlv.List {
	outer, _, err := tlv.Next(answer)
	if err != nil || !tlv.Constructed(outer.Tag) {
		return nil
	}
	objects, err := tlv.Decode(outer.Value)
	if err != nil {
		return nil
	}
	return objects
}

func flip(at int, bits byte) func([]byte) { return func(b []byte) { b[at] ^= bits } }

// wedge answers every PIN with "right", without asking the card.
func wedge(c apdu.Command) (apdu.Command, *apdu.Response) {
	if c.INS == apdu.InsVerify {
		return c, &apdu.Response{SW: apdu.OK}
	}
	return c, nil
}

// noDDA takes DDA out of the AIP of a contact GPO answer, format 80.
func noDDA(c apdu.Command, r apdu.Response) apdu.Response {
	if c.INS == apdu.InsGPO && len(r.Data) > 2 {
		r.Data[2] &^= 0x20
	}
	return r
}

// Goal: a man in the middle who changes what card and till tell each other takes
// no goods away. Method: one row for each published attack (docs/threats.md) that
// needs no key; the same payment without him is approved.
func TestAMiddlemanTakesNothing(t *testing.T) {
	for _, row := range []struct {
		why   string
		entry purse.Entry
		sale  money.Amount
		pin   func() (pin.PIN, error)
		who   middleman
		shop  func(*shop)
		want  reason.Code
	}{
		{why: "1 the wedge knows every PIN", entry: insert, sale: yuan(120_00), pin: typed("9999"), who: middleman{ask: wedge}, want: reason.PINWrong},
		{why: "4 the card is said not to sign", entry: insert, sale: yuan(5_00), who: middleman{say: noDDA}, want: reason.ODAFailed},
		{why: "4 the card is said not to sign", entry: tap, sale: yuan(5_00), who: middleman{say: onTag(emv.TagAIP, flip(0, 0x20))}, want: reason.ODAFailed},
		{why: "5 the CVM list asks for nothing", entry: insert, sale: yuan(120_00), who: middleman{say: onTag(emv.TagCVMList, func(b []byte) { b[len(b)-4] = 0x1F })}, want: reason.ODAFailed},
		{why: "6 the issuer's certificate is broken", entry: insert, sale: yuan(5_00), who: middleman{say: onTag(emv.TagIssuerCert, flip(20, 1))}, want: reason.ODAFailed},
		{why: "6 the card's certificate is broken", entry: tap, sale: yuan(5_00), who: middleman{say: onTag(emv.TagICCCert, flip(20, 1))}, want: reason.ODAFailed},
		{why: "7 the phone is said to know its holder", entry: tap, sale: yuan(60_00), shop: lowCVM,
			who: middleman{ask: onGPO(flip(atTTQ+1, 0x40)), say: onTag(emv.TagCTQ, flip(1, 0x80))}, want: reason.ODAFailed},
		{why: "7 the same, in the signed copy too", entry: tap, sale: yuan(60_00), shop: lowCVM,
			who: middleman{ask: onGPO(flip(atTTQ+1, 0x40)), say: both(onTag(emv.TagCTQ, flip(1, 0x80)), onTag(emv.TagCardAuthData, flip(6, 0x80)))}, want: reason.ODAFailed},
		{why: "9 the card is asked for less than the till", entry: tap, sale: yuan(60_00), who: middleman{ask: onGPO(flip(atAmount+4, 0x70))}, want: reason.ODAFailed},
		{why: "10 the card is asked in another currency", entry: tap, sale: yuan(5_00), who: middleman{ask: onGPO(flip(atCurrency, 0x02))}, want: reason.DeclinedByCard},
		{why: "42 a contact cryptogram for a tap", entry: tap, sale: yuan(5_00), who: middleman{say: onTag(emv.TagIAD, flip(2, emv.CVN17^emv.CVN01))}, want: reason.ProtocolError},
	} {
		t.Run(row.why, func(t *testing.T) {
			s, c := newShop(t, vault.Secure), newCard(blanks()[0])
			if row.shop != nil {
				row.shop(s)
			}
			row.who.card = c.offer(row.entry)
			out := s.till.Purchase(t.Context(), row.who, terminal.Sale{Amount: row.sale, Entry: row.entry, PIN: row.pin})
			if out.Result != terminal.Declined || out.Reason != row.want {
				t.Errorf("%v %s (%v), want declined %s", out.Result, out.Reason, out.Err, row.want)
			}
			if n := s.till.Totals().Count; n != 0 {
				t.Errorf("%d sales counted", n)
			}
		})
	}
}

func lowCVM(s *shop) { s.cfg.CVMLimit = yuan(50_00); s.open() }

func both(first, then func(apdu.Command, apdu.Response) apdu.Response) func(apdu.Command, apdu.Response) apdu.Response {
	return func(c apdu.Command, r apdu.Response) apdu.Response { return then(c, first(c, r)) }
}

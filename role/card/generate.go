package card

import (
	"bytes"

	"jiaozi/crypt/emvkey"
	"jiaozi/value/money"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// generateAC is GENERATE AC, first or second by the phase. Combined signatures
// (CDA) are not offered.
func (c *Card) generateAC(cmd apdu.Command) ([]byte, apdu.SW, error) {
	if cmd.P2 != 0 {
		return refuse(apdu.WrongP1P2)
	}
	switch {
	case cmd.P1 != apdu.RequestAAC && cmd.P1 != apdu.RequestTC && cmd.P1 != apdu.RequestARQC:
		return refuse(apdu.WrongP1P2)
	case c.session.phase == started:
		return c.firstAC(emv.Decision(cmd.P1), cmd.Data)
	case c.session.phase == online && cmd.P1 != apdu.RequestARQC:
		return c.secondAC(emv.Decision(cmd.P1), cmd.Data)
	}
	return refuse(apdu.ConditionsNotMet)
}

// firstAC decides the transaction. A TC is a payment: counter, debit and log
// entry become permanent together, before the cryptogram leaves.
func (c *Card) firstAC(request emv.Decision, data []byte) ([]byte, apdu.SW, error) {
	terms, ok := split(cdol1, data)
	if !ok {
		return refuse(apdu.WrongLength)
	}
	now := &c.session
	now.terms = terms
	decision, after, velocity := c.decideFirst(request)
	var cvr emv.CVR
	cvr.SetFirst(decision)
	if velocity {
		cvr.Set(emv.CVRVelocityExceeded)
	}
	c.history(&cvr)
	now.begin(c.applet.Keys, c.state.atc+1)
	err := c.commit(func(s *state) {
		s.atc++
		s.balance = after
		switch decision {
		case emv.TC:
			s.payments = pushed(s.payments, c.paymentEntry())
		case emv.ARQC:
			s.onlineOpen = true
		}
	})
	if err != nil {
		return nil, 0, err
	}
	now.cvr, now.phase = cvr, completed
	if decision == emv.ARQC {
		now.phase, now.asksFor = online, true
	}
	var answer []byte
	now.ac, answer = c.cryptogram(decision, cvr, data[:cryptogramData])
	return answer, apdu.OK, nil
}

// decideFirst may answer less than the terminal asked for, never more (EMV
// Book 3, 6.5.5.2). after is the balance once the answer has left.
func (c *Card) decideFirst(request emv.Decision) (d emv.Decision, after money.Amount, velocity bool) {
	now, kept := &c.session, c.state.balance
	purchase := now.term(emv.TagTxnType)[0] == emv.TxnPurchase
	paid, payable, velocity := c.weigh(now.terms)
	velocity = velocity && purchase
	switch {
	case request == emv.AAC || c.state.blocked || odaFailed(emv.TVR(now.term(emv.TagTVR))):
		return emv.AAC, kept, velocity
	case request == emv.TC && now.cash && purchase && payable && c.sameTerms(now.asked) && (!now.pinTried || now.pinOK):
		return emv.TC, paid, false
	}
	return emv.ARQC, kept, velocity
}

// odaFailed: whoever breaks the card's certificates on purpose must not get a
// cryptogram of another kind for it.
func odaFailed(v emv.TVR) bool {
	return v.Has(emv.TVRSDAFailed) || v.Has(emv.TVRDDAFailed) || v.Has(emv.TVRCDAFailed)
}

// sameTerms compares amount and currency with an earlier word of the terminal's.
func (c *Card) sameTerms(earlier tlv.List) bool {
	for _, t := range []tlv.Tag{emv.TagAmount, emv.TagCurrency} {
		v, _ := earlier.Find(t)
		if !bytes.Equal(v, c.session.term(t)) {
			return false
		}
	}
	return true
}

// secondAC closes an online transaction. A TC needs the issuer's own word: its
// answer authenticated, approving, and the same code in the terminal's data.
func (c *Card) secondAC(request emv.Decision, data []byte) ([]byte, apdu.SW, error) {
	terms, ok := split(cdol2, data)
	if !ok {
		return refuse(apdu.WrongLength)
	}
	now := &c.session
	arc := [2]byte(data[:arcBytes])
	decision := emv.AAC
	if request == emv.TC && now.authOK && arc == now.arc && approves(arc) && c.sameTerms(terms) && !c.state.blocked {
		decision = emv.TC
	}
	cvr := now.cvr
	cvr.SetSecond(decision)
	cvr.SetScripts(int(c.state.scripts))
	if now.authDone && !now.authOK {
		cvr.Set(emv.CVRIssuerAuthFailed)
	}
	offline := arc[0] == 'Y' || arc[0] == 'Z' // Y3, Z3: unable to go online
	if offline {
		cvr.Set(emv.CVRUnableOnline)
	}
	err := c.commit(func(s *state) {
		s.onlineOpen = false
		if now.authOK {
			s.onlineATC = s.atc
		} else if !now.authDone && !offline {
			s.auth = authMissing
		}
	})
	if err != nil {
		return nil, 0, err
	}
	now.phase = completed
	_, answer := c.cryptogram(decision, cvr, data[arcBytes:arcBytes+cryptogramData])
	return answer, apdu.OK, nil
}

// approves knows the response codes that let a transaction stand (ISO 8583).
func approves(arc [2]byte) bool {
	return arc == [2]byte{'0', '0'} || arc == [2]byte{'1', '0'} || arc == [2]byte{'1', '1'}
}

const (
	arcBytes = 2 // CDOL2 is the response code, then CDOL1
	// cryptogramData is the head of CDOL1 that enters the cryptogram, 9F02 to 9F37.
	cryptogramData = 6 + 6 + 2 + 5 + 2 + 3 + 1 + 4
)

// cryptogram computes CVN 01 over the terminal's data, AIP, counter and CVR with
// its length byte, and lays out the answer: 80 CID ATC AC IAD.
func (c *Card) cryptogram(d emv.Decision, v emv.CVR, data []byte) (ac [8]byte, answer []byte) {
	now := &c.session
	aip := c.applet.contact.aip
	input := append(append([]byte(nil), data...), aip[:]...)
	input = append(append(input, be16(now.atc)...), byte(len(v)))
	ac = emvkey.AC(now.skAC, append(input, v[:]...))
	body := append([]byte{byte(d)}, be16(now.atc)...)
	body = append(append(body, ac[:]...), c.issuerData(emv.CVN01, v, c.state.balance)...)
	return ac, tlv.Append(nil, emv.TagResponse1, body)
}

package card

import (
	"encoding/binary"
	"strings"

	"jiaozi/crypt/emvkey"
	"jiaozi/value/money"
	"jiaozi/value/must"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// phase is where in the dialogue the card stands. A command that does not belong
// to the phase is answered 6985 and changes nothing.
type phase uint8

const (
	idle      phase = iota // nothing selected
	inPSE                  // the contact directory is selected
	inPPSE                 // the contactless directory is selected
	inCoins                // the coin application is; the rest is about the purse
	selected               // the application is, no transaction yet
	started                // contact: GPO done, first cryptogram to come
	tapping                // contactless: TC given at GPO, debit waits for the last record
	online                 // contact: ARQC given, issuer's answer and second cryptogram to come
	completed              // nothing more but late scripts, reads and a new SELECT
)

// session is all that a card forgets when it loses power.
type session struct {
	iface Interface
	phase phase

	cash    bool     // contact: the e-cash path was chosen
	asked   tlv.List // contact: what GPO was told
	terms   tlv.List // the data of the cryptogram: PDOL of a tap, CDOL1
	atc     uint16
	skAC    emvkey.Key
	skMAC   emvkey.Key
	cvr     emv.CVR
	ac      [8]byte // first cryptogram; what issuer answers and scripts are bound to
	asksFor bool    // an ARQC was given out

	after money.Amount // tapping: the balance once the last record is read
	due   []recordName // tapping: records not yet read, the last one last

	pinTried, pinOK bool
	signed          bool // INTERNAL AUTHENTICATE done

	authDone, authOK bool
	arc              [2]byte // the answer code that the issuer authenticated
	scriptsShut      bool    // a script failed; no second guess at a MAC
	scriptMACs       [][4]byte
}

type recordName struct{ sfi, number byte }

// names lists the records of a locator in reading order.
func names(afl emv.AFL) []recordName {
	var l []recordName
	for _, e := range afl {
		for n := int(e.First); n <= int(e.Last); n++ {
			l = append(l, recordName{e.SFI, byte(n)})
		}
	}
	return l
}

// begin opens the transaction with the next counter value. Session keys come
// from the counter, so it must be on the memory before a cryptogram leaves.
func (s *session) begin(k emvkey.CardKeys, atc uint16) {
	s.atc, s.skAC, s.skMAC = atc, emvkey.Session(k.AC, atc), emvkey.Session(k.MAC, atc)
}

// term gives what the terminal said about t; the lists ask for every t that the
// card looks up.
func (s *session) term(t tlv.Tag) []byte {
	v, ok := s.terms.Find(t)
	must.Hold(ok, "card: %v was never asked for", t)
	return v
}

// split cuts the terminal's answer to a list, in a copy: the command's bytes
// belong to the caller.
func split(d tlv.DOL, data []byte) (tlv.List, bool) {
	l, err := d.Split(append([]byte(nil), data...))
	return l, err == nil
}

// weigh decides whether the balance may pay these terms offline. velocity says
// that the card's own limits were the reason against it.
func (c *Card) weigh(terms tlv.List) (after money.Amount, ok, velocity bool) {
	get := func(t tlv.Tag) []byte { v, _ := terms.Find(t); return v }
	currency := c.applet.Currency.BCD()
	if string(get(emv.TagCurrency)) != string(currency[:]) {
		return c.state.balance, false, false
	}
	pay, err := money.FromN12(c.applet.Currency, get(emv.TagAmount))
	if err != nil || pay.IsZero() {
		return c.state.balance, false, false
	}
	after, err = c.state.balance.Sub(pay)
	if err != nil || after.Sign() < 0 || pay.Minor() > c.state.singleLimit.Minor() || after.Minor() < c.state.threshold.Minor() {
		return c.state.balance, false, true
	}
	return after, true, false
}

// history sets what the CVR tells about earlier transactions and the PIN.
func (c *Card) history(v *emv.CVR) {
	s, now := c.state, &c.session
	for _, fact := range []struct {
		bit emv.CVRBit
		set bool
	}{
		{emv.CVRPINVerified, now.pinTried},
		{emv.CVRPINFailed, now.pinTried && !now.pinOK},
		{emv.CVRPINTriesExceeded, s.hasPIN() && s.pinTries == 0},
		{emv.CVRDDAPerformed, now.signed},
		{emv.CVRNewCard, s.auth == authNone},
		{emv.CVRLastOnlineIncomplete, s.onlineOpen},
		{emv.CVRLastIssuerAuthFailed, s.auth == authFailed},
		{emv.CVRIssuerAuthNotPerformed, s.auth == authMissing},
		{emv.CVRScriptFailed, s.scriptFailed},
	} {
		if fact.set {
			v.Set(fact.bit)
		}
	}
	v.SetScripts(int(s.scripts))
}

// issuerData builds tag 9F10 with the balance that the cryptogram stands for.
func (c *Card) issuerData(cvn byte, v emv.CVR, balance money.Amount) []byte {
	value, err := emv.BalanceValue(balance)
	must.Hold(err == nil, "card: balance does not fit the issuer application data")
	return emv.IAD{
		DKI: c.applet.DKI, CVN: cvn, CVR: v, Alg: emv.Alg3DES, IDD: emv.IDDBalance, Value: value,
		MAC: emvkey.BalanceMAC(c.session.skMAC, c.session.atc, value),
	}.Append(nil)
}

func be16(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }
func u16(b []byte) uint16  { return binary.BigEndian.Uint16(b) }
func text(b []byte) string { return strings.TrimRight(string(b), " \x00") }
func n12(a money.Amount) []byte {
	b, err := a.N12()
	must.Hold(err == nil, "card: an amount in the card does not fit twelve digits")
	return b[:]
}

package terminal

import (
	"errors"
	"fmt"

	"jiaozi/crypt/pin"
	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
)

// Cardholder verification (EMV Book 3, 10.5 and Annex C3).
const (
	cvmFail      = 0x00
	cvmPlainPIN  = 0x01
	cvmOnlinePIN = 0x02
	cvmNone      = 0x1F
	cvmMethod    = 0x3F
	cvmNotDone   = 0x3F // first byte of 9F34 when nothing was performed
	cvmUnknown   = 0x00 // third byte: result not known, failed, successful
	cvmFailed    = 0x01
	cvmSucceeded = 0x02
)

// conditions of a rule (Annex C3, table 43) as they hold for a purchase of goods
// without cashback at an attended till.
func (s *session) applies(rule emv.CVMRule, list emv.CVMList) bool {
	method := rule.Method & cvmMethod
	switch rule.Condition {
	case 0x00, 0x02:
		return true
	case 0x03:
		return method == cvmPlainPIN && s.pin != nil || method == cvmNone
	case 0x06:
		return s.homeCurrency() && s.amount.Minor() < money.Minor(list.X)
	case 0x07:
		return s.homeCurrency() && s.amount.Minor() > money.Minor(list.X)
	case 0x08:
		return s.homeCurrency() && s.amount.Minor() < money.Minor(list.Y)
	case 0x09:
		return s.homeCurrency() && s.amount.Minor() > money.Minor(list.Y)
	}
	return false // cash and cashback, and what this terminal does not know
}

// homeCurrency: the list's amounts are in the application currency (9F42).
func (s *session) homeCurrency() bool {
	b, ok := s.data[emv.TagAppCurrency]
	return ok && s.sameCurrency(b)
}

// verifyHolder works the card's list until a rule succeeds or none is left.
func (s *session) verifyHolder() *stop {
	s.cvm = [3]byte{cvmNotDone, 0, cvmUnknown}
	raw, ok := s.data[emv.TagCVMList]
	if !s.aip.Has(emv.AIPCVM) || !ok {
		return nil
	}
	list, err := emv.ParseCVMList(raw)
	if err != nil {
		return because(reason.ProtocolError, err)
	}
	failed := because(reason.PINRequired, errors.New("the card's list asks for a proof of the holder that this till cannot take"))
	for _, rule := range list.Rules {
		if !s.applies(rule, list) {
			continue
		}
		st := s.perform(rule)
		s.cvm = [3]byte{rule.Method, rule.Condition, cvmFailed}
		switch {
		case st == nil:
			s.cvm[2] = cvmSucceeded
			return nil
		case st.code == reason.CardRemoved, st.code == reason.ProtocolError, !rule.ContinueOnFailure():
			s.tvr.Set(emv.TVRCVMFailed)
			return st
		}
		failed = st
	}
	s.tvr.Set(emv.TVRCVMFailed)
	return failed
}

func (s *session) perform(rule emv.CVMRule) *stop {
	switch method := rule.Method & cvmMethod; method {
	case cvmNone:
		return nil
	case cvmPlainPIN:
		return s.plainPIN()
	case cvmFail:
		return because(reason.DeclinedByCard, errors.New("the card's list says to fail"))
	default:
		return because(reason.PINRequired, fmt.Errorf("the till cannot perform method %02X", method))
	}
}

// plainPIN presents the PIN once. A second try is a second insert: the holder
// sees the reason and decides.
func (s *session) plainPIN() *stop {
	if tries, st := s.getData(emv.TagPINTries); st != nil {
		return st
	} else if len(tries) == 1 && tries[0] == 0 {
		s.tvr.Set(emv.TVRPINTriesExceeded)
		return because(reason.PINBlocked, nil)
	}
	if s.pin == nil {
		s.tvr.Set(emv.TVRNoPINPad)
		return because(reason.PINRequired, nil)
	}
	typed, err := s.pin()
	if err != nil {
		s.tvr.Set(emv.TVRPINNotEntered)
		return because(reason.PINRequired, err)
	}
	r, st := s.send(apdu.Verify(pin.Format2(typed)))
	if st != nil {
		return st
	}
	switch left, wrong := r.SW.TriesLeft(); {
	case r.SW.OK() && len(r.Data) == 0:
		return nil
	case wrong && left > 0:
		return because(reason.PINWrong, nil)
	case wrong, r.SW == apdu.AuthMethodBlocked, r.SW == apdu.DataInvalidated:
		s.tvr.Set(emv.TVRPINTriesExceeded)
		return because(reason.PINBlocked, nil)
	default:
		return refusedWith("VERIFY", r.SW)
	}
}

// pinTold reports whether the card itself says that it saw the right PIN. A wedge
// between card and till that answers VERIFY for the card is caught here (attack 1).
func (s *session) pinTold(cvr emv.CVR) bool {
	pinUsed := s.cvm[0]&cvmMethod == cvmPlainPIN && s.cvm[2] == cvmSucceeded
	return !pinUsed || cvr.Has(emv.CVRPINVerified) && !cvr.Has(emv.CVRPINFailed)
}

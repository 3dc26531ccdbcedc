package terminal

import (
	"errors"

	"jiaozi/value/reason"
	"jiaozi/wire/emv"
)

var errNoPurse = errors.New("the card holds no electronic cash")

// purseRules asks the purse itself: currency, balance, single limit, reset
// threshold (JR/T 0025.13). On insert they decide; on a tap, where the card has
// decided already, they say why it declined.
func (s *session) purseRules() *stop {
	if currency, st := s.getData(emv.TagPBOCCurrency); st != nil {
		return st
	} else if currency != nil && !s.sameCurrency(currency) {
		return because(reason.ForeignCurrency, nil)
	}
	balance, ok, st := s.getAmount(emv.TagECBalance)
	if st != nil {
		return st
	}
	if !ok {
		return because(reason.OnlineRequired, errNoPurse)
	}
	s.balance = balance
	if more(s.amount, balance) {
		return because(reason.InsufficientFunds, nil)
	}
	limit, ok, st := s.getAmount(emv.TagECSingleLimit)
	if st != nil {
		return st
	}
	if ok && more(s.amount, limit) {
		return because(reason.OverSingleLimit, nil)
	}
	return s.aboveThreshold()
}

// aboveThreshold: a purse that would fall below 9F6D wants the issuer to refill it.
func (s *session) aboveThreshold() *stop {
	threshold, ok, st := s.getAmount(emv.TagECResetThreshold)
	if st != nil || !ok {
		return st
	}
	left, err := s.balance.Sub(s.amount)
	if err != nil {
		return because(reason.ProtocolError, err)
	}
	if more(threshold, left) {
		return because(reason.OnlineRequired, errors.New("the balance would fall below the card's reset threshold"))
	}
	return nil
}

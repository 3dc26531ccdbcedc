package terminal

import (
	"errors"
	"fmt"
	"time"

	"jiaozi/value/clock"
	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

// admits checks what can be said about a sale before any card is there.
func (t *Terminal) admits(sale Sale, now time.Time) *stop {
	if sale.Amount.Currency() != t.cfg.Currency {
		return because(reason.ForeignCurrency, nil)
	}
	if sale.Amount.Sign() <= 0 {
		return because(reason.FormatError, errors.New("a sale is of more than nothing"))
	}
	limit := t.cfg.TapLimit
	if sale.Entry == purse.Contact {
		limit = t.cfg.ECLimit
	}
	if more(sale.Amount, limit) {
		return because(reason.OverTerminalLimit, nil)
	}
	if t.state.size() >= maxBatch {
		return because(reason.StorageFull, fmt.Errorf("the batch holds %d payments: settle it", maxBatch))
	}
	if more(sale.Amount, t.cfg.ListFloor) {
		return t.listCurrent(now)
	}
	return nil
}

var errNoList = errors.New("the terminal has no blacklist yet: refresh it")

// listCurrent: without a list that is in force the terminal takes nothing above
// its floor (attack 34).
func (t *Terminal) listCurrent(now time.Time) *stop {
	if t.list == nil {
		return because(reason.ListExpired, errNoList)
	}
	if err := t.list.Usable(now); err != nil {
		return because(reason.ListExpired, err)
	}
	return nil
}

// unlisted refuses a listed card, whatever the age of the list.
func (s *session) unlisted() *stop {
	if s.t.list != nil && s.t.list.Contains(s.pan, s.psn) {
		s.tvr.Set(emv.TVROnExceptionFile)
		return because(reason.Blacklisted, nil)
	}
	return nil
}

// restrict applies processing restrictions (EMV Book 3, 10.4). Those that end
// the payment end it here, before the card is asked for anything that costs.
func (s *session) restrict() *stop {
	for _, rule := range []func() *stop{s.dates, s.usage, s.currency} {
		if st := rule(); st != nil {
			return st
		}
	}
	if v, ok := s.data[emv.TagCardVersion]; ok && string(v) != string(version) {
		s.tvr.Set(emv.TVRVersionsDiffer)
	}
	return nil
}

func (s *session) dates() *stop {
	today := clock.DateOf(s.when)
	last, st := s.lastDay()
	if st != nil {
		return st
	}
	if today > last {
		s.tvr.Set(emv.TVRExpired)
		return because(reason.Expired, nil)
	}
	b, ok := s.data[emv.TagEffective]
	if !ok {
		return nil
	}
	first, st := cardDate(emv.TagEffective, b)
	if st != nil {
		return st
	}
	if today < first {
		s.tvr.Set(emv.TVRNotYetEffective)
		return because(reason.NotYetEffective, nil)
	}
	return nil
}

// lastDay is 5F24, or the end of the month on track 2 when a tap has not read
// the record with 5F24 yet; it is checked again when it has.
func (s *session) lastDay() (clock.Date, *stop) {
	if b, ok := s.data[emv.TagExpiry]; ok {
		return cardDate(emv.TagExpiry, b)
	}
	b, ok := s.data[emv.TagTrack2]
	if !ok {
		return 0, because(reason.ProtocolError, errors.New("the card does not say when it expires"))
	}
	track, err := emv.ParseTrack2(b)
	if err != nil {
		return 0, because(reason.ProtocolError, err)
	}
	first, st := cardDate(emv.TagTrack2, bcdDigits(track.Expiry()+"01"))
	if st != nil {
		return 0, st
	}
	return clock.DateOf(first.Time().AddDate(0, 1, -1)), nil
}

func cardDate(tag tlv.Tag, b []byte) (clock.Date, *stop) {
	if len(b) != 3 {
		return 0, because(reason.ProtocolError, fmt.Errorf("%v: %w", tag, tlv.ErrLength))
	}
	date, err := clock.FromYYMMDD([3]byte(b))
	if err != nil {
		return 0, because(reason.ProtocolError, fmt.Errorf("%v: %w", tag, err))
	}
	return date, nil
}

// Application usage control (EMV Book 3, Annex C2), first byte.
const (
	aucDomestic      = 0x20 | 0x08 // goods or services at home
	aucInternational = 0x10 | 0x04
	aucNotATM        = 0x01
)

func (s *session) usage() *stop {
	auc, ok := s.data[emv.TagAUC]
	if !ok {
		return nil
	}
	if len(auc) != 2 {
		return because(reason.ProtocolError, fmt.Errorf("%v: %w", emv.TagAUC, tlv.ErrLength))
	}
	allowed := auc[0]&aucNotATM != 0
	if country, ok := s.data[emv.TagIssuerCountry]; ok {
		home, _ := s.own(emv.TagTerminalCountry)
		need := byte(aucInternational)
		if string(country) == string(home) {
			need = aucDomestic
		}
		allowed = allowed && auc[0]&need != 0
	}
	if !allowed {
		s.tvr.Set(emv.TVRServiceNotAllowed)
		return because(reason.DeclinedByCard, errors.New("the card may not be used for this, here (application usage control)"))
	}
	return nil
}

// currency refuses a card whose purse is of another currency as soon as it says
// so (attack 10: limits mean nothing in a currency that the card does not know).
func (s *session) currency() *stop {
	for _, tag := range []tlv.Tag{emv.TagPBOCCurrency, emv.TagAppCurrency} {
		if b, ok := s.data[tag]; ok && !s.sameCurrency(b) {
			return because(reason.ForeignCurrency, nil)
		}
	}
	return nil
}

func (s *session) sameCurrency(b []byte) bool {
	c, err := money.CurrencyFromBCD(b)
	return err == nil && c == s.amount.Currency()
}

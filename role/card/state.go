package card

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"jiaozi/value/money"
	"jiaozi/value/must"
)

// Bounds of what changes over a card's life; together they fit a slot.
const (
	logSize    = 10 // payments kept (9F4D), loads kept (DF4D)
	maxPatches = 8  // records that scripts may have replaced
	maxRecord  = 254
)

// maxATC is where a card ends its life: the counter must never repeat, because
// session keys are derived from it (EMV Book 2, A1.3).
const maxATC = 0xFFFF

// issuerAuth remembers how the last online transaction ended.
type issuerAuth uint8

const (
	authNone    issuerAuth = iota // never been online
	authOK                        // the issuer's answer was genuine
	authFailed                    // it was not
	authMissing                   // the card was not shown one
)

// state is everything about a card that changes. It is replaced as a whole:
// code that changes a copy must give slices new backing.
type state struct {
	atc       uint16
	onlineATC uint16 // of the last transaction that the issuer authenticated

	balance      money.Amount
	balanceLimit money.Amount
	singleLimit  money.Amount
	threshold    money.Amount

	pin      [8]byte // ISO 9564 format 2 block; all zero if the card has no PIN
	pinTries uint8
	blocked  bool

	onlineOpen   bool // an ARQC was given out and no second cryptogram asked
	auth         issuerAuth
	scripts      uint8 // secured commands done since the last genuine issuer answer
	scriptFailed bool

	payments [][]byte // newest first, in the format of tag 9F4F
	loads    [][]byte // newest first, see loadHead
	patches  []record
}

// spent reports that no counter value is left.
func (s *state) spent() bool { return s.atc == maxATC }

// hasPIN reports whether a PIN was personalised: no format 2 block is zero.
func (s *state) hasPIN() bool { return s.pin != [8]byte{} }

// vitals is the fixed part of the stored state; amounts are of the card's one
// currency, which is stored with the profile.
type vitals struct {
	ATC, OnlineATC                                uint16
	Balance, BalanceLimit, SingleLimit, Threshold money.Minor
	PIN                                           [8]byte
	PINTries                                      uint8
	Blocked, OnlineOpen, ScriptFailed             bool
	Auth                                          issuerAuth
	Scripts                                       uint8
	Payments, Loads, Patches                      uint8
}

func (s *state) append(dst []byte) []byte {
	v := vitals{
		ATC: s.atc, OnlineATC: s.onlineATC,
		Balance: s.balance.Minor(), BalanceLimit: s.balanceLimit.Minor(),
		SingleLimit: s.singleLimit.Minor(), Threshold: s.threshold.Minor(),
		PIN: s.pin, PINTries: s.pinTries,
		Blocked: s.blocked, OnlineOpen: s.onlineOpen, ScriptFailed: s.scriptFailed,
		Auth: s.auth, Scripts: s.scripts,
		Payments: uint8(len(s.payments)), Loads: uint8(len(s.loads)), Patches: uint8(len(s.patches)),
	}
	dst, err := binary.Append(dst, binary.BigEndian, v)
	must.Hold(err == nil, "card: the state has fields of variable size")
	for _, e := range s.payments {
		dst = append(dst, e...)
	}
	for _, e := range s.loads {
		dst = append(dst, e...)
	}
	for _, r := range s.patches {
		dst = append(dst, r.sfi, r.number, byte(len(r.data)))
		dst = append(dst, r.data...)
	}
	return dst
}

func decodeState(b []byte, c money.Currency) (*state, error) {
	var v vitals
	n, err := binary.Decode(b, binary.BigEndian, &v)
	if err != nil {
		return nil, fmt.Errorf("card state is cut short: %w", ErrMemory)
	}
	s := &state{
		atc: v.ATC, onlineATC: v.OnlineATC,
		balance: money.New(c, v.Balance), balanceLimit: money.New(c, v.BalanceLimit),
		singleLimit: money.New(c, v.SingleLimit), threshold: money.New(c, v.Threshold),
		pin: v.PIN, pinTries: v.PINTries,
		blocked: v.Blocked, onlineOpen: v.OnlineOpen, scriptFailed: v.ScriptFailed,
		auth: v.Auth, scripts: v.Scripts,
	}
	rest := b[n:]
	if s.payments, rest, err = cutEntries(rest, v.Payments, paymentFormat.Len()); err != nil {
		return nil, err
	}
	if s.loads, rest, err = cutEntries(rest, v.Loads, loadHead+loadFormat.Len()); err != nil {
		return nil, err
	}
	if s.patches, rest, err = cutPatches(rest, v.Patches); err != nil {
		return nil, err
	}
	// Reading back must give the same bytes, or something here is not as written
	// (a flag that is neither 0 nor 1, bytes behind the end).
	if len(rest) != 0 || v.Balance < 0 || !bytes.Equal(s.append(nil), b) {
		return nil, fmt.Errorf("card state has impossible values: %w", ErrMemory)
	}
	return s, s.checkLogs(c)
}

// checkLogs makes sure that Evidence can read what the card wrote.
func (s *state) checkLogs(c money.Currency) error {
	for _, b := range s.payments {
		if _, err := parsePayment(b); err != nil {
			return err
		}
	}
	for _, b := range s.loads {
		if _, err := parseLoad(b, c); err != nil {
			return err
		}
	}
	return nil
}

func cutEntries(b []byte, count uint8, size int) (entries [][]byte, rest []byte, err error) {
	if count > logSize || len(b) < int(count)*size {
		return nil, nil, fmt.Errorf("card log is cut short: %w", ErrMemory)
	}
	for range count {
		entries = append(entries, b[:size:size])
		b = b[size:]
	}
	return entries, b, nil
}

func cutPatches(b []byte, count uint8) (patches []record, rest []byte, err error) {
	if count > maxPatches {
		return nil, nil, fmt.Errorf("card records are damaged: %w", ErrMemory)
	}
	for range count {
		if len(b) < 3 || len(b) < 3+int(b[2]) {
			return nil, nil, fmt.Errorf("card records are cut short: %w", ErrMemory)
		}
		end := 3 + int(b[2])
		patches = append(patches, record{sfi: b[0], number: b[1], data: b[3:end:end]})
		b = b[end:]
	}
	return patches, b, nil
}

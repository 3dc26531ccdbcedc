package card

import (
	"crypto/subtle"
	"fmt"
	"io"

	"jiaozi/crypt/emvkey"
	"jiaozi/crypt/oda"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// plainPIN is the P2 of a plain PIN check (EMV Book 3, 6.5.12).
const plainPIN = 0x80

// verify is VERIFY of the purse.
func (c *Card) verify(cmd apdu.Command) ([]byte, apdu.SW, error) {
	switch {
	case cmd.P1 != 0 || cmd.P2 != plainPIN:
		return refuse(apdu.WrongP1P2)
	case c.session.phase != started || c.state.blocked:
		return refuse(apdu.ConditionsNotMet)
	}
	return c.comparePIN(cmd.Data)
}

// comparePIN compares a plain PIN. The try is spent on the memory before the
// comparison: pulling the card out in between costs the try.
func (c *Card) comparePIN(block []byte) ([]byte, apdu.SW, error) {
	switch {
	case !c.state.hasPIN():
		return refuse(apdu.DataNotFound)
	case len(block) != len(c.state.pin):
		return refuse(apdu.WrongLength)
	case c.state.pinTries == 0:
		return refuse(apdu.AuthMethodBlocked)
	}
	if err := c.commit(func(s *state) { s.pinTries-- }); err != nil {
		return nil, 0, err
	}
	c.session.pinTried = true
	c.session.pinOK = subtle.ConstantTimeCompare(block, c.state.pin[:]) == 1
	if !c.session.pinOK {
		return refuse(apdu.WrongPIN(c.state.pinTries))
	}
	if err := c.commit(func(s *state) { s.pinTries = c.applet.TryLimit }); err != nil {
		return nil, 0, err
	}
	return nil, apdu.OK, nil
}

// challengeBytes is the length of every challenge, with or without Le saying so.
const challengeBytes = 8

func (c *Card) getChallenge(cmd apdu.Command) ([]byte, apdu.SW, error) {
	if cmd.P1 != 0 || cmd.P2 != 0 {
		return refuse(apdu.WrongP1P2)
	}
	if c.session.phase < selected {
		return refuse(apdu.ConditionsNotMet)
	}
	challenge := make([]byte, challengeBytes)
	if _, err := io.ReadFull(c.random, challenge); err != nil {
		return nil, 0, fmt.Errorf("card random numbers: %w", err)
	}
	return challenge, apdu.OK, nil
}

// internalAuthenticate signs the terminal's number (DDA), once per transaction.
func (c *Card) internalAuthenticate(cmd apdu.Command) ([]byte, apdu.SW, error) {
	switch {
	case cmd.P1 != 0 || cmd.P2 != 0:
		return refuse(apdu.WrongP1P2)
	case c.session.phase != started || c.session.signed:
		return refuse(apdu.ConditionsNotMet)
	case len(cmd.Data) != ddol.Len():
		return refuse(apdu.WrongLength)
	}
	var number [8]byte
	if _, err := io.ReadFull(c.random, number[:]); err != nil {
		return nil, 0, fmt.Errorf("card random numbers: %w", err)
	}
	sdad, err := oda.SignDynamic(c.applet.Private, number[:], cmd.Data)
	if err != nil {
		return nil, 0, err
	}
	c.session.signed = true
	return tlv.Append(nil, emv.TagResponse1, sdad), apdu.OK, nil
}

// answerBytes is the length of tag 91: the issuer's cryptogram and its code.
const answerBytes = 8 + 2

// externalAuthenticate checks the issuer's answer, once: a second guess in the
// same transaction is refused unread (EMV Book 3, 6.5.4).
func (c *Card) externalAuthenticate(cmd apdu.Command) ([]byte, apdu.SW, error) {
	now := &c.session
	switch {
	case cmd.P1 != 0 || cmd.P2 != 0:
		return refuse(apdu.WrongP1P2)
	case now.phase != online || now.authDone:
		return refuse(apdu.ConditionsNotMet)
	case len(cmd.Data) != answerBytes:
		return refuse(apdu.WrongLength)
	}
	arc := [2]byte(cmd.Data[8:])
	want := emvkey.ARPC(now.skAC, now.ac, arc)
	ok := subtle.ConstantTimeCompare(cmd.Data[:8], want[:]) == 1
	err := c.commit(func(s *state) {
		s.auth = authFailed
		if ok {
			// The issuer has seen this cryptogram and with it the old script results.
			s.auth, s.scripts, s.scriptFailed = authOK, 0, false
		}
	})
	if err != nil {
		return nil, 0, err
	}
	now.authDone, now.authOK = true, ok
	if !ok {
		return refuse(apdu.VerifyFailed)
	}
	now.arc = arc
	return nil, apdu.OK, nil
}

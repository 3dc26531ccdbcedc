// Package card is a PBOC chip card: commands in, answers out, one electronic
// cash balance (电子现金) that never goes up without the issuer's MAC and never
// goes down without a cryptogram and a log entry, written in one commit.
//
//	contact      SELECT -> GPO -> READ RECORD, VERIFY, INTERNAL AUTHENTICATE
//	             -> GENERATE AC 1: TC = debit + log + counter in one commit
//	                 ARQC -> EXTERNAL AUTHENTICATE, scripts -> GENERATE AC 2 -> scripts
//	contactless  SELECT -> GPO: counter, cryptogram and signature are made
//	             -> READ RECORD .. last record = debit + log in one commit, then the answer
//
// Losing power at any moment, even inside a page write, leaves either the state
// before the command or the state after it; what the terminal heard is never
// ahead of what the memory holds. The card knows nothing of readers, files or
// clocks: memory and randomness are arguments. It cannot know that somebody put
// an older image of its memory back: that is the issuer's shadow balance to see.
//
// Beside the purse a card may be the observer of its holder's blind coins, a second
// application with memory pages of its own (answer.go, package wire/observer): a
// secret that never leaves, without which no coin can be paid, and one answer for
// each coin, for ever. Who copies the memory breaks that rule and not the scheme:
// coins that are paid twice name their holder.
//
//	coins        SELECT -> VERIFY (contact) -> PREPARE -> ANSWER: closed in one commit, then answered
//
// The rules are EMV 4.4 Books 1 to 3 and PBOC 3.0 (JR/T 0025) as public
// implementations show it; that standard's text was not at hand. One purse of one
// currency, no SM algorithms, no CDA, no enciphered PIN.
//
// Start with Format to personalise a Memory, Open to get a Card, then PowerOn and
// Transmit. A Card belongs to one goroutine.
package card

import (
	"fmt"
	"io"

	"jiaozi/value/must"
	"jiaozi/wire/apdu"
)

// Card is a personalised card in some Memory.
type Card struct {
	memory  Memory
	random  io.Reader
	applet  *applet
	state   *state
	seq     uint64
	coin    *coinApplet // nil in a card without coins
	powered bool
	failed  error // the memory failed: what it holds is unknown until reopened
	session session
}

// Open reads the card in m. It takes the newest state that was written whole.
func Open(m Memory, random io.Reader) (*Card, error) {
	_, b, ok, err := readBlock(m, purseArea)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrMemory
	}
	p, err := decodeProfile(b)
	if err != nil {
		return nil, err
	}
	a, err := newApplet(p)
	if err != nil {
		return nil, err
	}
	seq, b, err := readSlots(m, purseSlots)
	if err != nil {
		return nil, err
	}
	s, err := decodeState(b, p.Currency)
	if err != nil {
		return nil, err
	}
	coin, err := openCoins(m)
	if err != nil {
		return nil, err
	}
	return &Card{memory: m, random: random, applet: a, state: s, seq: seq, coin: coin}, nil
}

// atr offers T=1 only: with T=0 some readers drop Le and fetch answers with GET
// RESPONSE. Ten historical bytes, then the check byte (ISO 7816-3, 8.2).
var atr = func() []byte {
	b := append([]byte{0x3B, 0xFA, 0x18, 0x00, 0x00, 0x81, 0x31, 0xFE, 0x45}, "JIAOZI 1.0"...)
	var check byte
	for _, x := range b[1:] {
		check ^= x
	}
	return append(b, check)
}()

// PowerOn starts a session on one interface and gives the answer to reset. A
// session that was open is over, as if the card had been pulled out.
func (c *Card) PowerOn(i Interface) ([]byte, error) {
	if c.failed != nil {
		return nil, c.failed
	}
	must.Hold(i == Contact || i == Contactless, "card: interface %d", i)
	c.powered, c.session = true, session{iface: i}
	return append([]byte(nil), atr...), nil
}

// PowerOff ends the session. Everything volatile is forgotten.
func (c *Card) PowerOff() { c.powered, c.session = false, session{} }

// Transmit answers one command. An error means that the card is gone: it has no
// power, or its memory failed. After a failed memory only Open helps.
func (c *Card) Transmit(cmd apdu.Command) (apdu.Response, error) {
	if c.failed != nil {
		return apdu.Response{}, c.failed
	}
	if !c.powered {
		return apdu.Response{}, fmt.Errorf("card has no power: %w", apdu.ErrGone)
	}
	data, sw, err := c.execute(cmd)
	if err != nil {
		c.PowerOff()
		c.failed = fmt.Errorf("card memory failed (%w): %w", err, apdu.ErrGone)
		return apdu.Response{}, c.failed
	}
	return apdu.Response{Data: data, SW: sw}, nil
}

// handler carries out a command. Its error is a fault of the memory; what the
// card refuses is a status word.
type handler func(*Card, apdu.Command) ([]byte, apdu.SW, error)

// instruction is what the card knows about one instruction byte.
type instruction struct {
	class   byte
	contact bool // over the contacts only
	run     handler
}

// Offline PIN, online steps and scripts stay off the air: a stranger in a crowd
// must not be able to guess PINs or hold a transaction open.
var instructions = map[byte]instruction{
	apdu.InsSelect:       {apdu.ClaISO, false, (*Card).selectFile},
	apdu.InsReadRecord:   {apdu.ClaISO, false, (*Card).readRecord},
	apdu.InsGetData:      {apdu.ClaEMV, false, (*Card).getData},
	apdu.InsGPO:          {apdu.ClaEMV, false, (*Card).getProcessingOptions},
	apdu.InsVerify:       {apdu.ClaISO, true, (*Card).verify},
	apdu.InsGetChallenge: {apdu.ClaISO, true, (*Card).getChallenge},
	apdu.InsInternalAuth: {apdu.ClaISO, true, (*Card).internalAuthenticate},
	apdu.InsExternalAuth: {apdu.ClaISO, true, (*Card).externalAuthenticate},
	apdu.InsGenerateAC:   {apdu.ClaEMV, true, (*Card).generateAC},
	apdu.InsPutData:      {apdu.ClaISOSecure, true, (*Card).putData},
	apdu.InsUpdateRecord: {apdu.ClaISOSecure, true, (*Card).updateRecord},
	apdu.InsAppBlock:     {apdu.ClaEMVSecure, true, (*Card).blockApplication},
	apdu.InsAppUnblock:   {apdu.ClaEMVSecure, true, (*Card).unblockApplication},
	apdu.InsPINChange:    {apdu.ClaEMVSecure, true, (*Card).unblockPIN},
}

func (c *Card) execute(cmd apdu.Command) ([]byte, apdu.SW, error) {
	if c.session.phase == inCoins && cmd.INS != apdu.InsSelect {
		return c.executeCoins(cmd)
	}
	in, ok := instructions[cmd.INS]
	switch {
	case !ok || in.contact && c.session.iface != Contact:
		return refuse(apdu.UnknownInstruction)
	case cmd.CLA != in.class:
		return refuse(apdu.UnknownClass)
	case cmd.Le != apdu.NoLe && cmd.Le != apdu.MaxLe && !(cmd.INS == apdu.InsGetChallenge && cmd.Le == challengeBytes):
		// EMV asks for all there is (Book 3, 6.3.2). Checked first, because a debit
		// whose answer does not fit would be lost; 6Cxx belongs to T=0 alone.
		return refuse(apdu.WrongLength)
	}
	return in.run(c, cmd)
}

// refuse is the answer of a card that does nothing.
func refuse(sw apdu.SW) ([]byte, apdu.SW, error) { return nil, sw, nil }

// commit writes the next state and only then lets the card believe in it.
func (c *Card) commit(change func(*state)) error {
	next := *c.state
	change(&next)
	must.Hold(next.atc >= c.state.atc, "card: the counter went back")
	must.Hold(next.balance.Sign() >= 0, "card: the balance is below zero")
	must.Hold(next.balance.Minor() <= next.balanceLimit.Minor(), "card: the balance is above its limit")
	if err := writeSlot(c.memory, purseSlots, c.seq+1, next.append(nil)); err != nil {
		return err
	}
	c.seq, c.state = c.seq+1, &next
	return nil
}

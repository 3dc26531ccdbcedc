package card

import (
	"jiaozi/crypt/brands"
	"jiaozi/wire/apdu"
	"jiaozi/wire/observer"
)

// Who may ask the coin application for what:
//
//	          contact                     over the air
//	VERIFY    anybody, three tries        nobody
//	INFO      anybody                     the paired wallet
//	STATUS    anybody                     the paired wallet
//	PREPARE   after the PIN               the paired wallet
//	ANSWER    after the PIN               the paired wallet, AirLimit times
//	RETIRE    after the PIN               the paired wallet
//	PAIR      after the PIN               nobody
//
// Who finds the card has no wallet and no PIN, and can neither pay nor close an
// index, which would destroy the coin. Who finds card and phone together, the phone
// open, pays over the air until AirLimit is reached and then needs the PIN; a PIN
// whose tries are used up ends that too. A reader in a crowd, not paired, learns
// that a coin application is there, and neither which nor whose. The PIN does not
// cross the air, where a stranger could guess at it or listen. A card without PIN
// pays for whoever holds it and the phone. A dishonest reader that is given PIN and
// card over the contacts can spoil coins by asking nonsense; it cannot spend them.

// coinInstruction is what the coin application knows about one instruction byte.
type coinInstruction struct {
	air     bool // also over the air
	guarded bool // over the contacts after the PIN
	run     func(c *Card, data []byte) ([]byte, apdu.SW, error)
}

var coinInstructions = map[byte]coinInstruction{
	observer.InsInfo:    {air: true, run: (*Card).coinInfo},
	observer.InsStatus:  {air: true, run: (*Card).coinStatus},
	observer.InsPrepare: {air: true, guarded: true, run: (*Card).prepareCoins},
	observer.InsAnswer:  {air: true, guarded: true, run: (*Card).answerCoin},
	observer.InsRetire:  {air: true, guarded: true, run: (*Card).retireCoins},
	observer.InsPair:    {guarded: true, run: (*Card).pairWallet},
}

// executeCoins is execute while the coin application is selected.
func (c *Card) executeCoins(cmd apdu.Command) ([]byte, apdu.SW, error) {
	overAir := c.session.iface == Contactless
	in, ok := coinInstructions[cmd.INS]
	switch {
	case cmd.Le != apdu.NoLe && cmd.Le != apdu.MaxLe:
		return refuse(apdu.WrongLength) // an answer must not be cut
	case cmd.INS == apdu.InsVerify && !overAir:
		return c.verifyForCoins(cmd)
	case !ok || overAir && !in.air:
		return refuse(apdu.UnknownInstruction)
	case overAir && cmd.CLA != observer.ClaSealed || !overAir && cmd.CLA != observer.ClaPlain:
		return refuse(apdu.UnknownClass)
	case cmd.P1 != 0 || cmd.P2 != 0:
		return refuse(apdu.WrongP1P2)
	}
	if overAir {
		var err error
		if cmd, err = observer.Unseal(c.coin.state.pairing, cmd); err != nil {
			return refuse(apdu.SecurityNotSatisfied)
		}
	} else if in.guarded && c.state.hasPIN() && !c.session.pinOK {
		return refuse(apdu.SecurityNotSatisfied)
	}
	return in.run(c, cmd.Data)
}

// verifyForCoins compares the PIN, the same as the purse's with the same tries. It
// holds until the next SELECT or loss of power, and renews what may be answered
// over the air.
func (c *Card) verifyForCoins(cmd apdu.Command) ([]byte, apdu.SW, error) {
	switch {
	case cmd.CLA != apdu.ClaISO:
		return refuse(apdu.UnknownClass)
	case cmd.P1 != 0 || cmd.P2 != plainPIN:
		return refuse(apdu.WrongP1P2)
	}
	_, sw, err := c.comparePIN(cmd.Data)
	if err == nil && sw == apdu.OK && c.coin.state.airLeft != c.coin.AirLimit {
		err = c.commitCoins(func(s *coins) { s.airLeft = c.coin.AirLimit })
	}
	return nil, sw, err
}

func (c *Card) coinInfo(data []byte) ([]byte, apdu.SW, error) {
	if len(data) != 0 {
		return refuse(apdu.WrongData)
	}
	s := c.coin.state
	info := observer.Info{
		Flags: c.coinFlags(), PINTries: c.state.pinTries, AirLeft: s.airLeft,
		Low: s.window.low, Next: s.window.next, Window: s.window.size(), Certificate: c.coin.Certificate,
	}
	return info.Append(nil), apdu.OK, nil
}

func (c *Card) coinStatus(data []byte) ([]byte, apdu.SW, error) {
	index, err := observer.ParseIndex(data)
	if err != nil {
		return refuse(apdu.WrongData)
	}
	return c.coin.state.status(index).Append(nil), apdu.OK, nil
}

// prepareCoins shows B_O of a range. What lies behind next is reserved on the
// memory first, so that no two coins are ever made with one index; what lies before
// it is shown again, which is how a wallet comes back after a torn command, or from
// its seed.
func (c *Card) prepareCoins(data []byte) ([]byte, apdu.SW, error) {
	r, err := observer.ParsePrepare(data)
	w := &c.coin.state.window
	switch {
	case err != nil:
		return refuse(apdu.WrongData)
	case r.First > w.next:
		return refuse(apdu.DataNotFound)
	case !w.fits(r):
		return refuse(apdu.NotEnoughSpace)
	case r.End() > uint64(w.next):
		if err := c.commitCoins(func(s *coins) { s.window.prepare(r) }); err != nil {
			return nil, 0, err
		}
	}
	var points []byte
	for i := range uint32(r.Count) {
		b := c.coin.observer.Nonce(r.First + i).Bytes()
		points = append(points, b[:]...)
	}
	return points, apdu.OK, nil
}

// answerCoin answers a challenge: once for each index, for ever. The index is
// closed on the memory before the answer exists; the same challenge again gets the
// same answer while the card remembers it, because the first answer may have been
// lost on its way.
func (c *Card) answerCoin(data []byte) ([]byte, apdu.SW, error) {
	q, err := observer.ParseAnswer(data)
	if err != nil {
		return refuse(apdu.WrongData)
	}
	d, err := brands.ParseScalar(q.Challenge[:])
	if err != nil {
		return refuse(apdu.WrongData)
	}
	switch was := c.coin.state.status(q.Index); was.State {
	case observer.Unknown:
		return refuse(apdu.DataNotFound)
	case observer.Closed:
		return refuse(apdu.DataInvalidated)
	case observer.Answered:
		if was.Challenge != q.Challenge {
			return refuse(apdu.DataInvalidated)
		}
	case observer.Open:
		if sw := c.airAllows(); sw != apdu.OK {
			return refuse(sw)
		}
		if err := c.commitCoins(func(s *coins) { s.answer(q); s.airLeft -= c.airCost() }); err != nil {
			return nil, 0, err
		}
	}
	r := c.coin.observer.Answer(q.Index, d).Bytes()
	return r[:], apdu.OK, nil
}

// airCost is what an answer takes from the answers left over the air.
func (c *Card) airCost() uint8 {
	if c.session.iface == Contactless && c.state.hasPIN() {
		return 1
	}
	return 0
}

func (c *Card) airAllows() apdu.SW {
	switch {
	case c.airCost() == 0:
		return apdu.OK
	case c.state.pinTries == 0:
		return apdu.AuthMethodBlocked
	case c.coin.state.airLeft == 0:
		return apdu.ConditionsNotMet
	}
	return apdu.OK
}

// retireCoins gives up every open index below one, so that new ones find room.
func (c *Card) retireCoins(data []byte) ([]byte, apdu.SW, error) {
	below, err := observer.ParseIndex(data)
	w := &c.coin.state.window
	switch {
	case err != nil:
		return refuse(apdu.WrongData)
	case below > w.next:
		return refuse(apdu.DataNotFound)
	case below <= w.low:
		return nil, apdu.OK, nil
	}
	return nil, apdu.OK, c.commitCoins(func(s *coins) { s.window.retire(below) })
}

// pairWallet takes the key of the wallet that may speak over the air; the wallet
// before it may no longer.
func (c *Card) pairWallet(data []byte) ([]byte, apdu.SW, error) {
	key, err := observer.NewSecret(data)
	if err != nil {
		return refuse(apdu.WrongData)
	}
	if key.Equal(c.coin.state.pairing) {
		return nil, apdu.OK, nil
	}
	return nil, apdu.OK, c.commitCoins(func(s *coins) { s.pairing = key })
}

package wallet

import (
	"maps"
	"slices"

	"jiaozi/crypt/brands"
	"jiaozi/crypt/phrase"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// Bounds of a wallet. They are far above use and keep a damaged file from asking
// for memory.
const (
	maxHoldings = 20000
	maxRecords  = 5000 // requests, payments, operations, refused coins: of each
)

// state is all that the wallet remembers: one value, replaced whole by each Save.
type state struct {
	network  brands.Network
	currency money.Currency
	words    phrase.Phrase
	card     []byte   // A_O, empty without a card
	mint     [32]byte // the key under which the mint signs, pinned with the network
	account  string   // at the mint; "" until enrolled
	restored bool     // the mint has not been asked yet which coins there are
	serial   uint64   // every serial below may have been used
	seen     int64    // the latest time seen: a clock put back revives no coin

	keys     [][]byte // brands.PublicKey
	last     map[brands.KeyID]uint64
	holdings []holding
	blanks   []blank
	takings  []taking
	asked    []asked
	sent     []sent
	ops      []op
	refused  []refused
}

// status is where a coin stands. Numbers are for ever.
type status byte

const (
	free        status = 1 // available
	paying      status = 2 // answered, or about to, in the payment named by .in
	depositing  status = 3 // in an operation
	recoverable status = 4 // the mint must be asked before anything is done with it
	claiming    status = 5 // in an operation
)

func (s status) known() bool { return s >= free && s <= claiming }

// holding is money whose last coin is ours. What the pointers show never changes.
type holding struct {
	money  *brands.Money
	own    *brands.Own // of the last coin: the head, or a blank that received
	index  uint32      // of the card's nonce in own
	node   uint16      // of a note that was withdrawn: this node and all below it; 0 else
	value  money.Minor
	status status
	in     [32]byte // digest of the request that it pays; zeros else
}

// id is the last coin's, or the node's: no two holdings share one.
func (h *holding) id() brands.CoinID { return nodeID(h.money.Last().ID(), h.node) }

// withdrawn reports whether the money came from the mint to us, so that it can be
// claimed; other money can only be paid or deposited.
func (h *holding) withdrawn() bool { return h.money.Hops() == 0 }

// blank is a coin of no value that waits to receive. It receives once: then it is
// part of a holding.
type blank struct {
	own   *brands.Own
	index uint32
	in    [32]byte // digest of the request that shows it; zeros if none does
}

// taking is money bound to our account: it can only be deposited.
type taking struct {
	payment *brands.Payment
	terms   coin.Terms
	value   money.Minor
}

// id is the last coin's, or the node's: one payment may hold two pieces of a note.
func (t *taking) id() brands.CoinID {
	m := &t.payment.Money
	if m.Piece != nil && m.Hops() == 0 {
		return nodeID(m.Head.ID(), m.Piece.Node)
	}
	return m.Last().ID()
}

// handover is one coin of ours on its way: to a blank, or to terms if there is none.
type handover struct {
	coin brands.CoinID
	to   []byte // brands.Coin of the blank
}

// asked is a request of ours.
type asked struct {
	request []byte // coin.Request as it was sent
	digest  [32]byte
	expires int64
	payment [32]byte   // digest of the payment that was taken; zeros while open
	change  []handover // what the receipt gives back
	receipt []byte     // coin.Receipt; empty until the change has been signed
}

func (a *asked) open() bool { return a.payment == [32]byte{} }

// sent is a payment of ours. While it is not settled its coins are pending.
type sent struct {
	request []byte // coin.Request as it came
	digest  [32]byte
	expires int64
	coins   []handover
	over    money.Minor     // change that is wanted
	divide  []brands.CoinID // notes to split first; never stored
	payment []byte          // coin.Payment; empty until every coin has answered
	settled bool
}

// opKind says what an operation does. Numbers are for ever.
type opKind byte

const (
	opWithdraw opKind = 1
	opDeposit  opKind = 2
	opClaim    opKind = 3
	opRecover  opKind = 4
)

func (k opKind) known() bool { return k >= opWithdraw && k <= opRecover }

// op is an operation with the mint that is not over. Operations are ended in
// order; each step of one may be repeated.
type op struct {
	kind   opKind
	amount money.Minor // withdraw: what is not planned yet
	group  string      // withdraw: for this group of merchants
	plan   []planned   // withdraw: coins to come; recover: keys to ask for
	round  []session   // withdraw: challenges that may be out
	from   uint64      // recover: the session from which to ask, of the first key
	terms  coin.Terms  // deposit
	coins  []brands.CoinID
	anew   bool // deposit, claim: withdraw again what is credited
}

// planned is a number of coins of one key.
type planned struct {
	key   brands.KeyID
	value money.Minor
	count uint32
}

// session is one open withdrawal: all that makes its challenge again.
type session struct {
	key        brands.KeyID
	value      money.Minor
	number     uint64
	commitment []byte
	index      uint32 // of the card's nonce
}

// refused is money that the mint will not pay for, and why.
type refused struct {
	coin  brands.CoinID
	value money.Minor
	code  coin.Code
	guilt []byte // coin.GuiltFile, if somebody paid the coin twice
}

// clone copies what a change may touch.
func (s *state) clone() *state {
	c := *s
	c.keys, c.last = slices.Clone(s.keys), maps.Clone(s.last)
	c.holdings, c.blanks, c.takings = slices.Clone(s.holdings), slices.Clone(s.blanks), slices.Clone(s.takings)
	c.asked, c.sent, c.refused = slices.Clone(s.asked), slices.Clone(s.sent), slices.Clone(s.refused)
	c.ops = slices.Clone(s.ops)
	for i := range c.ops {
		o := &c.ops[i]
		o.plan, o.round, o.coins = slices.Clone(o.plan), slices.Clone(o.round), slices.Clone(o.coins)
	}
	return &c
}

func (s *state) holding(id brands.CoinID) *holding {
	for i := range s.holdings {
		if s.holdings[i].id() == id {
			return &s.holdings[i]
		}
	}
	return nil
}

func (s *state) blank(id brands.CoinID) *blank {
	for i := range s.blanks {
		if c := s.blanks[i].own.Coin(); c.ID() == id {
			return &s.blanks[i]
		}
	}
	return nil
}

func (s *state) askedFor(digest [32]byte) *asked {
	for i := range s.asked {
		if s.asked[i].digest == digest {
			return &s.asked[i]
		}
	}
	return nil
}

func (s *state) sentFor(digest [32]byte) *sent {
	for i := range s.sent {
		if s.sent[i].digest == digest {
			return &s.sent[i]
		}
	}
	return nil
}

// take removes the blank and gives it.
func (s *state) takeBlank(id brands.CoinID) blank {
	b := *s.blank(id)
	s.blanks = slices.DeleteFunc(s.blanks, func(b blank) bool { c := b.own.Coin(); return c.ID() == id })
	return b
}

// drop forgets holdings that are somebody else's now.
func (s *state) drop(gone func(*holding) bool) {
	s.holdings = slices.DeleteFunc(s.holdings, func(h holding) bool { return gone(&h) })
}

// release lets the blanks of a request or payment be shown again.
func (s *state) release(digest [32]byte) {
	for i := range s.blanks {
		if s.blanks[i].in == digest {
			s.blanks[i].in = [32]byte{}
		}
	}
}

// keptDays is how long what is over is remembered, so that the same question still
// gets the same answer.
const keptDays = 7

// prune forgets what nobody can ask for any more.
func (s *state) prune(now int64) {
	over := func(expires int64) bool { return now > expires+keptDays*daySeconds }
	s.asked = slices.DeleteFunc(s.asked, func(a asked) bool {
		gone := over(a.expires) && (a.open() || len(a.receipt) > 0)
		if gone {
			s.release(a.digest)
		}
		return gone
	})
	s.sent = slices.DeleteFunc(s.sent, func(p sent) bool {
		gone := over(p.expires) && p.settled
		if gone {
			s.release(p.digest)
		}
		return gone
	})
}

const daySeconds = 24 * 60 * 60

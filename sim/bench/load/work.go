package load

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"time"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/money"
)

// The mix: what a shard of an issuer sees in a busy hour. Of a hundred commands,
// ninety spend, five reserve and five capture what was reserved before. Every
// command takes a once-key, as a coin or a tap does.
const (
	holdsPercent    = 5
	capturesPercent = 5
	hotPayees       = 4

	onceSpace  = "tap"
	event      = "load"
	currency   = money.CNY
	startMinor = 100_000_000 // of every account; no command takes more than maxMinor
	maxMinor   = 100
)

var today = clock.DateOf(time.Date(2026, 11, 22, 12, 0, 0, 0, clock.Zone))

// workload makes commands that the book accepts: no account runs out, no hold
// is captured before it was surely answered.
type workload struct {
	bytes    *rand.ChaCha8
	pick     *rand.Rand
	accounts []book.AccountID
	lag      int
	made     int    // commands so far
	held     []held // open holds, oldest first
}

type held struct {
	id    book.ID
	payer int
	minor money.Minor
	at    int // the command that made it
}

// newWorkload draws its seed anew, so that a store that was used before has none
// of the ids.
func newWorkload(accounts, lag int) *workload {
	var seed [32]byte
	crand.Read(seed[:]) // never fails
	w := &workload{bytes: rand.NewChaCha8(seed), accounts: make([]book.AccountID, accounts), lag: lag}
	w.pick = rand.New(w.bytes)
	for i := range w.accounts {
		w.fill(w.accounts[i][:])
	}
	return w
}

func (w *workload) fill(b []byte) { _, _ = w.bytes.Read(b) } // never fails

func (w *workload) id() (id book.ID) {
	w.fill(id[:])
	return id
}

// forget leaves the open holds alone from now on: some were perhaps never sent.
func (w *workload) forget() { w.held = nil }

// batch is the commands of one call, and the same work for the bare core.
type batch struct {
	cmds  []book.Command
	moves []move
}

// move is what is left of a command when everything but the money is gone.
type move struct {
	id       book.ID
	from, to book.AccountID
	minor    money.Minor
}

// slab is the memory of a batch, taken at once: commands share it, but no two
// touch the same part of it.
type slab struct {
	legs []book.Leg
	once []book.Once
	keys []byte
}

const keyBytes = 32

func newSlab(n int) *slab {
	return &slab{make([]book.Leg, 0, 2*n), make([]book.Once, 0, n), make([]byte, 0, n*keyBytes)}
}

// spends makes n commands of the mix. Payees are drawn from all accounts, or
// from as many as hot says.
func (w *workload) spends(n, hot int) batch {
	b := batch{make([]book.Command, n), make([]move, n)}
	s := newSlab(n)
	for i := range n {
		w.command(&b.cmds[i], &b.moves[i], s, hot)
	}
	return b
}

func (w *workload) command(c *book.Command, m *move, s *slab, hot int) {
	payer := w.pick.IntN(len(w.accounts))
	c.ID, c.Event, c.Date = w.id(), event, today
	minor := money.Minor(1 + w.pick.IntN(maxMinor))
	switch dice := w.pick.IntN(100); {
	case dice < holdsPercent:
		c.Kind = book.Hold
		copy(c.ID[:2], w.accounts[payer][:]) // a hold lives in the part of its account
		w.held = append(w.held, held{c.ID, payer, minor, w.made})
	case dice < holdsPercent+capturesPercent && len(w.held) > 0 && w.held[0].at+w.lag <= w.made:
		h := w.held[0]
		w.held = w.held[1:]
		c.Kind, c.Hold, c.Final, payer, minor = book.Capture, h.id, true, h.payer, h.minor
	}
	w.made++
	*m = move{c.ID, w.accounts[payer], w.accounts[w.payee(payer, hot)], minor}
	c.Legs = s.pay(m, c.Kind == book.Hold)
	c.Once = s.key(w)
}

// payee draws an account other than the payer's.
func (w *workload) payee(payer, hot int) int {
	if hot == 0 {
		hot = len(w.accounts)
	}
	n := w.pick.IntN(hot)
	if n == payer {
		n = (n + 1) % hot
	}
	return n
}

func (s *slab) pay(m *move, hold bool) []book.Leg {
	from := len(s.legs)
	sum := money.New(currency, m.minor)
	s.legs = append(s.legs, book.Leg{Account: m.from, Side: book.Debit, Amount: sum})
	if !hold {
		s.legs = append(s.legs, book.Leg{Account: m.to, Side: book.Credit, Amount: sum})
	}
	return s.legs[from:len(s.legs):len(s.legs)]
}

func (s *slab) key(w *workload) []book.Once {
	at, from := len(s.keys), len(s.once)
	s.keys = s.keys[:at+keyBytes]
	key := s.keys[at:len(s.keys):len(s.keys)]
	w.fill(key)
	s.once = append(s.once, book.Once{Space: onceSpace, Key: key, Value: key[:16:16]})
	return s.once[from:len(s.once):len(s.once)]
}

// keysOnly makes n commands that only take a once-key.
func (w *workload) keysOnly(n int) batch {
	b := batch{cmds: make([]book.Command, n)}
	s := newSlab(n)
	for i := range b.cmds {
		c := &b.cmds[i]
		c.ID, c.Event, c.Date, c.Once = w.id(), event, today, s.key(w)
	}
	return b
}

// open opens accounts in a store.
func (w *workload) open(ctx context.Context, s Store, accounts []book.AccountID) error {
	for _, c := range w.openings(accounts) {
		if err := apply(ctx, s, []book.Command{c}); err != nil {
			return fmt.Errorf("open accounts: %w", err)
		}
	}
	return nil
}

// openings gives commands that open the accounts and put money on each, as many
// accounts in one as a command may hold. The money comes from an account of the
// bank that may go negative.
func (w *workload) openings(accounts []book.AccountID) []book.Command {
	var cmds []book.Command
	bank := book.Account{ID: book.AccountID(w.id()), Name: "cash of the load", Normal: book.Debit, Currency: currency}
	for len(accounts) > 0 {
		n := min(len(accounts), book.MaxLegs-1)
		c := book.Command{ID: w.id(), Event: event, Date: today, Open: []book.Account{bank}}
		c.Legs = append(c.Legs, book.Leg{Account: bank.ID, Side: book.Debit, Amount: money.New(currency, money.Minor(n)*startMinor)})
		for _, id := range accounts[:n] {
			c.Open = append(c.Open, book.Account{ID: id, Name: fmt.Sprintf("customer %x", id[:6]), Normal: book.Credit, Currency: currency, NeverNegative: true})
			c.Legs = append(c.Legs, book.Leg{Account: id, Side: book.Credit, Amount: money.New(currency, startMinor)})
		}
		cmds, accounts = append(cmds, c), accounts[n:]
	}
	return cmds
}

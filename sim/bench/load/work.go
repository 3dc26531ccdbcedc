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

// order is a command in a flat form, without pointers: as many as a round needs
// can lie ready, and the collector does not look at them. A clerk makes commands
// of them, the bare core takes them as they are.
type order struct {
	id, hold book.ID
	from, to book.AccountID
	key      [keyBytes]byte
	minor    money.Minor // 0 = only the key is taken
	kind     book.Kind
}

const (
	keyBytes   = 32
	orderBytes = 112
)

// spends draws n commands of the mix. Payees are drawn from all accounts, or
// from as many as hot says.
func (w *workload) spends(n, hot int) []order {
	list := make([]order, n)
	for i := range list {
		w.draw(&list[i], hot)
	}
	return list
}

func (w *workload) draw(o *order, hot int) {
	payer := w.pick.IntN(len(w.accounts))
	o.id, o.minor = w.id(), money.Minor(1+w.pick.IntN(maxMinor))
	switch dice := w.pick.IntN(100); {
	case dice < holdsPercent:
		o.kind = book.Hold
		o.id = o.id.At(w.accounts[payer].Part()) // a hold lives where its account does
		w.held = append(w.held, held{o.id, payer, o.minor, w.made})
	case dice < holdsPercent+capturesPercent && len(w.held) > 0 && w.held[0].at+w.lag <= w.made:
		h := w.held[0]
		w.held = w.held[1:]
		o.kind, o.hold, payer, o.minor = book.Capture, h.id, h.payer, h.minor
	}
	w.made++
	o.from, o.to = w.accounts[payer], w.accounts[w.payee(payer, hot)]
	w.fill(o.key[:])
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

// keysOnly draws n commands that only take a once-key.
func (w *workload) keysOnly(n int) []order {
	list := make([]order, n)
	for i := range list {
		list[i].id = w.id()
		w.fill(list[i].key[:])
	}
	return list
}

// clerk makes commands of orders, in memory that it uses again.
type clerk struct {
	cmds []book.Command
	legs []book.Leg
	once []book.Once
}

// write gives the commands; they are good until the next call.
func (c *clerk) write(orders []order) []book.Command {
	c.room(len(orders))
	for i := range orders {
		c.one(i, &orders[i])
	}
	return c.cmds[:len(orders)]
}

// room makes room for n commands.
func (c *clerk) room(n int) {
	if n > len(c.cmds) {
		c.cmds, c.legs, c.once = make([]book.Command, n), make([]book.Leg, 2*n), make([]book.Once, n)
	}
}

// bytes is what the clerk holds in memory.
func (c *clerk) bytes() uint64 {
	const perCommand = 592 // with its legs and its key
	return perCommand * uint64(len(c.cmds))
}

func (c *clerk) one(i int, o *order) {
	c.once[i] = book.Once{Space: onceSpace, Key: o.key[:], Value: o.key[:16]}
	cmd := book.Command{ID: o.id, Kind: o.kind, Event: event, Date: today, Hold: o.hold, Final: o.kind == book.Capture, Once: c.once[i : i+1 : i+1]}
	if o.minor != 0 {
		sum := money.New(currency, o.minor)
		legs := c.legs[2*i : 2*i+2 : 2*i+2]
		legs[0] = book.Leg{Account: o.from, Side: book.Debit, Amount: sum}
		legs[1] = book.Leg{Account: o.to, Side: book.Credit, Amount: sum}
		if o.kind == book.Hold {
			legs = legs[:1:1]
		}
		cmd.Legs = legs
	}
	c.cmds[i] = cmd
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

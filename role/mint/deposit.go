package mint

import (
	"context"
	"fmt"
	"time"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/crypt/brands"
	"jiaozi/value/clock"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// desk handles one deposit.
type desk struct {
	*Mint
	terms brands.Digest
	group string
	payee *payee
	keys  keyring
	now   time.Time
	date  clock.Date
	items []*deposited
}

// deposited is one coin on the desk.
type deposited struct {
	pay    *brands.Payment
	key    *coinKey
	id     brands.CoinID
	points []brands.Point3
	value  money.Amount
	over   bool   // too late to be paid, but not to be told what became of it
	late   *spent // its owner claimed it before
	broke  bool   // and does not hold its value any more
	out    coin.DepositedItem
}

func (d *deposited) end(code coin.Code) {
	d.out.Code = code
	if code.Paid() {
		d.out.Value = d.value
	}
}

func (d *deposited) open() bool { return d.out.Code == 0 }

// deposit takes coins, each by itself. All signatures and lines are verified in one
// batch; then the book decides, in rounds, because the pieces of one note must be
// decided one after the other.
func (m *Mint) deposit(ctx context.Context, q *coin.Deposit, now time.Time) (coin.Message, error) {
	if brands.Network(q.Network) != m.cfg.Network {
		return refuse(coin.WrongNetwork), nil
	}
	if q.Amount.Currency() != m.cfg.Currency {
		return refuse(coin.WrongCurrency), nil
	}
	p, err := m.payee(ctx, q.Payee)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return refuse(coin.UnknownAccount), nil
	}
	d := &desk{Mint: m, terms: m.terms(&q.Terms), group: q.Group, payee: p, keys: keyring{}, now: now, date: clock.DateOf(now)}
	for i, raw := range q.Items {
		item, err := d.admit(ctx, raw, q.Aid(i))
		if err != nil {
			return nil, err
		}
		d.items = append(d.items, item)
	}
	if err := d.verify(); err != nil {
		return nil, err
	}
	if err := d.run(ctx); err != nil {
		return nil, err
	}
	out := &coin.Deposited{}
	for _, item := range d.items {
		out.Items = append(out.Items, item.out)
	}
	return out, nil
}

// terms are what the coins are bound to, as the payer hashed them.
func (m *Mint) terms(t *coin.Terms) brands.Digest {
	b := brands.Terms{
		Network: m.cfg.Network, Payee: brands.PayeeOf(m.cfg.Network, t.Payee), Currency: t.Amount.Currency(), Amount: t.Amount.Minor(),
		Time: t.Time, Nonce: t.Nonce, Contract: t.Contract, Group: t.Group,
	}
	return b.Digest()
}

// admit reads a coin and refuses what needs no arithmetic. The time in the terms is
// the payee's and is not judged: a till with a wrong clock must not lose its money.
func (d *desk) admit(ctx context.Context, raw, aid []byte) (*deposited, error) {
	item := &deposited{}
	pay, err := brands.ParseAidedPayment(raw, aid)
	if err != nil {
		item.end(coin.Invalid)
		return item, nil
	}
	known, err := d.add(ctx, d.keys, pay.Head.Key())
	for i := 0; i < len(pay.Links) && known && err == nil; i++ {
		known, err = d.add(ctx, d.keys, pay.Links[i].Next.Key())
	}
	if err != nil {
		return nil, err
	}
	if !known {
		item.end(coin.UnknownKey)
		return item, nil
	}
	item.pay, item.key = pay, d.keys[pay.Head.Key()]
	value, bad := pay.Value(d.keys)
	switch {
	case bad != nil || value.Sign() <= 0:
		item.end(coin.Invalid)
	case d.now.Unix() < item.key.info.From:
		item.end(coin.NotYet)
	case !d.payee.takes(item.key.info.Group, d.group):
		item.end(coin.GroupMismatch)
	}
	item.value, item.over = value, d.now.Unix() >= item.key.info.DepositUntil
	return item, nil
}

// verify checks all signatures and lines at once.
func (d *desk) verify() error {
	var pays []*brands.Payment
	var terms []brands.Digest
	var of []*deposited
	for _, item := range d.items {
		if item.open() {
			pays, terms, of = append(pays, item.pay), append(terms, d.terms), append(of, item)
		}
	}
	if len(pays) == 0 {
		return nil
	}
	bad, err := brands.VerifyBatchVartime(d.keys, pays, terms, d.rand)
	if err != nil {
		return fmt.Errorf("mint %s: verify a deposit: %w", d.cfg.Inst, err)
	}
	for _, i := range bad {
		of[i].end(coin.Invalid)
	}
	for _, item := range of {
		if item.open() {
			item.id, item.points = item.pay.Head.ID(), item.pay.Points(d.terms)
		}
	}
	return nil
}

// maxRounds bounds the rounds of one deposit: all of its coins may be pieces of one
// note, each overtaken by others.
const maxRounds = coin.MaxItems + maxRetries

// run has the book decide. In a round every coin contributes its command, and of
// each note one piece.
func (d *desk) run(ctx context.Context) error {
	for range maxRounds {
		var cmds []book.Command
		var waiting []*deposited
		busy := make(map[brands.CoinID]bool)
		left := false
		for _, item := range d.items {
			if !item.open() {
				continue
			}
			left = true
			if item.pay.Piece != nil && busy[item.id] {
				continue
			}
			busy[item.id] = true
			cmd, err := d.command(ctx, item)
			if err != nil {
				return err
			}
			if cmd != nil {
				cmds, waiting = append(cmds, *cmd), append(waiting, item)
			}
		}
		if !left {
			return nil
		}
		if len(cmds) == 0 {
			continue // what was decided without the book
		}
		results, err := d.apply(ctx, cmds...)
		if err != nil {
			return err
		}
		for i, item := range waiting {
			if err := d.conclude(ctx, item, results[i]); err != nil {
				return err
			}
		}
	}
	return d.busy("deposit")
}

// command is the next step of a coin; nil if the coin was decided without one.
func (d *desk) command(ctx context.Context, item *deposited) (*book.Command, error) {
	if item.over {
		return nil, d.tooLate(ctx, item)
	}
	if item.pay.Piece != nil {
		return d.pieceCommand(ctx, item)
	}
	kept := &spent{kind: spentPaid, name: d.payee.name, value: item.value.Minor(), points: item.points}
	space := spaceSpent
	if item.late != nil {
		space = spaceLate
	}
	cmd := d.pay(item, item.id[:])
	cmd.Once = []book.Once{{Space: d.space(space), Key: item.id[:], Value: kept.record()}}
	cmd.ID = book.DeriveID(cmd.Event, string(d.cfg.Inst), space, item.id[:], kept.record(), between(&cmd), d.date)
	return &cmd, nil
}

// pay is the money of a coin's command, without its records: out of what is
// outstanding, or out of the claimant's account if the coin was claimed.
func (d *desk) pay(item *deposited, id []byte) book.Command {
	part := partOf(item.id)
	to, outs := d.credit(part, "pay", id, d.payee, item.value)
	posting := chart.CoinDeposit(item.key.at(d.Mint, part), to, item.value)
	closed := []book.AccountID{}
	if d.payee.own {
		closed = append(closed, d.payee.account.ID)
	}
	if item.late != nil {
		from, more := d.collect(part, id, item)
		outs = append(outs, more...)
		posting = chart.CoinClaimedSpent(from, to, item.value)
		closed = append(closed, d.customer(item.late.name).ID)
	}
	for _, id := range closed {
		posting.Open = withoutAccount(posting.Open, id)
	}
	cmd := posting.Command(book.ID{}, d.date)
	cmd.Out = outs
	if item.broke {
		cmd.Note = []byte(d.customer(item.late.name).Name) // who owes it: suspense has no other memory of him
	}
	return cmd
}

// conclude takes the book's answer.
func (d *desk) conclude(ctx context.Context, item *deposited, r book.Result) error {
	switch r.Code {
	case book.OK:
		item.end(done(r, item.late != nil))
		return nil
	case book.VersionConflict: // the note changed meanwhile
		return nil
	case book.Exists:
		if item.pay.Piece != nil {
			return nil // its record changed too: look again
		}
		return d.known(ctx, item, r.Prior)
	case book.Insufficient:
		if item.late != nil && !item.broke {
			item.broke = true
			return nil
		}
		return fmt.Errorf("mint %s, epoch %d: %w", d.cfg.Inst, item.key.info.Epoch, ErrForged)
	case book.AccountClosed, book.UnknownAccount:
		return d.shut(ctx, item)
	}
	return d.unexpected("deposit a coin", r)
}

// done tells what was booked now from what the same command had booked before.
func done(r book.Result, late bool) coin.Code {
	switch {
	case r.Replayed:
		return coin.Replayed
	case late:
		return coin.AfterClaim
	}
	return coin.Accepted
}

// known judges a coin that the mint has seen before.
func (d *desk) known(ctx context.Context, item *deposited, prior []byte) error {
	had, err := readSpent(prior)
	if err != nil {
		return err
	}
	if had.kind == spentClaimed {
		item.late = had
		return nil
	}
	return d.compare(ctx, item, had.points)
}

// tooLate pays nothing for a coin whose time is over, and gives the first answer again
// if it came in time: who lost that answer has the money.
func (d *desk) tooLate(ctx context.Context, item *deposited) error {
	key := item.id[:]
	if item.pay.Piece != nil {
		key = nodeKey(item.id, item.pay.Piece.Node)
	}
	had, err := d.lookSpent(ctx, spaceSpent, key)
	if err == nil && had != nil && had.kind == spentClaimed {
		had, err = d.lookSpent(ctx, spaceLate, key)
	}
	switch {
	case err != nil:
		return err
	case had == nil || had.kind != spentPaid:
		item.end(coin.Expired)
		return nil
	}
	return d.compare(ctx, item, had.points)
}

// compare tells a payment that came again from another payment of the same coin.
func (d *desk) compare(ctx context.Context, item *deposited, first []brands.Point3) error {
	guilt, err := item.pay.AccuseVartime(d.terms, first)
	if err != nil {
		return fmt.Errorf("mint %s: compare two payments: %w", d.cfg.Inst, err)
	}
	if guilt == nil {
		item.end(coin.Replayed)
		return nil
	}
	return d.accuse(ctx, item, guilt)
}

func (d *desk) accuse(ctx context.Context, item *deposited, guilt *brands.Guilt) error {
	file, err := d.Mint.accuse(ctx, d.keys, guilt, d.now)
	if err != nil {
		return err
	}
	item.out.Guilt = file
	item.end(coin.DoubleSpent)
	return nil
}

// shut finds out which account is closed: a claimant's, then the issuer steps in;
// that of the epoch, or the payee's.
func (d *desk) shut(ctx context.Context, item *deposited) error {
	if item.late != nil && !item.broke {
		item.broke = true
		return nil
	}
	over, err := d.expired(ctx, item.key.info.Epoch, d.cfg.Place(partOf(item.id)))
	if err != nil {
		return err
	}
	item.end(coin.AccountClosed)
	if over {
		item.end(coin.Expired)
	}
	return nil
}

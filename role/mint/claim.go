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

// A claim credits a coin that a restored wallet cannot know to be unspent. Its proof
// does not touch the coin's line, so a payment that comes later accuses nobody:
// the payee gets the value from the claimant.

// counter handles the claims of one account.
type counter struct {
	*Mint
	holder *holder
	to     *payee
	now    time.Time
	date   clock.Date
}

func (m *Mint) claim(ctx context.Context, h *holder, q *coin.Claim, now time.Time) (coin.Message, error) {
	c := &counter{Mint: m, holder: h, now: now, date: clock.DateOf(now),
		to: &payee{name: h.account, account: m.customer(h.account), own: true}}
	out := &coin.Claimed{}
	for i := range q.Items {
		item, err := c.one(ctx, &q.Items[i])
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

func (c *counter) one(ctx context.Context, q *coin.ClaimItem) (coin.ClaimedItem, error) {
	lost, k, code, err := c.read(ctx, q)
	if code != 0 || err != nil {
		return coin.ClaimedItem{Code: code}, err
	}
	for range maxRetries {
		var item coin.ClaimedItem
		if k.info.Kind == brands.KindNote {
			item, err = c.rest(ctx, lost, k)
		} else {
			item, err = c.whole(ctx, lost, k)
		}
		if item.Code != 0 || err != nil {
			return item, err
		}
	}
	return coin.ClaimedItem{}, c.busy("claim")
}

// read checks coin and proof.
func (c *counter) read(ctx context.Context, q *coin.ClaimItem) (*brands.Coin, *coinKey, coin.Code, error) {
	lost, bad := brands.ParseCoin(q.Coin)
	proof, worse := brands.ParseClaim(q.Proof)
	if bad != nil || worse != nil {
		return nil, nil, coin.Invalid, nil
	}
	k, err := c.key(ctx, lost.Key())
	switch {
	case err != nil:
		return nil, nil, 0, err
	case k == nil:
		return nil, nil, coin.UnknownKey, nil
	case c.now.Unix() >= k.info.DepositUntil:
		return nil, nil, coin.Expired, nil
	case k.info.Kind == brands.KindBlank, lost.VerifyVartime(k.public) != nil:
		return nil, nil, coin.Invalid, nil
	case proof.VerifyVartime(&lost, c.holder.identity) != nil:
		return nil, nil, coin.NotYours, nil
	}
	return &lost, k, 0, nil
}

// whole claims a coin.
func (c *counter) whole(ctx context.Context, lost *brands.Coin, k *coinKey) (coin.ClaimedItem, error) {
	id, value := lost.ID(), k.value()
	cmd := c.pay(id, k, value)
	cmd.Once = []book.Once{{Space: c.space(spaceSpent), Key: id[:], Value: c.kept(value).record()}}
	cmd.ID = book.DeriveID(cmd.Event, string(c.cfg.Inst), id[:], cmd.Once[0].Value, c.date)
	r, err := c.book(ctx, cmd)
	if err != nil {
		return coin.ClaimedItem{}, err
	}
	if r.Code == book.Exists {
		had, err := readSpent(r.Prior)
		if err != nil {
			return coin.ClaimedItem{}, err
		}
		return c.before(had, k), nil
	}
	return c.verdict(r, value)
}

// rest claims what was not deposited of a note.
func (c *counter) rest(ctx context.Context, lost *brands.Coin, k *coinKey) (coin.ClaimedItem, error) {
	id := lost.ID()
	n, err := c.note(ctx, id)
	if err != nil {
		return coin.ClaimedItem{}, err
	}
	value := money.New(k.info.Currency, k.info.Value-n.back)
	switch {
	case n.claim != nil:
		return c.before(n.claim, k), nil
	case value.Sign() <= 0:
		return coin.ClaimedItem{Code: coin.Spent}, nil
	}
	next := *n
	next.claim = c.kept(value)
	cmd := c.pay(id, k, value)
	cmd.Put = []book.Put{{Space: c.space(spaceNote), Key: id[:], Expect: n.version, Value: next.record()}}
	cmd.ID = book.DeriveID(cmd.Event, string(c.cfg.Inst), id[:], n.version, cmd.Put[0].Value, c.date)
	r, err := c.book(ctx, cmd)
	if err != nil || r.Code == book.VersionConflict {
		return coin.ClaimedItem{}, err // look again
	}
	return c.verdict(r, value)
}

func (c *counter) kept(value money.Amount) *spent {
	return &spent{kind: spentClaimed, name: c.holder.account, value: value.Minor(), owner: c.holder.identity.Bytes()}
}

func (c *counter) pay(id brands.CoinID, k *coinKey, value money.Amount) book.Command {
	part := partOf(id)
	to, outs := c.credit(part, id[:], c.to, value)
	posting := chart.CoinClaim(k.at(c.Mint, part), to, value)
	posting.Open = withoutAccount(posting.Open, c.to.account.ID)
	cmd := posting.Command(book.ID{}, c.date)
	cmd.Out = outs
	return cmd
}

func (c *counter) book(ctx context.Context, cmd book.Command) (book.Result, error) {
	results, err := c.apply(ctx, cmd)
	if err != nil {
		return book.Result{}, err
	}
	return results[0], nil
}

// before answers a claim of what was claimed, or came back, before.
func (c *counter) before(had *spent, k *coinKey) coin.ClaimedItem {
	switch {
	case had.kind != spentClaimed:
		return coin.ClaimedItem{Code: coin.Spent}
	case had.owner != c.holder.identity.Bytes():
		return coin.ClaimedItem{Code: coin.NotYours}
	}
	return coin.ClaimedItem{Code: coin.Replayed, Value: money.New(k.info.Currency, had.value)}
}

func (c *counter) verdict(r book.Result, value money.Amount) (coin.ClaimedItem, error) {
	switch r.Code {
	case book.OK:
		return coin.ClaimedItem{Code: done(r, false), Value: value}, nil
	case book.Insufficient:
		return coin.ClaimedItem{}, fmt.Errorf("mint %s: claim: %w", c.cfg.Inst, ErrForged)
	case book.AccountClosed:
		return coin.ClaimedItem{Code: coin.AccountClosed}, nil
	case book.UnknownAccount:
		return coin.ClaimedItem{Code: coin.UnknownAccount}, nil
	}
	return coin.ClaimedItem{}, c.unexpected("claim a coin", r)
}

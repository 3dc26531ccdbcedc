package mint

import (
	"context"
	"fmt"
	"time"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/crypt/brands"
	"jiaozi/value/clock"
	"jiaozi/wire/coin"
)

// answered is a challenge that was answered.
type answered struct {
	c  brands.Scalar
	at int64 // Unix seconds
}

func (a answered) value() []byte {
	c, w := a.c.Bytes(), newRecord()
	w.fixed(c[:])
	w.uint(uint64(a.at))
	return w.b
}

func readAnswered(b []byte) (answered, error) {
	r := openRecord(b)
	c, err := brands.ParseScalar(r.fixed(brands.Size))
	r.bad = r.bad || err != nil
	a := answered{c: c, at: int64(r.uint(1<<62 - 1))}
	return a, r.done("answered challenge")
}

// challenge answers withdrawals, each by itself.
func (m *Mint) challenge(ctx context.Context, h *holder, q *coin.Challenge, now time.Time) (coin.Message, error) {
	out := &coin.Answer{}
	for _, i := range q.Items {
		item := coin.AnswerItem{Key: i.Key, Session: i.Session}
		k, err := m.key(ctx, i.Key)
		if err != nil {
			return nil, err
		}
		c, bad := brands.ParseScalar(i.C[:])
		switch {
		case k == nil:
			item.Code = coin.UnknownKey
		case bad != nil:
			item.Code = coin.Invalid
		case now.Unix() >= k.info.DepositUntil:
			item.Code = coin.Expired
		default:
			if item.Code, item.R, err = m.teller(h, k).answer(ctx, i.Session, c, now); err != nil {
				return nil, err
			}
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

// answer decides about one challenge. The challenge is on the disk, and the debit
// with it, before the answer is even computed.
func (t *teller) answer(ctx context.Context, n uint64, c brands.Scalar, now time.Time) (coin.Code, [32]byte, error) {
	for range maxRetries {
		s, err := t.session(ctx)
		if err != nil {
			return 0, [32]byte{}, err
		}
		var code coin.Code
		switch {
		case n == 0 || n > s.number:
			return coin.UnknownSession, [32]byte{}, nil
		case n < s.number || s.state == sessionAnswered:
			return t.recall(ctx, n, c)
		case s.state == sessionDeclined:
			return coin.Insufficient, [32]byte{}, nil
		case s.state == sessionDead:
			return coin.SessionDead, [32]byte{}, nil
		case !s.open(now):
			code, err = t.end(ctx, s, sessionDead, coin.SessionDead, now)
		default:
			code, err = t.issue(ctx, s, c, now)
		}
		if err != nil {
			return 0, [32]byte{}, err
		}
		if code.Paid() {
			return t.respond(code, n, c)
		}
		if code != 0 {
			return code, [32]byte{}, nil
		}
	}
	return 0, [32]byte{}, t.busy("answer a challenge")
}

// recall gives the first answer to the first challenge again, and refuses any
// other one.
func (t *teller) recall(ctx context.Context, n uint64, c brands.Scalar) (coin.Code, [32]byte, error) {
	first, found, err := t.answered(ctx, n)
	switch {
	case err != nil:
		return 0, [32]byte{}, err
	case !found:
		return coin.SessionDead, [32]byte{}, nil
	case first.c != c:
		return coin.OtherChallenge, [32]byte{}, nil
	}
	return t.respond(coin.Replayed, n, c)
}

func (t *teller) answered(ctx context.Context, n uint64) (answered, bool, error) {
	value, found, err := t.door.GetOnce(ctx, t.space(spaceAnswer), t.answerKey(n))
	if err != nil {
		return answered{}, false, fmt.Errorf("mint %s: look up an answered challenge: %w", t.cfg.Inst, err)
	}
	if !found {
		return answered{}, false, nil
	}
	a, err := readAnswered(value)
	return a, true, err
}

// respond computes the answer to the challenge that the book holds for session n.
func (t *teller) respond(code coin.Code, n uint64, c brands.Scalar) (coin.Code, [32]byte, error) {
	r, err := t.vault.CoinRespond(t.key.handle, t.digest(n), t.holder.identity, c)
	if err != nil {
		return 0, [32]byte{}, fmt.Errorf("mint %s: answer a challenge: %w", t.cfg.Inst, err)
	}
	return code, r.Bytes(), nil
}

// issue debits the account, keeps the challenge and closes the session: one
// command. 0 means that somebody was faster: look again.
func (t *teller) issue(ctx context.Context, s session, c brands.Scalar, now time.Time) (coin.Code, error) {
	date, key, next := clock.DateOf(now), t.answerKey(s.number), s
	next.state = sessionAnswered
	posting := chart.CoinIssue(t.key.at(t.Mint, t.home.Part()), t.holder.account, t.key.value())
	posting.Open = withoutAccount(posting.Open, t.home) // the bank opens customers' accounts, not the mint
	cmd := posting.Command(book.ID{}, date)
	cmd.Once = []book.Once{{Space: t.space(spaceAnswer), Key: key, Value: answered{c: c, at: now.Unix()}.value()}}
	cmd.Put = []book.Put{{Space: t.space(spaceSession), Key: t.sessionKey(), Expect: s.version, Value: next.record()}}
	cmd.ID = book.DeriveID(cmd.Event, string(t.cfg.Inst), key, s.version, cmd.Once[0].Value, date)
	results, err := t.apply(ctx, cmd)
	if err != nil {
		return 0, err
	}
	switch r := results[0]; r.Code {
	case book.OK:
		return done(r, false), nil
	case book.Exists, book.VersionConflict:
		return 0, nil
	case book.Insufficient:
		return t.end(ctx, s, sessionDeclined, coin.Insufficient, now)
	case book.UnknownAccount:
		return coin.UnknownAccount, nil
	case book.AccountClosed:
		return coin.AccountClosed, nil
	default:
		return 0, t.unexpected("issue a coin", r)
	}
}

// end closes a session without an answer, for ever.
func (t *teller) end(ctx context.Context, s session, state sessionState, code coin.Code, now time.Time) (coin.Code, error) {
	s.state = state
	switch written, err := t.write(ctx, s, clock.DateOf(now)); {
	case err != nil:
		return 0, err
	case written == book.VersionConflict:
		return 0, nil
	}
	return code, nil
}

func withoutAccount(list []book.Account, id book.AccountID) []book.Account {
	var out []book.Account
	for _, a := range list {
		if a.ID != id {
			out = append(out, a)
		}
	}
	return out
}

// recover lists the withdrawals of one key that were answered, a page at a time: a
// restored wallet makes its coins of them.
func (m *Mint) recover(ctx context.Context, h *holder, q *coin.Recover, now time.Time) (coin.Message, error) {
	k, err := m.key(ctx, q.Key)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return refuse(coin.UnknownKey), nil
	}
	if now.Unix() >= k.info.DepositUntil {
		return refuse(coin.Expired), nil
	}
	t := m.teller(h, k)
	newest, err := t.session(ctx)
	if err != nil {
		return nil, err
	}
	out := &coin.Recovered{Key: q.Key}
	for n := max(q.From, 1); n <= newest.number; n++ {
		a, found, err := t.answered(ctx, n)
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		if len(out.Items) == coin.MaxItems {
			out.More = true
			break
		}
		item, err := t.recovered(n, a)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

func (t *teller) recovered(n uint64, a answered) (coin.RecoveredItem, error) {
	com, err := t.commitment(session{number: n}, coin.Replayed)
	if err != nil {
		return coin.RecoveredItem{}, err
	}
	_, r, err := t.respond(coin.Replayed, n, a.c)
	return coin.RecoveredItem{Session: n, A: com.A, B: com.B, Image: com.Image, C: a.c.Bytes(), R: r, At: a.at}, err
}

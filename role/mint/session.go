package mint

import (
	"context"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"time"

	"jiaozi/book"
	"jiaozi/crypt/brands"
	"jiaozi/value/clock"
	"jiaozi/wire/coin"
)

// A withdrawal is a session of one account and one key. There is one record for
// both, which holds the newest session: so at most one is open.
//
//	none, answered, dead --Commit--> open, n+1
//	open                 --Commit--> the same n, a, b
//	open                 --c, in time, and the account holds enough--> answered: c kept for ever
//	open                 --too late, or the account does not hold enough--> dead
//
// Dead is for ever: its nonce is never used, and its challenge never answered.
type sessionState uint8

const (
	sessionOpen     sessionState = 1
	sessionAnswered sessionState = 2
	sessionDead     sessionState = 3
	sessionDeclined sessionState = 4 // dead, because the account did not hold enough
)

// session is the newest session of an account and a key.
type session struct {
	number   uint64
	state    sessionState
	deadline int64 // Unix seconds
	version  uint64
}

func (s *session) record() []byte {
	w := newRecord()
	w.uint(s.number)
	w.uint(uint64(s.state))
	w.uint(uint64(s.deadline))
	return w.b
}

func readSession(b []byte, version uint64) (session, error) {
	r := openRecord(b)
	s := session{number: r.uint(1<<63 - 1), state: sessionState(r.uint(uint64(sessionDeclined))), deadline: int64(r.uint(1<<62 - 1)), version: version}
	r.bad = r.bad || s.state < sessionOpen || s.number == 0
	return s, r.done("session")
}

// open reports whether a challenge can still be answered.
func (s *session) open(now time.Time) bool { return s.state == sessionOpen && now.Unix() < s.deadline }

// teller is one account at one key.
type teller struct {
	*Mint
	holder *holder
	key    *coinKey
	home   book.AccountID // of the customer: all records live there
}

func (m *Mint) teller(h *holder, k *coinKey) *teller {
	return &teller{Mint: m, holder: h, key: k, home: m.customer(h.account).ID}
}

func (t *teller) sessionKey() []byte {
	id := t.holder.identity.Bytes()
	return near(t.home, id[:], t.key.id[:])
}

func (t *teller) answerKey(n uint64) []byte {
	return binary.BigEndian.AppendUint64(t.sessionKey(), n)
}

// session reads the newest session; the zero session if there was none.
func (t *teller) session(ctx context.Context) (session, error) {
	value, version, err := t.door.Get(ctx, t.space(spaceSession), t.sessionKey())
	if err != nil {
		return session{}, fmt.Errorf("mint %s: read a session: %w", t.cfg.Inst, err)
	}
	if version == 0 {
		return session{}, nil
	}
	return readSession(value, version)
}

// digest names a session for the key's nonce.
func (t *teller) digest(n uint64) brands.Digest {
	id, h := t.holder.identity.Bytes(), sha512.New512_256()
	h.Write([]byte("jiaozi coin session v1"))
	h.Write(t.cfg.Network[:])
	h.Write(t.key.id[:])
	h.Write(id[:])
	h.Write(binary.BigEndian.AppendUint64(nil, n))
	return brands.Digest(h.Sum(nil))
}

// write puts the session's next state, if nobody changed it meanwhile.
func (t *teller) write(ctx context.Context, next session, date clock.Date) (book.Code, error) {
	value, key := next.record(), t.sessionKey()
	results, err := t.apply(ctx, book.Command{
		ID:    book.DeriveID(eventSession, string(t.cfg.Inst), key, next.version, value, date),
		Event: eventSession, Date: date,
		Put: []book.Put{{Space: t.space(spaceSession), Key: key, Expect: next.version, Value: value}},
	})
	if err != nil {
		return 0, err
	}
	switch code := results[0].Code; code {
	case book.OK, book.VersionConflict:
		return code, nil
	}
	return 0, t.unexpected("write a session", results[0])
}

// commit opens a withdrawal with each key that is asked for.
func (m *Mint) commit(ctx context.Context, h *holder, q *coin.Commit, now time.Time) (coin.Message, error) {
	out := &coin.Commitments{}
	for _, id := range q.Keys {
		k, err := m.key(ctx, id)
		if err != nil {
			return nil, err
		}
		item := coin.Commitment{Key: id, Code: issuable(k, now)}
		if item.Code == 0 {
			if item, err = m.teller(h, k).open(ctx, now); err != nil {
				return nil, err
			}
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

// issuable says why a key makes no coins now; 0 if it does.
func issuable(k *coinKey, now time.Time) coin.Code {
	switch {
	case k == nil:
		return coin.UnknownKey
	case now.Unix() < k.info.From, now.Unix() >= k.info.IssueUntil:
		return coin.IssueClosed
	}
	return 0
}

// open gives the open session, or opens the next one. Whoever asks again, in
// whatever number of callers, gets the same session and the same nonce.
func (t *teller) open(ctx context.Context, now time.Time) (coin.Commitment, error) {
	for range maxRetries {
		s, err := t.session(ctx)
		if err != nil {
			return coin.Commitment{}, err
		}
		if s.open(now) {
			return t.commitment(s, coin.Replayed)
		}
		next := session{number: s.number + 1, state: sessionOpen, deadline: now.Add(t.cfg.SessionLife).Unix(), version: s.version}
		code, err := t.write(ctx, next, clock.DateOf(now))
		if err != nil {
			return coin.Commitment{}, err
		}
		if code == book.OK {
			return t.commitment(next, coin.Accepted)
		}
	}
	return coin.Commitment{}, t.busy("open a withdrawal")
}

func (t *teller) commitment(s session, code coin.Code) (coin.Commitment, error) {
	c, err := t.vault.CoinCommit(t.key.handle, t.digest(s.number), t.holder.identity, t.holder.card != nil)
	if err != nil {
		return coin.Commitment{}, fmt.Errorf("mint %s: open a withdrawal: %w", t.cfg.Inst, err)
	}
	out := coin.Commitment{Key: t.key.id, Code: code, Session: s.number, Deadline: s.deadline, A: c.A.Bytes(), B: c.B.Bytes()}
	if c.Image != nil {
		out.Image = c.Image.Bytes()
	}
	return out, nil
}

package coins

import (
	"crypto/rand"
	"errors"
	"fmt"

	"jiaozi/crypt/brands"
	"jiaozi/sim/bench/load"
	"jiaozi/sim/bench/meter"
	"jiaozi/value/lang"
	"jiaozi/value/money"
)

// A town has a mint's keys, of which it is the ring, one holder and what the figures are taken of.
type town struct {
	brands.KeyRing
	coin, blank, note *brands.PrivateKey
	holder            *brands.Holder
	session           uint64
	terms             brands.Digest
	group             *group
	payments, aids    [][]byte // of different coins
}

var network = brands.Network{1}

// distinct payments are enough for a batch of any size: the work is the same when they come again.
const distinct = 1024

func newTown(largest int) (*town, error) {
	t := &town{holder: brands.NewHolder(brands.Digest{1}, network), terms: brands.Digest{2}}
	var err error
	if t.group, err = newGroup(1 + brands.MaxHops); err != nil {
		return nil, err
	}
	for _, k := range []struct {
		key   **brands.PrivateKey
		kind  brands.Kind
		value money.Minor
		depth uint8
	}{{&t.coin, brands.KindCoin, 100, 0}, {&t.blank, brands.KindBlank, 0, 0}, {&t.note, brands.KindNote, 6400, brands.MaxDepth}} {
		info := brands.KeyInfo{Network: network, Kind: k.kind, Currency: money.CNY, Value: k.value, Depth: k.depth, Epoch: 202611,
			IssueUntil: 1, SpendUntil: 2, DepositUntil: 3}
		if *k.key, err = brands.GenerateKey(info, rand.Reader); err != nil {
			return nil, err
		}
	}
	t.KeyRing = brands.RingOf(t.coin.Public(), t.blank.Public(), t.note.Public())
	for range min(largest, distinct) {
		p, err := t.payment(0)
		if err != nil {
			return nil, err
		}
		read, err := brands.ParsePayment(p)
		if err != nil {
			return nil, err
		}
		t.payments, t.aids = append(t.payments, p), append(t.aids, read.Aid())
	}
	return t, nil
}

func (t *town) withdraw(key *brands.PrivateKey) (*brands.Own, error) {
	t.session++
	session := brands.Digest{byte(t.session), byte(t.session >> 8), byte(t.session >> 16)}
	account := t.holder.Identity()
	factors := brands.DeriveBlinding(brands.Digest{3}, key.Public().ID(), t.session)
	w, c, err := t.holder.Challenge(key.Public(), factors, key.Commit(session, account), nil)
	if err != nil {
		return nil, err
	}
	return w.Finish(key.Respond(session, account, c))
}

// payment is a coin that went through hops hands and was paid.
func (t *town) payment(hops int) ([]byte, error) {
	own, err := t.withdraw(t.coin)
	if err != nil {
		return nil, err
	}
	m := &brands.Money{Head: own.Coin()}
	for range hops {
		blank, err := t.withdraw(t.blank)
		if err != nil {
			return nil, err
		}
		next := blank.Coin()
		spec, err := m.SpecTo(&next)
		if err != nil {
			return nil, err
		}
		line, err := own.Pay(spec)
		if err != nil {
			return nil, err
		}
		m, own = m.Pass(line, &next), blank
	}
	line, err := own.Pay(m.SpecFor(t.terms))
	if err != nil {
		return nil, err
	}
	return m.Close(line).Append(nil), nil
}

// piece is a leaf of the deepest note, paid.
func (t *town) piece() ([]byte, error) {
	own, err := t.withdraw(t.note)
	if err != nil {
		return nil, err
	}
	note, err := own.Note(t.note.Public())
	if err != nil {
		return nil, err
	}
	m := &brands.Money{Head: own.Coin()}
	piece, line, err := note.Pay(1<<brands.MaxDepth, m.SpecFor(t.terms))
	if err != nil {
		return nil, err
	}
	m.Piece = piece
	return m.Close(line).Append(nil), nil
}

// figure is a figure to be taken.
type figure struct {
	load.Figure
	ops       int // of one call
	do, limit meter.Task
}

// figures are those of one core. What an operation may cost was agreed before it was built; limits are the library's own
// operations.
func (t *town) figures(batches []int) []figure {
	list := []figure{t.issue(), t.issueAlone(), t.pay()}
	for _, c := range []struct {
		name  string
		hops  int
		most  float64
		about lang.Text
	}{
		{"coins/verify", 0, 90, lang.Text{EN: "a payee decodes and checks a coin", ZH: "收款方解码并核对一枚币"}},
		{"coins/chain-1", 1, 130, lang.Text{EN: "the same, after 1 hand", ZH: "同上，经手 1 次"}},
		{"coins/chain-4", 4, 260, lang.Text{EN: "the same, after 4 hands", ZH: "同上，经手 4 次"}},
		{"coins/chain-8", 8, 420, lang.Text{EN: "the same, after 8 hands", ZH: "同上，经手 8 次"}},
	} {
		fixed := maxFixed
		if c.hops == 0 {
			fixed-- // no key of blanks
		}
		p, err := t.payment(c.hops)
		f := t.verify(c.name, p, err, c.about)
		f.Most, f.limit = c.most, t.group.check(1+c.hops, fixed)
		list = append(list, f)
	}
	p, err := t.piece()
	piece := t.verify("coins/piece", p, err, lang.Text{EN: "the same, the smallest piece of the deepest note; limit: a coin", ZH: "同上，最深票券的最小一份；极限为一枚币"})
	piece.limit = t.group.check(1, maxFixed-1)
	list = append(list, piece)
	for _, n := range batches {
		list = append(list, t.batch("coins/batch", n, t.alone, lang.Text{
			EN: "the mint decodes and checks so many deposits at once; limit: only decoding their points", ZH: "铸币方一并解码核对；极限为仅解码各点",
		}))
	}
	for _, n := range batches {
		list = append(list, t.batch("coins/batch-aided", n, t.helped, lang.Text{
			EN: "the same, deposits that came with an aid; limit: only decoding their points, without one", ZH: "同上，存币附解码辅助；极限为无辅助时仅解码各点",
		}))
	}
	return list
}

// perWithdrawal is how many coins a withdrawal asks for at once: an amount of some tens in powers of two, and its stock.
const perWithdrawal = 16

// issue is the mint's work as role/mint does it: commit to all coins of a request, and answer each. The account was decoded
// with the request.
func (t *town) issue() figure {
	return figure{
		Figure: load.Figure{Name: "coins/issue", Most: 45, More: []load.Extra{{Name: "coin_bytes", Value: brands.CoinSize}, {Name: "coins_a_request", Value: perWithdrawal}},
			About: lang.Text{EN: "the mint signs a coin, 16 in a request: commit and answer; limit: the multiples, a table for one of them, and two encodings", ZH: "铸币方签一枚币，每次请求 16 枚；极限为倍点、倍点表与两次编码"}},
		ops: perWithdrawal, do: t.sign(perWithdrawal), limit: t.group.issueMany,
	}
}

// issueAlone is the same for a request of one coin.
func (t *town) issueAlone() figure {
	return figure{
		Figure: load.Figure{Name: "coins/issue-alone",
			About: lang.Text{EN: "the same, one coin in a request; limit: two multiples and two encodings", ZH: "同上，每次请求 1 枚；极限为两次倍点与两次编码"}},
		ops: 1, do: t.sign(1), limit: t.group.issue,
	}
}

func (t *town) sign(coins int) func() error {
	identity, c := t.holder.Identity(), make([]byte, brands.Size)
	c[0] = 7
	return func() error {
		account := brands.NewAccount(identity, coins, false)
		for i := range coins {
			session := brands.Digest{4, byte(i)}
			com := t.coin.CommitForAccount(session, account, false)
			challenge, err := brands.ParseScalar(c)
			if err != nil {
				return err
			}
			r := t.coin.Respond(session, identity, challenge)
			if r.IsZero() || len(com.Append(nil)) == 0 {
				return errors.New("the mint answers nothing")
			}
		}
		return nil
	}
}

// pay is the payer's work.
func (t *town) pay() figure {
	own, err := t.withdraw(t.coin)
	do := func() error {
		if err != nil {
			return err
		}
		_, err := own.Pay(brands.FinalSpec(brands.Digest{}, t.terms))
		return err
	}
	return figure{
		Figure: load.Figure{Name: "coins/pay", Most: 3,
			About: lang.Text{EN: "a payer answers for a coin; limit: one hash, two products and sums", ZH: "付款方答一枚币；极限为一次散列、两次乘加"}},
		ops: 1, do: do, limit: t.group.pay,
	}
}

func (t *town) verify(name string, enc []byte, made error, about lang.Text) figure {
	do := func() error {
		if made != nil {
			return made
		}
		p, err := brands.ParsePayment(enc)
		if err != nil {
			return err
		}
		return p.VerifyVartime(t, t.terms, rand.Reader)
	}
	return figure{Figure: load.Figure{Name: name, More: []load.Extra{{Name: "payment_bytes", Value: float64(len(enc))}}, About: about}, ops: 1, do: do}
}

// aim is how many deposits a core should verify in a second.
const aim = 35_000

// batch is the mint's work for n deposits.
func (t *town) batch(name string, n int, parse func(i int) (*brands.Payment, error), about lang.Text) figure {
	ps, terms := make([]*brands.Payment, n), make([]brands.Digest, n)
	for i := range terms {
		terms[i] = t.terms
	}
	do := func() (err error) {
		for i := range ps {
			if ps[i], err = parse(i % len(t.payments)); err != nil {
				return err
			}
		}
		bad, err := brands.VerifyBatchVartime(t, ps, terms, rand.Reader)
		if err == nil && len(bad) > 0 {
			err = fmt.Errorf("%d good payments are refused", len(bad))
		}
		return err
	}
	return figure{
		Figure: load.Figure{Name: fmt.Sprintf("%s-%d", name, n), About: about, Gate: 0.5, More: []load.Extra{{Name: "aim_per_s", Value: aim}}},
		ops:    n, do: do, limit: t.group.decode(perCoin * n),
	}
}

// alone and helped read a payment, without its aid and with it.
func (t *town) alone(i int) (*brands.Payment, error) { return brands.ParsePayment(t.payments[i]) }

func (t *town) helped(i int) (*brands.Payment, error) {
	return brands.ParseAidedPayment(t.payments[i], t.aids[i])
}

package wallet

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"jiaozi/crypt/brands"
	"jiaozi/value/clock"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

const cny = money.Currency(156)

var start = time.Date(2026, 11, 3, 9, 0, 0, 0, clock.Zone)

var network = brands.Network{1, 2, 3}

// testMint is a mint in a few maps, on package brands alone: roles never meet.
type testMint struct {
	keys     map[brands.KeyID]*brands.PrivateKey
	listed   []brands.KeyID
	clock    *clock.Manual
	network  brands.Network
	sign     ed25519.PrivateKey
	unsigned bool                 // somebody on the way changes its list of keys
	accounts map[[32]byte]account // by identity
	bank     map[string]money.Minor
	sessions map[sessionID]mintSession
	spent    map[brands.CoinID]spent
	issued   money.Minor
	accused  int // double spends seen
	busy     int // so many deposits and claims are put off
}

type account struct {
	name string
	auth [32]byte
	card bool
}

type sessionID struct {
	identity [32]byte
	key      brands.KeyID
	number   uint64
}

type mintSession struct{ c, r [32]byte } // answered

type spent struct {
	digest  [32]byte // of the payment; zeros if claimed
	claimer [32]byte
	value   money.Minor
}

var testKeys = makeKeys()

// makeKeys makes two epochs of coins from 1 to 16, a group's coins, and blanks, once.
func makeKeys() []*brands.PrivateKey {
	r := rand.NewChaCha8([32]byte{7})
	var out []*brands.PrivateKey
	for epoch := range 2 {
		from := start.AddDate(0, epoch, -2).Unix()
		info := brands.KeyInfo{
			Network: network, Kind: brands.KindCoin, Currency: cny, Epoch: uint32(202611 + epoch), From: from,
			IssueUntil: from + 32*daySeconds, SpendUntil: from + 60*daySeconds, DepositUntil: from + 90*daySeconds,
		}
		for _, v := range powers(5) {
			info.Value = v
			out = append(out, must1(brands.GenerateKey(info, r)))
		}
		if epoch == 0 {
			info.Group = "canteen"
			for _, v := range powers(2) {
				info.Value = v
				out = append(out, must1(brands.GenerateKey(info, r)))
			}
		}
		info.Kind, info.Value, info.Depth, info.Group = brands.KindNote, 16, 4, ""
		out = append(out, must1(brands.GenerateKey(info, r)))
		info.Kind, info.Value, info.Currency, info.Depth = brands.KindBlank, 0, 0, 0
		out = append(out, must1(brands.GenerateKey(info, r)))
	}
	return out
}

func must1[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newTestMint(c *clock.Manual) *testMint {
	m := &testMint{
		keys: map[brands.KeyID]*brands.PrivateKey{}, clock: c, network: network, sign: ed25519.NewKeyFromSeed(make([]byte, 32)), accounts: map[[32]byte]account{},
		bank: map[string]money.Minor{}, sessions: map[sessionID]mintSession{}, spent: map[brands.CoinID]spent{},
	}
	for _, k := range testKeys {
		m.keys[k.Public().ID()] = k
		m.listed = append(m.listed, k.Public().ID())
	}
	return m
}

func (m *testMint) clone(c *clock.Manual) *testMint {
	n := *m
	n.clock = c
	n.accounts, n.bank, n.sessions, n.spent = maps.Clone(m.accounts), maps.Clone(m.bank), maps.Clone(m.sessions), maps.Clone(m.spent)
	return &n
}

func (m *testMint) now() int64 { return m.clock.Now().Unix() }

func (m *testMint) Key(id brands.KeyID) (*brands.PublicKey, bool) {
	k, ok := m.keys[id]
	if !ok {
		return nil, false
	}
	return k.Public(), true
}

func (m *testMint) Keys(context.Context) ([]byte, error) {
	out := &coin.Keys{Network: m.network, Mint: "Test", Sign: [32]byte(m.sign.Public().(ed25519.PublicKey)), Time: m.now()}
	for _, id := range m.listed {
		out.Keys = append(out.Keys, m.keys[id].Public().Append(nil))
	}
	msg, err := out.SigningBytes()
	if err != nil {
		return nil, err
	}
	out.Signature = [64]byte(ed25519.Sign(m.sign, msg))
	if m.unsigned {
		out.Signature[0] ^= 1
	}
	return coin.Append(nil, out)
}

func (m *testMint) Do(_ context.Context, b []byte) ([]byte, error) {
	request, err := coin.Decode(b)
	if err != nil {
		return nil, err
	}
	answer := m.answer(request)
	return coin.Append(nil, answer)
}

func refuse(c coin.Code) *coin.Failure { return &coin.Failure{Code: c} }

func (m *testMint) answer(request coin.Message) coin.Message {
	if d, ok := request.(*coin.Deposit); ok {
		return m.deposit(d)
	}
	s, ok := request.(*coin.Signed)
	if !ok {
		return refuse(coin.Malformed)
	}
	if e, ok := s.Body.(*coin.Enrol); ok {
		return m.enrol(s, e)
	}
	a, ok := m.accounts[s.Account]
	if !ok {
		return refuse(coin.UnknownAccount)
	}
	if s.Verify(m.network, a.auth) != nil {
		return refuse(coin.BadSignature)
	}
	identity := must1(brands.ParseElement(s.Account[:]))
	switch q := s.Body.(type) {
	case *coin.Commit:
		return m.commit(identity, a, q)
	case *coin.Challenge:
		return m.challenge(identity, a, q)
	case *coin.Recover:
		return m.recover(identity, a, q)
	case *coin.Claim:
		return m.claim(identity, a, q)
	}
	return refuse(coin.Malformed)
}

func (m *testMint) enrol(s *coin.Signed, e *coin.Enrol) coin.Message {
	o, err := brands.ParseOpening(e.Opening)
	if err != nil || s.Verify(m.network, e.AuthKey) != nil || o.Verify(m.network, e.AuthKey[:]) != nil || o.Account.Bytes() != s.Account {
		return refuse(coin.Invalid)
	}
	if had, ok := m.accounts[s.Account]; ok {
		if had.name != e.Account {
			return refuse(coin.AlreadyEnrolled)
		}
	} else if e.Code != "GOOD-CODE" {
		return refuse(coin.BadEnrolCode)
	}
	m.accounts[s.Account] = account{e.Account, e.AuthKey, len(e.Card) > 0}
	return &coin.Enrolled{Account: e.Account, Identity: s.Account, Time: m.now()}
}

func (m *testMint) newest(identity [32]byte, key brands.KeyID) uint64 {
	n := uint64(1)
	for ; ; n++ {
		if _, ok := m.sessions[sessionID{identity, key, n}]; !ok {
			return n
		}
	}
}

func (m *testMint) commitment(identity brands.Element, a account, key brands.KeyID, n uint64) brands.Commitment {
	id := identity.Bytes()
	session := brands.Digest(sha256.Sum256(binary.BigEndian.AppendUint64(slices.Concat(key[:], id[:]), n)))
	if a.card {
		return m.keys[key].CommitForCard(session, identity)
	}
	return m.keys[key].Commit(session, identity)
}

func (m *testMint) commit(identity brands.Element, a account, q *coin.Commit) coin.Message {
	out := new(coin.Commitments)
	for _, id := range q.Keys {
		k := m.keys[id]
		if info := k.Public().Info(); m.now() < info.From || m.now() >= info.IssueUntil {
			out.Items = append(out.Items, coin.Commitment{Key: id, Code: coin.IssueClosed})
			continue
		}
		n := m.newest(identity.Bytes(), id)
		c := m.commitment(identity, a, id, n)
		item := coin.Commitment{Key: id, Code: coin.Accepted, Session: n, A: c.A.Bytes(), B: c.B.Bytes(), Deadline: m.now() + 60}
		if c.Image != nil {
			item.Image = c.Image.Bytes()
		}
		out.Items = append(out.Items, item)
	}
	return out
}

func (m *testMint) challenge(identity brands.Element, a account, q *coin.Challenge) coin.Message {
	out := new(coin.Answer)
	id := identity.Bytes()
	for _, item := range q.Items {
		answer := coin.AnswerItem{Key: item.Key, Session: item.Session, Code: coin.Accepted}
		at := sessionID{id, item.Key, item.Session}
		value := m.keys[item.Key].Public().Info().Value
		switch had, ok := m.sessions[at]; {
		case ok && had.c != item.C:
			answer.Code = coin.OtherChallenge
		case ok:
			answer.Code, answer.R = coin.Replayed, had.r
		case item.Session != m.newest(id, item.Key):
			answer.Code = coin.UnknownSession
		case m.bank[a.name] < value:
			answer.Code = coin.Insufficient
		default:
			c := must1(brands.ParseScalar(item.C[:]))
			com := brands.Digest(sha256.Sum256(binary.BigEndian.AppendUint64(slices.Concat(item.Key[:], id[:]), item.Session)))
			answer.R = m.keys[item.Key].Respond(com, identity, c).Bytes()
			m.sessions[at] = mintSession{item.C, answer.R}
			m.bank[a.name] -= value
			m.issued += value
		}
		out.Items = append(out.Items, answer)
	}
	return out
}

func (m *testMint) recover(identity brands.Element, a account, q *coin.Recover) coin.Message {
	out := &coin.Recovered{Key: q.Key}
	for n := max(q.From, 1); n < m.newest(identity.Bytes(), q.Key); n++ {
		if len(out.Items) == 2 { // small pages
			out.More = true
			break
		}
		s, c := m.sessions[sessionID{identity.Bytes(), q.Key, n}], m.commitment(identity, a, q.Key, n)
		item := coin.RecoveredItem{Session: n, A: c.A.Bytes(), B: c.B.Bytes(), C: s.c, R: s.r, At: m.now()}
		if c.Image != nil {
			item.Image = c.Image.Bytes()
		}
		out.Items = append(out.Items, item)
	}
	return out
}

func (m *testMint) deposit(d *coin.Deposit) coin.Message {
	out := new(coin.Deposited)
	digest := TermsDigest(&d.Terms)
	for i, b := range d.Items {
		if p, err := brands.ParsePayment(b); err == nil && !bytes.Equal(p.Aid(), d.Aid(i)) {
			panic("a wallet sends a coin without its aid")
		}
		out.Items = append(out.Items, m.depositOne(d, digest, b))
	}
	return out
}

func (m *testMint) depositOne(d *coin.Deposit, digest brands.Digest, b []byte) coin.DepositedItem {
	p, err := brands.ParsePayment(b)
	if err != nil || p.VerifyEquationsVartime(m, digest) != nil {
		return coin.DepositedItem{Code: coin.Invalid}
	}
	if m.busy > 0 {
		m.busy--
		return coin.DepositedItem{Code: coin.Busy}
	}
	value, id := must1(p.Value(m)), p.Head.ID()
	if info := m.keys[p.Head.Key()].Public().Info(); m.now() >= info.DepositUntil {
		return coin.DepositedItem{Code: coin.Expired}
	} else if info.Group != "" && (info.Group != d.Group || d.Payee != "shop") {
		return coin.DepositedItem{Code: coin.GroupMismatch}
	}
	sum := sha256.Sum256(slices.Concat(digest[:], b))
	if p.Piece != nil {
		if m.claimedNote(id, d.Payee, value) {
			return coin.DepositedItem{Code: coin.AfterClaim, Value: value}
		}
		for node := uint16(1); node < 32; node++ {
			other := brands.Money{Head: p.Head, Piece: &brands.Piece{Branch: brands.Branch{Node: node}}}
			if _, ok := m.spent[nodeID(id, node)]; ok && node != p.Piece.Node && clash(&other, &p.Money) {
				m.accused++
				return coin.DepositedItem{Code: coin.DoubleSpent}
			}
		}
		id = nodeID(id, p.Piece.Node)
	}
	switch had, ok := m.spent[id]; {
	case ok && had.digest == sum:
		return coin.DepositedItem{Code: coin.Replayed, Value: value}
	case ok && had.claimer != [32]byte{}:
		claimer := m.accounts[had.claimer].name
		m.bank[claimer] -= value.Minor()
		m.bank[d.Payee] += value.Minor()
		m.spent[id] = spent{digest: sum, value: value.Minor()}
		return coin.DepositedItem{Code: coin.AfterClaim, Value: value}
	case ok:
		m.accused++
		return coin.DepositedItem{Code: coin.DoubleSpent}
	}
	m.spent[id] = spent{digest: sum, value: value.Minor()}
	m.bank[d.Payee] += value.Minor()
	return coin.DepositedItem{Code: coin.Accepted, Value: value}
}

// claimedNote pays a piece of a note from the account that claimed the note.
func (m *testMint) claimedNote(id brands.CoinID, payee string, value money.Amount) bool {
	had, ok := m.spent[id]
	if ok {
		m.bank[m.accounts[had.claimer].name] -= value.Minor()
		m.bank[payee] += value.Minor()
	}
	return ok
}

func (m *testMint) claim(identity brands.Element, a account, q *coin.Claim) coin.Message {
	out := new(coin.Claimed)
	for _, i := range q.Items {
		out.Items = append(out.Items, m.claimOne(identity, a, i))
	}
	return out
}

func (m *testMint) claimOne(identity brands.Element, a account, i coin.ClaimItem) coin.ClaimedItem {
	c, err := brands.ParseCoin(i.Coin)
	proof, worse := brands.ParseClaim(i.Proof)
	if err != nil || worse != nil || c.VerifyVartime(m.keys[c.Key()].Public()) != nil {
		return coin.ClaimedItem{Code: coin.Invalid}
	}
	if proof.VerifyVartime(&c, identity) != nil {
		return coin.ClaimedItem{Code: coin.NotYours}
	}
	if m.busy > 0 {
		m.busy--
		return coin.ClaimedItem{Code: coin.Busy}
	}
	info := m.keys[c.Key()].Public().Info()
	rest := info.Value
	for node := uint16(1); node < 32; node++ {
		rest -= m.spent[nodeID(c.ID(), node)].value
	}
	switch had, ok := m.spent[c.ID()]; {
	case ok && had.claimer == identity.Bytes():
		return coin.ClaimedItem{Code: coin.Replayed, Value: money.New(cny, had.value)}
	case ok, rest == 0:
		return coin.ClaimedItem{Code: coin.Spent}
	}
	m.spent[c.ID()] = spent{claimer: identity.Bytes(), value: rest}
	m.bank[a.name] += rest
	return coin.ClaimedItem{Code: coin.Accepted, Value: money.New(cny, rest)}
}

// memStore is a Store in memory.
type memStore struct{ state []byte }

func (s *memStore) Load() ([]byte, error) { return bytes.Clone(s.state), nil }
func (s *memStore) Save(b []byte) error {
	s.state = bytes.Clone(b)
	return nil
}

// testCard is an observer with the memory that guards its answers.
type testCard struct {
	o        *brands.Observer
	next     uint32
	answered map[uint32]brands.Scalar
	low      uint32 // all below are closed
	window   uint32 // next may run ahead of low by this many; 0 for ever
}

func newTestCard(seed byte) *testCard {
	return &testCard{o: brands.NewObserver(brands.Digest{seed}), answered: map[uint32]brands.Scalar{}}
}

func (c *testCard) Identity() (brands.Element, []byte, uint32, error) {
	return c.o.Identity(), []byte("certificate"), c.next, nil
}

func (c *testCard) Prepare(first uint32, n int) (out []brands.Element, err error) {
	if first > c.next {
		return nil, errors.New("a gap")
	}
	if c.window > 0 && first+uint32(n) > c.low+c.window {
		return nil, errors.New("too many are open")
	}
	for i := range uint32(n) {
		out = append(out, c.o.Nonce(first+i))
	}
	c.next = max(c.next, first+uint32(n))
	return out, nil
}

func (c *testCard) Answer(index uint32, d brands.Scalar) (brands.Scalar, error) {
	if had, ok := c.answered[index]; ok && had != d || !ok && index < c.low || index >= c.next {
		return brands.Scalar{}, errors.New("answered before")
	}
	c.answered[index] = d
	return c.o.Answer(index, d), nil
}

func (c *testCard) Retire(below uint32) error {
	c.low = max(c.low, below)
	return nil
}

// errFuse is the injected failure.
var errFuse = errors.New("fuse")

// fuse fails at one point of all that are passed: before or after each write and
// each message.
type fuse struct {
	at, passed int
}

func (f *fuse) blow() bool {
	f.passed++
	return f.passed-1 == f.at
}

type fusedStore struct {
	Store
	f *fuse
}

func (s fusedStore) Save(b []byte) error {
	if s.f.blow() {
		return errFuse
	}
	if err := s.Store.Save(b); err != nil {
		return err
	}
	if s.f.blow() {
		return errFuse
	}
	return nil
}

type fusedMint struct {
	Mint
	f *fuse
}

func (m fusedMint) Do(ctx context.Context, b []byte) ([]byte, error) {
	if m.f.blow() {
		return nil, errFuse
	}
	out, err := m.Mint.Do(ctx, b)
	if err != nil {
		return nil, err
	}
	if m.f.blow() {
		return nil, errFuse
	}
	return out, nil
}

type fusedCard struct {
	Card
	f *fuse
}

func (c fusedCard) Answer(index uint32, d brands.Scalar) (brands.Scalar, error) {
	if c.f.blow() {
		return brands.Scalar{}, errFuse
	}
	r, err := c.Card.Answer(index, d)
	if err == nil && c.f.blow() {
		return r, errFuse
	}
	return r, err
}

func yuan(m money.Minor) money.Amount { return money.New(cny, m) }

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

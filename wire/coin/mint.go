package coin

import (
	"crypto/ed25519"
	"fmt"

	"jiaozi/value/money"
)

// Ask asks a mint for what it publishes to everybody.
type Ask struct {
	What Type // TypeKeys or TypeStatus
}

// Type is TypeAsk.
func (*Ask) Type() Type { return TypeAsk }

func (a *Ask) fields(c *codec) {
	what := uint64(a.What)
	c.number("what", &what, 1)
	if c.reading {
		a.What = Type(what)
	}
	c.rule(a.What == TypeKeys || a.What == TypeStatus, "nobody publishes a message of %v", a.What)
	c.tell("what", "%v", a.What)
}

// Keys is what a mint publishes: who it is and which coins it makes. Whoever knows
// Sign from before verifies the signature: a key that somebody slips in on the way
// would make false coins good, and a mint that tells two people different things has
// signed both.
type Keys struct {
	Network   [16]byte
	Mint      string   // its name for people
	Sign      [32]byte // Ed25519 key under which it signs this list and guilt
	Time      int64    // Unix seconds at the mint: a wallet sees by it that its clock is off
	Keys      [][]byte // brands.PublicKey
	Signature [64]byte // the mint's, over SigningBytes
}

// Type is TypeKeys.
func (*Keys) Type() Type { return TypeKeys }

func (k *Keys) fields(c *codec) {
	k.signed(c)
	c.fixed("signature", k.Signature[:])
}

func (k *Keys) signed(c *codec) {
	c.fixed("network", k.Network[:])
	c.text("name", &k.Mint, MaxName, func(s string) bool { return s != "" && printable(s, MaxName) })
	c.fixed("signing key", k.Sign[:])
	c.when("time", &k.Time)
	c.blobs("keys", &k.Keys, MaxKeys, MaxKey)
}

// SigningBytes is what the mint signs.
func (k *Keys) SigningBytes() ([]byte, error) {
	c := &codec{b: []byte(KeysDomain)}
	k.signed(c)
	if c.err != nil {
		return nil, fmt.Errorf("sign %v: %w", TypeKeys, c.err)
	}
	return c.b, nil
}

// Verify checks the signature under the key that the mint is known by: Sign of a list
// that was read before, never that of this one alone.
func (k *Keys) Verify(mint [32]byte) error {
	msg, err := k.SigningBytes()
	if err != nil {
		return err
	}
	if k.Sign != mint || !ed25519.Verify(mint[:], msg, k.Signature[:]) {
		return ErrSignature
	}
	return nil
}

// Enrol opens an account for coins: it joins the holder's number, proved by the
// opening, and the key of his later requests to an account at the bank. The mint
// must see that Opening is bound to AuthKey. Sent in a Signed under AuthKey.
type Enrol struct {
	Network [16]byte
	Code    EnrolCode // one-time, from the bank
	Account string    // the account's name
	Opening []byte    // brands.Opening
	AuthKey [32]byte  // Ed25519
	Card    []byte    // certificate of the card observer, then brands.Opening of the phone's part; nil without a card
}

// Type is TypeEnrol.
func (*Enrol) Type() Type { return TypeEnrol }

func (e *Enrol) fields(c *codec) {
	c.fixed("network", e.Network[:])
	c.secret("enrolment code", &e.Code)
	c.text("account", &e.Account, MaxAccount, accountOK)
	c.blob("opening", &e.Opening, MaxKey)
	c.rule(len(e.Opening) > 0, "the opening is missing")
	c.fixed("authentication key", e.AuthKey[:])
	c.blob("card certificate", &e.Card, MaxKey)
}

// Enrolled tells that the account is open.
type Enrolled struct {
	Account  string
	Identity [32]byte // the holder's number, as the mint read it from the opening
	Time     int64    // Unix seconds at the mint
}

// Type is TypeEnrolled.
func (*Enrolled) Type() Type { return TypeEnrolled }

func (e *Enrolled) fields(c *codec) {
	c.text("account", &e.Account, MaxAccount, accountOK)
	c.fixed("identity", e.Identity[:])
	c.when("time", &e.Time)
}

// Commit asks to open one withdrawal with each of these keys. A key stands once:
// an account has one open withdrawal a key.
type Commit struct {
	Keys [][16]byte
}

// Type is TypeCommit.
func (*Commit) Type() Type { return TypeCommit }

func (m *Commit) fields(c *codec) {
	list(c, "keys", &m.Keys, MaxItems, func(c *codec, k *[16]byte) { c.fixed("key", k[:]) })
	c.rule(len(m.Keys) > 0 && unique(m.Keys, func(k [16]byte) [16]byte { return k }), "it names no key, or one twice")
}

// Commitments answer a Commit, a line for each key.
type Commitments struct {
	Items []Commitment
}

// Commitment is the mint's first move in one withdrawal. All but Key is zero
// unless Code is Accepted or Replayed.
type Commitment struct {
	Key      [16]byte
	Code     Code
	Session  uint64
	A, B     [32]byte // brands.Commitment
	Image    [32]byte // of a holder with a card: x(I+G2), the same each time; zeros without
	Deadline int64    // Unix seconds: a challenge later than that finds the session dead
}

// Type is TypeCommitments.
func (*Commitments) Type() Type { return TypeCommitments }

func (m *Commitments) fields(c *codec) {
	list(c, "items", &m.Items, MaxItems, func(c *codec, i *Commitment) {
		c.fixed("key", i.Key[:])
		c.code("code", &i.Code)
		c.u64("session", &i.Session)
		c.fixed("A", i.A[:])
		c.fixed("B", i.B[:])
		c.fixed("image", i.Image[:])
		c.when("deadline", &i.Deadline)
		c.rule(i.Code.Paid() || *i == Commitment{Key: i.Key, Code: i.Code}, "a refused commitment holds one")
	})
}

// Challenge is the holder's move: the account is debited and the mint answers,
// both or neither.
type Challenge struct {
	Items []ChallengeItem
}

// ChallengeItem is the move in one withdrawal.
type ChallengeItem struct {
	Key     [16]byte
	Session uint64
	C       [32]byte // brands.Scalar
}

// Type is TypeChallenge.
func (*Challenge) Type() Type { return TypeChallenge }

func (m *Challenge) fields(c *codec) {
	list(c, "items", &m.Items, MaxItems, func(c *codec, i *ChallengeItem) {
		c.fixed("key", i.Key[:])
		c.u64("session", &i.Session)
		c.fixed("challenge", i.C[:])
	})
	c.rule(len(m.Items) > 0 && unique(m.Items, func(i ChallengeItem) [16]byte { return i.Key }), "it challenges no key, or one twice")
}

// Answer is the mint's last move, a line for each challenge.
type Answer struct {
	Items []AnswerItem
}

// AnswerItem is the last move in one withdrawal. R is zero unless Code is
// Accepted or Replayed (the same challenge again: the first answer).
type AnswerItem struct {
	Key     [16]byte
	Session uint64
	Code    Code
	R       [32]byte // brands.Scalar
}

// Type is TypeAnswer.
func (*Answer) Type() Type { return TypeAnswer }

func (m *Answer) fields(c *codec) {
	list(c, "items", &m.Items, MaxItems, func(c *codec, i *AnswerItem) {
		c.fixed("key", i.Key[:])
		c.u64("session", &i.Session)
		c.code("code", &i.Code)
		c.fixed("answer", i.R[:])
		c.rule(i.Code.Paid() || i.R == [32]byte{}, "a refused challenge has an answer")
	})
}

// Deposit hands coins to the mint for the account that Terms name. The coins are
// final one by one.
//
// Aids help the mint to decode them quickly and decide nothing: without them, or with
// wrong ones, the mint answers the same.
type Deposit struct {
	Terms          // as the coins are bound to them; Payee is not empty
	Items [][]byte // brands.Payment
	Aids  [][]byte // Payment.Aid of each, nil for one that has none; or nothing at all
}

// Aid gives what came to help with an item; nil if nothing did.
func (d *Deposit) Aid(item int) []byte {
	if item >= len(d.Aids) {
		return nil
	}
	return d.Aids[item]
}

// Type is TypeDeposit.
func (*Deposit) Type() Type { return TypeDeposit }

func (d *Deposit) fields(c *codec) {
	d.Terms.fields(c)
	c.rule(c.err != nil || d.Payee != "", "a deposit needs a payee's account")
	c.blobs("coins", &d.Items, MaxItems, MaxItem)
	c.rule(len(d.Items) > 0, "it holds no coin")
	list(c, "aids", &d.Aids, len(d.Items), func(c *codec, aid *[]byte) { c.blob("bytes", aid, MaxAid) })
	c.rule(len(d.Aids) == 0 || len(d.Aids) == len(d.Items), "%d aids for %d coins", len(d.Aids), len(d.Items))
}

// Deposited answers a Deposit, a line for each coin in the order of the deposit.
type Deposited struct {
	Items []DepositedItem
}

// DepositedItem is what became of one coin.
type DepositedItem struct {
	Code  Code         // Accepted, Replayed, Claimed (paid all the same), DoubleSpent, Invalid, Expired, UnknownKey, GroupMismatch ...
	Value money.Amount // credited now or before; zero if refused
	Guilt []byte       // a GuiltFile as Append writes it, when Code is DoubleSpent; nil else
}

// Type is TypeDeposited.
func (*Deposited) Type() Type { return TypeDeposited }

func (m *Deposited) fields(c *codec) {
	list(c, "items", &m.Items, MaxItems, func(c *codec, i *DepositedItem) {
		c.code("code", &i.Code)
		c.sum("value", &i.Value)
		c.rule(i.Code.Paid() == (i.Value.Sign() > 0), "a coin is refused and credited, or neither")
		c.blob("guilt", &i.Guilt, MaxItem)
		c.rule(i.Code == DoubleSpent || len(i.Guilt) == 0, "a proof of guilt without a double spend")
	})
}

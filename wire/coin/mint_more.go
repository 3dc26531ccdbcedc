package coin

import (
	"jiaozi/value/money"
)

// Recover asks for the answered withdrawals of one key, oldest first, from a
// session on: what a wallet restored from its phrase makes its coins of.
type Recover struct {
	Key  [16]byte
	From uint64
}

// Type is TypeRecover.
func (*Recover) Type() Type { return TypeRecover }

func (m *Recover) fields(c *codec) {
	c.fixed("key", m.Key[:])
	c.u64("from", &m.From)
}

// Recovered answers a Recover. With More, ask again from the last session and one.
type Recovered struct {
	Key   [16]byte
	Items []RecoveredItem
	More  bool
}

// RecoveredItem is one withdrawal, whole.
type RecoveredItem struct {
	Session uint64
	A, B    [32]byte // brands.Commitment
	Image   [32]byte // as in Commitment
	C, R    [32]byte // challenge and answer
	At      int64    // Unix seconds
}

// Type is TypeRecovered.
func (*Recovered) Type() Type { return TypeRecovered }

func (m *Recovered) fields(c *codec) {
	c.fixed("key", m.Key[:])
	last := uint64(0)
	list(c, "items", &m.Items, MaxItems, func(c *codec, i *RecoveredItem) {
		c.u64("session", &i.Session)
		c.rule(i.Session > last || i == &m.Items[0], "sessions do not rise")
		last = i.Session
		c.fixed("A", i.A[:])
		c.fixed("B", i.B[:])
		c.fixed("image", i.Image[:])
		c.fixed("challenge", i.C[:])
		c.fixed("answer", i.R[:])
		c.when("time", &i.At)
	})
	c.boolean("more", &m.More)
	c.rule(!m.More || len(m.Items) > 0, "it gives nothing and promises more")
}

// Claim asks for the value of coins that were lost before they were spent: the
// holder proves that they are his without answering for them.
type Claim struct {
	Items []ClaimItem
}

// ClaimItem is one lost coin.
type ClaimItem struct {
	Coin  []byte // brands.Coin
	Proof []byte // brands.Claim
}

// Type is TypeClaim.
func (*Claim) Type() Type { return TypeClaim }

func (m *Claim) fields(c *codec) {
	list(c, "items", &m.Items, MaxItems, func(c *codec, i *ClaimItem) {
		c.blob("coin", &i.Coin, MaxItem)
		c.blob("proof", &i.Proof, MaxItem)
		c.rule(len(i.Coin) > 0 && len(i.Proof) > 0, "a coin or its proof is missing")
	})
	c.rule(len(m.Items) > 0, "it claims nothing")
}

// Claimed answers a Claim, a line for each coin in the order of the claim.
type Claimed struct {
	Items []ClaimedItem
}

// ClaimedItem is what became of one claim.
type ClaimedItem struct {
	Code  Code         // Accepted, Replayed, Spent, NotYours, Expired ...
	Value money.Amount // credited now or before; zero if refused
}

// Type is TypeClaimed.
func (*Claimed) Type() Type { return TypeClaimed }

func (m *Claimed) fields(c *codec) {
	list(c, "items", &m.Items, MaxItems, func(c *codec, i *ClaimedItem) {
		c.code("code", &i.Code)
		c.sum("value", &i.Value)
		c.rule(i.Code.Paid() == (i.Value.Sign() > 0), "a claim is refused and credited, or neither")
	})
}

// Status is what a mint publishes of its books, a line for each epoch and
// currency. A status that does not add up is read all the same: it is evidence.
type Status struct {
	Network [16]byte
	Time    int64 // Unix seconds
	Lines   []StatusLine
}

// StatusLine is one epoch of one currency: Issued - Deposited - Expired =
// Outstanding. A claimed coin counts as deposited.
type StatusLine struct {
	Epoch       uint32 // such as 202611
	Issued      money.Amount
	Deposited   money.Amount
	Expired     money.Amount
	Outstanding money.Amount

	CoinsIssued    uint64
	CoinsDeposited uint64
	DoubleSpends   uint64 // second transcripts that were refused
	Named          uint64 // accounts that a proof of guilt names
}

// Balanced reports whether the line adds up.
func (l StatusLine) Balanced() bool {
	rest, err := l.Issued.Sub(l.Deposited)
	if err == nil {
		rest, err = rest.Sub(l.Expired)
	}
	return err == nil && rest == l.Outstanding
}

// Type is TypeStatus.
func (*Status) Type() Type { return TypeStatus }

func (m *Status) fields(c *codec) {
	c.fixed("network", m.Network[:])
	c.when("time", &m.Time)
	list(c, "lines", &m.Lines, MaxStatus, func(c *codec, l *StatusLine) {
		c.u32("epoch", &l.Epoch)
		c.sum("issued", &l.Issued)
		c.sum("deposited", &l.Deposited)
		c.sum("expired", &l.Expired)
		c.sum("outstanding", &l.Outstanding)
		c.u64("coins issued", &l.CoinsIssued)
		c.u64("coins deposited", &l.CoinsDeposited)
		c.u64("double spends", &l.DoubleSpends)
		c.u64("named", &l.Named)
		one := l.Issued.Currency()
		c.rule(one != 0 && one == l.Deposited.Currency() && one == l.Expired.Currency() && one == l.Outstanding.Currency(), "a line mixes currencies")
	})
}

// Failure is the answer to a request that was not handled at all. Text adds what
// the code cannot say; it never repeats what was sent.
type Failure struct {
	Code Code // never Accepted
	Text string
}

// Type is TypeFailure.
func (*Failure) Type() Type { return TypeFailure }

func (f *Failure) fields(c *codec) {
	c.code("code", &f.Code)
	c.rule(!f.Code.Paid(), "a failure is no success")
	c.text("text", &f.Text, 4*MaxText, func(s string) bool { return printable(s, MaxText) })
}

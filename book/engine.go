package book

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"jiaozi/value/money"
)

// Engine is a store of one shard. The journal in it is the truth. Its tables are
// derived: they reflect the journal up to a sequence number of their own, and
// lag behind while the ledger keeps what they lack in memory. Losing the tables
// loses nothing but the time to make them again.
//
// Head, Append and Load are called by the writer, one at a time; Flush by the
// keeper, one at a time, at the same time as those; views by anyone. Booktest is
// the conformance suite that every engine passes.
type Engine interface {
	Evidence
	// Chain is the number in the first column of every journal row.
	Chain() uint16
	// Head is the last committed batch, read from the store.
	Head(ctx context.Context) (Head, error)
	// Append writes one row of the journal durably, then the head outside the
	// store. It must not keep the body. Errors wrap ErrFull (nothing was written), ErrFenced (another
	// writer took the number) or ErrNotDurable if that is what happened.
	Append(ctx context.Context, row *Row) error
	// Load reads, in one round, rows of the tables. It sees every Flush that
	// returned before it was called.
	Load(ctx context.Context, t Touch) (Loaded, error)
	// Flush brings the tables forward in one transaction, c.At with them. It
	// must be atomic and need not be durable: what a crash takes back is made
	// again from the journal. The same change twice does no more than once, and
	// a change to an older batch than the tables reflect does nothing.
	Flush(ctx context.Context, c *Change) error
	Close() error
}

// MaxViews is how many views a ledger has open at one time, at most: the writer
// one, Verify three, and the rest are for questions. An engine that bounds them
// must not bound them lower, or the writer could wait for who waits for it.
const MaxViews = 12

// verifyViews is how many Verify opens.
const verifyViews = 3

// Evidence is what a reader of a store needs. It never writes.
type Evidence interface {
	// View is a consistent snapshot, to be closed by the caller.
	View(ctx context.Context) (View, error)
	// Kept is the head kept outside the store. The store may be ahead of it,
	// never behind.
	Kept(ctx context.Context) (Head, error)
	// Inspect runs the checks that only the engine can do on its files.
	Inspect(ctx context.Context) ([]Finding, error)
	// IndexDir is the folder of the derived index, or "" to keep it in memory.
	IndexDir() string
}

// View reads one state of the store: the journal and the tables, taken at one
// moment or the journal later than the tables. Callbacks get slices that they
// may keep; an error from a callback ends the walk and is returned.
type View interface {
	Head(ctx context.Context) (Head, error)
	// Applied is the batch up to which the tables reflect the journal. Its hash
	// shows that they belong to this journal and not to another one.
	Applied(ctx context.Context) (Head, error)
	// Journal visits the rows from sequence number from on, in order. From 0 or 1
	// it selects without any condition, so that a row that has no business there
	// is seen too.
	Journal(ctx context.Context, from uint64, fn func(Row) error) error
	// Row reads one row of the journal.
	Row(ctx context.Context, seq uint64) (Row, bool, error)
	Account(ctx context.Context, id AccountID) (AccountRow, bool, error)
	// Accounts visits the accounts with ids above after, in the order of ids.
	Accounts(ctx context.Context, after AccountID, fn func(AccountRow) error) error
	Record(ctx context.Context, key Key) (Record, bool, error)
	// Records visits a space in key order; prefix narrows it.
	Records(ctx context.Context, space string, prefix []byte, fn func(key []byte, r Record) error) error
	// AllRecords visits every space.
	AllRecords(ctx context.Context, fn func(Key, Record) error) error
	Holds(ctx context.Context, fn func(ID, HoldRow) error) error
	// Outbox reads messages of a topic with numbers above after, oldest first.
	Outbox(ctx context.Context, topic string, after uint64, max int) ([]Pending, error)
	AllOutbox(ctx context.Context, fn func(Pending) error) error
	Close() error
}

// Parts is how many virtual parts there are. A shard is a range of them.
const Parts = 4096

// partOf is the first 12 bits of a key: they say where it lives. Whoever needs
// two things in one command gives their keys the same beginning.
func partOf(key []byte) uint16 {
	var b [2]byte
	copy(b[:], key)
	return uint16(b[0])<<4 | uint16(b[1])>>4
}

// Part is the virtual part of an account, the first column of its row.
func (id AccountID) Part() uint16 { return partOf(id[:]) }

// Part is the virtual part of a hold. That of any other command does not matter.
func (id ID) Part() uint16 { return partOf(id[:]) }

// Key names a once-key or a record: a space and a key in it.
type Key struct{ Space, Key string }

// Part is the virtual part of a record or once-key.
func (k Key) Part() uint16 { return partOf([]byte(k.Key[:min(2, len(k.Key))])) }

// AccountRow is an account with its balance, signed on the normal side, and
// the part of it that holds reserve. Line is the credit line as it is now;
// Account.Line the one it was opened with.
type AccountRow struct {
	Account
	AccountState
}

// AccountState is what changes about an account.
type AccountState struct {
	Balance, Held, Line money.Minor
	Closed              bool
}

// Record is the value of a record and how often it was written. A deleted
// record stays, with a nil Value, so that a version never means two values.
type Record struct {
	Value   []byte
	Version uint64
}

// version is what a reader sees: 0 if there is no record.
func (r Record) version() uint64 {
	if r.Value == nil {
		return 0
	}
	return r.Version
}

// HoldRow is a hold with what is left of it. Its part is that of its account.
type HoldRow struct {
	Leg     Leg // the reserved leg; Amount is what is left
	Expires int64
}

// Pending is an outgoing message that was not yet acknowledged. Part is that of
// the command that sent it.
type Pending struct {
	Number uint64
	Part   uint16
	Out
}

// Touch lists what a batch may read, sorted, nothing twice.
type Touch struct {
	Accounts []AccountID
	Records  []Key
	Holds    []ID
}

// dedupe sorts each list and drops repetitions: engines read in key order.
func (t *Touch) dedupe() {
	t.Accounts = distinct(t.Accounts, compare16)
	t.Records = distinct(t.Records, compareKeys)
	t.Holds = distinct(t.Holds, compare16)
}

func (t *Touch) empty() bool { return len(t.Accounts)+len(t.Records)+len(t.Holds) == 0 }

func distinct[T comparable](list []T, order func(a, b T) int) []T {
	slices.SortFunc(list, order)
	return slices.Compact(list)
}

func compare16[T ~[16]byte](a, b T) int {
	x, y := [16]byte(a), [16]byte(b)
	return bytes.Compare(x[:], y[:])
}

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Space, b.Space), cmp.Compare(a.Key, b.Key))
}

// Loaded is the answer to a Touch; what is absent does not exist.
type Loaded struct {
	Accounts []AccountRow
	Records  []RecordRow
	Holds    []HoldChange // Gone is never set
}

// Change brings the tables forward to a batch, each list sorted by key.
type Change struct {
	At       Head
	Gone     []uint16     // parts whose accounts, records and holds are deleted, before all that follows
	Opened   []AccountRow // insert, or replace if the same change was flushed before
	Accounts []StateRow   // update
	Records  []RecordRow  // insert or replace
	Holds    []HoldChange // insert, replace or delete
	Outbox   []Pending    // insert, if not there
	Done     []uint64     // delete from the outbox, if there
}

// StateRow is the new state of an account that the tables know.
type StateRow struct {
	ID AccountID
	AccountState
}

// RecordRow is a changed record.
type RecordRow struct {
	Key    Key
	Record Record
}

// HoldChange is a changed hold.
type HoldChange struct {
	ID   ID
	Row  HoldRow
	Gone bool
}

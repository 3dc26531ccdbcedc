package book

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"jiaozi/value/money"
)

// Engine is a store of one shard. The ledger is its only writer and calls Load
// and Commit from one goroutine; views are read beside it. Booktest is the
// conformance suite that every engine passes.
type Engine interface {
	Evidence
	// Part is the number in the first column of every row.
	Part() uint16
	// Head is the last committed batch, read from the store.
	Head(ctx context.Context) (Head, error)
	// Load reads, in one round, all that a batch touches.
	Load(ctx context.Context, t Touch) (Loaded, error)
	// Commit writes the change in one durable transaction and then the head
	// outside the store. Errors wrap ErrFull, ErrFenced or ErrNotDurable if
	// that is what happened.
	Commit(ctx context.Context, c *Change) error
	Close() error
}

// Evidence is what Verify reads. It never writes.
type Evidence interface {
	// View is a consistent snapshot, to be closed by the caller.
	View(ctx context.Context) (View, error)
	// Kept is the head kept outside the store. The store may be ahead of it,
	// never behind.
	Kept(ctx context.Context) (Head, error)
	// Inspect runs the checks that only the engine can do on its files.
	Inspect(ctx context.Context) ([]Finding, error)
}

// View reads one state of the store. Callbacks get slices that they may keep.
type View interface {
	Head(ctx context.Context) (Head, error)
	Journal(ctx context.Context, from uint64, fn func(Row) error) error
	Account(ctx context.Context, id AccountID) (AccountRow, bool, error)
	Accounts(ctx context.Context, fn func(AccountRow) error) error
	Once(ctx context.Context, key Key) ([]byte, bool, error)
	Onces(ctx context.Context, fn func(Key, []byte) error) error
	Record(ctx context.Context, key Key) (Record, bool, error)
	// Records visits a space in key order; prefix narrows it.
	Records(ctx context.Context, space string, prefix []byte, fn func(key []byte, r Record) error) error
	// AllRecords visits every space.
	AllRecords(ctx context.Context, fn func(Key, Record) error) error
	Holds(ctx context.Context, fn func(ID, HoldRow) error) error
	Outbox(ctx context.Context, topic string, after uint64, max int) ([]Pending, error)
	AllOutbox(ctx context.Context, fn func(Pending) error) error
	Commands(ctx context.Context, fn func(ID, Position) error) error
	Close() error
}

// Key names a once-key or a record: a space and a key in it.
type Key struct{ Space, Key string }

// Position is where an entry stands in the journal.
type Position struct {
	Seq   uint64
	Index int
}

// AccountRow is an account with its balance, signed on the normal side, and
// the part of it that holds reserve.
type AccountRow struct {
	Account
	Balance, Held money.Minor
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

// HoldRow is a hold with what is left of it.
type HoldRow struct {
	Leg     Leg // the reserved leg; Amount is what is left
	Expires int64
}

// Pending is an outgoing message that was not yet acknowledged.
type Pending struct {
	Number uint64
	Out
}

// Touch lists what a batch may read.
type Touch struct {
	Commands []ID
	Accounts []AccountID
	Onces    []Key
	Records  []Key
	Holds    []ID
}

// dedupe sorts each list and drops repetitions: engines read in key order.
func (t *Touch) dedupe() {
	t.Commands = distinct(t.Commands, compare16)
	t.Accounts = distinct(t.Accounts, compare16)
	t.Onces = distinct(t.Onces, compareKeys)
	t.Records = distinct(t.Records, compareKeys)
	t.Holds = distinct(t.Holds, compare16)
}

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

// Loaded is the answer to a Touch; what is absent from a map does not exist.
// Accounts includes those of the holds found. Bodies has the journal body of
// each sequence named in Commands.
type Loaded struct {
	Commands map[ID]Position
	Bodies   map[uint64][]byte
	Accounts map[AccountID]AccountRow
	Onces    map[Key][]byte
	Records  map[Key]Record
	Holds    map[ID]HoldRow
}

// Change is one batch, ready to be written: the journal row and the rows of the
// projections that it changes, each list sorted by key.
type Change struct {
	Row      Row
	Commands []IDAt
	Accounts []AccountRow // insert or replace
	Onces    []OnceRow    // insert
	Records  []RecordRow  // insert or replace
	Holds    []HoldChange
	Outbox   []Pending // insert
	Done     []uint64  // delete, if there
}

// IDAt is a command id with its position.
type IDAt struct {
	ID ID
	At Position
}

// OnceRow is a new once-key.
type OnceRow struct {
	Key   Key
	Value []byte
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

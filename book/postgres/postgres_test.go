package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"jiaozi/book"
	"jiaozi/internal/pgtest"
	"jiaozi/value/money"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const chain = 7

func open(t testing.TB, dsn string, o Options) *Engine {
	t.Helper()
	o.Chain = chain
	e, err := Open(context.Background(), dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() }) // a test may have cut its connections
	return e
}

// session is a connection of somebody else.
func session(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func exec(t testing.TB, conn *pgx.Conn, statement string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// batch makes the row after a head. The engine does not look into it.
func batch(after book.Head, size int) *book.Row {
	body := make([]byte, size)
	rand.Read(body)
	row := &book.Row{Part: chain, Seq: after.Seq + 1, Prev: after.Hash, Body: body}
	row.Hash = sha256.Sum256(append(binary.BigEndian.AppendUint64(after.Hash[:], row.Seq), body...))
	return row
}

func headOf(row *book.Row) book.Head { return book.Head{Seq: row.Seq, Hash: row.Hash} }

func view(t testing.TB, s book.Evidence) book.View {
	t.Helper()
	v, err := s.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return v
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustBe(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%v, not %v", err, want)
	}
}

func same(t testing.TB, got, want any) {
	t.Helper()
	byKey := cmp.Options{
		cmp.AllowUnexported(money.Amount{}),
		cmp.Comparer(func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }),
		cmpopts.SortSlices(func(a, b book.AccountRow) bool { return a.ID.String() < b.ID.String() }),
		cmpopts.SortSlices(func(a, b book.RecordRow) bool { return fmt.Sprint(a.Key) < fmt.Sprint(b.Key) }),
		cmpopts.SortSlices(func(a, b book.HoldChange) bool { return a.ID.String() < b.ID.String() }),
	}
	if diff := cmp.Diff(want, got, byKey); diff != "" {
		t.Error(diff)
	}
}

// sample is a change with every kind of row and every awkward value: zero bytes
// in names, empty and absent values, the ends of all ranges.
func sample() *book.Change {
	return &book.Change{
		At: book.Head{Seq: 1, Hash: book.Hash{1}},
		Opened: []book.AccountRow{
			{Account: book.Account{ID: book.AccountID{0: 0x12, 15: 9}, Name: "a\x00b", Normal: book.Debit, Currency: 156, NeverNegative: true, Line: 5},
				AccountState: book.AccountState{Balance: math.MinInt64 + 1, Held: 3, Line: 4, Closed: true}},
			{Account: book.Account{ID: book.AccountID{0: 0xFF, 1: 0xFF}, Name: "饺子", Normal: book.Credit, Currency: 65535},
				AccountState: book.AccountState{Balance: math.MaxInt64}},
		},
		Records: []book.RecordRow{
			{Key: book.Key{Space: "s", Key: ""}, Record: book.Record{Value: []byte{}, Version: 1}},
			{Key: book.Key{Space: "s", Key: "\x00"}, Record: book.Record{Value: nil, Version: math.MaxInt64}},
			{Key: book.Key{Space: "s", Key: "k\xff\xff"}, Record: book.Record{Value: make([]byte, 1<<20), Version: 2}},
			{Key: book.Key{Space: "s\x00", Key: strings.Repeat("\xff", book.MaxKey)}, Record: book.Record{Value: []byte("v"), Version: 3}},
		},
		Holds: []book.HoldChange{
			{ID: book.ID{0: 0xAB, 1: 0xCD}, Row: book.HoldRow{Expires: math.MinInt64,
				Leg: book.Leg{Account: book.AccountID{1}, Side: book.Debit, Amount: money.New(840, 77)}}},
		},
		Outbox: []book.Pending{
			{Number: 0, Part: 0, Out: book.Out{Topic: "t", Key: []byte{}, Body: []byte{}}},
			{Number: math.MaxInt64, Part: 4095, Out: book.Out{Topic: "t", Key: []byte("k"), Body: []byte("b")}},
			{Number: 5, Part: 9, Out: book.Out{Topic: "u", Key: []byte("k"), Body: []byte("b")}},
		},
	}
}

func touchOf(c *book.Change) (t book.Touch) {
	for _, a := range c.Opened {
		t.Accounts = append(t.Accounts, a.ID)
	}
	for _, r := range c.Records {
		t.Records = append(t.Records, r.Key)
	}
	for _, h := range c.Holds {
		t.Holds = append(t.Holds, h.ID)
	}
	return t
}

// TestEveryKindOfRowComesBack: what was flushed is what Load and the views give
// back, absent things are absent, and an update changes what it names.
func TestEveryKindOfRowComesBack(t *testing.T) {
	e := open(t, pgtest.Schema(t), Options{})
	c := sample()
	must(t, e.Flush(t.Context(), c))
	touch := touchOf(c)
	touch.Accounts = append(touch.Accounts, book.AccountID{5})
	touch.Records = append(touch.Records, book.Key{Space: "", Key: ""})
	touch.Holds = append(touch.Holds, book.ID{5})
	got, err := e.Load(t.Context(), touch)
	must(t, err)
	same(t, got, book.Loaded{Accounts: c.Opened, Records: c.Records, Holds: c.Holds})
	sameView(t, e, c)

	next := &book.Change{At: book.Head{Seq: 2}, Done: []uint64{5, 6, math.MaxInt64}, Holds: []book.HoldChange{{ID: c.Holds[0].ID, Gone: true}},
		Accounts: []book.StateRow{{ID: c.Opened[1].ID, AccountState: book.AccountState{Balance: -1, Held: 2, Line: 3, Closed: true}}}}
	must(t, e.Flush(t.Context(), next))
	c.At, c.Opened[1].AccountState, c.Holds, c.Outbox = next.At, next.Accounts[0].AccountState, nil, c.Outbox[:1]
	sameView(t, e, c)
}

// sameView compares every walk and every lookup of a view with a change.
func sameView(t *testing.T, e book.Evidence, c *book.Change) {
	t.Helper()
	v, ctx := view(t, e), t.Context()
	got := &book.Change{}
	var err error
	got.At, err = v.Applied(ctx)
	must(t, err)
	must(t, v.Accounts(ctx, book.AccountID{}, func(a book.AccountRow) error {
		got.Opened = append(got.Opened, a)
		one, ok, err := v.Account(ctx, a.ID) // inside the walk
		if same(t, one, a); !ok {
			t.Error("an account of the walk is not found")
		}
		return err
	}))
	must(t, v.AllRecords(ctx, func(k book.Key, r book.Record) error {
		got.Records = append(got.Records, book.RecordRow{Key: k, Record: r})
		one, _, err := v.Record(ctx, k)
		same(t, one, r)
		return err
	}))
	must(t, v.Holds(ctx, func(id book.ID, h book.HoldRow) error {
		got.Holds = append(got.Holds, book.HoldChange{ID: id, Row: h})
		return nil
	}))
	must(t, v.AllOutbox(ctx, func(p book.Pending) error { got.Outbox = append(got.Outbox, p); return nil }))
	order := cmpopts.SortSlices(func(a, b book.Pending) bool { return a.Number < b.Number })
	if diff := cmp.Diff(c.Outbox, got.Outbox, order); diff != "" {
		t.Error(diff)
	}
	got.Outbox = c.Outbox
	same(t, got, c)
}

// TestWalksAreNarrowAndOrdered: a walk of accounts after one, of records under a
// prefix and of a topic gives just those, in order, and may be left early.
func TestWalksAreNarrowAndOrdered(t *testing.T) {
	e := open(t, pgtest.Schema(t), Options{})
	c := &book.Change{At: book.Head{Seq: 1}}
	for i := range 3000 {
		id := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		c.Opened = append(c.Opened, book.AccountRow{Account: book.Account{ID: book.AccountID(id[:16]), Name: "n", Normal: book.Debit, Currency: 1}})
		c.Records = append(c.Records, book.RecordRow{Key: book.Key{Space: "s", Key: string(id[:1+i%8])}, Record: book.Record{Version: 1, Value: []byte{1}}})
		c.Outbox = append(c.Outbox, book.Pending{Number: uint64(i), Part: uint16(i % 4096), Out: book.Out{Topic: fmt.Sprint(i % 3), Key: []byte{}, Body: []byte{}}})
	}
	records := map[string]bool{}
	c.Records = c.Records[:0:0]
	for i := range 3000 {
		id := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		key := string(id[:1+i%8])
		if !records[key] {
			records[key] = true
			c.Records = append(c.Records, book.RecordRow{Key: book.Key{Space: "s", Key: key}, Record: book.Record{Version: 1, Value: []byte{1}}})
		}
	}
	must(t, e.Flush(t.Context(), c))
	v, ctx := view(t, e), t.Context()
	middle, last, n := book.AccountID{0x80}, "", 0
	must(t, v.Accounts(ctx, middle, func(a book.AccountRow) error {
		if a.ID.String() <= max(last, middle.String()) {
			t.Error("not in order")
		}
		last, n = a.ID.String(), n+1
		return nil
	}))
	if n < 1300 || n > 1700 {
		t.Errorf("%d accounts above the middle", n)
	}
	for _, prefix := range []string{"", "\x00", "\xff", "\x80\x01", "\xff\xff", string([]byte(c.Records[7].Key.Key)[:1])} {
		want := 0
		for key := range records {
			if strings.HasPrefix(key, prefix) {
				want++
			}
		}
		last := ""
		must(t, v.Records(ctx, "s", []byte(prefix), func(key []byte, _ book.Record) error {
			if !strings.HasPrefix(string(key), prefix) || string(key) < last {
				t.Errorf("%x under %x", key, prefix)
			}
			last, want = string(key), want-1
			return nil
		}))
		if want != 0 {
			t.Errorf("prefix %x: %d records more or less", prefix, want)
		}
	}
	list, err := v.Outbox(ctx, "1", 100, 50)
	must(t, err)
	if len(list) != 50 || list[0].Number != 103 || list[49].Number != 250 {
		t.Errorf("outbox: %v", list)
	}
	enough := errors.New("enough")
	mustBe(t, v.Accounts(ctx, book.AccountID{}, func(book.AccountRow) error { return enough }), enough)
	if _, err := v.Head(ctx); err != nil {
		t.Errorf("a view whose walk was left: %v", err)
	}
}

// TestJournalComesBack: rows of all sizes, one by one and streamed, from the
// start or the middle.
func TestJournalComesBack(t *testing.T) {
	e := open(t, pgtest.Schema(t), Options{})
	var rows []*book.Row
	head, err := e.Head(t.Context())
	must(t, err)
	for _, size := range []int{0, 1, 2000, 2 << 20, 100, 100, 100, 5 << 20, 7} {
		row := batch(head, size)
		must(t, e.Append(t.Context(), row))
		rows, head = append(rows, row), headOf(row)
	}
	v := view(t, e)
	for _, from := range []uint64{0, 1, 2, 8, 9, 10} {
		want := rows[max(from, 1)-1:]
		must(t, v.Journal(t.Context(), from, func(r book.Row) error {
			same(t, r, *want[0])
			want = want[1:]
			return nil
		}))
		if len(want) > 0 {
			t.Errorf("from %d: %d rows are missing", from, len(want))
		}
	}
	one, ok, err := v.Row(t.Context(), 4)
	same(t, one, *rows[3])
	if _, none, err := v.Row(t.Context(), 10); !ok || none || err != nil {
		t.Error(ok, none, err)
	}
	must(t, err)
}

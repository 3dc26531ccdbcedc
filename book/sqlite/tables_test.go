package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jiaozi/book"

	"github.com/google/go-cmp/cmp"
)

var asWritten = cmp.AllowUnexported(book.Leg{}.Amount)

// What was flushed comes back, by Load and by views, and after opening again.
func TestEveryKindOfRowComesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	e := openEngine(t, path)
	add(t, e, 1, 100)
	c := sample(1)
	flush(t, e, c)
	for range 2 {
		touch := book.Touch{Accounts: []book.AccountID{accountID(1), accountID(2), accountID(3)}, Holds: []book.ID{c.Holds[0].ID, c.Holds[1].ID, {}}}
		for _, r := range c.Records {
			touch.Records = append(touch.Records, r.Key, book.Key{Space: "elsewhere", Key: r.Key.Key})
		}
		got, err := e.Load(t.Context(), touch)
		if err != nil {
			t.Fatal(err)
		}
		want := book.Loaded{Accounts: c.Opened, Records: c.Records, Holds: c.Holds}
		if diff := cmp.Diff(want, got, asWritten); diff != "" {
			t.Fatal(diff)
		}
		viewed(t, e, c)
		closeEngine(t, e)
		e = openEngine(t, path)
	}
	closeEngine(t, e)
}

func viewed(t *testing.T, e *Engine, c *book.Change) {
	t.Helper()
	ctx := t.Context()
	within(t, e, func(v book.View) {
		if at, err := v.Applied(ctx); err != nil || at != c.At {
			t.Errorf("applied %v %v", at, err)
		}
		a, ok, err := v.Account(ctx, accountID(2))
		if diff := cmp.Diff(accountRow(2), a); err != nil || !ok || diff != "" {
			t.Error(err, ok, diff)
		}
		if _, ok, err := v.Account(ctx, accountID(3)); ok || err != nil {
			t.Error(ok, err)
		}
		var keys []string
		note := func(key []byte, _ book.Record) error { keys = append(keys, string(key)); return nil }
		if err := v.Records(ctx, "cards", []byte("k"), note); err != nil || !slices.Equal(keys, []string{"k", "kk"}) {
			t.Errorf("%q %v", keys, err)
		}
		if keys = nil; v.Records(ctx, "cards", nil, note) != nil || !slices.Equal(keys, []string{"", "gone", "k", "kk"}) {
			t.Errorf("%q", keys)
		}
		list, err := v.Outbox(ctx, "issuer", 9, 5)
		if diff := cmp.Diff(c.Outbox[2:], list); err != nil || diff != "" {
			t.Error(err, diff)
		}
		if list, err := v.Outbox(ctx, "issuer", 0, 1); err != nil || len(list) != 1 || list[0].Number != 9 {
			t.Error(list, err)
		}
	})
}

// Records of all parts come in the order of their keys, prefix or not.
func TestRecordsComeInKeyOrder(t *testing.T) {
	e := openEngine(t, filepath.Join(t.TempDir(), "book.db"))
	defer e.Close()
	var keys []string
	for b := range 256 {
		for _, tail := range []string{"", "\x00", "\x0f\xff", "\xf0", "\xff", "\xff\xff\xff"} {
			keys = append(keys, string([]byte{byte(b)})+tail)
		}
	}
	keys = append(keys, "")
	slices.Sort(keys)
	add(t, e, 1, 10)
	c := &book.Change{At: headAt(1)}
	for _, space := range []string{"a", "b"} {
		for _, k := range keys {
			c.Records = append(c.Records, book.RecordRow{Key: book.Key{Space: space, Key: k}, Record: book.Record{Value: []byte(space), Version: 1}})
		}
	}
	flush(t, e, c)
	within(t, e, func(v book.View) {
		for _, prefix := range append(keys, "\x01\xf0\x01", "\xff\xff") {
			var got, want []string
			err := v.Records(t.Context(), "b", []byte(prefix), func(k []byte, r book.Record) error {
				got = append(got, string(k))
				return nil
			})
			for _, k := range keys {
				if strings.HasPrefix(k, prefix) {
					want = append(want, k)
				}
			}
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("prefix %q: %q, want %q, %v", prefix, got, want, err)
			}
		}
	})
}

// Accounts come in the order of ids, from any of them on.
func TestAccountsGoOnWhereTheyStopped(t *testing.T) {
	e := openEngine(t, filepath.Join(t.TempDir(), "book.db"))
	defer e.Close()
	add(t, e, 1, 10)
	flush(t, e, opening(1, 300))
	within(t, e, func(v book.View) {
		var all []book.AccountID
		note := func(a book.AccountRow) error { all = append(all, a.ID); return nil }
		if err := v.Accounts(t.Context(), book.AccountID{}, note); err != nil || len(all) != 300 {
			t.Fatal(len(all), err)
		}
		whole := all
		for i := range whole {
			if all = nil; v.Accounts(t.Context(), whole[i], note) != nil || !slices.Equal(all, whole[i+1:]) {
				t.Fatalf("after %d: %d", i, len(all))
			}
		}
		stop := errors.New("enough")
		if err := v.Accounts(t.Context(), book.AccountID{}, func(book.AccountRow) error { return stop }); !errors.Is(err, stop) {
			t.Fatal(err)
		}
	})
}

// opening is a change that opens n accounts, sorted.
func opening(seq uint64, n int) *book.Change {
	c := &book.Change{At: headAt(seq)}
	for i := range n {
		c.Opened = append(c.Opened, accountRow(i))
	}
	slices.SortFunc(c.Opened, func(a, b book.AccountRow) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return c
}

// The same change twice does no more than once; an older one is refused.
func TestFlushIsIdempotentAndNeverGoesBack(t *testing.T) {
	e := openEngine(t, filepath.Join(t.TempDir(), "book.db"))
	defer e.Close()
	add(t, e, 3, 10)
	flush(t, e, sample(1))
	next := &book.Change{At: headAt(2), Accounts: []book.StateRow{{ID: accountID(1), AccountState: book.AccountState{Balance: 50, Closed: true}}},
		Holds: []book.HoldChange{{ID: holdRow(1).ID, Gone: true}}, Done: []uint64{9, 10, 500},
		Outbox: []book.Pending{{Number: 12, Out: book.Out{Topic: "issuer", Key: []byte{}, Body: []byte{}}}}}
	flush(t, e, next)
	once := dump(t, e)
	flush(t, e, next)
	if twice := dump(t, e); twice != once {
		t.Errorf("once\n%s\ntwice\n%s", once, twice)
	}
	if err := e.Flush(t.Context(), sample(1)); err == nil || !strings.Contains(err.Error(), "batch 2 already") {
		t.Errorf("an older change: %v", err)
	}
	if after := dump(t, e); after != once {
		t.Errorf("an older change did something:\n%s", after)
	}
}

// A state for an account that the tables do not know is damage, and the whole
// change is taken back.
func TestStateOfAnUnknownAccountIsDamage(t *testing.T) {
	e := openEngine(t, filepath.Join(t.TempDir(), "book.db"))
	defer e.Close()
	add(t, e, 2, 10)
	flush(t, e, sample(1))
	before := dump(t, e)
	err := e.Flush(t.Context(), &book.Change{At: headAt(2), Opened: []book.AccountRow{accountRow(5)}, Accounts: []book.StateRow{{ID: accountID(99)}}})
	if !errors.Is(err, book.ErrDamaged) || !strings.Contains(err.Error(), "delete book.db.tables") {
		t.Errorf("%v", err)
	}
	if after := dump(t, e); after != before {
		t.Errorf("half a change stayed:\n%s", after)
	}
}

// Without its tables a store opens with new ones that reflect nothing.
func TestTablesAreMadeAnew(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"missing":       func(path string) error { return os.Remove(path) },
		"never written": func(path string) error { return os.WriteFile(path, nil, 0o600) },
	} {
		path := crashed(t, 3)
		if err := spoil(tablesPath(path)); err != nil {
			t.Fatal(err)
		}
		e := openEngine(t, path)
		within(t, e, func(v book.View) {
			if at, err := v.Applied(t.Context()); err != nil || at != (book.Head{}) {
				t.Errorf("%s: applied %v %v", name, at, err)
			}
		})
		flush(t, e, sample(3))
		closeEngine(t, e)
		closeEngine(t, openEngine(t, path))
	}
}

// Tables that cannot belong to the journal are refused, and the error says that
// they are derived and which files to delete.
func TestTablesOfAnotherKindAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(t *testing.T, path string)
		want  string
	}{
		"newer":     {func(t *testing.T, path string) { tamper(t, path, "PRAGMA user_version = 9") }, "version 9"},
		"foreign":   {func(t *testing.T, path string) { tamper(t, path, "PRAGMA application_id = 7") }, "application id 0x7"},
		"changed":   {func(t *testing.T, path string) { tamper(t, path, "DROP TABLE holds") }, "not as they were made"},
		"ahead":     {func(t *testing.T, path string) { tamper(t, path, "UPDATE progress SET applied = 8") }, "reflect batch 8"},
		"another's": {func(t *testing.T, path string) { tamper(t, path, "UPDATE progress SET hash = zeroblob(32)") }, "another batch 1"},
		"garbage": {func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 500)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "not a database"},
	} {
		path := closed(t, 3)
		tt.spoil(t, tablesPath(path))
		_, err := Open(path)
		if !errors.Is(err, book.ErrDamaged) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "delete book.db.tables, book.db.tables-wal") {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(tablesPath(path) + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		}
		closeEngine(t, openEngine(t, path))
	}
}

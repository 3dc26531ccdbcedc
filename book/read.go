package book

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"jiaozi/value/money"
)

// desk answers questions about the book as it is committed: memory first, then
// the tables, at one moment. The ledger and the reader of a store have one each.
type desk struct {
	memory func() *memory
	source source
	slots  chan struct{} // one for each view that may be open; nil for any number
}

// deskViews is how many questions may be looking into the store at one time. The
// next one waits before it holds anything that the writer needs.
const deskViews = MaxViews - verifyViews - 1

// at takes a snapshot: the view is opened, and copy called, while no batch can
// become visible.
func (d *desk) at(ctx context.Context, copy func(*memory), fn func(View) error) error {
	if d.slots != nil {
		select {
		case d.slots <- struct{}{}:
			defer func() { <-d.slots }()
		case <-ctx.Done():
			return fmt.Errorf("read book: %w", context.Cause(ctx))
		}
	}
	m := d.memory()
	m.mu.RLock()
	view, err := d.source.View(ctx)
	if err == nil {
		copy(m)
	}
	m.mu.RUnlock()
	if err != nil {
		return fmt.Errorf("read book: %w", err)
	}
	return errors.Join(fn(view), view.Close())
}

// Get reads a record. Version 0 means that there is none.
func (d *desk) Get(ctx context.Context, space string, key []byte) (value []byte, version uint64, err error) {
	records, err := d.GetMany(ctx, space, [][]byte{key})
	if err != nil {
		return nil, 0, err
	}
	return records[0].Value, records[0].Version, nil
}

// GetMany reads records of a space at one moment, one for each key; Version 0
// means that there is none.
func (d *desk) GetMany(ctx context.Context, space string, keys [][]byte) ([]Record, error) {
	records, rest := make([]Record, len(keys)), make([]int, 0, len(keys))
	find := func(m *memory) {
		for i, key := range keys {
			if !m.parts.shows(partOf(key)) {
				continue // handed over to another chain; the tables are about to learn it
			}
			r, ok := m.record(Key{space, string(key)})
			if !ok {
				rest = append(rest, i)
			}
			records[i] = r.shown()
		}
	}
	if d.remembers(find, &rest) {
		return records, nil
	}
	err := d.at(ctx, find, func(v View) error {
		for _, i := range rest {
			r, _, err := v.Record(ctx, Key{space, string(keys[i])})
			if err != nil {
				return err
			}
			records[i] = r.shown()
		}
		return nil
	})
	return records, err
}

// remembers tries to answer from memory alone: it reports whether find left
// nothing to look up in the tables.
func (d *desk) remembers(find func(*memory), rest *[]int) bool {
	m := d.memory()
	m.mu.RLock()
	find(m)
	m.mu.RUnlock()
	done := len(*rest) == 0
	*rest = (*rest)[:0]
	return done
}

// shown is what a reader sees: nothing of a record that was deleted.
func (r Record) shown() Record {
	return Record{Value: slices.Clone(r.Value), Version: r.version()}
}

// GetOnce reads the value of a once-key, if it is taken.
func (d *desk) GetOnce(ctx context.Context, space string, key []byte) (value []byte, taken bool, err error) {
	m := d.memory()
	h := newHasher(m.keys.Secret()).once(space, key)
	err = d.entries(ctx, h, func(e *Entry, _ Position) bool {
		if e.Result.Code == OK {
			value, taken = e.Command.once(space, key)
		}
		return !taken
	})
	return value, taken, err
}

// Entry reads the entry that answered a command, if one did.
func (d *desk) Entry(ctx context.Context, id ID) (entry Entry, at Position, found bool, err error) {
	m := d.memory()
	h := newHasher(m.keys.Secret()).id(id)
	err = d.entries(ctx, h, func(e *Entry, pos Position) bool {
		if e.Command.ID == id {
			entry, at, found = *e, pos, true
		}
		return !found
	})
	return entry, at, found, err
}

// entries visits the entries that a key hash leads to, until fn has enough.
func (d *desk) entries(ctx context.Context, h keyHash, fn func(*Entry, Position) bool) error {
	m := d.memory()
	m.mu.RLock()
	found, err := m.find(h)
	m.mu.RUnlock()
	if err != nil || len(found) == 0 {
		return err
	}
	return d.at(ctx, func(*memory) {}, func(v View) error {
		r := rowReader{view: v}
		for _, number := range found {
			e, _, err := r.entry(ctx, position(number))
			if err != nil {
				return err
			}
			if !fn(&e, position(number)) {
				return nil
			}
		}
		return nil
	})
}

// Scan visits the records of a space whose key begins with prefix, in key
// order, as they are at one moment. An error from fn ends it and is returned.
func (d *desk) Scan(ctx context.Context, space string, prefix []byte, fn func(key, value []byte, version uint64) error) error {
	var recent map[string]Record
	var parts *ownership
	show := func(key []byte, r Record) error {
		if r.Value == nil || !parts.shows(partOf(key)) {
			return nil
		}
		return fn(key, r.Value, r.Version)
	}
	find := func(m *memory) { recent, parts = m.recent(space, string(prefix)), m.parts }
	return d.at(ctx, find, func(v View) error {
		keys := slices.Sorted(maps.Keys(recent))
		before := func(limit []byte) error {
			for len(keys) > 0 && (limit == nil || keys[0] < string(limit)) {
				key := keys[0]
				keys = keys[1:]
				if err := show([]byte(key), recent[key].shown()); err != nil {
					return err
				}
			}
			return nil
		}
		err := v.Records(ctx, space, prefix, func(key []byte, r Record) error {
			if err := before(key); err != nil {
				return err
			}
			if len(keys) > 0 && keys[0] == string(key) {
				r = recent[keys[0]].shown()
				keys = keys[1:]
			}
			return show(key, r)
		})
		if err != nil {
			return err
		}
		return before(nil)
	})
}

// recent is what memory has of a space, the newest of each key.
func (m *memory) recent(space, prefix string) map[string]Record {
	found := map[string]Record{}
	m.each(func(l *layer) bool {
		for key, r := range l.records[space] {
			if len(key) < len(prefix) || key[:len(prefix)] != prefix {
				continue
			}
			if _, newer := found[key]; !newer {
				found[key] = r
			}
		}
		return true
	})
	return found
}

// Balance is the balance of an account, signed on its normal side.
func (d *desk) Balance(ctx context.Context, id AccountID) (balance money.Amount, open bool, err error) {
	row, open, err := d.account(ctx, id)
	return money.New(row.Currency, row.Balance), open, err
}

// account is an account as it is now, without its name if memory answers.
func (d *desk) account(ctx context.Context, id AccountID) (row AccountRow, open bool, err error) {
	find := func(m *memory) {
		if i, ok := m.cache.find(id); ok {
			row, open = m.cache.slots[i].row(), true
		}
	}
	m := d.memory()
	m.mu.RLock()
	find(m)
	m.mu.RUnlock()
	if open {
		return row, open, nil
	}
	var shown bool
	look := func(m *memory) {
		find(m)
		shown = m.parts.shows(id.Part())
	}
	err = d.at(ctx, look, func(v View) (err error) {
		if !open && shown {
			row, open, err = v.Account(ctx, id)
		}
		return err
	})
	return row, open, err
}

// row is the account without its name.
func (s *slot) row() AccountRow {
	return AccountRow{
		Account{ID: s.id, Normal: s.normal, Currency: s.currency, NeverNegative: s.never}, s.state(),
	}
}

// Accounts visits every account in the order of their ids, as they are at one
// moment.
func (d *desk) Accounts(ctx context.Context, fn func(AccountRow) error) error {
	return d.AccountsAfter(ctx, AccountID{}, fn)
}

// AccountsAfter is Accounts from the first id above after.
func (d *desk) AccountsAfter(ctx context.Context, after AccountID, fn func(AccountRow) error) error {
	var opened []AccountRow
	var recent map[AccountID]AccountState
	var parts *ownership
	find := func(m *memory) {
		opened, recent = m.dirtyAccounts(after)
		parts = m.parts
	}
	all := fn
	fn = func(row AccountRow) error {
		if !parts.shows(row.ID.Part()) {
			return nil // handed over to another chain; the tables are about to learn it
		}
		return all(row)
	}
	return d.at(ctx, find, func(v View) error {
		before := func(limit *AccountID) error {
			for len(opened) > 0 && (limit == nil || compare16(opened[0].ID, *limit) < 0) {
				row := opened[0]
				opened = opened[1:]
				if err := fn(row); err != nil {
					return err
				}
			}
			return nil
		}
		err := v.Accounts(ctx, after, func(row AccountRow) error {
			if err := before(&row.ID); err != nil {
				return err
			}
			if len(opened) > 0 && opened[0].ID == row.ID { // written behind since
				opened = opened[1:]
			}
			if s, ok := recent[row.ID]; ok {
				row.AccountState = s
			}
			return fn(row)
		})
		if err != nil {
			return err
		}
		return before(nil)
	})
}

// dirtyAccounts lists what the tables lack: accounts that they do not know,
// sorted, and the state of all that changed.
func (m *memory) dirtyAccounts(after AccountID) (opened []AccountRow, recent map[AccountID]AccountState) {
	recent = map[AccountID]AccountState{}
	m.each(func(l *layer) bool {
		for _, i := range l.dirty {
			s := &m.cache.slots[i]
			recent[s.id] = s.state()
			if spec := l.opened[s.id]; spec != nil && bytes.Compare(s.id[:], after[:]) > 0 {
				opened = append(opened, AccountRow{*spec, s.state()})
			}
		}
		return true
	})
	slices.SortFunc(opened, func(a, b AccountRow) int { return compare16(a.ID, b.ID) })
	return opened, recent
}

// Outbox reads messages of a topic that were not acknowledged, oldest first,
// with numbers above after, at most max. Acknowledge with Command.Done.
func (d *desk) Outbox(ctx context.Context, topic string, after uint64, max int) (pending []Pending, err error) {
	if max <= 0 {
		return nil, nil
	}
	var recent []Pending
	var done map[uint64]struct{}
	find := func(m *memory) { recent, done = m.recentOutbox(topic, after) }
	err = d.at(ctx, find, func(v View) error {
		// What is done but not written behind takes up room in the answer.
		stored, err := v.Outbox(ctx, topic, after, max+len(done))
		pending = append(stored, recent...)
		return err
	})
	pending = slices.DeleteFunc(pending, func(p Pending) bool { _, gone := done[p.Number]; return gone })
	slices.SortFunc(pending, func(a, b Pending) int { return cmp.Compare(a.Number, b.Number) })
	pending = slices.CompactFunc(pending, func(a, b Pending) bool { return a.Number == b.Number })
	return pending[:min(max, len(pending))], err
}

func (m *memory) recentOutbox(topic string, after uint64) (list []Pending, done map[uint64]struct{}) {
	done = map[uint64]struct{}{}
	m.each(func(l *layer) bool {
		for _, p := range l.outbox {
			if p.Topic == topic && p.Number > after {
				p.Key, p.Body = bytes.Clone(p.Key), bytes.Clone(p.Body)
				list = append(list, p)
			}
		}
		maps.Copy(done, l.done)
		return true
	})
	return list, done
}

// Journal visits the batches from sequence number from on.
func (d *desk) Journal(ctx context.Context, from uint64, fn func(Batch) error) error {
	return d.at(ctx, func(*memory) {}, func(v View) error { return Batches(ctx, v, from, fn) })
}

// Batches decodes the journal of a view from sequence number from on.
func Batches(ctx context.Context, v View, from uint64, fn func(Batch) error) error {
	return v.Journal(ctx, from, func(row Row) error {
		entries, err := DecodeBody(row.Seq, row.Body)
		if err != nil {
			return fmt.Errorf("%w: journal row %d: %w", ErrDamaged, row.Seq, err)
		}
		return fn(Batch{Seq: row.Seq, Prev: row.Prev, Hash: row.Hash, Entries: entries})
	})
}

// Head is the last committed batch.
func (d *desk) Head(context.Context) (Head, error) {
	m := d.memory()
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.head, nil
}

// Shows reports whether what lives in a part can be read here: it is kept here,
// or about to leave.
func (d *desk) Shows(part uint16) bool {
	m := d.memory()
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.parts.shows(part)
}

// Expired lists holds whose time has passed at now (Unix seconds), at most max,
// in the order of their ids. It walks through all open holds, so it costs as much
// as there are of them: ask now and then, not for every command.
func (d *desk) Expired(ctx context.Context, now int64, max int) (ids []ID, err error) {
	if max <= 0 {
		return nil, nil
	}
	var recent map[ID]HoldChange
	var parts *ownership
	due := func(id ID, h HoldRow) {
		if h.Expires != 0 && now >= h.Expires && parts.has(id.Part()) { // what moved is another chain's to expire
			ids = append(ids, id)
		}
	}
	find := func(m *memory) { recent, parts = m.recentHolds(), m.parts }
	err = d.at(ctx, find, func(v View) error {
		for id, h := range recent {
			if !h.Gone {
				due(id, h.Row)
			}
		}
		return v.Holds(ctx, func(id ID, h HoldRow) error {
			if _, newer := recent[id]; !newer {
				due(id, h)
			}
			return nil
		})
	})
	slices.SortFunc(ids, compare16)
	return ids[:min(max, len(ids))], err
}

func (m *memory) recentHolds() map[ID]HoldChange {
	found := map[ID]HoldChange{}
	m.each(func(l *layer) bool {
		for id, h := range l.holds {
			if _, newer := found[id]; !newer {
				found[id] = h
			}
		}
		return true
	})
	return found
}

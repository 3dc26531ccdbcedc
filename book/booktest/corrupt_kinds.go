package booktest

import (
	"math"
	"path/filepath"
	"slices"

	"jiaozi/book"
	"jiaozi/book/index"
	"jiaozi/value/money"
)

// tableKinds change a row of the tables, with what an engine itself offers.
func tableKinds() []corruption {
	state := func(name string, a book.Account, change func(*book.AccountRow)) corruption {
		return corruption{name: "tables: " + name, code: "table", damage: func(v *victim) bool {
			row := v.account(a)
			change(&row)
			v.flush(book.Change{Opened: []book.AccountRow{row}})
			return true
		}}
	}
	other := func(name string, change func(*victim) book.Change) corruption {
		return corruption{name: "tables: " + name, code: "table", damage: func(v *victim) bool { v.flush(change(v)); return true }}
	}
	record := func(key string, r book.Record) func(*victim) book.Change {
		return func(*victim) book.Change {
			return book.Change{Records: []book.RecordRow{{Key: recordKey(key), Record: r}}}
		}
	}
	held := func(id string, change func(*book.HoldChange)) func(*victim) book.Change {
		return func(*victim) book.Change {
			h := book.HoldChange{ID: named(id), Row: book.HoldRow{Expires: 1000,
				Leg: book.Leg{Account: alice.ID, Side: book.Debit, Amount: money.New(cny, 40)}}}
			change(&h)
			return book.Change{Holds: []book.HoldChange{h}}
		}
	}
	return []corruption{
		{name: "nothing", damage: func(*victim) bool { return true }},
		{name: "tables: the same once more", damage: func(v *victim) bool {
			v.flush(book.Change{Opened: []book.AccountRow{v.account(alice)}})
			return true
		}},
		state("a balance", alice, func(a *book.AccountRow) { a.Balance++ }),
		state("held", alice, func(a *book.AccountRow) { a.Held-- }),
		state("a credit line", carol, func(a *book.AccountRow) { a.AccountState.Line++ }),
		state("the first credit line", carol, func(a *book.AccountRow) { a.Account.Line++ }),
		state("an account opened again", gone, func(a *book.AccountRow) { a.Closed = false }),
		state("a name", bob, func(a *book.AccountRow) { a.Name = "rob" }),
		state("a normal side", bank, func(a *book.AccountRow) { a.Normal = book.Credit }),
		state("a currency", bank, func(a *book.AccountRow) { a.Currency = hkd }),
		state("a floor", bob, func(a *book.AccountRow) { a.NeverNegative = false }),
		state("an account too many", bob, func(a *book.AccountRow) { a.ID[15] ^= 1 }),
		other("a value", record("kept", book.Record{Value: []byte("w"), Version: 1})),
		other("a version", record("kept", book.Record{Value: []byte("v"), Version: 2})),
		other("a deleted record back", record("deleted", book.Record{Value: []byte{}, Version: 2})),
		other("a record deleted", record("kept", book.Record{Version: 1})),
		other("a record too many", record("extra", book.Record{Value: []byte("v"), Version: 1})),
		other("what is left of a hold", held("h", func(h *book.HoldChange) { h.Row.Leg.Amount = money.New(cny, 39) })),
		other("the expiry of a hold", held("h", func(h *book.HoldChange) { h.Row.Expires = 0 })),
		other("the account of a hold", held("h", func(h *book.HoldChange) { h.Row.Leg.Account = bob.ID })),
		other("a hold too many", held("x", func(*book.HoldChange) {})),
		other("a hold gone", held("h", func(h *book.HoldChange) { h.Gone = true })),
		other("a message gone", func(v *victim) book.Change { return book.Change{Done: []uint64{v.outbox[0].Number}} }),
		other("a message too many", func(v *victim) book.Change {
			p := v.outbox[1]
			p.Number++
			return book.Change{Outbox: []book.Pending{p}}
		}),
		other("a message changed", func(v *victim) book.Change {
			p := v.outbox[1]
			v.flush(book.Change{Done: []uint64{p.Number}})
			p.Body = []byte("three")
			return book.Change{Outbox: []book.Pending{p}}
		}),
		other("progress too high", func(v *victim) book.Change { return book.Change{At: book.Head{Seq: v.head.Seq + 1}} }),
		other("progress of another journal", func(v *victim) book.Change {
			return book.Change{At: book.Head{Seq: v.head.Seq, Hash: book.Hash{1}}}
		}),
	}
}

func recordKey(key string) book.Key { return book.Key{Space: "cards", Key: key} }

// ruleKinds append a batch to the journal whose hashes are right and which breaks
// a rule, as a ledger with a bug or a thief with its code would.
func ruleKinds() []corruption {
	carry := func(c book.Command, change func(*book.Command)) book.Command {
		change(&c)
		return c
	}
	pay := move("forged", alice, bob, 1)
	nobody := account("nobody", book.Credit, true)
	strange := bob
	strange.NeverNegative = false
	late := capture("forged", "h", alice, bob, 1, false)
	late.At = 1000
	once := carry(note("forged"), func(c *book.Command) { c.Once = []book.Once{{Space: "tap", Key: []byte("card")}} })
	fresh := carry(note("forged"), func(c *book.Command) { c.Once = []book.Once{{Space: "tap", Key: []byte("new")}} })
	return []corruption{
		forged("rules: a sound batch", "", pay),
		forged("rules: one leg", "body", carry(pay, func(c *book.Command) { c.Legs = c.Legs[:1] })),
		forged("rules: below zero", "entry-negative", move("forged", alice, bob, 100000)),
		forged("rules: below the credit line", "entry-negative", move("forged", carol, bob, 61)),
		forged("rules: below what is held", "entry-negative", move("forged", alice, bob, 970)),
		forged("rules: a line below what is used", "entry-negative", limit("forged", carol, 39)),
		forged("rules: a line without a floor", "entry-limit", limit("forged", bank, 39)),
		forged("rules: a sum out of range", "entry-overflow", move("forged", bank, alice, math.MaxInt64)),
		forged("rules: a leg on no account", "entry-account", nameless(move("forged", bank, nobody, 1))),
		forged("rules: half of an entry", "trial-balance", nameless(move("forged", bank, nobody, 1))),
		forged("rules: an account opened otherwise", "entry-account", carry(note("forged"), func(c *book.Command) { c.Open = []book.Account{strange} })),
		forged("rules: another currency", "entry-currency", carry(pay2(), func(c *book.Command) {
			for i := range c.Legs {
				c.Legs[i].Amount = money.New(hkd, 1)
			}
		})),
		forged("rules: a capture beyond its hold", "entry-hold", capture("forged", "h", alice, bob, 41, false)),
		forged("rules: a capture of no hold", "entry-hold", capture("forged", "x", alice, bob, 1, false)),
		forged("rules: a capture of something else", "entry-hold", capture("forged", "h", bob, alice, 1, false)),
		forged("rules: a capture too late", "entry-hold", late),
		forged("rules: an expiry too early", "entry-hold", end("forged", "h", book.Expire, 999)),
		forged("rules: a hold beyond the balance", "entry-negative", hold("forged", alice, 1000, 0)),
		forged("rules: a hold on a closed account", "entry-closed", nameless(hold("forged", gone, 1, 0))),
		forged("rules: a leg on a closed account", "entry-closed", nameless(move("forged", bank, gone, 1))),
		forged("rules: a closed account opened again", "entry-closed", move("forged", bank, gone, 1)),
		forged("rules: closed with money on it", "entry-closed", shut("forged", bob)),
		forged("rules: closed twice", "entry-closed", shut("forged", gone)),
		forged("rules: a closed day", "entry-date", on(day-1, note("forged"))),
		forged("rules: a day to come", "entry-date", on(day+6, note("forged"))),
		forged("rules: a version skipped", "entry-version", put("forged", "kept", "w", 2)),
		forged("rules: a once-key twice", "entry-once", once),
		forged("rules: a once-key twice in a batch", "entry-once", fresh, carry(fresh, func(c *book.Command) { c.ID = named("forged 2") })),
		forged("rules: an id twice", "entry-id", note("tap")),
		forged("rules: an id twice in a batch", "entry-id", note("forged"), note("forged")),
		forged("rules: a reversal not mirrored", "entry-reversal", undo("forged", move("overdraw", carol, bob, 39))),
		forged("rules: a reversal of nothing", "entry-reversal", undo("forged", move("x", bank, alice, 1))),
		forged("rules: a reversal of a refusal", "entry-reversal", undo("forged", move("poor", carol, alice, 61))),
		forged("rules: a reversal of a reversal", "entry-reversal", undo("forged", undo("second", move("pay", alice, bob, 30)))),
		forged("rules: a reversal before its entry", "entry-reversal", undo("forged", move("later", bank, alice, 1)), move("later", bank, alice, 1)),
		forged("rules: reversed twice", "entry-once", undo("forged", move("pay", alice, bob, 30))),
		forged("rules: a chain without end", "body", carry(note("forged"), func(c *book.Command) { c.Linked = true })),
		answered("rules: a chain booked in part", "entry-chain", []book.Code{book.OK, book.Insufficient}, chained(note("forged"), pay2())...),
		answered("rules: a chain refused for nothing", "entry-chain", []book.Code{book.LinkRefused, book.LinkRefused}, chained(note("forged"), pay2())...),
		answered("rules: a link without a chain", "entry-chain", []book.Code{book.LinkRefused}, note("forged")),
		{name: "rules: a wrong balance answered", code: "entry-answer", damage: func(v *victim) bool {
			e := v.said(pay, book.OK)
			e.Result.Balances[1] = money.New(cny, 1)
			v.forge(e)
			return true
		}},
	}
}

func pay2() book.Command { return move("forged 2", alice, bob, 1) }

// answered makes a corruption of commands with answers that do not go together.
func answered(name, code string, codes []book.Code, cmds ...book.Command) corruption {
	return corruption{name: name, code: code, damage: func(v *victim) bool {
		var entries []book.Entry
		for i, c := range cmds {
			entries = append(entries, v.said(c, codes[i]))
		}
		v.forge(entries...)
		return true
	}}
}

// indexKinds tell the index of keys or of statements something else about the
// last batch than the journal says.
func indexKinds() []corruption {
	seal := func(name, which string, entries ...index.Entry) corruption {
		return corruption{name: "index: " + name, code: "index", damage: func(v *victim) bool {
			v.forge(v.said(move("fresh", alice, bob, 1), book.OK))
			return v.seal(which, v.head.Seq, entries...)
		}}
	}
	next := func(i int) uint64 { return 6<<13 | uint64(i) }
	line := func(a book.Account, i int) index.Entry {
		var hash uint64
		for _, b := range a.ID[:8] {
			hash = hash<<8 | uint64(b)
		}
		return index.Entry{Hash: hash, Pos: next(i)}
	}
	sound := seal("as the journal has it", "lines", line(alice, 0), line(bob, 0))
	sound.code = ""
	return []corruption{
		sound,
		seal("no line of an entry", "lines", line(alice, 0)),
		seal("a line too many", "lines", line(alice, 0), line(bob, 0), line(bank, 0)),
		seal("a line in another place", "lines", line(alice, 0), line(bob, 1)),
		seal("no key of an entry", "keys"),
		seal("a key that nobody used", "keys", index.Entry{Hash: 7, Pos: next(0)}),
		{name: "index: ahead of the journal", code: "index", damage: func(v *victim) bool { return v.seal("keys", v.head.Seq+9) }},
	}
}

// seal writes to an index of the closed store.
func (v *victim) seal(which string, seq uint64, entries ...index.Entry) (can bool) {
	v.Helper()
	v.open(func(e book.Engine) error {
		if can = e.IndexDir() != ""; !can {
			return nil
		}
		x, err := index.Open(filepath.Join(e.IndexDir(), which), index.Options{Filter: which == "keys"})
		if err != nil {
			return err
		}
		defer x.Close()
		return x.Seal(entries, seq, v.head.Hash)
	})
	return can
}

// rawKinds write to the store past its engine.
func rawKinds() []corruption {
	raw := func(name, code string, damage func(*victim) error) corruption {
		return corruption{name: "raw: " + name, code: code, raw: true, damage: func(v *victim) bool {
			if err := damage(v); err != nil {
				v.Fatal(err)
			}
			return true
		}}
	}
	row := func(name, code string, i int, change func(*book.Row)) corruption {
		return raw(name, code, func(v *victim) error {
			r := v.rows[i]
			r.Body = slices.Clone(r.Body)
			change(&r)
			return v.Raw.PutRow(r)
		})
	}
	rehash := func(r *book.Row) { r.Hash = book.Link(r.Part, r.Seq, r.Prev, r.Body) }
	last := 4
	return []corruption{
		raw("an account gone", "table", func(v *victim) error { return v.Raw.DropAccount(bob.ID) }),
		raw("a record gone", "table", func(v *victim) error { return v.Raw.DropRecord(recordKey("kept")) }),
		raw("a batch gone", "chain", func(v *victim) error { return v.Raw.DropRow(3) }),
		raw("the first batch gone", "chain", func(v *victim) error { return v.Raw.DropRow(1) }),
		raw("a lost tail", "head", func(v *victim) error { return v.Raw.DropRow(v.head.Seq) }),
		raw("a batch twice", "chain", func(v *victim) error {
			r := v.rows[last]
			r.Seq++
			return v.Raw.PutRow(r)
		}),
		raw("another kept head", "head", func(v *victim) error { return v.Raw.PutKept(book.Head{Seq: 2, Hash: book.Hash{1}}) }),
		raw("a kept head ahead", "head", func(v *victim) error {
			return v.Raw.PutKept(book.Head{Seq: v.head.Seq + 1, Hash: v.head.Hash})
		}),
		raw("a kept head that is old", "", func(v *victim) error {
			return v.Raw.PutKept(book.Head{Seq: 2, Hash: v.rows[1].Hash})
		}),
		row("a byte of a body", "hash", 1, func(r *book.Row) { r.Body[len(r.Body)/2] ^= 1 }),
		row("a body cut short", "body", 1, func(r *book.Row) { r.Body = r.Body[:len(r.Body)-1] }),
		row("an amount, hashed again", "chain", 1, func(r *book.Row) { r.Body[len(r.Body)-1] ^= 1; rehash(r) }),
		row("the last amount, hashed again", "head", last, func(r *book.Row) { r.Body[len(r.Body)-1] ^= 1; rehash(r) }),
		row("a link back", "chain", 2, func(r *book.Row) { r.Prev[0] ^= 1; rehash(r) }),
		row("a hash", "hash", 2, func(r *book.Row) { r.Hash[0] ^= 1 }),
		row("another part", "chain", 2, func(r *book.Row) { r.Part++; rehash(r) }),
	}
}

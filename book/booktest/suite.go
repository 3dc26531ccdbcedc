// Package booktest is the conformance suite of the book's engines, an engine in
// memory, and an engine that fails on purpose.
//
// Run takes any engine through the promises of package book, by the front door:
// commands in, results and reads out, close and reopen in between, and at the
// end of each test Verify, which recomputes everything from the journal. An
// engine that passes can hold money.
package booktest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/money"

	"github.com/google/go-cmp/cmp"
)

// Store is one place that an engine can be opened at, closed and opened again.
type Store func() (book.Engine, error)

const (
	day clock.Date     = 20261122
	cny money.Currency = 156
	hkd money.Currency = 344
)

// Run tests an engine. Each call of fresh makes an empty store. Everything is
// played twice: once on a ledger that is left in peace, and once on one with a
// tiny cache that is written behind, crashes and is opened again all the time.
func Run(t *testing.T, fresh func(t *testing.T) Store) {
	for name, test := range promises() {
		for mood, o := range map[string]book.Options{"": {}, "/restless": {Accounts: 4, Behind: time.Hour}} {
			t.Run(name+mood, func(t *testing.T) {
				t.Parallel() // most of the time is waiting for the disk
				h := &harness{T: t, store: fresh(t), options: o, restless: mood != ""}
				h.reopen()
				test(t, h)
				h.sound()
				h.history()
				h.close()
			})
		}
	}
}

func promises() map[string]func(*testing.T, *harness) {
	return map[string]func(*testing.T, *harness){
		"TransferMovesMoney":              transferMovesMoney,
		"ReplayGetsTheFirstAnswer":        replayGetsTheFirstAnswer,
		"RefusalsOfFormLeaveNoTrace":      refusalsOfFormLeaveNoTrace,
		"NeverNegativeHolds":              neverNegativeHolds,
		"OnceIsForEver":                   onceIsForEver,
		"RecordsChangeUnderTheirVersion":  recordsChangeUnderTheirVersion,
		"ScanIsOrderedByKeyAndByPrefix":   scanIsOrderedByKeyAndByPrefix,
		"HoldsReserveUntilUsedUp":         holdsReserveUntilUsedUp,
		"HoldsExpire":                     holdsExpire,
		"OutboxKeepsUntilDone":            outboxKeepsUntilDone,
		"OneBatchMayDependOnItself":       oneBatchMayDependOnItself,
		"EverythingSurvivesReopening":     everythingSurvivesReopening,
		"ManyCallersShareOneWriter":       manyCallersShareOneWriter,
		"ReaderIsOneMoment":               readerIsOneMoment,
		"SecondWriterIsFenced":            secondWriterIsFenced,
		"LargestBatchAndLargestValueFit":  largestBatchAndLargestValueFit,
		"ValuesKeepEveryByte":             valuesKeepEveryByte,
		"VerifyRunsBesideTheWriter":       verifyRunsBesideTheWriter,
		"JournalReadsFromAnywhere":        journalReadsFromAnywhere,
		"DeletedRecordsGoOnCounting":      deletedRecordsGoOnCounting,
		"AccountsOpenOnceWithOneMeaning":  accountsOpenOnceWithOneMeaning,
		"EmptyStoreIsSoundAndHasZeroHead": emptyStoreIsSound,
		"SlicesAreCarried":                slicesAreCarried,
		"PartsGoWhole":                    partsGoWhole,
		"CreditLinesCarryHoldsAndLegs":    creditLinesCarryHoldsAndLegs,
		"LimitsAreNotBelowWhatIsUsed":     limitsAreNotBelowWhatIsUsed,
		"AccountsCloseEmptyAndForEver":    accountsCloseEmptyAndForEver,
		"BusinessDaysOpenAndClose":        businessDaysOpenAndClose,
		"BalancesStandAsOfAnyDay":         balancesStandAsOfAnyDay,
		"ChainsAreBookedWhole":            chainsAreBookedWhole,
		"ChainsAreRefusedWhole":           chainsAreRefusedWhole,
		"ChainsTakeEverythingBack":        chainsTakeEverythingBack,
		"BrokenChainsLeaveNoTrace":        brokenChainsLeaveNoTrace,
		"RefusedChainsKeepWhatCanBeRead":  refusedChainsKeepWhatCanBeRead,
		"EntriesAreReversedOnce":          entriesAreReversedOnce,
		"ReversalsMirrorWhatWasBooked":    reversalsMirrorWhatWasBooked,
		"CapturesAndChainsAreReversed":    capturesAndChainsAreReversed,
		"MessagesToComeAreNotDone":        messagesToComeAreNotDone,
		"MovedPartsDoNotSpoilTheJournal":  movedPartsDoNotSpoilTheJournal,
	}
}

func transferMovesMoney(t *testing.T, h *harness) {
	r := h.ok(move("fund", bank, alice, 1000), move("pay", alice, bob, 300))
	want := []money.Amount{money.New(cny, 700), money.New(cny, 300)}
	if diff := cmp.Diff(want, r[1].Balances, cmp.Comparer(func(a, b money.Amount) bool { return a == b })); diff != "" {
		t.Fatal(diff)
	}
	h.balance(bank, 1000)
	h.balance(alice, 700)
	h.balance(bob, 300)
	if _, open, err := h.ledger.Balance(h.ctx(), unknown); open || err != nil {
		t.Fatalf("an account that was never opened is open: %v", err)
	}
}

func replayGetsTheFirstAnswer(t *testing.T, h *harness) {
	fund, pay := move("fund", bank, alice, 100), move("pay", alice, bob, 60)
	first := h.ok(fund, pay)
	poor := move("pay2", alice, bob, 60)
	h.codes([]book.Code{book.Insufficient}, poor)
	h.ok(move("more", bank, alice, 500))
	again := h.codes([]book.Code{book.OK, book.Insufficient}, pay, poor)
	if !again[0].Replayed || again[0].Seq != first[1].Seq || again[0].Balances[0] != first[1].Balances[0] {
		t.Fatalf("replay %+v, first %+v", again[0], first[1])
	}
	other := pay
	other.Note = []byte("other content")
	h.codes([]book.Code{book.IDReused}, other)
	h.balance(bob, 60)
}

func refusalsOfFormLeaveNoTrace(t *testing.T, h *harness) {
	uneven := move("a", bank, alice, 10)
	uneven.Legs[0].Amount = money.New(cny, 11)
	nowhere := move("b", bank, alice, 10)
	nowhere.Open = nil
	mixed := move("c", bank, alice, 10)
	mixed.Open[0].Currency = hkd
	noID := move("d", bank, alice, 10)
	noID.ID = book.ID{}
	zero := move("e", bank, alice, 0)
	h.codes([]book.Code{book.Unbalanced, book.UnknownAccount, book.CurrencyMismatch, book.Malformed, book.Malformed},
		uneven, nowhere, mixed, noID, zero)
	if head, err := h.ledger.Head(h.ctx()); err != nil || head.Seq != 0 {
		t.Fatalf("head %v, %v: a refusal of form was journaled", head, err)
	}
	h.ok(move("a", bank, alice, 10)) // the id is free
}

func neverNegativeHolds(_ *testing.T, h *harness) {
	h.ok(move("fund", bank, alice, 100))
	h.codes([]book.Code{book.Insufficient, book.OK, book.Insufficient},
		move("1", alice, bob, 101), move("2", alice, bob, 100), move("3", alice, bob, 1))
	h.ok(move("4", bob, bank, 100)) // bank may stand on either side
	h.balance(bank, 0)
	h.ok(move("5", bank, alice, 5), move("6", alice, bank, 5))
}

func onceIsForEver(t *testing.T, h *harness) {
	tap := func(id, value string, amount money.Minor) book.Command {
		c := move(id, bank, alice, amount)
		c.Once = []book.Once{{Space: "tap", Key: []byte("card-7"), Value: []byte(value)}}
		return c
	}
	r := h.codes([]book.Code{book.OK, book.Exists}, tap("1", "first", 10), tap("2", "second", 10))
	if string(r[1].Prior) != "first" {
		t.Fatalf("prior %q", r[1].Prior)
	}
	r = h.codes([]book.Code{book.Exists}, tap("3", "third", 10))
	if string(r[0].Prior) != "first" || r[0].Seq != 0 {
		t.Fatalf("prior %q, seq %d", r[0].Prior, r[0].Seq)
	}
	value, taken, err := h.ledger.GetOnce(h.ctx(), "tap", []byte("card-7"))
	if err != nil || !taken || string(value) != "first" {
		t.Fatalf("%q %v %v", value, taken, err)
	}
	if _, taken, _ := h.ledger.GetOnce(h.ctx(), "other", []byte("card-7")); taken {
		t.Fatal("a key is taken in a space that never saw it")
	}
	h.balance(alice, 10)
}

func put(id, key, value string, expect uint64) book.Command {
	c := note(id)
	c.Put = []book.Put{{Space: "cards", Key: []byte(key), Expect: expect, Value: []byte(value)}}
	return c
}

func recordsChangeUnderTheirVersion(t *testing.T, h *harness) {
	h.codes([]book.Code{book.OK, book.VersionConflict, book.OK, book.OK, book.VersionConflict},
		put("1", "k", "a", 0), put("2", "k", "b", 0), put("3", "k", "c", 1), put("4", "k", "", 2), put("5", "k", "x", 9))
	value, version, err := h.ledger.Get(h.ctx(), "cards", []byte("k"))
	if err != nil || value == nil || len(value) != 0 || version != 3 {
		t.Fatalf("%q %d %v: an empty value is a value", value, version, err)
	}
	h.ok(put("5", "k", "x", 3)) // the refused id is free
	if value, version, err := h.ledger.Get(h.ctx(), "cards", []byte("none")); err != nil || value != nil || version != 0 {
		t.Fatalf("%q %d %v", value, version, err)
	}
}

func deletedRecordsGoOnCounting(t *testing.T, h *harness) {
	gone := put("2", "k", "", 1)
	gone.Put[0].Value = nil
	h.ok(put("1", "k", "a", 0), gone)
	if value, version, err := h.ledger.Get(h.ctx(), "cards", []byte("k")); err != nil || value != nil || version != 0 {
		t.Fatalf("%q %d %v", value, version, err)
	}
	h.codes([]book.Code{book.VersionConflict, book.OK}, put("3", "k", "b", 2), put("4", "k", "b", 0))
	if _, version, _ := h.ledger.Get(h.ctx(), "cards", []byte("k")); version != 3 {
		t.Fatalf("version %d: a stale writer could take the new record for the old", version)
	}
	gone.ID, gone.Put[0].Expect = named("5"), 3
	h.ok(gone, put("6", "l", "c", 0))
	many, err := h.ledger.GetMany(h.ctx(), "cards", [][]byte{[]byte("k"), []byte("l"), []byte("none")})
	want := []book.Record{{}, {Value: []byte("c"), Version: 1}, {}}
	if diff := cmp.Diff(want, many); diff != "" || err != nil {
		t.Fatal(diff, err)
	}
}

func scanIsOrderedByKeyAndByPrefix(t *testing.T, h *harness) {
	keys := []string{"", "a", "a\x00", "a\xff", "a\xff\xff", "b", "\xff", "\xff\xff"}
	for i, k := range keys {
		h.ok(put(fmt.Sprint(i), k, k, 0))
	}
	other := put("other", "a", "foreign", 0)
	other.Put[0].Space = "cards2"
	h.ok(other)
	for prefix, want := range map[string][]string{
		"": keys, "a": {"a", "a\x00", "a\xff", "a\xff\xff"}, "a\xff": {"a\xff", "a\xff\xff"},
		"\xff": {"\xff", "\xff\xff"}, "c": nil,
	} {
		var have []string
		err := h.ledger.Scan(h.ctx(), "cards", []byte(prefix), func(key, value []byte, version uint64) error {
			if string(key) != string(value) || version != 1 {
				t.Errorf("key %q has value %q, version %d", key, value, version)
			}
			have = append(have, string(key))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("prefix %q: %s", prefix, diff)
		}
	}
	stop := errors.New("enough")
	if err := h.ledger.Scan(h.ctx(), "cards", nil, func(_, _ []byte, _ uint64) error { return stop }); !errors.Is(err, stop) {
		t.Fatalf("scan hid the caller's error: %v", err)
	}
}

func outboxKeepsUntilDone(t *testing.T, h *harness) {
	send := func(id, topic string, bodies ...string) book.Command {
		c := note(id)
		for _, b := range bodies {
			c.Out = append(c.Out, book.Out{Topic: topic, Key: []byte(id), Body: []byte(b)})
		}
		return c
	}
	h.ok(send("1", "issuer", "a", "b"), send("2", "other", "x"))
	h.ok(send("3", "issuer", "c"))
	read := func(after uint64, max int) (numbers []uint64, bodies string) {
		list, err := h.ledger.Outbox(h.ctx(), "issuer", after, max)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			numbers = append(numbers, p.Number)
			bodies += string(p.Body)
		}
		return numbers, bodies
	}
	numbers, bodies := read(0, 10)
	if bodies != "abc" || !slices.IsSorted(numbers) {
		t.Fatalf("outbox %q %v", bodies, numbers)
	}
	if _, bodies := read(numbers[0], 1); bodies != "b" {
		t.Fatalf("after the first comes %q", bodies)
	}
	done := note("4")
	done.Done = []uint64{numbers[1], 12345, numbers[1]}
	h.ok(done)
	h.reopen()
	if _, bodies := read(0, 10); bodies != "ac" {
		t.Fatalf("after the acknowledgement there is %q", bodies)
	}
}

func oneBatchMayDependOnItself(t *testing.T, h *harness) {
	twice := move("twice", bank, alice, 10)
	other := twice
	other.Note = []byte("x")
	r := h.codes([]book.Code{book.OK, book.OK, book.IDReused, book.OK, book.OK, book.OK, book.OK, book.OK, book.OK, book.VersionConflict},
		twice, twice, other, move("pay", alice, bob, 10), hold("h", bob, 10, 0), capture("c", "h", bob, alice, 4, true),
		put("p1", "k", "1", 0), put("p2", "k", "2", 1), put("p3", "k", "3", 2), put("p4", "k", "4", 2))
	if r[0].Replayed || !r[1].Replayed {
		t.Fatalf("the second of two equal commands is the replay: %+v", r[:2])
	}
	h.balance(alice, 4)
	h.balance(bob, 6)
}

func accountsOpenOnceWithOneMeaning(_ *testing.T, h *harness) {
	h.ok(move("1", bank, alice, 10))
	changed := move("2", bank, alice, 10)
	changed.Open = slices.Clone(changed.Open)
	changed.Open[1].NeverNegative = false
	twice := note("3")
	twice.Open = []book.Account{bob, bob}
	renamed := bob
	renamed.Name = "robert"
	torn := note("4")
	torn.Open = []book.Account{account("carol", book.Credit, true), renamed}
	h.codes([]book.Code{book.AccountDiffers, book.OK, book.AccountDiffers}, changed, twice, torn)
	h.balance(bob, 0)
	if _, open, err := h.ledger.Balance(h.ctx(), account("carol", book.Credit, true).ID); open || err != nil {
		h.Fatal("a refused command opened an account")
	}
}

func everythingSurvivesReopening(t *testing.T, h *harness) {
	pay := move("pay", alice, bob, 30)
	h.ok(move("fund", bank, alice, 100), hold("h", alice, 50, 0), put("r", "k", "v", 0), pay)
	before, err := h.ledger.Head(h.ctx())
	if err != nil {
		t.Fatal(err)
	}
	h.reopen()
	if after, err := h.ledger.Head(h.ctx()); err != nil || after != before {
		t.Fatalf("head %v before, %v after (%v)", before, after, err)
	}
	r := h.codes([]book.Code{book.OK, book.Insufficient, book.OK, book.VersionConflict},
		pay, move("x", alice, bob, 21), capture("c", "h", alice, bob, 50, false), put("r2", "k", "v", 0))
	if !r[0].Replayed {
		t.Fatal("the ledger forgot an id")
	}
	h.balance(bob, 80)
}

func manyCallersShareOneWriter(t *testing.T, h *harness) {
	const callers, each = 16, 20
	h.ok(move("fund", bank, alice, callers*each))
	var wait sync.WaitGroup
	for c := range callers {
		wait.Go(func() {
			for i := range each {
				cmd := move(fmt.Sprintf("pay/%d/%d", c, i), alice, bob, 1)
				if r, err := h.ledger.Apply(h.ctx(), []book.Command{cmd}); err != nil || r[0].Code != book.OK {
					t.Errorf("%v %v", r, err)
				}
			}
		})
	}
	wait.Wait()
	h.balance(alice, 0)
	h.balance(bob, callers*each)
	if r := h.sound(); r.Entries != callers*each+1 {
		t.Fatalf("%d entries", r.Entries)
	}
}

func readerIsOneMoment(t *testing.T, h *harness) {
	h.restless = false // a store waits for its readers before it closes
	h.ok(move("1", bank, alice, 10))
	reader, err := book.OpenReader(h.ctx(), h.engine.Chain(), h.engine)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	h.ok(move("2", bank, alice, 10))
	if have, _, err := reader.Balance(h.ctx(), alice.ID); err != nil || have != money.New(cny, 10) {
		t.Fatalf("the reader sees %s: %v", have, err)
	}
	if head, err := reader.Head(h.ctx()); err != nil || head.Seq != 1 {
		t.Fatalf("the reader's head is %v: %v", head, err)
	}
}

func secondWriterIsFenced(t *testing.T, h *harness) {
	h.ok(move("1", bank, alice, 10))
	stale := &book.Row{Part: h.engine.Chain(), Seq: 1, Body: []byte("not ours")}
	if err := h.engine.Append(h.ctx(), stale); !errors.Is(err, book.ErrFenced) {
		t.Fatalf("a taken sequence number was written again: %v", err)
	}
	h.balance(alice, 10)
}

func largestBatchAndLargestValueFit(t *testing.T, h *harness) {
	cmds := make([]book.Command, book.MaxBatch)
	for i := range cmds {
		cmds[i] = move(fmt.Sprint(i), bank, alice, 1)
	}
	h.ok(cmds...)
	h.balance(alice, book.MaxBatch)
	if _, err := h.ledger.Apply(h.ctx(), append(cmds, cmds[0])); !errors.Is(err, book.ErrTooLarge) {
		t.Fatalf("a call above the bound: %v", err)
	}
	big := put("big", "k", "", 0)
	big.Put[0].Value = make([]byte, book.MaxValue)
	tooBig := put("too big", "k2", "", 0)
	tooBig.Put[0].Value = make([]byte, book.MaxValue+1)
	h.codes([]book.Code{book.OK, book.Malformed}, big, tooBig)
}

func valuesKeepEveryByte(t *testing.T, h *harness) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	c := note("1")
	c.Put = []book.Put{{Space: "交子", Key: all, Value: all}}
	c.Once = []book.Once{{Space: "交子", Key: all, Value: all}, {Space: "交子", Key: nil, Value: nil}}
	c.Out = []book.Out{{Topic: "交子", Key: all, Body: all}}
	c.Note = all
	h.ok(c)
	h.reopen()
	record, _, err := h.ledger.Get(h.ctx(), "交子", all)
	once, _, err2 := h.ledger.GetOnce(h.ctx(), "交子", all)
	_, empty, err3 := h.ledger.GetOnce(h.ctx(), "交子", nil)
	out, err4 := h.ledger.Outbox(h.ctx(), "交子", 0, 1)
	if err := errors.Join(err, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(record, all) || !slices.Equal(once, all) || !empty || !slices.Equal(out[0].Body, all) {
		t.Fatal("a byte changed on the way")
	}
}

func verifyRunsBesideTheWriter(t *testing.T, h *harness) {
	stop := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := h.ledger.Apply(h.ctx(), []book.Command{move(fmt.Sprint(i), bank, alice, 1)}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 5 {
		h.sound()
	}
	close(stop)
	wait.Wait()
}

func journalReadsFromAnywhere(t *testing.T, h *harness) {
	for i := range 5 {
		h.ok(move(fmt.Sprint(i), bank, alice, 1))
	}
	var seen []uint64
	err := h.ledger.Journal(h.ctx(), 3, func(b book.Batch) error {
		seen = append(seen, b.Seq)
		if len(b.Entries) != 1 || b.Entries[0].Command.ID != named(fmt.Sprint(b.Seq-1)) {
			t.Errorf("batch %d: %+v", b.Seq, b.Entries)
		}
		return nil
	})
	if err != nil || !slices.Equal(seen, []uint64{3, 4, 5}) {
		t.Fatalf("%v %v", seen, err)
	}
}

func emptyStoreIsSound(t *testing.T, h *harness) {
	if head, err := h.ledger.Head(h.ctx()); err != nil || head != (book.Head{}) {
		t.Fatalf("%v %v", head, err)
	}
	h.reopen()
	h.sound()
}

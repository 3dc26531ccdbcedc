package terminal

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var testPAN = func() ident.PAN {
	p, err := ident.ParsePAN(ident.WithLuhn("621234000000001"))
	if err != nil {
		panic(err)
	}
	return p
}()

// sampleRecord is a tap with everything in it.
func sampleRecord(t trace) purse.Record {
	return purse.Record{
		PAN: testPAN, PSN: 1, Amount: yuan(12_50), Other: yuan(0), When: testTime, TID: "JZ000001", MID: "JIAOZI000000001",
		STAN: t.STAN, Batch: t.Batch, Entry: purse.Contactless, AC: [8]byte{1, 2, 3}, CID: emv.CID(emv.TC), ATC: 9,
		IAD: bytes.Repeat([]byte{7}, 19), UN: [4]byte{1, 2, 3, 4}, AIP: emv.AIP{0x20}, Country: 156, Caps: [3]byte(capabilities), ListVersion: 3,
	}
}

func sampleEntries() []entry {
	record := sampleRecord(trace{1, 2})
	inDoubt := record
	inDoubt.Flag = purse.Torn
	return []entry{
		opened{"JZ000001", "JIAOZI000000001", money.CNY}, reserved{50}, renumbered{7},
		pended{record, testAID, kept{[]byte{1}, []byte{2, 3}, []byte{4, 5, 6}}}, dropped{trace{1, 2}}, sold{record, true}, flagged{inDoubt},
		acked{trace{1, 2}}, step{trace{1, 3}, Cash, stageScript, yuan(50_00), testPAN, 1, testTime, []byte("message")}, ended{trace{1, 3}},
		listed{[]byte("signed list")}, closing{7, 9}, closed{7, 8}, said{},
		refused{trace{1, 2}, "15"}, left{record, true, "15"},
	}
}

func TestAnEntryReadsBackAsItself(t *testing.T) {
	seen := map[kind]bool{}
	for _, e := range sampleEntries() {
		b := encode(e)
		got, err := decode(b)
		if err != nil {
			t.Fatalf("kind %d: %v", e.kind(), err)
		}
		if diff := cmp.Diff(e, got, cmp.Exporter(func(reflect.Type) bool { return true }), cmp.Comparer(time.Time.Equal)); diff != "" {
			t.Errorf("kind %d: %s", e.kind(), diff)
		}
		if !bytes.Equal(encode(got), b) {
			t.Errorf("kind %d is not canonical", e.kind())
		}
		for n := range b {
			if _, err := decode(b[:n]); !errors.Is(err, errEntry) {
				t.Errorf("kind %d cut to %d bytes: %v", e.kind(), n, err)
			}
		}
		if _, err := decode(append(bytes.Clone(b), 0)); !errors.Is(err, errEntry) {
			t.Errorf("kind %d with a byte more: %v", e.kind(), err)
		}
		seen[e.kind()] = true
	}
	for k := kindOpened; k <= kindLeft; k++ {
		if !seen[k] {
			t.Errorf("kind %d has no sample", k)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, e := range sampleEntries() {
		f.Add(encode(e))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decode(b)
		if err != nil {
			return
		}
		if got := encode(e); !bytes.Equal(got, b) {
			t.Errorf("not canonical:\n%X\n%X", b, got)
		}
	})
}

// drawEntry proposes what may happen next; most proposals are possible, some not.
func drawEntry(t *rapid.T, s *state) entry {
	n := uint32(rapid.IntRange(1, 6).Draw(t, "trace"))
	at := trace{s.batch, n}
	record := sampleRecord(at)
	record.PSN = ident.PSN(n % 3)
	record.When = testTime.Add(time.Duration(n) * time.Minute)
	load := step{Trace: at, Kind: Account, Stage: stage(rapid.IntRange(1, 3).Draw(t, "stage")), Amount: yuan(5), PAN: testPAN, When: testTime, Message: []byte{byte(n)}}
	inDoubt := record
	inDoubt.Flag = purse.Torn
	return rapid.SampledFrom([]entry{
		reserved{s.reserved + uint64(n)}, renumbered{n}, pended{Record: record, AID: testAID, Kept: kept{AFL: []byte{1, 2, 3, 4}}}, dropped{at},
		sold{Record: record}, sold{record, true}, flagged{inDoubt}, acked{at}, refused{at, "15"}, acked{trace{1, n}}, left{sampleRecord(trace{99, n}), false, "15"}, load, ended{at}, listed{[]byte{byte(n)}},
		closing{s.batch, n}, closed{s.batch - 1, 0}, closed{s.batch - 1, n}, said{},
	}).Draw(t, "entry")
}

// Goal: whatever happened, and wherever the process died, the journal gives one
// consistent state, and the shortened journal gives the same. Method: random
// histories; after each entry that could happen, fold the whole journal and its
// snapshot anew.
func TestTheJournalIsTheState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s state
		var journal memory
		keep := func(e entry) bool {
			before := refold(t, journal.entries)
			if err := s.apply(e); err != nil {
				if !errors.Is(err, ErrJournal) {
					t.Fatalf("refused for another reason: %v", err)
				}
				if diff := compare(before, s); diff != "" {
					t.Fatalf("a refused entry has changed the state: %s", diff)
				}
				return false
			}
			_ = journal.Append(encode(e))
			return true
		}
		keep(opened{"JZ000001", "JIAOZI000000001", money.CNY})
		for range rapid.IntRange(0, 40).Draw(t, "length") {
			if !keep(drawEntry(t, &s)) {
				continue
			}
			if diff := compare(s, refold(t, journal.entries)); diff != "" {
				t.Fatalf("replay differs: %s", diff)
			}
			var short [][]byte
			for _, e := range s.snapshot() {
				short = append(short, encode(e))
			}
			again := refold(t, short)
			s.unsaid = nil // a snapshot is written when everything was said
			if diff := compare(s, again); diff != "" {
				t.Fatalf("the snapshot differs: %s", diff)
			}
		}
	})
}

func refold(t *rapid.T, entries [][]byte) state {
	var s state
	for _, b := range entries {
		e, err := decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.apply(e); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// compare leaves out unsaid, which a snapshot does not keep.
func compare(a, b state) string {
	a.unsaid, b.unsaid = nil, nil
	return cmp.Diff(a, b, cmp.Exporter(func(reflect.Type) bool { return true }), cmp.Comparer(time.Time.Equal), cmp.Comparer(sameSlice[sale]), cmp.Comparer(sameSlice[pended]), cmp.Comparer(sameSlice[step]))
}

// sameSlice takes nil and empty for the same.
func sameSlice[T any](a, b []T) bool {
	return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b)
}

// TestEveryPrefixOfADayIsConsistent: a crash after any append of a real day.
func TestEveryPrefixOfADayIsConsistent(t *testing.T) {
	for _, s := range loadScripts(t) {
		store := &memory{}
		till := openTest(t, store)
		for _, x := range s.scenes {
			till.Purchase(t.Context(), &player{t: t, exchanges: x.exchanges}, x.sale)
		}
		for n := range store.entries {
			again := openTest(t, &memory{entries: store.entries[: n+1 : n+1]})
			if got, floor := again.counter, again.state.reserved; got < floor {
				t.Errorf("%s: trace numbers start at %d, %d may be used", s.name, got, floor)
			}
		}
	}
}

// TestNoTraceNumberIsUsedTwice: not even by a process that died at once.
func TestNoTraceNumberIsUsedTwice(t *testing.T) {
	store, seen := &memory{}, map[trace]bool{}
	for range 5 {
		till := openTest(t, store)
		for range stanBlock + 3 {
			tr, err := till.nextTrace()
			if err != nil || seen[tr] {
				t.Fatalf("%+v twice, or %v", tr, err)
			}
			seen[tr] = true
		}
	}
}

func TestTraceNumbersWrapAround(t *testing.T) {
	till := openTest(t, &memory{})
	till.counter, till.state.reserved = lastSTAN-1, lastSTAN-1
	first, _ := till.nextTrace()
	till.state.pending = append(till.state.pending, pended{Record: sampleRecord(trace{1, 1})})
	second, err := till.nextTrace()
	if first.STAN != lastSTAN || second.STAN != 2 || err != nil {
		t.Errorf("%d, then %d (%v): want 999999, then 2, since 1 is in use", first.STAN, second.STAN, err)
	}
}

func TestAForeignJournalIsRefused(t *testing.T) {
	store := &memory{}
	openTest(t, store)
	cfg := testConfig()
	cfg.TID = "JZ000002"
	if _, err := Open(cfg, store, keyless{}, silent{}, clock.NewManual(testTime), still{}); !errors.Is(err, ErrOtherTerminal) {
		t.Errorf("opened another terminal's journal: %v", err)
	}
	store.entries = append(store.entries, []byte("garbage"))
	if _, err := Open(testConfig(), store, keyless{}, silent{}, clock.NewManual(testTime), still{}); !errors.Is(err, errEntry) {
		t.Errorf("opened a damaged journal: %v", err)
	}
	store.entries[1] = encode(acked{trace{1, 1}})
	if _, err := Open(testConfig(), store, keyless{}, silent{}, clock.NewManual(testTime), still{}); !errors.Is(err, ErrJournal) {
		t.Errorf("opened a contradictory journal: %v", err)
	}
}

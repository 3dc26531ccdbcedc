package shard

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"jiaozi/book"
)

const threeShards = `[
  {"name": "a", "parts": "0-1000,1002-1999", "store": "a.db", "chain": 0},
  {"name": "b", "parts": "1001,2000-4094", "store": "b.db", "chain": 2000},
  {"name": "c", "parts": "4095", "store": "c.db", "chain": 4095}
]`

// Every part has one shard, and a map that is written is read again as it was.
func TestMapGivesEveryPartOneShard(t *testing.T) {
	m, err := Parse([]byte(threeShards))
	if err != nil {
		t.Fatal(err)
	}
	for part, want := range map[uint16]string{0: "a", 1000: "a", 1001: "b", 1002: "a", 1999: "a", 2000: "b", 4094: "b", 4095: "c"} {
		if have := m.Of(part).Name; have != want {
			t.Errorf("part %d is in %s, want %s", part, have, want)
		}
	}
	again, err := Parse(m.JSON())
	if err != nil || !bytes.Equal(again.JSON(), m.JSON()) || again.owner != m.owner {
		t.Fatalf("read again (%v):\n%s", err, again.JSON())
	}
}

// A map that leaves a part without a shard, or gives it two, or says more than is
// understood, is refused with the reason.
func TestMapRefusesWhatIsNotClear(t *testing.T) {
	one := func(change string) string {
		old, now, _ := strings.Cut(change, " => ")
		return strings.Replace(threeShards, old, now, 1)
	}
	for text, want := range map[string]string{
		``:                                      "EOF",
		`{}`:                                    "cannot unmarshal",
		`[]`:                                    "no shard keeps part 0",
		threeShards + `[]`:                      "something follows",
		one(`1002-1999 => 1002-1998`):           "no shard keeps part 1999",
		one(`1001,2000 => 1000-1001,2000`):      "part 1000 is kept by shard \"a\"",
		one(`"4095" => "4095-4096"`):            "numbers below 4096",
		one(`"4095" => "4095-70000"`):           "write ranges",
		one(`"4095" => "4095-4090"`):            "a range is low-high",
		one(`"4095" => "-4095"`):                "write ranges",
		one(`"store": => "shop": "", "store":`): "unknown field",
		one(`"b.db" => "a.db"`):                 "the store is that of shard \"a\"",
		one(`"c.db" => ""`):                     "has no store",
		one(`"name": "b" => "name": "a"`):       "used twice",
		one(`"name": "b" => "name": "B/b"`):     "a name is",
		one(`"chain": 4095 => "chain": 4096`):   "chain 4096",
		one(`"chain": 4095 => "chain": 2000`):   "the home of shard \"c\", part 2000, is in shard \"b\"",
		one(`"chain": 4095 => "chain": -1`):     "cannot unmarshal",
	} {
		_, err := Parse([]byte(text))
		if !errors.Is(err, ErrMap) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nerror %v, want one with %q", text, err, want)
		}
	}
}

// One part moves and no other does; a home never moves.
func TestMapMovesOnePart(t *testing.T) {
	m, err := Parse([]byte(threeShards))
	if err != nil {
		t.Fatal(err)
	}
	moved, err := m.Moved(1001, "c")
	if err != nil {
		t.Fatal(err)
	}
	for part := range uint16(book.Parts) {
		want := m.Of(part).Name
		if part == 1001 {
			want = "c"
		}
		if have := moved.Of(part).Name; have != want {
			t.Errorf("part %d is in %s, want %s", part, have, want)
		}
	}
	if want := (Ranges{{From: 1001, To: 1001}, {From: 4095, To: 4095}}); !slices.Equal(moved.Of(1001).Parts, want) {
		t.Errorf("parts of c: %v", moved.Of(1001).Parts)
	}
	for part, to := range map[uint16]string{0: "b", 5: "nobody", 4095: "a", 4096: "a"} {
		if _, err := m.Moved(part, to); !errors.Is(err, ErrMap) {
			t.Errorf("part %d to %s: %v", part, to, err)
		}
	}
}

func FuzzMap(f *testing.F) {
	f.Add([]byte(threeShards))
	f.Add([]byte(`[{"name":"a","parts":"0-4095","store":"x","chain":7}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(m.JSON())
		if err != nil || again.owner != m.owner {
			t.Fatalf("%v: %s", err, m.JSON())
		}
	})
}

func FuzzMessage(f *testing.F) {
	m := message{id: book.ID{1}, from: book.AccountID{2}, to: book.AccountID{3}, amount: cny(5), event: "pay"}
	f.Add(m.append(nil))
	m.back = true
	f.Add(m.append(nil)[:messageHeader])
	f.Add(append(m.append(nil), make([]byte, book.MaxName)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMessage(b)
		if err == nil && !bytes.Equal(m.append(nil), b) {
			t.Fatalf("%x is read as %+v", b, m)
		}
	})
}

package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"jiaozi/book"
	"jiaozi/value/money"

	"pgregory.net/rapid"
)

// Goal: no entry is lost or changed by being written as text. Method: random
// entries of every kind, compared byte for byte.
func TestEveryEntryReadsBackByteForByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEntry(t)
		raw := book.AppendEntry(nil, &e)
		if _, err := book.DecodeEntry(9, raw); err != nil {
			t.Fatalf("the draw is no entry: %v: %+v", err, e)
		}
		line, err := encodeLine(toLine(&e))
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeEntry(9, line)
		if err != nil || !bytes.Equal(back, raw) {
			t.Fatalf("%v\n%s\n%x\n%x", err, line, raw, back)
		}
	})
}

// Goal: a field that is added to the book is added here. Method: count them.
func TestNoFieldOfAnEntryIsForgotten(t *testing.T) {
	for _, c := range []struct {
		of     any
		fields int
	}{
		{book.Entry{}, 2}, {book.Command{}, 21}, {book.Result{}, 5}, {book.Leg{}, 3}, {book.Account{}, 6}, {book.Limit{}, 2},
		{book.Days{}, 2}, {book.Handover{}, 6}, {book.Once{}, 3}, {book.Put{}, 4}, {book.Out{}, 3},
	} {
		if n := reflect.TypeOf(c.of).NumField(); n != c.fields {
			t.Errorf("%T has %d fields, this archive knows %d", c.of, n, c.fields)
		}
	}
}

func TestAJournalComesBackWithEqualHashes(t *testing.T) {
	from := example()
	text := exported(t, from, 0)
	for _, start := range []int{0, 1, 3, len(from.rows)} {
		to := &store{chain: 3, rows: slices.Clone(from.rows[:start])}
		r, err := Import(t.Context(), bytes.NewReader(text), to)
		must(t, err)
		if !reflect.DeepEqual(to.rows, from.rows) || r.Appended != uint64(len(from.rows)-start) || r.Batches != uint64(len(from.rows)) {
			t.Fatalf("from %d: %+v", start, r)
		}
	}
	// What was added since.
	to := &store{chain: 3, rows: slices.Clone(from.rows[:4])}
	_, err := Import(t.Context(), bytes.NewReader(exported(t, from, 5)), to)
	if err != nil || !reflect.DeepEqual(to.rows, from.rows) {
		t.Fatal(err)
	}
	empty := &store{chain: 3}
	if r, err := Import(t.Context(), bytes.NewReader(exported(t, empty, 0)), empty); err != nil || r.Batches != 0 {
		t.Fatal(r, err)
	}
}

// Goal: power that fails during an import costs nothing but a second import.
func TestAnInterruptedImportGoesOn(t *testing.T) {
	from := example()
	text := exported(t, from, 0)
	for n := 1; n < len(from.rows); n++ {
		to := &store{chain: 3, failAfter: n}
		r, err := Import(t.Context(), bytes.NewReader(text), to)
		expect(t, "full disk", err, errDisk)
		if r.Appended != uint64(n) || len(to.rows) != n {
			t.Fatal(r)
		}
		_, err = Import(t.Context(), bytes.NewReader(text), to)
		if err != nil || !reflect.DeepEqual(to.rows, from.rows) {
			t.Fatal(err)
		}
	}
}

// Goal: a file that is not right in every byte changes nothing and is named
// with its line. Method: cut everywhere, and one change at a time.
func TestABadArchiveChangesNothing(t *testing.T) {
	from := example()
	text := exported(t, from, 0)
	refuse := func(what string, text []byte, want error) {
		t.Helper()
		to := &store{chain: 3}
		_, err := Import(t.Context(), bytes.NewReader(text), to)
		expect(t, what, err, want)
		if len(to.rows) > 0 || err == nil || !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("%s: %d rows, %v", what, len(to.rows), err)
		}
	}
	for n := 0; n < len(text); n += 1 + n%50 {
		refuse(fmt.Sprint("cut at ", n), text[:n], ErrShort)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	lines = lines[:len(lines)-1]
	for i := range lines {
		without := slices.Concat(slices.Concat(lines[:i]...), slices.Concat(lines[i+1:]...))
		twice := slices.Concat(slices.Concat(lines[:i+1]...), slices.Concat(lines[i:]...))
		for what, bad := range map[string][]byte{"without line": without, "twice line": twice} {
			_, err := Import(t.Context(), bytes.NewReader(bad), &store{chain: 3})
			if !errors.Is(err, ErrForm) && !errors.Is(err, ErrHash) && !errors.Is(err, ErrShort) {
				t.Errorf("%s %d: %v", what, i+1, err)
			}
		}
	}
	change := func(old, new string) []byte { return bytes.Replace(text, []byte(old), []byte(new), 1) }
	for _, c := range []struct {
		what string
		text []byte
		want error
	}{
		{"another format", change("jiaozi-journal", "jiaozi"), ErrForm},
		{"another version", change(`"version":1`, `"version":2`), ErrForm},
		{"unknown key", change(`"chain":3`, `"chain":3,"colour":1`), ErrForm},
		{"repeated key", change(`"chain":3`, `"chain":3,"chain":3`), ErrForm},
		{"key of other case", change(`"chain":3`, `"Chain":3`), ErrForm},
		{"space", change(`"chain":3`, `"chain": 3`), ErrForm},
		{"line end of another system", change("\n", "\r\n"), ErrForm},
		{"null", change(`"prev":"`, `"prev":null,"x":"`), ErrForm},
		{"hash altered", change(`"hash":"`, `"hash":"f`), ErrForm},
		{"no entries", change(`"entries":1`, `"entries":0`), ErrForm},
		{"too many entries", change(`"entries":1`, `"entries":8193`), ErrForm},
		{"upper case id", bytes.Replace(text, []byte(`"id":"`), []byte(`"id":"A`), 1), ErrForm},
		{"code that is not kept", bytes.Replace(text, []byte(`"code":"ok"`), []byte(`"code":"malformed"`), 1), ErrForm},
		{"something after the end", append(bytes.Clone(text), '\n'), ErrForm},
		{"a long line", append(bytes.Repeat([]byte(" "), MaxLine+1), text...), ErrForm},
		{"a line of commas", append(bytes.Repeat([]byte(","), maxItems+1), text...), ErrForm},
		{"another chain", change(`"chain":3`, `"chain":4`), ErrOther},
		{"from the middle", exported(t, from, 3), ErrOther},
		{"nothing", nil, ErrShort},
	} {
		refuse(c.what, c.text, c.want)
	}
}

// Goal: one changed fact is found by the hash, whatever the fact. Method: change
// each digit and letter of the file in a way that keeps its form.
func TestEveryChangedByteIsFound(t *testing.T) {
	few := example()
	few.rows = few.rows[:2]
	text := exported(t, few, 0)
	for i, old := range text {
		var other byte
		switch {
		case old >= '0' && old <= '8', old >= 'a' && old <= 'e':
			other = old + 1
		case old >= 'A' && old <= 'Y':
			other = old + 1
		default:
			continue
		}
		bad := bytes.Clone(text)
		bad[i] = other
		to := &store{chain: 3}
		if _, err := Import(t.Context(), bytes.NewReader(bad), to); err == nil || len(to.rows) > 0 {
			t.Fatalf("byte %d: %s", i, bad[max(0, i-30):min(i+30, len(bad))])
		}
	}
}

func TestAnotherJournalIsNotMixedIn(t *testing.T) {
	from, other := example(), &store{chain: 3}
	other.book(rapid.Custom(drawEntry).Example(77))
	text := exported(t, from, 0)
	for _, to := range []*store{other, {chain: 3, rows: append(slices.Clone(from.rows[:2]), other.rows...)}} {
		before := slices.Clone(to.rows)
		_, err := Import(t.Context(), bytes.NewReader(text), to)
		expect(t, "other rows", err, ErrOther)
		if !reflect.DeepEqual(to.rows, before) {
			t.Error("changed")
		}
	}
	behind := &store{chain: 3, rows: slices.Clone(from.rows[:3])}
	behind.rows[2].Hash[0]++
	_, err := Import(t.Context(), bytes.NewReader(exported(t, from, 4)), behind)
	expect(t, "does not follow", err, ErrOther)
}

func TestADamagedStoreIsNotExported(t *testing.T) {
	for what, damage := range map[string]func(rows []book.Row) []book.Row{
		"bit": func(rows []book.Row) []book.Row {
			rows[2].Body = bytes.Clone(rows[2].Body)
			rows[2].Body[9]++
			return rows
		},
		"hash":  func(rows []book.Row) []book.Row { rows[2].Hash[0]++; return rows },
		"link":  func(rows []book.Row) []book.Row { rows[2].Prev[0]++; return rows },
		"chain": func(rows []book.Row) []book.Row { rows[2].Part++; return rows },
		"gap":   func(rows []book.Row) []book.Row { return append(rows[:2], rows[3:]...) },
	} {
		s := example()
		s.rows = damage(s.rows)
		_, err := Export(t.Context(), io.Discard, s, 3, 0)
		expect(t, what, err, ErrHash)
	}
	_, err := Export(t.Context(), brokenPipe{}, example(), 3, 0)
	expect(t, "pipe", err, io.ErrClosedPipe)
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestACancelledImportStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Import(ctx, bytes.NewReader(exported(t, example(), 0)), &store{chain: 3})
	expect(t, "cancelled", err, context.Canceled)
}

// Goal: the decoder holds on any line, and what it takes has one form.
func FuzzEntryLine(f *testing.F) {
	for seed := range 20 {
		e := rapid.Custom(drawEntry).Example(seed)
		line, err := encodeLine(toLine(&e))
		must(f, err)
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		raw, err := decodeEntry(1, line)
		if err != nil {
			return
		}
		e, err := book.DecodeEntry(1, raw)
		must(t, err)
		again, err := encodeLine(toLine(&e))
		must(t, err)
		if !bytes.Equal(line, again) {
			t.Fatalf("two forms of one entry:\n%s\n%s", line, again)
		}
	})
}

// Goal: whatever the book keeps can be exported and imported. Method: start
// from the book's bytes instead of the text.
func FuzzEntryBytes(f *testing.F) {
	for seed := range 20 {
		e := rapid.Custom(drawEntry).Example(seed)
		f.Add(book.AppendEntry(nil, &e))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := book.DecodeEntry(1, raw)
		if err != nil {
			return
		}
		line, err := encodeLine(toLine(&e))
		must(t, err)
		back, err := decodeEntry(1, line)
		if err != nil || !bytes.Equal(back, raw) {
			t.Fatalf("%v\n%s\n%x\n%x", err, line, raw, back)
		}
	})
}

func FuzzArchive(f *testing.F) {
	f.Add(exported(f, example(), 0))
	f.Add(exported(f, example(), 4))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := &store{}
		begin := func(chain uint16, from uint64) error {
			s.chain = chain
			if from != 1 {
				return errors.New("not from the start")
			}
			return nil
		}
		_, err := Read(t.Context(), bytes.NewReader(text), begin, func(row *book.Row) error { return s.Append(t.Context(), row) })
		if err == nil && !bytes.Equal(exported(t, s, 0), text) {
			t.Fatal("an archive has a second form")
		}
	})
}

func BenchmarkExport(b *testing.B) {
	s, n := example(), 0
	for b.Loop() {
		r, err := Export(b.Context(), io.Discard, s, 3, 0)
		must(b, err)
		n = int(r.Entries)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/entry")
}

func BenchmarkImport(b *testing.B) {
	text, n := exported(b, example(), 0), 0
	for b.Loop() {
		r, err := Import(b.Context(), bytes.NewReader(text), &store{chain: 3})
		must(b, err)
		n = int(r.Entries)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/entry")
}

// Goal: no entry is too large for a line. Method: an entry of the largest size,
// made of what grows most when it is written as JSON.
func TestTheLargestEntryFitsALine(t *testing.T) {
	name := func(i int) string { return strings.Repeat("\x01", book.MaxName-4) + fmt.Sprintf("%04x", i) }
	long := bytes.Repeat([]byte{0xFF}, book.MaxKey)
	e := book.Entry{Command: book.Command{ID: book.ID{1}, Event: name(0), Date: 20261122, Note: long}, Result: book.Result{Code: book.OK}}
	c := &e.Command
	for i := range book.MaxOnce {
		amount := money.New(65535, money.Minor(1)<<50)
		account := book.AccountID{1, byte(i >> 8), byte(i)}
		side := []book.Side{book.Debit, book.Credit}[i%2]
		c.Legs = append(c.Legs, book.Leg{Account: account, Side: side, Amount: amount})
		c.Open = append(c.Open, book.Account{ID: account, Name: name(i), Normal: side, Currency: 65535, NeverNegative: true, Line: 1 << 62})
		c.Limit = append(c.Limit, book.Limit{Account: account, Line: 1 << 62})
		c.Close = append(c.Close, account)
		c.Once = append(c.Once, book.Once{Space: name(i), Key: long, Value: []byte{1}})
		c.Put = append(c.Put, book.Put{Space: name(i), Key: long, Expect: 1 << 62, Value: []byte{1}})
		c.Done = append(c.Done, 1<<62)
		e.Result.Balances = append(e.Result.Balances, money.New(65535, -1<<62))
	}
	rest := book.MaxCommand - len(book.AppendEntry(nil, &e))
	c.Out = []book.Out{{Topic: "t", Body: make([]byte, min(rest-100, book.MaxValue))}}
	raw := book.AppendEntry(nil, &e)
	line, err := encodeLine(toLine(&e))
	must(t, err)
	back, err := decodeEntry(1, line)
	if err != nil || !bytes.Equal(back, raw) {
		t.Fatalf("%d bytes as a line of %d with %d commas: %v", len(raw), len(line), items(line), err)
	}
	// The rest of the bytes as base64, were there room for it.
	if most := len(line) + (book.MaxCommand-len(raw))/3*4; most > MaxLine || items(line) > maxItems {
		t.Fatalf("%d bytes, %d commas", most, items(line))
	}
	t.Logf("%d bytes give a line of %d with %d commas", len(raw), len(line), items(line))
}

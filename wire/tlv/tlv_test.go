package tlv_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"jiaozi/wire/tlv"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMalformedObjectsAreRefused(t *testing.T) {
	for _, row := range []struct {
		why, hex string
		want     error
	}{
		{"tag without length", "9F02", tlv.ErrTruncated},
		{"half a tag", "9F", tlv.ErrTruncated},
		{"length beyond the end", "5A 03 0102", tlv.ErrTruncated},
		{"length of a length missing", "5A 81", tlv.ErrTruncated},
		{"two length bytes, one there", "5A 82 01", tlv.ErrTruncated},
		{"81 for what fits one byte", "5A 81 01 00", tlv.ErrLength},
		{"82 for what fits 81", "5A 82 00FF" + strings.Repeat("00", 255), tlv.ErrLength},
		{"indefinite length", "70 80 5A0100 0000", tlv.ErrLength},
		{"83 is above the bound", "70 83 010000", tlv.ErrLength},
		{"00 filler before", "00 5A 01 00", tlv.ErrTag},
		{"00 filler after", "5A 01 00 00", tlv.ErrTag},
		{"FF filler only", "FF FF FF FF", tlv.ErrTag},
		{"tag of five bytes", "9F 81 81 81 01 00", tlv.ErrTag},
		{"leading zero in a tag", "9F 80 01 00", tlv.ErrTag},
		{"shadow tag", "5A 01 01 5A 01 02", tlv.ErrDuplicate},
	} {
		if _, err := tlv.Decode(unhex(t, row.hex)); !errors.Is(err, row.want) {
			t.Errorf("%s: got %v, want %v", row.why, err, row.want)
		}
	}
}

func TestInputIsBounded(t *testing.T) {
	if _, err := tlv.Decode(make([]byte, tlv.MaxBytes+1)); !errors.Is(err, tlv.ErrTooLarge) {
		t.Errorf("oversized: %v", err)
	}
	many := bytes.Repeat([]byte{0x61, 0}, tlv.MaxItems+1)
	if _, err := tlv.Decode(many, 0x61); !errors.Is(err, tlv.ErrTooLarge) {
		t.Errorf("too many objects: %v", err)
	}
	if _, err := tlv.Decode(many[2:], 0x61); err != nil {
		t.Errorf("as many as allowed: %v", err)
	}
	if err := tlv.Walk(make([]byte, tlv.MaxBytes+1), nil); !errors.Is(err, tlv.ErrTooLarge) {
		t.Errorf("oversized walk: %v", err)
	}
}

func TestRepeatableTagsMayRepeat(t *testing.T) {
	list, err := tlv.Decode(unhex(t, "61 01 01 50 00 61 01 02"), 0x61)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]byte{{1}, {2}}, list.All(0x61)); d != "" {
		t.Error(d)
	}
	if v, ok := list.Find(0x61); !ok || v[0] != 1 {
		t.Errorf("Find gave %X", v)
	}
	if _, ok := list.Find(0x9F02); ok {
		t.Error("found what is not there")
	}
}

func TestValuesCannotGrowIntoTheirNeighbour(t *testing.T) {
	b := unhex(t, "5A 01 11 57 01 22")
	list, err := tlv.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	_ = append(list[0].Value, 0xEE)
	if b[3] != 0x57 {
		t.Error("appending to one value overwrote the next object")
	}
}

func TestTagsKnowTheirClassAndName(t *testing.T) {
	for _, row := range []struct {
		tag         tlv.Tag
		name        string
		valid       bool
		constructed bool
	}{
		{0x5A, "5A", true, false},
		{0x70, "70", true, true},
		{0x9F02, "9F02", true, false},
		{0xBF0C, "BF0C", true, true},
		{0xDF8101, "DF8101", true, false},
		{0xFF818182, "FF818182", false, true},
		{0xFF818102, "FF818102", true, true},
		{0x00, "00", false, false},
		{0x9F, "9F", false, false},
		{0x5A01, "5A01", false, false},
	} {
		if row.tag.String() != row.name || row.tag.Valid() != row.valid || tlv.Constructed(row.tag) != row.constructed {
			t.Errorf("%v: valid %v, constructed %v", row.tag, row.tag.Valid(), tlv.Constructed(row.tag))
		}
	}
}

var tags = rapid.Custom(func(t *rapid.T) tlv.Tag {
	return tlv.Tag(rapid.OneOf(
		rapid.Uint32Range(1, 0xFF), rapid.Uint32Range(0x9F01, 0x9F7F),
		rapid.Uint32Range(0xBF01, 0xBF7F), rapid.Uint32Range(0xDF8101, 0xDF817F),
	).Draw(t, "number"))
}).Filter(tlv.Tag.Valid)

func TestWhatIsAppendedReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want tlv.List
		for _, tag := range rapid.SliceOfNDistinct(tags, 0, 20, rapid.ID[tlv.Tag]).Draw(t, "tags") {
			size := rapid.SampledFrom([]int{0, 1, 127, 128, 255, 256, 300}).Draw(t, "size")
			want = append(want, tlv.Item{Tag: tag, Value: bytes.Repeat([]byte{0xA5}, size)})
		}
		got, err := tlv.Decode(tlv.AppendList(nil, want))
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) || (len(want) > 0 && !cmp.Equal(got, want)) {
			t.Fatal(cmp.Diff(want, got))
		}
	})
}

func TestWhatCouldNotBeReadBackIsNeverWritten(t *testing.T) {
	for _, it := range []tlv.Item{{Tag: 0x9F}, {Tag: 0}, {Tag: 0x5A01}, {Tag: 0x5A, Value: make([]byte, tlv.MaxBytes)}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v with %d bytes was written", it.Tag, len(it.Value))
				}
			}()
			tlv.Append(nil, it.Tag, it.Value)
		}()
	}
}

func TestWalkShowsTheTreeAndStopsAtTheBound(t *testing.T) {
	var lines []string
	show := func(depth int, it tlv.Item) error {
		lines = append(lines, fmt.Sprintf("%d %v %d", depth, it.Tag, len(it.Value)))
		return nil
	}
	b := unhex(t, "6F 0E 84 02 1122 A5 08 88 01 01 BF0C 02 5000")
	if err := tlv.Walk(b, show); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"0 6F 14", "1 84 2", "1 A5 8", "2 88 1", "2 BF0C 2", "3 50 0"}, lines); d != "" {
		t.Error(d)
	}
	deep := []byte{}
	for range tlv.MaxDepth + 1 {
		deep = tlv.Append(nil, 0x70, deep)
	}
	if err := tlv.Walk(deep, show); !errors.Is(err, tlv.ErrTooDeep) {
		t.Errorf("too deep: %v", err)
	}
	stop := errors.New("enough")
	if err := tlv.Walk(b, func(int, tlv.Item) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("fn's error is lost: %v", err)
	}
}

func TestMalformedListsAreRefused(t *testing.T) {
	for _, row := range []struct {
		why, hex string
	}{
		{"tag without length", "9F02"},
		{"asks for more than a command holds", "5A FD"},
		{"asks for more in sum", "5A 80 57 7D"},
		{"asks twice", "5A 01 5A 01"},
		{"filler", "00 01"},
		{"longer than an object may be", strings.Repeat("5A01", 127)},
	} {
		if _, err := tlv.ParseDOL(unhex(t, row.hex)); err == nil {
			t.Errorf("%s: accepted", row.why)
		}
	}
}

func TestBook3_5_4_ValuesAreFittedToTheList(t *testing.T) {
	values := map[tlv.Tag]string{0x9F02: "000000001234", 0x5A: "6212", 0x50: "414243", 0x70: "5A0101"}
	fills := map[tlv.Tag]tlv.Fill{0x9F02: tlv.FillLeft, 0x5A: tlv.FillF}
	get := func(tag tlv.Tag) ([]byte, bool) {
		v, ok := values[tag]
		return unhex(t, v), ok
	}
	for _, row := range []struct{ why, dol, want string }{
		{"exact", "9F0206", "000000001234"},
		{"n is cut on the left", "9F0202", "1234"},
		{"n is padded on the left", "9F0207", "00000000001234"},
		{"cn is padded with F", "5A04", "6212FFFF"},
		{"cn is cut on the right", "5A01", "62"},
		{"text is padded with zeros", "5005", "4142430000"},
		{"text is cut on the right", "5002", "4142"},
		{"unknown is zeros", "9F3702", "0000"},
		{"a template is zeros", "7003", "000000"},
		{"nothing is nothing", "", ""},
	} {
		dol, err := tlv.ParseDOL(unhex(t, row.dol))
		if err != nil {
			t.Fatal(err)
		}
		got := dol.Build(get, func(tag tlv.Tag) tlv.Fill { return fills[tag] })
		if !bytes.Equal(got, unhex(t, row.want)) {
			t.Errorf("%s: %X, want %s", row.why, got, row.want)
		}
	}
}

func TestBothSidesReadTheListAlike(t *testing.T) {
	dol, err := tlv.ParseDOL(unhex(t, "9F02 06 9F37 04 5F2A 02"))
	if err != nil {
		t.Fatal(err)
	}
	data := unhex(t, "000000001234 11223344 0156")
	list, err := dol.Split(data)
	if err != nil {
		t.Fatal(err)
	}
	want := tlv.List{{Tag: 0x9F02, Value: data[:6]}, {Tag: 0x9F37, Value: data[6:10]}, {Tag: 0x5F2A, Value: data[10:]}}
	if d := cmp.Diff(want, list); d != "" {
		t.Error(d)
	}
	if got := dol.Build(list.Find, func(tlv.Tag) tlv.Fill { return tlv.FillRight }); !bytes.Equal(got, data) {
		t.Errorf("built %X", got)
	}
	for _, wrong := range [][]byte{nil, data[1:], append(data, 0)} {
		if _, err := dol.Split(wrong); !errors.Is(err, tlv.ErrDOLPayload) {
			t.Errorf("%d bytes: %v", len(wrong), err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"", "5A0162", "6F0E84021122A5088801010000BF0C025000", "9F0206000000001234", "7081FF", "00", "FFFF"} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		visited := 0
		_ = tlv.Walk(b, func(depth int, it tlv.Item) error {
			if visited++; depth >= tlv.MaxDepth || visited > len(b) {
				t.Fatalf("depth %d, object %d of %d bytes", depth, visited, len(b))
			}
			return nil
		})
		list, err := tlv.Decode(b)
		if err != nil {
			return
		}
		if again := tlv.AppendList(nil, list); !bytes.Equal(again, b) {
			t.Fatalf("%X became %X", b, again)
		}
	})
}

func FuzzParseDOL(f *testing.F) {
	for _, seed := range []string{"", "9F02069F3704", "9F", "5AFF"} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		dol, err := tlv.ParseDOL(b)
		if err != nil {
			return
		}
		if again := dol.Append(nil); !bytes.Equal(again, b) {
			t.Fatalf("%X became %X", b, again)
		}
		if dol.Len() > tlv.MaxDOL {
			t.Fatalf("asks for %d bytes", dol.Len())
		}
		if _, err := dol.Split(make([]byte, dol.Len())); err != nil {
			t.Fatal(err)
		}
	})
}

func ExampleDecode() {
	record, _ := hex.DecodeString("9F02060000000012345F2A020156")
	list, err := tlv.Decode(record)
	if err != nil {
		fmt.Println(err)
		return
	}
	amount, _ := list.Find(0x9F02)
	fmt.Printf("%X\n", amount)
	// Output: 000000001234
}

func BenchmarkDecode(b *testing.B) {
	record := unhex(b, "9F2608F44B2D820889AB069F2701409F3704112233449F360200429505000000000082027C00")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tlv.Decode(record); err != nil {
			b.Fatal(err)
		}
	}
}

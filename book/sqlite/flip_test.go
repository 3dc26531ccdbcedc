package sqlite

import (
	"bytes"
	"os"
	"testing"

	"jiaozi/book"
)

// soak makes the exhaustive tests visit every byte; otherwise they visit every
// byte of the headers and some of the rest.
var soak = os.Getenv("JIAOZI_SOAK") != ""

// flipEach flips one byte of a file at a time and puts it back.
func flipEach(t *testing.T, path string, visit func(at int) bool, check func(at int)) {
	t.Helper()
	clean, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for at := range clean {
		if !visit(at) {
			continue
		}
		// One bit low or high, or all: each makes other kinds of damage.
		mask := [...]byte{0x01, 0xFF, 0x80}[at%3]
		if _, err := f.WriteAt([]byte{clean[at] ^ mask}, int64(at)); err != nil {
			t.Fatal(err)
		}
		check(at)
		if _, err := f.WriteAt(clean[at:at+1], int64(at)); err != nil {
			t.Fatal(err)
		}
	}
}

// Goal: no byte of the log can change unseen. Method: flip each byte of a log of
// several commits; the scan complains, or fewer commits are left than the head
// outside says were answered. Every byte, without opening the database.
func TestEveryByteOfTheLogIsCovered(t *testing.T) {
	const batches = 4
	path := crashed(t, batches)
	clean, err := os.ReadFile(walPath(path))
	if err != nil {
		t.Fatal(err)
	}
	if n := validCommits(t, clean); n < batches {
		t.Fatalf("the log has %d commits", n)
	}
	all := validCommits(t, clean)
	stride := 101
	if soak {
		stride = 1
	}
	for at := 0; at < len(clean); at++ {
		if inPage(at) && at%stride != 0 {
			continue
		}
		flipped := bytes.Clone(clean)
		flipped[at] ^= 1 << (at % 8)
		finding, err := scanFrames(bytes.NewReader(flipped), int64(len(flipped)))
		if err != nil {
			t.Fatal(err)
		}
		if finding == nil && validCommits(t, flipped) == all {
			t.Fatalf("byte %d of the log changed and nobody saw it", at)
		}
	}
}

// inPage says whether an offset of the log is inside a page, not in a header.
func inPage(at int) bool {
	return at >= walHeaderSize && (at-walHeaderSize)%(walFrameHeader+4096) >= walFrameHeader
}

// validCommits counts the commits that SQLite would find in a log.
func validCommits(t *testing.T, wal []byte) (n int) {
	t.Helper()
	header, ok := parseWALHeader(wal[:walHeaderSize])
	if !ok {
		return 0
	}
	scan := walScan{header: header, sum: header.sum}
	size := walFrameHeader + header.pageSize
	for at, i := walHeaderSize, 1; at+size <= len(wal); at, i = at+size, i+1 {
		if scan.frame(i, wal[at:at+size]); scan.bad != 0 {
			break
		}
		if wal[at+4]|wal[at+5]|wal[at+6]|wal[at+7] != 0 {
			n++
		}
	}
	return n
}

// Goal: an audit names damage to the log of a crashed store. Method: flip bytes
// in the headers of all frames and across their pages, and audit each time.
func TestAuditFindsAFlippedByteInTheLog(t *testing.T) {
	path := crashed(t, 3)
	sound(t, path)
	visit := func(at int) bool { return at%311 == 0 || !inPage(at) && at%3 == 0 }
	if soak {
		visit = func(int) bool { return true }
	}
	flipEach(t, walPath(path), visit, func(at int) {
		if !found(t, path) {
			t.Fatalf("byte %d of the log changed and the audit is content", at)
		}
	})
	sound(t, path)
}

// Goal: an audit names damage to the database file. Method: flip bytes of every
// page and audit each time; if the audit is content, every row of every table
// must read exactly as before, so that the byte belonged to nothing.
func TestAuditFindsAFlippedByteInAnyRow(t *testing.T) {
	path := closed(t, 6)
	report := sound(t, path)
	if report.Entries != 6 {
		t.Fatalf("%d entries", report.Entries)
	}
	before := dump(t, path)
	visit := func(at int) bool { return at%127 == 0 }
	if soak {
		visit = func(int) bool { return true }
	}
	dead := 0
	flipEach(t, path, visit, func(at int) {
		if found(t, path) {
			return
		}
		dead++
		if after := dump(t, path); after != before {
			t.Fatalf("byte %d changed a row and the audit is content:\n%s\nwas\n%s", at, after, before)
		}
	})
	t.Logf("%d bytes that belong to nothing", dead)
	sound(t, path)
}

// Goal: the bytes of the journal rows themselves are all covered, with nothing
// excused. Method: find the stored rows in the file and flip each of their bytes.
func TestAuditFindsEveryByteOfAJournalRow(t *testing.T) {
	path := closed(t, 3)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	spans := journalSpans(t, path, file)
	visit := func(at int) bool {
		for _, s := range spans {
			if at >= s[0] && at < s[1] {
				return soak || at%11 == 0 || at < s[0]+16
			}
		}
		return false
	}
	flipEach(t, path, visit, func(at int) {
		if !found(t, path) {
			t.Fatalf("byte %d of a journal row changed and the audit is content", at)
		}
	})
}

// journalSpans locates the records of the journal in the file: each begins 8
// bytes or so before its prev hash (lengths, types, part, seq) and ends with its
// body, which is small enough to stand on one page.
func journalSpans(t *testing.T, path string, file []byte) (spans [][2]int) {
	t.Helper()
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	view, err := r.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	err = view.Journal(t.Context(), 0, func(row book.Row) error {
		content := append(append(bytes.Clone(row.Prev[:]), row.Hash[:]...), row.Body...)
		at := bytes.Index(file, content)
		if at < 0 {
			t.Fatalf("row %d is not in one piece in the file", row.Seq)
		}
		spans = append(spans, [2]int{at - 8, at + len(content)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return spans
}

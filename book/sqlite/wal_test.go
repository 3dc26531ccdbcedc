package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jiaozi/book"
	"jiaozi/book/headfile"
)

const (
	journalPage  = 16384
	journalFrame = walFrameHeader + journalPage
)

// frames cuts the journal's log into its header and frames.
func frames(t *testing.T, path string) (header []byte, list [][]byte) {
	t.Helper()
	wal, err := os.ReadFile(walPath(path))
	if err != nil {
		t.Fatal(err)
	}
	for at := walHeaderSize; at+journalFrame <= len(wal); at += journalFrame {
		list = append(list, wal[at:at+journalFrame])
	}
	return wal[:walHeaderSize], list
}

func writeLog(t *testing.T, path string, header []byte, list ...[]byte) {
	t.Helper()
	if err := os.WriteFile(walPath(path), append(bytes.Clone(header), bytes.Join(list, nil)...), 0o600); err != nil {
		t.Fatal(err)
	}
}

func setHead(t *testing.T, path string, head book.Head) {
	t.Helper()
	f, err := headfile.Open(headPath(path), Chain, head)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// lastCommit is the number of frames up to the end of the commit before the last.
func lastCommit(list [][]byte) int {
	n := len(list) - 1
	for n > 0 && bytes.Equal(list[n-1][4:8], []byte{0, 0, 0, 0}) {
		n--
	}
	return n
}

// long is a crashed store whose last batch fills several pages.
func long(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "book.db")
	e := openEngine(t, path)
	defer e.Close()
	add(t, e, 3, 250)
	add(t, e, 1, 30_000)
	return snapshotOf(t, path)
}

// Goal: a commit that was never answered may be torn by a crash without alarm.
// Method: cut and spoil the last commit at every frame, with the head outside
// naming the batch before, as a crash between the two leaves it.
func TestTornUnansweredTailIsNoFinding(t *testing.T) {
	whole := long(t)
	header, list := frames(t, whole)
	for n := lastCommit(list); n < len(list); n++ {
		torn := bytes.Clone(list[n])
		torn[len(torn)/2] ^= 0x40
		for name, tail := range map[string][][]byte{
			"cut":           list[:n],
			"half a frame":  append(list[:n:n], list[n][:1000]),
			"spoiled frame": append(append(list[:n:n], torn), list[n+1:]...),
		} {
			path := snapshotOf(t, whole)
			writeLog(t, path, header, tail...)
			if _, err := Open(path); !errors.Is(err, book.ErrDamaged) {
				t.Fatalf("%s at frame %d: an answered batch is gone and the store opened: %v", name, n, err)
			}
			path = snapshotOf(t, whole)
			setHead(t, path, headAt(3))
			writeLog(t, path, header, tail...)
			e := openEngine(t, path)
			if head, err := e.Head(t.Context()); err != nil || head != headAt(3) {
				t.Fatalf("%s at frame %d: head %v %v", name, n, head, err)
			}
			add(t, e, 1, 30_000)
			closeEngine(t, e)
		}
	}
}

// Goal: damage before the last commit is named with its frame even if the head
// outside is old, as after a power cut. Method: an empty head, one bad frame.
func TestDamageInsideTheLogIsNamedWithoutTheHead(t *testing.T) {
	path := crashed(t, 4)
	setHead(t, path, book.Head{})
	header, list := frames(t, path)
	list[1][500] ^= 1
	writeLog(t, path, header, list...)
	findings, err := ScanWAL(path)
	if err != nil || len(findings) != 1 || findings[0].Code != "wal-frame" ||
		!strings.Contains(findings[0].Where, fmt.Sprintf("book.db-wal, frame 2 at byte %d", walHeaderSize+journalFrame)) {
		t.Fatalf("%v %v", findings, err)
	}
	if _, err := Open(path); !errors.Is(err, book.ErrDamaged) || strings.Contains(err.Error(), "derived") {
		t.Fatalf("opened for writing: %v", err)
	}
}

// The log of the tables is scanned too; the error says that they are derived.
func TestDamageInTheTablesLogIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	e := openEngine(t, path)
	defer e.Close()
	add(t, e, 3, 10)
	for seq := range uint64(3) {
		flush(t, e, sample(seq+1))
	}
	path = snapshotOf(t, path)
	file, err := os.OpenFile(walPath(tablesPath(path)), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte("damage"), 600); errors.Join(err, file.Close()) != nil {
		t.Fatal(err)
	}
	findings, err := ScanWAL(path)
	if err != nil || len(findings) != 1 || !strings.Contains(findings[0].Where, "book.db.tables-wal, frame 1") {
		t.Errorf("%v %v", findings, err)
	}
	if _, err := Open(path); !errors.Is(err, book.ErrDamaged) || !strings.Contains(err.Error(), "delete book.db.tables") {
		t.Errorf("%v", err)
	}
}

// Goal: no byte of the log can change unseen. Method: flip each byte of a log of
// several commits; the scan complains, or fewer commits are left than the head
// outside says were answered. Every byte, without opening the database.
func TestEveryByteOfTheLogIsCovered(t *testing.T) {
	path := long(t)
	clean, err := os.ReadFile(walPath(path))
	if err != nil {
		t.Fatal(err)
	}
	all := validCommits(clean)
	if all < 4 {
		t.Fatalf("the log has %d commits", all)
	}
	stride := 211
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
		if finding == nil && validCommits(flipped) == all {
			t.Fatalf("byte %d of the log changed and nobody saw it", at)
		}
	}
}

// inPage says whether an offset of the log is inside a page, not in a header.
func inPage(at int) bool {
	return at >= walHeaderSize && (at-walHeaderSize)%journalFrame >= walFrameHeader
}

// validCommits counts the commits that SQLite would find in a log.
func validCommits(wal []byte) (n int) {
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

// Frames of an older log behind the live ones belong to nobody, also those of
// SQLite's own making; damage among the live ones is seen all the same.
func TestStaleFramesAreNotLive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	e := openEngine(t, path)
	defer e.Close()
	add(t, e, 40, 250)
	e.grown.Store(e.checkpointAt)
	flush(t, e, sample(40)) // moves the log into the database
	add(t, e, 5, 250)       // begins it anew
	copied := snapshotOf(t, path)
	wal, err := os.ReadFile(walPath(copied))
	if err != nil {
		t.Fatal(err)
	}
	if n := validCommits(wal); n != 5 || len(wal) < 30*journalFrame {
		t.Fatalf("%d live commits in a log of %d bytes", n, len(wal))
	}
	if findings, err := ScanWAL(copied); err != nil || len(findings) > 0 {
		t.Fatal(findings, err)
	}
	header, list := frames(t, copied)
	damaged := snapshotOf(t, copied)
	list[1][77] ^= 4
	writeLog(t, damaged, header, list...)
	if findings, err := ScanWAL(damaged); err != nil || len(findings) != 1 {
		t.Error(findings, err)
	}
	list[1][77] ^= 4
	list[4][77] ^= 4 // the last live one: only the head knows of it
	writeLog(t, damaged, header, list...)
	if _, err := Open(damaged); !errors.Is(err, book.ErrDamaged) {
		t.Errorf("%v", err)
	}
	if rows := journalRowsOf(t, copied); rows != 45 {
		t.Errorf("%d rows", rows)
	}
}

func journalRowsOf(t *testing.T, path string) int {
	t.Helper()
	e := openEngine(t, path)
	defer e.Close()
	return len(journalRows(t, e))
}

// Frames of a commit that was given up have the salts of the live ones, and a
// torn commit over them ends where they go on. That is no finding.
func TestTornCommitOverAnAbandonedOneIsNoFinding(t *testing.T) {
	path := long(t)
	header, list := frames(t, path)
	n := lastCommit(list)
	torn := append(list[:n:n], bytes.Clone(list[n]), bytes.Clone(list[len(list)-1]))
	torn[n][300] ^= 1
	abandoned := bytes.Clone(list[n+1])
	abandoned[16] ^= 1 // its checksum goes on from a frame that is gone
	writeLog(t, path, header, append(torn, abandoned, abandoned)...)
	if findings, err := ScanWAL(path); err != nil || len(findings) > 0 {
		t.Fatal(findings, err)
	}
}

// The scan reads its lengths from the file and must bear any bytes.
func FuzzScanFrames(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 5000))
	path := crashed(f, 1)
	wal, err := os.ReadFile(walPath(path))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wal)
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := scanFrames(bytes.NewReader(b), int64(len(b))); err != nil {
			t.Fatal(err)
		}
	})
}

package sqlite

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jiaozi/book"
)

// frames cuts a log into its header and frames.
func frames(t *testing.T, path string) (header []byte, list [][]byte) {
	t.Helper()
	wal, err := os.ReadFile(walPath(path))
	if err != nil {
		t.Fatal(err)
	}
	const size = walFrameHeader + 4096
	for at := walHeaderSize; at+size <= len(wal); at += size {
		list = append(list, wal[at:at+size])
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
	if err := os.WriteFile(headPath(path), encodeHead(head), 0o600); err != nil {
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

// Goal: a commit that was never answered may be torn by a crash without alarm.
// Method: cut and spoil the last commit at every frame, with the head outside
// naming the batch before, as a crash between the two leaves it.
func TestTornUnansweredTailIsNoFinding(t *testing.T) {
	path := crashed(t, 3)
	report := sound(t, path)
	var before book.Head
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	err = r.Journal(t.Context(), 2, func(b book.Batch) error {
		if b.Seq == report.Head.Seq-1 {
			before = book.Head{Seq: b.Seq, Hash: b.Hash}
		}
		return nil
	})
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	header, list := frames(t, path)
	for n := lastCommit(list); n < len(list); n++ {
		torn := bytes.Clone(list[n])
		torn[len(torn)/2] ^= 0x40
		half := list[n][:1000]
		for name, tail := range map[string][][]byte{"cut": list[:n], "half a frame": append(list[:n:n], half),
			"spoiled frame": append(append(list[:n:n], torn), list[n+1:]...)} {
			setHead(t, path, before)
			writeLog(t, path, header, tail...)
			if got := sound(t, path); got.Head != before {
				t.Fatalf("%s at frame %d: head %v, want %v", name, n, got.Head, before)
			}
			setHead(t, path, report.Head) // the same, but it was answered
			if !found(t, path) {
				t.Fatalf("%s at frame %d: an answered batch is gone and nobody saw it", name, n)
			}
			if _, err := Open(path); !errors.Is(err, book.ErrDamaged) {
				t.Fatalf("%s at frame %d: opened for writing: %v", name, n, err)
			}
		}
	}
}

// Goal: damage before the last commit is named with its frame even if the head
// outside is old, as after a power cut. Method: an empty head, one bad frame.
func TestDamageInsideTheLogIsNamedWithoutTheHead(t *testing.T) {
	path := crashed(t, 4)
	setHead(t, path, book.Head{})
	header, list := frames(t, path)
	list[2][500] ^= 1
	writeLog(t, path, header, list...)
	report, err := Verify(t.Context(), path)
	if err != nil || len(report.Findings) == 0 || report.Findings[0].Code != "wal-frame" ||
		!strings.Contains(report.Findings[0].Where, "frame 3 at byte 8272") {
		t.Fatalf("%v %v", report.Findings, err)
	}
	if _, err := Open(path); !errors.Is(err, book.ErrDamaged) {
		t.Fatalf("opened for writing: %v", err)
	}
}

// Frames of an older log behind the live ones belong to nobody.
func TestStaleFramesAreNotLive(t *testing.T) {
	path := crashed(t, 2)
	header, list := frames(t, path)
	old := bytes.Clone(list[len(list)-1])
	old[8] ^= 0xFF // its salt is another log's
	writeLog(t, path, header, append(append(list, old), old)...)
	sound(t, path)
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
	f.Add(wal[:walHeaderSize+2*(walFrameHeader+4096)])
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := scanFrames(bytes.NewReader(b), int64(len(b))); err != nil {
			t.Fatal(err)
		}
	})
}

// Goal: an audit leaves the evidence as it was. Method: compare every file of
// the directory before and after, for a crashed and for a closed store.
func TestAuditChangesNoFile(t *testing.T) {
	for name, path := range map[string]string{"crashed": crashed(t, 3), "closed": closed(t, 3)} {
		before := files(t, path)
		sound(t, path)
		after := files(t, path)
		if len(after) != len(before) {
			t.Errorf("%s: files %d before, %d after", name, len(before), len(after))
		}
		for file, content := range before {
			if !bytes.Equal(after[file], content) {
				t.Errorf("%s: %s changed", name, file)
			}
		}
	}
}

func files(t *testing.T, path string) map[string][]byte {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, file := range list {
		if out[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

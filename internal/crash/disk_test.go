package crash

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// disk is a small file system of its own, in memory.
type disk struct {
	t   *testing.T
	dir string
}

// newDisk mounts one, or skips: mounting needs root and a container that allows it.
func newDisk(t *testing.T, kilobytes int64) disk {
	t.Helper()
	d := disk{t, t.TempDir()}
	size := fmt.Sprintf("size=%dk", kilobytes)
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", size, "jiaozi-crash", d.dir).CombinedOutput(); err != nil {
		t.Skipf("a full disk cannot be made here, mounting is refused: %v %s", err, bytes.TrimSpace(out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", d.dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return d
}

func (d disk) grow(kilobytes int64) {
	d.t.Helper()
	out, err := exec.Command("mount", "-o", fmt.Sprintf("remount,size=%dk", kilobytes), d.dir).CombinedOutput()
	if err != nil {
		d.t.Fatalf("enlarge the disk: %v %s", err, out)
	}
}

// used is what a directory's files take, in kilobytes.
func used(t *testing.T, dir string) int64 {
	t.Helper()
	var bytes int64
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		bytes += info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes / 1024
}

// fullDisk is how the program may name the trouble.
var fullDisk = regexp.MustCompile(`(?i)no space left|disk is full|disk.* full|full disk|free some space`)

// TestFullDiskLosesNothing plays the demo on disks that are too small by more or
// less: it must fail with an error that says so, without panic and without a
// false success, and go on as soon as there is room.
func TestFullDiskLosesNothing(t *testing.T) {
	whole := used(t, settled(t))
	for _, percent := range []int64{3, 15, 30, 45, 60, 75, 90} {
		t.Run(fmt.Sprintf("%d percent", percent), func(t *testing.T) {
			d := newDisk(t, max(16, whole*percent/100))
			data := filepath.Join(d.dir, "data")
			r := play(t, demo(data)...)
			if r.code == 0 || bytes.Contains(r.out, []byte(`"summary":true`)) {
				t.Fatalf("%d of %d kB sufficed\n%s", whole*percent/100, whole, r)
			}
			if !fullDisk.MatchString(r.errors) {
				t.Errorf("the error must say that the disk is full\n%s", r)
			}
			d.grow(64 * 1024)
			mustPlayDemo(t, data)
			mustConserve(t, data)
		})
	}
}

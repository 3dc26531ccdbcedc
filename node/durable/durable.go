// Package durable is how bytes reach the disk and stay there.
//
// It promises three things. WriteFile replaces a file so that after a power cut
// either the whole old or the whole new content is there; what it leaves beside the
// file when it is killed, Sweep removes. A Journal keeps the
// entries that were appended, in order; an entry whose Append returned nil is
// on the disk. Lock keeps a second process off a directory.
//
// A failed fsync leaves the page cache in a state nobody can know (Rebello et
// al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020), so a
// Journal that met one refuses every further append until it is opened anew.
//
// BUG: a disk that acknowledges a flush it has not done can still lose the last
// entries; no program above it can tell.
package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrLocked says that another process uses the directory; stop it, or talk to
// it through its socket.
var ErrLocked = errors.New("the data directory is in use by another process")

// WriteFile puts data at path with the given permission: temporary file in the
// same directory, fsync, rename, fsync of the directory.
func WriteFile(path string, data []byte, perm os.FileMode) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if err := fill(f, data, perm); err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return SyncDir(dir)
}

func fill(f *os.File, data []byte, perm os.FileMode) error {
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Chmod(perm); err != nil {
		return err
	}
	return f.Sync()
}

// Sweep removes what a WriteFile to path left beside it when its process was killed.
// Only whoever keeps all others from writing to path may call it.
func Sweep(path string) error {
	there, err := os.ReadDir(filepath.Dir(path))
	for _, e := range there {
		number, ok := strings.CutPrefix(e.Name(), "."+filepath.Base(path)+".")
		if ok && number != "" && strings.Trim(number, "0123456789") == "" {
			err = errors.Join(err, os.Remove(filepath.Join(filepath.Dir(path), e.Name())))
		}
	}
	if err != nil {
		return fmt.Errorf("clean up beside %s: %w", filepath.Base(path), err)
	}
	return nil
}

// SyncDir makes the directory's own entries durable: a rename is not, until
// the directory is flushed.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("flush directory: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("flush directory: %w", err)
	}
	return nil
}

// Lock takes the lock file at path for this process, until the returned file is
// closed or the process ends. ErrLocked means another process holds it.
func Lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrLocked
		}
		return nil, fmt.Errorf("lock: %w", err)
	}
	return f, nil
}

package index

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// A folder is what an index asks of a file system: files side by side, each
// written once and then only read, and names that change all at once. Errors about a
// name that is not there wrap fs.ErrNotExist.
type folder interface {
	create(name string) (file, error) // anew, whatever was there
	open(name string) (file, error)
	rename(from, to string) error
	remove(name string) error
	names() ([]string, error)
	sync() error // makes names durable
	path(name string) string
}

// A file is read at any place by anybody after it was written by one.
type file interface {
	io.Writer
	io.WriterAt
	io.ReaderAt
	io.Closer
	// Map shows the first bytes of the file, which are there and will not change,
	// until it is closed. At most once.
	Map(size int64) ([]byte, error)
	Size() (int64, error)
	Sync() error
}

// disk is a folder of the file system.
type disk string

// makeDisk makes the folder if need be. What is in it is the owner's alone: it
// tells which accounts move together, and holds the secret.
func makeDisk(dir string) (disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return disk(dir), disk(filepath.Dir(dir)).sync()
}

func (d disk) path(name string) string { return filepath.Join(string(d), name) }

func (d disk) create(name string) (file, error) {
	return wrap(os.OpenFile(d.path(name), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600))
}

func (d disk) open(name string) (file, error) { return wrap(os.Open(d.path(name))) }

func (d disk) rename(from, to string) error { return os.Rename(d.path(from), d.path(to)) }

func (d disk) remove(name string) error { return os.Remove(d.path(name)) }

func (d disk) names() ([]string, error) {
	entries, err := os.ReadDir(string(d))
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names, err
}

func (d disk) sync() error {
	f, err := os.Open(string(d))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func wrap(f *os.File, err error) (file, error) {
	if err != nil {
		return nil, err
	}
	return &diskFile{File: f}, nil
}

func (f *diskFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

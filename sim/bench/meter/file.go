package meter

import (
	"fmt"
	"os"
	"path/filepath"
)

// File is the disk with nothing around it: it grows at the end.
type File struct {
	f  *os.File
	at int64
}

// NewFile makes a file of its own in dir.
func NewFile(dir string) (*File, error) {
	f, err := os.CreateTemp(dir, "raw-*")
	if err != nil {
		return nil, fmt.Errorf("file in %s: %w", filepath.Base(dir), err)
	}
	return &File{f: f}, nil
}

// Write puts b behind what is there and waits until it is on the disk. What
// need not be there to read it again, such as the time of the change, is not
// waited for.
func (f *File) Write(b []byte) error {
	if err := f.put(b); err != nil {
		return err
	}
	return dataSync(f.f)
}

// Append is a task that puts n bytes behind what is there and waits until they
// and all that belongs to the file are on the disk.
func (f *File) Append(n int) Task {
	b := make([]byte, n)
	return func() error {
		if err := f.put(b); err != nil {
			return err
		}
		return f.f.Sync()
	}
}

func (f *File) put(b []byte) error {
	_, err := f.f.WriteAt(b, f.at)
	f.at += int64(len(b))
	return err
}

// Close closes the file and leaves it where it is.
func (f *File) Close() error { return f.f.Close() }

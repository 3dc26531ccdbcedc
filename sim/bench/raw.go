package bench

import (
	"fmt"
	"os"
	"path/filepath"
)

// rawFile is the disk with nothing around it.
type rawFile struct {
	*os.File
	at int64
}

func newRawFile(dir string) (*rawFile, error) {
	f, err := os.CreateTemp(dir, "raw-*")
	if err != nil {
		return nil, fmt.Errorf("file %s: %w", filepath.Base(dir), err)
	}
	return &rawFile{File: f}, nil
}

// append writes n bytes behind the last and waits until they are on the disk.
func (f *rawFile) append(n int) task {
	b := make([]byte, n)
	return func() error {
		if _, err := f.WriteAt(b, f.at); err != nil {
			return err
		}
		f.at += int64(n)
		return f.Sync()
	}
}

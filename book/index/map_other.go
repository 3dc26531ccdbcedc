//go:build !linux

package index

import "os"

type diskFile struct{ *os.File }

// Map reads the file: elsewhere the filters take memory for each hash.
func (f *diskFile) Map(size int64) ([]byte, error) {
	b := make([]byte, size)
	_, err := f.ReadAt(b, 0)
	return b, err
}

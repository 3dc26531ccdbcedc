package index

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

type diskFile struct {
	*os.File
	mapped []byte
}

// Map lets the kernel show the file where it keeps it anyway: in its cache of
// pages, from which it takes back what is not used when memory is short.
func (f *diskFile) Map(size int64) (b []byte, err error) {
	if b, err = unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED); err != nil {
		return nil, err
	}
	f.mapped = b
	// Hashes fall anywhere: what stands beside a page is no reason to read it.
	return b, unix.Madvise(b, unix.MADV_RANDOM)
}

func (f *diskFile) Close() error {
	var err error
	if f.mapped != nil {
		err = unix.Munmap(f.mapped)
	}
	return errors.Join(err, f.File.Close())
}

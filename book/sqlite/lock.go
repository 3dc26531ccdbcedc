package sqlite

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

type lockMode int

const (
	exclusive lockMode = syscall.LOCK_EX // the writer
	shared    lockMode = syscall.LOCK_SH // a reader that wants no writer to start
)

// errInUse says that another process has the store.
var errInUse = errors.New("the book is in use by another process: stop it first, or ask it")

// lockFile takes the lock of a store; closing the file lets it go, and so does
// the end of the process, however it comes. A reader makes no file.
func lockFile(path string, mode lockMode) (*os.File, error) {
	flags := os.O_RDONLY
	if mode == exclusive {
		flags = os.O_RDWR | os.O_CREATE
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock store: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), int(mode)|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errInUse
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock store: %w", err), f.Close())
	}
	return f, nil
}

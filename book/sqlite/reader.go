package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"jiaozi/book"
)

// Reader is a store opened as evidence: it changes neither the databases nor
// their logs. It implements book.Evidence.
type Reader struct {
	*store
	lock  *os.File // nil beside a live writer
	trash []string // indexes of logs that our reading makes
}

var _ book.Evidence = (*Reader)(nil)

// OpenReader opens the store at path for reading. Without a writer it keeps one
// from starting until Close, because a writer would recover the log. A store
// without tables, as a backup is, reads as one whose tables reflect nothing.
func OpenReader(path string) (*Reader, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	r := &Reader{}
	r.lock, err = lockFile(path+".lock", shared)
	alone := err == nil || errors.Is(err, os.ErrNotExist)
	if !alone && !errors.Is(err, errInUse) {
		return nil, err
	}
	how := evidence{views: auditViews}
	if how.bare, err = missing(tablesPath(path)); err == nil && alone {
		how.journal = r.examine(path)
		how.tables = r.examine(tablesPath(path))
	}
	if err == nil {
		r.store, err = newStore(path, how)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", filepath.Base(path), err), r.tidy())
	}
	return r, nil
}

// examine chooses how to open a database that nobody has open.
func (r *Reader) examine(path string) (query string) {
	if info, err := os.Stat(walPath(path)); err != nil || info.Size() == 0 {
		return "immutable=1" // without a log, then SQLite makes no file at all
	}
	if none, err := missing(path + "-shm"); err == nil && none {
		r.trash = append(r.trash, path+"-shm")
	}
	return ""
}

// Close lets the store go.
func (r *Reader) Close() error { return errors.Join(r.store.Close(), r.tidy()) }

func (r *Reader) tidy() (err error) {
	for _, path := range r.trash {
		if rmErr := os.Remove(path); !errors.Is(rmErr, os.ErrNotExist) {
			err = errors.Join(err, rmErr)
		}
	}
	if r.lock != nil {
		err = errors.Join(err, r.lock.Close())
	}
	return err
}

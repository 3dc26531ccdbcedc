package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Forget deletes what is derived from the journal of the store at path, tables
// and index, so that the next one who opens it makes them again. No writer may
// have it open. A crash in between leaves less, and nothing wrong.
func Forget(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("forget the tables: %w", err)
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("forget the tables: %w", err)
	}
	lock, err := lockFile(path+".lock", exclusive)
	if err != nil {
		return err
	}
	// The index goes first: it must never reflect more than the tables' journal,
	// and tables without an index are made again in any case.
	errs := []error{os.RemoveAll(indexPath(path))}
	for _, end := range []string{"-wal", "-shm", ""} {
		if err := os.Remove(tablesPath(path) + end); !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	errs = append(errs, syncDir(filepath.Dir(path)), lock.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("forget the tables of %s: %w", filepath.Base(path), err)
	}
	return nil
}

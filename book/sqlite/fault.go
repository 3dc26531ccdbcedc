package sqlite

import (
	"fmt"

	"jiaozi/book"

	"zombiezen.com/go/sqlite"
)

// fault says in the book's words what an error of SQLite means for a commit. It
// is for SQLite's errors only: any other looks to ErrCode like a general one.
func fault(err error) error {
	if err == nil {
		return nil
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull:
		// The last frame of a commit is its mark; without room for it there is
		// no commit, now or after a crash.
		return fmt.Errorf("%w: %w", book.ErrFull, err)
	case sqlite.ResultCorrupt, sqlite.ResultNotADB, sqlite.ResultError:
		// Our statements never change: one that SQLite does not understand
		// means that the schema did.
		return fmt.Errorf("%w: %w", book.ErrDamaged, err)
	case sqlite.ResultIOErr, sqlite.ResultProtocol, sqlite.ResultNoMem:
		// The frames may be on the disk though SQLite says otherwise.
		return fmt.Errorf("%w: %w", book.ErrNotDurable, err)
	}
	return err
}

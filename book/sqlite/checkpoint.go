package sqlite

import (
	"errors"
	"fmt"

	"jiaozi/book"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

const (
	// checkpointBytes of log are moved into the database at one time: rare enough
	// to be cheap, small enough that reopening after a crash is quick. The log
	// then begins anew in the same blocks, and a commit that does not make a file
	// longer is on the disk sooner.
	checkpointBytes = 16 << 20
	// remainderBytes may be left to move while the writer waits.
	remainderBytes = 2 << 20
	// pageBytes is about what a commit adds to the log beside its body.
	pageBytes = 16384
)

// relieve moves the journal's log into the database when it has grown. Most of
// that happens beside the writer, which waits only for what it has appended
// meanwhile; with the whole log moved, SQLite begins it anew. A reader of an
// old state may be in the way: then it is tried again when the log has grown by
// as much. A full disk waits too: nothing is lost, the log holds it all.
func (e *Engine) relieve() error {
	if e.grown.Load() < e.checkpointAt {
		return nil
	}
	if err := e.head.Sync(); err != nil {
		return e.note(fmt.Errorf("%w: sync head: %w", book.ErrNotDurable, err))
	}
	const rounds = 4 // each moves what came during the one before
	for range rounds {
		left := e.grown.Swap(0)
		if left < remainderBytes {
			e.grown.Add(left)
			break
		}
		if err := e.note(move(e.mover, "PASSIVE")); err != nil {
			return err
		}
	}
	e.turn.Lock()
	defer e.turn.Unlock()
	e.grown.Store(0)
	return e.note(move(e.mover, "PASSIVE"))
}

// reset moves the whole log into the database and leaves an empty one.
func reset(conn *sqlite.Conn) error { return move(conn, "TRUNCATE") }

// move runs a checkpoint. A reader in the way or a full disk is no failure.
func move(conn *sqlite.Conn, mode string) error {
	err := fault(sqlitex.ExecuteTransient(conn, "PRAGMA wal_checkpoint("+mode+")", nil))
	if err == nil || errors.Is(err, book.ErrFull) || sqlite.ErrCode(err).ToPrimary() == sqlite.ResultBusy {
		return nil
	}
	return fmt.Errorf("%w: checkpoint: %w", book.ErrNotDurable, err)
}

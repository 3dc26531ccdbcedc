// Package sqlite keeps one shard of the book in one SQLite database, in the
// file that Open names and four beside it:
//
//	book.db        tables: journal, and its projections
//	book.db-wal    commits that are not in book.db yet
//	book.db-shm    index of the log, rebuilt at will
//	book.db.head   sequence and hash of the last commit, kept outside the store
//	book.db.lock   held by the one process that writes
//
// Promises: a commit that was answered is on the disk (write-ahead log,
// synchronous=FULL); one process writes at a time; a store of another version,
// or one that lost or changed what was answered, is refused. SQLite itself
// silently drops whatever follows a damaged frame of the log, so Open scans the
// log first and compares with the head outside. Checkpoints are ours and
// truncate the log.
//
// Open is for the writer, OpenReader for whoever audits, beside a writer or
// without one; Verify opens, audits and closes in one call.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"jiaozi/book"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Engine is the writer's side of a store. It implements book.Engine.
type Engine struct {
	*store
	conn *sqlite.Conn // the writer's; only Head, Load and Commit use it
	lock *os.File
	head *headFile
	// checkpointAt is the size of the log that triggers the next checkpoint.
	checkpointAt int64
	// sick is why the disk can no longer be trusted, found after a commit.
	sick error
}

var _ book.Engine = (*Engine)(nil)

// The log is moved into the database when it has grown by this much: rare
// enough to be cheap, small enough that reopening after a crash is quick.
const checkpointBytes = 64 << 20

// Open opens the store at path for writing, and makes it if there is none.
func Open(path string) (*Engine, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	lock, err := lockFile(path+".lock", exclusive)
	if err != nil {
		return nil, err
	}
	e := &Engine{lock: lock, checkpointAt: checkpointBytes}
	if err := e.open(path); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", filepath.Base(path), err), e.abandon())
	}
	return e, nil
}

func (e *Engine) open(path string) error {
	if err := createFile(path); err != nil {
		return err
	}
	if findings, err := ScanWAL(path); err != nil {
		return err
	} else if len(findings) > 0 {
		return fmt.Errorf("%w (%s)", book.ErrDamaged, findings[0])
	}
	var err error
	if e.conn, err = sqlite.OpenConn(path, sqlite.OpenReadWrite); err != nil {
		return fault(err)
	}
	if err := prepareWriter(e.conn); err != nil {
		return err
	}
	head, err := readHead(e.conn)
	if err != nil {
		return err
	}
	if err := e.matchHead(path, head); err != nil {
		return err
	}
	if e.head, err = openHead(path, head); err != nil {
		return err
	}
	e.checkpoint()
	if e.sick != nil {
		return e.sick
	}
	e.store, err = newStore(path, uri(path, ""), writerViews)
	return err
}

// matchHead refuses a store that is behind the head outside, or beside it.
func (e *Engine) matchHead(path string, have book.Head) error {
	kept, err := loadHead(path)
	if errors.Is(err, os.ErrNotExist) && have.Seq == 0 {
		return nil // a new store, or one that never booked anything
	}
	if err != nil {
		return err
	}
	hash, err := hashAt(e.conn, kept.Seq)
	if err != nil {
		return err
	}
	if kept.Seq > have.Seq || hash != kept.Hash {
		return fmt.Errorf("%w (batch %d was answered, the journal ends at %d without it)", book.ErrDamaged, kept.Seq, have.Seq)
	}
	return nil
}

// createFile makes an empty database that only its owner can read; SQLite gives
// the same mode to the files beside it.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), syncDir(filepath.Dir(path)))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Part is the number of this shard's rows; the embedded store has one.
func (e *Engine) Part() uint16 { return part }

// Head reads the last committed batch with the writer's connection.
func (e *Engine) Head(context.Context) (book.Head, error) { return readHead(e.conn) }

// Close moves the log into the database and makes everything durable.
func (e *Engine) Close() error {
	e.checkpoint()
	return errors.Join(e.sick, e.abandon())
}

// abandon closes what is open, without touching the data.
func (e *Engine) abandon() error {
	var errs []error
	if e.store != nil {
		errs = append(errs, e.store.Close())
	}
	if e.conn != nil {
		errs = append(errs, e.conn.Close())
	}
	if e.head != nil {
		errs = append(errs, e.head.file.Close())
	}
	return errors.Join(append(errs, e.lock.Close())...)
}

// checkpoint moves the log into the database and truncates it, so that no stale
// frame is ever left behind. A reader may be in the way: then it is tried again
// after the log has grown by as much. A full disk waits too: nothing is lost,
// the log holds it all.
func (e *Engine) checkpoint() {
	if e.sick != nil || e.conn == nil || e.head == nil {
		return
	}
	if err := e.head.sync(); err != nil {
		e.sick = fmt.Errorf("%w: sync head: %w", book.ErrNotDurable, err)
		return
	}
	err := sqlitex.ExecuteTransient(e.conn, "PRAGMA wal_checkpoint(TRUNCATE)", nil)
	if err = fault(err); err != nil && !errors.Is(err, book.ErrFull) && sqlite.ErrCode(err) != sqlite.ResultBusy {
		e.sick = fmt.Errorf("%w: checkpoint: %w", book.ErrNotDurable, err)
	}
}

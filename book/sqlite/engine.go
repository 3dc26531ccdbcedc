// Package sqlite keeps one shard of the book in two SQLite databases and a
// folder, beside the file that Open names:
//
//	book.db          journal: one row for each batch. The truth.
//	book.db-wal      commits that are not in book.db yet; book.db-shm, its index
//	book.db.head     sequence and hash of the last commit, kept outside the store
//	book.db.lock     held by the one process that writes
//	book.db.tables   accounts, records, holds, outbox: derived, with -wal and -shm
//	book.db.index/   where ids and once-keys stand in the journal: derived
//
// There are two databases because the keeper writes the tables while the writer
// commits to the journal, and SQLite has one writer for each database. What is
// derived may be deleted while nobody has the store open; it is made again.
//
// Promises: a batch that was answered is on the disk (write-ahead log,
// synchronous=FULL); one process writes at a time; a store of another version,
// or one that lost or changed what was answered, is refused. SQLite itself
// silently drops whatever follows a damaged frame of the log, so Open scans the
// log first and compares with the head outside.
//
// Open is for the writer, OpenReader for whoever audits, beside a writer or
// without one; Verify opens, audits and closes in one call; Backup copies a
// store that is in use.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"jiaozi/book"
	"jiaozi/book/headfile"

	"zombiezen.com/go/sqlite"
)

// Engine is the writer's side of a store. It implements book.Engine.
type Engine struct {
	*store
	health
	lock    *os.File
	head    *headfile.File
	journal *journal     // the writer's: Head and Append
	loads   *sqlite.Conn // the writer's too: it reads the tables
	tables  *tables      // the keeper's: Flush
	mover   *sqlite.Conn // the keeper's: it moves the journal's log into the database

	// turn is held during an append and at the end of a checkpoint, when nothing
	// may be appended so that the log can begin anew.
	turn sync.Mutex
	// grown is how many bytes the journal's log has grown since a checkpoint, and
	// checkpointAt how many call for the next one.
	grown        atomic.Int64
	checkpointAt int64
}

var _ book.Engine = (*Engine)(nil)

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
	if err := e.openJournal(path); err != nil {
		return err
	}
	if err := e.openTables(path); err != nil {
		return err
	}
	var err error
	e.store, err = newStore(path, evidence{views: writerViews})
	return err
}

func (e *Engine) openJournal(path string) error {
	if err := createJournal(path); err != nil {
		return err
	}
	if finding, err := scanLog(path); err != nil {
		return err
	} else if finding != nil {
		return fmt.Errorf("%w (%s)", book.ErrDamaged, finding)
	}
	var err error
	if e.journal, err = openJournal(path); err != nil {
		return err
	}
	kept, keptErr := headfile.Load(headPath(path), Chain)
	if err := matchHead(e.journal.conn, e.journal.last, kept, keptErr); err != nil {
		return err
	}
	if e.head, err = headfile.Open(headPath(path), Chain, e.journal.last); err != nil {
		return err
	}
	if e.mover, err = openWriter(path, journalSettings, journalLayout); err != nil {
		return err
	}
	// What a crash left unfinished in the log goes before anything is appended:
	// frames of one log are then those of one process.
	return e.note(reset(e.journal.conn))
}

func (e *Engine) openTables(path string) error {
	var err error
	if e.tables, err = openTables(tablesPath(path)); err != nil {
		return derived(path, err)
	}
	if err := derived(path, e.belongs()); err != nil {
		return err
	}
	if err := e.note(reset(e.tables.conn)); err != nil {
		return err
	}
	e.loads, err = openReading(tablesPath(path), tablesLayout)
	return derived(path, err)
}

// belongs checks that the tables reflect a batch of this journal.
func (e *Engine) belongs() error {
	applied, err := readApplied(e.tables.conn)
	if err != nil {
		return err
	}
	if applied.Seq > e.journal.last.Seq {
		return fmt.Errorf("%w (the tables reflect batch %d and the journal ends at %d)", book.ErrDamaged, applied.Seq, e.journal.last.Seq)
	}
	hash, err := hashAt(e.journal.conn, applied.Seq)
	if err == nil && hash != applied.Hash {
		err = fmt.Errorf("%w (the tables reflect another batch %d than the journal has)", book.ErrDamaged, applied.Seq)
	}
	return err
}

// derived adds to an error about the tables what to do about it.
func derived(path string, err error) error {
	var other foreign
	if !errors.As(err, &other) && !errors.Is(err, book.ErrDamaged) {
		return err
	}
	file := filepath.Base(tablesPath(path))
	return fmt.Errorf("%w: %w: if the journal is whole, only what is derived from it is wrong:"+
		" delete %s, %[3]s-wal and %[3]s-shm, and they are made again from the journal", book.ErrDamaged, err, file)
}

// matchHead refuses a store that is behind the head outside, or beside it. The
// head outside must have been read first: a writer moves both.
func matchHead(conn *sqlite.Conn, have, kept book.Head, keptErr error) error {
	if errors.Is(keptErr, os.ErrNotExist) && have.Seq == 0 {
		return nil // a new store, or one that never booked anything
	}
	if keptErr != nil {
		return keptErr
	}
	hash, err := hashAt(conn, kept.Seq)
	if err != nil {
		return err
	}
	if kept.Seq > have.Seq || hash != kept.Hash {
		return fmt.Errorf("%w (batch %d was answered, the journal ends at %d without it)", book.ErrDamaged, kept.Seq, have.Seq)
	}
	return nil
}

// Chain is the number in the first column of every journal row.
func (e *Engine) Chain() uint16 { return Chain }

// Head reads the last committed batch with the writer's connection.
func (e *Engine) Head(context.Context) (book.Head, error) { return readHead(e.journal.conn) }

// Close moves the logs into the databases and makes everything durable.
func (e *Engine) Close() error {
	err := e.check()
	if err == nil {
		err = e.note(errors.Join(e.head.Sync(), reset(e.journal.conn), reset(e.tables.conn)))
	}
	return errors.Join(err, e.abandon())
}

// abandon closes what is open, without touching the data.
func (e *Engine) abandon() error {
	var errs []error
	if e.store != nil {
		errs = append(errs, e.store.Close())
	}
	conns := []*sqlite.Conn{e.loads, e.mover}
	if e.tables != nil {
		conns = append(conns, e.tables.conn)
	}
	if e.journal != nil {
		conns = append(conns, e.journal.conn)
	}
	for _, conn := range conns {
		if conn != nil {
			errs = append(errs, conn.Close())
		}
	}
	if e.head != nil {
		errs = append(errs, e.head.Close())
	}
	return errors.Join(append(errs, e.lock.Close())...)
}

// health remembers that the disk can no longer be trusted. What a failed sync
// left behind is unknown, and the next sync may succeed without it.
type health struct{ sick atomic.Pointer[error] }

func (h *health) check() error {
	if err := h.sick.Load(); err != nil {
		return *err
	}
	return nil
}

func (h *health) note(err error) error {
	if errors.Is(err, book.ErrNotDurable) {
		h.sick.CompareAndSwap(nil, &err)
	}
	return err
}

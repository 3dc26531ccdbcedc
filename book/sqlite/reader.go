package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"jiaozi/book"

	"zombiezen.com/go/sqlite"
)

// Reader is a store opened as evidence: it changes neither the database nor its
// log. It implements book.Evidence.
type Reader struct {
	*store
	lock    *os.File // nil beside a live writer
	madeSHM bool
}

var _ book.Evidence = (*Reader)(nil)

// OpenReader opens the store at path for reading. Without a writer it keeps one
// from starting until Close, because a writer would recover the log.
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
	query := ""
	if alone && !hasLog(path) {
		query = "immutable=1" // then SQLite makes no file at all
	} else if alone {
		_, err := os.Stat(path + "-shm")
		r.madeSHM = errors.Is(err, os.ErrNotExist)
	}
	if r.store, err = newStore(path, uri(path, query), auditViews); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", filepath.Base(path), err), r.unlock())
	}
	return r, nil
}

func hasLog(path string) bool {
	info, err := os.Stat(walPath(path))
	return err == nil && info.Size() > 0
}

// Close lets the store go.
func (r *Reader) Close() error {
	err := r.store.Close()
	if r.madeSHM { // the index of the log that our reading made
		if rmErr := os.Remove(r.path + "-shm"); !errors.Is(rmErr, os.ErrNotExist) {
			err = errors.Join(err, rmErr)
		}
	}
	return errors.Join(err, r.unlock())
}

func (r *Reader) unlock() error {
	if r.lock == nil {
		return nil
	}
	return r.lock.Close()
}

// Kept reads the head outside the store.
func (s *store) Kept(context.Context) (book.Head, error) { return loadHead(s.path) }

// Inspect scans the log and lets SQLite check its own structure: order and
// types of every row, indexes, and pages that belong to nobody.
func (s *store) Inspect(ctx context.Context) ([]book.Finding, error) {
	findings, err := ScanWAL(s.path)
	if err != nil {
		return nil, err
	}
	conn, err := s.pool.Take(ctx)
	if err != nil {
		return findings, err
	}
	defer s.pool.Put(conn)
	err = each(conn, "PRAGMA integrity_check(10)", nil, func(r *row) error {
		if text := r.text(0); text != "ok" {
			findings = append(findings, book.Finding{Code: "store", Where: filepath.Base(s.path), What: text})
		}
		return r.err
	})
	if errors.Is(err, book.ErrDamaged) {
		return append(findings, book.Finding{Code: "store", Where: filepath.Base(s.path), What: err.Error()}), nil
	}
	return findings, err
}

// Verify audits the store at path: the log before anything is opened, then the
// files, then the book. What cannot even be opened is a finding, not an error.
func Verify(ctx context.Context, path string) (book.Report, error) {
	findings, err := ScanWAL(path)
	if err != nil {
		return book.Report{}, err
	}
	if len(findings) > 0 {
		return book.Report{Findings: findings}, nil
	}
	r, err := OpenReader(path)
	if err != nil {
		return unreadable(path, err)
	}
	report, err := book.Verify(ctx, r)
	if err != nil {
		report, err = unreadable(path, err)
	}
	return report, errors.Join(err, r.Close())
}

func unreadable(path string, err error) (book.Report, error) {
	if !errors.Is(err, book.ErrDamaged) && sqlite.ErrCode(err).ToPrimary() != sqlite.ResultIOErr {
		return book.Report{}, err
	}
	return book.Report{Findings: []book.Finding{{Code: "store", Where: filepath.Base(path), What: err.Error()}}}, nil
}

// Journal streams the batches from sequence number from on.
func (r *Reader) Journal(ctx context.Context, from uint64, fn func(book.Batch) error) error {
	view, err := r.View(ctx)
	if err != nil {
		return err
	}
	return errors.Join(book.Batches(ctx, view, from, fn), view.Close())
}

package sqlite

import (
	"context"
	"errors"
	"path/filepath"

	"jiaozi/book"

	"zombiezen.com/go/sqlite"
)

// Verify audits the store at path: the logs before anything is opened, then the
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
	report, err := book.Verify(ctx, Chain, r)
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

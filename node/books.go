package node

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"jiaozi/book"
	"jiaozi/book/archive"
	"jiaozi/book/sqlite"
	"jiaozi/node/durable"
	"jiaozi/node/notary"
)

// BookReport says what a book, or the file made of it, holds.
type BookReport struct {
	Batches  uint64 `json:"batches"`
	Entries  uint64 `json:"entries,omitempty"`
	Head     string `json:"head"`
	Appended uint64 `json:"appended,omitempty"` // import: batches that were new
	// SignedTo is the last checkpoint that the book still holds, if any was made.
	SignedTo string `json:"signed_to,omitempty"`
}

func report(r archive.Report) BookReport {
	return BookReport{Batches: r.Batches, Entries: r.Entries, Head: r.Head.String(), Appended: r.Appended}
}

// ExportBook writes the journal of a directory as text, from a batch on (0: all),
// beside a running server.
func ExportBook(ctx context.Context, o Options, w io.Writer, from uint64) (done BookReport, err error) {
	s, err := LoadScheme(o.Dir)
	if err != nil {
		return done, err
	}
	err = viewBook(ctx, o.Dir, s, func(_ evidence, view book.View) error {
		got, err := archive.Export(ctx, w, view, chain, from)
		done = report(got)
		return err
	})
	return done, err
}

// ExportBookTo writes it to a new file, which is there when it is whole.
func ExportBookTo(ctx context.Context, o Options, path string, from uint64) (done BookReport, err error) {
	if _, err := os.Lstat(path); err == nil {
		return done, fmt.Errorf("%s is there already: choose another place", path)
	}
	temporary := path + ".part"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return done, fmt.Errorf("export the book: %w", err)
	}
	done, err = ExportBook(ctx, o, f, from)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return done, errors.Join(err, os.Remove(temporary))
	}
	if err := os.Rename(temporary, path); err != nil {
		return done, fmt.Errorf("export the book: %w", err)
	}
	return done, durable.SyncDir(filepath.Dir(path))
}

// ImportBook appends what the book of a directory lacks of an archive. Nothing
// else may have the directory open. See archive.Import. The book is then compared
// with the last checkpoint, as by RestoreBook.
func ImportBook(ctx context.Context, o Options, path string) (done BookReport, err error) {
	f, err := os.Open(path)
	if err != nil {
		return done, fmt.Errorf("import the book: %w", err)
	}
	defer f.Close()
	s, err := locked(o.Dir, func(s *Scheme) error {
		engine, err := openEngine(ctx, o.Dir, s.Store)
		if err != nil {
			return err
		}
		got, err := archive.Import(ctx, f, engine)
		done = report(got)
		return errors.Join(err, engine.Close())
	})
	if err != nil {
		return done, err
	}
	done.SignedTo, err = signedTo(ctx, o.Dir, s)
	return done, err
}

// CheckArchive reads an archive to its end and changes nothing.
func CheckArchive(ctx context.Context, path string) (BookReport, error) {
	f, err := os.Open(path)
	if err != nil {
		return BookReport{}, fmt.Errorf("check the archive: %w", err)
	}
	defer f.Close()
	done, err := archive.Read(ctx, bufio.NewReader(f), nil, nil)
	return report(done), err
}

// errServer says who copies a book that a database server keeps.
var errServer = errors.New("the book is kept in PostgreSQL: copy and restore it with pg_dump or pg_basebackup, " +
	"or as text with `jiaozi book export` and `jiaozi book import`; tables are made anew by an import into an empty database")

// BackupBook copies the embedded book of a directory to a new file, beside a
// running server.
func BackupBook(ctx context.Context, o Options, to string) (BookReport, error) {
	s, err := LoadScheme(o.Dir)
	if err != nil {
		return BookReport{}, err
	}
	if s.Store != "" {
		return BookReport{}, errServer
	}
	head, err := sqlite.Backup(ctx, bookPath(o.Dir), to)
	return BookReport{Batches: head.Seq, Head: head.String()}, err
}

// RestoreBook puts a copy in the place of a book that is gone. A book that is
// there is not replaced: move it away first. Nothing may have the directory open.
// If the copy is older than the last checkpoint the answer is proof.ErrHistory: it
// is in its place then, but money that was booked and signed for is missing.
func RestoreBook(ctx context.Context, o Options, from string) (done BookReport, err error) {
	s, err := locked(o.Dir, func(s *Scheme) error {
		if s.Store != "" {
			return errServer
		}
		if err := placeCopy(ctx, o.Dir, from); err != nil {
			return err
		}
		done, err = openOnce(ctx, o.Dir, s)
		return err
	})
	if err != nil {
		return done, err
	}
	done.SignedTo, err = signedTo(ctx, o.Dir, s)
	return done, err
}

// placeCopy copies into a folder of another name, so that a copy that was
// interrupted is not found in the place of the book, and can be made again.
func placeCopy(ctx context.Context, dir, from string) error {
	home := filepath.Dir(bookPath(dir))
	there, err := os.ReadDir(home)
	if err == nil && len(there) > 0 {
		return fmt.Errorf("restore the book: %s is not empty: move it away first", home)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("restore the book: %w", err)
	}
	part := home + ".part"
	if err := errors.Join(os.RemoveAll(part), os.Mkdir(part, 0o700)); err != nil {
		return fmt.Errorf("restore the book: %w", err)
	}
	if _, err := sqlite.Backup(ctx, from, filepath.Join(part, filepath.Base(bookPath(dir)))); err != nil {
		return err
	}
	if err := os.Remove(home); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("restore the book: %w", err)
	}
	if err := os.Rename(part, home); err != nil {
		return fmt.Errorf("restore the book: %w", err)
	}
	return durable.SyncDir(dir)
}

// RebuildBook makes tables and index of an embedded book anew from the journal.
// Nothing may have the directory open.
func RebuildBook(ctx context.Context, o Options) (done BookReport, err error) {
	_, err = locked(o.Dir, func(s *Scheme) error {
		if s.Store != "" {
			return errServer
		}
		if err := sqlite.Forget(bookPath(o.Dir)); err != nil {
			return err
		}
		done, err = openOnce(ctx, o.Dir, s)
		return err
	})
	return done, err
}

// locked runs fn while no server and no command has the directory.
func locked(dir string, fn func(*Scheme) error) (*Scheme, error) {
	s, err := LoadScheme(dir)
	if err != nil {
		return nil, err
	}
	lock, err := durable.Lock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	return s, fn(s)
}

// openOnce makes what is derived, and shows that the book opens.
func openOnce(ctx context.Context, dir string, s *Scheme) (BookReport, error) {
	ledger, err := openBook(ctx, dir, s)
	if err != nil {
		return BookReport{}, err
	}
	head, err := ledger.Head(ctx)
	return BookReport{Batches: head.Seq, Head: head.String()}, errors.Join(err, ledger.Close())
}

// signedTo checks the book against the last checkpoint and gives its date. A book
// that ends before it has lost what was booked since: that is proof.ErrHistory.
func signedTo(ctx context.Context, dir string, s *Scheme) (date string, err error) {
	office, err := publicNotary(dir)
	if err != nil {
		return "", err
	}
	last, err := signed(ctx, dir, s, office)
	if err != nil {
		return "", fmt.Errorf("the book is in its place, but what was signed is not in it: %w", err)
	}
	if last == nil {
		return "", nil
	}
	return last.Checkpoint.Date.String(), nil
}

// signed reads the whole journal against the last checkpoint, nil if none was made.
func signed(ctx context.Context, dir string, s *Scheme, office *notary.Notary) (last *notary.Kept, err error) {
	err = viewBook(ctx, dir, s, func(_ evidence, view book.View) error {
		last, err = office.Check(ctx, view)
		if errors.Is(err, notary.ErrNone) {
			return nil
		}
		return err
	})
	return last, err
}

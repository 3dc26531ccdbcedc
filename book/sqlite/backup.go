package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"jiaozi/book"
	"jiaozi/book/headfile"

	"zombiezen.com/go/sqlite"
)

// Backup copies the journal of the store at path to a new store at to, as it is
// at one moment, and returns the head of the copy. A writer may be at work, and
// goes on; without one none can start meanwhile. The copy has no tables and no
// index: the one who opens it makes them again from the journal. The head goes
// first, so that half a copy never passes for a whole one.
func Backup(ctx context.Context, path, to string) (head book.Head, err error) {
	to, err = filepath.Abs(to)
	if err != nil {
		return head, fmt.Errorf("back up: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(ctx.Err(), err) // SQLite would only say that it was interrupted
			err = fmt.Errorf("back up %s to %s: %w", filepath.Base(path), filepath.Base(to), err)
		}
	}()
	if err := refuseExisting(to); err != nil {
		return head, err
	}
	r, err := OpenReader(path)
	if err != nil {
		return head, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	kept, keptErr := headfile.Load(headPath(path), Chain)
	from, err := begin(ctx, r.store.journal)
	if err != nil {
		return head, err
	}
	defer func() { err = errors.Join(err, from.end()) }()
	if head, err = readHead(from.Conn); err != nil {
		return head, err
	}
	if err := matchHead(from.Conn, head, kept, keptErr); err != nil {
		return head, err
	}
	if err := writeCopy(ctx, from.Conn, to, head); err != nil {
		return book.Head{}, errors.Join(err, removeCopy(to))
	}
	return head, nil
}

// copyFiles are the files that a copy is made of, and those that SQLite needs
// while it writes one.
func copyFiles(to string) []string {
	return []string{to, headPath(to), walPath(to), to + "-shm", to + "-journal"}
}

func refuseExisting(to string) error {
	for _, path := range append(copyFiles(to), to+".lock", tablesPath(to), indexPath(to)) {
		if none, err := missing(path); err != nil {
			return err
		} else if !none {
			return fmt.Errorf("%s is there already: choose another place", filepath.Base(path))
		}
	}
	return nil
}

// removeCopy takes away what was begun.
func removeCopy(to string) (err error) {
	for _, path := range copyFiles(to) {
		if rmErr := os.Remove(path); !errors.Is(rmErr, os.ErrNotExist) {
			err = errors.Join(err, rmErr)
		}
	}
	return err
}

func writeCopy(ctx context.Context, from *sqlite.Conn, to string, head book.Head) error {
	h, err := headfile.Open(headPath(to), Chain, head)
	if err != nil {
		return err
	}
	if err := errors.Join(h.Close(), createFile(to)); err != nil {
		return err
	}
	conn, err := sqlite.OpenConn(to, sqlite.OpenReadWrite)
	if err != nil {
		return fault(err)
	}
	err = copyPages(ctx, from, conn)
	if err == nil {
		err = checkCopy(conn, head)
	}
	return errors.Join(err, fault(conn.Close()), syncDir(filepath.Dir(to)))
}

// copyPages copies inside the read transaction of from, so that it need not begin
// again when the writer commits. It ends with a commit that is synced.
func copyPages(ctx context.Context, from, to *sqlite.Conn) error {
	const pages = 1024 // between two looks at the context
	b, err := sqlite.NewBackup(to, "main", from, "main")
	if err != nil {
		return fault(err)
	}
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, b.Close())
		}
		if more, err = b.Step(pages); err != nil {
			return errors.Join(fault(err), b.Close())
		}
	}
	return b.Close()
}

// checkCopy reads the copy back: it must be ours and end where the head says.
func checkCopy(conn *sqlite.Conn, head book.Head) error {
	if err := journalLayout.prepareReader(conn); err != nil {
		return err
	}
	have, err := readHead(conn)
	if err == nil && have != head {
		err = fmt.Errorf("%w (the copy ends at batch %d and not at %d)", book.ErrDamaged, have.Seq, head.Seq)
	}
	return err
}

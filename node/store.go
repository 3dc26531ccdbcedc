package node

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"jiaozi/book"
	"jiaozi/book/postgres"
	"jiaozi/book/sqlite"
)

// chain is the number of the scheme's journal: a scheme has one shard.
const chain = sqlite.Chain

// Where a book is kept under the data directory. With a server, what stays here
// is the head kept outside the database, and the index, which is made again from
// the journal if it is lost.
func bookPath(dir string) string  { return filepath.Join(dir, "book", "journal.db") }
func headPath(dir string) string  { return bookPath(dir) + ".head" }
func indexPath(dir string) string { return bookPath(dir) + ".index" }

// checkStore accepts "" for the embedded store, or the address of a PostgreSQL
// database, on one server or several, without a password: neither scheme.json nor
// a shard map is a place for one.
func checkStore(dsn string) error {
	if dsn == "" {
		return nil
	}
	u, err := url.Parse(dsn)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return errors.New("store: write the address of a database as postgres://user@host:port/name, with several servers as host:port,host:port")
	}
	settings, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("store: what follows the ? of the address cannot be read")
	}
	_, secret := u.User.Password()
	for name := range settings {
		secret = secret || strings.Contains(name, "password")
	}
	if secret {
		return errors.New("store: leave the password out of the address; put it into ~/.pgpass, or into PGPASSWORD of the service")
	}
	return nil
}

func serverOptions(dir string) postgres.Options {
	return postgres.Options{Chain: chain, IndexDir: indexPath(dir), HeadFile: headPath(dir)}
}

// openBook opens the scheme's book for writing.
func openBook(ctx context.Context, dir string, s *Scheme) (*book.Ledger, error) {
	engine, err := openEngine(ctx, dir, s.Store)
	if err != nil {
		return nil, err
	}
	ledger, err := book.Open(ctx, engine)
	if err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	return ledger, nil
}

func openEngine(ctx context.Context, dir, dsn string) (book.Engine, error) {
	if dsn == "" {
		return sqlite.Open(bookPath(dir))
	}
	return postgres.Open(ctx, dsn, serverOptions(dir))
}

// evidence is the scheme's book as an auditor sees it.
type evidence interface {
	book.Evidence
	Close() error
}

func openEvidence(ctx context.Context, dir string, s *Scheme) (evidence, error) {
	if s.Store == "" {
		return sqlite.OpenReader(bookPath(dir))
	}
	return postgres.OpenReader(ctx, s.Store, serverOptions(dir))
}

// verifyBook recomputes the book. What cannot even be opened because it is
// damaged is a finding.
func verifyBook(ctx context.Context, dir string, s *Scheme) (book.Report, error) {
	if s.Store == "" {
		return sqlite.Verify(ctx, bookPath(dir))
	}
	e, err := openEvidence(ctx, dir, s)
	if err != nil {
		return book.Report{}, err
	}
	report, err := book.Verify(ctx, chain, e)
	return report, errors.Join(err, e.Close())
}

// makeBook makes an empty book, so that its form is checked from the first day.
func makeBook(ctx context.Context, dir string, s *Scheme) error {
	ledger, err := openBook(ctx, dir, s)
	if err != nil {
		return err
	}
	head, err := ledger.Head(ctx)
	if err == nil && head.Seq > 0 {
		err = fmt.Errorf("the store holds a book already, %d batches long: give a new scheme an empty database", head.Seq)
	}
	return errors.Join(err, ledger.Close())
}

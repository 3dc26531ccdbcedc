package sqlite

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"

	"jiaozi/book"
	"jiaozi/book/headfile"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// store is the readers' side: what Engine and Reader have in common.
type store struct {
	path    string
	journal *sqlitex.Pool
	tables  *sqlitex.Pool
}

// The views that may be open at one time: beside a writer, who takes some
// himself, and for an audit.
const (
	writerViews = 16
	auditViews  = 4 // an audit holds three at one time
)

// evidence says how to open the databases: how often, and with what in their
// URIs. Without a file of tables, tables is empty ones in memory.
type evidence struct {
	views           int
	journal, tables string
	bare            bool
}

func newStore(path string, how evidence) (*store, error) {
	journal, err := newPool(uri(path, how.journal), how.views, journalLayout.prepareReader)
	if err != nil {
		return nil, err
	}
	name, prepare := uri(tablesPath(path), how.tables), tablesLayout.prepareReader
	if how.bare {
		name, prepare = "file::memory:", func(conn *sqlite.Conn) error {
			return errors.Join(tablesLayout.make(conn), tablesLayout.prepareReader(conn))
		}
	}
	tables, err := newPool(name, how.views, func(conn *sqlite.Conn) error { return derived(path, prepare(conn)) })
	if err != nil {
		return nil, errors.Join(err, journal.Close())
	}
	return &store{path: path, journal: journal, tables: tables}, nil
}

func newPool(uri string, views int, prepare func(*sqlite.Conn) error) (*sqlitex.Pool, error) {
	flags := sqlite.OpenReadOnly | sqlite.OpenURI
	if uri == "file::memory:" {
		flags = sqlite.OpenReadWrite | sqlite.OpenURI | sqlite.OpenMemory
	}
	pool, err := sqlitex.NewPool(uri, sqlitex.PoolOptions{Flags: flags, PoolSize: views, PrepareConn: prepare})
	return pool, fault(err)
}

// uri names the database so that no character of the path has a meaning.
func uri(path, query string) string {
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query}
	return u.String()
}

// openReading opens a connection that reads a database beside its writer.
func openReading(path string, l layout) (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return nil, fault(err)
	}
	if err := l.prepareReader(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func (s *store) Close() error { return errors.Join(s.tables.Close(), s.journal.Close()) }

// IndexDir is the folder of the index beside the store; whoever opens the index
// to write makes it.
func (s *store) IndexDir() string { return indexPath(s.path) }

// Kept reads the head outside the store.
func (s *store) Kept(context.Context) (book.Head, error) {
	return headfile.Load(headPath(s.path), Chain)
}

// Inspect scans the logs and lets SQLite check its own structure: order and
// types of every row, indexes, and pages that belong to nobody.
func (s *store) Inspect(ctx context.Context) ([]book.Finding, error) {
	findings, err := ScanWAL(s.path)
	if err != nil {
		return nil, err
	}
	for _, db := range []struct {
		path string
		pool *sqlitex.Pool
	}{{s.path, s.journal}, {tablesPath(s.path), s.tables}} {
		more, err := inspect(ctx, filepath.Base(db.path), db.pool)
		if findings = append(findings, more...); err != nil {
			return findings, err
		}
	}
	return findings, nil
}

func inspect(ctx context.Context, name string, pool *sqlitex.Pool) (findings []book.Finding, err error) {
	conn, err := pool.Take(ctx)
	if err != nil {
		return nil, err
	}
	defer pool.Put(conn)
	found := func(text string) {
		findings = append(findings, book.Finding{Code: "store", Where: name, What: text})
	}
	err = each(conn, "PRAGMA integrity_check(10)", nil, func(r *row) error {
		if text := r.text(0); text != "ok" {
			found(text)
		}
		return r.err
	})
	if errors.Is(err, book.ErrDamaged) {
		found(err.Error())
		return findings, nil
	}
	return findings, err
}

func headPath(path string) string { return path + ".head" }

// missing says whether there is no such file.
func missing(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	return false, err
}

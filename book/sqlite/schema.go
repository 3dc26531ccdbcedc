package sqlite

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"jiaozi/book"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// layout is what a database of ours looks like. The application id and the
// version mark the file; anything else is not touched.
type layout struct {
	id, version int64
	schema      string
}

// Chain is the number of this store's journal. The embedded store has one.
const Chain = 0

// journalLayout has one table, whose rowid is the sequence number: a new row then
// goes to the last page of one tree, and a page is split by beginning an empty
// one. An index of (part, seq) would double the pages of a small commit, and a
// table without rowid moves rows between pages as it grows.
var journalLayout = layout{id: 0x4A5A626B /* "JZbk" */, version: 2, schema: `
CREATE TABLE journal (
	part INTEGER NOT NULL, seq INTEGER PRIMARY KEY,
	prev BLOB NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL) STRICT;
`}

// tablesLayout is derived from the journal. STRICT lets integrity_check find a
// value of the wrong type. Rows of about one size need no rowid. Records hold
// values of any size and keep them apart from the index of their keys, because
// SQLite reads a whole row to compare its key.
var tablesLayout = layout{id: 0x4A5A6274 /* "JZbt" */, version: 1, schema: `
CREATE TABLE accounts (
	part INTEGER NOT NULL, id BLOB NOT NULL, name TEXT NOT NULL,
	normal INTEGER NOT NULL, currency INTEGER NOT NULL, never_negative INTEGER NOT NULL,
	opened_line INTEGER NOT NULL, balance INTEGER NOT NULL, held INTEGER NOT NULL,
	line INTEGER NOT NULL, closed INTEGER NOT NULL,
	PRIMARY KEY (part, id)) STRICT, WITHOUT ROWID;
CREATE TABLE records (
	part INTEGER NOT NULL, space TEXT NOT NULL, key BLOB NOT NULL,
	version INTEGER NOT NULL, value BLOB,
	PRIMARY KEY (part, space, key)) STRICT;
CREATE TABLE holds (
	part INTEGER NOT NULL, id BLOB NOT NULL, account BLOB NOT NULL, side INTEGER NOT NULL,
	currency INTEGER NOT NULL, left INTEGER NOT NULL, expires INTEGER NOT NULL,
	PRIMARY KEY (part, id)) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (
	part INTEGER NOT NULL, number INTEGER PRIMARY KEY, topic TEXT NOT NULL,
	key BLOB NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX outbox_topic ON outbox (topic, number);
CREATE TABLE progress (
	chain INTEGER PRIMARY KEY, applied INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
`}

// The journal's pages are larger than usual: a batch of a thousand commands is
// written in half the time, and a batch of one does not feel it.
var (
	journalSettings = []string{
		"PRAGMA page_size=16384", // of a new file
		"PRAGMA journal_mode=WAL",
		"PRAGMA synchronous=FULL", // a commit is on the disk when it returns
		"PRAGMA wal_autocheckpoint=0",
		"PRAGMA journal_size_limit=134217728", // what an audit made grow is given back
		"PRAGMA cache_size=-16384",
		"PRAGMA cache_spill=OFF", // no page of an unfinished batch goes to the log
	}
	tablesSettings = []string{
		"PRAGMA journal_mode=WAL",
		"PRAGMA synchronous=NORMAL", // a power cut takes whole commits back, and only those
		"PRAGMA wal_autocheckpoint=0",
		"PRAGMA cache_size=-65536",
		"PRAGMA temp_store=MEMORY",
	}
	readerSettings = []string{
		"PRAGMA query_only=ON",
		"PRAGMA cell_size_check=ON", // refuse a page whose cells overlap
		"PRAGMA temp_store=MEMORY",
	}
)

func set(conn *sqlite.Conn, settings []string) error {
	for _, setting := range settings {
		if err := sqlitex.ExecuteTransient(conn, setting, nil); err != nil {
			return fault(err)
		}
	}
	return nil
}

// openWriter opens a database to write, and makes its tables or checks them.
func openWriter(path string, settings []string, l layout) (conn *sqlite.Conn, err error) {
	conn, err = sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, fault(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, conn.Close())
		}
	}()
	conn.SetBusyTimeout(0) // nobody else writes, and a checkpoint must not wait
	if err := set(conn, settings); err != nil {
		return nil, err
	}
	made, err := l.isMade(conn)
	if err == nil && !made {
		err = l.make(conn)
	}
	return conn, err
}

// make creates the tables in one transaction, so that a crash leaves all or none.
func (l layout) make(conn *sqlite.Conn) error {
	script := fmt.Sprintf("%s PRAGMA application_id=%d; PRAGMA user_version=%d;", l.schema, l.id, l.version)
	return fault(sqlitex.ExecuteScript(conn, script, nil))
}

// prepareReader is for every connection that only reads.
func (l layout) prepareReader(conn *sqlite.Conn) error {
	conn.SetBusyTimeout(10 * time.Second) // a writer may be recovering the log
	if err := set(conn, readerSettings); err != nil {
		return err
	}
	made, err := l.isMade(conn)
	if err == nil && !made {
		return fmt.Errorf("%w (the database is empty)", book.ErrDamaged)
	}
	return err
}

// foreign says that a database is in order but not for this program.
type foreign string

func (f foreign) Error() string { return string(f) }

// isMade reports whether the database has our tables, and refuses any other.
func (l layout) isMade(conn *sqlite.Conn) (bool, error) {
	id, err := pragma(conn, "application_id")
	if err != nil {
		return false, err
	}
	version, err := pragma(conn, "user_version")
	if err != nil {
		return false, err
	}
	made, err := statements(conn)
	if err != nil {
		return false, err
	}
	switch {
	case id == 0 && version == 0 && len(made) == 0:
		return false, nil
	case id != l.id:
		return false, foreign(fmt.Sprintf("not a book of this program (application id %#x): use another file", id))
	case version < l.version:
		return false, foreign(fmt.Sprintf("a book of version %d, made by an older program, and this one knows version %d:"+
			" use the program that made it, or delete the directory if it holds a demo", version, l.version))
	case version > l.version:
		return false, foreign(fmt.Sprintf("a book of version %d, and this program knows version %d: use the program that made it", version, l.version))
	case strings.Join(made, ";\n") != strings.TrimSuffix(strings.TrimSpace(l.schema), ";"):
		return false, fmt.Errorf("%w (its tables are not as they were made)", book.ErrDamaged)
	}
	return true, nil
}

func pragma(conn *sqlite.Conn, name string) (value int64, err error) {
	err = each(conn, "PRAGMA "+name, nil, func(r *row) error { value = r.int(0); return r.err })
	return value, err
}

// statements reads the schema back; SQLite keeps it as it was written.
func statements(conn *sqlite.Conn) (list []string, err error) {
	err = each(conn, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid", nil, func(r *row) error {
		list = append(list, r.text(0))
		return r.err
	})
	return list, err
}

package sqlite

import (
	"fmt"
	"strings"
	"time"

	"jiaozi/book"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// applicationID ("JZbk") and schemaVersion mark the file; anything else is not
// touched.
const (
	applicationID = 0x4A5A626B
	schemaVersion = 1
)

// part is the first column of every key. The embedded store is one part.
const part = 0

// STRICT lets integrity_check find a value of the wrong type. Rows of fixed size
// need no rowid. Rows that hold a value of any size keep it in a table apart from
// the index of their keys, because SQLite reads a whole row to compare its key;
// the hidden rowid of the journal is its seq, and those of the others are checked
// against the index by integrity_check, so that no byte of a row goes unchecked.
const schema = `
CREATE TABLE journal (
	part INTEGER NOT NULL, seq INTEGER NOT NULL,
	prev BLOB NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL,
	PRIMARY KEY (part, seq)) STRICT;
CREATE TABLE commands (
	part INTEGER NOT NULL, id BLOB NOT NULL, seq INTEGER NOT NULL, place INTEGER NOT NULL,
	PRIMARY KEY (part, id)) STRICT, WITHOUT ROWID;
CREATE TABLE accounts (
	part INTEGER NOT NULL, id BLOB NOT NULL, name TEXT NOT NULL,
	normal INTEGER NOT NULL, currency INTEGER NOT NULL, never_negative INTEGER NOT NULL,
	balance INTEGER NOT NULL, held INTEGER NOT NULL,
	PRIMARY KEY (part, id)) STRICT, WITHOUT ROWID;
CREATE TABLE onces (
	part INTEGER NOT NULL, space TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
	PRIMARY KEY (part, space, key)) STRICT;
CREATE TABLE records (
	part INTEGER NOT NULL, space TEXT NOT NULL, key BLOB NOT NULL,
	version INTEGER NOT NULL, value BLOB,
	PRIMARY KEY (part, space, key)) STRICT;
CREATE TABLE holds (
	part INTEGER NOT NULL, id BLOB NOT NULL, account BLOB NOT NULL, side INTEGER NOT NULL,
	currency INTEGER NOT NULL, left INTEGER NOT NULL, expires INTEGER NOT NULL,
	PRIMARY KEY (part, id)) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (
	part INTEGER NOT NULL, number INTEGER NOT NULL, topic TEXT NOT NULL,
	key BLOB NOT NULL, body BLOB NOT NULL,
	PRIMARY KEY (part, number)) STRICT;
CREATE INDEX outbox_topic ON outbox (part, topic, number);
`

// prepareWriter sets the connection up and makes or checks the schema.
func prepareWriter(conn *sqlite.Conn) error {
	conn.SetBusyTimeout(0) // nobody else writes, and a checkpoint must not wait
	for _, setting := range []string{
		"PRAGMA journal_mode=WAL",
		"PRAGMA synchronous=FULL",
		"PRAGMA wal_autocheckpoint=0",
		"PRAGMA cache_size=-65536",
		"PRAGMA temp_store=MEMORY",
	} {
		if err := sqlitex.ExecuteTransient(conn, setting, nil); err != nil {
			return fault(err)
		}
	}
	made, err := isMade(conn)
	if err != nil || made {
		return err
	}
	script := fmt.Sprintf("%s PRAGMA application_id=%d; PRAGMA user_version=%d;", schema, applicationID, schemaVersion)
	return fault(sqlitex.ExecuteScript(conn, script, nil)) // one transaction
}

// prepareReader is for every connection that only reads.
func prepareReader(conn *sqlite.Conn) error {
	conn.SetBusyTimeout(10 * time.Second) // a writer may be recovering the log
	for _, setting := range []string{
		"PRAGMA query_only=ON",
		"PRAGMA cell_size_check=ON", // refuse a page whose cells overlap
		"PRAGMA temp_store=MEMORY",
	} {
		if err := sqlitex.ExecuteTransient(conn, setting, nil); err != nil {
			return fault(err)
		}
	}
	made, err := isMade(conn)
	if err == nil && !made {
		return fmt.Errorf("%w (the database is empty)", book.ErrDamaged)
	}
	return err
}

// isMade reports whether the store has our tables, and refuses any other.
func isMade(conn *sqlite.Conn) (bool, error) {
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
	case id != applicationID:
		return false, fmt.Errorf("not a book of this program (application id %#x): use another file", id)
	case version != schemaVersion:
		return false, fmt.Errorf("a book of version %d, and this program knows version %d: use the program that made it", version, schemaVersion)
	case strings.Join(made, ";\n") != strings.TrimSuffix(strings.TrimSpace(schema), ";"):
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

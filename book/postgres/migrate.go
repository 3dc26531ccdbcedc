package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// The tables are made by numbered steps, each in one transaction with its number.
//
//go:embed migrations/*.sql
var migrations embed.FS

// schemaVersion is the last step that this program knows.
const schemaVersion = 1

// migrate takes the store to schemaVersion. Two processes may begin at once: the
// number is a key, so one of the two fails, and looks again.
func migrate(ctx context.Context, conn *pgx.Conn, wait func(context.Context, time.Duration) error) error {
	delay := firstPause
	for try := 1; ; try++ {
		version, err := readVersion(ctx, conn)
		if err == nil && version < schemaVersion {
			err = step(ctx, conn, version+1)
		}
		switch {
		case err == nil && version > schemaVersion:
			return otherVersion(version)
		case err == nil && version == schemaVersion:
			return nil
		case err != nil && (!contested(err) || try == rounds):
			return madeByOthers(err)
		case err != nil:
			if err := wait(ctx, delay); err != nil {
				return err
			}
			delay = min(2*delay, longPause)
		}
	}
}

// contested tells an error that another process making the same tables causes.
func contested(err error) bool {
	switch state(err) {
	case stateUnique, stateTableExists, stateObjectExists, stateSerialization, stateDeadlock, "XX000":
		return true // XX000: "tuple concurrently updated"
	}
	return false
}

func madeByOthers(err error) error {
	if state(err) == stateTableExists {
		return fmt.Errorf("the database holds tables that are not a book of this program: use an empty one: %w", err)
	}
	return fault(err)
}

func otherVersion(version int) error {
	if version == 0 {
		return errors.New("there is no book in this database: is it the right one?")
	}
	return fmt.Errorf("a book of version %d, and this program knows version %d: use the program that made it, or a newer one", version, schemaVersion)
}

// readVersion is 0 for a database without a book.
func readVersion(ctx context.Context, conn *pgx.Conn) (version int, err error) {
	err = conn.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM versions").Scan(&version)
	if state(err) == stateNoTable {
		return 0, nil
	}
	return version, err
}

func step(ctx context.Context, conn *pgx.Conn, version int) error {
	script, err := migrations.ReadFile(fmt.Sprintf("migrations/%04d.sql", version))
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if version == 1 {
			if _, err := tx.Exec(ctx, "CREATE TABLE versions (version integer PRIMARY KEY)"); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, "INSERT INTO versions (version) VALUES ($1)", version); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, string(script)) // no arguments: all its statements in one message
		return err
	})
}

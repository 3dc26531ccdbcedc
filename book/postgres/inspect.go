package postgres

import (
	"context"
	"errors"
	"fmt"

	"jiaozi/book"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// shape is every column of every table in order, as migrations make them.
const shape = `accounts: balance bigint!, held bigint!, line bigint!, opened_line bigint!, currency integer!, part smallint!, normal smallint!, never_negative boolean!, closed boolean!, id bytea!, name bytea!
carried: part smallint!, chain smallint!, n bigint!, seq bigint!, place integer!, entry bytea!
holds: left bigint!, expires bigint!, currency integer!, part smallint!, side smallint!, id bytea!, account bytea!
journal: part smallint!, seq bigint!, prev bytea!, hash bytea!, body bytea!
outbox: part smallint!, number bigint!, topic bytea!, key bytea!, body bytea!
progress: chain smallint!, applied bigint!, hash bytea!
records: part smallint!, space bytea!, key bytea!, version bigint!, value bytea
writer: chain smallint!, owner uuid!, turn bigint!, pid integer!, started timestamp with time zone!`

// ours is the list of our tables as the connection finds them.
const ours = `pg_class c WHERE c.oid = ANY (ARRAY[to_regclass('accounts'), to_regclass('carried'), to_regclass('holds'), to_regclass('journal'),
	to_regclass('outbox'), to_regclass('progress'), to_regclass('records'), to_regclass('writer')])`

// Inspect asks the server what only it can tell: whether the tables have the
// columns and keys that they were made with, whether every index is complete,
// and whether rows lie in parts that do not exist or under another chain. With
// the extension amcheck, and the right to use it, the indexes are compared with
// their tables too. It does not read the pages of tables: with data checksums on
// the server does that whenever somebody else does, and an audit reads them all.
func (s *store) Inspect(ctx context.Context) (findings []book.Finding, err error) {
	ctx = slow(ctx)
	v, err := s.View(ctx)
	if err != nil {
		return nil, err
	}
	conn := v.(*snapshot).conn
	for _, check := range []func(context.Context, *pgx.Conn) ([]book.Finding, error){
		inspectShape, inspectIndexes, s.inspectParts, inspectPages,
	} {
		found, checkErr := check(ctx, conn)
		findings = append(findings, found...)
		if checkErr != nil {
			err = checkErr
			break
		}
	}
	return findings, errors.Join(fault(err), v.Close())
}

func finding(where, what string, args ...any) []book.Finding {
	return []book.Finding{{Code: "store", Where: where, What: fmt.Sprintf(what, args...)}}
}

func inspectShape(ctx context.Context, conn *pgx.Conn) ([]book.Finding, error) {
	var have string
	err := conn.QueryRow(ctx, `SELECT coalesce(string_agg(one, E'\n' ORDER BY one COLLATE "C"), '') FROM (
		SELECT c.relname || ': ' || string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN '!' ELSE '' END, ', ' ORDER BY a.attnum) AS one
		FROM pg_attribute a JOIN (SELECT c.* FROM `+ours+`) c ON a.attrelid = c.oid
		WHERE a.attnum > 0 AND NOT a.attisdropped GROUP BY c.relname) t`).Scan(&have)
	if err != nil || have == shape {
		return nil, err
	}
	return finding("tables", "the columns are not as they were made"), nil
}

func inspectIndexes(ctx context.Context, conn *pgx.Conn) (findings []book.Finding, err error) {
	var sound int
	err = conn.QueryRow(ctx, `SELECT count(*)::int FROM pg_index i WHERE i.indrelid IN (SELECT c.oid FROM `+ours+`)
		AND i.indisprimary AND i.indisvalid AND i.indisready AND i.indislive`).Scan(&sound)
	if err == nil && sound != 8 {
		findings = finding("indexes", "of 8 primary keys %d are there and complete", sound)
	}
	return findings, err
}

func (s *store) inspectParts(ctx context.Context, conn *pgx.Conn) (findings []book.Finding, err error) {
	for _, table := range []string{"accounts", "records", "holds", "outbox", "carried"} {
		var strays int64
		if err := conn.QueryRow(ctx, "SELECT count(*) FROM "+table+" WHERE part < 0 OR part >= $1", book.Parts).Scan(&strays); err != nil {
			return findings, err
		}
		if strays > 0 {
			findings = append(findings, finding(table, "%d rows in parts that do not exist", strays)...)
		}
	}
	var strays int64
	err = conn.QueryRow(ctx, "SELECT count(*) FROM journal WHERE part < $1 OR part > $1", chainOf(s.o)).Scan(&strays)
	if err == nil && strays > 0 {
		findings = append(findings, finding("journal", "%d rows of another chain", strays)...)
	}
	return findings, err
}

// inspectPages walks every index with amcheck if that is there.
func inspectPages(ctx context.Context, conn *pgx.Conn) ([]book.Finding, error) {
	var usable bool
	err := conn.QueryRow(ctx, `SELECT coalesce(bool_or(has_function_privilege(p.oid, 'EXECUTE')), false)
		FROM pg_proc p WHERE p.oid = to_regprocedure('bt_index_check(regclass, boolean)')`).Scan(&usable)
	if err != nil || !usable {
		return nil, err
	}
	_, err = conn.Exec(ctx, `SELECT bt_index_check(i.indexrelid::regclass, true) FROM pg_index i WHERE i.indrelid IN (SELECT c.oid FROM `+ours+`)`)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.Code == "XX001" || pg.Code == "XX002") {
		return finding("indexes", "amcheck: %s", pg.Message), nil
	}
	return nil, err
}

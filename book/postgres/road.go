package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Road copies the carried rows of one part from one server to another by
// PostgreSQL's own logical replication: a publication with a row filter at the
// source, a subscription at the target, both named after part and chain. It lives
// in the servers, and goes on while no program of ours runs.
//
// The servers need wal_level=logical, a primary key on carried (it has one), the
// same schema for it, and roles that may publish and subscribe. Reach is the DSN
// by which the target's server finds the source's; it is kept in the target's
// catalog, password included, until End.
//
// Rows that were written before Start do not travel: remove them with Forget, or
// HandIn will find the slice incomplete.
//
// A slot that nobody reads makes the source keep its log until the disk is full,
// so every way ends with End, also one that is given up.
type Road struct {
	Source, Target string // DSNs of the stores
	Reach          string
	Part, Chain    uint16 // Chain: the source's
	goal           string // the place in the source's log that must be reached
}

// name is that of publication, subscription and slot.
func (r *Road) name() string { return fmt.Sprintf("jiaozi_part_%d_of_%d", r.Part, r.Chain) }

// Start makes what is not there yet.
func (r *Road) Start(ctx context.Context) error {
	err := with(ctx, r.Source, func(conn *pgx.Conn) error {
		there, err := exists(ctx, conn, "SELECT EXISTS (SELECT FROM pg_publication WHERE pubname = $1)", r.name())
		if err != nil || there {
			return err
		}
		_, err = conn.Exec(ctx, fmt.Sprintf("CREATE PUBLICATION %s FOR TABLE carried WHERE (part = %d AND chain = %d) WITH (publish = 'insert')",
			r.name(), r.Part, r.Chain))
		return err
	})
	if err != nil {
		return fmt.Errorf("publish part %d: %w", r.Part, err)
	}
	subscribed := false
	err = with(ctx, r.Target, func(conn *pgx.Conn) (err error) {
		subscribed, err = r.subscribed(ctx, conn)
		return err
	})
	if err == nil && !subscribed {
		if err = r.dropSlot(ctx); err == nil { // of a try that ended half-way
			err = with(ctx, r.Target, func(conn *pgx.Conn) error { return r.subscribe(ctx, conn) })
		}
	}
	if err != nil {
		return fmt.Errorf("subscribe to part %d: %w", r.Part, err)
	}
	return nil
}

// subscribe asks for the apply worker to wait for the disk: otherwise a row could
// be confirmed, and be gone after a crash. It asks for no first copy: a power cut
// of the target at the end of one can leave it waiting for ever for a slot that it
// had dropped itself (seen with PostgreSQL 15). All rows are written after Start,
// so the stream has them all.
func (r *Road) subscribe(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, fmt.Sprintf("CREATE SUBSCRIPTION %s CONNECTION %s PUBLICATION %s WITH (copy_data = false, synchronous_commit = 'on')",
		r.name(), quote(r.Reach), r.name()), pgx.QueryExecModeSimpleProtocol)
	return err
}

func (r *Road) subscribed(ctx context.Context, conn *pgx.Conn) (bool, error) {
	return exists(ctx, conn, `SELECT EXISTS (SELECT FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
		WHERE s.subname = $1 AND d.datname = current_database())`, r.name())
}

// Arrived reports whether everything that the source had at the first call of a
// row of calls is on the target's disk.
func (r *Road) Arrived(ctx context.Context) (arrived bool, err error) {
	err = with(ctx, r.Target, func(conn *pgx.Conn) (err error) {
		arrived, err = exists(ctx, conn, `SELECT count(*) > 0 AND coalesce(bool_and(r.srsubstate = 'r'), false)
			FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid WHERE s.subname = $1`, r.name())
		return err
	})
	if err != nil {
		return false, fmt.Errorf("look at the copy of part %d: %w", r.Part, err)
	}
	err = with(ctx, r.Source, func(conn *pgx.Conn) error {
		if r.goal == "" {
			if err := conn.QueryRow(ctx, "SELECT pg_current_wal_flush_lsn()::text").Scan(&r.goal); err != nil {
				return err
			}
		}
		reached, err := exists(ctx, conn, `SELECT coalesce(bool_and(confirmed_flush_lsn >= $2::text::pg_lsn), false)
			FROM pg_replication_slots WHERE slot_name = $1`, r.name(), r.goal)
		arrived = arrived && reached
		return err
	})
	if err != nil {
		return false, fmt.Errorf("look how far part %d has come: %w", r.Part, err)
	}
	if arrived {
		r.goal = ""
	}
	return arrived, nil
}

// End leaves neither subscription, slot nor publication behind.
func (r *Road) End(ctx context.Context) error {
	err := with(ctx, r.Target, func(conn *pgx.Conn) error {
		there, err := r.subscribed(ctx, conn)
		if err != nil || !there {
			return err
		}
		_, err = conn.Exec(ctx, "DROP SUBSCRIPTION "+r.name(), pgx.QueryExecModeSimpleProtocol)
		return err
	})
	if err != nil {
		return fmt.Errorf("end the copy of part %d: %w", r.Part, err)
	}
	if err := r.dropSlot(ctx); err != nil {
		return err
	}
	err = with(ctx, r.Source, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "DROP PUBLICATION IF EXISTS "+r.name())
		return err
	})
	if err != nil {
		return fmt.Errorf("end the copy of part %d: %w", r.Part, err)
	}
	return nil
}

// dropSlot removes a slot that nobody reads.
func (r *Road) dropSlot(ctx context.Context) error {
	err := with(ctx, r.Source, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 AND NOT active", r.name())
		return err
	})
	if err != nil {
		return fmt.Errorf("drop the replication slot of part %d: %w", r.Part, err)
	}
	return nil
}

func with(ctx context.Context, dsn string, fn func(*pgx.Conn) error) error {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return errors.New("a DSN of the road is malformed (not shown: it may hold a password)")
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	return errors.Join(fn(conn), conn.Close(ctx))
}

func exists(ctx context.Context, conn *pgx.Conn, query string, args ...any) (is bool, err error) {
	err = conn.QueryRow(ctx, query, args...).Scan(&is)
	return is, err
}

// quote makes a literal, for statements that take no parameters.
func quote(s string) string {
	return "E'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}

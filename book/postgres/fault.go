package postgres

import (
	"errors"
	"fmt"

	"jiaozi/book"

	"github.com/jackc/pgx/v5/pgconn"
)

// The errors of PostgreSQL that ask for something of their own (appendix A of
// its manual).
const (
	stateUnique        = "23505"
	stateSerialization = "40001"
	stateDeadlock      = "40P01"
	stateDiskFull      = "53100"
	stateReadOnly      = "25006"
	stateNoTable       = "42P01"
	stateNoColumn      = "42703"
	stateTableExists   = "42P07"
	stateObjectExists  = "42710"
	stateNoDatabase    = "3D000"
	stateDenied        = "42501"
	stateNoFunction    = "42883"
)

// refusal is an error that no further attempt can cure.
type refusal string

func (r refusal) Error() string { return string(r) }

// errStandby is worth another attempt: a fail-over is under way, or the DSN names
// the other server too.
var errStandby = errors.New("the server only reads: it is a standby, or was demoted; name the primary, or all servers")

// state is the code of an error that the server sent, or "".
func state(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// hopeless tells a failure to connect that will be the same next time: a wrong
// password, no such database, no right to it, a server that we refuse.
func hopeless(err error) bool {
	var r refusal
	code := state(err)
	return errors.As(err, &r) || code == stateNoDatabase || code == stateDenied || len(code) == 5 && code[:2] == "28"
}

// again tells an error after which the same statement may be sent once more on
// the same connection: the server has undone all of it.
func again(err error) bool {
	code := state(err)
	return code == stateSerialization || code == stateDeadlock
}

// fault says in the book's words what an error of the server means. All others
// are plain: a statement that failed with an error message changed nothing, an
// I/O error (58030) included, because the commit is what is written last; a
// failed write of the log itself takes the whole server down, and after its
// recovery the journal says what is true.
func fault(err error) error {
	code := state(err)
	switch {
	case err == nil:
		return nil
	case code == stateDiskFull:
		return fmt.Errorf("%w: %w", book.ErrFull, err)
	case code == "XX001", code == "XX002": // data_corrupted, index_corrupted
		return fmt.Errorf("%w: %w", book.ErrDamaged, err)
	case code == stateNoTable, code == stateNoColumn:
		return fmt.Errorf("%w (its tables are not as they were made): %w", book.ErrDamaged, err)
	case silent(err):
		return fmt.Errorf("the database server did not answer in time: does it hang, or wait for its standby? (%w)", err)
	}
	return err
}

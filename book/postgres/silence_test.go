package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/internal/pgtest"

	"github.com/jackc/pgx/v5"
)

// veil is a way to a server that can fall silent: connections stay open, new ones
// are taken, and nothing comes through.
type veil struct {
	dir  string
	gate sync.RWMutex // locked while silent
}

func newVeil(t *testing.T, s *pgtest.Server) *veil {
	t.Helper()
	v := &veil{dir: t.TempDir()}
	config, err := pgx.ParseConfig(s.DSN("postgres"))
	must(t, err)
	socket := fmt.Sprintf(".s.PGSQL.%d", config.Port)
	l, err := net.Listen("unix", filepath.Join(v.dir, socket))
	must(t, err)
	var pumps sync.WaitGroup
	pumps.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			pumps.Go(func() { v.carry(client, filepath.Join(s.Dir(), socket)) })
		}
	})
	t.Cleanup(func() {
		must(t, l.Close())
		pumps.Wait()
	})
	return v
}

func (v *veil) carry(client net.Conn, to string) {
	defer client.Close()
	server, err := net.Dial("unix", to)
	if err != nil {
		return
	}
	defer server.Close()
	back := make(chan struct{})
	go func() {
		defer close(back)
		v.pump(client, server)
		client.Close()
	}()
	v.pump(server, client)
	server.Close()
	<-back
}

func (v *veil) pump(to io.Writer, from io.Reader) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		v.gate.RLock()
		_, err = to.Write(buffer[:n])
		v.gate.RUnlock()
		if err != nil {
			return
		}
	}
}

// through puts the veil's folder into a DSN, before more folders.
func (v *veil) through(s *pgtest.Server, dsn string, more ...string) string {
	return strings.Replace(dsn, "host="+s.Dir(), "host="+strings.Join(append([]string{v.dir}, more...), ","), 1)
}

// TestSilentServerIsLeftForTheOther: the first server of the DSN hangs and closes
// nothing. Writer, keeper and views go on at the other one, and what was held up
// on the way changes nothing when it arrives at last.
func TestSilentServerIsLeftForTheOther(t *testing.T) {
	t.Parallel()
	s := pgtest.Shared(t)
	v := newVeil(t, s)
	dsn := pgtest.Schema(t)
	e := open(t, v.through(s, dsn, s.Dir()), Options{Silence: time.Second})
	one := batch(book.Head{}, 10)
	two := batch(headOf(one), 10)
	must(t, errors.Join(e.Append(t.Context(), one), e.Flush(t.Context(), &book.Change{At: headOf(one)}), view(t, e).Close()))
	if at := e.line.conn.PgConn().Conn().RemoteAddr().String(); !strings.HasPrefix(at, v.dir) {
		t.Fatalf("the writer is at %s and not behind the veil", at)
	}
	v.gate.Lock()
	must(t, e.Append(t.Context(), two))
	must(t, e.Flush(t.Context(), &book.Change{At: headOf(two)}))
	head, err := view(t, e).Head(t.Context())
	v.gate.Unlock()
	if must(t, err); head != headOf(two) {
		t.Error(head)
	}
	three := batch(headOf(two), 10)
	must(t, e.Append(t.Context(), three))
	mustHold(t, dsn, []book.Head{headOf(one), headOf(two), headOf(three)})
}

// TestSilenceEndsInAnError: with nobody else to ask, every call ends in bounded
// time and says why; when the server speaks again, the same engine goes on.
func TestSilenceEndsInAnError(t *testing.T) {
	t.Parallel()
	s := pgtest.Shared(t)
	v := newVeil(t, s)
	dsn := pgtest.Schema(t)
	e := open(t, v.through(s, dsn), Options{Silence: time.Second})
	e.o.Patience = time.Second
	one := batch(book.Head{}, 10)
	two := batch(headOf(one), 10)
	must(t, errors.Join(e.Append(t.Context(), one), e.Flush(t.Context(), &book.Change{At: headOf(one)}), view(t, e).Close()))
	reading := view(t, e)
	v.gate.Lock()
	other := Options{Chain: chain + 1, Silence: time.Second, Patience: time.Second}
	var calls sync.WaitGroup
	for what, call := range map[string]func() error{
		"writer": func() error {
			return errors.Join(e.Append(t.Context(), two), second(e.Head(t.Context())), second(e.Load(t.Context(), touchOf(sample()))))
		},
		"flush":  func() error { return e.Flush(t.Context(), &book.Change{At: headOf(two)}) },
		"view":   func() error { return second(e.View(t.Context())) },
		"walk":   func() error { return reading.Journal(t.Context(), 0, func(book.Row) error { return nil }) },
		"open":   func() error { return second(Open(t.Context(), v.through(s, dsn), other)) },
		"reader": func() error { return second(OpenReader(t.Context(), v.through(s, dsn), other)) },
	} {
		calls.Go(func() {
			err := call()
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "database server") || errors.Is(err, book.ErrNotDurable) {
				t.Errorf("%s: %v", what, err)
			}
		})
	}
	calls.Wait()
	v.gate.Unlock()
	must(t, errors.Join(e.Append(t.Context(), two), e.Flush(t.Context(), &book.Change{At: headOf(two)})))
	mustHold(t, dsn, []book.Head{headOf(one), headOf(two)})
}

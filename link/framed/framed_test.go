package framed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// serve starts a server on loopback; stop ends it and gives what Serve returned.
func serve(t *testing.T, s Server, h Handler) (address string, stop func() error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln, h) }()
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = stop() })
	return ln.Addr().String(), stop
}

func echo(_ context.Context, m []byte) ([]byte, error) { return m, nil }

func client(t *testing.T, address string) *Client {
	t.Helper()
	c := NewClient(address, nil)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// The largest message a frame can carry passes; one byte more never leaves.
func TestOversizeIsRefusedBeforeSending(t *testing.T) {
	address, _ := serve(t, Server{}, echo)
	c := client(t, address)
	big := bytes.Repeat([]byte{7}, MaxMessage)
	got, err := c.Exchange(t.Context(), big)
	if err != nil || !bytes.Equal(got, big) {
		t.Fatalf("65535 bytes: %v, %d back", err, len(got))
	}
	if _, err := c.Exchange(t.Context(), append(big, 7)); !errors.Is(err, ErrTooLong) {
		t.Fatalf("65536 bytes: %v", err)
	}
	if got, err := c.Exchange(t.Context(), []byte("next")); err != nil || string(got) != "next" {
		t.Fatalf("after a refusal the line must still work: %q %v", got, err)
	}
}

// Many callers share one client and many clients one server: every caller gets the
// answer to its own question.
func TestEachCallerGetsItsOwnAnswer(t *testing.T) {
	address, _ := serve(t, Server{}, echo)
	shared := client(t, address)
	var wg sync.WaitGroup
	for i := range 40 {
		c := shared
		if i%2 == 0 {
			c = client(t, address)
		}
		wg.Go(func() {
			for k := range 25 {
				q := fmt.Sprintf("caller %d question %d", i, k)
				got, err := c.Exchange(context.Background(), []byte(q))
				if err != nil || string(got) != q {
					t.Errorf("%s: got %q, %v", q, got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// A time-out closes the connection, so the late answer to the first question is
// never taken for the answer to the second.
func TestLateAnswerIsNotTakenForTheNext(t *testing.T) {
	release := make(chan struct{})
	address, _ := serve(t, Server{}, func(_ context.Context, m []byte) ([]byte, error) {
		if string(m) == "slow" {
			<-release
		}
		return m, nil
	})
	c := client(t, address)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(20*time.Millisecond))
	defer cancel()
	_, err := c.Exchange(ctx, []byte("slow"))
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrNotSent) {
		t.Fatalf("want an unknown outcome by deadline, got %v", err)
	}
	close(release)
	if got, err := c.Exchange(t.Context(), []byte("second")); err != nil || string(got) != "second" {
		t.Fatalf("second: %q %v", got, err)
	}
}

// A cancelled caller returns at once, even while the host says nothing.
func TestCancelEndsTheWait(t *testing.T) {
	got := make(chan struct{})
	address, _ := serve(t, Server{}, func(_ context.Context, m []byte) ([]byte, error) {
		close(got)
		return nil, nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-got; cancel() }()
	if _, err := client(t, address).Exchange(ctx, []byte("x")); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

// A host that hung up between two questions (half-open line) is noticed before the
// second is written: the client dials again and nothing is lost.
func TestHostThatHungUpIsDialledAgain(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	accepted := make(chan net.Conn, 2)
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			m, _ := Read(conn)
			_ = Write(conn, m)
			accepted <- conn
		}
	}()
	c := client(t, ln.Addr().String())
	if _, err := c.Exchange(t.Context(), []byte("one")); err != nil {
		t.Fatal(err)
	}
	_ = (<-accepted).Close()
	waitUntilNoticed(t, c)
	if got, err := c.Exchange(t.Context(), []byte("two")); err != nil || string(got) != "two" {
		t.Fatalf("%q %v", got, err)
	}
	_ = (<-accepted).Close()
}

// waitUntilNoticed blocks until the reader of the client has heard something.
func waitUntilNoticed(t *testing.T, c *Client) {
	t.Helper()
	c.mu.Lock()
	l := c.line
	c.mu.Unlock()
	l.answers <- <-l.answers
}

// An answer cut off in the middle is a fault of unknown outcome, not an answer.
func TestTruncatedAnswerIsAFault(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		_, _ = Read(conn)
		_, _ = conn.Write([]byte{0, 10, 'h', 'a', 'l', 'f'})
		_ = conn.Close()
	}()
	_, err = client(t, ln.Addr().String()).Exchange(t.Context(), []byte("q"))
	if !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrNotSent) {
		t.Fatalf("got %v", err)
	}
}

// Nobody listening: the message was certainly not sent.
func TestRefusedConnectionSaysNotSent(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	if _, err := client(t, ln.Addr().String()).Exchange(t.Context(), []byte("q")); !errors.Is(err, ErrNotSent) {
		t.Fatalf("got %v", err)
	}
	c := client(t, ln.Addr().String())
	_ = c.Close()
	if _, err := c.Exchange(t.Context(), []byte("q")); !errors.Is(err, ErrClosed) {
		t.Fatalf("closed client: %v", err)
	}
}

// Peers that trickle or stay silent lose their connection after Slow or Idle, and
// those that send nonsense at once; the server goes on.
func TestBadPeersLoseOnlyTheirConnection(t *testing.T) {
	for _, c := range []struct {
		why   string
		limit Server
		sends []byte
	}{
		{"silent", Server{Idle: 10 * time.Millisecond}, nil},
		{"trickles", Server{Slow: 10 * time.Millisecond}, []byte{0, 9, 'x'}},
		{"sends a frame of length zero", Server{}, []byte{0, 0}},
	} {
		t.Run(c.why, func(t *testing.T) {
			reported := make(chan error, 1)
			c.limit.Report = func(_ net.Addr, err error) { reported <- err }
			address, _ := serve(t, c.limit, echo)
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write(c.sends); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(conn); err == nil {
				t.Fatal("an answer came")
			}
			if err := <-reported; !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, ErrEmpty) {
				t.Fatalf("reported %v", err)
			}
			if got, err := client(t, address).Exchange(t.Context(), []byte("ok")); err != nil || string(got) != "ok" {
				t.Fatalf("others: %q %v", got, err)
			}
		})
	}
}

// More connections than the bound are closed at once and reported.
func TestConnectionsAreBounded(t *testing.T) {
	reported := make(chan error, 1)
	address, _ := serve(t, Server{MaxConns: 1, Report: func(_ net.Addr, err error) { reported <- err }}, echo)
	if _, err := client(t, address).Exchange(t.Context(), []byte("first")); err != nil {
		t.Fatal(err)
	}
	if _, err := client(t, address).Exchange(t.Context(), []byte("second")); err == nil {
		t.Fatal("the second connection was served")
	}
	if err := <-reported; !errors.Is(err, ErrBusy) {
		t.Fatalf("reported %v", err)
	}
}

// At shutdown a question that was read is still answered, idle connections close,
// and Serve returns only then.
func TestShutdownAnswersWhatWasAsked(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	address, stop := serve(t, Server{}, func(ctx context.Context, m []byte) ([]byte, error) {
		if string(m) != "long" {
			return m, nil
		}
		close(asked)
		<-release
		return m, ctx.Err()
	})
	idle := client(t, address)
	if _, err := idle.Exchange(t.Context(), []byte("hello")); err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		got, err := client(t, address).Exchange(context.Background(), []byte("long"))
		if err == nil && string(got) != "long" {
			err = fmt.Errorf("got %q", got)
		}
		answered <- err
	}()
	<-asked
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	waitUntilNoticed(t, idle) // the drain has closed the idle line
	select {
	case <-stopped:
		t.Fatal("stopped before the answer was sent")
	default:
	}
	close(release)
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte{0, 3, 'a', 'b', 'c'})
	f.Add([]byte{0, 0})
	f.Add([]byte{0xFF, 0xFF, 1})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := Write(&out, m); err != nil || !bytes.HasPrefix(b, out.Bytes()) {
			t.Fatalf("%x read as %x, written as %x, %v", b, m, out.Bytes(), err)
		}
	})
}

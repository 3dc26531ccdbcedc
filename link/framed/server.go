package framed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Handler answers one message. A nil answer sends nothing, which is how a host says
// "unknown"; an error closes the connection.
type Handler func(ctx context.Context, message []byte) ([]byte, error)

// Server accepts connections and answers their messages, one at a time on each.
// The zero value of a limit stands for the default.
type Server struct {
	// MaxConns bounds open connections; one more is closed at once (default 1024).
	MaxConns int
	// Idle is how long a connection may stay silent between messages (default 5 min).
	Idle time.Duration
	// Slow is how long one frame may take, to arrive or to be taken (default 30 s).
	Slow time.Duration
	// Report is told why a connection ended, other than by its peer; nil for nobody.
	Report func(peer net.Addr, err error)
}

const (
	defaultMaxConns = 1024
	defaultIdle     = 5 * time.Minute
	defaultSlow     = 30 * time.Second
)

// ErrBusy: the bound on connections was reached.
var ErrBusy = errors.New("too many connections: the newest was closed")

// Serve runs until ctx ends or the listener fails. At the end of ctx it stops
// listening, lets each message under way be answered, and returns nil when the last
// connection is closed. Handlers see a context that ctx's end does not cancel, so
// that an answer on its way upstream is not cut off.
func (s Server) Serve(ctx context.Context, ln net.Listener, handle Handler) error {
	s.defaults()
	conns := &registry{open: map[net.Conn]bool{}}
	stop := context.AfterFunc(ctx, func() {
		_ = ln.Close()
		conns.drain()
	})
	defer stop()
	defer conns.wait()
	for {
		conn, err := ln.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			return nil
		}
		if err != nil {
			conns.drain()
			return fmt.Errorf("accept on %s: %w", ln.Addr(), err)
		}
		if !conns.add(conn, s.MaxConns) {
			s.report(conn, ErrBusy)
			_ = conn.Close()
			continue
		}
		go func() {
			defer conns.remove(conn)
			s.report(conn, s.converse(context.WithoutCancel(ctx), conns, conn, handle))
		}()
	}
}

func (s *Server) defaults() {
	if s.MaxConns == 0 {
		s.MaxConns = defaultMaxConns
	}
	if s.Idle == 0 {
		s.Idle = defaultIdle
	}
	if s.Slow == 0 {
		s.Slow = defaultSlow
	}
}

func (s *Server) report(conn net.Conn, err error) {
	if s.Report != nil && err != nil {
		s.Report(conn.RemoteAddr(), err)
	}
}

// converse answers one connection until it ends; nil means that the peer hung up
// between messages or that the server drains.
func (s *Server) converse(ctx context.Context, conns *registry, conn net.Conn, handle Handler) error {
	for {
		message, err := s.next(conns, conn)
		if err != nil {
			if conns.draining() || errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		reply, err := handle(ctx, message)
		if err != nil {
			return fmt.Errorf("handle message: %w", err)
		}
		if reply == nil {
			continue
		}
		if err := conn.SetWriteDeadline(time.Now().Add(s.Slow)); err != nil {
			return err
		}
		if err := Write(conn, reply); err != nil {
			return err
		}
	}
}

// next waits for the first byte as long as a connection may idle, and for the rest
// as long as a frame may take: a peer that trickles cannot hold a connection.
func (s *Server) next(conns *registry, conn net.Conn) ([]byte, error) {
	var first [1]byte
	if err := conns.patience(conn, s.Idle); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(conn, first[:]); err != nil {
		return nil, err
	}
	if err := conns.patience(conn, s.Slow); err != nil {
		return nil, err
	}
	return Read(io.MultiReader(bytes.NewReader(first[:]), conn))
}

// registry knows the open connections, so that drain can wake those that wait.
type registry struct {
	mu     sync.Mutex
	drains bool
	open   map[net.Conn]bool
	all    sync.WaitGroup
}

// errDraining ends a conversation at shutdown; it is never reported.
var errDraining = errors.New("the server is shutting down")

func (r *registry) add(conn net.Conn, limit int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.drains || len(r.open) >= limit {
		return false
	}
	r.open[conn] = true
	r.all.Add(1)
	return true
}

func (r *registry) remove(conn net.Conn) {
	_ = conn.Close()
	r.mu.Lock()
	delete(r.open, conn)
	r.mu.Unlock()
	r.all.Done()
}

// patience sets the read deadline, unless drain has put it into the past for good.
func (r *registry) patience(conn net.Conn, d time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.drains {
		return errDraining
	}
	return conn.SetReadDeadline(time.Now().Add(d))
}

func (r *registry) draining() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.drains
}

func (r *registry) drain() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drains = true
	for conn := range r.open {
		_ = conn.SetReadDeadline(time.Unix(1, 0))
	}
}

func (r *registry) wait() { r.all.Wait() }

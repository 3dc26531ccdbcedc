package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"jiaozi/link/framed"
)

// Addresses to listen on. Empty means: do not. Nothing here makes an address
// public by itself; the defaults of the commands are loopback.
type Addresses struct{ POS, HTTP, Coins string }

// Patience of the links.
const (
	upstreamPatience = 10 * time.Second // acquirer waiting for the issuer
	tillPatience     = 30 * time.Second // terminal waiting for the acquirer, which may be waiting itself
	pumpEvery        = time.Second      // outboxes and the clock of the business day
	httpPatience     = 10 * time.Second
)

// servers are the listeners and loops of a running scheme.
type servers struct {
	cancel context.CancelFunc
	all    sync.WaitGroup
	bound  Addresses
	failed chan error
	folder *os.File // names the administrative socket; nil without one
}

func (s *servers) stop() error {
	s.cancel()
	s.all.Wait()
	if s.folder != nil {
		defer s.folder.Close()
	}
	select {
	case err := <-s.failed:
		return err
	default:
		return nil
	}
}

// run starts a loop whose failure ends Wait.
func (s *servers) run(loop func() error) {
	s.all.Go(func() {
		if err := loop(); err != nil {
			select {
			case s.failed <- err:
			default:
			}
			s.cancel()
		}
	})
}

// ServeRoles starts the acquirer for points of sale, the issuer for the
// acquirer, the outbox pump, and, where an address is given, the mint for wallets,
// and health, metrics and the administrative socket.
func (n *Node) ServeRoles(ctx context.Context, addrs Addresses) error {
	ctx, cancel := context.WithCancel(ctx)
	n.servers = &servers{cancel: cancel, failed: make(chan error, 1)}
	if err := n.listenAll(ctx, addrs); err != nil {
		return errors.Join(err, n.servers.stop())
	}
	if err := errors.Join(n.PublishList(ctx), n.KeepMint(ctx)); err != nil {
		return errors.Join(err, n.servers.stop())
	}
	n.servers.run(func() error { return n.pump(ctx) })
	return nil
}

func (n *Node) listenAll(ctx context.Context, addrs Addresses) error {
	issuerAt, err := n.listen(ctx, "issuer", "127.0.0.1:0", func(ctx context.Context, b []byte) ([]byte, error) {
		return n.issuer.Serve(ctx, b, n.Now())
	})
	if err != nil {
		return err
	}
	n.uplink.connect(issuerAt)
	if addrs.POS != "" { // which would listen to the whole world
		n.servers.bound.POS, err = n.listen(ctx, "pos", addrs.POS, func(ctx context.Context, b []byte) ([]byte, error) {
			return n.acquirer.Serve(ctx, b, n.Now())
		})
	}
	if err == nil && addrs.Coins != "" {
		err = n.listenCoins(ctx, addrs.Coins)
	}
	if err != nil || addrs.HTTP == "" {
		return err
	}
	return n.listenHTTP(ctx, addrs.HTTP)
}

// listen serves length-framed messages and says where.
func (n *Node) listen(ctx context.Context, link, addr string, handle framed.Handler) (string, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("listen for %s: %w: is another server running?", link, err)
	}
	server := framed.Server{Report: func(peer net.Addr, err error) {
		if err != nil {
			slog.Warn("connection ended", "link", link, "peer", peer.String(), "error", err)
		}
	}}
	n.servers.run(func() error { return server.Serve(ctx, ln, n.metrics.watch(link, handle)) })
	return ln.Addr().String(), nil
}

func (n *Node) listenHTTP(ctx context.Context, addr string) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for http: %w: is another server running?", err)
	}
	n.servers.bound.HTTP = ln.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", n.healthz)
	mux.Handle("GET /metrics", n.metrics.handler())
	n.serveHTTP(ctx, ln, mux)

	return n.listenAdmin(ctx)
}

func (n *Node) listenAdmin(ctx context.Context) error {
	path, folder, err := adminSocket(n.dir)
	if err != nil {
		return err
	}
	n.servers.folder = folder
	// This process holds the directory's lock, so a socket there is a leftover.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("listen for administration: %w", err)
	}
	socket, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("listen for administration: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(fmt.Errorf("listen for administration: %w", err), socket.Close())
	}
	n.serveHTTP(ctx, socket, n.adminHandler())
	return nil
}

func (n *Node) serveHTTP(ctx context.Context, ln net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: httpPatience}
	stop := context.AfterFunc(ctx, func() {
		late, cancel := context.WithTimeout(context.Background(), httpPatience)
		defer cancel()
		if err := server.Shutdown(late); err != nil {
			slog.Warn("http did not stop in time", "error", err)
		}
	})
	n.servers.run(func() error {
		defer stop()
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve http: %w", err)
		}
		return nil
	})
}

// healthz answers when the book can be read and still books.
func (n *Node) healthz(w http.ResponseWriter, r *http.Request) {
	err := n.ledger.Sound()
	if err == nil {
		_, err = n.BusinessDate(r.Context())
	}
	if err != nil {
		slog.Error("not healthy", "error", err)
		http.Error(w, "the book cannot be used", http.StatusServiceUnavailable)
		return
	}
	_, _ = fmt.Fprintln(w, "ok") // a prober that hung up needs no answer
}

// Bound says where the servers listen.
func (n *Node) Bound() Addresses { return n.servers.bound }

// Wait returns when ctx ends or a server fails.
func (n *Node) Wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() { n.servers.all.Wait(); close(done) }()
	select {
	case <-ctx.Done():
	case <-done:
	}
	return n.servers.stop()
}

// pump empties outboxes and closes the business day at cut-off, until ctx ends. A
// book that has stopped, after a failed sync for one, ends it: the process must
// not go on, and whoever supervises it starts it again, which reads the book anew.
func (n *Node) pump(ctx context.Context) error {
	tick := time.NewTicker(pumpEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := n.ledger.Sound(); err != nil {
			return fmt.Errorf("the book has stopped: %w", err)
		}
		if err := n.Forward(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("outbox waits", "error", err)
		}
		if err := n.cutOff(ctx); err != nil && ctx.Err() == nil {
			slog.Error("end of day failed; it is tried again", "error", err)
		}
		if err := n.KeepMint(ctx); err != nil && ctx.Err() == nil {
			slog.Error("the mint's keys or epochs are not in order; it is tried again", "error", err)
		}
		if err := n.renewList(ctx); err != nil && ctx.Err() == nil {
			slog.Error("no new blacklist; terminals stop when theirs expires", "error", err)
		}
	}
}

// uplink is the acquirer's line to the issuer. It exists before the issuer
// listens, because the acquirer is made first.
type uplink struct {
	mu     sync.Mutex
	client *framed.Client
}

func (u *uplink) connect(addr string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.client = framed.NewClient(addr, nil)
}

// Exchange asks the issuer and waits for as long as an acquirer may.
func (u *uplink) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	u.mu.Lock()
	client := u.client
	u.mu.Unlock()
	if client == nil {
		return nil, fmt.Errorf("issuer: %w: the servers are not running", ErrUnreachable)
	}
	ctx, cancel := context.WithTimeout(ctx, upstreamPatience)
	defer cancel()
	return client.Exchange(ctx, request)
}

func (u *uplink) close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.client == nil {
		return nil
	}
	return u.client.Close()
}

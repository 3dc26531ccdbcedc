package coins

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"jiaozi/wire/coin"
)

// line is the network between wallets and mint. It can be cut, or lose the answers:
// the mint has done its work then, and the wallet does not know. It remembers the
// last deposit, as somebody who listens would.
type line struct {
	server *http.Server
	at     string
	mint   *httputil.ReverseProxy

	mu      sync.Mutex
	state   lineState
	deposit []byte
}

type lineState uint8

const (
	whole lineState = iota
	cut
	deaf // requests arrive, answers do not
)

// openLine listens on loopback in front of the mint at an address.
func openLine(mint string) (*line, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the line to the mint: %w", err)
	}
	to := &url.URL{Scheme: "http", Host: mint}
	l := &line{at: "http://" + ln.Addr().String(), mint: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}}
	l.server = &http.Server{Handler: l, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = l.server.Serve(ln) }() // ends with close
	return l, nil
}

func (l *line) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := l.server.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
		return l.server.Close()
	}
	return nil
}

// be changes the line and gives back how to mend it.
func (l *line) be(state lineState) (mend func()) {
	set := func(s lineState) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.state = s
	}
	set(state)
	return func() { set(whole) }
}

// lastDeposit is the newest message that carried coins to the mint.
func (l *line) lastDeposit() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.deposit)
}

// ServeHTTP carries one request.
func (l *line) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, coin.MaxMessage))
	if err != nil {
		panic(http.ErrAbortHandler) // whoever sent it has gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	switch l.listen(body) {
	case cut:
		panic(http.ErrAbortHandler)
	case deaf:
		l.mint.ServeHTTP(nobody{http.Header{}}, r)
		panic(http.ErrAbortHandler)
	}
	l.mint.ServeHTTP(w, r)
}

func (l *line) listen(body []byte) lineState {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := coin.Parse[coin.Deposit](body); err == nil {
		l.deposit = body
	}
	return l.state
}

// nobody hears the answer.
type nobody struct{ header http.Header }

func (n nobody) Header() http.Header       { return n.header }
func (nobody) Write(b []byte) (int, error) { return len(b), nil }
func (nobody) WriteHeader(int)             {}

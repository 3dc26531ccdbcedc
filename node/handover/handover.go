// Package handover carries one payment over HTTP: the payer posts it, the payee
// answers with the receipt.
//
//	POST <the request's address>    a coin.Payment in, a coin.Receipt out    application/vnd.jiaozi.coin
//
// It promises bounded bodies and times, and that nothing else is served: the till
// takes payments until one was accepted, and then ends. It decides nothing. A payer
// whose answer was lost posts the same bytes again, or has the receipt shown to him
// in another way; a refusal is a receipt as well. Start with Take and Post.
package handover

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"sync"
	"time"

	"jiaozi/wire/coin"
)

// ErrUnreachable: no receipt came. The payee may have the payment: send the same again.
var ErrUnreachable = errors.New("the payee cannot be reached")

const (
	patience = 30 * time.Second // of a payer
	hurry    = 10 * time.Second // of a till, with a payer that dawdles
)

// Till takes a payment and gives the receipt; done ends the waiting.
type Till func(payment []byte) (receipt []byte, done bool)

// Take serves the till until it is done or ctx ends. It closes ln.
func Take(ctx context.Context, ln net.Listener, till Till) error {
	ctx, finish := context.WithCancel(ctx)
	defer finish()
	var mu sync.Mutex // the wallet behind belongs to one goroutine
	handler := func(w http.ResponseWriter, r *http.Request) {
		payment, status := read(w, r)
		if status != http.StatusOK {
			http.Error(w, http.StatusText(status), status)
			return
		}
		mu.Lock()
		receipt, done := till(payment)
		mu.Unlock()
		if receipt == nil {
			http.Error(w, "the payee could not decide: send the same again", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", coin.MediaType)
		_, _ = w.Write(receipt) // a payer that hung up asks again
		if done {
			finish()
		}
	}
	server := &http.Server{
		Handler: http.HandlerFunc(handler), ReadHeaderTimeout: hurry, ReadTimeout: hurry, WriteTimeout: hurry, MaxHeaderBytes: 8 << 10,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()
	select {
	case err := <-ended:
		return fmt.Errorf("wait for the payment: %w", err)
	case <-ctx.Done():
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), hurry)
	defer cancel()
	return server.Shutdown(late)
}

// read gives the body of a payment, or the status that says why it is none.
func read(w http.ResponseWriter, r *http.Request) ([]byte, int) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Method != http.MethodPost:
		return nil, http.StatusMethodNotAllowed
	case err != nil || kind != coin.MediaType: // a page in a browser cannot send this without asking
		return nil, http.StatusUnsupportedMediaType
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, coin.MaxMessage))
	if err != nil {
		return nil, http.StatusRequestEntityTooLarge
	}
	if _, err := coin.Parse[coin.Payment](raw); err != nil {
		return nil, http.StatusBadRequest
	}
	return raw, http.StatusOK
}

// Post brings a payment to a request's address and gives the receipt.
func Post(ctx context.Context, address string, payment []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(payment))
	if err != nil {
		return nil, fmt.Errorf("send the payment: %w", err)
	}
	req.Header.Set("Content-Type", coin.MediaType)
	client := http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, coin.MaxMessage+1))
	if err != nil {
		return nil, fmt.Errorf("%w: the answer broke off: %w", ErrUnreachable, err)
	}
	if _, err := coin.Parse[coin.Receipt](raw); resp.StatusCode != http.StatusOK || err != nil {
		return nil, fmt.Errorf("%w: what answers there gives no receipt (HTTP status %d)", ErrUnreachable, resp.StatusCode)
	}
	return raw, nil
}

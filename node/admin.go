package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"jiaozi/book"
	"jiaozi/book/proof"
	"jiaozi/crypt/vault"
	"jiaozi/node/cardfile"
	"jiaozi/node/durable"
)

// Bounds of an administrative request, and of its answer, which may be a list.
const (
	maxOrder  = 1 << 20
	maxAnswer = 64 << 20
)

// Order is an administrative request: it runs on the open node, in this process
// when no server runs, in the server when one does.
type Order interface {
	// Verb is the order's name in the socket's path.
	Verb() string
	// Run carries the order out and gives what the caller will see as JSON.
	Run(ctx context.Context, n *Node) (any, error)
}

// Admin carries out an order on the directory of o and decodes the answer.
func Admin(ctx context.Context, o Options, order Order, answer any) error {
	n, err := Open(ctx, o)
	if errors.Is(err, durable.ErrLocked) {
		return sendOrder(ctx, o.Dir, order, answer)
	}
	if err != nil {
		return err
	}
	defer n.Close()
	got, err := order.Run(ctx, n)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(got)
	if err != nil {
		return fmt.Errorf("order %s: %w", order.Verb(), err)
	}
	return json.Unmarshal(raw, answer)
}

// adminSocket names the server's local socket. A socket's path may have about a
// hundred bytes, which a deep data directory exceeds, so the directory is named
// by its open file: no socket stands in a shared folder, where anybody could put
// another in its place and be told a master key. Close the file after use.
func adminSocket(dir string) (path string, folder *os.File, err error) {
	if folder, err = os.Open(dir); err != nil {
		return "", nil, fmt.Errorf("find socket: %w", err)
	}
	return fmt.Sprintf("/proc/self/fd/%d/admin.sock", folder.Fd()), folder, nil
}

func sendOrder(ctx context.Context, dir string, order Order, answer any) error {
	path, folder, err := adminSocket(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	body, err := json.Marshal(order)
	if err != nil {
		return fmt.Errorf("order %s: %w", order.Verb(), err)
	}
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://node/admin/"+order.Verb(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("order %s: %w", order.Verb(), err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("%w: another process holds the data directory, but its socket does not answer: %w", ErrUnreachable, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("order %s: %w", order.Verb(), err)
	}
	if resp.StatusCode != http.StatusOK {
		return remoteError(resp.StatusCode, string(bytes.TrimSpace(raw)))
	}
	return json.Unmarshal(raw, answer)
}

// orderStatus is how an order's error crosses the socket, so that the caller
// ends with the same exit code as without a server.
func orderStatus(err error) int {
	switch {
	case errors.Is(err, ErrIntegrity), errors.Is(err, book.ErrDamaged), errors.Is(err, durable.ErrCorrupt),
		errors.Is(err, vault.ErrSealed), errors.Is(err, cardfile.ErrDamaged), errors.Is(err, proof.ErrHistory):
		return http.StatusInternalServerError
	case errors.Is(err, ErrUnreachable):
		return http.StatusBadGateway
	}
	return http.StatusConflict
}

func remoteError(status int, text string) error {
	switch status {
	case http.StatusInternalServerError:
		return fmt.Errorf("%w: %s", ErrIntegrity, text)
	case http.StatusBadGateway:
		return fmt.Errorf("%w: %s", ErrUnreachable, text)
	}
	return errors.New(text)
}

// adminHandler takes the orders of Admin from the socket.
func (n *Node) adminHandler() http.Handler {
	mux := http.NewServeMux()
	serveOrder[AddTerminal](mux, n)
	serveOrder[CloseDay](mux, n)
	serveOrder[MakeCheckpoint](mux, n)
	serveOrder[CardOrder](mux, n)
	serveOrder[BlockCard](mux, n)
	serveOrder[DepositOrder](mux, n)
	serveOrder[OpenAccount](mux, n)
	serveOrder[EnrolOrder](mux, n)
	serveOrder[MerchantOrder](mux, n)
	serveOrder[MintKeys](mux, n)
	serveOrder[MintStatus](mux, n)
	serveOrder[GuiltOrder](mux, n)
	return mux
}

func serveOrder[T Order](mux *http.ServeMux, n *Node) {
	var zero T
	mux.HandleFunc("POST /admin/"+zero.Verb(), func(w http.ResponseWriter, r *http.Request) {
		var order T
		dec := json.NewDecoder(io.LimitReader(r.Body, maxOrder))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&order); err != nil {
			http.Error(w, "order "+zero.Verb()+": "+err.Error(), http.StatusBadRequest)
			return
		}
		got, err := order.Run(r.Context(), n)
		if err != nil {
			http.Error(w, err.Error(), orderStatus(err))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		// The order is done; a caller that hung up meanwhile is its own loss.
		_ = json.NewEncoder(w).Encode(got)
	})
}

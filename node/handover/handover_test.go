package handover

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

func encoded(t *testing.T, m coin.Message) []byte {
	t.Helper()
	b, err := coin.Append(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func payment(t *testing.T) []byte {
	cny := func(m money.Minor) money.Amount { return money.New(money.CNY, m) }
	return encoded(t, &coin.Payment{Nonce: [16]byte{1}, Paid: cny(5), Change: cny(0), Items: [][]byte{{1, 2, 3}}})
}

func receipt(t *testing.T, code coin.Code) []byte {
	return encoded(t, &coin.Receipt{Nonce: [16]byte{1}, Code: code})
}

// serve starts a till and says where and when it ended.
func serve(t *testing.T, ctx context.Context, till Till) (address string, ended chan error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended = make(chan error, 1)
	go func() { ended <- Take(ctx, ln, till) }()
	return "http://" + ln.Addr().String() + "/", ended
}

// Goal: a till waits through noise, refusals and doubt, and ends with the first
// payment that was accepted.
func TestATillWaitsForOneAcceptedPayment(t *testing.T) {
	calls := 0
	answers := [][]byte{nil, receipt(t, coin.Invalid), receipt(t, coin.Accepted)}
	address, ended := serve(t, t.Context(), func(b []byte) ([]byte, bool) {
		if !bytes.Equal(b, payment(t)) {
			t.Error("other bytes arrived")
		}
		calls++
		return answers[calls-1], calls == 3
	})
	for why, tt := range map[string]struct {
		method, kind, body string
		status             int
	}{
		"a question":        {"GET", coin.MediaType, "", 405},
		"a form":            {"POST", "text/plain", "x", 415},
		"noise":             {"POST", coin.MediaType, "noise", 400},
		"another message":   {"POST", coin.MediaType, string(receipt(t, coin.Accepted)), 400},
		"more than allowed": {"POST", coin.MediaType, strings.Repeat("x", coin.MaxMessage+1), 413},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, address, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", tt.kind)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Errorf("%s: %v", why, err)
			continue
		}
		resp.Body.Close()
		if resp.StatusCode != tt.status {
			t.Errorf("%s: status %d", why, resp.StatusCode)
		}
	}
	if _, err := Post(t.Context(), address, payment(t)); !errors.Is(err, ErrUnreachable) {
		t.Errorf("a payee in doubt: %v", err)
	}
	for _, want := range answers[1:] {
		if got, err := Post(t.Context(), address, payment(t)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%x, %v", got, err)
		}
	}
	if err := <-ended; err != nil || calls != 3 {
		t.Errorf("%d calls, %v", calls, err)
	}
	if _, err := Post(t.Context(), address, payment(t)); !errors.Is(err, ErrUnreachable) {
		t.Errorf("a till that has ended: %v", err)
	}
}

func TestATillEndsWithItsTime(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, ended := serve(t, ctx, func([]byte) ([]byte, bool) { return nil, false })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestWhatAnswersWithoutAReceiptIsNoPayee(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	defer page.Close()
	for _, address := range []string{page.URL, "http://127.0.0.1:1/"} {
		if _, err := Post(t.Context(), address, payment(t)); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := Post(t.Context(), "::", payment(t)); err == nil || errors.Is(err, ErrUnreachable) {
		t.Errorf("no address: %v", err)
	}
}

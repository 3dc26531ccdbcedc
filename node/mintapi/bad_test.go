package mintapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"jiaozi/role/mint"
	"jiaozi/role/wallet"
	"jiaozi/wire/coin"
)

// Goal: whatever is sent, the answer has a code, words, and a status that proxies
// understand, and repeats nothing of a secret.
func TestBadRequestsGetWords(t *testing.T) {
	w := newTown(t)
	const secret = "K7QP-SECRET"
	tests := []struct {
		why, path, body string
		status          int
		code            coin.Code
	}{
		{"no JSON", "/v1/deposit", "{", 400, coin.Malformed},
		{"an unknown field", "/v1/commit", `{"kyes":[]}`, 422, coin.Malformed},
		{"a code that is no text", "/v1/enrol", `{"code":["` + secret + `"]}`, 422, coin.Malformed},
		{"a key of the wrong length", "/v1/recover", `{"account":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","time":1,"serial":1,"signature":"AAAA","key":"AAAA","from":0}`, 400, coin.Malformed},
		{"no coin", "/v1/deposit", `{"network":"AAAAAAAAAAAAAAAAAAAAAA==","payee":"a","amount":{"amount":1.00,"currency":"CNY"},"time":1,"nonce":"AAAAAAAAAAAAAAAAAAAAAA==","contract":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","items":[]}`, 400, coin.Malformed},
		{"too much", "/v1/deposit", `{"payee":"` + strings.Repeat("a", 2*coin.MaxMessage) + `"}`, 413, coin.TooLarge},
	}
	for _, tt := range tests {
		resp, err := http.Post(w.server.URL+tt.path, "application/json", strings.NewReader(tt.body))
		check(t, err)
		raw, err := io.ReadAll(resp.Body)
		check(t, errors.Join(err, resp.Body.Close()))
		var doc struct{ Code, Text string }
		if err := json.Unmarshal(raw, &doc); err != nil || resp.StatusCode != tt.status || doc.Code != tt.code.String() || doc.Text == "" || bytes.Contains(raw, []byte("SECRET")) {
			t.Errorf("%s: status %d, %v: %s", tt.why, resp.StatusCode, err, raw)
		}
	}
	for _, path := range []string{"/v1/nothing", "/", "/v1/", "/docs"} {
		resp, err := http.Get(w.server.URL + path)
		check(t, errors.Join(err, resp.Body.Close()))
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d", path, resp.StatusCode)
		}
	}
}

// Goal: bytes that are no request get a Failure in the compact form.
func TestEnvelopesThatAreNoRequestAreRefused(t *testing.T) {
	w := newTown(t)
	question, err := coin.Append(nil, &coin.Ask{What: coin.TypeKeys})
	check(t, err)
	keys, err := w.client().Keys(t.Context())
	check(t, err)
	for why, body := range map[string][]byte{"noise": []byte("noise"), "cut": question[:len(question)-1], "longer": append(bytes.Clone(question), 0), "an answer": keys} {
		raw, err := w.client().Do(t.Context(), body)
		if err != nil {
			t.Errorf("%s: %v", why, err)
			continue
		}
		if f, err := coin.Parse[coin.Failure](raw); err != nil || f.Code != coin.Malformed || f.Text == "" {
			t.Errorf("%s: %+v, %v", why, f, err)
		}
	}
	if _, err := w.client().Do(t.Context(), make([]byte, coin.MaxMessage+1)); err == nil {
		t.Error("more than a message was taken")
	}
}

// Goal: the status says what proxies and scripts need, the code the rest.
func TestFaultsHaveTheirStatus(t *testing.T) {
	w := newTown(t)
	question, err := coin.Append(nil, &coin.Ask{What: coin.TypeKeys})
	check(t, err)
	for _, tt := range []struct {
		fault  error
		code   coin.Code
		status int
	}{
		{mint.ErrBusy, coin.Busy, 503}, {context.DeadlineExceeded, coin.Unavailable, 503}, {errors.New("a torn page"), coin.Internal, 500},
	} {
		w.mint.fault = tt.fault
		resp, err := http.Post(w.server.URL+PathCoins, coin.MediaType, bytes.NewReader(question))
		check(t, err)
		raw, err := io.ReadAll(resp.Body)
		check(t, errors.Join(err, resp.Body.Close()))
		if f, err := coin.Parse[coin.Failure](raw); err != nil || f.Code != tt.code || resp.StatusCode != tt.status || strings.Contains(f.Text, "torn") {
			t.Errorf("%v: status %d, %+v, %v", tt.fault, resp.StatusCode, f, err)
		}
	}
	for code, status := range map[coin.Code]int{
		coin.BadSignature: 403, coin.BadEnrolCode: 403, coin.UnknownAccount: 404, coin.TooLarge: 413, coin.Malformed: 400, coin.Insufficient: 409, coin.ClockOff: 409,
	} {
		if got := statusOf(&coin.Failure{Code: code}); got != status {
			t.Errorf("%v: %d", code, got)
		}
	}
}

// Goal: a wallet tells an unreachable mint from one that said no, whoever answers in
// its place, and its money is where it was.
func TestWhoeverAnswersInsteadIsNoMint(t *testing.T) {
	w := newTown(t)
	good := w.client()
	behind := &swap{good}
	anna := w.join("anna", behind)
	page := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(rw, "<html>Please log in to the hotel's network</html>")
	}))
	defer page.Close()
	elsewhere := httptest.NewServer(http.RedirectHandler(w.server.URL+PathCoins, http.StatusTemporaryRedirect))
	defer elsewhere.Close()
	endless := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", coin.MediaType)
		block := make([]byte, 64<<10)
		for r.Context().Err() == nil {
			if _, err := rw.Write(block); err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	for why, address := range map[string]string{"a hotel's page": page.URL, "a redirection": elsewhere.URL, "nobody": gone.URL} {
		c, err := NewClient(address)
		check(t, err)
		if _, err := c.Keys(t.Context()); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v", why, err)
		}
		behind.Client = c
		if _, err := anna.Withdraw(t.Context(), wallet.Order{Amount: yuan(3)}); !errors.Is(err, wallet.ErrOffline) || !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v", why, err)
		}
	}
	c, err := NewClient(endless.URL)
	check(t, err)
	if _, err := c.Keys(t.Context()); !errors.Is(err, coin.ErrTooLarge) {
		t.Errorf("an endless answer: %v", err)
	}
	behind.Client = good
	if _, err := anna.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b := anna.Balance(); b.Available.Minor() == 0 || b.Pending.Minor() != 0 {
		t.Errorf("%+v", b)
	}
}

// swap is a port whose other end can be changed.
type swap struct{ *Client }

func TestAddressesThatAreNoneAreRefused(t *testing.T) {
	for _, address := range []string{"", "mint.example", "ftp://mint.example", "http://", "http://mint.example", "http://192.0.2.1:5290", "http://127.0.0.1.example", "https://user:pass@mint.example", "http://mint.example?x=1", "http://mint.example#x", "http://[::1"} {
		if _, err := NewClient(address); !errors.Is(err, ErrAddress) {
			t.Errorf("%q: %v", address, err)
		}
	}
	w := newTown(t)
	prefix := http.NewServeMux()
	prefix.Handle("/a/b/", http.StripPrefix("/a/b", Handler(w.mint)))
	server := httptest.NewServer(prefix)
	defer server.Close()
	for _, address := range []string{server.URL + "/a/b", server.URL + "/a/b/"} {
		c, err := NewClient(address)
		check(t, err)
		if _, err := c.Keys(t.Context()); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

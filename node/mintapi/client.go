package mintapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"jiaozi/wire/coin"
)

// ErrUnreachable: no answer came. The mint may have acted: ask the same again.
var ErrUnreachable = errors.New("the mint cannot be reached")

// ErrAddress: the mint's address is of no use, or nothing protects the way to it.
var ErrAddress = errors.New("the mint's address is not one such as https://mint.example or http://127.0.0.1:5290")

// patience is how long a client waits for an answer. A mint that syncs its disk
// answers in milliseconds; a phone's network may need seconds.
const patience = 30 * time.Second

// Client carries messages to one mint.
type Client struct {
	base *url.URL
	http *http.Client
}

// NewClient makes a client of the mint at an address such as
// https://mint.example. A path in front of the API's own is kept. Without TLS only
// this machine is asked: the mint's keys are as good as the way on which they come,
// and whoever could put his own among them would pay with coins that he makes.
func NewClient(address string) (*Client, error) {
	base, err := url.Parse(address)
	if err != nil || base.Scheme != "https" && !(base.Scheme == "http" && loopback(base.Hostname())) || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, ErrAddress
	}
	return &Client{base: base, http: &http.Client{Timeout: patience, CheckRedirect: noRedirect}}, nil
}

func loopback(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

// noRedirect: a request may hold an enrolment code, which belongs to this mint only.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Keys asks for what the mint publishes.
func (c *Client) Keys(ctx context.Context) ([]byte, error) { return c.ask(ctx, coin.TypeKeys) }

// Status asks for the mint's published books.
func (c *Client) Status(ctx context.Context) ([]byte, error) { return c.ask(ctx, coin.TypeStatus) }

func (c *Client) ask(ctx context.Context, what coin.Type) ([]byte, error) {
	question, err := coin.Append(nil, &coin.Ask{What: what})
	if err != nil {
		return nil, fmt.Errorf("ask the mint: %w", err)
	}
	return c.Do(ctx, question)
}

// Do posts one envelope and gives the envelope that answers it.
func (c *Client) Do(ctx context.Context, request []byte) ([]byte, error) {
	at := *c.base
	at.Path = strings.TrimSuffix(at.Path, "/") + PathCoins
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at.String(), bytes.NewReader(request))
	if err != nil {
		return nil, fmt.Errorf("ask the mint: %w", err)
	}
	req.Header.Set("Content-Type", coin.MediaType)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: is it running, and is the address right? %w", ErrUnreachable, err)
	}
	defer resp.Body.Close()
	return answerOf(resp)
}

// answerOf reads an envelope. Whatever else answers (a proxy's page, a server
// that is no mint) says nothing about the request.
func answerOf(resp *http.Response) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || kind != coin.MediaType {
		return nil, fmt.Errorf("%w: what answers there is no mint (HTTP status %d)", ErrUnreachable, resp.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, coin.MaxMessage+1))
	if err != nil {
		return nil, fmt.Errorf("%w: the answer broke off: %w", ErrUnreachable, err)
	}
	if len(raw) > coin.MaxMessage {
		return nil, fmt.Errorf("the mint's answer is refused: %w", coin.ErrTooLarge)
	}
	return raw, nil
}

package framed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// Dialer opens connections; *net.Dialer and *tls.Dialer are two.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Client talks to one host over one connection, opened when it is first needed. It
// is safe for concurrent use; questions queue.
type Client struct {
	address string
	dialer  Dialer
	turn    chan struct{} // holds one token: whoever has it may ask

	mu     sync.Mutex
	line   *line
	closed bool
}

// ErrClosed: the client was closed by its owner.
var ErrClosed = errors.New("the client is closed")

// ErrNotSent: there was no connection, so the other side cannot have seen the
// message. After any other error of Exchange it may have.
var ErrNotSent = errors.New("the message was not sent")

// NewClient makes a client of the host at address ("127.0.0.1:8583"). A nil dialer
// stands for plain TCP.
func NewClient(address string, dialer Dialer) *Client {
	if dialer == nil {
		dialer = &net.Dialer{}
	}
	c := &Client{address: address, dialer: dialer, turn: make(chan struct{}, 1)}
	c.turn <- struct{}{}
	return c
}

// Exchange sends one message and waits for one answer, for as long as ctx allows.
// An error that is not ErrNotSent leaves the outcome unknown: the caller has to
// reverse or to ask again.
func (c *Client) Exchange(ctx context.Context, message []byte) ([]byte, error) {
	select {
	case <-c.turn:
	case <-ctx.Done():
		return nil, fmt.Errorf("exchange with %s: %w: the line is busy: %w", c.address, ErrNotSent, ctx.Err())
	}
	defer func() { c.turn <- struct{}{} }()
	l, err := c.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("exchange with %s: %w: %w", c.address, ErrNotSent, err)
	}
	answer, err := l.ask(ctx, message)
	if err != nil {
		c.drop()
		return nil, fmt.Errorf("exchange with %s: %w", c.address, err)
	}
	return answer, nil
}

// open gives a silent, living connection, dialling if need be.
func (c *Client) open(ctx context.Context) (*line, error) {
	c.mu.Lock()
	l, closed := c.line, c.closed
	c.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	if l != nil && l.quiet() {
		return l, nil
	}
	c.drop()
	conn, err := c.dialer.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, fmt.Errorf("no connection, check the address and that the host is up: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		_ = conn.Close()
		return nil, ErrClosed
	}
	c.line = newLine(conn)
	return c.line, nil
}

func (c *Client) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line != nil {
		c.line.close()
		c.line = nil
	}
}

// Close ends the connection and the exchange under way.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.drop()
	return nil
}

// line is one connection and the goroutine that reads it. The goroutine is what
// notices that the host hung up between two questions: a message written into such
// a connection would be lost without a sign.
type line struct {
	conn    net.Conn
	answers chan answer
	done    chan struct{}
	once    sync.Once
}

type answer struct {
	message []byte
	err     error
}

func newLine(conn net.Conn) *line {
	l := &line{conn: conn, answers: make(chan answer, 1), done: make(chan struct{})}
	go l.listen()
	return l
}

func (l *line) listen() {
	for {
		message, err := Read(l.conn)
		select {
		case l.answers <- answer{message, err}:
		case <-l.done:
			return
		}
		if err != nil {
			return
		}
	}
}

// quiet tells whether nothing was heard since the last answer, neither a message
// that nobody asked for nor the end of the connection.
func (l *line) quiet() bool { return len(l.answers) == 0 }

func (l *line) ask(ctx context.Context, message []byte) ([]byte, error) {
	// Closing is what ends a write that blocks because the host does not read.
	stop := context.AfterFunc(ctx, l.close)
	defer stop()
	if err := Write(l.conn, message); err != nil {
		return nil, because(ctx, err)
	}
	select {
	case a := <-l.answers:
		if a.err != nil {
			return nil, because(ctx, a.err)
		}
		return a.message, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("no answer: %w", ctx.Err())
	}
}

// because names the context as the cause when it is.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

func (l *line) close() {
	l.once.Do(func() {
		close(l.done)
		_ = l.conn.Close() // nothing is buffered: no error that could matter
	})
}

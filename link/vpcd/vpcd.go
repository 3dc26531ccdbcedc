// Package vpcd puts a card into a virtual PC/SC reader: it speaks the card's
// side of the protocol of vsmartcard's vpcd driver, so that any PC/SC software
// reads our card as if it lay in a reader.
//
//	PC/SC software -> pcscd -> vpcd driver <--TCP--> this package -> a Card
//
// Every message has two length bytes, big-endian, then its body. A body of one
// byte from the driver is a control: 00 power off, 01 power on, 02 reset, 04 "give
// me the ATR", the only one that is answered. A longer body is a command, and
// gets one answer. The driver polls the ATR to see whether the card is there, so
// the poll is answered at once, even while the card is busy.
//
// By default the driver listens and the card connects (Dial); with DEVICENAME
// host:port in the reader's configuration it is the other way round (Listen).
// The protocol has no authentication: keep it on the loopback interface. On Linux
// each read asks for an immediate acknowledgement, because the driver of 2023 and
// before sends length and body apart and would wait 40 ms in between.
package vpcd

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"jiaozi/wire/apdu"
)

// Card is what lies in the reader. Its methods are called one at a time. An
// error means that the card is broken: it is taken out of the reader.
type Card interface {
	PowerOn() (atr []byte, err error)
	PowerOff()
	Transmit(apdu.Command) (apdu.Response, error)
}

const (
	controlOff   = 0x00
	controlOn    = 0x01
	controlReset = 0x02
	controlATR   = 0x04

	// queue bounds what a reader may send ahead of the answers it waits for: one
	// command and the controls around it. Controls have no answer to wait for, so
	// a reader that switches the card off and on a few times gets well ahead.
	queue = 16
)

// ErrCard says that the card failed, not the line to the reader.
var ErrCard = errors.New("the card in the virtual reader failed")

// Dial connects to a driver that listens and serves it until ctx ends or the
// card fails. The first connection must succeed, so that a wrong address is
// noticed; a connection that is lost later is made again, more and more slowly.
func Dial(ctx context.Context, address string, c Card) error {
	return dial(ctx, address, c, pace{100 * time.Millisecond, 5 * time.Second})
}

// pace is how long to wait before connecting again: doubled up to longest.
type pace struct{ first, longest time.Duration }

func dial(ctx context.Context, address string, c Card, p pace) error {
	var dialer net.Dialer
	connected, wait := false, p.first
	for {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !connected:
			return fmt.Errorf("connect to the virtual reader: %w", err)
		case err == nil:
			connected, wait = true, p.first
			if err := Serve(ctx, conn, c); errors.Is(err, ErrCard) {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
			wait = min(2*wait, p.longest)
		}
	}
}

// Listen serves drivers that connect to l, one after the other, until ctx ends
// or the card fails. It closes l.
func Listen(ctx context.Context, l net.Listener, c Card) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	defer l.Close()
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("wait for the virtual reader: %w", err)
		}
		if err := Serve(ctx, conn, c); errors.Is(err, ErrCard) {
			return err
		}
	}
}

// Serve puts the card into the reader at the other end of conn, until the reader
// hangs up, ctx ends or the card fails (ErrCard). It closes conn.
func Serve(ctx context.Context, conn net.Conn, c Card) error {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	atr, err := c.PowerOn()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCard, err)
	}
	s := &slot{conn: conn, card: c, work: make(chan []byte, queue)}
	var busy sync.WaitGroup
	busy.Go(s.obey)
	err = s.listen(atr)
	conn.Close() // the reader need not wait for what the card is still doing
	close(s.work)
	busy.Wait()
	c.PowerOff()
	if s.broken != nil {
		return fmt.Errorf("%w: %w", ErrCard, s.broken)
	}
	return err
}

// slot is one connection. listen reads and answers polls; obey alone touches the
// card.
type slot struct {
	conn    net.Conn
	card    Card
	work    chan []byte
	writing sync.Mutex
	broken  error // set by obey before it ends
}

// listen takes messages until the line ends.
func (s *slot) listen(atr []byte) error {
	quickAck(s.conn)
	for {
		body, err := s.read()
		if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read from the virtual reader: %w", err)
		}
		if len(body) == 1 && body[0] == controlATR {
			if err := s.write(atr); err != nil {
				return err
			}
			continue
		}
		select {
		case s.work <- body:
		default:
			return errors.New("the virtual reader does not wait for answers")
		}
	}
}

// read takes one message. The driver may send length and body apart.
func (s *slot) read() ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(s.conn, head[:]); err != nil {
		return nil, err
	}
	quickAck(s.conn)
	body := make([]byte, binary.BigEndian.Uint16(head[:]))
	if len(body) == 0 {
		return nil, io.EOF // the reader let the card go
	}
	_, err := io.ReadFull(s.conn, body)
	quickAck(s.conn)
	return body, err
}

func (s *slot) write(body []byte) error {
	message := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(body)), uint16(len(body)))
	s.writing.Lock()
	defer s.writing.Unlock()
	if _, err := s.conn.Write(append(message, body...)); err != nil {
		return fmt.Errorf("write to the virtual reader: %w", err)
	}
	return nil
}

// obey carries out what the reader asks, in order. A broken card or line ends
// it; closing the connection then ends listen.
func (s *slot) obey() {
	for body := range s.work {
		if err := s.do(body); err != nil {
			s.conn.Close()
			return
		}
	}
}

func (s *slot) do(body []byte) error {
	if len(body) > 1 {
		answer, err := s.answer(body)
		if err != nil {
			s.broken = err
			return err
		}
		return s.write(answer.Append(nil))
	}
	switch body[0] {
	case controlOff:
		s.card.PowerOff()
	case controlOn, controlReset:
		_, s.broken = s.card.PowerOn()
	}
	return s.broken // other controls are not ours to know
}

// answer hands a command to the card. What is no short command never reaches it.
func (s *slot) answer(body []byte) (apdu.Response, error) {
	cmd, err := apdu.ParseCommand(body)
	if err != nil {
		return apdu.Response{SW: apdu.WrongLength}, nil
	}
	return s.card.Transmit(cmd)
}

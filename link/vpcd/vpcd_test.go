package vpcd

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"jiaozi/wire/apdu"
)

// The tests play the driver's side of the line.

var testATR = []byte{0x3B, 0x80, 0x01}

// fake is a card that answers with the class byte, waits where it is told to
// wait, and breaks when it hears instruction FF.
type fake struct {
	events chan string
	wait   chan struct{}
}

func newFake() *fake { return &fake{events: make(chan string, 16)} }

func (f *fake) PowerOn() ([]byte, error) { f.events <- "on"; return testATR, nil }
func (f *fake) PowerOff()                { f.events <- "off" }

func (f *fake) Transmit(c apdu.Command) (apdu.Response, error) {
	if c.INS == 0xFF {
		return apdu.Response{}, apdu.ErrGone
	}
	if f.wait != nil {
		<-f.wait
	}
	return apdu.Response{Data: []byte{c.CLA}, SW: apdu.OK}, nil
}

func (f *fake) expect(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		if got := <-f.events; got != w {
			t.Fatalf("the card was switched %s, want %s", got, w)
		}
	}
}

// driver is the reader's end of a served connection.
type driver struct {
	t    *testing.T
	conn net.Conn
	done chan error
}

func insert(t *testing.T, f *fake) driver {
	t.Helper()
	ours, theirs := net.Pipe()
	d := driver{t, theirs, make(chan error, 1)}
	go func() { d.done <- Serve(t.Context(), ours, f) }()
	f.expect(t, "on")
	return d
}

func (d driver) send(body ...byte) {
	d.t.Helper()
	message := append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...)
	for _, part := range [][]byte{message[:2], message[2:]} {
		if len(part) == 0 {
			continue
		}
		if _, err := d.conn.Write(part); err != nil {
			d.t.Fatal(err)
		}
	}
}

func (d driver) receive() []byte {
	d.t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(d.conn, head[:]); err != nil {
		d.t.Fatal(err)
	}
	body := make([]byte, binary.BigEndian.Uint16(head[:]))
	if _, err := io.ReadFull(d.conn, body); err != nil {
		d.t.Fatal(err)
	}
	return body
}

func TestOnlyTheATRPollAndCommandsAreAnswered(t *testing.T) {
	f := newFake()
	d := insert(t, f)
	d.send(controlReset)
	d.send(controlOff)
	d.send(controlOn)
	d.send(0x7F) // an unknown control
	d.send(controlATR)
	if got := d.receive(); !bytes.Equal(got, testATR) {
		t.Fatalf("ATR %X", got)
	}
	d.send(0x80, 0xCA, 0x9F, 0x36, 0x00)
	if got := d.receive(); !bytes.Equal(got, []byte{0x80, 0x90, 0x00}) {
		t.Fatalf("answer %X", got)
	}
	f.expect(t, "on", "off", "on")
	d.conn.Close()
	if err := <-d.done; err != nil {
		t.Fatalf("the reader hung up: %v", err)
	}
	f.expect(t, "off")
}

func TestPresencePollIsAnsweredWhileTheCardIsBusy(t *testing.T) {
	f := newFake()
	f.wait = make(chan struct{})
	d := insert(t, f)
	d.send(0x00, 0xA4, 0x04, 0x00)
	d.send(controlATR)
	if got := d.receive(); !bytes.Equal(got, testATR) {
		t.Fatalf("while busy: %X, want the ATR", got)
	}
	close(f.wait)
	if got := d.receive(); !bytes.Equal(got, []byte{0x00, 0x90, 0x00}) {
		t.Fatalf("answer %X", got)
	}
}

func TestMalformedCommandNeverReachesTheCard(t *testing.T) {
	d := insert(t, newFake())
	d.send(0x00, 0xA4, 0x04)
	if got := d.receive(); !bytes.Equal(got, []byte{0x67, 0x00}) {
		t.Fatalf("answer %X", got)
	}
}

func TestBrokenCardLeavesTheReader(t *testing.T) {
	d := insert(t, newFake())
	d.send(0x00, 0xFF, 0x00, 0x00)
	if err := <-d.done; !errors.Is(err, ErrCard) || !errors.Is(err, apdu.ErrGone) {
		t.Fatalf("%v, want ErrCard", err)
	}
}

func TestReaderThatFloodsIsCutOff(t *testing.T) {
	f := newFake()
	f.wait = make(chan struct{})
	defer close(f.wait)
	d := insert(t, f)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 2 * (queue + 2) {
			if _, err := d.conn.Write([]byte{0, 4, 0x00, 0xA4, 0x04, 0x00}); err != nil {
				return
			}
		}
	}()
	<-ended
	if _, err := d.conn.Write([]byte{0, 1, controlATR}); err == nil {
		t.Fatal("the line is still open")
	}
}

func TestZeroLengthTakesTheCardOut(t *testing.T) {
	d := insert(t, newFake())
	d.send()
	if err := <-d.done; err != nil {
		t.Fatal(err)
	}
}

func TestDialConnectsAgainAndEndsWithTheContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	f, done := newFake(), make(chan error, 1)
	go func() { done <- dial(ctx, l.Addr().String(), f, pace{time.Millisecond, time.Millisecond}) }()
	for range 3 {
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		f.expect(t, "on")
		d := driver{t: t, conn: conn}
		d.send(controlATR)
		d.receive()
		conn.Close()
		f.expect(t, "off")
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestWrongAddressIsNoticed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	if err := Dial(t.Context(), address, newFake()); err == nil {
		t.Fatal("connected to nobody")
	}
}

func TestListenServesOneReaderAfterTheOther(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f, done := newFake(), make(chan error, 1)
	go func() { done <- Listen(ctx, l, f) }()
	for range 2 {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		f.expect(t, "on")
		d := driver{t: t, conn: conn}
		d.send(controlATR)
		d.receive()
		conn.Close()
		f.expect(t, "off")
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

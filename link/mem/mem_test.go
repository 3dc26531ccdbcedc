package mem

import (
	"errors"
	"testing"

	"jiaozi/wire/apdu"
)

// echo is a card that counts what it heard.
type echo struct{ heard int }

func (e *echo) Transmit(cmd apdu.Command) (apdu.Response, error) {
	e.heard++
	return apdu.Response{Data: []byte{cmd.P1}, SW: apdu.OK}, nil
}

func TestTheCardHearsALostAnswerButNotALostCommand(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lose  func(apdu.Card, Moment) apdu.Card
		heard int
	}{{"command", LoseCommand, 1}, {"answer", LoseAnswer, 2}} {
		c := new(echo)
		l := tt.lose(c, Nth(1))
		if _, err := l.Transmit(apdu.ReadRecord(1, 1)); err != nil {
			t.Fatalf("%s: before the moment: %v", tt.name, err)
		}
		for range 2 {
			if _, err := l.Transmit(apdu.ReadRecord(1, 2)); !errors.Is(err, apdu.ErrGone) {
				t.Fatalf("%s: %v, want the card gone", tt.name, err)
			}
		}
		if c.heard != tt.heard {
			t.Errorf("%s: the card heard %d commands, want %d", tt.name, c.heard, tt.heard)
		}
	}
}

func TestReadingWaitsForItsRecord(t *testing.T) {
	l := LoseCommand(new(echo), Reading(2, 3))
	for _, cmd := range []apdu.Command{apdu.ReadRecord(2, 2), apdu.ReadRecord(3, 3), apdu.GetData(0x9F36)} {
		if _, err := l.Transmit(cmd); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Transmit(apdu.ReadRecord(2, 3)); !errors.Is(err, apdu.ErrGone) {
		t.Fatalf("%v, want the card gone", err)
	}
}

func TestTraceTellsWhatWasSaid(t *testing.T) {
	var seen []Exchange
	l := Trace(new(echo), func(x Exchange) { seen = append(seen, x) })
	if _, err := l.Transmit(apdu.ReadRecord(1, 7)); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 1 || seen[0].Command.P1 != 7 || seen[0].Response.Data[0] != 7 {
		t.Fatalf("%+v", seen)
	}
}

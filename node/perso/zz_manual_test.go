package perso

import (
	"crypto/rand"
	"fmt"
	"net"
	"testing"
	"time"

	"jiaozi/link/vpcd"
	"jiaozi/role/card"
	"jiaozi/value/money"
)

type side struct{ *card.Card }

func (s side) PowerOn() ([]byte, error) { return s.Card.PowerOn(card.Contact) }

type side2 struct{ *card.Card }

func (s side2) PowerOn() ([]byte, error) { return s.Card.PowerOn(card.Contactless) }

func TestManual(t *testing.T) {
	p, _, err := BuildLone(Lone{Limit: money.New(money.CNY, 500_00), Today: today})
	if err != nil {
		t.Fatal(err)
	}
	m := new(card.RAM)
	card.Format(m, p)
	c, _ := card.Open(m, rand.Reader)
	l, err := net.Listen("tcp", "127.0.0.1:36999")
	if err != nil {
		t.Fatal(err)
	}
	l2, err := net.Listen("tcp", "127.0.0.1:37000")
	if err != nil {
		t.Fatal(err)
	}
	m2 := new(card.RAM)
	card.Format(m2, p)
	c2, _ := card.Open(m2, rand.Reader)
	go vpcd.Listen(t.Context(), l2, side2{c2})
	fmt.Println("listening")
	time.AfterFunc(40*time.Second, func() { l.Close() })
	fmt.Println(vpcd.Listen(t.Context(), l, side{c}))
}

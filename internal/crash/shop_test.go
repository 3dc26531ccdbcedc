package crash

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// shop is a point of sale, a server and a card, each a process or a file of its
// own, so that either end can die while the other lives on.
type shop struct {
	t         *testing.T
	dir, card string
	dice      *rand.Rand
	announced map[string]bool // sales that the till announced, by the card's counter
}

const (
	shopKills = 12
	salesEach = 8
	startYuan = 400
)

func newShop(t *testing.T, seed uint64) *shop {
	t.Helper()
	base := t.TempDir()
	s := &shop{t: t, dir: filepath.Join(base, "data"), card: filepath.Join(base, "my.card"), dice: rand.New(rand.NewPCG(seed, 0)), announced: map[string]bool{}}
	s.must("init", "--data", s.dir, "--test")
	s.must("terminal", "add", "--data", s.dir, "--tid", "TILL0001", "--mid", "SHOP00000000001", "--profile", "secure",
		"--tmk", "7A1F0C5E9B3D42868F10D4C3A2B5E697")
	s.must("card", "new", "--data", s.dir, "--file", s.card, "--balance", fmt.Sprint(startYuan))
	return s
}

func (s *shop) must(args ...string) run {
	s.t.Helper()
	r := play(s.t, args...)
	if r.code != 0 {
		s.t.Fatalf("%s", r)
	}
	return r
}

// serve starts the server and gives its address and the end of it: SIGKILL,
// every time.
func (s *shop) serve() (addr string, kill func()) {
	s.t.Helper()
	said, end := serve(s.t, 1, "--data", s.dir, "--pos", "127.0.0.1:0", "--http", "127.0.0.1:0")
	addr, _, ok := strings.Cut(strings.TrimPrefix(said[0], "points of sale on "), ",")
	if !ok {
		s.t.Fatalf("the server says %q", said)
	}
	return addr, func() { end() }
}

// serve starts a server, and gives the lines that it says first and the end of it,
// with what it complained of in its life.
func serve(t *testing.T, lines int, args ...string) (said []string, kill func() string) {
	t.Helper()
	cmd := exec.Command(program(t), append([]string{"up"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceValue(func() string {
		_ = cmd.Process.Kill() // an end that came before is as good
		_ = cmd.Wait()
		return complaints.String()
	})
	for in := bufio.NewReader(out); len(said) < lines; {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatalf("the server does not start again: %v %q %s", err, said, kill())
		}
		said = append(said, strings.TrimSpace(line))
	}
	return said, kill
}

// lines is what the cashier types: sign on, sell, settle.
func (s *shop) lines() string {
	return "signon\nlist\n" + strings.Repeat("tap "+s.card+" 1.00\n", salesEach) + "settle\n"
}

// announced is a sale with its receipt. A till that died while it spoke says the
// same sale again, so sales are told apart by the card's counter.
var announced = regexp.MustCompile(`(?ms)^(?:approved|recovered) .*?^Card counter \(ATC\) +(\d+)$`)

// sell plays a session of the till, which is killed when limit has passed.
func (s *shop) sell(addr string, limit time.Duration) run {
	s.t.Helper()
	r := feed(s.t, limit, strings.NewReader(s.lines()), "pos", "--data", s.dir, "--tid", "TILL0001", "--host", addr)
	for _, sale := range announced.FindAllSubmatch(r.out, -1) {
		s.announced[string(sale[1])] = true
	}
	return r
}

// TestShopSurvivesKills kills the till or the server in the middle of sales and
// settlements. In the end the merchant has been paid exactly what left the card,
// and every sale that the till announced is among it.
func TestShopSurvivesKills(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a server and a till many times; left out of -short")
	}
	seed := crashSeed(t)
	t.Logf("JIAOZI_CRASH_SEED=%d repeats these moments", seed)
	s := newShop(t, seed)
	addr, kill := s.serve()
	session := s.sell(addr, deadline)
	kill()
	if session.code != 0 {
		t.Fatalf("%s", session)
	}
	for n := range shopKills {
		s.disturbed(n, session.took)
	}
	addr, kill = s.serve()
	if r := s.sell(addr, deadline); r.code != 0 {
		t.Errorf("the last session must go well\n%s", r)
	}
	paid := s.day()
	kill()
	mustConserve(t, s.dir)
	spent := startYuan - s.balance()
	if paid != spent || len(s.announced) > spent || len(s.announced) < 2*salesEach {
		t.Errorf("%d sales announced, %d spent by the card, %d paid to the merchant", len(s.announced), spent, paid)
	}
}

// disturbed plays a session in which one end is killed at a random moment.
func (s *shop) disturbed(n int, span time.Duration) {
	addr, kill := s.serve()
	defer kill()
	after := time.Duration(s.dice.Float64() * float64(span))
	limit := after
	if n%2 == 1 {
		limit = deadline
		defer time.AfterFunc(after, kill).Stop()
	}
	r := s.sell(addr, limit)
	s.t.Logf("kill %d after %v of %v: exit %d %s", n, after, span, r.code, r.errors)
}

// day closes the business day and gives what it paid, in whole yuan.
func (s *shop) day() int {
	var doc struct {
		Gross json.Number `json:"gross"`
	}
	r := s.must("day", "--data", s.dir, "-o", "json")
	return s.yuan(r, json.Unmarshal(r.out, &doc), doc.Gross)
}

func (s *shop) balance() int {
	var doc struct {
		Balance json.Number `json:"balance"`
	}
	r := s.must("card", "show", "--data", s.dir, "--file", s.card, "-o", "json")
	return s.yuan(r, json.Unmarshal(r.out, &doc), doc.Balance)
}

func (s *shop) yuan(r run, err error, sum json.Number) int {
	s.t.Helper()
	var yuan, fen int
	if _, scan := fmt.Sscanf(sum.String(), "%d.%02d", &yuan, &fen); err != nil || scan != nil || fen != 0 {
		s.t.Fatalf("%v %v\n%s", err, scan, r)
	}
	return yuan
}

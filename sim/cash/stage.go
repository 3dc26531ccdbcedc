package cash

import (
	"context"
	"errors"
	"fmt"

	"jiaozi/node"
	"jiaozi/role/terminal"
	"jiaozi/sim/story"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// The tills of the story. The shops are offline-only: a card that wants to go
// online is declined there.
const (
	tea   ident.TID = "TEA00001"
	books ident.TID = "BOOK0001"
	ferry ident.TID = "FERRY001"
	kiosk ident.TID = "KIOSK001"
)

var tillSpecs = []node.TerminalSpec{
	{TID: tea, MID: "104110054110001", MerchantName: "Panda Teahouse", Profile: "cup", OfflineOnly: true},
	{TID: books, MID: "104110059420002", MerchantName: "Campus Bookshop", Profile: "secure", OfflineOnly: true},
	{TID: ferry, MID: "104110041110003", MerchantName: "Harbour Ferry", Profile: "secure", OfflineOnly: true, Currency: "HKD"},
	{TID: kiosk, MID: "104110060110004", MerchantName: "Bank Kiosk", Profile: "secure"},
}

// The cast. Frank's card expired last year; Dave's allows 50 at once.
const (
	rightPIN = "258036"
	wrongPIN = "111111"
)

// stage is where a run is played.
type stage struct {
	node    *node.Node
	options story.Options
	run     uint64
	today   clock.Date
	cards   map[string]*node.OpenCard
	tills   map[string]*till
	summary Summary
	report  *node.DayReport
}

// till is a terminal and the line it speaks through, which scenes can cut.
type till struct {
	*node.Till
	line *line
}

// line loses the answers to the requests that lose picks, counted from the
// moment it was set: the host has done its work, the terminal does not know.
type line struct {
	host terminal.Host
	sent int
	lose func(nth int) bool
}

var errLineDropped = errors.New("the line dropped before the answer came")

// Exchange passes a request on and, when the scene says so, loses its answer.
func (l *line) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	answer, err := l.host.Exchange(ctx, request)
	l.sent++
	if err == nil && l.lose != nil && l.lose(l.sent) {
		return nil, errLineDropped
	}
	return answer, err
}

func (l *line) losing(lose func(nth int) bool) func() {
	l.sent, l.lose = 0, lose
	return func() { l.lose = nil }
}

// open finishes what an interrupted run left behind, then sets the stage.
func (s *stage) open(ctx context.Context) error {
	var err error
	if s.run, err = s.node.BeginRun(ctx); err != nil {
		return err
	}
	s.today = clock.DateOf(s.node.Now())
	for _, spec := range tillSpecs {
		if err := s.openTill(ctx, spec); err != nil {
			return fmt.Errorf("till %s: %w", spec.TID, err)
		}
	}
	return s.dealCards(ctx)
}

func (s *stage) openTill(ctx context.Context, spec node.TerminalSpec) error {
	if err := s.node.EnsureTerminal(ctx, spec); err != nil {
		return err
	}
	cut := &line{}
	t, err := s.node.Terminal(spec.TID, s.options.Lang, func(h terminal.Host) terminal.Host { cut.host = h; return cut })
	if err != nil {
		return err
	}
	s.tills[string(spec.TID)] = &till{t, cut}
	return nil
}

func (s *stage) till(tid ident.TID) *till { return s.tills[string(tid)] }

// named gives the name of a card or account in this run.
func (s *stage) named(who string) string { return fmt.Sprintf("%s-%d", who, s.run) }

func (s *stage) money(text string) (money.Amount, error) {
	return money.Parse(s.node.Currency(), text)
}

// dealCards issues the cards of this run.
func (s *stage) dealCards(ctx context.Context) error {
	lastYear := s.today.AddDays(-365)
	for _, c := range []struct {
		who     string
		account bool
		order   node.CardOrder
	}{
		{"alice", true, node.CardOrder{PIN: rightPIN}},
		{"bob", false, node.CardOrder{}},
		{"carol", true, node.CardOrder{PIN: rightPIN}},
		{"dave", false, node.CardOrder{Balance: "100.00", Single: "50.00"}},
		{"erin", false, node.CardOrder{Balance: "50.00"}},
		{"frank", false, node.CardOrder{Balance: "30.00", Effective: lastYear.AddDays(-365), Expiry: lastYear}},
		{"grace", true, node.CardOrder{Balance: "80.00", PIN: rightPIN}},
		{"heidi", false, node.CardOrder{Balance: "100.00"}},
	} {
		order := c.order
		order.Name = s.named(c.who)
		if c.account {
			order.Account = s.named(c.who)
		}
		if _, err := s.node.IssueCard(ctx, order); err != nil {
			return fmt.Errorf("card of %s: %w", c.who, err)
		}
		if err := s.openCard(c.who, s.node.CardPath(order.Name)); err != nil {
			return fmt.Errorf("card of %s: %w", c.who, err)
		}
	}
	return nil
}

func (s *stage) openCard(who, path string) error {
	c, err := s.node.OpenCard(path)
	if err != nil {
		return err
	}
	s.cards[who] = c
	return nil
}

func (s *stage) close() {
	for _, c := range s.cards {
		c.Close()
	}
	for _, t := range s.tills {
		t.Close()
	}
}

// ended translates a terminal's outcome.
func ended(o terminal.Outcome) result {
	return result{Ending: story.End(o.Result.String(), o.Reason), Amount: o.Amount, Detail: balanceOf(o.Balance)}
}

package coins

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"jiaozi/crypt/phrase"
	"jiaozi/node"
	"jiaozi/node/mintapi"
	"jiaozi/sim/story"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
)

// stage is where a run is played.
type stage struct {
	node    *node.Node
	clock   *story.Clock
	options story.Options
	run     uint64
	dir     string // of the wallet files
	line    *line
	mint    *mintapi.Client
	people  map[string]*person
	began   books
	waiting []byte       // the last request
	change  money.Amount // that the last payment gave back
	summary Summary
}

// person is a wallet and what belongs to it. A shop's is a till: it has no account
// of its own and takes money for the merchant's.
type person struct {
	*node.Purse
	options node.WalletOptions
	words   phrase.Phrase
	shop    string // the merchant's name at the mint; "" for people
}

// The shops.
const (
	tea      = "teahouse"
	bookshop = "bookshop"
)

var shops = map[string]ident.MID{tea: "104110054110001", bookshop: "104110059420002"}

// The people, and what they bring to the bank. Erin and Frank bring nothing: they
// only hold what others give them.
var cast = []struct {
	name, money string
	card        bool
}{
	{"alice", "100.00", false}, {"bob", "50.00", false}, {"carol", "50.00", true}, {"dave", "50.00", false},
	{"erin", "", false}, {"frank", "", false}, {"lena", "30.00", false},
	{"mallory", "20.00", false}, {"mike", "", false}, {"craig", "20.00", true},
}

// cheats are those who pay twice.
var cheats = []string{"mallory", "mike", "craig"}

const cardPIN = "258036"

// open takes the next run's number and sets the stage.
func (s *stage) open(ctx context.Context) error {
	var err error
	if s.run, err = s.node.BeginRun(ctx); err != nil {
		return err
	}
	s.dir = filepath.Join(s.node.Dir(), "wallets", fmt.Sprintf("run-%d", s.run))
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("make a folder for wallets: %w", err)
	}
	if s.line, err = openLine(s.node.Bound().Coins); err != nil {
		return err
	}
	if s.mint, err = mintapi.NewClient(s.line.at); err != nil {
		return err
	}
	s.began, err = s.read(ctx)
	return err
}

func (s *stage) close() {
	for _, p := range s.people {
		_ = p.Close() // what was saved is saved
	}
	if s.line != nil {
		_ = s.line.close()
	}
}

// named gives the name of an account in this run.
func (s *stage) named(who string) string { return fmt.Sprintf("%s-%d", who, s.run) }

func (s *stage) path(who string) string { return filepath.Join(s.dir, who+".wallet") }

func (s *stage) money(text string) (money.Amount, error) { return money.Parse(s.node.Currency(), text) }

func (s *stage) none() money.Amount { return money.Zero(s.node.Currency()) }

func (s *stage) person(who string) (*person, error) {
	if p := s.people[who]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("nobody is called %s", who)
}

// books is what the mint publishes, added up.
type books struct {
	at                time.Time
	issued, deposited uint64
	expired, out      money.Amount
	balanced          bool
	guilt             []node.GuiltState
}

func (s *stage) read(ctx context.Context) (books, error) {
	b := books{at: s.clock.Now(), expired: s.none(), out: s.none(), balanced: true}
	status, err := node.MintStatus{}.Run(ctx, s.node)
	if err != nil {
		return b, err
	}
	for _, l := range status.([]node.EpochState) {
		b.issued, b.deposited, b.balanced = b.issued+l.CoinsIssued, b.deposited+l.CoinsDeposited, b.balanced && l.Balanced
		if b.expired, err = s.plus(b.expired, l.Expired.String()); err != nil {
			return b, err
		}
		if b.out, err = s.plus(b.out, l.Outstanding.String()); err != nil {
			return b, err
		}
	}
	list, err := node.GuiltOrder{}.Run(ctx, s.node)
	if err != nil {
		return b, err
	}
	b.guilt = list.([]node.GuiltState)
	return b, nil
}

func (s *stage) plus(a money.Amount, text string) (money.Amount, error) {
	more, err := s.money(text)
	if err != nil {
		return a, err
	}
	return a.Add(more)
}

// each says a sum in both languages.
func each(en, zh string, a money.Amount) lang.Text {
	return lang.Text{EN: en + " " + a.Format(lang.EN), ZH: zh + " " + a.Format(lang.ZH)}
}

var errShort = errors.New("a wallet holds another sum than it should")

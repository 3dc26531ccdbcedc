// Package clearing stands between acquirers and issuers: it checks and routes
// what terminals collected, takes the issuers' verdicts, and ends the day with
// fees, one net position per institution, and settlement.
//
//	acquirer --presentment--> Accept --presentment per issuer--> issuer
//	                          Outcome <------outcome------------ issuer
//	          <--settlement-- Settle(date) --settlement--------> issuer
//
// It promises to count each file once, whatever arrives twice; to route nothing
// that its sender did not sign in order; to take from an issuer only verdicts on
// the very details it was sent; and to post a settlement only if the net of all
// institutions is zero and agrees with the Clearing accounts of the book, which
// the issuers posted themselves. What comes late belongs to the next day.
//
// Ids follow from file names and dates, and a day is closed by one command that
// writes down the tariffs used, so every call can be repeated after a crash and
// gives the same files. The package has no clock and no key of its own. Start
// with New; fee.go has the tariffs, settle.go the end of the day.
package clearing

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/crypt/vault"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/clearing"
)

// Door is clearing's part of the book.
type Door interface {
	Poster
	Reader
}

// Poster books commands and shows what others left for clearing.
type Poster interface {
	Apply(ctx context.Context, cmds []book.Command) ([]book.Result, error)
	Outbox(ctx context.Context, topic string, after uint64, max int) ([]book.Pending, error)
}

// Reader reads what was booked.
type Reader interface {
	Get(ctx context.Context, space string, key []byte) (value []byte, version uint64, err error)
	Scan(ctx context.Context, space string, prefix []byte, fn func(key, value []byte, version uint64) error) error
	Balance(ctx context.Context, id book.AccountID) (balance money.Amount, open bool, err error)
}

// Signer signs files with clearing's key.
type Signer interface {
	Sign(h vault.Handle, domain string, msg []byte) ([]byte, error)
}

// Member is an institution of the scheme.
type Member struct {
	Key      ed25519.PublicKey // verifies its files
	Issuer   bool
	Acquirer bool
}

// Config says who clears for whom, and at which price.
type Config struct {
	Inst     ident.Inst // the network
	Currency money.Currency
	Sign     vault.Handle
	Members  map[ident.Inst]Member
	Tariffs  Tariffs
	Bearer   chart.Bearer // who bears the second payment of a cloned card
}

// Spaces of clearing in the book, below its own root.
const (
	spaceFile  = "file"  // id of a presentment: what it became
	spaceIn    = "in"    // sender, date: the last sequence taken
	spaceOut   = "out"   // date, receiver: the last sequence sent
	spaceWait  = "wait"  // id of the expected outcome: what was routed
	spaceOpen  = "open"  // the same id, until the outcome is here
	spaceDone  = "done"  // day, id: an outcome
	spaceCash  = "cash"  // day, number: a cash load, or its undoing
	spaceDay   = "day"   // date: a closed day
	spaceState = "state" // the last closed day
)

// topicClearing is where issuers report cash loads.
const topicClearing = "clearing"

const (
	eventFile  = "clr/file"  // a file was taken
	eventCash  = "clr/cash"  // reports of cash loads were taken
	eventClose = "clr/close" // a day was closed
)

func root(inst ident.Inst) string { return "clr/" + string(inst) + "/" }

// Spaces are the spaces and topics that clearing's Door must open.
func Spaces(inst ident.Inst) []string { return []string{root(inst), topicClearing} }

// Events are the events that clearing's Door must open.
var Events = []string{"clr/", chart.EventSettle, chart.EventCloneBorne}

// What a caller must act on.
var (
	// ErrFile: the file is refused; the text says why. Ask its sender.
	ErrFile = errors.New("clearing: the file is refused")
	// ErrGap: an earlier file is missing. Send that one first.
	ErrGap = errors.New("clearing: a file before this one is missing: send that one first")
	// ErrDiffers: a file of this name was taken with other content.
	ErrDiffers = errors.New("clearing: a file of this name was taken before, with other content")
	// ErrBusy: others were faster too often. Call again.
	ErrBusy = errors.New("clearing: busy: call again in a moment")
	// ErrNet: the day does not add up and nothing was posted. Run audit.
	ErrNet = errors.New("clearing: the day does not add up, nothing was settled: run audit")
	// ErrDay: the day was settled together with a later one.
	ErrDay = errors.New("clearing: the day is over")
	// errRecord: the book's own records do not read back.
	errRecord = errors.New("clearing: a stored record is malformed: run audit, then restore a backup")
)

// maxStale bounds how often a decision is made again because others were faster.
const maxStale = 64

// Clearing is the clearing institution of a scheme.
type Clearing struct {
	cfg    Config
	door   Door
	signer Signer
	root   string
}

// New makes the clearing institution.
func New(cfg Config, door Door, signer Signer) (*Clearing, error) {
	if _, err := ident.ParseInst(string(cfg.Inst)); err != nil {
		return nil, fmt.Errorf("clearing: %w", err)
	}
	if !cfg.Currency.Known() {
		return nil, fmt.Errorf("clearing %s: currency %d is not known", cfg.Inst, uint16(cfg.Currency))
	}
	if cfg.Bearer < chart.IssuerBears || cfg.Bearer > chart.MerchantBears {
		return nil, fmt.Errorf("clearing %s: say who bears a cloned card: issuer, acquirer or merchant", cfg.Inst)
	}
	for inst, m := range cfg.Members {
		if len(m.Key) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("clearing %s: member %s has no key to verify its files with", cfg.Inst, inst)
		}
	}
	return &Clearing{cfg: cfg, door: door, signer: signer, root: root(cfg.Inst)}, nil
}

func (c *Clearing) space(name string) string { return c.root + name }

// Dispatch is a file with its receiver.
type Dispatch struct {
	To   ident.Inst
	File []byte
}

// verify checks a member's signature.
func (c *Clearing) verify(from ident.Inst, msg, sig []byte) error {
	m, ok := c.cfg.Members[from]
	if !ok || !ed25519.Verify(m.Key, msg, sig) {
		return fmt.Errorf("not signed by a member: %s", from)
	}
	return nil
}

func (c *Clearing) write(f *clearing.File) ([]byte, error) {
	f.Header.From, f.Header.Currency = c.cfg.Inst, c.cfg.Currency
	return clearing.Append(nil, f, func(msg []byte) ([]byte, error) {
		return c.signer.Sign(c.cfg.Sign, clearing.Domain, msg)
	})
}

// apply books commands that are expected to be accepted.
func (c *Clearing) apply(ctx context.Context, what string, cmds ...book.Command) (stale bool, err error) {
	results, err := c.door.Apply(ctx, cmds)
	if err != nil {
		return false, fmt.Errorf("clearing %s: %s: %w", c.cfg.Inst, what, err)
	}
	for _, r := range results {
		switch r.Code {
		case book.OK:
		case book.VersionConflict:
			stale = true
		default:
			return false, fmt.Errorf("clearing %s: %s: %s", c.cfg.Inst, what, r.Code.Explain())
		}
	}
	return stale, nil
}

// state is the record that orders everything which may not fall between the
// counting and the closing of a day.
type state struct {
	Closed clock.Date   `json:"closed"` // the last closed day
	Open   []clock.Date `json:"open"`   // days that hold something and are not closed
	Taken  uint64       `json:"taken"`  // outcomes and cash reports so far: makes each version differ
}

// take notes that a day holds something.
func (s *state) take(day clock.Date) {
	s.Taken++
	if n, found := slices.BinarySearch(s.Open, day); !found {
		s.Open = slices.Insert(s.Open, n, day)
	}
}

// until splits the open days: those to be closed with date, and later ones.
func (s *state) until(date clock.Date) (now, later []clock.Date) {
	n, found := slices.BinarySearch(s.Open, date)
	if found {
		n++
	}
	return s.Open[:n:n], s.Open[n:]
}

// Package mint is the bank's coin maker: it signs coins that it cannot see, takes
// them back, and names whoever pays one twice.
//
// A withdrawal. Down to the answer nothing has moved; the answer and the debit are
// one commit, and the same question always has the same answer:
//
//	wallet --Commit------>  open session n of (account, key): n, a, b   at most one is open
//	wallet --Challenge c->  Dr Customer Cr Coins, c kept under n,        one command
//	       <-----Answer r-  r = cx + w
//
// A deposit. Each coin is decided by itself, by one command on the shard that the
// coin's own bytes choose:
//
//	payee --Deposit-->  batch-verify, then for each coin: first write wins
//	                    new:       Dr Coins Cr payee, points kept     Accepted
//	                    the same:  the first answer                   Replayed
//	                    another:   nobody is paid; two points of one  DoubleSpent
//	                               line name who paid twice: guilt
//
// The mint learns who withdraws how much of which denomination, and who deposits
// what; of a coin that comes back value, epoch, group and the number of hands. It
// cannot learn which withdrawal a coin comes from: any of them explains any coin,
// and no computer will ever change that. It can neither make a guilt up nor be
// talked into one: the proof holds a secret that only two payments of one coin
// give away.
//
// It promises: an account has one open withdrawal for each key, because with many
// a holder could forge (ROS attack); one challenge is answered for each session,
// because two would give away the key; issued - deposited - expired is what is
// outstanding, in the book and by a second count, at every moment. What was answered
// once is answered the same again, any number of times: a challenge until its epoch
// ends, a deposit or a claim at any later time. Only a signed request whose time is
// off by more than Config.Tolerance must be signed anew.
//
// The package has no clock, no storage and no key: they are arguments. Start with
// New and Handle (or Serve, for bytes); EnsureKeys before the first request and
// once a day, Deliver in a book of many shards, Expire when an epoch is over.
package mint

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/crypt/brands"
	"jiaozi/crypt/vault"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// Door is the mint's part of the book: its own events and spaces.
type Door interface {
	Poster
	Reader
}

// Poster books commands.
type Poster interface {
	Apply(ctx context.Context, cmds []book.Command) ([]book.Result, error)
}

// Reader reads what was booked.
type Reader interface {
	Get(ctx context.Context, space string, key []byte) (value []byte, version uint64, err error)
	GetOnce(ctx context.Context, space string, key []byte) ([]byte, bool, error)
	Scan(ctx context.Context, space string, prefix []byte, fn func(key, value []byte, version uint64) error) error
	Balance(ctx context.Context, id book.AccountID) (balance money.Amount, open bool, err error)
}

// Vault is what the mint asks of the holder of its keys.
type Vault interface {
	Has(h vault.Handle) bool
	GenerateCoin(h vault.Handle, info brands.KeyInfo) error
	CoinPublic(h vault.Handle) (*brands.PublicKey, error)
	CoinCommit(h vault.Handle, session brands.Digest, account *brands.Account, card bool) (brands.Commitment, error)
	CoinRespond(h vault.Handle, session brands.Digest, account brands.Element, c brands.Scalar) (brands.Scalar, error)
	Sign(h vault.Handle, domain string, msg []byte) ([]byte, error)
	Public(h vault.Handle) (ed25519.PublicKey, error)
}

// Note is a denomination of divisible notes.
type Note struct {
	Value money.Minor // of the whole note
	Depth uint8       // levels below the root: the smallest piece is Value>>Depth
}

// Config says who the mint is and what it makes.
type Config struct {
	Inst     ident.Inst
	Name     string // for people
	Network  brands.Network
	Currency money.Currency
	Sign     vault.Handle // signs guilt and the list of keys

	Coins  int      // denominations: 1, 2, 4 ... 2^(Coins-1) minor units
	Notes  []Note   // denominations of notes
	Groups []string // special-purpose coins: groups of merchants, each with all denominations
	Blanks int      // keys of blanks in an epoch: so many blanks can be fetched at a time; 0 means 8
	Plan   Plan     // of epochs

	SessionLife time.Duration     // until an unanswered withdrawal dies; 0 means 5 minutes. A book from a backup must be older before it serves
	Tolerance   time.Duration     // between the clocks of wallet and mint; 0 means 10 minutes
	CodeLife    time.Duration     // of an enrolment code; 0 means 7 days
	CardKey     ed25519.PublicKey // of the issuer that certifies card observers; nil: cards are not taken

	// Place tells on which shard of the book a part lives; nil is a book of one
	// shard. Places lists all shards.
	Place  func(part uint16) chart.Place
	Places []chart.Place
}

// Bounds that whoever configures a mint should know.
const (
	MaxCoins      = 40 // denominations: above 5 billion in units of one cent
	DefaultBlanks = 8  // keys of blanks in an epoch: so many are withdrawn at a time
)

const (
	defaultSessionLife = 5 * time.Minute
	defaultTolerance   = 10 * time.Minute
	defaultCodeLife    = 7 * 24 * time.Hour
	maxRetries         = 64 // of a decision because a record changed meanwhile
)

// The mint's spaces in the book, after its root. Keys begin with the part that
// must keep them: that of the coin, or that of the customer's account.
const (
	spaceKey     = "key"     // KeyID: a public key and its handle
	spaceID      = "id"      // I: whose it is
	spaceHolder  = "holder"  // customer's account: its I
	spaceCode    = "code"    // account, hash of an enrolment code
	spacePayee   = "payee"   // merchant's account: name and groups
	spaceSession = "session" // account, I, KeyID: the newest withdrawal
	spaceAnswer  = "answer"  // once: account, I, KeyID, n: the challenge that was answered
	spaceSpent   = "spent"   // once: coin (and node): how it came back
	spaceLate    = "late"    // once: coin: how it came back after it was claimed
	spaceNote    = "note"    // note: which nodes came back
	spaceGuilt   = "guilt"   // coin: the proof of who paid it twice
	spaceDue     = "due"     // once: a message from another shard that was carried out
	spaceCarried = "carried" // once: a message that is out of the outbox
	spaceExpired = "expired" // once: place and epoch: what was left of it
)

// Events of the mint that move no money.
const (
	eventKeys    = "mint/keys"
	eventEnrol   = "mint/enrol"
	eventPayee   = "mint/payee"
	eventSession = "mint/session"
	eventGuilt   = "mint/guilt"
	eventCarried = "mint/carried"
)

func root(inst ident.Inst) string { return "mint/" + string(inst) + "/" }

// TopicDue is the outbox of what a shard asks of others: see Deliver.
func TopicDue(inst ident.Inst) string { return root(inst) + "due" }

// Spaces are the spaces and topics that the Door of a mint must open.
func Spaces(inst ident.Inst) []string { return []string{root(inst)} }

// Events are the events that the mint's Door must open.
var Events = []string{"mint/",
	chart.EventCoinIssue, chart.EventCoinDeposit, chart.EventCoinClaim,
	chart.EventCoinClaimedSpent, chart.EventCoinExpire, chart.EventCoinDue}

// What a caller must act on.
var (
	// ErrBusy: a record changed too often while deciding. Send again.
	ErrBusy = errors.New("mint: busy: send the same request again in a moment")
	// ErrRefused: an officer's order that the books do not allow; the text says why.
	ErrRefused = errors.New("mint: refused")
	// ErrKeyLost: a key is published and the vault does not hold it.
	ErrKeyLost = errors.New("mint: the vault lacks a published key: restore the newest backup of the vault")
	// ErrForged: more of an epoch came back than was issued. Nothing was paid for
	// the coin that would have.
	ErrForged = errors.New("mint: more coins came back than were issued: stop the mint and run audit; a key may be stolen")
	// errRecord: a record of this role's spaces does not read back.
	errRecord = errors.New("mint: a stored record is malformed: run audit, then restore a backup")
)

// Mint is one mint. Its methods may be called concurrently.
type Mint struct {
	cfg   Config
	door  Door
	vault Vault
	rand  io.Reader
	root  string   // of the spaces
	keys  sync.Map // brands.KeyID: *coinKey; they never change
}

// space names one of the mint's own spaces.
func (m *Mint) space(name string) string { return m.root + name }

// New makes a mint. Rand weighs batches, salts withdrawals and makes enrolment
// codes; it must be safe for concurrent use, as crypto/rand's Reader is, and never
// repeat itself, not even over a book that was restored.
func New(cfg Config, door Door, v Vault, rand io.Reader) (*Mint, error) {
	if _, err := ident.ParseInst(string(cfg.Inst)); err != nil {
		return nil, fmt.Errorf("mint: %w", err)
	}
	if !cfg.Currency.Known() {
		return nil, fmt.Errorf("mint %s: currency %d is not known", cfg.Inst, uint16(cfg.Currency))
	}
	if cfg.Coins < 1 || cfg.Coins > MaxCoins {
		return nil, fmt.Errorf("mint %s: %d denominations of coins: there are 1 to %d", cfg.Inst, cfg.Coins, MaxCoins)
	}
	if cfg.Place == nil != (len(cfg.Places) == 0) {
		return nil, fmt.Errorf("mint %s: Place and Places belong together", cfg.Inst)
	}
	if cfg.Place == nil {
		cfg.Place, cfg.Places = func(uint16) chart.Place { return chart.Place{} }, []chart.Place{{}}
	}
	setDefault(&cfg.Blanks, DefaultBlanks)
	setDefault(&cfg.SessionLife, defaultSessionLife)
	setDefault(&cfg.Tolerance, defaultTolerance)
	setDefault(&cfg.CodeLife, defaultCodeLife)
	setDefault(&cfg.Plan, defaultPlan)
	if err := cfg.Plan.check(); err != nil {
		return nil, fmt.Errorf("mint %s: %w", cfg.Inst, err)
	}
	if n := cfg.keys() * cfg.Plan.Alive(); n > coin.MaxKeys {
		return nil, fmt.Errorf("mint %s: up to %d keys at a time, and wallets read %d: take fewer denominations, groups or months", cfg.Inst, n, coin.MaxKeys)
	}
	return &Mint{cfg: cfg, door: door, vault: v, rand: rand, root: root(cfg.Inst)}, nil
}

// keys is how many keys an epoch has.
func (c *Config) keys() int { return c.Coins*(1+len(c.Groups)) + len(c.Notes) + c.Blanks }

func setDefault[T comparable](v *T, to T) {
	if none := *new(T); *v == none {
		*v = to
	}
}

// apply books commands.
func (m *Mint) apply(ctx context.Context, cmds ...book.Command) ([]book.Result, error) {
	results, err := m.door.Apply(ctx, cmds)
	if err != nil {
		return nil, fmt.Errorf("mint %s: book %d commands: %w", m.cfg.Inst, len(cmds), err)
	}
	return results, nil
}

// unexpected is a refusal of the book that no caller of the mint can cause.
func (m *Mint) unexpected(what string, r book.Result) error {
	return fmt.Errorf("mint %s: %s: the book refused: %s", m.cfg.Inst, what, r.Code.Explain())
}

// between lists the accounts that a command moves money between. It belongs into the
// command's id: a request that comes again after a merchant or a shard has moved
// makes another command, and must meet the first one's once-key, not its id.
func between(cmd *book.Command) (ids []byte) {
	for i := range cmd.Legs {
		ids = append(ids, cmd.Legs[i].Account[:]...)
	}
	return ids
}

// customer is the account behind a name.
func (m *Mint) customer(name string) book.Account {
	return chart.Customer(m.cfg.Inst, name, m.cfg.Currency)
}

// near begins a key with the part of an account, so that the record lives there.
func near(account book.AccountID, parts ...[]byte) []byte {
	key := append([]byte(nil), account[:2]...)
	for _, p := range parts {
		key = append(key, p...)
	}
	return key
}

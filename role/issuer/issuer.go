// Package issuer is the bank behind the cards: it keeps cardholders' accounts
// and the register of cards, answers online requests, takes what terminals
// collected offline, and publishes the blacklist.
//
//	acquirer --0200 0420 0620--> Serve    loads, closures, reversals, script notices
//	clearing --presentment-----> Present  every payment verified, posted once
//	officer  ------------------> OpenAccount, Fund, RegisterCard, SetStatus, PublishList
//
// It promises to believe nothing that a card did not authenticate: a message
// without a good MAC changes nothing, a payment is one whose cryptogram the
// vault verified, and a new balance is computed from the balance that the card
// MACed, never from one in clear. Each card and counter pays once; a second,
// different cryptogram on a counter goes to suspense and the card to the list.
// A load is one of undone, done or in flight, and the next balance that the
// card proves settles it (history.go).
//
// Whatever a decision changes (money, card, answer kept for a replay) is one
// command of the book. The card's record and its version order all commands of
// a card: a decision made on a stale record is refused and made again. After a
// crash at any point, the same call does the rest.
//
// The package has no clock, no storage and no key: they are arguments. Start
// with New and Serve; card.go says what is known of a card.
package issuer

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"time"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/crypt/pin"
	"jiaozi/crypt/vault"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// Door is the issuer's part of the book: its own events and spaces.
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
}

// Vault is what the issuer asks of the holder of its keys.
type Vault interface {
	CardVerbs
	PINVerbs
	LineVerbs
}

// CardVerbs verify what a card computed and answer it.
type CardVerbs interface {
	CardRef(h vault.Handle, pan ident.PAN, psn ident.PSN) (ident.CardRef, error)
	VerifyAC(ac vault.Handle, pan ident.PAN, psn ident.PSN, atc uint16, data []byte, mac [8]byte) (bool, error)
	VerifyBalance(mac vault.Handle, pan ident.PAN, psn ident.PSN, atc uint16, value [5]byte, sum [4]byte) (bool, error)
	RespondARQC(ac vault.Handle, pan ident.PAN, psn ident.PSN, atc uint16, arqc [8]byte, arc [2]byte) ([8]byte, error)
	ScriptMAC(mac vault.Handle, pan ident.PAN, psn ident.PSN, header [5]byte, atc uint16, arqc [8]byte, data []byte) ([4]byte, error)
}

// PINVerbs set and compare PINs that nobody outside the vault sees.
type PINVerbs interface {
	SetPIN(pvk vault.Handle, p pin.PIN, pan ident.PAN) ([]byte, error)
	VerifyPIN(zpk vault.Handle, block [8]byte, pan ident.PAN, pvk vault.Handle, ref []byte) (bool, error)
}

// LineVerbs protect messages and files.
type LineVerbs interface {
	MAC(h vault.Handle, data []byte) ([8]byte, error)
	VerifyMAC(h vault.Handle, data, mac []byte) (bool, error)
	Sign(h vault.Handle, domain string, msg []byte) ([]byte, error)
}

// Keys name the issuer's keys in its vault.
type Keys struct {
	AC, MAC vault.Handle // master keys of the cards' AC and MAC keys
	PVK     vault.Handle // PIN verification
	Ref     vault.Handle // pseudonyms of cards
	Sign    vault.Handle // files
	List    vault.Handle // blacklist
}

// Zone is the link to one acquirer.
type Zone struct {
	MAC vault.Handle // field 128
	PIN vault.Handle // field 52
}

// Config says who the issuer is and with whom it speaks.
type Config struct {
	Inst      ident.Inst
	Currency  money.Currency
	Country   uint16
	Keys      Keys
	Acquirers map[ident.Inst]Zone
	// Clearing sends presentments, signed with ClearingKey.
	Clearing    ident.Inst
	ClearingKey ed25519.PublicKey
	PINTries    uint8 // wrong PINs allowed in a row; 0 means 3
	ListID      uint16
	ListLife    time.Duration // of an edition of the blacklist; 0 means 7 days
}

const (
	defaultPINTries = 3
	defaultListLife = 7 * 24 * time.Hour
)

// The issuer's spaces in the book. Those of one institution begin with its
// number; the taps are the scheme's, under pseudonyms that only the issuer makes.
const (
	spaceCard   = "card"   // CardRef: the card
	spaceOrder  = "order"  // trace: which card, and what became of the order
	spaceNumber = "number" // CardRef of number and sequence 0: the sequence issued last
	spaceList   = "list"   // CardRef: why the card is listed
	spaceState  = "state"  // the number of the last list
	spaceAlert  = "alert"  // date, CardRef, version: a finding
	spaceTrace  = "trace"  // once: the answer to a request
	spaceFile   = "file"   // once: the verdicts on a file
	spaceClone  = "clone"  // once: a second proof on a counter
	spaceFlag   = "flag"   // once: an uncompleted payment reported
	spaceTap    = "tap"    // once: the proof that took a card's counter
)

// topicClearing tells clearing about cash loads, which it nets.
const topicClearing = "clearing"

// Events of the issuer that move no money.
const (
	eventCard   = "iss/card"   // a card was registered or changed
	eventAnswer = "iss/answer" // a request was answered without money
	eventFile   = "iss/file"   // a file was judged
	eventList   = "iss/list"   // an edition of the blacklist was numbered
	eventFlag   = "iss/flag"   // an uncompleted payment was noted or dropped
)

func root(inst ident.Inst) string { return "iss/" + string(inst) + "/" }

// Spaces are the spaces and topics that the Door of an issuer must open.
func Spaces(inst ident.Inst) []string { return []string{root(inst), spaceTap, topicClearing} }

// Events are the events that the issuer's Door must open.
var Events = []string{"iss/",
	chart.EventFund, chart.EventInitialBalance, chart.EventLoadAccount, chart.EventLoadCash,
	chart.EventLoadDone, chart.EventLoadUndone, chart.EventSpend, chart.EventSpendSuspense,
	chart.EventTornRefund, chart.EventCloseRefund}

// What a caller must act on.
var (
	// ErrBusy: the card changed too often while deciding. Send again.
	ErrBusy = errors.New("issuer: the card is busy: send again in a moment")
	// ErrUnknownCard: register the card first.
	ErrUnknownCard = errors.New("issuer: the card is not registered")
	// ErrRefused: an officer's order that the books do not allow; the text says why.
	ErrRefused = errors.New("issuer: refused")
)

// Issuer is one issuing institution. Its methods may be called concurrently.
type Issuer struct {
	cfg   Config
	door  Door
	vault Vault
	rand  io.Reader
	root  string // of the spaces
}

// space names one of the issuer's own spaces.
func (i *Issuer) space(name string) string { return i.root + name }

// New makes an issuer. Rand gives the salts of the blacklist.
func New(cfg Config, door Door, v Vault, rand io.Reader) (*Issuer, error) {
	if _, err := ident.ParseInst(string(cfg.Inst)); err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	if !cfg.Currency.Known() {
		return nil, fmt.Errorf("issuer %s: currency %d is not known", cfg.Inst, uint16(cfg.Currency))
	}
	if cfg.PINTries == 0 {
		cfg.PINTries = defaultPINTries
	}
	if cfg.ListLife == 0 {
		cfg.ListLife = defaultListLife
	}
	return &Issuer{cfg: cfg, door: door, vault: v, rand: rand, root: root(cfg.Inst)}, nil
}

// Package acquirer is the terminals' host: it takes their ISO 8583 messages, checks
// the MAC before it believes anything, captures offline payments, passes loads and
// closures on to the issuer, settles batches, and hands the day to clearing.
//
//	terminal --0200/36, 0320--> capture --Cut--> presentment --> clearing
//	terminal --0200 load------> trace ---> issuer ---answer---> terminal
//	                              | no answer: unknown
//	terminal --0400, 0620-----> advice (outbox) --Forward--> issuer
//
// It promises that a request is remembered before it leaves for the issuer, that a
// repeated request gets the first answer, that a request whose outcome is unknown is
// reversed until the issuer acknowledges it, and that an acknowledged capture is in
// exactly one presentment file. It never sees a clear PIN (the vault translates the
// block) and judges no cryptogram: that is the issuer's business.
//
// The dialect lets anybody ask for new working keys in a terminal's name (0800 has
// no MAC). Whoever does gains nothing, for the keys come wrapped, but the terminal
// must sign on again.
//
// All state is in the book, in spaces that begin with "acq/". Time and the way to
// the issuer are arguments. Start with New and Serve.
package acquirer

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"jiaozi/book"
	"jiaozi/crypt/vault"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// Door is what the acquirer needs of the book.
type Door interface {
	Apply(ctx context.Context, cmds []book.Command) ([]book.Result, error)
	Get(ctx context.Context, space string, key []byte) (value []byte, version uint64, err error)
	GetOnce(ctx context.Context, space string, key []byte) (value []byte, taken bool, err error)
	Scan(ctx context.Context, space string, prefix []byte, fn func(key, value []byte, version uint64) error) error
	Outbox(ctx context.Context, topic string, after uint64, max int) ([]book.Pending, error)
}

// Vault is what the acquirer needs of the vault.
type Vault interface {
	Has(h vault.Handle) bool
	IssueWorkingKeys(tmk, tpk, tak vault.Handle, p vault.Profile) (vault.WorkingKeys, error)
	MAC(h vault.Handle, data []byte) ([8]byte, error)
	VerifyMAC(h vault.Handle, data, mac []byte) (bool, error)
	TranslatePIN(from, to vault.Handle, block [8]byte, pan ident.PAN) ([8]byte, error)
	Sign(h vault.Handle, domain string, msg []byte) ([]byte, error)
}

// Host is the way to the issuers. Whatever the error, the issuer may have acted.
type Host interface {
	Exchange(ctx context.Context, to ident.Inst, message []byte) ([]byte, error)
}

// Zone names the keys shared with one issuer.
type Zone struct {
	MAC vault.Handle // field 128
	PIN vault.Handle // field 52
}

// Route says whose cards begin with the digits of Prefix. The longest one wins.
type Route struct {
	Prefix string
	Issuer ident.Inst
}

// Config says who the acquirer is and with whom it speaks.
type Config struct {
	Inst     ident.Inst
	Currency money.Currency
	Issuers  map[ident.Inst]Zone
	Routes   []Route
	Sign     vault.Handle // signs presentments
	// Clearing gets presentments and sends settlements, signed with ClearingKey.
	Clearing    ident.Inst
	ClearingKey ed25519.PublicKey
	ListKey     ed25519.PublicKey // of the issuer who publishes the blacklist
	// MerchantBearsClones: the scheme's rule takes a cloned card's payment back from
	// the merchant. It only decides what a statement says; clearing moves the money.
	MerchantBearsClones bool
}

// The acquirer's spaces in the book.
const (
	spaceMerchant = "acq/merchant" // MID: the merchant
	spaceTerminal = "acq/terminal" // TID: the terminal
	spaceTrace    = "acq/trace"    // TID, batch, STAN, class: an online request and its answer
	spaceCapture  = "acq/capture"  // TID, batch, STAN: an offline payment
	spaceProof    = "acq/proof"    // once: the proof of a captured payment
	spaceBatch    = "acq/batch"    // TID, batch: a settled batch
	spaceList     = "acq/list"     // chunk index: a part of the blacklist
	spaceFile     = "acq/file"     // date, sequence: a presentment
	spaceSettled  = "acq/settled"  // once: settlement files taken over
	spaceLine     = "acq/line"     // MID, date, file, sequence: a line of a statement
	topicAdvice   = "acq/advice"   // messages that the issuer must get
	topicPresent  = "acq/present/" // issuer: captures that no file holds yet
	eventPrefix   = "acq/"
)

// Spaces and Events are what the Door of an acquirer must open. It posts no money:
// merchants are credited by clearing, in the settlement of the day.
var (
	Spaces = []string{eventPrefix}
	Events = []string{eventPrefix}
)

// What a caller must act on.
var (
	// ErrBusy: another request changed the same record. Send again.
	ErrBusy = errors.New("acquirer: the record is busy: send again in a moment")
	// ErrFrame: the bytes are no frame of the terminal dialect. Close the line.
	ErrFrame = errors.New("acquirer: not a frame of the POS dialect")
	// ErrUnknown: register it first.
	ErrUnknown = errors.New("acquirer: not registered")
)

// Acquirer is one acquiring institution. Its methods may be called concurrently.
type Acquirer struct {
	cfg      Config
	door     Door
	vault    Vault
	upstream Host
}

// New makes an acquirer.
func New(cfg Config, door Door, v Vault, upstream Host) (*Acquirer, error) {
	for _, inst := range []ident.Inst{cfg.Inst, cfg.Clearing} {
		if _, err := ident.ParseInst(string(inst)); err != nil {
			return nil, fmt.Errorf("acquirer: %w", err)
		}
	}
	if !cfg.Currency.Known() {
		return nil, fmt.Errorf("acquirer %s: currency %d is not known", cfg.Inst, uint16(cfg.Currency))
	}
	for _, r := range cfg.Routes {
		if _, ok := cfg.Issuers[r.Issuer]; !ok || r.Prefix == "" {
			return nil, fmt.Errorf("acquirer %s: the route of %q leads to %s, with whom no keys are shared", cfg.Inst, r.Prefix, r.Issuer)
		}
	}
	return &Acquirer{cfg: cfg, door: door, vault: v, upstream: upstream}, nil
}

// route finds the issuer of a card.
func (a *Acquirer) route(pan ident.PAN) (ident.Inst, bool) {
	best := Route{}
	for _, r := range a.cfg.Routes {
		if digits := pan.Reveal(); len(r.Prefix) > len(best.Prefix) && len(digits) >= len(r.Prefix) && digits[:len(r.Prefix)] == r.Prefix {
			best = r
		}
	}
	return best.Issuer, best.Prefix != ""
}

package wallet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"jiaozi/crypt/brands"
	secret "jiaozi/crypt/holding" // a holding is a coin here
	"jiaozi/crypt/phrase"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// Wallet is one holder's coins. It belongs to one goroutine.
type Wallet struct {
	world World
	cfg   Config

	state   *state
	known   brands.KeyRing
	secrets *secret.Secrets // nil until the network is known
	serial  uint64          // the next request's; all below state.serial may be used
	unknown bool            // a Save failed: what the Store holds must be read again
	size    int             // of the state, in bytes

	parsed              map[string]*brands.PublicKey
	credited, withdrawn money.Minor      // by this process, for its reports
	nonces              []brands.Element // that the card has given, once they were asked for
	first               uint32           // index of the first of them
	likely              int              // place of the next that a coin may have

	// unasked are coins whose claim this process has written and not sent. If the
	// mint knows the claim all the same, a wallet restored before this one has made
	// it: its money went into the account long ago and is not withdrawn again. Who
	// was killed in between cannot tell, and withdraws as much as was credited.
	unasked map[brands.CoinID]bool
}

// Format shows nothing of the coins under every verb.
func (w *Wallet) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "wallet(sealed)") }

// New makes a wallet from fresh words, which the owner must have written down. The
// store must be empty.
func New(world World, cfg Config, words phrase.Phrase) (*Wallet, error) {
	return begin(world, cfg, words, "", false)
}

// Restore makes a wallet from the words of a lost one and the name of its account.
// Refresh then asks the mint for its coins. The store must be empty.
func Restore(world World, cfg Config, words phrase.Phrase, account string) (*Wallet, error) {
	if account == "" {
		return nil, fmt.Errorf("restore without the account's name: %w", ErrNotOpen)
	}
	return begin(world, cfg, words, account, true)
}

func begin(world World, cfg Config, words phrase.Phrase, account string, restored bool) (*Wallet, error) {
	if words.IsZero() {
		return nil, errors.New("a wallet needs its words: draw them with phrase.New")
	}
	if b, err := world.Store.Load(); err != nil || len(b) > 0 {
		if err != nil {
			return nil, fmt.Errorf("read the wallet: %w", err)
		}
		return nil, ErrExists
	}
	s := &state{network: cfg.Network, currency: cfg.Currency, words: words, account: account, restored: restored, last: map[brands.KeyID]uint64{}}
	// Serials of a lost wallet with the same words were lower: it started earlier
	// and made fewer than 65536 requests a second.
	s.serial = uint64(world.Clock.Now().Unix()) << 16
	if restored {
		s.ops = []op{{kind: opRecover}}
	}
	if world.Card != nil {
		identity, _, _, err := world.Card.Identity()
		if err != nil {
			return nil, fmt.Errorf("ask the card who it is: %w", err)
		}
		enc := identity.Bytes()
		s.card = enc[:]
	}
	w := &Wallet{world: world, cfg: cfg}
	if err := w.adopt(s); err != nil {
		return nil, err
	}
	if err := w.change(func(*state) error { return nil }); err != nil {
		return nil, err
	}
	return w, nil
}

// Open reads the wallet. What was begun and not ended waits for Resume.
func Open(world World, cfg Config) (*Wallet, error) {
	w := &Wallet{world: world, cfg: cfg, unknown: true}
	if err := w.sound(); err != nil {
		return nil, err
	}
	if world.Card != nil {
		identity, _, _, err := world.Card.Identity()
		if err != nil {
			return nil, fmt.Errorf("ask the card who it is: %w", err)
		}
		if enc := identity.Bytes(); string(enc[:]) != string(w.state.card) {
			return nil, ErrOtherCard
		}
	}
	return w, nil
}

// adopt makes s the wallet's state, with all that follows from it.
func (w *Wallet) adopt(s *state) error {
	if s.currency != w.cfg.Currency || w.cfg.Network != (brands.Network{}) && s.network != (brands.Network{}) && s.network != w.cfg.Network {
		return ErrOther
	}
	known, err := w.keyring(s.keys)
	if err != nil {
		return err
	}
	fresh, err := w.derived(s)
	if err != nil {
		return err
	}
	w.state, w.known, w.secrets, w.serial, w.unknown = s, known, fresh, s.serial, false
	return nil
}

// derived gives the secrets of a state, once its network is known.
func (w *Wallet) derived(s *state) (*secret.Secrets, error) {
	if s.network == (brands.Network{}) {
		return nil, nil
	}
	if w.secrets != nil && w.state.network == s.network && w.state.words.Equal(s.words) && string(w.state.card) == string(s.card) {
		return w.secrets, nil
	}
	if len(s.card) == 0 {
		return secret.Derive(s.words, s.network, nil)
	}
	card, err := brands.ParseElement(s.card)
	if err != nil {
		return nil, fmt.Errorf("the card's number: %w", ErrState)
	}
	return secret.Derive(s.words, s.network, &card)
}

// sound makes the state known again after a failed Save.
func (w *Wallet) sound() error {
	if !w.unknown {
		return nil
	}
	b, err := w.world.Store.Load()
	if err != nil {
		return fmt.Errorf("read the wallet: %w", err)
	}
	if len(b) == 0 {
		return ErrNone
	}
	s, err := decodeState(b)
	if err != nil {
		return err
	}
	w.size = len(b)
	return w.adopt(s)
}

// reserve is how many requests one Save allows before the next.
const reserve = 256

// change makes the next state durable, then current. After an error the wallet is
// as it was, or, if it was the Save that failed, as the Store turns out to be.
func (w *Wallet) change(f func(*state) error) error {
	if err := w.sound(); err != nil {
		return err
	}
	next := w.state.clone()
	if err := f(next); err != nil {
		return err
	}
	next.seen = w.now()
	next.prune(next.seen)
	// Nobody pays onto a blank that is over, unless it was shown before.
	next.blanks = slices.DeleteFunc(next.blanks, func(b blank) bool { return b.in == [32]byte{} && next.seen >= w.blankUntil(&b) })
	if w.serial > math.MaxUint64-reserve {
		return errors.New("the wallet has used every serial: move its money to a new wallet")
	}
	next.serial = w.serial + reserve
	b, err := next.encode()
	if err != nil {
		return err
	}
	if err := w.world.Store.Save(b); err != nil {
		w.unknown = true
		return fmt.Errorf("write the wallet: %w", err)
	}
	w.state, w.size = next, len(b)
	return nil
}

// room refuses what makes the state grow while there is still room for what makes
// it shrink: a deposit must always be possible.
func (w *Wallet) room() error {
	if w.size > MaxState*3/4 || len(w.state.holdings) > maxHoldings*3/4 || len(w.state.takings) > maxHoldings*3/4 {
		return fmt.Errorf("the wallet is full, deposit first: %w", ErrManyCoins)
	}
	return nil
}

// now is the clock in Unix seconds, never before what was already seen.
func (w *Wallet) now() int64 {
	now := w.world.Clock.Now().Unix()
	if w.state != nil {
		now = max(now, w.state.seen)
	}
	return max(now, 0)
}

// Account gives the name of the wallet's account at the mint, "" before Enrol.
func (w *Wallet) Account() string { return w.state.account }

// Network names the scheme, zero before the first RefreshKeys.
func (w *Wallet) Network() brands.Network { return w.state.network }

// Words gives the phrase, for the owner's paper.
func (w *Wallet) Words() phrase.Phrase { return w.state.words }

// Identity gives the number under which the mint knows the holder; false before
// the network is known.
func (w *Wallet) Identity() (brands.Element, bool) {
	if w.secrets == nil {
		return brands.Element{}, false
	}
	return w.secrets.Identity(), true
}

// read takes the mint's answer, which may be a Failure instead.
func read[T any, M interface {
	*T
	coin.Message
}](b []byte, err error) (*T, error) {
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrOffline, err)
	}
	m, err := coin.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("the mint's answer: %w", err)
	}
	switch m := m.(type) {
	case *coin.Failure:
		if m.Code == coin.ClockOff {
			return nil, fmt.Errorf("%w (%w)", ErrClock, &Refusal{m.Code, m.Text})
		}
		return nil, &Refusal{m.Code, m.Text}
	case M:
		return (*T)(m), nil
	}
	return nil, fmt.Errorf("the mint answers with %v: %w", m.Type(), coin.ErrType)
}

// ask sends one request and reads the answer.
func ask[T any, M interface {
	*T
	coin.Message
}](ctx context.Context, w *Wallet, request coin.Message) (*T, error) {
	if w.world.Mint == nil {
		return nil, ErrOffline
	}
	b, err := coin.Append(nil, request)
	if err != nil {
		return nil, fmt.Errorf("write to the mint: %w", err)
	}
	return read[T, M](w.world.Mint.Do(ctx, b))
}

// askSigned is ask for requests of the account.
func askSigned[T any, M interface {
	*T
	coin.Message
}](ctx context.Context, w *Wallet, body coin.Message) (*T, error) {
	m, err := w.signed(body)
	if err != nil {
		return nil, err
	}
	return ask[T, M](ctx, w, m)
}

// signed wraps a request of the account. Each sending takes another serial.
func (w *Wallet) signed(body coin.Message) (*coin.Signed, error) {
	if w.secrets == nil {
		return nil, ErrNoKeys
	}
	if w.serial >= w.state.serial {
		if err := w.change(func(*state) error { return nil }); err != nil {
			return nil, err
		}
	}
	w.serial++
	m := &coin.Signed{Account: w.secrets.Identity().Bytes(), Time: w.world.Clock.Now().Unix(), Serial: w.serial, Body: body}
	msg, err := m.SigningBytes(w.state.network)
	if err != nil {
		return nil, err
	}
	m.Signature = w.secrets.Sign(msg)
	return m, nil
}

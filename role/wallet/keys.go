package wallet

import (
	"context"
	"fmt"
	"slices"

	"jiaozi/crypt/brands"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// parse reads a key and checks its proof, once in the life of the process: keys
// from the Store are checked as those from the mint are.
func (w *Wallet) parse(b []byte) (*brands.PublicKey, error) {
	if key := w.parsed[string(b)]; key != nil {
		return key, nil
	}
	key, err := brands.ParsePublicKey(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	if w.parsed == nil {
		w.parsed = make(map[string]*brands.PublicKey)
	}
	w.parsed[string(b)] = key
	return key, nil
}

func (w *Wallet) keyring(raw [][]byte) (brands.KeyRing, error) {
	k := make(brands.KeyRing, len(raw))
	for _, b := range raw {
		key, err := w.parse(b)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrState, err)
		}
		k[key.ID()] = key
	}
	return k, nil
}

// RefreshKeys asks the mint for its keys. The first time it pins scheme and mint;
// afterwards another scheme or another signing key is refused, and so is a mint
// whose clock is far from this one, or whose list it has not signed. Keys once known are kept until their coins are
// worth nothing.
func (w *Wallet) RefreshKeys(ctx context.Context) error {
	if err := w.sound(); err != nil {
		return err
	}
	if w.world.Mint == nil {
		return ErrOffline
	}
	m, err := read[coin.Keys](w.world.Mint.Keys(ctx))
	if err != nil {
		return fmt.Errorf("refresh keys: %w", err)
	}
	network := brands.Network(m.Network)
	pinned := w.state.network
	if pinned == (brands.Network{}) {
		pinned = w.cfg.Network
	}
	if pinned != (brands.Network{}) && network != pinned || network == (brands.Network{}) {
		return fmt.Errorf("network %v instead of %v: %w", network, pinned, ErrNetwork)
	}
	known := w.state.mint
	if known == [32]byte{} {
		known = m.Sign
	}
	if m.Sign != known {
		return fmt.Errorf("another signing key: %w", ErrNetwork)
	}
	if err := m.Verify(known); err != nil {
		return fmt.Errorf("%w: somebody on the way may have changed the list: %w", ErrKeys, err)
	}
	if off := m.Time - w.world.Clock.Now().Unix(); max(off, -off) > w.policy().ClockSeconds {
		return fmt.Errorf("the mint is %d seconds ahead: %w", off, ErrClock)
	}
	// A clock that once stood far ahead has made every coin look old: the mint's time
	// puts that right.
	w.state.seen = min(w.state.seen, m.Time+w.policy().ClockSeconds)
	raw, err := w.merge(network, m.Keys)
	if err != nil {
		return err
	}
	if err := w.change(func(s *state) error {
		s.network, s.mint, s.keys = network, m.Sign, raw
		return nil
	}); err != nil {
		return err
	}
	return w.adopt(w.state)
}

// merge adds the mint's keys to the known ones and forgets those that are over and
// of which no coin is left.
func (w *Wallet) merge(network brands.Network, fresh [][]byte) ([][]byte, error) {
	used := make(map[brands.KeyID]bool)
	for i := range w.state.holdings {
		m := w.state.holdings[i].money
		used[m.Head.Key()] = true
		for _, l := range m.Links {
			used[l.Next.Key()] = true
		}
	}
	var out [][]byte
	for _, b := range w.state.keys {
		key, err := w.parse(b)
		if err != nil {
			return nil, err
		}
		if used[key.ID()] || key.Info().DepositUntil > w.now() {
			out = append(out, b)
		}
	}
	for _, b := range fresh {
		if slices.ContainsFunc(out, func(have []byte) bool { return string(have) == string(b) }) {
			continue
		}
		key, err := w.parse(b)
		if err != nil {
			return nil, err
		}
		info := key.Info()
		if info.Network != network {
			return nil, fmt.Errorf("a key of network %v: %w", info.Network, ErrNetwork)
		}
		if info.Kind != brands.KindBlank && (!powerOfTwo(info.Value) || info.Value > maxValue) {
			return nil, fmt.Errorf("%w: a coin of %d minor units is no power of two, or too large", ErrKeys, info.Value)
		}
		if info.DepositUntil > w.now() {
			out = append(out, b)
		}
	}
	if len(out) > coin.MaxKeys {
		return nil, fmt.Errorf("%w: there are more than %d", ErrKeys, coin.MaxKeys)
	}
	return out, nil
}

// maxValue bounds a coin so that no sum of a wallet overflows: ten thousand million.
const maxValue money.Minor = 1 << 40

func (w *Wallet) policy() Policy { return w.cfg.Policy.withDefaults() }

// issuing gives the keys that make coins now, of one kind and group: of each value
// the one that can be spent longest.
func (w *Wallet) issuing(kind brands.Kind, group string) map[money.Minor]*brands.PublicKey {
	best := make(map[money.Minor]*brands.PublicKey)
	for _, key := range w.known {
		info := key.Info()
		mine := info.Currency == w.state.currency || kind == brands.KindBlank && info.Currency == 0
		if info.Kind != kind || info.Group != group || !mine || w.now() < info.From || w.now() >= info.IssueUntil {
			continue
		}
		have := best[info.Value]
		if have == nil || newer(key, have) {
			best[info.Value] = key
		}
	}
	return best
}

// blankKeys gives the keys that make blanks now and can be spent longest: a mint has
// several, since it keeps one withdrawal open for each.
func (w *Wallet) blankKeys() map[brands.KeyID]*brands.PublicKey {
	out := make(map[brands.KeyID]*brands.PublicKey)
	best := w.issuing(brands.KindBlank, "")[0]
	for id, key := range w.known {
		info := key.Info()
		if best != nil && info.Kind == brands.KindBlank && info.Epoch == best.Info().Epoch && info.SpendUntil == best.Info().SpendUntil &&
			w.now() >= info.From && w.now() < info.IssueUntil {
			out[id] = key
		}
	}
	return out
}

// newer orders keys; the identity decides between equals, so that a repetition
// chooses the same.
func newer(a, b *brands.PublicKey) bool {
	if a.Info().SpendUntil != b.Info().SpendUntil {
		return a.Info().SpendUntil > b.Info().SpendUntil
	}
	x, y := a.ID(), b.ID()
	return slices.Compare(x[:], y[:]) < 0
}

// spendUntil is the earliest end of a coin's chain: after it nobody takes the money
// but the mint.
func (w *Wallet) spendUntil(m *brands.Money) (int64, bool) {
	key, ok := w.known.Key(m.Head.Key())
	if !ok {
		return 0, false
	}
	until := key.Info().SpendUntil
	for i := range m.Links {
		key, ok := w.known.Key(m.Links[i].Next.Key())
		if !ok {
			return 0, false
		}
		until = min(until, key.Info().SpendUntil)
	}
	return until, true
}

// group gives the group of merchants that alone takes the money; "" is everywhere.
func (w *Wallet) group(m *brands.Money) string {
	if key, ok := w.known.Key(m.Head.Key()); ok {
		return key.Info().Group
	}
	return ""
}

// Enrol opens the account for coins: it proves to the mint that the holder knows
// the secret of his number, under the one-time code that the bank gave for this
// account. Repeat it after a failure: the mint knows the same holder again.
func (w *Wallet) Enrol(ctx context.Context, account string, code coin.EnrolCode) error {
	if err := w.sound(); err != nil {
		return err
	}
	if w.secrets == nil {
		return ErrNoKeys
	}
	if w.state.account != "" {
		return ErrOpen
	}
	if err := w.enrol(ctx, account, code); err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	return w.change(func(s *state) error {
		s.account = account
		return nil
	})
}

// enrol asks for the account and checks that this one was opened.
func (w *Wallet) enrol(ctx context.Context, account string, code coin.EnrolCode) error {
	m, err := w.enrolment(account, code)
	if err != nil {
		return err
	}
	answer, err := askSigned[coin.Enrolled](ctx, w, m)
	if err != nil {
		return err
	}
	if answer.Account != account || answer.Identity != w.secrets.Identity().Bytes() {
		return fmt.Errorf("the mint opened another account: %w", ErrNetwork)
	}
	return nil
}

// confirm has the mint say that a restored wallet's holder owns the account that
// its owner has named: deposits to a misspelt name would pay somebody else. The
// mint knows a holder again whatever the code; to anyone else the code is none.
func (w *Wallet) confirm(ctx context.Context) error {
	if !w.canWithdraw() { // a backup without its card: the name is the backup's own
		return nil
	}
	if err := w.enrol(ctx, w.state.account, "RESTORED"); err != nil {
		return fmt.Errorf("account %q is not that of these words: %w", w.state.account, err)
	}
	return nil
}

func (w *Wallet) enrolment(account string, code coin.EnrolCode) (*coin.Enrol, error) {
	m := &coin.Enrol{Network: w.state.network, Code: code, Account: account, AuthKey: w.secrets.AuthKey()}
	var half brands.OpeningCard
	if len(w.state.card) > 0 {
		if w.world.Card == nil {
			return nil, ErrNeedsCard
		}
		_, certificate, next, err := w.world.Card.Identity()
		if err != nil {
			return nil, fmt.Errorf("ask the card who it is: %w", err)
		}
		// Beside the certificate, the phone's own proof shows that it knows no more
		// than its part, and so cannot pay without the card.
		phone, err := w.secrets.OpenPhone(m.AuthKey[:], w.world.Rand)
		if err != nil {
			return nil, err
		}
		m.Card, half = phone.Append(certificate), &openingHalf{card: w.world.Card, index: next}
	}
	// Bound to the authentication key: the opening is of no use to anyone else.
	o, err := w.secrets.Open(m.AuthKey[:], w.world.Rand, half)
	if err != nil {
		return nil, err
	}
	m.Opening = o.Append(nil)
	return m, nil
}

// openingHalf lets the card do its part of the opening with one of its indices.
type openingHalf struct {
	card  Card
	index uint32
}

// Commit gives the card's nonce.
func (o *openingHalf) Commit() (brands.Element, error) {
	nonces, err := o.card.Prepare(o.index, 1)
	if err != nil {
		return brands.Element{}, fmt.Errorf("prepare the card: %w", err)
	}
	if len(nonces) != 1 {
		return brands.Element{}, fmt.Errorf("the card gives %d nonces for one: %w", len(nonces), ErrOtherCard)
	}
	return nonces[0], nil
}

// Respond gives the card's answer to the challenge.
func (o *openingHalf) Respond(e brands.Scalar) (brands.Scalar, error) {
	return o.card.Answer(o.index, e)
}

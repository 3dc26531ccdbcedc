package wallet

import (
	"context"
	"io"

	"jiaozi/crypt/brands"
	"jiaozi/value/clock"
	"jiaozi/value/money"
)

// MaxState bounds the state in bytes: twenty thousand coins. A Store must take so
// much.
const MaxState = 16 << 20

// Store keeps the one state of the wallet. Save replaces it whole: after nil it
// survives a power cut, after an error Load gives the old state or the new. What
// Load gives survives a power cut too: coins may answer by it. Load gives nil
// before the first Save. The bytes hold secrets: keep them sealed.
type Store interface {
	Load() ([]byte, error)
	Save(state []byte) error
}

// Mint carries messages (package wire/coin) to the mint and brings its answers. An
// error says that nothing is known: the mint may have acted.
type Mint interface {
	// Keys gives what the mint publishes: a coin.Keys.
	Keys(ctx context.Context) ([]byte, error)
	// Do carries a coin.Signed or coin.Deposit and brings the answer.
	Do(ctx context.Context, request []byte) ([]byte, error)
}

// Card is the observer. Each call may be repeated after an error and then gives
// the same.
type Card interface {
	// Identity gives the card's part A_O of the account, its certificate, and the
	// first index that it has not yet reserved.
	Identity() (identity brands.Element, certificate []byte, next uint32, err error)
	// Prepare gives the B_O of n indices from first on: reserved by this if they
	// are new, shown again if not.
	Prepare(first uint32, n int) ([]brands.Element, error)
	// Answer gives the one answer of an index.
	Answer(index uint32, challenge brands.Scalar) (brands.Scalar, error)
	// Retire closes every index below one for ever, so that new ones find room.
	Retire(below uint32) error
}

// World is all that a wallet takes from outside. Card is nil without one; Mint may
// be nil while the wallet only pays and receives.
type World struct {
	Store Store
	Mint  Mint
	Card  Card
	Clock clock.Clock
	Rand  io.Reader // fit for keys
}

// Config is what the owner decides.
type Config struct {
	Currency money.Currency
	// Network pins the scheme before the mint is first asked. Zero pins what the
	// mint says first, once for all.
	Network brands.Network
	Policy  Policy // zero fields take defaults
}

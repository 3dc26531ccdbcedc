package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"jiaozi/crypt/brands"
	"jiaozi/crypt/vault"
	"jiaozi/node/mintapi"
	"jiaozi/role/mint"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// errNoMint: scheme.json has no coins.
var errNoMint = errors.New("this scheme has no mint: scheme.json has no \"coins\"")

// network names the scheme in everything that coins sign: nothing that was made
// for one scheme is of any use in another.
func (n *Node) network() (brands.Network, error) { return networkOf(n.vault.Vault) }

func networkOf(v *vault.Vault) (brands.Network, error) {
	key, err := v.Public(keyBook)
	if err != nil {
		return brands.Network{}, err
	}
	sum := sha256.Sum256(append([]byte("jiaozi coin network v1"), key...))
	return brands.Network(sum[:len(brands.Network{})]), nil
}

func (n *Node) openMint() error {
	if n.scheme.Coins == nil {
		return nil
	}
	if !n.vault.Has(keyMint) { // a vault from before coins
		if err := n.vault.Generate(keyMint, vault.Signing); err != nil {
			return err
		}
		if err := n.vault.save(); err != nil {
			return err
		}
	}
	network, err := n.network()
	if err != nil {
		return err
	}
	cards, err := n.vault.Public(keyIssuer)
	if err != nil {
		return err
	}
	c := n.scheme.Coins
	config := mint.Config{
		Inst: n.scheme.Issuer, Name: c.Name, Network: network, Currency: n.Currency(), Sign: keyMint,
		Coins: c.Denominations, Groups: c.Groups, CardKey: cards,
		Plan: c.plan(),
	}
	if config.Notes, err = c.notes(n.scheme); err != nil {
		return err
	}
	n.mint, err = mint.New(config, n.ledger.Door(mint.Events, mint.Spaces(n.scheme.Issuer)), n.vault, n.stream("mint"))
	return err
}

// KeepMint makes the keys of this epoch and the next, and ends epochs whose time
// is over. The pump calls it; it does nothing when nothing is due.
func (n *Node) KeepMint(ctx context.Context) error {
	if n.mint == nil {
		return nil
	}
	n.mintMu.Lock()
	defer n.mintMu.Unlock()
	now := n.Now()
	if now.Sub(n.minted) < mintEvery && !now.Before(n.minted) {
		return nil
	}
	if err := n.mint.EnsureKeys(ctx, now, func(context.Context) error { return n.vault.save() }); err != nil {
		return err
	}
	if err := n.expireCoins(ctx, now); err != nil {
		return err
	}
	n.minted = now
	return nil
}

// mintEvery is how often the mint looks at its epochs.
const mintEvery = time.Hour

// expireCoins ends the epochs whose coins nobody may deposit any more.
func (n *Node) expireCoins(ctx context.Context, now time.Time) error {
	status, err := n.mint.Status(ctx, now)
	if err != nil {
		return err
	}
	for _, l := range status.Lines {
		if l.Outstanding.IsZero() {
			continue
		}
		err := n.mint.Expire(ctx, l.Epoch, now)
		if errors.Is(err, mint.ErrRefused) {
			continue // its time is not over
		}
		if err != nil {
			return err
		}
		slog.Info("epoch of coins ended", "epoch", l.Epoch, "expired", l.Outstanding.String())
	}
	return nil
}

// coinServer is role/mint behind the scheme's clock.
type coinServer struct{ *Node }

// Handle answers one message.
func (s coinServer) Handle(ctx context.Context, request coin.Message) (coin.Message, error) {
	answer, err := s.mint.Handle(ctx, request, s.Now())
	s.metrics.mint(request, answer, err)
	return answer, err
}

// Failure is the answer to a request that the mint could not decide.
func (coinServer) Failure(err error) *coin.Failure {
	slog.Error("the mint could not answer", "error", err)
	return mint.Failure(err)
}

// listenCoins serves the mint's HTTP API.
func (n *Node) listenCoins(ctx context.Context, addr string) error {
	if n.mint == nil {
		return errNoMint
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for coins: %w: is another server running?", err)
	}
	n.servers.bound.Coins = ln.Addr().String()
	n.serveHTTP(ctx, ln, mintapi.Handler(coinServer{n}))
	return nil
}

// CoinsOutstanding is what the mint owes the bearers of coins, of all epochs.
func (n *Node) CoinsOutstanding(ctx context.Context) (money.Amount, error) {
	sum := money.Zero(n.Currency())
	if n.mint == nil {
		return sum, nil
	}
	status, err := n.mint.Status(ctx, n.Now())
	if err != nil {
		return sum, err
	}
	for _, l := range status.Lines {
		if sum, err = sum.Add(l.Outstanding); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

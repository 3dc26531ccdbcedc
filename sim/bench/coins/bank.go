package coins

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/book/sqlite"
	"jiaozi/crypt/brands"
	"jiaozi/crypt/vault"
	"jiaozi/node/mintapi"
	"jiaozi/role/mint"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// A bank is a mint on the embedded store, behind its API on the loopback. It can be closed and opened again.
type bank struct {
	dir     string
	vault   *vault.Vault
	ledger  *book.Ledger
	mint    *mint.Mint
	server  *http.Server
	address string
	keys    brands.KeyRing      // as published
	order   []*brands.PublicKey // of coins that are issued now
}

const (
	inst          ident.Inst = "62100001"
	shop          string     = "shop"
	denominations int        = 20 // 0.01 to 5242.88, as many coins in one withdrawal
)

func newBank(ctx context.Context, dir string) (b *bank, err error) {
	b = &bank{dir: dir, vault: vault.New(vault.Options{Test: true}), keys: brands.KeyRing{}}
	if err := b.vault.Generate("sign", vault.Signing); err != nil {
		return nil, err
	}
	if err := b.open(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	now := time.Now()
	if err := b.mint.EnsureKeys(ctx, now, func(context.Context) error { return nil }); err != nil {
		return nil, err
	}
	if err := b.mint.RegisterMerchant(ctx, mint.Merchant{Account: shop, MID: "M00000000000001"}, now); err != nil {
		return nil, err
	}
	return b, b.learn(ctx, now)
}

// open starts the mint and its server.
func (b *bank) open(ctx context.Context) error {
	engine, err := sqlite.Open(filepath.Join(b.dir, "book.db"))
	if err != nil {
		return err
	}
	if b.ledger, err = book.Open(ctx, engine); err != nil {
		return errors.Join(err, engine.Close())
	}
	cfg := mint.Config{Inst: inst, Name: "bench", Network: network, Currency: money.CNY, Sign: "sign", Coins: denominations, Blanks: 1}
	if b.mint, err = mint.New(cfg, b.ledger.Door(mint.Events, mint.Spaces(inst)), b.vault, rand.Reader); err != nil {
		return errors.Join(err, b.ledger.Close())
	}
	line, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, b.ledger.Close())
	}
	b.address = "http://" + line.Addr().String()
	b.server = &http.Server{Handler: mintapi.Handler(counter{b.mint}), ReadHeaderTimeout: time.Minute}
	go func() { _ = b.server.Serve(line) }() // ends in close, with nothing to say
	return nil
}

func (b *bank) close() error { return errors.Join(b.server.Close(), b.ledger.Close()) }

// counter is a mint with the clock that the node gives it.
type counter struct{ *mint.Mint }

// Handle answers at the time of the clock.
func (c counter) Handle(ctx context.Context, request coin.Message) (coin.Message, error) {
	return c.Mint.Handle(ctx, request, time.Now())
}

// Failure puts a fault into words.
func (counter) Failure(err error) *coin.Failure { return mint.Failure(err) }

// learn reads the published keys.
func (b *bank) learn(ctx context.Context, now time.Time) error {
	list, err := b.mint.Keys(ctx, now)
	if err != nil {
		return err
	}
	for _, raw := range list.Keys {
		k, err := brands.ParsePublicKey(raw)
		if err != nil {
			return err
		}
		b.keys[k.ID()] = k
		if i := k.Info(); i.Kind == brands.KindCoin && now.Unix() >= i.From && now.Unix() < i.IssueUntil {
			b.order = append(b.order, k)
		}
	}
	return nil
}

// size is what the store's files take, the journal's and all others.
func (b *bank) size() (journal, tables float64, err error) {
	err = filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if name := filepath.Base(path); name == "book.db" || strings.HasPrefix(name, "book.db-") {
			journal += float64(info.Size())
		} else {
			tables += float64(info.Size())
		}
		return nil
	})
	return journal, tables, err
}

// A person withdraws coins as a wallet does, keeping them in memory.
type person struct {
	bank   *bank
	line   *mintapi.Client
	holder *brands.Holder
	seed   brands.Digest
	auth   ed25519.PrivateKey
	serial uint64
	owns   []*brands.Own
}

// newPerson opens an account with money enough and enrols.
func newPerson(ctx context.Context, b *bank, name string) (*person, error) {
	seed := sha256.Sum256([]byte(name))
	p := &person{bank: b, seed: seed, holder: brands.NewHolder(seed, network), auth: ed25519.NewKeyFromSeed(seed[:])}
	now := time.Now()
	fund := chart.Fund(inst, name, money.New(money.CNY, 1<<40))
	results, err := b.ledger.Apply(ctx, []book.Command{fund.Command(book.DeriveID("bench", name), clock.DateOf(now))})
	if err != nil {
		return nil, err
	}
	if results[0].Code != book.OK {
		return nil, fmt.Errorf("open an account: %s", results[0].Code.Explain())
	}
	code, err := b.mint.Enroll(ctx, name, now)
	if err != nil {
		return nil, err
	}
	if p.line, err = mintapi.NewClient(b.address); err != nil {
		return nil, err
	}
	auth := [32]byte(p.auth.Public().(ed25519.PublicKey))
	opening, err := p.holder.Open(mint.OpeningContext(auth), rand.Reader, nil)
	if err != nil {
		return nil, err
	}
	_, err = ask[coin.Enrolled](ctx, p, &coin.Enrol{Network: network, Code: code, Account: name, Opening: opening.Append(nil), AuthKey: auth})
	return p, err
}

// post sends a message and reads the answer.
func post[T any](ctx context.Context, line *mintapi.Client, raw []byte) (*T, error) {
	b, err := line.Do(ctx, raw)
	if err != nil {
		return nil, err
	}
	m, err := coin.Decode(b)
	if err != nil {
		return nil, err
	}
	if answer, ok := any(m).(*T); ok {
		return answer, nil
	}
	return nil, fmt.Errorf("the mint answers with %v: %+v", m.Type(), m)
}

// ask is post of a request of the account.
func ask[T any](ctx context.Context, p *person, body coin.Message) (*T, error) {
	p.serial++
	m := &coin.Signed{Account: p.holder.Identity().Bytes(), Time: time.Now().Unix(), Serial: p.serial, Body: body}
	msg, err := m.SigningBytes(network)
	if err != nil {
		return nil, err
	}
	m.Signature = [64]byte(ed25519.Sign(p.auth, msg))
	raw, err := coin.Append(nil, m)
	if err != nil {
		return nil, err
	}
	return post[T](ctx, p.line, raw)
}

// withdraw takes one coin of each denomination, in two requests.
func (p *person) withdraw(ctx context.Context) error {
	q := &coin.Commit{}
	for _, k := range p.bank.order {
		q.Keys = append(q.Keys, k.ID())
	}
	coms, err := ask[coin.Commitments](ctx, p, q)
	if err != nil {
		return err
	}
	var list []*brands.Withdrawal
	challenge := &coin.Challenge{}
	for i, c := range coms.Items {
		key := p.bank.order[i]
		com, err := brands.ParseCommitment(append(c.A[:], c.B[:]...))
		if err != nil {
			return fmt.Errorf("commitment of %v: %w", c.Code, err)
		}
		w, x, err := p.holder.Challenge(key, brands.DeriveBlinding(p.seed, key.ID(), c.Session), com, nil)
		if err != nil {
			return err
		}
		list = append(list, w)
		challenge.Items = append(challenge.Items, coin.ChallengeItem{Key: c.Key, Session: c.Session, C: x.Bytes()})
	}
	answer, err := ask[coin.Answer](ctx, p, challenge)
	if err != nil {
		return err
	}
	for i, a := range answer.Items {
		r, err := brands.ParseScalar(a.R[:])
		if err != nil {
			return err
		}
		own, err := list[i].Finish(r)
		if err != nil {
			return fmt.Errorf("answer of %v: %w", a.Code, err)
		}
		p.owns = append(p.owns, own)
	}
	return nil
}

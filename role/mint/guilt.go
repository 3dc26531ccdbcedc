package mint

import (
	"context"
	"fmt"
	"time"

	"jiaozi/book"
	"jiaozi/crypt/brands"
	"jiaozi/value/clock"
	"jiaozi/wire/coin"
)

// accuse writes down who paid a coin twice, signed, once for each coin: a third
// payment adds nothing to the proof. It gives the file as it is published.
func (m *Mint) accuse(ctx context.Context, keys keyring, g *brands.Guilt, now time.Time) ([]byte, error) {
	key := g.Coin.ID()
	if file, err := m.guilt(ctx, key); file != nil || err != nil {
		return file, err
	}
	// What is published was checked as anyone will check it.
	identity, err := g.VerifyVartime(keys)
	if err != nil {
		return nil, fmt.Errorf("mint %s: a proof of guilt does not hold: %w", m.cfg.Inst, err)
	}
	of, ok := keys[g.Coin.Key()]
	if !ok {
		return nil, fmt.Errorf("mint %s: a proof of guilt under an unknown key", m.cfg.Inst)
	}
	h, err := m.holder(ctx, identity)
	if err != nil {
		return nil, err
	}
	file, err := m.guiltFile(g, of, identity, h, now)
	if err != nil {
		return nil, err
	}
	value, date := guilty{epoch: of.info.Epoch, identity: identity.Bytes(), file: file}.record(), clock.DateOf(now)
	results, err := m.apply(ctx, book.Command{
		ID:    book.DeriveID(eventGuilt, string(m.cfg.Inst), key[:], value, date),
		Event: eventGuilt, Date: date,
		Put: []book.Put{{Space: m.space(spaceGuilt), Key: key[:], Value: value}},
	})
	if err != nil {
		return nil, err
	}
	switch results[0].Code {
	case book.OK:
		return file, nil
	case book.VersionConflict: // another caller was faster
		return m.guilt(ctx, key)
	}
	return nil, m.unexpected("keep a proof of guilt", results[0])
}

func (m *Mint) guiltFile(g *brands.Guilt, of *coinKey, identity brands.Element, h *holder, now time.Time) ([]byte, error) {
	f := &coin.GuiltFile{
		Network: m.cfg.Network, Time: now.Unix(), Key: of.public.Append(nil), Guilt: g.Append(nil), Identity: identity.Bytes(),
	}
	if h != nil {
		f.Account, f.Opening = h.account, h.opening
	}
	msg, err := f.SigningBytes()
	if err != nil {
		return nil, fmt.Errorf("mint %s: write a proof of guilt: %w", m.cfg.Inst, err)
	}
	sig, err := m.vault.Sign(m.cfg.Sign, coin.GuiltDomain, msg)
	if err != nil {
		return nil, fmt.Errorf("mint %s: sign a proof of guilt: %w", m.cfg.Inst, err)
	}
	f.Signature = [64]byte(sig)
	return coin.Append(nil, f)
}

// guilty is a record of the guilt space.
type guilty struct {
	epoch    uint32
	identity [32]byte
	file     []byte
}

func (g guilty) record() []byte {
	w := newRecord()
	w.uint(uint64(g.epoch))
	w.fixed(g.identity[:])
	w.bytes(g.file)
	return w.b
}

func readGuilty(b []byte) (guilty, error) {
	r := openRecord(b)
	g := guilty{epoch: uint32(r.uint(1<<32 - 1)), identity: [32]byte(r.fixed(32)), file: r.bytes()}
	return g, r.done("proof of guilt")
}

// guilt finds the proof against a coin's owner; nil if there is none.
func (m *Mint) guilt(ctx context.Context, key brands.CoinID) ([]byte, error) {
	value, version, err := m.door.Get(ctx, m.space(spaceGuilt), key[:])
	if err != nil {
		return nil, fmt.Errorf("mint %s: look up a proof of guilt: %w", m.cfg.Inst, err)
	}
	if version == 0 {
		return nil, nil
	}
	g, err := readGuilty(value)
	return g.file, err
}

// Guilts visits all proofs of guilt, each as an envelope (coin.GuiltFile).
func (m *Mint) Guilts(ctx context.Context, fn func(file []byte) error) error {
	return m.guilts(ctx, func(g guilty) error { return fn(g.file) })
}

func (m *Mint) guilts(ctx context.Context, fn func(guilty) error) error {
	err := m.door.Scan(ctx, m.space(spaceGuilt), nil, func(_, value []byte, _ uint64) error {
		g, err := readGuilty(value)
		if err != nil {
			return err
		}
		return fn(g)
	})
	if err != nil {
		return fmt.Errorf("mint %s: list the proofs of guilt: %w", m.cfg.Inst, err)
	}
	return nil
}

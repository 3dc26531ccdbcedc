package mint

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/crypt/brands"
	"jiaozi/crypt/vault"
	"jiaozi/value/clock"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// coinKey is a key that was published.
type coinKey struct {
	public *brands.PublicKey
	info   brands.KeyInfo
	id     brands.KeyID
	handle vault.Handle
}

// at names the key for postings on the shard of a part.
func (k *coinKey) at(m *Mint, part uint16) chart.CoinKey {
	return chart.CoinKey{Issuer: m.cfg.Inst, Epoch: k.info.Epoch, Name: k.id.String(), Place: m.cfg.Place(part)}
}

// value is what a whole coin or note is worth.
func (k *coinKey) value() money.Amount { return money.New(k.info.Currency, k.info.Value) }

// planned is a key as the plan wants it.
type planned struct {
	handle vault.Handle
	info   brands.KeyInfo
}

// EnsureKeys makes and publishes the keys of the current and of the next epoch that
// are not there yet. Save must seal the vault durably; it is called after keys
// were made and before any of them is published, because a published key that a
// crash takes away could answer nobody any more.
func (m *Mint) EnsureKeys(ctx context.Context, now time.Time, save func(context.Context) error) error {
	if err := sane(now); err != nil {
		return err
	}
	known, err := m.published(ctx)
	if err != nil {
		return err
	}
	handles, err := m.compare(known, now)
	if err != nil {
		return err
	}
	this := m.cfg.Plan.at(now)
	list := append(m.planned(this), m.planned(m.cfg.Plan.after(this))...)
	made := false
	for _, p := range list {
		if m.vault.Has(p.handle) {
			continue
		}
		if err := m.vault.GenerateCoin(p.handle, p.info); err != nil {
			return fmt.Errorf("mint %s: make a key: %w", m.cfg.Inst, err)
		}
		made = true
	}
	if made {
		if err := save(ctx); err != nil {
			return fmt.Errorf("mint %s: save new keys: %w", m.cfg.Inst, err)
		}
	}
	return m.publish(ctx, list, handles, clock.DateOf(now))
}

// compare holds the vault against what was published and still lives: another key
// under a published name would debit accounts for coins that nobody takes.
func (m *Mint) compare(known []*coinKey, now time.Time) (map[vault.Handle]bool, error) {
	handles := make(map[vault.Handle]bool, len(known))
	for _, k := range known {
		handles[k.handle] = true
		if now.Unix() >= k.info.DepositUntil {
			continue
		}
		if !m.vault.Has(k.handle) {
			return nil, fmt.Errorf("%w (%s is missing)", ErrKeyLost, k.handle)
		}
		public, err := m.vault.CoinPublic(k.handle)
		if err != nil {
			return nil, fmt.Errorf("mint %s: compare the keys: %w", m.cfg.Inst, err)
		}
		if public.ID() != k.id {
			return nil, fmt.Errorf("%w (%s is another key)", ErrKeyLost, k.handle)
		}
	}
	return handles, nil
}

// publish registers the public halves of what is not registered yet.
func (m *Mint) publish(ctx context.Context, list []planned, known map[vault.Handle]bool, date clock.Date) error {
	var cmds []book.Command
	for _, p := range list {
		if known[p.handle] {
			continue
		}
		public, err := m.vault.CoinPublic(p.handle)
		if err != nil {
			return fmt.Errorf("mint %s: publish a key: %w", m.cfg.Inst, err)
		}
		id, w := public.ID(), newRecord()
		w.text(string(p.handle))
		w.bytes(public.Append(nil))
		cmds = append(cmds, book.Command{
			ID:    book.DeriveID(eventKeys, string(m.cfg.Inst), id[:], date),
			Event: eventKeys, Date: date,
			Put: []book.Put{{Space: m.space(spaceKey), Key: id[:], Value: w.b}},
		})
	}
	results, err := m.apply(ctx, cmds...)
	if err != nil {
		return err
	}
	for _, r := range results {
		if r.Code != book.OK && r.Code != book.VersionConflict { // another caller was faster
			return m.unexpected("publish a key", r)
		}
	}
	return nil
}

// planned lists the keys of an epoch.
func (m *Mint) planned(e epoch) []planned {
	var list []planned
	add := func(kind brands.Kind, value money.Minor, depth uint8, group string, lane int) {
		list = append(list, planned{
			handle: m.handle(e, kind, value, depth, group, lane),
			info: brands.KeyInfo{
				Network: m.cfg.Network, Kind: kind, Currency: m.cfg.Currency, Value: value, Depth: depth, Epoch: e.number, Group: group,
				From: e.from.Unix(), IssueUntil: e.issueUntil.Unix(), SpendUntil: e.spendUntil.Unix(), DepositUntil: e.depositUntil.Unix(),
			},
		})
	}
	for _, group := range append([]string{""}, m.cfg.Groups...) {
		for n := range m.cfg.Coins {
			add(brands.KindCoin, 1<<n, 0, group, 0)
		}
	}
	for _, n := range m.cfg.Notes {
		add(brands.KindNote, n.Value, n.Depth, "", 0)
	}
	for lane := range m.cfg.Blanks {
		add(brands.KindBlank, 0, 0, "", lane)
	}
	return list
}

// handle names a key in the vault. The group is hashed: a handle is short.
func (m *Mint) handle(e epoch, kind brands.Kind, value money.Minor, depth uint8, group string, lane int) vault.Handle {
	h := fmt.Sprintf("coin/%s/%s/%d/%s%d.%d", m.cfg.Inst, m.cfg.Currency.Code(), e.number, kind, value, depth)
	if group != "" {
		sum := sha256.Sum256([]byte(group))
		h += "/" + hex.EncodeToString(sum[:6])
	}
	if lane > 0 {
		h += fmt.Sprintf("/%d", lane)
	}
	return vault.Handle(h)
}

// published lists all keys that were ever published, oldest epoch first.
func (m *Mint) published(ctx context.Context) ([]*coinKey, error) {
	var list []*coinKey
	err := m.door.Scan(ctx, m.space(spaceKey), nil, func(id, value []byte, _ uint64) error {
		k, err := m.remember(id, value)
		list = append(list, k)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("mint %s: list the keys: %w", m.cfg.Inst, err)
	}
	slices.SortFunc(list, func(a, b *coinKey) int {
		return cmp.Or(cmp.Compare(a.info.Epoch, b.info.Epoch), cmp.Compare(a.handle, b.handle))
	})
	return list, nil
}

// key finds a published key; nil if there is none.
func (m *Mint) key(ctx context.Context, id brands.KeyID) (*coinKey, error) {
	if k, ok := m.keys.Load(id); ok {
		return k.(*coinKey), nil
	}
	value, version, err := m.door.Get(ctx, m.space(spaceKey), id[:])
	if err != nil {
		return nil, fmt.Errorf("mint %s: look up key %s: %w", m.cfg.Inst, id, err)
	}
	if version == 0 {
		return nil, nil
	}
	return m.remember(id[:], value)
}

// remember reads a key's record, once.
func (m *Mint) remember(id, value []byte) (*coinKey, error) {
	if len(id) != len(brands.KeyID{}) {
		return nil, fmt.Errorf("key: %w", errRecord)
	}
	if k, ok := m.keys.Load(brands.KeyID(id)); ok {
		return k.(*coinKey), nil
	}
	r := openRecord(value)
	handle, raw := vault.Handle(r.text()), r.bytes()
	if err := r.done("key"); err != nil {
		return nil, err
	}
	public, err := brands.ParsePublicKey(raw)
	if err != nil || public.ID() != brands.KeyID(id) {
		return nil, fmt.Errorf("key %x: %w", id, errRecord)
	}
	k, _ := m.keys.LoadOrStore(public.ID(), &coinKey{public: public, info: public.Info(), id: public.ID(), handle: handle})
	return k.(*coinKey), nil
}

// keyring are the keys that one request needs.
type keyring map[brands.KeyID]*coinKey

// Key makes a keyring what package brands asks for keys.
func (r keyring) Key(id brands.KeyID) (*brands.PublicKey, bool) {
	k := r[id]
	if k == nil {
		return nil, false
	}
	return k.public, true
}

// add looks a key up for the keyring; false if nobody published it.
func (m *Mint) add(ctx context.Context, r keyring, id brands.KeyID) (bool, error) {
	if r[id] == nil {
		k, err := m.key(ctx, id)
		if k == nil || err != nil {
			return false, err
		}
		r[id] = k
	}
	return true, nil
}

// Keys is what the mint publishes: every key whose coins it still takes.
func (m *Mint) Keys(ctx context.Context, now time.Time) (*coin.Keys, error) {
	list, err := m.published(ctx)
	if err != nil {
		return nil, err
	}
	sign, err := m.vault.Public(m.cfg.Sign)
	if err != nil {
		return nil, fmt.Errorf("mint %s: %w", m.cfg.Inst, err)
	}
	out := &coin.Keys{Network: m.cfg.Network, Mint: m.cfg.Name, Sign: [32]byte(sign), Time: now.Unix()}
	for _, k := range list {
		if now.Unix() < k.info.DepositUntil {
			out.Keys = append(out.Keys, k.public.Append(nil))
		}
	}
	return out, nil
}

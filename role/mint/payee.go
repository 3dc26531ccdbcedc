package mint

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
)

// Merchant is a payee with an account of a merchant at this bank.
type Merchant struct {
	Account string // its name in terms and deposits
	MID     ident.MID
	Groups  []string // whose special-purpose coins it takes
}

const maxGroups = 64

// payee is who a deposit is for.
type payee struct {
	name    string
	account book.Account
	own     bool // the account must be open: the mint opens merchants' accounts, not customers'
	groups  []string
}

func (m *Mint) payeeKey(name string) []byte {
	sum := sha256.Sum256([]byte("jiaozi payee v1\x00" + name))
	return sum[:16]
}

// RegisterMerchant lets a merchant take coins, or changes its groups. A name that
// is a customer's account already is refused, because deposits would go astray.
func (m *Mint) RegisterMerchant(ctx context.Context, shop Merchant, now time.Time) error {
	if _, err := ident.ParseMID(string(shop.MID)); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if len(shop.Groups) > maxGroups {
		return fmt.Errorf("%w: %d groups, at most %d", ErrRefused, len(shop.Groups), maxGroups)
	}
	if _, open, err := m.door.Balance(ctx, m.customer(shop.Account).ID); err != nil {
		return fmt.Errorf("mint %s: look up account: %w", m.cfg.Inst, err)
	} else if open {
		return fmt.Errorf("%w: %q is a customer's account: give the merchant another name", ErrRefused, shop.Account)
	}
	w, key, date := newRecord(), m.payeeKey(shop.Account), clock.DateOf(now)
	w.text(string(shop.MID))
	w.uint(uint64(len(shop.Groups)))
	for _, g := range shop.Groups {
		w.text(g)
	}
	for range maxRetries {
		_, version, err := m.door.Get(ctx, m.space(spacePayee), key)
		if err != nil {
			return fmt.Errorf("mint %s: look up a merchant: %w", m.cfg.Inst, err)
		}
		results, err := m.apply(ctx, book.Command{
			ID:    book.DeriveID(eventPayee, string(m.cfg.Inst), key, version, w.b, date),
			Event: eventPayee, Date: date,
			Put: []book.Put{{Space: m.space(spacePayee), Key: key, Expect: version, Value: w.b}},
		})
		if err != nil {
			return err
		}
		switch results[0].Code {
		case book.OK:
			return nil
		case book.VersionConflict:
		default:
			return m.unexpected("register a merchant", results[0])
		}
	}
	return m.busy("register a merchant")
}

// payee finds who is behind a name; nil if nobody is.
func (m *Mint) payee(ctx context.Context, name string) (*payee, error) {
	value, version, err := m.door.Get(ctx, m.space(spacePayee), m.payeeKey(name))
	if err != nil {
		return nil, fmt.Errorf("mint %s: look up a payee: %w", m.cfg.Inst, err)
	}
	if version != 0 {
		return m.merchant(name, value)
	}
	a := m.customer(name)
	_, open, err := m.door.Balance(ctx, a.ID)
	if err != nil {
		return nil, fmt.Errorf("mint %s: look up a payee: %w", m.cfg.Inst, err)
	}
	if !open {
		return nil, nil
	}
	return &payee{name: name, account: a, own: true}, nil
}

func (m *Mint) merchant(name string, value []byte) (*payee, error) {
	r := openRecord(value)
	p := &payee{name: name, account: chart.Merchant(m.cfg.Inst, ident.MID(r.text()), m.cfg.Currency)}
	for range r.uint(maxGroups) {
		p.groups = append(p.groups, r.text())
	}
	return p, r.done("merchant")
}

// takes reports whether coins of a group are good at the payee under these terms.
func (p *payee) takes(group, terms string) bool {
	return group == "" || group == terms && slices.Contains(p.groups, group)
}

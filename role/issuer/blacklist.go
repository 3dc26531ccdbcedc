package issuer

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/reason"
	"jiaozi/wire/list"
)

// list puts a card on the blacklist, in the command of step s. C is the card as
// the step leaves it.
func (i *Issuer) list(ctx context.Context, c *Card, s *step, why reason.Code) error {
	if c.Listed {
		return nil
	}
	c.Listed = true
	return i.listPut(ctx, c, s, []byte(why))
}

// delist takes it off again.
func (i *Issuer) delist(ctx context.Context, c *Card, s *step) error {
	if !c.Listed {
		return nil
	}
	c.Listed = false
	return i.listPut(ctx, c, s, nil)
}

func (i *Issuer) listPut(ctx context.Context, c *Card, s *step, value []byte) error {
	ref := i.ref(c)
	_, version, err := i.door.Get(ctx, i.space(spaceList), ref[:])
	if err != nil {
		return fmt.Errorf("issuer %s: look up the blacklist: %w", i.cfg.Inst, err)
	}
	s.put = append(s.put, book.Put{Space: i.space(spaceList), Key: ref[:], Expect: version, Value: value})
	return nil
}

var keyEdition = []byte("list/number")

// PublishList builds, numbers and signs the next edition of the blacklist. The
// number is durable before the edition exists: a crash may skip one, none is
// ever given out twice.
func (i *Issuer) PublishList(ctx context.Context, now time.Time) ([]byte, error) {
	cards, err := i.listed(ctx)
	if err != nil {
		return nil, err
	}
	number, err := i.nextEdition(ctx, clock.DateOf(now))
	if err != nil {
		return nil, err
	}
	var salt [16]byte
	if _, err := io.ReadFull(i.rand, salt[:]); err != nil {
		return nil, fmt.Errorf("issuer %s: salt of list %d: %w", i.cfg.Inst, number, err)
	}
	l, err := list.Build(i.cfg.ListID, number, salt, now, now.Add(i.cfg.ListLife), cards)
	if err != nil {
		return nil, fmt.Errorf("issuer %s: %w", i.cfg.Inst, err)
	}
	return list.Append(nil, l, func(msg []byte) ([]byte, error) {
		return i.vault.Sign(i.cfg.Keys.List, list.Domain, msg)
	})
}

// listed gives the numbers of the listed cards.
func (i *Issuer) listed(ctx context.Context) ([]list.Card, error) {
	var refs []ident.CardRef
	err := i.door.Scan(ctx, i.space(spaceList), nil, func(key, _ []byte, _ uint64) error {
		refs = append(refs, ident.CardRef(key))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("issuer %s: read the blacklist: %w", i.cfg.Inst, err)
	}
	cards := make([]list.Card, 0, len(refs))
	for _, ref := range refs {
		c, _, err := i.read(ctx, ref)
		if err != nil {
			return nil, err
		}
		if c == nil {
			return nil, fmt.Errorf("issuer %s: listed card %s: %w", i.cfg.Inst, ref, ErrUnknownCard)
		}
		cards = append(cards, list.Card{PAN: c.PAN, PSN: c.PSN})
	}
	return cards, nil
}

// nextEdition takes the next number of the list.
func (i *Issuer) nextEdition(ctx context.Context, date clock.Date) (uint32, error) {
	for range maxStale {
		value, version, err := i.door.Get(ctx, i.space(spaceState), keyEdition)
		if err != nil {
			return 0, fmt.Errorf("issuer %s: read the list's number: %w", i.cfg.Inst, err)
		}
		number := uint32(1)
		if len(value) == 4 {
			number = binary.BigEndian.Uint32(value) + 1
		}
		put := book.Put{Space: i.space(spaceState), Key: keyEdition, Expect: version, Value: binary.BigEndian.AppendUint32(nil, number)}
		results, err := i.door.Apply(ctx, []book.Command{{
			ID:    book.DeriveID("iss/list", string(i.cfg.Inst), version, number),
			Event: eventList, Date: date, Put: []book.Put{put},
		}})
		if err != nil {
			return 0, fmt.Errorf("issuer %s: number the list: %w", i.cfg.Inst, err)
		}
		switch {
		case results[0].Code == book.OK && !results[0].Replayed:
			return number, nil
		case results[0].Code != book.OK && results[0].Code != book.VersionConflict:
			return 0, fmt.Errorf("issuer %s: number the list: %s", i.cfg.Inst, results[0].Code.Explain())
		}
	}
	return 0, ErrBusy
}

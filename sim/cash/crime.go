package cash

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"

	"jiaozi/node/cardfile"
	"jiaozi/node/durable"
	"jiaozi/node/perso"
	"jiaozi/role/card"
	"jiaozi/value/money"
	"jiaozi/wire/observer"
)

// aside is where things stand that belong to no bank: copies and forgeries.
func (s *stage) aside(name string) (string, error) {
	dir := filepath.Join(s.node.Dir(), "street")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the street: %w", err)
	}
	return filepath.Join(dir, s.named(name)+".card"), nil
}

// copyCard clones a card as an attacker who reads out a chip would: every bit of
// it, keys included.
func (s *stage) copyCard(who, thief string) error {
	image, err := os.ReadFile(s.node.CardPath(s.named(who)))
	if err != nil {
		return fmt.Errorf("copy card: %w", err)
	}
	path, err := s.aside(thief)
	if err != nil {
		return err
	}
	if err := durable.WriteFile(path, image, 0o600); err != nil {
		return fmt.Errorf("copy card: %w", err)
	}
	return s.openCard(thief, path)
}

// forgeCard makes a card with the victim's number and keys and certificates of
// the forger's own making, under the names of the scheme's.
func (s *stage) forgeCard(ctx context.Context, victim, forger, balance string) error {
	pan, err := s.node.CardNumber(ctx, s.named(victim))
	if err != nil {
		return err
	}
	order, err := s.node.Personalisation(ctx, pan)
	if err != nil {
		return err
	}
	if order.Balance, err = money.Parse(order.Currency, balance); err != nil {
		return err
	}
	// A certification authority, an issuer, card keys and an observer that nobody trusts.
	order.Observer = observer.Secret{}
	keys, _, err := perso.Fresh(rand.Reader, order.AID, order.CAIndex)
	if err != nil {
		return err
	}
	profile, err := perso.Build(keys, order)
	if err != nil {
		return err
	}
	path, err := s.aside(forger)
	if err != nil {
		return err
	}
	if err := cardfile.Create(path, s.node.Key(), func(m card.Memory) error { return card.Format(m, profile) }); err != nil {
		return err
	}
	return s.openCard(forger, path)
}

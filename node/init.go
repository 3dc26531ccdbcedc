package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"jiaozi/node/durable"
	"jiaozi/value/clock"
)

// Init makes a scheme in an empty or new directory. It may be repeated after a
// crash: until scheme.json is written, the directory holds no scheme.
func Init(ctx context.Context, o Options) error {
	if _, err := os.Stat(filepath.Join(o.Dir, "scheme.json")); err == nil {
		return fmt.Errorf("%s holds a scheme already: choose another directory, or use the one that is there", o.Dir)
	}
	for _, sub := range []string{"", "book", "cards", "terminals", "files"} {
		if err := os.MkdirAll(filepath.Join(o.Dir, sub), 0o700); err != nil {
			return fmt.Errorf("make data directory: %w", err)
		}
	}
	lock, err := durable.Lock(filepath.Join(o.Dir, "lock"))
	if err != nil {
		return err
	}
	defer lock.Close()
	return makeScheme(ctx, o)
}

// EnsureInit makes the scheme if there is none.
func EnsureInit(ctx context.Context, o Options) error {
	_, err := LoadScheme(o.Dir)
	if errors.Is(err, ErrNotInitialised) {
		return Init(ctx, o)
	}
	return err
}

func makeScheme(ctx context.Context, o Options) error {
	scheme := DefaultScheme(o.Test)
	scheme.Store = o.Store
	if err := checkStore(o.Store); err != nil {
		return err
	}
	key, err := MakeKey(o.keyPath())
	if err != nil {
		return err
	}
	seeded := o.Test && o.Seed != nil
	v, err := newSchemeVault(o.Test, o.stream("vault", 0), seeded)
	if err != nil {
		return err
	}
	s := &safe{Vault: v, path: filepath.Join(o.Dir, "vault.age"), to: key.Recipient()}
	if err := s.save(); err != nil {
		return err
	}
	trust, err := newTrust(&scheme, v, clock.DateOf(o.clock().Now()))
	if err != nil {
		return err
	}
	if err := trust.save(o.Dir); err != nil {
		return err
	}
	if err := publishBookKey(o.Dir, &scheme, v); err != nil {
		return err
	}
	if err := makeBook(ctx, o.Dir, &scheme); err != nil {
		return err
	}
	return scheme.save(o.Dir)
}

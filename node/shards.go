package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"jiaozi/book"
	"jiaozi/book/postgres"
	"jiaozi/book/shard"
	"jiaozi/book/sqlite"
	"jiaozi/value/clock"
)

// ShardOptions say which sharded book is meant.
type ShardOptions struct {
	Map string // file of the map; a store that is a relative path starts in its folder
	// Data has a folder NAME for each shard on a server, with its index and its
	// head kept outside the database. "" keeps neither: then every start reads the
	// whole journals.
	Data  string
	Date  clock.Date  // business date of what is booked; 0: today
	Clock clock.Clock // nil: the machine's
}

func (o *ShardOptions) date() clock.Date {
	if o.Date != 0 {
		return o.Date
	}
	return clock.DateOf((&Options{Clock: o.Clock}).clock().Now())
}

// ReadShards reads a map and checks it, the stores' addresses included, and opens
// nothing. What is wrong is a shard.ErrMap.
func ReadShards(path string) (shard.Map, error) {
	m, _, err := readShards(path)
	return m, err
}

func readShards(path string) (m shard.Map, text []byte, err error) {
	if text, err = os.ReadFile(path); err != nil {
		return m, nil, fmt.Errorf("%w: %w", shard.ErrMap, err)
	}
	if m, err = shard.Parse(text); err != nil {
		return m, nil, err
	}
	for _, s := range m.Shards() {
		if err := checkShard(s); err != nil {
			return m, nil, fmt.Errorf("%w: shard %q: %w", shard.ErrMap, s.Name, err)
		}
	}
	return m, text, nil
}

func checkShard(s shard.Shard) error {
	if onServer(s) {
		return checkStore(s.Store)
	}
	if s.Chain != sqlite.Chain {
		return fmt.Errorf("store: the journal of a file is chain %d, and this is chain %d: keep the shard in PostgreSQL", sqlite.Chain, s.Chain)
	}
	return nil
}

// onServer tells an address from a path. What only resembles an address is taken
// for one, so that it is refused and no file gets the name of a password.
func onServer(s shard.Shard) bool {
	return strings.Contains(s.Store, "://") || strings.Contains(s.Store, "=")
}

// AuditShards opens every shard for writing, so that nothing moves meanwhile,
// verifies each by itself, and then what is between them. An error means that it
// could not look; what is wrong is in the report.
func AuditShards(ctx context.Context, o ShardOptions) (report shard.Report, err error) {
	err = o.with(ctx, func(s *shard.Shards) error {
		findings, err := verifyShards(ctx, s)
		if err != nil || len(findings) > 0 {
			// Accounts that do not hold together are no evidence about others.
			report.Findings = findings
			return err
		}
		report, err = s.Audit(ctx)
		return err
	})
	return report, err
}

func verifyShards(ctx context.Context, s *shard.Shards) (findings []book.Finding, err error) {
	for _, at := range s.Map().Shards() {
		l, err := s.Ledger(at.Name)
		if err != nil {
			return findings, err
		}
		verified, err := l.Verify(ctx)
		if err != nil {
			return findings, fmt.Errorf("verify shard %s: %w", at.Name, err)
		}
		for _, f := range verified.Findings {
			f.Where = "shard " + at.Name + ", " + f.Where
			findings = append(findings, f)
		}
	}
	return findings, nil
}

// PumpShards delivers what is on its way between shards, until nothing moves any
// more, and says how many messages arrived, also when it could not deliver all.
func PumpShards(ctx context.Context, o ShardOptions) (arrived int, err error) {
	err = o.with(ctx, func(s *shard.Shards) error {
		arrived, err = s.Pump(ctx, o.date())
		return err
	})
	return arrived, err
}

// with runs fn on all shards of the map. While they are open nobody else writes
// to them or moves a part, so a map that still is as it was stays so.
func (o *ShardOptions) with(ctx context.Context, fn func(*shard.Shards) error) error {
	m, text, err := readShards(o.Map)
	if err != nil {
		return err
	}
	s, err := shard.Open(ctx, m, o.open, shard.Options{})
	if err != nil {
		return err
	}
	_, now, err := readShards(o.Map)
	if err == nil && !bytes.Equal(now, text) {
		err = fmt.Errorf("%w: it was changed just now: run the command again", shard.ErrMap)
	}
	if err == nil {
		err = fn(s)
	}
	return errors.Join(err, s.Close())
}

// open opens the store of a shard. A file must be there: one that is made because
// a path was mistyped would be an empty book.
func (o *ShardOptions) open(ctx context.Context, s shard.Shard) (book.Engine, error) {
	if !onServer(s) {
		path := s.Store
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(o.Map), path)
		}
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("there is no book to open: %w", err)
		}
		return sqlite.Open(path)
	}
	options := postgres.Options{Chain: s.Chain}
	if o.Data != "" {
		local := filepath.Join(o.Data, s.Name)
		if err := os.MkdirAll(local, 0o700); err != nil {
			return nil, err
		}
		options.IndexDir, options.HeadFile = filepath.Join(local, "index"), filepath.Join(local, "head")
	}
	return postgres.Open(ctx, s.Store, options)
}

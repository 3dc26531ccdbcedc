package acquirer

import (
	"context"
	"encoding/json"
	"fmt"

	"jiaozi/book"
	"jiaozi/value/clock"
)

// record is a record of the book as it was read: to be written only if it is still
// the same.
type record struct {
	space   string
	key     []byte
	version uint64 // 0: there is none
}

// get reads a record into v. A record that is absent leaves v alone.
func (a *Acquirer) get(ctx context.Context, space string, key []byte, v any) (record, error) {
	raw, version, err := a.door.Get(ctx, space, key)
	if err != nil {
		return record{}, fmt.Errorf("acquirer %s: %w", a.cfg.Inst, err)
	}
	if version == 0 || raw == nil {
		return record{space, key, version}, nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return record{}, fmt.Errorf("acquirer %s: record in %s is damaged, run audit: %w", a.cfg.Inst, space, err)
	}
	return record{space, key, version}, nil
}

// put is the record with a new value.
func (r record) put(v any) (book.Put, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return book.Put{}, fmt.Errorf("acquirer: encode record in %s: %w", r.space, err)
	}
	return book.Put{Space: r.space, Key: r.key, Expect: r.version, Value: raw}, nil
}

// apply books one command without money. Its id follows from its content: versions
// of records are never used twice, so equal content is the same step.
func (a *Acquirer) apply(ctx context.Context, event string, date clock.Date, c book.Command) (book.Result, error) {
	c.Event, c.Date = event, date
	c.ID = contentID(c)
	results, err := a.door.Apply(ctx, []book.Command{c})
	if err != nil {
		return book.Result{}, fmt.Errorf("acquirer %s: book %s: %w", a.cfg.Inst, event, err)
	}
	return results[0], nil
}

func contentID(c book.Command) book.ID {
	parts := []any{c.Event, uint32(c.Date)}
	for _, o := range c.Once {
		parts = append(parts, "once", o.Space, o.Key, o.Value)
	}
	for _, p := range c.Put {
		parts = append(parts, "put", p.Space, p.Key, p.Expect, p.Value)
	}
	for _, o := range c.Out {
		parts = append(parts, "out", o.Topic, o.Key, o.Body)
	}
	for _, n := range c.Done {
		parts = append(parts, "done", n)
	}
	return book.DeriveID(parts...)
}

// save books one record; false means that somebody else was faster.
func (a *Acquirer) save(ctx context.Context, event string, date clock.Date, r record, v any) (bool, error) {
	put, err := r.put(v)
	if err != nil {
		return false, err
	}
	return a.book(ctx, event, date, book.Command{Put: []book.Put{put}})
}

// book applies a command that can fail only because a record changed meanwhile.
func (a *Acquirer) book(ctx context.Context, event string, date clock.Date, c book.Command) (bool, error) {
	res, err := a.apply(ctx, event, date, c)
	if err != nil {
		return false, err
	}
	switch res.Code {
	case book.OK:
		return true, nil
	case book.VersionConflict:
		return false, nil
	}
	return false, fmt.Errorf("acquirer %s: book %s: %s", a.cfg.Inst, event, res.Code.Explain())
}

package terminal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jiaozi/wire/iso8583"
	"jiaozi/wire/list"
)

var errChunks = errors.New("the parts of the list do not fit together: it was replaced meanwhile, ask again")

// RefreshList downloads the signed blacklist (0800/390) and takes it into use. A
// list that is older, of another series, expired or wrongly signed is refused and
// the present one stays (attack 34).
func (t *Terminal) RefreshList(ctx context.Context) error {
	if err := t.sound(); err != nil {
		return err
	}
	signed, err := t.download(ctx)
	if err != nil {
		return fmt.Errorf("download the blacklist: %w", err)
	}
	next, err := list.Decode(signed, t.cfg.ListKey)
	if err != nil {
		return fmt.Errorf("downloaded blacklist: %w", err)
	}
	if err := list.Accept(t.list, next, t.now()); err != nil {
		return fmt.Errorf("downloaded blacklist: %w", err)
	}
	if t.list != nil && t.list.Number == next.Number {
		return nil
	}
	if err := t.record(listed{signed}); err != nil {
		return err
	}
	t.list = next
	if t.grownBy > rewriteAbove {
		return t.shorten()
	}
	return nil
}

func (t *Terminal) download(ctx context.Context) ([]byte, error) {
	var signed []byte
	var total uint16
	for index := range uint16(maxListChunks) {
		chunk, err := t.askChunk(ctx, index)
		if err != nil {
			return nil, fmt.Errorf("part %d: %w", index, err)
		}
		if index > 0 && chunk.Total != total || chunk.More != (index+1 < chunk.Total) {
			return nil, errChunks
		}
		total = chunk.Total
		signed = append(signed, chunk.Data...)
		if !chunk.More {
			return signed, nil
		}
	}
	return nil, errChunks
}

func (t *Terminal) askChunk(ctx context.Context, index uint16) (iso8583.ListChunk, error) {
	tr, err := t.nextTrace()
	if err != nil {
		return iso8583.ListChunk{}, err
	}
	m := t.message(0x0800, tr, time.Time{}, iso8583.F60{Type: iso8583.TypeManagement, NetCode: iso8583.NetList})
	m.Set(62, iso8583.ListRequest(index))
	r, err := t.exchange(ctx, m)
	if err != nil {
		return iso8583.ListChunk{}, err
	}
	if !r.approved() {
		return iso8583.ListChunk{}, r.refusal("the host gives no list")
	}
	return iso8583.ParseListChunk(r.Bytes(62))
}

// List tells which blacklist is in force.
func (t *Terminal) List() (number uint32, expires time.Time, ok bool) {
	if t.list == nil {
		return 0, time.Time{}, false
	}
	return t.list.Number, t.list.Expires, true
}

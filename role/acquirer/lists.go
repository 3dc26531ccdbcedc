package acquirer

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/list"
)

const eventList = "acq/list"

// listHead is the record under which the edition at hand is described; the chunks
// stand under their index.
type listHead struct {
	ID     uint16
	Number uint32
	Chunks uint16
}

var listHeadKey = []byte("head")

func chunkKey(index uint16) []byte { return binary.BigEndian.AppendUint16([]byte("chunk"), index) }

// PublishList takes the issuer's blacklist over for the terminals. Only a list that
// the issuer signed, that is valid now and not older than the one at hand is taken.
func (a *Acquirer) PublishList(ctx context.Context, raw []byte, now time.Time) error {
	next, err := list.Decode(raw, a.cfg.ListKey)
	if err != nil {
		return fmt.Errorf("publish list: %w", err)
	}
	chunks, err := split(raw)
	if err != nil {
		return fmt.Errorf("publish list: %w", err)
	}
	return retry(func() (bool, error) {
		var head listHead
		r, err := a.get(ctx, spaceList, listHeadKey, &head)
		if err != nil {
			return false, err
		}
		var current *list.List
		if r.version != 0 {
			current = &list.List{ID: head.ID, Number: head.Number}
		}
		if err := list.Accept(current, next, now); err != nil {
			return false, fmt.Errorf("publish list: %w", err)
		}
		put, err := r.put(listHead{ID: next.ID, Number: next.Number, Chunks: uint16(len(chunks))})
		if err != nil {
			return false, err
		}
		puts, err := a.replaceChunks(ctx, chunks)
		if err != nil {
			return false, err
		}
		return a.book(ctx, eventList, clock.DateOf(now), book.Command{Put: append(puts, put)})
	})
}

// split cuts a list into answers of the dialect.
func split(raw []byte) ([][]byte, error) {
	total := (len(raw) + iso8583.MaxChunk - 1) / iso8583.MaxChunk
	var out [][]byte
	for at := 0; at < len(raw); at += iso8583.MaxChunk {
		end := min(at+iso8583.MaxChunk, len(raw))
		chunk := iso8583.ListChunk{More: end < len(raw), Total: uint16(total), Data: raw[at:end]}
		b, err := chunk.Bytes()
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// replaceChunks writes the new chunks over the old ones and deletes what is left.
func (a *Acquirer) replaceChunks(ctx context.Context, chunks [][]byte) ([]book.Put, error) {
	var puts []book.Put
	versions := map[string]uint64{}
	err := a.door.Scan(ctx, spaceList, []byte("chunk"), func(key, _ []byte, version uint64) error {
		versions[string(key)] = version
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, chunk := range chunks {
		key := chunkKey(uint16(i))
		puts = append(puts, book.Put{Space: spaceList, Key: key, Expect: versions[string(key)], Value: chunk})
		delete(versions, string(key))
	}
	for i := len(chunks); len(versions) > 0 && i <= 999; i++ {
		key := chunkKey(uint16(i))
		if version, ok := versions[string(key)]; ok {
			puts = append(puts, book.Put{Space: spaceList, Key: key, Expect: version})
			delete(versions, string(key))
		}
	}
	return puts, nil
}

// listChunk answers a request for a part of the blacklist. A terminal that puts
// parts of two editions together notices it by the signature, and starts again.
func (a *Acquirer) listChunk(ctx context.Context, q *request) (*iso8583.Message, error) {
	index, err := iso8583.ParseListRequest(q.m.Bytes(62))
	if err != nil {
		return a.respond(q, iso8583.CodeFormat), nil
	}
	chunk, version, err := a.door.Get(ctx, spaceList, chunkKey(index))
	if err != nil {
		return nil, err
	}
	if version == 0 {
		return a.respond(q, iso8583.CodeNoRecord), nil
	}
	m := a.approve(q)
	m.SetBytes(62, chunk)
	return m, nil
}

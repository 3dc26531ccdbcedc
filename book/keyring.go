package book

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"jiaozi/book/index"
)

// keyring checks the keys of a journal while it is read: that no id and no
// once-key is used twice, and that the indexes on disk list each use of a key and
// each line of an account, and nothing else. It needs memory only for what the
// index does not have yet.
type keyring struct {
	keys, lines *index.Index
	hash        *hasher
	tail        map[keyHash]Position // used after what the index reflects
	// What the journal says the indexes hold.
	keySum, lineSum multiset
}

// errIndex is a damaged index, seen from here.
var errIndex = index.ErrDamaged

func openKeyring(dir string) (*keyring, error) {
	keys, lines, err := openIndexes(dir, readIndex)
	if err != nil {
		return nil, err
	}
	return &keyring{keys: keys, lines: lines, hash: newHasher(keys.Secret()), tail: map[keyHash]Position{}}, nil
}

func (k *keyring) close() error { return errors.Join(k.keys.Close(), k.lines.Close()) }

// multiset is the sum of the hashes of its elements: two of them with the same
// elements are equal, in whatever order they were added, and no others are found
// without breaking the hash.
type multiset struct {
	sum   [4]uint64
	count uint64
}

func (s *multiset) add(e index.Entry) {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], e.Hash)
	binary.BigEndian.PutUint64(b[8:], e.Pos)
	h := sha256.Sum256(b[:])
	var carry uint64
	for i := range s.sum {
		s.sum[i], carry = bits.Add64(s.sum[i], binary.LittleEndian.Uint64(h[8*i:]), carry)
	}
	s.count++
}

// entry takes the keys of an entry in.
func (k *keyring) entry(v *verifier, at Position, e *Entry) {
	if at.Seq <= k.lines.Seq() {
		for _, line := range appendLines(nil, &e.Command, &e.Result, at.number()) {
			k.lineSum.add(line)
		}
	}
	k.use(v, at, k.hash.id(e.Command.ID), "entry-id", "command %s was answered before", e.Command.ID)
	if e.Result.Code != OK {
		return
	}
	for i := range e.Command.Once {
		o := &e.Command.Once[i]
		k.use(v, at, k.hash.once(o.Space, o.Key), "entry-once", "the key %x of %s is taken twice", o.Key, o.Space)
	}
	if of := e.Command.Reverses; of != (ID{}) {
		k.use(v, at, k.hash.once(SpaceBook+"reversed", of[:]), "entry-once", "entry %s is reversed twice", of)
	}
}

// use notes a use of a key. What the index has is looked through at the end, in
// the order of hashes; the rest is compared here.
func (k *keyring) use(v *verifier, at Position, h keyHash, code, format string, args ...any) {
	if at.Seq <= k.keys.Seq() {
		k.keySum.add(index.Entry{Hash: h.index, Pos: at.number()})
		return
	}
	if before, used := k.tail[h]; used {
		v.find(code, fmt.Sprintf("batch %d, entry %d", at.Seq, at.Index), format+": first in batch %d", append(args, before.Seq)...)
		return
	}
	k.tail[h] = at
}

// places lists where a key was used so far.
func (k *keyring) places(h keyHash) (list []Position, err error) {
	numbers, err := k.keys.Find(h.index, nil)
	for _, n := range numbers {
		list = append(list, position(n))
	}
	if at, ok := k.tail[h]; ok {
		list = append(list, at)
	}
	return list, err
}

// compare checks the indexes when the whole journal has been read.
func (k *keyring) compare(v *verifier) {
	k.compareOne(v, "index of keys", k.keys, k.keySum, true)
	k.compareOne(v, "index of statements", k.lines, k.lineSum, false)
	for h, at := range k.tail {
		numbers, err := k.keys.Find(h.index, nil)
		v.damage("index", "index of keys", err)
		for _, n := range numbers {
			if before := position(n); before.Seq < at.Seq && !at.Carried() {
				k.twice(v, before, at)
			}
		}
	}
}

func (k *keyring) compareOne(v *verifier, name string, x *index.Index, want multiset, unique bool) {
	if head := v.report.Head.Seq; x.Seq() > head {
		v.find("index", name, "reflects batch %d, the journal ends at %d", x.Seq(), head)
		return
	}
	var have multiset
	var last index.Entry
	err := x.Walk(func(e index.Entry) error {
		have.add(e)
		// What came with a part may have been here before, or come with another part.
		carried := (last.Pos|e.Pos)&carriedBit != 0
		if unique && have.count > 1 && e.Hash == last.Hash && !carried {
			k.twice(v, position(last.Pos), position(e.Pos))
		}
		last = e
		return v.ctx.Err()
	})
	v.damage("index", name, err)
	if err == nil && have != want {
		v.find("index", name, "lists %d places, and the journal has %d: it is not the index of this journal; delete it, it is made again",
			have.count, want.count)
	}
}

// twice looks at two entries that seem to use the same key.
func (k *keyring) twice(v *verifier, a, b Position) {
	r := rowReader{view: v.aside}
	first, _, err := r.entry(v.ctx, a)
	if err == nil {
		var second Entry
		if second, _, err = r.entry(v.ctx, b); err == nil {
			k.sameKey(v, b, &first.Command, &second)
		}
	}
	v.damage("index", "a place of the index of keys", err)
}

func (k *keyring) sameKey(v *verifier, at Position, first *Command, second *Entry) {
	where := fmt.Sprintf("batch %d, entry %d", at.Seq, at.Index)
	if first.ID == second.Command.ID {
		v.find("entry-id", where, "command %s was answered before", first.ID)
	}
	if second.Result.Code != OK {
		return
	}
	for i := range second.Command.Once {
		o := &second.Command.Once[i]
		if _, taken := first.once(o.Space, o.Key); taken {
			v.find("entry-once", where, "the key %x of %s is taken twice", o.Key, o.Space)
		}
	}
	if of := second.Command.Reverses; of != (ID{}) && of == first.Reverses {
		v.find("entry-once", where, "entry %s is reversed twice", of)
	}
}

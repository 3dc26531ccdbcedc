package load

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"jiaozi/book"
	"jiaozi/sim/bench/meter"
	"jiaozi/value/money"
)

// core is the bare core: what a ledger cannot do without. An id is looked up and
// kept, two balances change, and the batch is on the disk in one write and one
// flush, under a checksum. It has no hash chain, holds, once-keys or tables, and
// could not be read back.
type core struct {
	ids      map[book.ID]entry
	index    map[book.AccountID]int32
	balances []money.Minor
	log      *checked
}

type entry struct {
	from, to int32
	minor    money.Minor
}

func newCore(accounts []book.AccountID, log *checked) *core {
	c := &core{
		ids:      make(map[book.ID]entry),
		index:    make(map[book.AccountID]int32, len(accounts)),
		balances: make([]money.Minor, len(accounts)),
		log:      log,
	}
	for i, id := range accounts {
		c.index[id], c.balances[i] = int32(i), startMinor
	}
	return c
}

var errBroke = errors.New("the bare core refused a payment that the workload promised to be sound")

func (c *core) apply(orders []order) error {
	b := c.log.begin()
	for i := range orders {
		o := &orders[i]
		from, fromKnown := c.index[o.from]
		to, toKnown := c.index[o.to]
		_, seen := c.ids[o.id]
		if seen || !fromKnown || !toKnown || c.balances[from] < o.minor {
			return errBroke
		}
		c.balances[from] -= o.minor
		c.balances[to] += o.minor
		c.ids[o.id] = entry{from, to, o.minor}
		b = append(b, o.id[:]...)
		b = append(b, o.from[:]...)
		b = append(b, o.to[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(o.minor))
	}
	return c.log.commit(b)
}

// bytes is about what the core holds in memory.
func (c *core) bytes() uint64 {
	const perID, perAccount = 48, 40 // with the free room of a map
	return perID*uint64(len(c.ids)) + perAccount*uint64(len(c.balances))
}

// keys is the bare core of once-keys: a map and the log.
type keys struct {
	seen map[[keyBytes]byte]struct{}
	log  *checked
}

func (k *keys) apply(orders []order) error {
	b := k.log.begin()
	for i := range orders {
		key := &orders[i].key
		if _, seen := k.seen[*key]; seen {
			return errBroke
		}
		k.seen[*key] = struct{}{}
		b = append(b, key[:]...)
		b = append(b, key[:16]...) // the value
	}
	return k.log.commit(b)
}

func (k *keys) bytes() uint64 {
	const perKey = 42
	return perKey * uint64(len(k.seen))
}

// checked is a log of batches, each with its length and CRC-32C before it.
type checked struct {
	file *meter.File
	buf  []byte
}

const checkedHead = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func newChecked(dir string) (*checked, error) {
	f, err := meter.NewFile(dir)
	return &checked{file: f}, err
}

// begin gives the buffer for the records of a batch.
func (c *checked) begin() []byte { return append(c.buf[:0], make([]byte, checkedHead)...) }

// commit makes what was appended to begin's buffer durable.
func (c *checked) commit(b []byte) error {
	c.buf = b
	body := b[checkedHead:]
	binary.BigEndian.PutUint32(b, uint32(len(body)))
	binary.BigEndian.PutUint32(b[4:], crc32.Checksum(body, castagnoli))
	return c.file.Write(b)
}

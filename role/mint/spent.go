package mint

import (
	"context"
	"encoding/binary"
	"fmt"

	"jiaozi/book"
	"jiaozi/crypt/brands"
	"jiaozi/value/money"
)

// A coin's key in the spent space is its ID, a hash of its key, A and B, which fix the
// line that its owner answers on. It is spread evenly, and its first bits say on
// which shard the coin lives.

func partOf(id brands.CoinID) uint16 { return book.AccountID(id[:16]).Part() }

// nodeKey is the key of one node of a note, beside the note.
func nodeKey(id brands.CoinID, node uint16) []byte { return binary.BigEndian.AppendUint16(id[:], node) }

// spentKind says how a coin or a node came to be in the spent space.
type spentKind uint8

const (
	spentPaid    spentKind = 1 // deposited
	spentClaimed spentKind = 2 // its owner claimed it as lost
	spentFixed   spentKind = 3 // a node of which a part was deposited
)

// spent is what is kept of a coin that came back: 96 bytes for each coin of its
// chain, and who was paid.
type spent struct {
	kind   spentKind
	name   string // of the payee, or of the claimant's account
	value  money.Minor
	owner  [32]byte        // claimed: by whom
	points []brands.Point3 // paid: of the chain, head first; fixed: of the node
}

func (s *spent) record() []byte {
	w := newRecord()
	w.uint(uint64(s.kind))
	w.text(s.name)
	w.minor(s.value)
	if s.kind == spentClaimed {
		w.fixed(s.owner[:])
		return w.b
	}
	w.points(s.points)
	return w.b
}

func readSpent(b []byte) (*spent, error) {
	r := openRecord(b)
	s := &spent{kind: spentKind(r.uint(uint64(spentFixed))), name: r.text(), value: r.minor()}
	if s.kind == spentClaimed {
		s.owner = [32]byte(r.fixed(32))
	} else {
		s.points = r.points()
		r.bad = r.bad || len(s.points) == 0
	}
	r.bad = r.bad || s.kind == 0
	return s, r.done("spent coin")
}

// note is what is known of a note: which nodes came back, and which have a part
// that did. Bit n is node n. Its version orders all that happens to the note.
type note struct {
	spent, fixed nodes
	back         money.Minor // deposited so far, before it was claimed
	claim        *spent      // nil until its owner claims the rest
	version      uint64
}

type nodes [16]byte

func (s *nodes) has(n uint16) bool { return s[n/8]&(1<<(n%8)) != 0 }
func (s *nodes) add(n uint16)      { s[n/8] |= 1 << (n % 8) }

func (n *note) record() []byte {
	w := newRecord()
	w.fixed(n.spent[:])
	w.fixed(n.fixed[:])
	w.minor(n.back)
	if n.claim == nil {
		w.bytes(nil)
		return w.b
	}
	w.bytes(n.claim.record())
	return w.b
}

func readNote(b []byte, version uint64) (*note, error) {
	r := openRecord(b)
	n := &note{spent: nodes(r.fixed(16)), fixed: nodes(r.fixed(16)), back: r.minor(), version: version}
	claim := r.bytes()
	if err := r.done("note"); err != nil || len(claim) == 0 {
		return n, err
	}
	var err error
	n.claim, err = readSpent(claim)
	if err == nil && n.claim.kind != spentClaimed {
		err = fmt.Errorf("note: %w", errRecord)
	}
	return n, err
}

func (m *Mint) note(ctx context.Context, k brands.CoinID) (*note, error) {
	value, version, err := m.door.Get(ctx, m.space(spaceNote), k[:])
	if err != nil {
		return nil, fmt.Errorf("mint %s: look up a note: %w", m.cfg.Inst, err)
	}
	if version == 0 {
		return &note{}, nil
	}
	return readNote(value, version)
}

// lookSpent reads what is in the spent space; nil if nothing is.
func (m *Mint) lookSpent(ctx context.Context, key []byte) (*spent, error) {
	value, found, err := m.door.GetOnce(ctx, m.space(spaceSpent), key)
	if err != nil {
		return nil, fmt.Errorf("mint %s: look up a coin: %w", m.cfg.Inst, err)
	}
	if !found {
		return nil, nil
	}
	return readSpent(value)
}

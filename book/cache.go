package book

import (
	"hash/maphash"

	"jiaozi/value/money"
)

// slot is what the ledger remembers of one account: its terms and its state as
// committed. Its name is in the tables; a hash of it tells whether an account is
// opened again as what it is.
type slot struct {
	id     AccountID
	named  uint64
	normal Side
	never  bool
	closed bool
	used   bool // since the hand of the clock came by
	// dirty says which layer has a change of it that the tables lack: 0 is none.
	dirty uint32
	// batch and work lead the writer to what the batch at hand does with it. The
	// number of batches never comes round: work of an old one would be another account.
	batch    uint64
	work     uint32
	currency money.Currency
	balance  money.Minor
	held     money.Minor
	line     money.Minor
}

// cache holds accounts by id, as many as it may, and all that are dirty. It
// forgets those that were not used for longest, roughly (second chance).
type cache struct {
	limit int
	seed  maphash.Seed
	slots []slot
	byID  idTable
	hand  int
	batch uint64 // accounts of this batch stay
}

// DefaultAccounts is how many accounts a ledger keeps in memory unless told
// otherwise: about 100 MB.
const DefaultAccounts = 1 << 20

func newCache(limit int) *cache {
	return &cache{limit: limit, seed: maphash.MakeSeed(), byID: newIDTable()}
}

func (c *cache) find(id AccountID) (uint32, bool) {
	cell := c.cell(id)
	return cell - 1, cell != 0
}

// cell is 1 + the slot of an account, or 0.
func (c *cache) cell(id AccountID) uint32 { return c.byID.cells[c.byID.find(c.slots, &id)] }

// add takes an account in that is not there yet.
func (c *cache) add(row *AccountRow) uint32 {
	i := c.room()
	c.slots[i] = slot{
		id: row.ID, named: c.nameHash(row.Name), normal: row.Normal, never: row.NeverNegative, closed: row.Closed,
		used: true, currency: row.Currency, balance: row.Balance, held: row.Held, line: row.AccountState.Line,
	}
	c.byID.add(c.slots, i)
	return i
}

func (c *cache) nameHash(name string) uint64 { return maphash.String(c.seed, name) }

// patience is how far the hand goes for a slot to overwrite. If all that it sees
// is dirty or in use, the cache grows; the bound on dirty accounts bounds that.
const patience = 256

func (c *cache) room() uint32 {
	for range patience {
		if len(c.slots) < c.limit {
			break
		}
		c.hand = (c.hand + 1) % len(c.slots)
		s := &c.slots[c.hand]
		if s.dirty == 0 && !s.used && s.batch != c.batch {
			c.byID.remove(c.slots, &s.id)
			return uint32(c.hand)
		}
		s.used = false
	}
	c.slots = append(c.slots, slot{})
	return uint32(len(c.slots) - 1)
}

// state is what may change about the account.
func (s *slot) state() AccountState {
	return AccountState{Balance: s.balance, Held: s.held, Line: s.line, Closed: s.closed}
}

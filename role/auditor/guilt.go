package auditor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/crypt/brands"
	"jiaozi/wire/coin"
)

var errRecord = errors.New("a record of the mint does not read back")

// records remembers what an entry writes that the audit needs: keys and guilt.
func (m *mintAudit) records(where string, c *book.Command) {
	for _, p := range c.Put {
		switch p.Space {
		case m.root + "key":
			m.published(where, p)
		case m.root + "guilt":
			m.guilt[string(p.Key)] = p.Value
		}
	}
}

// published reads a key that coins are made with. Its proof must hold: a key
// without one could mark coins.
func (m *mintAudit) published(where string, p book.Put) {
	r := openRecord(p.Value)
	r.bytes() // where the vault keeps it
	raw := r.bytes()
	key, err := brands.ParsePublicKey(raw)
	if r.bad || err != nil {
		m.find(CodeCoinKey, where, "%x: %v", p.Key, err)
		return
	}
	id := key.ID()
	if string(id[:]) != string(p.Key) || key.Info().Network != m.mint.Network {
		m.find(CodeCoinKey, where, "key %s stands under %x, network %s", id, p.Key, key.Info().Network)
		return
	}
	m.keys[id.String()] = key
}

// Key makes the published keys what package brands asks for keys.
func (m *mintAudit) Key(id brands.KeyID) (*brands.PublicKey, bool) {
	key, ok := m.keys[id.String()]
	return key, ok
}

// guilts checks every proof of guilt.
func (m *mintAudit) guilts() {
	for _, of := range slices.Sorted(maps.Keys(m.guilt)) {
		where := fmt.Sprintf("guilt %x", of)
		file, err := m.convicted([]byte(of), m.guilt[of])
		if err != nil {
			m.find(CodeGuilt, where, "%v", err)
			continue
		}
		if !m.enrolled(file) {
			m.find(CodeGuiltStranger, where, "account %q", file.Account)
			continue
		}
		m.note(CodeDoubleSpent, where, "account %q", file.Account)
	}
}

// convicted checks a proof as a stranger would, and that it is the one that it
// says it is.
func (m *mintAudit) convicted(of, record []byte) (*coin.GuiltFile, error) {
	r := openRecord(record)
	epoch, identity, raw := r.uint(), r.fixed(brands.Size), r.bytes()
	if r.bad || len(r.b) > 0 {
		return nil, errRecord
	}
	file, err := coin.Parse[coin.GuiltFile](raw)
	if err != nil {
		return nil, err
	}
	if err := file.Verify(m.mint.Sign); err != nil {
		return nil, err
	}
	guilt, err := brands.ParseGuilt(file.Guilt)
	if err != nil {
		return nil, err
	}
	who, err := guilt.VerifyVartime(m)
	if err != nil {
		return nil, err
	}
	id, key := guilt.Coin.ID(), m.keys[guilt.Coin.Key().String()]
	if who.Bytes() != file.Identity || string(identity) != string(file.Identity[:]) || string(id[:]) != string(of) || brands.Network(file.Network) != m.mint.Network {
		return nil, fmt.Errorf("the file names %x for coin %s, the record %x: %w", file.Identity, id, identity, errRecord)
	}
	if key == nil || uint64(key.Info().Epoch) != epoch {
		return nil, fmt.Errorf("it stands under epoch %d: %w", epoch, errRecord)
	}
	m.doubleSpent(key, file.Account)
	return file, nil
}

// doubleSpent counts a proof in its epoch; a blank's is of the audit's currency.
func (m *mintAudit) doubleSpent(key *brands.PublicKey, account string) {
	k := epochKey{key.Info().Epoch, key.Info().Currency}
	if k.currency == 0 {
		k.currency = m.evidence.Currency
	}
	m.epoch(k.epoch, k.currency).DoubleSpent++
	if m.named[k] == nil {
		m.named[k] = map[string]bool{}
	}
	m.named[k][account] = true
}

// enrolled reports whether the account that a proof names was opened with the
// number that it proves, and shows the same opening.
func (m *mintAudit) enrolled(f *coin.GuiltFile) bool {
	value, found := m.evidence.Book.Books.Record(m.root+"id", f.Identity[:])
	if !found {
		return false
	}
	r := openRecord(value)
	account, auth := r.bytes(), r.fixed(brands.Size)
	if r.bad || string(account) != f.Account {
		return false
	}
	opening, err := brands.ParseOpening(f.Opening)
	if err != nil || opening.Account.Bytes() != f.Identity || opening.Verify(m.mint.Network, auth) != nil {
		return false
	}
	home := chart.Customer(m.mint.Inst, f.Account, m.evidence.Currency).ID
	bound, found := m.evidence.Book.Books.Record(m.root+"holder", home[:])
	r = openRecord(bound)
	return found && string(r.fixed(brands.Size)) == string(f.Identity[:]) && !r.bad
}

// record takes a mint's record apart: a version, then numbers as varints, and
// bytes with their length in front.
type record struct {
	b   []byte
	bad bool
}

func openRecord(b []byte) *record {
	r := &record{b: b}
	v := r.fixed(1)
	r.bad = r.bad || v[0] != 1
	return r
}

// fixed takes n bytes; zeros if they are not there.
func (r *record) fixed(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad = true
		return make([]byte, min(n, brands.Size))
	}
	head := r.b[:n]
	r.b = r.b[n:]
	return head
}

func (r *record) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if r.bad || n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *record) bytes() []byte {
	return r.fixed(int(min(r.uint(), uint64(len(r.b))+1)))
}

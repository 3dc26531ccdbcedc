package mint

import (
	"bytes"
	"errors"
	"testing"

	"jiaozi/book"
	"jiaozi/crypt/brands"
	"jiaozi/wire/coin"
)

// Each record of the mint with a reader that gives it back.
var records = map[string]func(b []byte) ([]byte, error){
	"session": func(b []byte) ([]byte, error) { s, err := readSession(b, 1); return s.record(), err },
	"answered": func(b []byte) ([]byte, error) {
		a, err := readAnswered(b)
		return a.value(), err
	},
	"holder": func(b []byte) ([]byte, error) {
		h, err := readHolder(brands.Element{}, b)
		return h.record(), err
	},
	"spent": func(b []byte) ([]byte, error) { s, err := readSpent(b); return s.record(), err },
	"note": func(b []byte) ([]byte, error) {
		n, err := readNote(b, 1)
		if err != nil {
			return nil, err
		}
		return n.record(), nil
	},
	"due": func(b []byte) ([]byte, error) {
		d, err := readDue(b)
		return d.out(&Mint{}).Body, err
	},
	"guilty": func(b []byte) ([]byte, error) {
		g, err := readGuilty(b)
		return g.record(), err
	},
}

func sampleRecords() map[string][][]byte {
	claim := &spent{kind: spentClaimed, name: "alice", value: 4, owner: [32]byte{3}}
	paid := &spent{kind: spentPaid, name: "shop", value: 300, points: make([]brands.Point3, 3)}
	open := session{number: 300, state: sessionOpen, deadline: 1795313100}
	holder := &holder{account: "alice", auth: [32]byte{1}, opening: make([]byte, brands.OpeningSize), card: []byte{1, 2}, at: day0.Unix()}
	due := &due{id: book.ID{1}, collect: true, account: "alice", amount: yuan(4)}
	file := guilty{epoch: thisMon, identity: [32]byte{4}, file: []byte{1}}
	return map[string][][]byte{
		"session":  {open.record()},
		"answered": {answered{at: 5}.value()},
		"holder":   {holder.record()},
		"spent":    {claim.record(), paid.record()},
		"note":     {(&note{spent: nodes{1}, back: 3}).record(), (&note{fixed: nodes{2}, claim: claim}).record()},
		"due":      {due.out(&Mint{}).Body},
		"guilty":   {file.record()},
	}
}

// Records read back to the byte; any cut, any byte more and another version are
// refused.
func TestRecordsHaveOneForm(t *testing.T) {
	for name, list := range sampleRecords() {
		read := records[name]
		for _, b := range list {
			if again, err := read(b); err != nil || !bytes.Equal(again, b) {
				t.Errorf("%s: %v\n%x\n%x", name, err, b, again)
			}
			other := append([]byte{recordVersion + 1}, b[1:]...)
			for _, bad := range [][]byte{other, append(bytes.Clone(b), 0), nil} {
				if _, err := read(bad); !errors.Is(err, errRecord) {
					t.Errorf("%s: %x was read: %v", name, bad, err)
				}
			}
			for n := range b {
				if _, err := read(b[:n]); !errors.Is(err, errRecord) {
					t.Errorf("%s: %d bytes of %d were read: %v", name, n, len(b), err)
				}
			}
		}
	}
}

func FuzzRecords(f *testing.F) {
	for _, list := range sampleRecords() {
		for _, b := range list {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for name, read := range records {
			if again, err := read(b); err == nil && !bytes.Equal(again, b) {
				t.Errorf("%s: two forms of one record\n%x\n%x", name, b, again)
			}
		}
	})
}

// A store that holds other things than the mint wrote is not guessed at.
func TestDamagedRecordsAreNamed(t *testing.T) {
	s := newScheme(t)
	alice := s.person("alice", 10)
	k := s.key(brands.KindCoin, 1, "", 0)
	c := alice.commit(k)
	tell := s.mint.teller(&holder{identity: alice.h.Identity(), account: "alice"}, &coinKey{id: k.ID()})
	_, version, err := s.door.Get(t.Context(), s.mint.space(spaceSession), tell.sessionKey())
	check(t, err)
	r, err := s.door.Apply(t.Context(), []book.Command{{ID: book.DeriveID("damage"), Event: eventSession, Date: 20261122,
		Put: []book.Put{{Space: s.mint.space(spaceSession), Key: tell.sessionKey(), Expect: version, Value: []byte{9}}}}})
	check(t, err)
	if r[0].Code != book.OK {
		t.Fatal(r[0].Code)
	}
	_, q := alice.blind(k, c, brands.DeriveBlinding(alice.seed, k.ID(), 1))
	_, err = s.mint.Handle(t.Context(), alice.signed(&coin.Challenge{Items: []coin.ChallengeItem{q}}), s.now)
	if !errors.Is(err, errRecord) || Failure(err).Code != coin.Internal {
		t.Errorf("%v", err)
	}
}

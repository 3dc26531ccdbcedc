package journey

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"jiaozi/crypt/oda"
	"jiaozi/crypt/oda/testkeys"
	"jiaozi/crypt/pin"
	"jiaozi/crypt/vault"
	"jiaozi/node/perso"
	"jiaozi/role/card"
	"jiaozi/role/terminal"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/list"
	"jiaozi/wire/purse"
)

// The stage: one issuer's vault, two prepared cards, one terminal per play. What
// is slow to make is made once and copied.

const (
	aid     = ident.AID("\xA0\x00\x00\x03\x33\x01\x01\x06")
	caIndex = 0xE1
	tid     = ident.TID("JZ000001")
	mid     = ident.MID("JIAOZI000000001")
)

var start = time.Date(2026, 11, 22, 9, 30, 0, 0, clock.Zone)

func yuan(fen money.Minor) money.Amount { return money.New(money.CNY, fen) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// counting is a repeatable source of "random" bytes.
type counting struct{ seed, n uint64 }

func (r *counting) Read(p []byte) (int, error) {
	for i := range p {
		r.n++
		p[i] = sha256.Sum256(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, r.seed), r.n))[0]
	}
	return len(p), nil
}

var cardKeys = vault.KeySet{AC: "imk-ac", MAC: "imk-mac", ENC: "imk-enc"}

// issuerVault holds the keys of the issuer and of the scheme.
var issuerVault = sync.OnceValue(func() *vault.Vault {
	v := vault.New(vault.Options{Test: true, Rand: &counting{seed: 1}})
	check(v.Generate(cardKeys.AC, vault.IMKAC))
	check(v.Generate(cardKeys.MAC, vault.IMKMAC))
	check(v.Generate(cardKeys.ENC, vault.IMKENC))
	check(v.Generate("list", vault.Signing))
	check(v.ImportRSA("ca", vault.RSACA, testkeys.CA()))
	check(v.ImportRSA("rsa", vault.RSAIssuer, testkeys.Issuer()))
	return v
})

func pan(n int) ident.PAN {
	digits := binary.BigEndian.Uint16([]byte{0, byte(n)})
	return must(ident.ParsePAN(ident.WithLuhn("62123400000" + string([]byte{'0' + byte(digits/100), '0' + byte(digits/10%10), '0' + byte(digits%10), '0'}))))
}

// order is an ordinary card: ¥200 on it, ¥150 at a time, PIN above ¥100 on insert.
func order(n int) perso.Order {
	return perso.Order{
		AID: aid, Label: "JIAOZI CASH", Holder: "ZHANG/SAN", PAN: pan(n), PSN: 1,
		Effective: 20260101, Expiry: 20291231, Country: 156, Currency: money.CNY,
		CAIndex: caIndex, DKI: 1, IIN: "621234", PIN: must(pin.Parse("1234")), TryLimit: 3, PINAbove: yuan(100_00),
		Balance: yuan(200_00), BalanceLimit: yuan(1000_00), SingleLimit: yuan(150_00), Threshold: yuan(0),
		RSA: must(testkeys.Card(n)),
	}
}

func issue(o perso.Order) card.RAM {
	keys := perso.Keys{Vault: issuerVault(), Cards: cardKeys, CA: "ca", Issuer: "rsa"}
	return format(must(perso.Build(keys, o)))
}

func format(p card.Profile) card.RAM {
	var m card.RAM
	check(card.Format(&m, p))
	return m
}

// blanks are the cards as they leave the issuer.
var blanks = sync.OnceValue(func() [2]card.RAM { return [2]card.RAM{issue(order(0)), issue(order(1))} })

// plastic is one card in somebody's hand.
type plastic struct {
	memory card.RAM
	card   *card.Card
	random counting
}

func newCard(memory card.RAM) *plastic {
	p := &plastic{memory: memory, random: counting{seed: 2}}
	p.card = must(card.Open(&p.memory, &p.random))
	return p
}

// offer puts the card before the reader.
func (p *plastic) offer(entry purse.Entry) *card.Card {
	side := card.Contactless
	if entry == purse.Contact {
		side = card.Contact
	}
	must(p.card.PowerOn(side))
	return p.card
}

func (p *plastic) evidence() card.Evidence { return p.card.Evidence() }

// disk is a terminal's journal that can fail, and that survives its terminal.
type disk struct {
	entries [][]byte
	appends int
	fault   diskFault
	at      int // the append that the fault meets, from 0
}

type diskFault int

const (
	diskSound     diskFault = iota
	diskLost                // the append fails and nothing is kept
	diskKept                // the append fails, yet the entry is on the disk
	diskDies                // the process dies before the entry is on the disk
	diskDiesAfter           // the process dies after
)

var errDisk = errors.New("the disk failed, by order of the test")

// death is how a process dies in these tests.
type death struct{}

func (d *disk) Append(entry []byte) error {
	n := d.appends
	d.appends++
	if d.fault == diskSound || n != d.at {
		d.entries = append(d.entries, bytes.Clone(entry))
		return nil
	}
	if d.fault == diskKept || d.fault == diskDiesAfter {
		d.entries = append(d.entries, bytes.Clone(entry))
	}
	if d.fault == diskDies || d.fault == diskDiesAfter {
		panic(death{})
	}
	return errDisk
}

func (d *disk) Replay(fn func([]byte) error) error {
	for _, e := range d.entries {
		if err := fn(e); err != nil {
			return err
		}
	}
	return nil
}

func (d *disk) Rewrite(entries [][]byte) error {
	d.entries = slices.Clone(entries)
	return nil
}

// survives runs what may kill the process and tells whether it did not.
func survives(fn func()) (alive bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(death); !ok {
				panic(r)
			}
			alive = false
		}
	}()
	fn()
	return true
}

// blacklist makes a signed edition.
func blacklist(number uint32, cards ...list.Card) []byte {
	l := must(list.Build(1, number, [16]byte{1}, start.Add(-time.Hour), start.Add(30*24*time.Hour), cards))
	return must(list.Append(nil, l, func(msg []byte) ([]byte, error) { return issuerVault().Sign("list", list.Domain, msg) }))
}

func config(profile vault.Profile) terminal.Config {
	ca := testkeys.CA().Public()
	return terminal.Config{
		TID: tid, MID: mid, MerchantName: "南门茶馆 Tea House", Serial: "SN000001",
		Country: 156, Currency: money.CNY, ECLimit: yuan(300_00), TapLimit: yuan(300_00), CVMLimit: yuan(300_00), OfflineOnly: true,
		AIDs: []ident.AID{aid}, CAKeys: []oda.CAKey{{RID: aid.RID(), Index: caIndex, Modulus: ca.Modulus, Exponent: ca.Exponent}},
		ListKey: must(issuerVault().Public("list")),
		Profile: profile, TMK: "tmk", TPK: "tpk", TAK: "tak", TPDU: iso8583.NewTPDU(3, 0),
	}
}

// shop is a terminal with its disk, its host and its clock.
type shop struct {
	t     testing.TB
	cfg   terminal.Config
	disk  *disk
	host  *host
	keys  *vault.Vault
	clock *clock.Manual
	till  *terminal.Terminal
}

// newShop opens a new terminal, signed on and with a list.
func newShop(t testing.TB, profile vault.Profile) *shop {
	t.Helper()
	s := &shop{t: t, cfg: config(profile), disk: &disk{}, clock: clock.NewManual(start)}
	s.keys = vault.New(vault.Options{Test: true, Rand: &counting{seed: 3}})
	s.host = newHost(profile, s.clock)
	tmk := bytes.Repeat([]byte{0x5D, 0xA1}, 8)
	check(s.keys.Import("tmk", profile.Master(), tmk))
	check(s.host.keys.Import("tmk", profile.Master(), tmk))
	s.open()
	if _, err := s.till.SignOn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.till.RefreshList(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// open starts the terminal's process on what is on the disk.
func (s *shop) open() {
	s.t.Helper()
	till, err := terminal.Open(s.cfg, s.disk, s.keys, s.host, s.clock, &counting{seed: uint64(len(s.disk.entries))})
	if err != nil {
		s.t.Fatalf("open the terminal: %v", err)
	}
	s.till = till
}

// arm makes a fault wait for the n-th append from now on.
func (s *shop) arm(fault diskFault, n int) {
	s.disk.fault, s.disk.at, s.disk.appends = fault, n, 0
}

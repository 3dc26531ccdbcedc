package terminal

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"testing"
	"time"

	"jiaozi/crypt/oda"
	"jiaozi/crypt/oda/testkeys"
	"jiaozi/crypt/pin"
	"jiaozi/crypt/vault"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/iso8583"
)

var (
	testAID  = ident.AID("\xA0\x00\x00\x03\x33\x01\x01\x06")
	testTime = time.Date(2026, 11, 22, 9, 30, 0, 0, clock.Zone)
	listKey  = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
)

func yuan(fen money.Minor) money.Amount { return money.New(money.CNY, fen) }

// memory is a journal that forgets nothing.
type memory struct{ entries [][]byte }

func (m *memory) Append(e []byte) error {
	m.entries = append(m.entries, bytes.Clone(e))
	return nil
}

func (m *memory) Replay(fn func([]byte) error) error {
	for _, e := range m.entries {
		if err := fn(e); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Rewrite(entries [][]byte) error {
	m.entries = slices.Clone(entries)
	return nil
}

// still always gives the same number.
type still struct{}

func (still) Read(p []byte) (int, error) { return copy(p, "\x11\x22\x33\x44"), nil }

// silent is a host that nobody reaches; keyless a vault with nothing in it.
type silent struct{}

func (silent) Exchange(context.Context, []byte) ([]byte, error) { return nil, errors.New("no line") }

type keyless struct{}

var errKeyless = errors.New("no keys in this test")

func (keyless) AcceptWorkingKeys(_, _, _ vault.Handle, _ vault.Profile, _ vault.WorkingKeys) error {
	return errKeyless
}
func (keyless) MAC(vault.Handle, []byte) ([8]byte, error)            { return [8]byte{}, errKeyless }
func (keyless) VerifyMAC(vault.Handle, []byte, []byte) (bool, error) { return false, errKeyless }
func (keyless) EncryptPIN(vault.Handle, pin.PIN, ident.PAN) ([8]byte, error) {
	return [8]byte{}, errKeyless
}

// testConfig is the terminal of the scripts.
func testConfig() Config {
	ca := testkeys.CA().Public()
	return Config{
		TID: "JZ000001", MID: "JIAOZI000000001", MerchantName: "南门茶馆 Tea House", Serial: "SN000001",
		Country: 156, Currency: money.CNY, ECLimit: yuan(300_00), TapLimit: yuan(300_00), CVMLimit: yuan(300_00),
		ListFloor: yuan(1000_00), OfflineOnly: true,
		AIDs: []ident.AID{testAID}, CAKeys: []oda.CAKey{{RID: testAID.RID(), Index: 0xE1, Modulus: ca.Modulus, Exponent: ca.Exponent}},
		ListKey: listKey.Public().(ed25519.PublicKey), Profile: vault.Secure, TMK: "tmk", TPK: "tpk", TAK: "tak", TPDU: iso8583.NewTPDU(3, 0),
	}
}

func openTest(t testing.TB, store Store) *Terminal {
	t.Helper()
	till, err := Open(testConfig(), store, keyless{}, silent{}, clock.NewManual(testTime), still{})
	if err != nil {
		t.Fatal(err)
	}
	return till
}

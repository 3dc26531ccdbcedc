package acquirer_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/book/sqlite"
	"jiaozi/crypt/vault"
	"jiaozi/role/acquirer"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/emv"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

const (
	acqInst  = ident.Inst("48010001")
	issInst  = ident.Inst("62123400")
	network  = ident.Inst("90000001")
	tid      = ident.TID("T0000001")
	mid      = ident.MID("M00000000000001")
	zoneMAC  = vault.Handle("zone/mac")
	zonePIN  = vault.Handle("zone/pin")
	signKey  = vault.Handle("acquirer/sign")
	issuerIN = "621234"
)

var (
	morning     = time.Date(2026, 11, 22, 9, 30, 15, 0, clock.Zone)
	clearingKey = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	listKey     = ed25519.NewKeyFromSeed([]byte("the key of the list of the issuer"[:ed25519.SeedSize]))
)

// world is one acquirer on a real book and a real vault, one terminal with a vault
// of its own, and an issuer that does what the test says.
type world struct {
	t      testing.TB
	ledger *book.Ledger
	vault  *vault.Vault // the acquirer's, zone keys included
	pos    *vault.Vault // the terminal's
	issuer *issuer
	acq    *acquirer.Acquirer
	now    time.Time
	secure vault.Profile
}

func newWorld(t testing.TB, profile vault.Profile) *world {
	t.Helper()
	source := rand.NewChaCha8([32]byte{1})
	w := &world{t: t, now: morning, secure: profile,
		vault: vault.New(vault.Options{Test: true, Rand: source}), pos: vault.New(vault.Options{Test: true, Rand: source})}
	w.check(w.vault.Generate(zoneMAC, vault.ZAK))
	w.check(w.vault.Generate(zonePIN, vault.ZPK))
	w.check(w.vault.Generate(signKey, vault.Signing))
	w.issuer = &issuer{t: t, vault: w.vault}
	engine, err := sqlite.Open(filepath.Join(t.TempDir(), "book.db"))
	w.check(err)
	w.ledger, err = book.Open(context.Background(), engine)
	w.check(err)
	t.Cleanup(func() { w.check(w.ledger.Close()) })
	w.open()
	w.check(w.acq.AddMerchant(w.ctx(), acquirer.Merchant{MID: mid, Name: "饺子馆"}, w.now))
	w.addTerminal(tid, profile)
	return w
}

// open makes the acquirer anew on the same book, as after a restart.
func (w *world) open() {
	var err error
	w.acq, err = acquirer.New(acquirer.Config{
		Inst: acqInst, Currency: money.CNY, Issuers: map[ident.Inst]acquirer.Zone{issInst: {MAC: zoneMAC, PIN: zonePIN}},
		Routes: []acquirer.Route{{Prefix: issuerIN, Issuer: issInst}}, Sign: signKey,
		Clearing: network, ClearingKey: clearingKey.Public().(ed25519.PublicKey), ListKey: listKey.Public().(ed25519.PublicKey),
	}, w.ledger.Door(acquirer.Events, acquirer.Spaces), w.vault, w.issuer)
	w.check(err)
}

func (w *world) addTerminal(tid ident.TID, profile vault.Profile) {
	w.t.Helper()
	key := []byte("0123456789abcdef")
	key[0] = tid[7]
	for _, v := range []*vault.Vault{w.vault, w.pos} {
		w.check(v.Import(acquirer.MasterKey(tid), profile.Master(), key))
	}
	w.check(w.acq.AddTerminal(w.ctx(), acquirer.Terminal{TID: tid, MID: mid, Profile: profile}, w.now))
}

func (w *world) ctx() context.Context { return context.Background() }

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func tpk(tid ident.TID) vault.Handle { return vault.Handle("tpk/" + tid) }
func tak(tid ident.TID) vault.Handle { return vault.Handle("tak/" + tid) }

// message starts a request of the terminal.
func (w *world) message(mti iso8583.MTI, stan uint32, f60 iso8583.F60) *iso8583.Message {
	m := &iso8583.Message{MTI: mti}
	m.Set(11, fmt.Sprintf("%06d", stan))
	m.Set(41, string(tid))
	m.Set(42, string(mid))
	if f60.Batch == 0 {
		f60.Batch = 1
	}
	m.Set(60, f60.Digits())
	return m
}

// pack seals a request as the profile wants it and puts it into a frame.
func (w *world) pack(m *iso8583.Message) []byte {
	w.t.Helper()
	var body []byte
	var err error
	if iso8583.POS.MustMAC(m.MTI, w.secure == vault.Secure) {
		body, err = iso8583.POS.Seal(nil, m, func(mab []byte) ([8]byte, error) { return w.pos.MAC(tak(ident.TID(m.Text(41))), mab) })
	} else {
		body, err = iso8583.POS.Append(nil, m)
	}
	w.check(err)
	return iso8583.AppendFrame(nil, iso8583.Frame{TPDU: iso8583.NewTPDU(3, 1), Header: iso8583.DefaultHeader, Body: body})
}

// serve gives the answer to a frame, nil if there is none, and says whether its MAC
// is the host's. An approval without a MAC that the dialect wants fails the test.
func (w *world) serve(frame []byte) (m *iso8583.Message, sealed bool) {
	w.t.Helper()
	raw, err := w.acq.Serve(w.ctx(), frame, w.now)
	w.check(err)
	if raw == nil {
		return nil, false
	}
	back, err := iso8583.DecodeFrame(raw)
	w.check(err)
	if back.TPDU != iso8583.NewTPDU(1, 3) {
		w.t.Fatalf("the answer goes to %X", back.TPDU)
	}
	m = &iso8583.Message{}
	w.check(iso8583.POS.Decode(back.Body, m))
	if !m.Has(64) {
		if code, _ := iso8583.Lookup(m.Text(39)); code.Approved() && iso8583.POS.MustMAC(m.MTI, w.secure == vault.Secure) {
			w.t.Fatalf("an approval without MAC: %v", m)
		}
		return m, false
	}
	mab, mac, err := iso8583.POS.MAB(back.Body)
	w.check(err)
	ok, err := w.pos.VerifyMAC(tak(ident.TID(m.Text(41))), mab, mac)
	w.check(err)
	if !ok {
		w.t.Fatalf("the answer's MAC is wrong: %v", m)
	}
	return m, true
}

func (w *world) send(m *iso8583.Message) *iso8583.Message {
	w.t.Helper()
	answer, _ := w.serve(w.pack(m))
	return answer
}

// expect sends and demands a response code.
func (w *world) expect(m *iso8583.Message, code string) *iso8583.Message {
	w.t.Helper()
	answer := w.send(m)
	if answer == nil || answer.Text(39) != code {
		w.t.Fatalf("%v: got %v %q, want %q", m, answer, answer.Text(39), code)
	}
	return answer
}

// signOn fetches working keys into the terminal's vault.
func (w *world) signOn() *iso8583.Message {
	w.t.Helper()
	m := w.message(0x0800, 1, iso8583.F60{NetCode: iso8583.NetSignOnDouble})
	m.Set(62, iso8583.SignOnText("JZ00000001"))
	m.Set(63, "01 ")
	answer := w.send(m)
	if answer.Text(39) != iso8583.CodeApproved {
		return answer
	}
	k, err := iso8583.ParseKeyField(answer.Bytes(62))
	w.check(err)
	w.check(w.pos.AcceptWorkingKeys(acquirer.MasterKey(tid), tpk(tid), tak(tid), w.secure,
		vault.WorkingKeys{TPK: k.TPK, TAK: k.TAK, TPKKCV: k.TPKCheck, TAKKCV: k.TAKCheck}))
	return answer
}

func pan(t testing.TB, n int) ident.PAN {
	p, err := ident.ParsePAN(ident.WithLuhn(fmt.Sprintf("%s%012d", issuerIN, n)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// payment is what a card and the terminal logged.
func (w *world) payment(stan uint32, atc uint16, fen money.Minor) purse.Record {
	return purse.Record{
		PAN: pan(w.t, 1), PSN: 1, Amount: money.New(money.CNY, fen), Other: money.Zero(money.CNY), When: w.now,
		TID: tid, MID: mid, STAN: stan, Batch: 1, Entry: purse.Contactless, ATC: atc, CID: emv.CID(emv.TC),
		AC: [8]byte{byte(atc >> 8), byte(atc), 3, 4, 5, 6, 7, 8},
		IAD: emv.IAD{DKI: 1, CVN: emv.CVN17, CVR: emv.CVR{0x10}, Alg: emv.Alg3DES, IDD: emv.IDDBalance,
			Value: [5]byte{0, 0, 1, 0, 0}, MAC: [4]byte{1, 2, 3, 4}}.Append(nil),
		UN: [4]byte{9, 9, 9, byte(atc)}, AIP: emv.AIP{0x7C, 0}, Country: 156, Caps: [3]byte{0xE0, 0x40, 0xC8}, ListVersion: 1,
	}
}

// upload is the message of a payment: 0200/36, or a batch detail.
func (w *world) upload(mti iso8583.MTI, r purse.Record) *iso8583.Message {
	f60 := iso8583.F60{Type: iso8583.TypeOfflineUpload, Batch: r.Batch, Cap: 6, Parts: 5}
	if mti == 0x0320 {
		f60 = iso8583.F60{Batch: r.Batch, NetCode: iso8583.NetDetailUnequal}
	}
	m := w.message(mti, r.STAN, f60)
	m.Set(2, r.PAN.Reveal())
	m.Set(3, "000000")
	m.Set(4, fmt.Sprintf("%012d", r.Amount.Minor()))
	m.Set(12, r.When.In(clock.Zone).Format("150405"))
	m.Set(13, r.When.In(clock.Zone).Format("0102"))
	m.Set(22, fmt.Sprintf("%02d1", byte(r.Entry)))
	m.Set(23, fmt.Sprintf("%03d", r.PSN))
	m.Set(25, "00")
	m.Set(49, fmt.Sprintf("%03d", r.Amount.Currency()))
	m.SetBytes(55, r.F55())
	if r.Flag != purse.None {
		m.Set(62, iso8583.FlagField(uint8(r.Flag)))
	}
	return m
}

// service is an online request: a load or a closure.
func (w *world) service(processing string, kind uint8, stan uint32, fen money.Minor) *iso8583.Message {
	m := w.message(0x0200, stan, iso8583.F60{Type: kind, Cap: 5, Parts: 5})
	m.Set(2, pan(w.t, 1).Reveal())
	m.Set(3, processing)
	m.Set(4, fmt.Sprintf("%012d", fen))
	m.Set(22, "051")
	m.Set(23, "001")
	m.Set(25, "91")
	m.Set(49, "156")
	m.SetBytes(55, tlv.Append(nil, emv.TagATC, []byte{0, 7}))
	return m
}

func (w *world) reversal(load *iso8583.Message) *iso8583.Message {
	m := load.Clone()
	m.MTI = 0x0400
	m.Unset(26, 35, 36, 37, 52, 53, 62, 64)
	m.Set(39, iso8583.CodeTimeout)
	return m
}

func (w *world) notice(stan uint32, load *iso8583.Message) *iso8583.Message {
	m := w.message(0x0620, stan, iso8583.F60{NetCode: iso8583.NetScriptResult})
	m.Copy(load, 2, 3, 4, 22, 23, 25, 49)
	original, err := iso8583.ParseF60(load.Text(60))
	w.check(err)
	var loadStan uint32
	_, err = fmt.Sscanf(load.Text(11), "%d", &loadStan)
	w.check(err)
	m.Set(61, iso8583.Original{Batch: original.Batch, STAN: loadStan, Date: 1122}.Digits())
	m.SetBytes(55, tlv.Append(nil, emv.TagScriptResult, []byte{0x21, 0, 0, 0, 0}))
	return m
}

func (w *world) settle(batch uint32, fen money.Minor, count uint16) *iso8583.Message {
	m := w.message(0x0500, 900+batch, iso8583.F60{Batch: batch, NetCode: iso8583.NetSettle})
	digits, err := iso8583.Totals{Home: iso8583.Sums{Debit: fen, DebitCount: count}}.Digits()
	w.check(err)
	m.Set(48, digits)
	return m
}

// issuer is the other end of the interchange.
type issuer struct {
	t     testing.TB
	vault *vault.Vault
	mode  string // "" approves; a code answers that; silent, forged, foreign, stale
	got   []*iso8583.Message
	hook  func() // runs while the acquirer waits
}

var errSilent = errors.New("no answer")

func (i *issuer) Exchange(ctx context.Context, to ident.Inst, raw []byte) ([]byte, error) {
	i.t.Helper()
	m := &iso8583.Message{}
	if err := iso8583.Interchange.Decode(raw, m); err != nil || to != issInst {
		i.t.Fatalf("sent to %s: %v", to, err)
	}
	mab, mac, err := iso8583.Interchange.MAB(raw)
	if err != nil {
		i.t.Fatal(err)
	}
	if ok, err := i.vault.VerifyMAC(zoneMAC, mab, mac); err != nil || !ok {
		i.t.Fatalf("the acquirer's MAC is wrong: %v", err)
	}
	if err := iso8583.Interchange.Validate(m); err != nil {
		i.t.Fatal(err)
	}
	i.got = append(i.got, m)
	if hook := i.hook; hook != nil {
		i.hook = nil
		hook()
	}
	if i.mode == "silent" {
		return nil, errSilent
	}
	return i.answer(m)
}

func (i *issuer) answer(m *iso8583.Message) ([]byte, error) {
	a := &iso8583.Message{MTI: m.MTI.Response()}
	a.Copy(m, 2, 3, 4, 11, 32, 37, 41, 42, 49, 60, 100)
	a.Set(39, iso8583.CodeApproved)
	switch i.mode {
	case "", "forged":
		a.Set(38, "A12345")
		a.SetBytes(55, []byte{0x91, 2, '0', '0'})
	case "foreign":
		a.Set(11, "999999")
	case "stale": // of the batch before, in which the trace number was used as well
		a.Set(60, "22999999")
	default:
		a.Set(39, i.mode)
	}
	return iso8583.Interchange.Seal(nil, a, func(mab []byte) ([8]byte, error) {
		mac, err := i.vault.MAC(zoneMAC, mab)
		if i.mode == "forged" {
			mac[0] ^= 1
		}
		return mac, err
	})
}

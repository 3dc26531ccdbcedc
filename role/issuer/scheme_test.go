package issuer

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/book/chart"
	"jiaozi/book/sqlite"
	"jiaozi/crypt/emvkey"
	"jiaozi/crypt/pin"
	"jiaozi/crypt/vault"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/clearing"
	"jiaozi/wire/emv"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

// The scheme of these tests: one issuer, one acquirer, one terminal, clearing,
// on the real store and the real vault. The card is simulated from its keys,
// because roles never import one another.

const (
	issuerInst   = ident.Inst("62100001")
	acquirerInst = ident.Inst("48010001")
	clearingInst = ident.Inst("00010000")
	account      = "acct-1"
	tid          = ident.TID("T0000001")
	mid          = ident.MID("M00000000000001")
	batch        = 7
)

var (
	day0 = time.Date(2026, 11, 22, 10, 0, 0, 0, clock.Zone)
	pan  = mustPAN("621234567890123")
)

func mustPAN(digits string) ident.PAN {
	p, err := ident.ParsePAN(ident.WithLuhn(digits))
	if err != nil {
		panic(err)
	}
	return p
}

func yuan(m money.Minor) money.Amount { return money.New(money.CNY, m) }

// faultyDoor is a door that fails at its n-th Apply, before or after the book
// has taken the commands; the caller cannot tell which.
type faultyDoor struct {
	Door
	failAt int
	after  bool
	calls  int
	// meanwhile is what others do while the next commands are on their way.
	meanwhile func()
}

var errFault = errors.New("the line to the book broke")

func (d *faultyDoor) Apply(ctx context.Context, cmds []book.Command) ([]book.Result, error) {
	d.calls++
	if others := d.meanwhile; others != nil {
		d.meanwhile = nil
		others()
	}
	if d.calls != d.failAt {
		return d.Door.Apply(ctx, cmds)
	}
	if d.after {
		if _, err := d.Door.Apply(ctx, cmds); err != nil {
			return nil, err
		}
	}
	return nil, errFault
}

type scheme struct {
	t      testing.TB
	ledger *book.Ledger
	door   *faultyDoor
	vault  *vault.Vault
	issuer *Issuer
	now    time.Time
	stan   uint32
	files  uint32
	clrKey ed25519.PrivateKey
}

// masters are the issuer's master keys, which the simulated cards derive from.
func masters() map[vault.Handle][]byte {
	return map[vault.Handle][]byte{"imk-ac": fill(0x11), "imk-mac": fill(0x52)}
}

func fill(seed byte) []byte {
	b := make([]byte, 16)
	for n := range b {
		b[n] = seed + byte(37*n)
	}
	return b
}

// newScheme is a scheme on the store of production.
func newScheme(t testing.TB) *scheme {
	t.Helper()
	engine, err := sqlite.Open(filepath.Join(t.TempDir(), "book"))
	check(t, err)
	return newSchemeOn(t, engine)
}

// quickScheme has no disk: for tests that need dozens of schemes.
func quickScheme(t testing.TB) *scheme { return newSchemeOn(t, &booktest.Memory{}) }

func newSchemeOn(t testing.TB, engine book.Engine) *scheme {
	t.Helper()
	ledger, err := book.Open(t.Context(), engine)
	check(t, err)
	t.Cleanup(func() { check(t, ledger.Close()) })
	s := &scheme{t: t, ledger: ledger, now: day0, vault: newVault(t), clrKey: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32))}
	s.door = &faultyDoor{Door: ledger.Door(Events, Spaces(issuerInst))}
	s.issuer = s.open()
	return s
}

// open makes the issuer anew, as after a crash: it keeps nothing in memory.
func (s *scheme) open() *Issuer {
	s.t.Helper()
	i, err := New(Config{
		Inst: issuerInst, Currency: money.CNY, Country: 156,
		Keys:      Keys{AC: "imk-ac", MAC: "imk-mac", PVK: "pvk", Ref: "ref", Sign: "sign", List: "list"},
		Acquirers: map[ident.Inst]Zone{acquirerInst: {MAC: "zak", PIN: "zpk"}},
		Clearing:  clearingInst, ClearingKey: s.clrKey.Public().(ed25519.PublicKey), ListID: 1,
	}, s.door, s.vault, bytes.NewReader(bytes.Repeat([]byte{1, 2, 3}, 100)))
	check(s.t, err)
	return i
}

func newVault(t testing.TB) *vault.Vault {
	t.Helper()
	v := vault.New(vault.Options{Test: true})
	check(t, v.Import("imk-ac", vault.IMKAC, masters()["imk-ac"]))
	check(t, v.Import("imk-mac", vault.IMKMAC, masters()["imk-mac"]))
	for h, p := range map[vault.Handle]vault.Purpose{
		"pvk": vault.PVK, "ref": vault.Pseudonym, "sign": vault.Signing, "list": vault.Signing, "zak": vault.ZAK, "zpk": vault.ZPK,
	} {
		check(t, v.Generate(h, p))
	}
	return v
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// simCard is a card as the issuer sees one: counter, balance, keys.
type simCard struct {
	t       testing.TB
	pan     ident.PAN
	psn     ident.PSN
	keys    emvkey.CardKeys
	atc     uint16
	balance money.Minor
	scripts int // carried out in the last online transaction
	arqc    [8]byte

	scriptFailed bool // the card refused a script
}

func (s *scheme) card(balance money.Minor) *simCard {
	s.t.Helper()
	check(s.t, s.issuer.Fund(s.t.Context(), book.DeriveID("fund", account), account, yuan(50000), clock.DateOf(s.now)))
	return s.cardOf(pan, balance)
}

func (s *scheme) cardOf(pan ident.PAN, balance money.Minor) *simCard {
	s.t.Helper()
	number, err := pin.Parse("123456")
	check(s.t, err)
	_, err = s.issuer.RegisterCard(s.t.Context(), NewCard{PAN: pan, PSN: 1, Account: account, Expiry: 20301231,
		Limit: yuan(100000), Balance: yuan(balance), PIN: number}, clock.DateOf(s.now))
	check(s.t, err)
	return newSimCard(s.t, pan, balance)
}

func newSimCard(t testing.TB, pan ident.PAN, balance money.Minor) *simCard {
	c := &simCard{t: t, pan: pan, psn: 1, balance: balance}
	ac, err := emvkey.NewKey(masters()["imk-ac"])
	check(t, err)
	mac, err := emvkey.NewKey(masters()["imk-mac"])
	check(t, err)
	c.keys = emvkey.CardKeys{AC: emvkey.CardKey(ac, pan, 1), MAC: emvkey.CardKey(mac, pan, 1)}
	return c
}

// copy is a clone: the same keys and memory in another piece of plastic.
func (c *simCard) copy() *simCard { d := *c; return &d }

// sign fills in what the card computes: the IAD with the MACed balance, and the
// cryptogram.
func (c *simCard) sign(r *purse.Record, cvn byte, first, second emv.Decision, balance money.Minor) {
	var cvr emv.CVR
	cvr.SetFirst(first)
	if first == emv.ARQC && second != emv.ARQC {
		cvr.SetSecond(second)
	}
	cvr.SetScripts(c.scripts)
	if c.scriptFailed {
		cvr.Set(emv.CVRScriptFailed)
	}
	value, err := emv.BalanceValue(yuan(balance))
	check(c.t, err)
	iad := emv.IAD{DKI: 1, CVN: cvn, CVR: cvr, Alg: emv.Alg3DES, IDD: emv.IDDBalance, Value: value,
		MAC: emvkey.BalanceMAC(emvkey.Session(c.keys.MAC, r.ATC), r.ATC, value)}
	r.IAD = iad.Append(nil)
	input, err := purse.ACInput(*r)
	check(c.t, err)
	r.AC = emvkey.AC(emvkey.Session(c.keys.AC, r.ATC), input)
}

// record is the frame of a transaction at the tests' terminal.
func (s *scheme) record(c *simCard, sum money.Minor, kind byte) purse.Record {
	s.stan++
	return purse.Record{
		PAN: c.pan, PSN: c.psn, Amount: yuan(sum), Other: yuan(0), When: s.now.Truncate(time.Second), TID: tid, MID: mid,
		STAN: s.stan, Batch: batch, Entry: purse.Contactless, ATC: c.atc, UN: [4]byte{1, 2, 3, byte(s.stan)},
		TxnType: kind, Country: 156, CID: emv.CID(emv.TC),
	}
}

// tap pays with the card, contactless: the record that the terminal uploads.
func (s *scheme) tap(c *simCard, sum money.Minor) purse.Record {
	c.atc++
	r := s.record(c, sum, 0)
	c.balance -= sum
	c.sign(&r, emv.CVN17, emv.TC, emv.TC, c.balance)
	return r
}

// insert pays by contact, where the cryptogram covers the whole CVR.
func (s *scheme) insert(c *simCard, sum money.Minor) purse.Record {
	c.atc++
	r := s.record(c, sum, 0)
	r.Entry = purse.Contact
	c.balance -= sum
	c.sign(&r, emv.CVN01, emv.TC, emv.TC, c.balance)
	return r
}

// present sends records through clearing and returns the judged details.
func (s *scheme) present(records ...purse.Record) []clearing.Detail {
	s.t.Helper()
	out, err := s.issuer.Present(s.t.Context(), s.file(records...), s.now)
	check(s.t, err)
	return s.decodeOutcome(out)
}

func (s *scheme) file(records ...purse.Record) []byte {
	s.t.Helper()
	s.files++
	f := &clearing.File{Header: clearing.Header{Kind: clearing.Presentment, From: clearingInst, To: issuerInst,
		Date: clock.DateOf(s.now), Sequence: s.files, Currency: money.CNY}}
	for n, r := range records {
		f.Details = append(f.Details, clearing.Detail{Sequence: uint32(n + 1), Acquirer: acquirerInst, Issuer: issuerInst,
			Record: purse.Append(nil, r), Gross: r.Amount})
	}
	b, err := clearing.Append(nil, f, func(msg []byte) ([]byte, error) { return ed25519.Sign(s.clrKey, msg), nil })
	check(s.t, err)
	return b
}

func (s *scheme) decodeOutcome(out []byte) []clearing.Detail {
	s.t.Helper()
	public, err := s.vault.Public("sign")
	check(s.t, err)
	f, err := clearing.Decode(out, func(from ident.Inst, msg, sig []byte) error {
		if from != issuerInst || !ed25519.Verify(public, msg, sig) {
			return errors.New("not the issuer's")
		}
		return nil
	})
	check(s.t, err)
	return f.Details
}

// verdicts renders judged details for comparison: "accepted/approved ...".
func verdicts(details []clearing.Detail) string {
	text := ""
	for n, d := range details {
		if n > 0 {
			text += " "
		}
		text += d.Verdict.String() + "/" + string(d.Reason)
	}
	return text
}

// message begins an interchange message about a record.
func (s *scheme) message(mti iso8583.MTI, code string, r purse.Record) *iso8583.Message {
	m := &iso8583.Message{MTI: mti}
	m.Set(2, r.PAN.Reveal())
	m.Set(3, code)
	m.Set(4, fmt.Sprintf("%012d", r.Amount.Minor()))
	m.Set(11, fmt.Sprintf("%06d", r.STAN))
	m.Set(23, fmt.Sprintf("%03d", r.PSN))
	m.Set(25, "91")
	m.Set(32, string(acquirerInst))
	m.Set(41, string(r.TID))
	m.Set(42, string(r.MID))
	m.Set(49, "156")
	m.Set(60, iso8583.F60{Type: 45, Batch: r.Batch}.Digits())
	m.Set(100, string(issuerInst))
	return m
}

// chip is the online F55: the upload's, without the offline approval.
func chip(r purse.Record) []byte {
	list, err := tlv.Decode(r.F55())
	if err != nil {
		panic(err)
	}
	return tlv.AppendList(nil, list[:len(list)-1])
}

func (s *scheme) seal(m *iso8583.Message) []byte {
	s.t.Helper()
	raw, err := iso8583.Interchange.Seal(nil, m, func(mab []byte) ([8]byte, error) { return s.vault.MAC("zak", mab) })
	check(s.t, err)
	return raw
}

// serve sends a message and opens the answer, whose MAC must verify.
func (s *scheme) serve(raw []byte) *iso8583.Message {
	s.t.Helper()
	answer, err := s.issuer.Serve(s.t.Context(), raw, s.now)
	check(s.t, err)
	return s.opened(answer)
}

func (s *scheme) opened(answer []byte) *iso8583.Message {
	s.t.Helper()
	var m iso8583.Message
	check(s.t, iso8583.Interchange.Decode(answer, &m))
	check(s.t, iso8583.Interchange.Validate(&m))
	mab, mac, err := iso8583.Interchange.MAB(answer)
	check(s.t, err)
	if ok, err := s.vault.VerifyMAC("zak", mab, mac); !ok || err != nil {
		s.t.Fatalf("the answer's MAC does not verify: %v", err)
	}
	return &m
}

// loadRequest makes the ARQC of a load and the request that carries it.
func (s *scheme) loadRequest(c *simCard, code string, sum money.Minor) (purse.Record, *iso8583.Message) {
	c.atc++
	kind, _ := hex.DecodeString(code[:2])
	r := s.record(c, sum, kind[0])
	r.Entry = purse.Contact
	c.sign(&r, emv.CVN01, emv.ARQC, emv.ARQC, c.balance)
	c.arqc = r.AC
	m := s.message(0x0200, code, r)
	m.SetBytes(55, chip(r))
	if code != "630000" && code != "290000" {
		m.SetBytes(52, s.pinBlock("123456", c.pan))
	}
	return r, m
}

func (s *scheme) pinBlock(digits string, pan ident.PAN) []byte {
	s.t.Helper()
	number, err := pin.Parse(digits)
	check(s.t, err)
	check(s.t, removeIfThere(s.vault, "tpk"))
	check(s.t, s.vault.Import("tpk", vault.TPK, fill(0x77)))
	clear, err := s.vault.EncryptPIN("tpk", number, pan)
	check(s.t, err)
	block, err := s.vault.TranslatePIN("tpk", "zpk", clear, pan)
	check(s.t, err)
	return block[:]
}

func removeIfThere(v *vault.Vault, h vault.Handle) error {
	if v.Has(h) {
		return v.Remove(h)
	}
	return nil
}

// take gives the answer of a load to the card: it checks the issuer's cryptogram
// and the script's MAC as a card does, and carries the script out.
func (c *simCard) take(answer *iso8583.Message, arqc [8]byte) {
	c.t.Helper()
	list, err := tlv.Decode(answer.Bytes(55))
	check(c.t, err)
	auth, _ := list.Find(emv.TagIssuerAuth)
	want := emvkey.ARPC(emvkey.Session(c.keys.AC, c.atc), arqc, [2]byte{'0', '0'})
	if len(auth) != 10 || !bytes.Equal(auth[:8], want[:]) || string(auth[8:]) != "00" {
		c.t.Fatal("the issuer's cryptogram does not verify at the card")
	}
	c.scripts = 0
	for _, template := range []tlv.Tag{emv.TagScriptBefore, emv.TagScriptAfter} {
		body, ok := list.Find(template)
		if !ok {
			continue
		}
		commands, err := tlv.Decode(body, emv.TagScriptCommand)
		check(c.t, err)
		for _, cmd := range commands.All(emv.TagScriptCommand) {
			c.script(cmd, arqc)
		}
	}
}

func (c *simCard) script(cmd []byte, arqc [8]byte) {
	c.t.Helper()
	data := cmd[5 : len(cmd)-4]
	mac := emvkey.ScriptMAC(emvkey.Session(c.keys.MAC, c.atc), [5]byte(cmd), c.atc, arqc, data)
	if int(cmd[4]) != len(cmd)-5 || !bytes.Equal(mac[:], cmd[len(cmd)-4:]) {
		c.t.Fatalf("the MAC of script % X does not verify at the card", cmd[:5])
	}
	if cmd[1] == 0xDA {
		balance, err := money.FromN12(money.CNY, data)
		check(c.t, err)
		c.balance = balance.Minor()
	}
	c.scripts++
}

// notice reports the script's result, DF31 first nibble, about a request.
func (s *scheme) notice(about purse.Record, code string, result byte, chip []byte) *iso8583.Message {
	s.stan++
	m := s.message(0x0620, code, about)
	m.Set(11, fmt.Sprintf("%06d", s.stan))
	m.Set(61, iso8583.Original{Batch: about.Batch, STAN: about.STAN, Date: 1122}.Digits())
	m.SetBytes(55, append(tlv.Append(nil, emv.TagScriptResult, []byte{result<<4 | 1, 0, 0, 0, 0}), chip...))
	return m
}

func (s *scheme) reversal(about purse.Record, code string) *iso8583.Message {
	m := s.message(0x0420, code, about)
	m.Set(39, "98")
	return m
}

// money is where everything is: account, card, in flight, owed to the acquirer,
// suspense.
type position struct{ Account, Float, InFlight, Clearing, Suspense money.Minor }

func (s *scheme) position() position { return s.positionOf(pan) }

func (s *scheme) positionOf(pan ident.PAN) position {
	s.t.Helper()
	ref, err := s.vault.CardRef("ref", pan, 1)
	check(s.t, err)
	of := func(a book.Account) money.Minor {
		balance, _, err := s.ledger.Balance(s.t.Context(), a.ID)
		check(s.t, err)
		return balance.Minor()
	}
	p := chart.Pair{Issuer: issuerInst, Acquirer: acquirerInst}
	return position{
		of(chart.Customer(issuerInst, account, money.CNY)), of(chart.Float(issuerInst, ref, money.CNY)),
		of(chart.InFlight(issuerInst, ref, money.CNY)), of(chart.Clearing(p, money.CNY)), of(chart.Suspense(issuerInst, money.CNY)),
	}
}

// holds compares the money, and the register with it.
func (s *scheme) holds(want position) {
	s.t.Helper()
	if got := s.position(); got != want {
		s.t.Errorf("money: %+v, want %+v", got, want)
	}
	if got := s.known(); got.Shadow.Minor() != want.Float {
		s.t.Errorf("the register says %s, the float is %d", got.Shadow, want.Float)
	}
}

func (s *scheme) known() Card {
	s.t.Helper()
	c, _, err := s.issuer.Card(s.t.Context(), pan, 1)
	check(s.t, err)
	return c
}

func (s *scheme) alerts() (kinds []AlertKind) {
	s.t.Helper()
	check(s.t, s.issuer.Alerts(s.t.Context(), func(a Alert) error {
		kinds = append(kinds, a.Kind)
		return nil
	}))
	return kinds
}

func (s *scheme) code(m *iso8583.Message, want string) *iso8583.Message {
	s.t.Helper()
	if got := m.Text(39); got != want {
		s.t.Fatalf("answered %s, want %s", got, want)
	}
	return m
}

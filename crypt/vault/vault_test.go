package vault

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"jiaozi/crypt/brands"
	"jiaozi/crypt/emvkey"
	"jiaozi/crypt/internal/secrettest"
	"jiaozi/crypt/oda"
	"jiaozi/crypt/oda/testkeys"
	"jiaozi/crypt/pin"
	"jiaozi/value/ident"
)

// Each verb with the purposes that it takes for each of its keys.
var verbs = map[string]struct {
	allowed []Purpose
	call    func(v *Vault, h Handle) error
}{
	"PersonaliseCard AC": {[]Purpose{IMKAC}, func(v *Vault, h Handle) error {
		_, err := v.PersonaliseCard(KeySet{h, "imk-mac", "imk-enc"}, somePAN, 0)
		return err
	}},
	"PersonaliseCard MAC": {[]Purpose{IMKMAC}, func(v *Vault, h Handle) error {
		_, err := v.PersonaliseCard(KeySet{"imk-ac", h, "imk-enc"}, somePAN, 0)
		return err
	}},
	"PersonaliseCard ENC": {[]Purpose{IMKENC}, func(v *Vault, h Handle) error {
		_, err := v.PersonaliseCard(KeySet{"imk-ac", "imk-mac", h}, somePAN, 0)
		return err
	}},
	"VerifyAC": {[]Purpose{IMKAC}, func(v *Vault, h Handle) error {
		_, err := v.VerifyAC(h, somePAN, 0, 1, nil, [8]byte{})
		return err
	}},
	"RespondARQC": {[]Purpose{IMKAC}, func(v *Vault, h Handle) error {
		_, err := v.RespondARQC(h, somePAN, 0, 1, [8]byte{}, [2]byte{})
		return err
	}},
	"ScriptMAC": {[]Purpose{IMKMAC}, func(v *Vault, h Handle) error {
		_, err := v.ScriptMAC(h, somePAN, 0, [5]byte{}, 1, [8]byte{}, nil)
		return err
	}},
	"VerifyBalance": {[]Purpose{IMKMAC}, func(v *Vault, h Handle) error {
		_, err := v.VerifyBalance(h, somePAN, 0, 1, [5]byte{}, [4]byte{})
		return err
	}},
	"CardRef": {[]Purpose{Pseudonym}, func(v *Vault, h Handle) error {
		_, err := v.CardRef(h, somePAN, 0)
		return err
	}},
	"MAC": {[]Purpose{TAKCUP, TAKSecure, ZAK}, func(v *Vault, h Handle) error {
		_, err := v.MAC(h, nil)
		return err
	}},
	"VerifyMAC": {[]Purpose{TAKCUP, TAKSecure, ZAK}, func(v *Vault, h Handle) error {
		_, err := v.VerifyMAC(h, nil, nil)
		return err
	}},
	"EncryptPIN": {[]Purpose{TPK}, func(v *Vault, h Handle) error {
		_, err := v.EncryptPIN(h, somePIN, somePAN)
		return err
	}},
	"TranslatePIN to": {[]Purpose{ZPK}, func(v *Vault, h Handle) error {
		block, err := v.EncryptPIN("tpk", somePIN, somePAN)
		if err != nil {
			return err
		}
		_, err = v.TranslatePIN("tpk", h, block, somePAN)
		return err
	}},
	"SetPIN": {[]Purpose{PVK}, func(v *Vault, h Handle) error {
		_, err := v.SetPIN(h, somePIN, somePAN)
		return err
	}},
	"VerifyPIN reference": {[]Purpose{PVK}, func(v *Vault, h Handle) error {
		block, err := v.EncryptPIN("tpk", somePIN, somePAN)
		if err != nil {
			return err
		}
		_, err = v.VerifyPIN("tpk", block, somePAN, h, nil)
		return err
	}},
	"Sign": {[]Purpose{Signing}, func(v *Vault, h Handle) error {
		_, err := v.Sign(h, "x", []byte("xy"))
		return err
	}},
	"Public": {[]Purpose{Signing}, func(v *Vault, h Handle) error {
		_, err := v.Public(h)
		return err
	}},
	"RSAPublic": {[]Purpose{RSACA, RSAIssuer}, func(v *Vault, h Handle) error {
		_, err := v.RSAPublic(h)
		return err
	}},
	"CertifyIssuer by": {[]Purpose{RSACA}, func(v *Vault, h Handle) error {
		_, err := v.CertifyIssuer(h, "rsa-issuer", oda.IssuerCertInput{IIN: "621234", Expiry: 20301231})
		return err
	}},
	"CertifyIssuer of": {[]Purpose{RSAIssuer}, func(v *Vault, h Handle) error {
		_, err := v.CertifyIssuer("rsa-ca", h, oda.IssuerCertInput{IIN: "621234", Expiry: 20301231})
		return err
	}},
	"CertifyCard": {[]Purpose{RSAIssuer}, func(v *Vault, h Handle) error {
		_, err := v.CertifyCard(h, oda.ICCCertInput{PAN: somePAN, Expiry: 20301231, Key: testkeys.Issuer().Public()})
		return err
	}},
	"CoinPublic": {[]Purpose{CoinKey}, func(v *Vault, h Handle) error {
		_, err := v.CoinPublic(h)
		return err
	}},
	"CoinCommit": {[]Purpose{CoinKey}, func(v *Vault, h Handle) error {
		_, err := v.CoinCommit(h, brands.Digest{1}, someHolder(), true)
		return err
	}},
	"CoinRespond": {[]Purpose{CoinKey}, func(v *Vault, h Handle) error {
		_, err := v.CoinRespond(h, brands.Digest{1}, someHolder(), brands.Scalar{})
		return err
	}},
	"IssueWorkingKeys cup": {[]Purpose{TMKCUP}, func(v *Vault, h Handle) error {
		_, err := v.IssueWorkingKeys(h, "new/tpk", "new/tak", CUP)
		_, _ = v.Remove("new/tpk"), v.Remove("new/tak")
		return err
	}},
	"IssueWorkingKeys secure": {[]Purpose{TMKSecure}, func(v *Vault, h Handle) error {
		_, err := v.IssueWorkingKeys(h, "new/tpk", "new/tak", Secure)
		_, _ = v.Remove("new/tpk"), v.Remove("new/tak")
		return err
	}},
	"IssueWorkingKeys onto a PIN key": {[]Purpose{TPK}, func(v *Vault, h Handle) error {
		_, err := v.IssueWorkingKeys("tmk-cup", h, "new/tak", CUP)
		_ = v.Remove("new/tak")
		return err
	}},
	"IssueWorkingKeys onto a MAC key": {[]Purpose{TAKSecure}, func(v *Vault, h Handle) error {
		_, err := v.IssueWorkingKeys("tmk-secure", "new/tpk", h, Secure)
		_ = v.Remove("new/tpk")
		return err
	}},
}

var (
	somePAN ident.PAN
	somePIN pin.PIN
)

// full is a vault with a key of every purpose under its purpose's name.
func full(t testing.TB, test bool) *Vault {
	t.Helper()
	somePAN = pan(t)
	var err error
	somePIN, err = pin.Parse("739182")
	mustDo(t, err)
	v := seeded(1, test)
	for p := range Purpose(len(specs)) {
		switch {
		case !p.known():
		case p == RSACA:
			mustDo(t, v.ImportRSA(Handle(p.String()), p, testkeys.CA()))
		case p == CoinKey:
			mustDo(t, v.GenerateCoin(Handle(p.String()), someCoin))
		case p == RSAIssuer:
			mustDo(t, v.ImportRSA(Handle(p.String()), p, testkeys.Issuer()))
		default:
			mustDo(t, v.Generate(Handle(p.String()), p))
		}
	}
	return v
}

func TestKeyServesItsPurposeAndNoOther(t *testing.T) {
	v := full(t, true)
	for name, verb := range verbs {
		for p := range Purpose(len(specs)) {
			if !p.known() {
				continue
			}
			err := verb.call(v, Handle(p.String()))
			if slices.Contains(verb.allowed, p) {
				if err != nil {
					t.Errorf("%s with a key of purpose %s: %v", name, p, err)
				}
			} else {
				expectError(t, fmt.Sprintf("%s with a key of purpose %s", name, p), err, ErrPurpose)
			}
		}
	}
}

func TestAbsentKeyIsNamed(t *testing.T) {
	v := full(t, true)
	for name, verb := range verbs {
		if strings.Contains(name, "onto") {
			continue // there, an absent key is made
		}
		expectError(t, name, verb.call(v, "absent"), ErrNoKey)
	}
	expectError(t, "KCV", func() error { _, err := v.KCV("absent"); return err }(), ErrNoKey)
	expectError(t, "Remove", v.Remove("absent"), ErrNoKey)
}

func TestHandleIsTakenOnceUntilRemoved(t *testing.T) {
	v := seeded(2, false)
	mustDo(t, v.Generate("tpk/T0000001", TPK))
	expectError(t, "generate again", v.Generate("tpk/T0000001", TPK), ErrExists)
	expectError(t, "import again", v.Import("tpk/T0000001", ZPK, []byte("an unguessed key")), ErrExists)
	mustDo(t, v.Remove("tpk/T0000001"))
	if v.Has("tpk/T0000001") {
		t.Error("a removed key is still there")
	}
	mustDo(t, v.Import("tpk/T0000001", ZPK, []byte("an unguessed key")))
}

func TestHandlesAreBoundedAndPlain(t *testing.T) {
	v := seeded(3, false)
	for _, h := range []Handle{"", "with space", "new\nline", "密钥", Handle(strings.Repeat("x", 65))} {
		if err := v.Generate(h, TPK); err == nil {
			t.Errorf("handle %q was taken", h)
		}
	}
}

func TestImportTakesTheLengthsOfThePurpose(t *testing.T) {
	v := seeded(4, true)
	for p := range Purpose(len(specs)) {
		if !p.known() || p.isRSA() {
			continue
		}
		for n := range 40 {
			raw := make([]byte, n)
			for i := range raw {
				raw[i] = byte(i*i + 3)
			}
			err := v.Import("k", p, raw)
			if want := slices.Contains(specs[p].sizes, n); (err == nil) != want {
				t.Errorf("%s of %d bytes: %v", p, n, err)
			}
			_ = v.Remove("k")
		}
	}
	for _, p := range []Purpose{0, 16, 255} {
		if err := v.Import("k", p, make([]byte, 16)); err == nil {
			t.Errorf("purpose %d was taken", p)
		}
		if err := v.Generate("k", p); err == nil {
			t.Errorf("purpose %d was generated", p)
		}
	}
	expectError(t, "RSA key as a PIN key", v.GenerateRSA("k", TPK, 1024), ErrPurpose)
	if v.Generate("k", RSACA) == nil || v.GenerateRSA("k", RSACA, 512) == nil || v.Import("k", RSACA, make([]byte, 16)) == nil {
		t.Error("a bad RSA key was taken")
	}
}

func TestPublishedAndPatternedKeysAreForTestSchemes(t *testing.T) {
	for _, c := range []struct {
		why string
		p   Purpose
		key string
	}{
		{"master key of the EMV vectors", IMKAC, "0123456789ABCDEFFEDCBA9876543210"},
		{"script key of the EMV vectors", IMKMAC, "FEDCBA98765432100123456789ABCDEF"},
		{"confidentiality key of the EMV vectors", IMKENC, "89ABCDEF0123456776543210FEDCBA98"},
		{"the same with other parity bits", IMKAC, "0022446688AACCEEFEDCBA9876543210"},
		{"published terminal master key", TMKCUP, "70F2A84CCBC2AE8625CBB0F2C22AB923"},
		{"published MAC key", TAKCUP, "55036372B17543ECB173730768B8D6C4"},
		{"published single key as a half", TAKCUP, "C24A8FB57AA20123D54A8FB57AA20124"},
		{"zeros", ZPK, "00000000000000000000000000000000"},
		{"all bytes equal", ZAK, "37373737373737373737373737373737"},
		{"all ones", TMKSecure, "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"},
		{"equal halves", TPK, "C1D2E3F4057698A2C1D2E3F4057698A2"},
		{"equal parts apart", TMKSecure, "C1D2E3F4057698A2000102030405060FC1D2E3F4057698A2"},
		{"counting up", TMKSecure, "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"},
		{"counting up in one half", TPK, "404142434445464748F1A3C96B2D7E05"},
		{"keyboard row", IMKAC, "11223344556677888877665544332211"},
		{"weak half", TPK, "0101010101010101C1D2E3F4057698A2"},
		{"semi-weak half", TPK, "C1D2E3F4057698A201FE01FE01FE01FE"},
		{"the AES key of FIPS 197 and RFC 4493", ZAK, "2B7E151628AED2A6ABF7158809CF4F3C"},
		{"signing seed of RFC 8032", Signing, "9D61B19DEFFD5A60BA844AF492EC2CC44449C5697B326919703BAC031CAE7F60"},
		{"a pattern as PIN verification key", PVK, "5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A"},
	} {
		expectError(t, c.why, seeded(5, false).Import("k", c.p, unhex(t, c.key)), ErrTestKey)
		if err := seeded(5, true).Import("k", c.p, unhex(t, c.key)); err != nil {
			t.Errorf("%s in a test scheme: %v", c.why, err)
		}
	}
	expectError(t, "stored RSA key", seeded(5, false).ImportRSA("k", RSACA, testkeys.CA()), ErrTestKey)
	mustDo(t, seeded(5, false).GenerateRSA("k", RSAIssuer, 1024))
}

func TestRandomKeysAreWelcomeInProduction(t *testing.T) {
	v := seeded(6, false)
	for i := range 500 {
		mustDo(t, v.Generate(Handle(fmt.Sprintf("tpk/%d", i)), TPK))
	}
}

func TestSeededVaultRepeats(t *testing.T) {
	a, b, c := seeded(7, false), seeded(7, false), seeded(8, false)
	for _, v := range []*Vault{a, b, c} {
		mustDo(t, v.Generate("s", Signing))
		mustDo(t, v.Generate("k", IMKAC))
	}
	if !bytes.Equal(a.encode(), b.encode()) || bytes.Equal(a.encode(), c.encode()) {
		t.Error("keys do not follow from the seed")
	}
	short := New(Options{Rand: strings.NewReader("too short")})
	if err := short.Generate("k", TPK); err == nil || short.Has("k") {
		t.Error("a key was made without randomness")
	}
}

func TestVaultAndItsErrorsShowNoSecret(t *testing.T) {
	v := full(t, true)
	_, err := v.PersonaliseCard(KeySet{"imk-ac", "imk-mac", "imk-enc"}, somePAN, 0)
	mustDo(t, err)
	type owner struct{ keys *Vault }
	for h, e := range v.keys {
		secret := e.raw
		if e.purpose.isRSA() {
			secret = e.raw[len(e.raw)/2:]
		}
		if e.purpose == CoinKey {
			secret = e.raw[:brands.Size] // what follows is public
		}
		secrettest.Check(t, owner{keys: v}, secret)
		if p := e.purpose; !p.isRSA() {
			err := seeded(9, false).Import(h, p, append([]byte("x"), secret...))
			secrettest.Check(t, err, secret)
		}
	}
	secrettest.Check(t, owner{keys: v}, []byte(somePAN.Reveal()))
	_, err = v.TranslatePIN("tpk", "zpk", [8]byte{1}, somePAN)
	secrettest.Check(t, err, []byte(somePAN.Reveal()))
	if got := fmt.Sprintf("%+v", v); got != "vault(16 keys, test true)" {
		t.Errorf("a vault prints %s", got)
	}
}

func TestCheckValueOf3DESIsTheFieldsOwn(t *testing.T) {
	v := seeded(10, true)
	mustDo(t, v.Import("imk", IMKAC, unhex(t, "0123456789ABCDEFFEDCBA9876543210")))
	mustDo(t, v.Import("tpk", TPK, unhex(t, "0123456789ABCDEFFEDCBA9876543210")))
	for _, h := range []Handle{"imk", "tpk"} {
		if kcv, err := v.KCV(h); err != nil || kcv != [3]byte{0x08, 0xD7, 0xB4} {
			t.Errorf("%s: %X, %v", h, kcv, err)
		}
	}
}

func TestVaultServesManyAtOnce(t *testing.T) {
	v := full(t, true)
	keys, err := v.PersonaliseCard(KeySet{"imk-ac", "imk-mac", "imk-enc"}, somePAN, 0)
	mustDo(t, err)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			own := Handle(fmt.Sprintf("own/%d", worker))
			for i := range 50 {
				data := binary.BigEndian.AppendUint32(nil, uint32(worker*1000+i))
				ac := emvkey.AC(emvkey.Session(keys.AC, uint16(i)), data)
				if ok, err := v.VerifyAC("imk-ac", somePAN, 0, uint16(i), data, ac); err != nil || !ok {
					t.Errorf("a genuine cryptogram was refused: %v", err)
				}
				if err := v.Generate(own, ZAK); err != nil {
					t.Error(err)
				}
				if _, err := v.MAC(own, data); err != nil {
					t.Error(err)
				}
				if err := v.Remove(own); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func TestEveryKeyHasACheckValueOfItsOwn(t *testing.T) {
	v := full(t, true)
	seen := map[[3]byte]Handle{}
	for h := range v.keys {
		kcv, err := v.KCV(h)
		mustDo(t, err)
		if other, twice := seen[kcv]; twice {
			t.Errorf("%s and %s share the check value %X", h, other, kcv)
		}
		seen[kcv] = h
	}
}

func TestVaultIsBounded(t *testing.T) {
	v := seeded(11, false)
	mustDo(t, v.Generate("k", TPK))
	for i := range maxKeys - 2 {
		v.keys[Handle(fmt.Sprint(i))] = v.keys["k"]
	}
	if err := v.Generate("one.more", TPK); err == nil {
		t.Error("the vault took a key beyond its bound")
	}
}

func TestLongHandleIsClippedInErrors(t *testing.T) {
	v := seeded(12, false)
	if err := v.Remove(Handle(strings.Repeat("x", 5000))); len(err.Error()) > 300 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/ed25519"
	"strings"
	"testing"

	"jiaozi/crypt/pin"
	"jiaozi/value/ident"
)

// desk is a host and a terminal that share a master key.
func desk(t *testing.T, p Profile) (host, terminal *Vault) {
	t.Helper()
	host, terminal = seeded(1, true), seeded(2, true)
	tmk := bytes.Repeat([]byte{0xC1, 0x52, 0x37, 0x84}, 4)
	mustDo(t, host.Import("tmk", p.Master(), tmk))
	mustDo(t, terminal.Import("tmk", p.Master(), tmk))
	return host, terminal
}

func TestTerminalAcceptsTheKeysItsHostIssued(t *testing.T) {
	for p, size := range map[Profile]int{CUP: 16, Secure: 24} {
		host, terminal := desk(t, p)
		for day := range 2 {
			keys, err := host.IssueWorkingKeys("tmk", "tpk", "tak", p)
			mustDo(t, err)
			if len(keys.TPK) != size || len(keys.TAK) != size {
				t.Errorf("%s: wrapped keys of %d and %d bytes", p, len(keys.TPK), len(keys.TAK))
			}
			mustDo(t, terminal.AcceptWorkingKeys("tmk", "tpk", "tak", p, keys))
			mac, err := terminal.MAC("tak", []byte("message"))
			mustDo(t, err)
			if ok, err := host.VerifyMAC("tak", []byte("message"), mac[:]); err != nil || !ok {
				t.Errorf("%s, day %d: the host refuses the terminal's MAC: %v", p, day, err)
			}
		}
	}
}

func TestAlteredWorkingKeysLeaveTheOldOnes(t *testing.T) {
	for _, p := range []Profile{CUP, Secure} {
		host, terminal := desk(t, p)
		old, err := host.IssueWorkingKeys("tmk", "tpk", "tak", p)
		mustDo(t, err)
		mustDo(t, terminal.AcceptWorkingKeys("tmk", "tpk", "tak", p, old))
		before := terminal.encode()
		fresh, err := host.IssueWorkingKeys("tmk", "tpk", "tak", p)
		mustDo(t, err)
		for name, field := range map[string][]byte{
			"TPK": fresh.TPK, "TAK": fresh.TAK, "TPK check": fresh.TPKKCV[:], "TAK check": fresh.TAKKCV[:],
		} {
			for i := range field {
				field[i] ^= 0x80
				expectError(t, p.String()+" "+name, terminal.AcceptWorkingKeys("tmk", "tpk", "tak", p, fresh), ErrKCV)
				field[i] ^= 0x80
			}
		}
		for _, cut := range []WorkingKeys{{}, {TPK: fresh.TPK[:8], TAK: fresh.TAK}, {TPK: fresh.TPK, TAK: fresh.TAK[:8], TPKKCV: fresh.TPKKCV}} {
			if err := terminal.AcceptWorkingKeys("tmk", "tpk", "tak", p, cut); err == nil {
				t.Errorf("%s: keys cut short were taken", p)
			}
		}
		if !bytes.Equal(terminal.encode(), before) {
			t.Errorf("%s: refused keys changed the vault", p)
		}
	}
}

func TestWorkingKeysNeedTwoHandlesAndAProfile(t *testing.T) {
	host, _ := desk(t, CUP)
	_, err := host.IssueWorkingKeys("tmk", "same", "same", CUP)
	expectError(t, "one handle", err, ErrExists)
	if _, err := host.IssueWorkingKeys("tmk", "tpk", "tak", 0); err == nil {
		t.Error("keys of no profile were issued")
	}
	if _, err := host.IssueWorkingKeys("tmk", "bad handle", "tak", CUP); err == nil || host.Has("tak") {
		t.Error("one key was stored without the other")
	}
	for _, p := range []Profile{CUP, Secure} {
		if got, err := ParseProfile(p.String()); err != nil || got != p {
			t.Errorf("%s: %v", p, err)
		}
	}
	if _, err := ParseProfile("open"); err == nil {
		t.Error("an unknown profile was read")
	}
}

// RFC 3394, 4.1, 4.2 and 4.3: sixteen bytes under AES of three sizes.
func TestPublishedKeyWrap(t *testing.T) {
	const kek = "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"
	data := unhex(t, "00112233445566778899AABBCCDDEEFF")
	for n, want := range map[int]string{
		16: "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5",
		24: "96778B25AE6CA435F92B5B97C050AED2468AB8A17AD84E5D",
		32: "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7",
	} {
		block, err := aes.NewCipher(unhex(t, kek)[:n])
		mustDo(t, err)
		k := &aesKey{block: block}
		if got := k.wrap(data); !bytes.Equal(got, unhex(t, want)) {
			t.Errorf("AES-%d: wrapped %X", 8*n, got)
		}
		back, err := k.unwrap(unhex(t, want))
		if err != nil || !bytes.Equal(back, data) {
			t.Errorf("AES-%d: not unwrapped: %v", 8*n, err)
		}
	}
}

// The MAC vector of the dialect through the vault: field 64 as it travels.
func TestPublishedFieldThroughTheVault(t *testing.T) {
	v := seeded(1, true)
	mustDo(t, v.Import("tak", TAKCUP, unhex(t, "55036372B17543ECB173730768B8D6C4")))
	folded := unhex(t, "1212B04E1227809C") // a message that folds to the published block
	mac, err := v.MAC("tak", folded)
	if err != nil || string(mac[:]) != "5FE058DB" {
		t.Errorf("field 64 is %s: %v", mac, err)
	}
}

func TestWrongMACIsAnAnswerNotAFault(t *testing.T) {
	v := full(t, true)
	for _, h := range []Handle{"tak-cup", "tak-secure", "zak"} {
		mac, err := v.MAC(h, []byte("message"))
		mustDo(t, err)
		for _, bad := range [][]byte{nil, mac[:7], append(mac[:], 0), {1, 2, 3, 4, 5, 6, 7, 8}} {
			if ok, err := v.VerifyMAC(h, []byte("message"), bad); ok || err != nil {
				t.Errorf("%s: MAC %x: %t, %v", h, bad, ok, err)
			}
		}
	}
}

func TestPINTravelsFromTerminalToIssuer(t *testing.T) {
	v := full(t, true)
	mustDo(t, v.Generate("zpk2", ZPK))
	ref, err := v.SetPIN("pvk", somePIN, somePAN)
	mustDo(t, err)
	wrong, err := pin.Parse("739183")
	mustDo(t, err)
	for _, c := range []struct {
		entered pin.PIN
		want    bool
	}{{somePIN, true}, {wrong, false}} {
		block, err := v.EncryptPIN("tpk", c.entered, somePAN)
		mustDo(t, err)
		block, err = v.TranslatePIN("tpk", "zpk", block, somePAN)
		mustDo(t, err)
		block, err = v.TranslatePIN("zpk", "zpk2", block, somePAN)
		mustDo(t, err)
		if ok, err := v.VerifyPIN("zpk2", block, somePAN, "pvk", ref); err != nil || ok != c.want {
			t.Errorf("entered PIN right %t: verified %t, %v", c.want, ok, err)
		}
		_, err = v.VerifyPIN("zpk", block, somePAN, "pvk", ref)
		expectError(t, "under another key", err, pin.ErrBlock)
	}
}

func TestPINBlockIsBoundToItsCard(t *testing.T) {
	v := full(t, true)
	other, err := ident.ParsePAN(ident.WithLuhn("699999999999999"))
	mustDo(t, err)
	block, err := v.EncryptPIN("tpk", somePIN, somePAN)
	mustDo(t, err)
	_, err = v.TranslatePIN("tpk", "zpk", block, other)
	expectError(t, "another card's block", err, pin.ErrBlock)
	_, err = v.TranslatePIN("tpk", "zpk", block, ident.PAN{})
	expectError(t, "no card", err, ErrNoPAN)
	ref, err := v.SetPIN("pvk", somePIN, other)
	mustDo(t, err)
	if ok, err := v.VerifyPIN("tpk", block, somePAN, "pvk", ref); err != nil || ok {
		t.Errorf("another card's reference fits: %v", err)
	}
	for _, ref := range [][]byte{nil, ref[:31]} {
		if ok, err := v.VerifyPIN("tpk", block, somePAN, "pvk", ref); err != nil || ok {
			t.Errorf("a reference of %d bytes fits: %v", len(ref), err)
		}
	}
	_, err = v.EncryptPIN("tpk", pin.PIN{}, somePAN)
	expectError(t, "no PIN", err, pin.ErrPIN)
	_, err = v.SetPIN("pvk", somePIN, ident.PAN{})
	expectError(t, "no card for the reference", err, ErrNoPAN)
}

func TestSignatureIsBoundToItsDomain(t *testing.T) {
	v := full(t, true)
	msg := []byte("LIST1 the rest")
	sig, err := v.Sign("signing", "LIST1", msg)
	mustDo(t, err)
	public, err := v.Public("signing")
	mustDo(t, err)
	if !ed25519.Verify(public, msg, sig) || ed25519.Verify(public, []byte(strings.ToUpper(string(msg))), sig) {
		t.Error("the signature does not stand")
	}
	for domain, msg := range map[string]string{"": "anything", "LIST1": "FILE1 a settlement", "LONGER THAN": "LONG"} {
		_, err := v.Sign("signing", domain, []byte(msg))
		expectError(t, domain, err, ErrDomain)
	}
}

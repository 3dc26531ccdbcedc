package oda

import (
	"bytes"
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"testing"

	"jiaozi/value/ident"
)

type publishedCA struct{ Name, RID, Index, Modulus, Exponent, SHA1 string }

func publishedCAs(t *testing.T) map[string]CAKey {
	t.Helper()
	var file struct{ Keys []publishedCA }
	load(t, "testdata/ca_keys.json", &file)
	keys := map[string]CAKey{}
	for _, k := range file.Keys {
		keys[k.Name] = CAKey{
			RID: [5]byte(unhex(t, k.RID)), Index: unhex(t, k.Index)[0],
			Modulus: unhex(t, k.Modulus), Exponent: unhex(t, k.Exponent),
		}
		if sum := keys[k.Name].Checksum(); !bytes.Equal(sum[:], unhex(t, k.SHA1)) {
			t.Errorf("%s: checksum %X, published %s", k.Name, sum, k.SHA1)
		}
		short := k.Name == "amex_04" // 768 bits, long withdrawn
		if err := keys[k.Name].Public().Check(); (err != nil) != short {
			t.Errorf("%s: %v", k.Name, err)
		}
	}
	return keys
}

func TestPublishedCAKeysHaveTheirChecksums(t *testing.T) {
	if keys := publishedCAs(t); len(keys) != 36 {
		t.Errorf("%d keys were read", len(keys))
	}
}

type publishedChain struct {
	IssuerCert      string `json:"issuer_cert"`
	IssuerModulus   string `json:"issuer_modulus"`
	ICCCert         string `json:"icc_cert"`
	ICCRemainder    string `json:"icc_remainder"`
	ICCModulusBegin string `json:"icc_modulus_begin"`
	ShortIssuerCert string `json:"short_issuer_cert"`
}

func TestPublishedChain(t *testing.T) {
	var file publishedChain
	load(t, "testdata/chain.json", &file)
	pan, err := ident.ParsePAN("4761739001010119")
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := RecoverIssuer(publishedCAs(t)["visa_94"], unhex(t, file.IssuerCert), nil, []byte{3}, pan, 20261122)
	if err != nil {
		t.Fatal(err)
	}
	if !issuer.Equal(PublicKey{unhex(t, file.IssuerModulus), []byte{3}}) {
		t.Error("another issuer key was recovered")
	}
	if _, err := RecoverIssuer(publishedCAs(t)["visa_94"], unhex(t, file.IssuerCert), nil, []byte{3}, pan, 20320101); reason(err) != Expired {
		t.Errorf("after December 2031: %v", err)
	}
	// The static data under the card certificate is not published, so its hash
	// must fail; everything else in it is known.
	cert, rest := unhex(t, file.ICCCert), unhex(t, file.ICCRemainder)
	if _, err := RecoverICC(issuer, cert, rest, []byte{3}, nil, pan, 20211122); reason(err) != BadHash {
		t.Errorf("without its static data: %v", err)
	}
	content, _, err := open(iccCert, issuer, cert, formatICC)
	if err != nil {
		t.Fatal(err)
	}
	if want := unhex(t, "044761739001010119FFFF12220000010101B001"); !bytes.Equal(content[:20], want) {
		t.Errorf("content begins %X, want %X", content[:20], want)
	}
	key, why := assemble(int(content[18]), int(content[19]), content[20:], rest, []byte{3})
	if why != "" || !bytes.HasPrefix(key.Modulus, unhex(t, file.ICCModulusBegin)) || !bytes.HasSuffix(key.Modulus, rest) {
		t.Errorf("card key not assembled: %s", why)
	}
}

func TestPublishedChainOfA896BitIssuerIsBelowTheFloor(t *testing.T) {
	var file publishedChain
	load(t, "testdata/chain.json", &file)
	pan, err := ident.ParsePAN("5413330089020011")
	if err != nil {
		t.Fatal(err)
	}
	_, err = RecoverIssuer(publishedCAs(t)["mastercard_F1"], unhex(t, file.ShortIssuerCert), nil, []byte{3}, pan, 20250506)
	if reason(err) != BadKeyLength {
		t.Errorf("got %v", err)
	}
}

// Signed by the right key, yet wrong inside: only an issuer's software can make
// these, and it has.
func TestWellSignedNonsenseIsRefused(t *testing.T) {
	k := generated(t)
	pub := k.Public()
	good := func() []byte {
		content := append([]byte{formatICC}, filledDigits("6212345678901232", 10)...)
		content = append(content, 0x12, 0x30, 0, 0, 1, algSHA1, algRSA, byte(len(pub.Modulus)), byte(len(pub.Exponent)))
		return append(content, pub.Modulus[:k.Size()-frame-20]...)
	}
	pan, err := ident.UncheckedPAN("6212345678901232")
	if err != nil {
		t.Fatal(err)
	}
	remainder := pub.Modulus[k.Size()-frame-20:]
	for _, c := range []struct {
		why       string
		at        int
		value     byte
		remainder []byte
		exponent  []byte
		want      Reason
	}{
		{"good", 0, formatICC, remainder, pub.Exponent, ""},
		{"format of an issuer", 0, formatIss, remainder, pub.Exponent, NotRecovered},
		{"month 13", 11, 0x13, remainder, pub.Exponent, BadDate},
		{"month not BCD", 11, 0x1A, remainder, pub.Exponent, BadDate},
		{"expired", 12, 0x20, remainder, pub.Exponent, Expired},
		{"hash algorithm 02", 16, 2, remainder, pub.Exponent, BadAlgorithm},
		{"key algorithm 02", 17, 2, remainder, pub.Exponent, BadAlgorithm},
		{"key of 127 bytes", 18, 127, remainder, pub.Exponent, BadKeyLength},
		{"key of 249 bytes", 18, 249, remainder, pub.Exponent, BadKeyLength},
		{"key longer than its parts", 18, 140, remainder, pub.Exponent, BadRemainder},
		{"exponent length 1", 19, 1, remainder, pub.Exponent, BadExponent},
		{"remainder empty", 0, formatICC, nil, pub.Exponent, BadRemainder},
		{"exponent 17", 19, 1, remainder, []byte{17}, BadExponent},
		{"exponent with a leading zero", 19, 2, remainder, []byte{0, 3}, BadExponent},
		{"no exponent", 19, 0, remainder, nil, BadExponent},
		{"certified key even", 0, formatICC, even(remainder), pub.Exponent, BadKeyLength},
	} {
		content := good()
		content[c.at] = c.value
		cert, err := sign(k, content, c.remainder, c.exponent)
		if err != nil {
			t.Fatal(err)
		}
		_, err = RecoverICC(pub, cert, c.remainder, c.exponent, nil, pan, 20261122)
		if reason(err) != c.want {
			t.Errorf("%s: got %v, want %q", c.why, err, c.want)
		}
	}
}

func TestShortKeyMustBeFilledWithBB(t *testing.T) {
	if _, why := assemble(minModulus, 1, append(make([]byte, minModulus), 0xBB, 0), nil, []byte{3}); why != BadPadding {
		t.Errorf("got %q", why)
	}
}

// The malformed signature that cards in the field make, and its relatives.
func TestDynamicDataWithoutItsInnerLengthIsRefused(t *testing.T) {
	k := generated(t)
	for _, c := range []struct {
		why  string
		data []byte
		want Reason
	}{
		{"good", []byte{2, 1, 1}, ""},
		{"the number alone, first byte 56", []byte{56, 1, 2, 3, 4, 5, 6, 7}, BadDynamic},
		{"the number alone, first byte a plausible length", []byte{4, 1, 2, 3, 4, 5, 6, 7}, BadDynamic},
		{"nothing", nil, BadDynamic},
		{"one byte", []byte{1, 9}, BadDynamic},
		{"nine bytes", []byte{9, 1, 2, 3, 4, 5, 6, 7, 8, 9}, BadDynamic},
	} {
		sdad, err := signDynamicData(k, c.data, []byte("tail"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = VerifyDynamic(k.Public(), sdad, []byte("tail")); reason(err) != c.want {
			t.Errorf("%s: got %v, want %q", c.why, err, c.want)
		}
	}
	for why, content := range map[Reason][]byte{
		BadAlgorithm: {formatSDAD, 2, 3, 2, 1, 1},
		BadDynamic:   {formatSDAD, algSHA1, 200, 2, 1, 1},
		BadPadding:   {formatSDAD, algSHA1, 3, 2, 1, 1, 0},
	} {
		content = append(content, bytes.Repeat([]byte{pad}, k.Size()-frame-len(content))...)
		sdad, err := sign(k, content)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := VerifyDynamic(k.Public(), sdad, nil); reason(err) != why {
			t.Errorf("got %v, want %s", err, why)
		}
	}
}

// CRT with Garner's formula must agree with the plain power.
func TestPrivateOperationAgreesWithMathBig(t *testing.T) {
	k := generated(t)
	parsed := new(big.Int).SetBytes(k.use().public.Modulus)
	for i := range 8 {
		block := bytes.Repeat([]byte{byte(17 * i)}, k.Size())
		block[0] = 0x6A
		signed, err := k.use().raw(block)
		if err != nil {
			t.Fatal(err)
		}
		back := new(big.Int).Exp(new(big.Int).SetBytes(signed), big.NewInt(int64(k.use().e)), parsed)
		if !bytes.Equal(back.FillBytes(make([]byte, k.Size())), block) {
			t.Error("the signature does not open")
		}
	}
	if _, err := k.use().raw(bytes.Repeat([]byte{0xFF}, k.Size())); err == nil {
		t.Error("a block above the modulus was signed")
	}
}

// A glitch in one half of the CRT yields a signature from which anyone computes
// the factors. It must not leave.
func TestFaultySignatureIsWithheld(t *testing.T) {
	k := generated(t)
	faulty := *k.use()
	faulty.dp = bytes.Clone(faulty.dp)
	faulty.dp[5] ^= 1
	p := &faulty
	signed, err := SignDynamic(PrivateKey{&p}, []byte{1, 2, 3}, nil)
	if !errors.Is(err, ErrFault) || signed != nil {
		t.Errorf("a faulty signature left: %v", err)
	}
}

func TestParseRefusesOtherKeys(t *testing.T) {
	for why, der := range map[string][]byte{
		"nothing":        nil,
		"garbage":        []byte("0123456789"),
		"cut short":      generated(t).Reveal()[:100],
		"an Ed25519 key": unhex(t, "302e020100300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842"),
	} {
		if _, err := Parse(der); err == nil {
			t.Errorf("%s was taken", why)
		}
	}
	if _, err := fromRSA(&rsa.PrivateKey{}); err == nil {
		t.Error("a key without primes was taken")
	}
}

func generated(t *testing.T) PrivateKey {
	t.Helper()
	k, err := Generate(1024)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func reason(err error) Reason {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal.Reason
	}
	return ""
}

func even(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)-1] &^= 1
	return b
}

func load(t *testing.T, path string, into any) {
	t.Helper()
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(doc, into); err != nil {
		t.Fatal(err)
	}
}

func unhex(t *testing.T, h string) []byte {
	t.Helper()
	b, err := hex.DecodeString(h)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEveryReasonIsASentence(t *testing.T) {
	for _, why := range []Reason{
		BadKey, BadLength, NotRecovered, BadAlgorithm, BadHash, BadKeyLength, BadRemainder, BadExponent,
		BadPadding, WrongIssuer, WrongPAN, BadDate, Expired, CAExpired, BadDynamic,
	} {
		if text := refuse(iccCert, why).Error(); text == "card certificate refused: " {
			t.Errorf("%s has no words", why)
		}
	}
	if len(texts) != 15 {
		t.Errorf("%d reasons have words: name the new one in this test", len(texts))
	}
}

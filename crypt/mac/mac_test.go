package mac

import (
	"bytes"
	"crypto/des"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"

	"jiaozi/crypt/internal/secrettest"
)

// RFC 4493, 4 (AES-128) and NIST SP 800-38B, D.2 and D.3 (AES-192, AES-256).
func TestPublishedCMAC(t *testing.T) {
	const (
		aes128 = "2B7E151628AED2A6ABF7158809CF4F3C"
		aes192 = "8E73B0F7DA0E6452C810F32B809079E562F8EAD2522C6B7B"
		aes256 = "603DEB1015CA71BE2B73AEF0857D77811F352C073B6108D72D9810A30914DFF4"
		msg    = "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E5130C81C46A35CE411E5FBC1191A0A52EFF69F2445DF4F9B17AD2B417BE66C3710"
	)
	for _, c := range []struct {
		key  string
		n    int
		want string
	}{
		{aes128, 0, "BB1D6929E95937287FA37D129B756746"},
		{aes128, 16, "070A16B46B4D4144F79BDD9DD04A287C"},
		{aes128, 40, "DFA66747DE9AE63030CA32611497C827"},
		{aes128, 64, "51F0BEBF7E3B9D92FC49741779363CFE"},
		{aes192, 0, "D17DDF46ADAACDE531CAC483DE7A9367"},
		{aes192, 16, "9E99A7BF31E710900662F65E617C5184"},
		{aes256, 0, "028962F61B7BF89EFC6B551F4667D983"},
		{aes256, 16, "28A7023F452E8F82BD4BF28D8C37C35C"},
	} {
		k, err := NewAESKey(unhex(t, c.key))
		if err != nil {
			t.Fatal(err)
		}
		got := CMAC(k, unhex(t, msg)[:c.n])
		if !bytes.Equal(got[:], unhex(t, c.want)) {
			t.Errorf("CMAC of %d bytes under a key of %d: got %X, want %s", c.n, len(c.key)/2, got, c.want)
		}
	}
}

// Double length: the published result at blog.csdn.net/zfr_xuexiao66, article
// 94665452. Single length: key published at the youkuaiyun copy of zhu244912654,
// article 80005341; value computed with crypto/des and OpenSSL 3.0, which agree.
func TestPublishedCUPECB(t *testing.T) {
	for _, c := range []struct{ why, key, mab, xor, field64 string }{
		{"triple DES", "55036372B17543ECB173730768B8D6C4",
			"08300000000002C000153030363730303436343238393733373031373933323330303200110000000137200277319F0605A0000003339F220103DF050832303234313233319F0605A0000003339F220104DF050832303234313233319F0605A0000003339F220102DF050832303231313233319F0605A0000000039F220107DF050832303137313233319F0605A0000000039F220108DF050832303233313233319F0605A0000000039F220109DF050832303233313233319F0605A0000000659F220110DF050832303232313233319F0605A0000000659F220112DF050832303232313233319F0605A0000000659F220114DF050832303232313233319F0605A0000000049F220104DF050832303137313233319F0605A0000000049F220105DF050832303231313233319F0605A0000000049F220106DF05083230323131323331",
			"1212B04E1227809C", "5FE058DB"},
		{"single DES", "C24A8FB57AA20123",
			"0200302004C020C0981100000000000000005100183402100006324392260009942820D1312101120084393136363838303134303030303030303030303030303030313536ACF46E73838A82F92600000000000000000822000001",
			"4D09F434464FE7BF", "72489CAC"},
	} {
		k := desKey(t, unhex(t, c.key))
		if got := fold(unhex(t, c.mab)); !bytes.Equal(got, unhex(t, c.xor)) {
			t.Errorf("%s: fold %X, want %s", c.why, got, c.xor)
		}
		if got := CUPECB(k, unhex(t, c.mab)); string(got[:]) != c.field64 {
			t.Errorf("%s: field 64 is %s, want %s", c.why, got, c.field64)
		}
	}
}

// Why the CUP-ECB checksum is a compatibility profile and not the default: a man
// in the middle who knows no key moves the amount of one block to another, or
// raises it while changing another block alike, and the checksum still fits.
func TestCUPECBAcceptsSwappedBlocks(t *testing.T) {
	key := unhex(t, "55036372B17543ECB173730768B8D6C4")
	old := desKey(t, key)
	modern, err := NewAESKey(key)
	if err != nil {
		t.Fatal(err)
	}
	honest := []byte("0200....amount= 00000012fee   = 00099999terminal")
	swapped := bytes.Clone(honest)
	copy(swapped[16:24], honest[32:40])
	copy(swapped[32:40], honest[16:24])
	flipped := bytes.Clone(honest)
	flipped[16] ^= 9
	flipped[40] ^= 9
	for why, forged := range map[string][]byte{"two blocks swapped": swapped, "the same bit flipped twice": flipped} {
		if bytes.Equal(forged, honest) {
			t.Fatalf("%s: nothing was forged", why)
		}
		if CUPECB(old, forged) != CUPECB(old, honest) {
			t.Errorf("%s: the checksum is better than its reputation", why)
		}
		if CMAC(modern, forged) == CMAC(modern, honest) {
			t.Errorf("%s: CMAC accepted a forgery", why)
		}
		if X919(old, forged) == X919(old, honest) {
			t.Errorf("%s: X9.19 accepted a forgery", why)
		}
	}
}

// ISO/IEC 9797-1 algorithm 3, recomputed from crypto/des alone.
func TestX919IsRetailMAC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key")
		data := rapid.SliceOfN(rapid.Byte(), 1, 80).Draw(t, "data")
		k, err := NewDESKey(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := X919(k, data), retailByHand(t, raw, data); got != want {
			t.Errorf("got %X, want %X", got, want)
		}
	})
}

func retailByHand(t interface{ Fatal(...any) }, raw, data []byte) (h [8]byte) {
	left, err := des.NewCipher(raw[:8])
	if err != nil {
		t.Fatal(err)
	}
	triple, err := des.NewTripleDESCipher(append(bytes.Clone(raw), raw[:8]...))
	if err != nil {
		t.Fatal(err)
	}
	data = append(bytes.Clone(data), make([]byte, (8-len(data)%8)%8)...)
	for i := 0; i < len(data); i += 8 {
		for j := range h {
			h[j] ^= data[i+j]
		}
		if i+8 == len(data) {
			triple.Encrypt(h[:], h[:])
		} else {
			left.Encrypt(h[:], h[:])
		}
	}
	return h
}

func TestKeysHideThemselves(t *testing.T) {
	raw := unhex(t, "55036372B17543ECB173730768B8D6C4")
	secrettest.Check(t, desKey(t, raw), raw)
	k, err := NewAESKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	secrettest.Check(t, k, raw)
	subkey := k.use().k1
	secrettest.Check(t, k, subkey[:])
}

func TestKeysOfWrongLengthAreRefused(t *testing.T) {
	for _, n := range []int{0, 7, 9, 15, 17, 24} {
		if _, err := NewDESKey(make([]byte, n)); err == nil {
			t.Errorf("a DES key of %d bytes was taken", n)
		}
	}
	for _, n := range []int{0, 8, 15, 17, 33} {
		if _, err := NewAESKey(make([]byte, n)); err == nil {
			t.Errorf("an AES key of %d bytes was taken", n)
		}
	}
}

func desKey(t *testing.T, raw []byte) DESKey {
	t.Helper()
	k, err := NewDESKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func unhex(t *testing.T, h string) []byte {
	t.Helper()
	b, err := hex.DecodeString(h)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func BenchmarkCUPECB240(b *testing.B) {
	k, _ := NewDESKey([]byte("0123456789abcdef"))
	data := make([]byte, 240)
	for b.Loop() {
		CUPECB(k, data)
	}
}

func BenchmarkCMAC240(b *testing.B) {
	k, _ := NewAESKey([]byte("0123456789abcdef"))
	data := make([]byte, 240)
	for b.Loop() {
		CMAC(k, data)
	}
}

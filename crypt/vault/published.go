package vault

import (
	"encoding/hex"
	"strings"

	"jiaozi/crypt/brands"
	"jiaozi/crypt/oda/testkeys"
)

// publishedKeys are keys printed in standards, test suites, tutorials and data
// sheets; real systems have been found to run on them. Compared without parity
// bits.
var publishedKeys = strings.Fields(`
	0123456789ABCDEFFEDCBA9876543210
	FEDCBA98765432100123456789ABCDEF
	89ABCDEF0123456776543210FEDCBA98
	0123456789ABCDEF1123456789ABCDEF
	0123456789ABCDEF23456789ABCDEF01
	11223344556677888877665544332211
	112233445566778899AABBCCDDEEFF00
	00112233445566778899AABBCCDDEEFF
	404142434445464748494A4B4C4D4E4F
	70F2A84CCBC2AE8625CBB0F2C22AB923
	55036372B17543ECB173730768B8D6C4
	6AC292FAA1315B4D858AB3A3D7D5933A
	EFE0853B256B583D868F251CE99EA1D9
	89E88CF7931444F334BD7547FC3F380C
	DD7515F2BFC17F85CE48F3CA25CB21F6
	B8ED59E0A279A295E9F5ED7944FD06B9
	3F419E1CB7079442AA37474C2EFBF8B8
	F039121BEC83D26B169BDCD5B22AAF8F
	5DB50B454F8389ADCE573BE50861F2BF
	2B7E151628AED2A6ABF7158809CF4F3C
	8E73B0F7DA0E6452C810F32B809079E562F8EAD2522C6B7B
	603DEB1015CA71BE2B73AEF0857D77811F352C073B6108D72D9810A30914DFF4
	88E1AB2A2E3DD38C1FA039A536500CC8A87AB9D62DC92C01058FA79F44657DE6
	9D61B19DEFFD5A60BA844AF492EC2CC44449C5697B326919703BAC031CAE7F60
	4CCD089B28FF96DA9DB6C346EC114E0F5B8A319F35ABA624DA8CF6ED4FB8A6FB
`)

// brokenHalves are eight-byte keys that spoil a triple-DES key they are half of:
// the weak and semi-weak keys of NIST SP 800-67r2, 3.3.2, and halves that were
// published with vectors.
var brokenHalves = strings.Fields(`
	0101010101010101 FEFEFEFEFEFEFEFE E0E0E0E0F1F1F1F1 1F1F1F1F0E0E0E0E
	011F011F010E010E 1F011F010E010E01 01E001E001F101F1 E001E001F101F101
	01FE01FE01FE01FE FE01FE01FE01FE01 1FE01FE00EF10EF1 E01FE01FF10EF10E
	1FFE1FFE0EFE0EFE FE1FFE1FFE0EFE0E E0FEE0FEF1FEF1FE FEE0FEE0FEF1FEF1
	C24A8FB57AA20123
`)

var (
	refusedKeys   = withoutParity(publishedKeys)
	refusedHalves = withoutParity(brokenHalves)
)

func withoutParity(keys []string) map[string]bool {
	set := make(map[string]bool, len(keys))
	for _, text := range keys {
		raw, err := hex.DecodeString(text)
		if err != nil {
			panic("vault: the table of published keys is hex")
		}
		set[clearParity(raw)] = true
	}
	return set
}

func clearParity(raw []byte) string {
	out := make([]byte, len(raw))
	for i, b := range raw {
		out[i] = b &^ 1
	}
	return string(out)
}

// published reports whether a key is known to the world or has a pattern that a
// hand would type. One random key in some 10^13 is refused as well; nobody will
// meet it.
func published(raw []byte, key material) bool {
	if k, ok := key.(*rsaKey); ok {
		return testkeys.Known(k.key.Public())
	}
	if _, ok := key.(*coinKey); ok {
		raw = raw[:brands.Size] // what follows is public
	}
	if refusedKeys[clearParity(raw)] || evenSteps(raw) || repeats(raw) {
		return true
	}
	for ; len(raw) >= 8; raw = raw[8:] {
		if refusedHalves[clearParity(raw[:8])] || evenSteps(raw[:8]) {
			return true
		}
	}
	return false
}

// evenSteps finds all-equal bytes and runs such as 00 01 02 or 11 22 33.
func evenSteps(raw []byte) bool {
	step := raw[1] - raw[0]
	for i := 1; i < len(raw); i++ {
		if raw[i]-raw[i-1] != step {
			return false
		}
	}
	return true
}

// repeats finds two equal 8-byte parts: triple DES with equal halves is single
// DES.
func repeats(raw []byte) bool {
	seen := map[string]bool{}
	for ; len(raw) >= 8; raw = raw[8:] {
		part := clearParity(raw[:8])
		if seen[part] {
			return true
		}
		seen[part] = true
	}
	return false
}

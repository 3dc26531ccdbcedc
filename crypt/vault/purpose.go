package vault

import "fmt"

// Purpose says what a key is for. The numbers are in sealed files: never reuse
// or renumber one.
type Purpose uint8

// Purposes.
const (
	IMKAC     Purpose = 1  // issuer master key of card cryptograms
	IMKMAC    Purpose = 2  // issuer master key of scripts and balance MACs
	IMKENC    Purpose = 3  // issuer master key of confidential script data
	Pseudonym Purpose = 4  // turns PANs into card references
	TMKCUP    Purpose = 5  // terminal master key, 3DES, wraps in ECB: compatibility only
	TMKSecure Purpose = 6  // terminal master key, AES, wraps by RFC 3394
	TPK       Purpose = 7  // terminal PIN key
	TAKCUP    Purpose = 8  // terminal MAC key of the CUP-ECB checksum: compatibility only
	TAKSecure Purpose = 9  // terminal MAC key, AES-CMAC
	ZPK       Purpose = 10 // PIN key between institutions
	ZAK       Purpose = 11 // MAC key between institutions, AES-CMAC
	PVK       Purpose = 12 // PIN verification key
	Signing   Purpose = 13 // Ed25519, signs files and lists
	RSACA     Purpose = 14 // certifies issuers
	RSAIssuer Purpose = 15 // certifies cards
	CoinKey   Purpose = 16 // signs coins of one kind, value and epoch
)

// spec is what the vault knows of a purpose.
type spec struct {
	name  string
	sizes []int // allowed lengths; the first is generated. None: not random bytes.
	load  func(raw []byte) (material, error)
}

var specs = [...]spec{
	IMKAC:     {"imk-ac", []int{16}, loadCardMaster},
	IMKMAC:    {"imk-mac", []int{16}, loadCardMaster},
	IMKENC:    {"imk-enc", []int{16}, loadCardMaster},
	Pseudonym: {"pseudonym", []int{32}, loadHMAC},
	TMKCUP:    {"tmk-cup", []int{16}, loadDES},
	TMKSecure: {"tmk-secure", []int{32, 16, 24}, loadAES},
	TPK:       {"tpk", []int{16}, loadDES},
	TAKCUP:    {"tak-cup", []int{16}, loadCUPMAC},
	TAKSecure: {"tak-secure", []int{16}, loadCMAC},
	ZPK:       {"zpk", []int{16}, loadDES},
	ZAK:       {"zak", []int{32, 16, 24}, loadCMAC},
	PVK:       {"pvk", []int{32}, loadHMAC},
	Signing:   {"signing", []int{32}, loadSigner},
	RSACA:     {"rsa-ca", nil, loadRSA},
	RSAIssuer: {"rsa-issuer", nil, loadRSA},
	CoinKey:   {"coin", nil, loadCoin},
}

func (p Purpose) known() bool { return int(p) < len(specs) && specs[p].load != nil }

// String names the purpose.
func (p Purpose) String() string {
	if !p.known() {
		return fmt.Sprintf("purpose(%d)", uint8(p))
	}
	return specs[p].name
}

func (p Purpose) isRSA() bool { return p == RSACA || p == RSAIssuer }

func (p Purpose) isDES() bool {
	switch p {
	case IMKAC, IMKMAC, IMKENC, TMKCUP, TPK, TAKCUP, ZPK:
		return true
	default:
		return false
	}
}

// generated is the length of a new key in bytes, zero if it is not random bytes.
func (p Purpose) generated() int {
	if !p.known() || specs[p].sizes == nil {
		return 0
	}
	return specs[p].sizes[0]
}

// load checks the length of a key and makes it ready.
func (p Purpose) load(raw []byte) (material, error) {
	if !p.known() {
		return nil, fmt.Errorf("there is no purpose number %d", uint8(p))
	}
	s := specs[p]
	if s.sizes == nil {
		return s.load(raw)
	}
	for _, n := range s.sizes {
		if len(raw) == n {
			return s.load(raw)
		}
	}
	return nil, fmt.Errorf("a key of %d bytes: purpose %s takes %v", len(raw), p, s.sizes)
}

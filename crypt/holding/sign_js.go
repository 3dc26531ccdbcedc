package holding

// In a browser Ed25519 comes from the library that the coins' group comes from: the
// standard library brings a second copy of the curve, 36 kB of the 1.1 MB that a page
// may load. The vectors hold the two together: internal/wasm runs them here.
import "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

func newKey(seed []byte) []byte { return ed25519.NewKeyFromSeed(seed) }

func sign(key, message []byte) []byte { return ed25519.Sign(key, message) }

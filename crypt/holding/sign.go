//go:build !js

package holding

import "crypto/ed25519"

func newKey(seed []byte) []byte { return ed25519.NewKeyFromSeed(seed) }

func sign(key, message []byte) []byte { return ed25519.Sign(key, message) }

package brands

import (
	"crypto/hmac"
	"crypto/sha512"
	"testing"
)

// TestSecretsAreHMAC: a key that is hashed once, for many secrets and from many goroutines, gives what RFC 2104 says.
func TestSecretsAreHMAC(t *testing.T) {
	for _, key := range [][]byte{nil, {7}, make([]byte, 32), make([]byte, 200)} {
		derive := newPRF(key)
		for i := range 4 {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for n := range uint64(3) {
					msg := begin("test").uint(uint64(i)).uint(n)
					mac := hmac.New(sha512.New, key)
					mac.Write(msg)
					if got := derive(msg); got.num().Equal(wide(mac.Sum(nil))) != 1 {
						t.Errorf("key of %d bytes, message %d", len(key), n)
					}
				}
			})
		}
	}
}

//go:build ignore

// Command generate makes the stored test keys anew: go run generate.go. Doing so
// changes the bytes of every seeded scheme; commit the file it writes.
package main

import (
	"bytes"
	"encoding/pem"
	"log"
	"os"

	"jiaozi/crypt/oda"
)

func main() {
	var out bytes.Buffer
	write := func(name string, bits, count int) {
		for range count {
			k, err := oda.Generate(bits)
			if err != nil {
				log.Fatal(err)
			}
			block := &pem.Block{Type: "PRIVATE KEY", Headers: map[string]string{"Use": name}, Bytes: k.Reveal()}
			if err := pem.Encode(&out, block); err != nil {
				log.Fatal(err)
			}
		}
	}
	write("test-ca", 1984, 1)
	write("test-issuer", 1408, 1)
	write("test-card", 1152, 24)
	if err := os.WriteFile("keys.pem", out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}

package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"jiaozi/node/durable"
)

// maxKeyFile bounds a key file: one line and some comment lines.
const maxKeyFile = 4 << 10

// KeyPath decides which file holds the key that seals vaults and cards: the
// flag, else JIAOZI_KEY_FILE, else the file beside the data.
func KeyPath(flag, beside string) string {
	if flag != "" {
		return flag
	}
	if env := os.Getenv("JIAOZI_KEY_FILE"); env != "" {
		return env
	}
	return beside
}

// OpenKey reads the age identity at path.
func OpenKey(path string) (*age.X25519Identity, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if info.Size() > maxKeyFile {
		return nil, fmt.Errorf("key file %s has %d bytes, at most %d", filepath.Base(path), info.Size(), maxKeyFile)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("key file %s can be read by others: run chmod 600 on it", filepath.Base(path))
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	for line := range strings.Lines(string(raw)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			id, err := age.ParseX25519Identity(line)
			if err != nil {
				// The library's error may quote the line, which is the secret.
				return nil, fmt.Errorf("key file %s does not hold an age identity", filepath.Base(path))
			}
			return id, nil
		}
	}
	return nil, fmt.Errorf("key file %s is empty", filepath.Base(path))
}

// MakeKey opens the key file at path, or makes one readable only by its owner.
func MakeKey(path string) (*age.X25519Identity, error) {
	id, err := OpenKey(path)
	if !errors.Is(err, os.ErrNotExist) {
		return id, err
	}
	if id, err = age.GenerateX25519Identity(); err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	text := "# jiaozi key: whoever reads this file opens the vault and the cards\n" + id.String() + "\n"
	if err := durable.WriteFile(path, []byte(text), 0o600); err != nil {
		return nil, err
	}
	return id, nil
}

package terminal

import (
	"context"

	"jiaozi/crypt/pin"
	"jiaozi/crypt/vault"
	"jiaozi/value/ident"
)

// Store is the terminal's journal. Append returns when the entry is durable; an
// error leaves open whether it is. Rewrite replaces all entries in one step.
type Store interface {
	Append(entry []byte) error
	Replay(func(entry []byte) error) error
	Rewrite(entries [][]byte) error
}

// Host answers one message: TPDU, header and ISO 8583 bytes, without the length.
// An error means that no answer came; the request may have been carried out.
type Host interface {
	Exchange(ctx context.Context, request []byte) ([]byte, error)
}

// Keys are the verbs of the vault that a terminal needs.
type Keys interface {
	AcceptWorkingKeys(tmk, tpk, tak vault.Handle, p vault.Profile, w vault.WorkingKeys) error
	MAC(h vault.Handle, data []byte) ([8]byte, error)
	VerifyMAC(h vault.Handle, data, mac []byte) (bool, error)
	EncryptPIN(tpk vault.Handle, p pin.PIN, pan ident.PAN) ([8]byte, error)
}

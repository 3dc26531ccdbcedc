package main

import (
	"errors"
	"net"

	"jiaozi/book"
	"jiaozi/book/archive"
	"jiaozi/book/proof"
	"jiaozi/crypt/vault"
	"jiaozi/node"
	"jiaozi/node/cardfile"
	"jiaozi/node/durable"
	"jiaozi/node/till"
)

// classify gives an error the exit code that the contract of the commands asks
// for: damage is 5, what cannot be reached is 4, a decline 3, the rest is 2.
func classify(err error) error {
	var dial *net.OpError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, book.ErrDamaged), errors.Is(err, durable.ErrCorrupt), errors.Is(err, node.ErrIntegrity),
		errors.Is(err, vault.ErrSealed), errors.Is(err, cardfile.ErrDamaged),
		errors.Is(err, proof.ErrHistory), errors.Is(err, proof.ErrSignature), errors.Is(err, proof.ErrFalse), errors.Is(err, proof.ErrForm),
		errors.Is(err, archive.ErrHash), errors.Is(err, archive.ErrOther):
		return failWith(exitIntegrity, err)
	case errors.Is(err, till.ErrDeclined):
		return failWith(exitDeclined, err)
	case errors.Is(err, node.ErrUnreachable), errors.As(err, &dial):
		return failWith(exitUnreachable, err)
	}
	return failWith(exitUsage, err)
}

package main

import (
	"errors"
	"net"
	"slices"

	"jiaozi/book"
	"jiaozi/book/archive"
	"jiaozi/book/proof"
	"jiaozi/crypt/vault"
	"jiaozi/node"
	"jiaozi/node/cardfile"
	"jiaozi/node/coincheck"
	"jiaozi/node/durable"
	"jiaozi/node/handover"
	"jiaozi/node/mintapi"
	"jiaozi/node/observer"
	"jiaozi/node/till"
	"jiaozi/node/walletfile"
	"jiaozi/role/wallet"
)

// declined and damaged are what the words of wallets and mints end a command with.
var (
	declined = []error{wallet.ErrFunds, wallet.ErrAmount, wallet.ErrManyCoins, wallet.ErrRestored, wallet.ErrExpired, wallet.ErrRequest, wallet.ErrPayment,
		wallet.ErrNoRequest, wallet.ErrAnswered, wallet.ErrNoChange, wallet.ErrNoBlanks, wallet.ErrReceipt, wallet.ErrNeedsCard, wallet.ErrOtherCard,
		wallet.ErrPending, observer.ErrWrongPIN, observer.ErrBlocked, observer.ErrNeedsPIN}
	damaged = []error{wallet.ErrState, wallet.ErrNetwork, wallet.ErrKeys, walletfile.ErrDamaged, coincheck.ErrFalse}
	offline = []error{wallet.ErrOffline, mintapi.ErrUnreachable, handover.ErrUnreachable}
)

// classifyWallet is classify for commands that hold coins.
func classifyWallet(err error) error {
	is := func(target error) bool { return errors.Is(err, target) }
	switch refusal := (*wallet.Refusal)(nil); {
	case err == nil:
		return nil
	case slices.ContainsFunc(damaged, is):
		return failWith(exitIntegrity, err)
	case slices.ContainsFunc(offline, is):
		return failWith(exitUnreachable, err)
	case slices.ContainsFunc(declined, is), errors.As(err, &refusal):
		return failWith(exitDeclined, err)
	}
	return classifyCard(err)
}

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

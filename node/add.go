package node

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"jiaozi/crypt/vault"
	"jiaozi/role/acquirer"
	"jiaozi/value/ident"
)

// AddTerminal is the order to register a point of sale under a master key.
type AddTerminal struct {
	Spec TerminalSpec `json:"spec"`
	TMK  []byte       `json:"tmk"`
}

// TerminalAdded says what was registered. KCV is the check value by which
// people compare master keys without seeing them.
type TerminalAdded struct {
	TID     ident.TID `json:"tid"`
	MID     ident.MID `json:"mid"`
	Profile string    `json:"profile"`
	KCV     string    `json:"kcv"`
}

// Format keeps the key out of logs.
func (a AddTerminal) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "add terminal %s", a.Spec.TID) }

// Verb names the order.
func (AddTerminal) Verb() string { return "terminal-add" }

// Run registers the terminal: its own folder and vault first, the acquirer
// last, so that a crash leaves a terminal that nobody accepts yet and that the
// same order completes.
func (a AddTerminal) Run(ctx context.Context, n *Node) (any, error) {
	n.tillMu.Lock() // or two orders of one terminal leave it one key and the host another
	defer n.tillMu.Unlock()
	spec, err := a.Spec.complete(n.scheme)
	if err != nil {
		return nil, err
	}
	if known, err := n.acquirer.HasTerminal(ctx, spec.TID); err != nil || known {
		return nil, errors.Join(err, knownTerminal(spec.TID, known))
	}
	profile, err := vault.ParseProfile(spec.Profile)
	if err != nil {
		return nil, err
	}
	kcv, err := n.terminalVault(spec.TID, profile, a.TMK)
	if err != nil {
		return nil, err
	}
	if err := n.hostKey(spec.TID, profile, a.TMK); err != nil {
		return nil, err
	}
	if err := saveTerminal(n.dir, spec); err != nil {
		return nil, err
	}
	if err := n.registerTerminal(ctx, spec, profile); err != nil {
		return nil, err
	}
	return TerminalAdded{spec.TID, spec.MID, spec.Profile, hex.EncodeToString(kcv[:])}, nil
}

func knownTerminal(tid ident.TID, known bool) error {
	if !known {
		return nil
	}
	return fmt.Errorf("terminal %s is registered already", tid)
}

// terminalVault makes the terminal's own folder with the master key in it.
func (n *Node) terminalVault(tid ident.TID, profile vault.Profile, key []byte) (kcv [3]byte, err error) {
	folder := terminalDir(n.dir, tid)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return kcv, fmt.Errorf("terminal %s: %w", tid, err)
	}
	v := vault.New(vault.Options{Test: n.scheme.Test})
	if err := v.Import(tmk(tid), profile.Master(), key); err != nil {
		return kcv, fmt.Errorf("terminal %s: %w", tid, err)
	}
	s := &safe{Vault: v, path: filepath.Join(folder, "vault.age"), to: n.key.Recipient()}
	if err := s.save(); err != nil {
		return kcv, err
	}
	return v.KCV(tmk(tid))
}

// hostKey stores the master key on the host's side, replacing what an
// interrupted registration left.
func (n *Node) hostKey(tid ident.TID, profile vault.Profile, key []byte) error {
	if n.vault.Has(tmk(tid)) {
		if err := n.vault.Remove(tmk(tid)); err != nil {
			return err
		}
	}
	return n.vault.Import(tmk(tid), profile.Master(), key)
}

// registerTerminal enters the terminal, and its merchant if it is new: the next till
// of a shop neither renames nor unblocks it.
func (n *Node) registerTerminal(ctx context.Context, spec TerminalSpec, profile vault.Profile) error {
	_, err := n.acquirer.Merchant(ctx, spec.MID)
	if errors.Is(err, acquirer.ErrUnknown) {
		err = n.acquirer.AddMerchant(ctx, acquirer.Merchant{MID: spec.MID, Name: spec.MerchantName}, n.Now())
	}
	if err != nil {
		return err
	}
	return n.acquirer.AddTerminal(ctx, acquirer.Terminal{TID: spec.TID, MID: spec.MID, Profile: profile}, n.Now())
}

// EnsureTerminal registers the terminal under a master key of its own, unless
// it is registered.
func (n *Node) EnsureTerminal(ctx context.Context, spec TerminalSpec) error {
	known, err := n.acquirer.HasTerminal(ctx, spec.TID)
	if err != nil || known {
		return err
	}
	profile, err := vault.ParseProfile(spec.Profile)
	if err != nil {
		return err
	}
	key := make([]byte, masterKeyLen(profile))
	if _, err := n.stream("tmk/" + string(spec.TID)).Read(key); err != nil {
		return fmt.Errorf("no randomness for a master key: %w", err)
	}
	_, err = AddTerminal{Spec: spec, TMK: key}.Run(ctx, n)
	return err
}

func masterKeyLen(p vault.Profile) int {
	if p == vault.CUP {
		return 16 // 2-key 3DES
	}
	return 32 // AES-256
}

// Package walletfile keeps a wallet's state in one file, sealed with age under a
// passphrase or a key file.
//
//	"JZWALLET1\n" | u32 length | age(secret){ file key } | age(file key){ state }
//
// It promises that the file holds one whole state: Save writes a new file beside
// it, flushes, renames, flushes the directory. A disk that is full leaves the old
// state in place (ErrFull); a file that was altered or cut does not open
// (ErrDamaged), nor does one under another passphrase or key (ErrForeign). One
// process at a time holds a wallet: a lock file stands beside it (ErrBusy). The
// passphrase is stretched once, at Open; saving costs a tenth of a millisecond
// beside the disk.
//
// What no file can promise: somebody who copies it and puts the copy back later
// has turned the wallet's time back, and would pay with coins that are spent.
// Take backups with the wallet's own Backup, whose state knows that it is a copy.
//
// Start with Create and Open; Seal and Unseal are the same form in memory.
package walletfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"filippo.io/age"

	"jiaozi/node/durable"
	"jiaozi/role/wallet"
)

// Errors on which a caller acts.
var (
	// ErrDamaged: the file is of no use; the phrase is.
	ErrDamaged = errors.New("the wallet file is damaged or is no wallet; keep a copy of it and restore from a backup or from the 24 words")
	// ErrForeign: another passphrase or key file opens it.
	ErrForeign = errors.New("the wallet file does not open with this passphrase or key; give the one it was made with")
	// ErrBusy: end the other process.
	ErrBusy = errors.New("another process holds the wallet; end it first: two wallets on one file would pay with the same coins")
	// ErrExists: a wallet is never overwritten.
	ErrExists = errors.New("there is a file already; choose another name: a wallet is never overwritten")
	// ErrFull: nothing was changed. Free some space and repeat.
	ErrFull = errors.New("the disk is full: the wallet is as it was before; free some space and repeat")
	// ErrStopped: an earlier Save failed and Load was not called since.
	ErrStopped = errors.New("an earlier write of the wallet file failed; load it again first")
)

// MaxState bounds the state in bytes.
const MaxState = wallet.MaxState

// File is a wallet's state in a file. It belongs to one goroutine.
type File struct {
	path    string
	secret  Secret
	sealed  []byte // the file key under the secret, as it stands in the file
	key     *age.X25519Identity
	lock    *os.File
	stopped bool
	write   func(path string, data []byte, perm os.FileMode) error
	flush   func(dir string) error
}

var _ wallet.Store = (*File)(nil)

// Create makes a new file and holds it. It has no state until the first Save,
// which makes the file appear.
func Create(path string, secret Secret) (*File, error) {
	lock, err := hold(path)
	if err != nil {
		return nil, err
	}
	f, err := create(path, secret)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	f.lock = lock
	return f, nil
}

func create(path string, secret Secret) (*File, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("wallet file %s: %w", filepath.Base(path), ErrExists)
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("make the wallet's key: %w", err)
	}
	sealed, err := secret.seal(key)
	if err != nil {
		return nil, err
	}
	return &File{path: path, secret: secret, sealed: sealed, key: key, write: durable.WriteFile, flush: durable.SyncDir}, nil
}

// Open holds the wallet until Close.
func Open(path string, secret Secret) (*File, error) {
	// The file itself, not a link to it: Save would put a second wallet in the link's
	// place, and both would pay with the same coins.
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("wallet file: %w", err) // and leave no lock file behind
	}
	lock, err := hold(path)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, secret: secret, lock: lock, write: durable.WriteFile, flush: durable.SyncDir}
	if _, err := f.Load(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Load gives the state as it was last saved, or nil if nothing was yet. It reads
// the disk: after a failed Save this is how to learn which state is there. What it
// gives survives a power cut: a Save that failed, or died, between rename and flush
// leaves a file that is there to be read and gone after the cut, and coins that have
// answered by it would be free again.
func (f *File) Load() ([]byte, error) {
	if err := f.flush(filepath.Dir(f.path)); err != nil {
		return nil, fmt.Errorf("wallet file: %w", err)
	}
	b, err := readBounded(f.path)
	if errors.Is(err, os.ErrNotExist) && f.key != nil {
		f.stopped = false
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("wallet file: %w", err)
	}
	sealed, body, err := part(b)
	if err != nil {
		return nil, fmt.Errorf("wallet file %s: %w", filepath.Base(f.path), err)
	}
	if f.key == nil || string(sealed) != string(f.sealed) {
		key, err := f.secret.unseal(sealed)
		if err != nil {
			return nil, fmt.Errorf("wallet file %s: %w", filepath.Base(f.path), err)
		}
		f.key, f.sealed = key, sealed
	}
	state, err := openState(body, f.key)
	if err != nil {
		return nil, fmt.Errorf("wallet file %s: %w", filepath.Base(f.path), err)
	}
	f.stopped = false
	return state, nil
}

// Save replaces the state. When it returns nil the new state survives a power
// cut; after an error the disk holds the old state or the new, whole, and Load
// tells which.
func (f *File) Save(state []byte) error {
	if f.stopped {
		return ErrStopped
	}
	b, err := join(f.sealed, state, f.key)
	if err != nil {
		return err
	}
	if err := f.write(f.path, b, 0o600); err != nil {
		f.stopped = true
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			return fmt.Errorf("%w (%w)", ErrFull, err)
		}
		return fmt.Errorf("wallet file: %w", err)
	}
	return nil
}

// Close lets the wallet go.
func (f *File) Close() error {
	f.stopped = true
	return f.lock.Close()
}

// hold takes the lock beside the wallet file: not on the file itself, which
// every Save replaces by another. What a killed Save left there is no use to anybody.
func hold(path string) (*os.File, error) {
	lock, err := durable.Lock(path + ".lock")
	if errors.Is(err, durable.ErrLocked) {
		return nil, fmt.Errorf("wallet file %s: %w", filepath.Base(path), ErrBusy)
	}
	if err != nil {
		return nil, fmt.Errorf("wallet file: %w", err)
	}
	if err := durable.Sweep(path); err != nil {
		return nil, errors.Join(fmt.Errorf("wallet file: %w", err), lock.Close())
	}
	return lock, nil
}

func readBounded(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > maxFile {
		return nil, ErrDamaged
	}
	return b, nil
}

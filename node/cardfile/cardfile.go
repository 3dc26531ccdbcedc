// Package cardfile keeps a card's memory in a file, sealed with age, so that a
// card can be carried from one process to the next.
//
//	age( "JZCARD2\n" | the pages of card.ImagePages )
//	age( "JZCARD1\n" | the pages of card.PursePages )    before there were coins
//
// It promises that a file holds one whole state of the memory: Sync writes a new
// file beside it, flushes, renames, flushes the directory. A file that was
// altered or cut does not open (ErrDamaged), nor does one sealed with another
// key (ErrForeign). The older form opens as a card without coins, and is written
// in the newer form when the card next changes. One process at a time holds a card: a lock file stands beside it.
//
// What no file can promise: somebody who copies it and puts the copy back later
// has turned the card's time back, and two copies are two cards. The issuer sees
// it by the counter, as with any cloned card.
//
// Start with Create, Open or, to look without holding the card, Read.
package cardfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"filippo.io/age"

	"jiaozi/node/durable"
	"jiaozi/role/card"
)

// forms are the files that can be read; the first is the one that is written.
var forms = []struct {
	magic string
	pages int
}{
	{"JZCARD2\n", card.ImagePages},
	{"JZCARD1\n", card.PursePages},
}

// maxFile bounds what is read: the image, age's header and its 16 bytes for
// every 64 KiB.
const maxFile = card.ImagePages*card.PageSize + 8<<10

// Errors on which a caller acts.
var (
	// ErrDamaged: restore the file from a backup or make a new card.
	ErrDamaged = errors.New("the card file is damaged or is no card; restore it from a backup or make a new card")
	// ErrForeign: name the key file that was in use when the card was made.
	ErrForeign = errors.New("the card file was sealed with another key; name its key with --key-file")
	// ErrBusy: end the other process, or take another card.
	ErrBusy = errors.New("another process holds the card; end it first")
	// ErrExists: a card is never overwritten.
	ErrExists = errors.New("there is a file already; choose another name or remove it")
	// ErrStopped: an earlier write failed. Open the file again.
	ErrStopped = errors.New("an earlier write of the card file failed; open it again")
)

// File is a card's memory in a file. It belongs to one goroutine.
type File struct {
	image   card.RAM
	path    string
	to      age.Recipient
	lock    *os.File
	stopped bool
}

var _ card.Memory = (*File)(nil)

// Create makes a new card file whose content fill writes, usually card.Format.
// The file appears whole or not at all.
func Create(path string, id *age.X25519Identity, fill func(card.Memory) error) error {
	lock, err := hold(path)
	if err != nil {
		return err
	}
	defer lock.Close()
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("card file %s: %w", filepath.Base(path), ErrExists)
	}
	f := &File{path: path, to: id.Recipient()}
	if err := fill(&f.image); err != nil {
		return fmt.Errorf("make card: %w", err)
	}
	return f.Sync()
}

// Open holds the card until Close.
func Open(path string, id *age.X25519Identity) (*File, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("card file: %w", err) // and leave no lock file behind
	}
	lock, err := hold(path)
	if err != nil {
		return nil, err
	}
	image, err := Read(path, id)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &File{image: *image, path: path, to: id.Recipient(), lock: lock}, nil
}

// Read gives the memory as it was last synced, also while another process holds
// the card. It is for looking: nothing done to the copy reaches the file.
func Read(path string, id *age.X25519Identity) (*card.RAM, error) {
	sealed, err := readBounded(path)
	if err != nil {
		return nil, fmt.Errorf("card file: %w", err)
	}
	image, err := unseal(sealed, id)
	if err != nil {
		return nil, fmt.Errorf("card file %s: %w", filepath.Base(path), err)
	}
	return image, nil
}

// Close lets the card go. What was not synced is lost.
func (f *File) Close() error {
	f.stopped = true
	return f.lock.Close()
}

// ReadPage implements card.Memory.
func (f *File) ReadPage(n int, page *[card.PageSize]byte) error {
	if f.stopped {
		return ErrStopped
	}
	return f.image.ReadPage(n, page)
}

// WritePage implements card.Memory.
func (f *File) WritePage(n int, page *[card.PageSize]byte) error {
	if f.stopped {
		return ErrStopped
	}
	return f.image.WritePage(n, page)
}

// Sync implements card.Memory. After a failure nobody knows which of the two
// states the disk holds, so the file must be opened again to find out.
func (f *File) Sync() error {
	if f.stopped {
		return ErrStopped
	}
	sealed, err := f.seal()
	if err == nil {
		err = durable.WriteFile(f.path, sealed, 0o600)
	}
	if err != nil {
		f.stopped = true
		return fmt.Errorf("write card file %s: %w", filepath.Base(f.path), err)
	}
	return nil
}

func (f *File) seal() ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, f.to)
	if err != nil {
		return nil, fmt.Errorf("seal card: %w", err)
	}
	// Writes into a buffer cannot fail; Close reports what age could not do.
	_, _ = io.WriteString(w, forms[0].magic)
	for i := range f.image {
		_, _ = w.Write(f.image[i][:])
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("seal card: %w", err)
	}
	return out.Bytes(), nil
}

func unseal(sealed []byte, id age.Identity) (*card.RAM, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), id)
	if noMatch := (*age.NoIdentityMatchError)(nil); errors.As(err, &noMatch) {
		return nil, ErrForeign
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	for _, form := range forms {
		pages, ok := bytes.CutPrefix(plain, []byte(form.magic))
		if !ok || len(pages) != form.pages*card.PageSize {
			continue
		}
		image := new(card.RAM)
		for i := range form.pages {
			copy(image[i][:], pages[i*card.PageSize:])
		}
		return image, nil
	}
	return nil, ErrDamaged
}

func readBounded(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sealed, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(sealed) > maxFile {
		return nil, ErrDamaged
	}
	return sealed, nil
}

// hold takes the lock beside the card file: not on the file itself, which every
// Sync replaces by another.
func hold(path string) (*os.File, error) {
	lock, err := durable.Lock(path + ".lock")
	if errors.Is(err, durable.ErrLocked) {
		return nil, fmt.Errorf("card file %s: %w", filepath.Base(path), ErrBusy)
	}
	if err != nil {
		return nil, fmt.Errorf("card file: %w", err)
	}
	return lock, nil
}

package card

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// PageSize is the unit in which a card's memory is written: a page that is torn
// may hold anything, its neighbours do not.
const PageSize = 256

// A card's memory is the purse, then the coin application: of each the
// personalised part, then two slots for the part that changes. PursePages is a
// whole card without coins, as cards were before there were any.
const (
	ImagePages = PursePages + coinPersonaPages + 2*coinSlotPages
	PursePages = personaPages + 2*slotPages

	personaPages     = 32
	slotPages        = 16
	coinPersonaPages = 1
	coinSlotPages    = 21
)

// Memory is the card's non-volatile memory. Nothing is assumed of a page write
// that fails or that Sync has not yet confirmed: it may have happened, not
// happened, or left arbitrary bytes in that one page.
type Memory interface {
	ReadPage(n int, page *[PageSize]byte) error
	WritePage(n int, page *[PageSize]byte) error
	// Sync returns when every earlier write will survive a loss of power.
	Sync() error
}

// ErrMemory says that the bytes are no card: never personalised, or damaged in
// more places than one interrupted write can explain.
var ErrMemory = errors.New("card memory is not readable: it was never personalised or is damaged; use a backup or make a new card")

// RAM is a Memory that lives in this process. It is a plain value: copying it
// copies the card, which is exactly what an attacker who clones a card does.
type RAM [ImagePages][PageSize]byte

// ReadPage copies page n out.
func (m *RAM) ReadPage(n int, page *[PageSize]byte) error { *page = m[n]; return nil }

// WritePage copies page n in.
func (m *RAM) WritePage(n int, page *[PageSize]byte) error { m[n] = *page; return nil }

// Sync has nothing to wait for.
func (m *RAM) Sync() error { return nil }

// A block is a run of pages that counts as written only as a whole:
//
//	magic 4 | sequence 8 | length 4 | SHA-256 of sequence, length, body | body
//
// The hash is what makes commits atomic. Whatever an interrupted write leaves
// behind, it does not verify, and the other slot is still untouched.
const blockHeader = 4 + 8 + 4 + sha256.Size

// area is a run of pages in which blocks of one kind stand.
type area struct {
	at, pages int
	magic     [4]byte
}

var (
	purseArea  = area{0, personaPages, [4]byte{'J', 'Z', 'P', '1'}}
	coinArea   = area{PursePages, coinPersonaPages, [4]byte{'J', 'Z', 'O', '1'}}
	purseSlots = area{personaPages, slotPages, [4]byte{'J', 'Z', 'S', '1'}}
	coinSlots  = area{PursePages + coinPersonaPages, coinSlotPages, [4]byte{'J', 'Z', 'C', '1'}}
	everyFirst = []int{purseArea.at, coinArea.at, purseSlots.first(0), purseSlots.first(1), coinSlots.first(0), coinSlots.first(1)}
)

func blockSum(head, body []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write(head)
	h.Write(body)
	return [sha256.Size]byte(h.Sum(nil))
}

// writeBlock writes body into the area and waits for it.
func writeBlock(m Memory, a area, seq uint64, body []byte) error {
	if blockHeader+len(body) > a.pages*PageSize {
		return fmt.Errorf("card memory: %d bytes do not fit into %d pages", len(body), a.pages)
	}
	b := append([]byte(nil), a.magic[:]...)
	b = binary.BigEndian.AppendUint64(b, seq)
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
	sum := blockSum(b, body)
	b = append(append(b, sum[:]...), body...)
	for n := a.at; len(b) > 0; n++ {
		var page [PageSize]byte
		b = b[copy(page[:], b):]
		if err := m.WritePage(n, &page); err != nil {
			return fmt.Errorf("write card memory page %d: %w", n, err)
		}
	}
	if err := m.Sync(); err != nil {
		return fmt.Errorf("sync card memory: %w", err)
	}
	return nil
}

// readBlock returns the body of a whole block, or ok = false if there is none.
// An error means that the memory could not be read at all.
func readBlock(m Memory, a area) (seq uint64, body []byte, ok bool, err error) {
	b := make([]byte, 0, a.pages*PageSize)
	for n := a.at; n < a.at+a.pages; n++ {
		var page [PageSize]byte
		if err := m.ReadPage(n, &page); err != nil {
			return 0, nil, false, fmt.Errorf("read card memory page %d: %w", n, err)
		}
		b = append(b, page[:]...)
	}
	if !bytes.Equal(b[:4], a.magic[:]) {
		return 0, nil, false, nil
	}
	seq, size := binary.BigEndian.Uint64(b[4:]), int64(binary.BigEndian.Uint32(b[12:]))
	if size > int64(len(b)-blockHeader) {
		return 0, nil, false, nil
	}
	body = b[blockHeader : blockHeader+size]
	if blockSum(b[:16], body) != [sha256.Size]byte(b[16:blockHeader]) {
		return 0, nil, false, nil
	}
	return seq, body, true, nil
}

// slot gives the one of two slots that sequence number seq uses: they alternate,
// so a commit never touches the last good state.
func (a area) slot(seq uint64) area { return area{a.first(seq), a.pages, a.magic} }

// first is the first page of that slot.
func (a area) first(seq uint64) int { return a.at + int(seq%2)*a.pages }

// writeSlot commits the state with sequence number seq.
func writeSlot(m Memory, slots area, seq uint64, body []byte) error {
	return writeBlock(m, slots.slot(seq), seq, body)
}

// readSlots finds the newest whole state. A torn write leaves one good slot, the
// older; two bad slots are damage, not a power cut.
func readSlots(m Memory, slots area) (seq uint64, body []byte, err error) {
	found := false
	for slot := uint64(0); slot < 2; slot++ {
		s, b, ok, err := readBlock(m, slots.slot(slot))
		if err != nil {
			return 0, nil, err
		}
		if ok && s%2 == slot && (!found || s > seq) {
			seq, body, found = s, b, true
		}
	}
	if !found {
		return 0, nil, ErrMemory
	}
	return seq, body, nil
}

package coin

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A text is a message that a person can send and a picture can show:
//
//	JIAOZI: base32(envelope | check 4)
//	JIAOZI:2-5/ base32(id 8 | a piece of the envelope | check 4)   part 2 of 5
//
// It has only characters of the alphanumeric mode of QR symbols, which takes 5.5
// bits for each: capitals, digits and three marks. Base32 is that of RFC 4648
// without padding. The check is the start of the SHA-256 of all that stands before
// it, the letters of the prefix and then the bytes; the id is the start of the
// SHA-256 of the whole envelope, so parts of two messages never become one.

// Scheme is the scheme of the texts; a reader takes it in either case.
const Scheme = "jiaozi"

// Bounds of texts. A message that needs more parts is too long to scan for a
// person who holds a camera: it goes as a file.
const (
	MaxParts = 256
	minPart  = 64 // characters of a part; less would be nearly all frame
	maxText  = len(prefix) + (MaxMessage+checkLen)*8/5 + 1
)

// PartChars is how long a part that is shown as a QR symbol may be. On a screen:
// what version 20 at level M holds, 97 modules a side, which a telephone's camera
// reads at arm's length from another telephone. In a terminal of 80 columns:
// version 13, 69 modules and the quiet zone.
const (
	ScreenChars   = 970
	TerminalChars = 483
)

const (
	prefix   = "JIAOZI:"
	checkLen = 4
	idLen    = 8
)

var base = base32.StdEncoding.WithPadding(base32.NoPadding)

// Why a text is not read.
var (
	// ErrText: this is no coin message; look for the line that begins with jiaozi:.
	ErrText = errors.New("this is not a jiaozi: text")
	// ErrChecksum: copy or scan it again.
	ErrChecksum = errors.New("the text was mistyped, cut or misread: its checksum does not fit; copy or scan it again")
	// ErrPart: give it, and the others, to a Collector.
	ErrPart = errors.New("this is one part of a longer message: the other parts are needed as well")
	// ErrOther: finish the first message, or begin anew with the other one.
	ErrOther = errors.New("this belongs to another message than the parts so far: scan one message at a time")
)

// Text gives the whole message as one text.
func Text(m Message) (string, error) {
	b, err := Append(nil, m)
	if err != nil {
		return "", err
	}
	return frame(prefix, b), nil
}

// Parts gives the message as texts of at most chars characters each: one, if the
// message fits, or parts of nearly equal length.
func Parts(m Message, chars int) ([]string, error) {
	b, err := Append(nil, m)
	if err != nil {
		return nil, err
	}
	if whole := frame(prefix, b); len(whole) <= chars {
		return []string{whole}, nil
	}
	if chars < minPart {
		return nil, fmt.Errorf("parts of %d characters are nearly all frame: allow %d or more", chars, minPart)
	}
	room := (chars-len(partPrefix(MaxParts, MaxParts)))*5/8 - idLen - checkLen
	count := (len(b) + room - 1) / room
	if count > MaxParts {
		return nil, fmt.Errorf("%d bytes need %d parts of %d characters, and nobody scans more than %d: send the message as a file", len(b), count, chars, MaxParts)
	}
	sum := sha256.Sum256(b)
	piece := (len(b) + count - 1) / count
	count = (len(b) + piece - 1) / piece
	texts := make([]string, count)
	for i := range texts {
		body := append(sum[:idLen:idLen], b[i*piece:min((i+1)*piece, len(b))]...)
		texts[i] = frame(partPrefix(i+1, count), body)
	}
	return texts, nil
}

// ParseText reads the text of a whole message; ErrPart if it is a part.
func ParseText(s string) (Message, error) {
	p, err := parsePart(s)
	if err != nil {
		return nil, err
	}
	if p.count > 1 {
		return nil, fmt.Errorf("part %d of %d: %w", p.index, p.count, ErrPart)
	}
	return Decode(p.piece)
}

func partPrefix(index, count int) string {
	return prefix + strconv.Itoa(index) + "-" + strconv.Itoa(count) + "/"
}

func check(prefix string, body []byte) []byte {
	h := sha256.New()
	h.Write([]byte(prefix))
	h.Write(body)
	return h.Sum(nil)[:checkLen]
}

func frame(prefix string, body []byte) string {
	return prefix + base.EncodeToString(append(body[:len(body):len(body)], check(prefix, body)...))
}

// part is what one text says: a whole message is the only part of itself.
type part struct {
	index, count int // from 1
	id           [idLen]byte
	piece        []byte
}

// parsePart reads the one form that frame writes; the scheme may stand in either
// case, and white space around the text does no harm.
func parsePart(s string) (part, error) {
	if len(s) > maxText {
		return part{}, fmt.Errorf("a text of %d characters: %w", len(s), ErrTooLarge)
	}
	s = strings.Trim(s, " \t\r\n")
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return part{}, fmt.Errorf("%w: it does not begin with the scheme %s", ErrText, Scheme)
	}
	p, head, letters := part{index: 1, count: 1}, prefix, s[len(prefix):]
	if numbers, rest, ok := strings.Cut(letters, "/"); ok {
		var err error
		if p.index, p.count, err = parseNumbers(numbers); err != nil {
			return part{}, err
		}
		head, letters = partPrefix(p.index, p.count), rest
	}
	body, err := base.DecodeString(letters)
	// The decoder skips line ends and ignores bits left over: only what we would
	// have written is a text.
	if err != nil || len(body) < checkLen || base.EncodeToString(body) != letters {
		return part{}, fmt.Errorf("%w (letters are capitals A to Z and digits 2 to 7)", ErrChecksum)
	}
	cut := len(body) - checkLen
	if !bytes.Equal(check(head, body[:cut]), body[cut:]) {
		return part{}, ErrChecksum
	}
	p.piece = body[:cut]
	if p.count > 1 {
		if len(p.piece) <= idLen {
			return part{}, fmt.Errorf("part %d of %d is empty: %w", p.index, p.count, ErrForm)
		}
		p.id, p.piece = [idLen]byte(p.piece), p.piece[idLen:]
	}
	return p, nil
}

// parseNumbers reads "2-5" and nothing that means the same.
func parseNumbers(s string) (index, count int, err error) {
	a, b, _ := strings.Cut(s, "-")
	index, errA := strconv.Atoi(a)
	count, errB := strconv.Atoi(b)
	if errA != nil || errB != nil || index < 1 || index > count || count < 2 || count > MaxParts ||
		strconv.Itoa(index) != a || strconv.Itoa(count) != b {
		return 0, 0, fmt.Errorf("%w (its part number is not one of 2 to %d parts)", ErrChecksum, MaxParts)
	}
	return index, count, nil
}

// Collector puts the parts of one message together, in any order; the same part
// again does no harm, as a camera sees each symbol many times. An error leaves
// what was collected as it is. The zero Collector is ready.
type Collector struct {
	id     [idLen]byte
	pieces [][]byte // by index from 0; nil where missing
	size   int
}

// Add takes one text. It gives the message once it is whole, and nil before; then
// it begins anew. A text that is a whole message needs no other.
func (c *Collector) Add(text string) (Message, error) {
	p, err := parsePart(text)
	if err != nil {
		return nil, err
	}
	if c.pieces != nil && (p.count != len(c.pieces) || p.id != c.id) {
		return nil, ErrOther
	}
	if p.count == 1 {
		return Decode(p.piece)
	}
	if c.pieces == nil {
		c.id, c.pieces, c.size = p.id, make([][]byte, p.count), 0
	}
	switch old := c.pieces[p.index-1]; {
	case old == nil && c.size+len(p.piece) > MaxMessage:
		return nil, fmt.Errorf("the parts together: %w", ErrTooLarge)
	case old == nil:
		c.pieces[p.index-1] = p.piece
		c.size += len(p.piece)
	case !bytes.Equal(old, p.piece):
		return nil, fmt.Errorf("part %d came before with other bytes: %w", p.index, ErrOther)
	}
	if len(c.Missing()) > 0 {
		return nil, nil
	}
	return c.whole()
}

// whole decodes what is complete and leaves the Collector empty.
func (c *Collector) whole() (Message, error) {
	b := bytes.Join(c.pieces, nil)
	id := c.id
	*c = Collector{}
	if sum := sha256.Sum256(b); [idLen]byte(sum[:idLen]) != id {
		return nil, fmt.Errorf("the parts do not make up the message that they name: %w", ErrForm)
	}
	return Decode(b)
}

// Missing lists the parts that are still to come, from 1; nil before the first.
func (c *Collector) Missing() []int {
	var missing []int
	for i, piece := range c.pieces {
		if piece == nil {
			missing = append(missing, i+1)
		}
	}
	return missing
}

// Read reads a message as it comes from a file or a pipe: an envelope, or one text
// or all its parts, one a line, in any order. Empty lines do no harm.
func Read(b []byte) (Message, error) {
	if bytes.HasPrefix(b, []byte(magic)) {
		return Decode(b)
	}
	if len(b) > 2*maxText {
		return nil, fmt.Errorf("%d bytes of text: %w", len(b), ErrTooLarge)
	}
	var (
		c     Collector
		whole Message
	)
	for line := range strings.Lines(string(b)) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if whole != nil {
			return nil, fmt.Errorf("something follows the message: %w", ErrOther)
		}
		m, err := c.Add(line)
		if err != nil {
			return nil, err
		}
		whole = m
	}
	switch missing := c.Missing(); {
	case len(missing) > 0:
		return nil, fmt.Errorf("part %d of %d is missing: %w", missing[0], len(c.pieces), ErrPart)
	case whole == nil:
		return nil, fmt.Errorf("%w: there is nothing in it", ErrText)
	}
	return whole, nil
}

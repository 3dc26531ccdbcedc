package proof

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"jiaozi/book"
	"jiaozi/value/clock"

	"golang.org/x/mod/sumdb/note"
)

// Checkpoint says what the book was at one moment: Size entries whose tree has
// this Root, the last of them in batch Seq. Head is Commit of that batch's hash.
// Date is the business date that ended with it.
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   [sha256.Size]byte
	Chain  uint16
	Seq    uint64
	Head   [sha256.Size]byte
	Date   clock.Date
}

// Origin names the log of one chain of a scheme's book. Each chain is a log of
// its own, and never signs two histories under one name.
func Origin(scheme string, chain uint16) string {
	return fmt.Sprintf("jiaozi/%s/book/%d", scheme, chain)
}

// Commit hides the hash of a row that a checkpoint names. Published in the clear
// it would let anyone compute the salts of that row and try out its entries.
func Commit(head book.Hash) [sha256.Size]byte {
	const domain = "jiaozi book head 1\x00"
	return sha256.Sum256(append([]byte(domain), head[:]...))
}

// maxNote bounds a signed checkpoint: its text and the signatures of a hundred
// witnesses.
const maxNote = 64 << 10

// text is the signed text: c2sp.org/tlog-checkpoint with three extension lines.
func (c *Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\nchain %d\nhead %d %s\ndate %s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]),
		c.Chain, c.Seq, base64.StdEncoding.EncodeToString(c.Head[:]), c.Date)
}

// parseCheckpoint accepts exactly what text writes.
func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 7 {
		return Checkpoint{}, fmt.Errorf("%w: a checkpoint has six lines", ErrForm)
	}
	c := Checkpoint{Origin: lines[0]}
	var head, date string
	errs := []error{
		scan(lines[1], &c.Size), unhash(lines[2], &c.Root),
		field(lines[3], "chain", func(s string) error {
			n, err := strconv.ParseUint(s, 10, 16)
			c.Chain = uint16(n)
			return err
		}),
		field(lines[4], "head", func(s string) error {
			var seq string
			seq, head, _ = strings.Cut(s, " ")
			return errors.Join(scan(seq, &c.Seq), unhash(head, &c.Head))
		}),
		field(lines[5], "date", func(s string) (err error) {
			date = s
			c.Date, err = clock.ParseDate(date)
			return err
		}),
	}
	if err := errors.Join(errs...); err != nil || c.text() != text {
		return Checkpoint{}, fmt.Errorf("%w: the text of the checkpoint", ErrForm)
	}
	return c, nil
}

func field(line, name string, read func(string) error) error {
	value, ok := strings.CutPrefix(line, name+" ")
	if !ok {
		return ErrForm
	}
	return read(value)
}

func scan(s string, to *uint64) (err error) {
	*to, err = strconv.ParseUint(s, 10, 63)
	return err
}

func unhash(s string, to *[sha256.Size]byte) error {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err == nil && len(b) != len(to) {
		return ErrForm
	}
	copy(to[:], b)
	return err
}

// Signer signs checkpoints of one origin. The key stays where it is: sign is
// handed the text, and the line that it must begin with (vault.Sign).
type Signer struct {
	note.Verifier
	sign func(domain string, msg []byte) ([]byte, error)
}

// NewSigner takes the public half of the key that sign uses.
func NewSigner(origin string, public ed25519.PublicKey, sign func(domain string, msg []byte) ([]byte, error)) (*Signer, error) {
	key, err := PublicKey(origin, public)
	if err != nil {
		return nil, err
	}
	v, err := note.NewVerifier(key)
	if err != nil {
		return nil, fmt.Errorf("proof: %w", err)
	}
	return &Signer{v, sign}, nil
}

// Sign is called by the note package.
func (s *Signer) Sign(msg []byte) ([]byte, error) { return s.sign(s.Name()+"\n", msg) }

// PublicKey is the line that customers are given: name, key id and key, in the
// verifier key form of signed notes.
func PublicKey(origin string, public ed25519.PublicKey) (string, error) {
	key, err := note.NewEd25519VerifierKey(origin, public)
	if err != nil {
		return "", fmt.Errorf("proof: public key of %q: %w", origin, err)
	}
	return key, nil
}

// Sign makes the signed note of a checkpoint.
func Sign(c Checkpoint, s *Signer) ([]byte, error) {
	if c.Origin != s.Name() {
		return nil, fmt.Errorf("proof: a checkpoint of %q is not signed by the key of %q", c.Origin, s.Name())
	}
	if _, err := parseCheckpoint(c.text()); err != nil {
		return nil, err
	}
	signed, err := note.Sign(&note.Note{Text: c.text()}, s)
	if err != nil {
		return nil, fmt.Errorf("proof: sign the checkpoint: %w", err)
	}
	// A disk or memory that flips a bit must not put the bank's name to it.
	if _, err := openNote(signed, note.VerifierList(s)); err != nil {
		return nil, err
	}
	return signed, nil
}

// maxKeys bounds a file of public keys: one line for each chain of a scheme.
const maxKeys = 4096

// ParseKeys reads public keys, one a line; empty lines and lines that begin with
// a # are left out.
func ParseKeys(text string) (note.Verifiers, error) {
	var keys []note.Verifier
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		v, err := note.NewVerifier(line)
		if err != nil || len(keys) == maxKeys {
			return nil, fmt.Errorf("proof: %q is not a public key of checkpoints: it has the form name+id+key", line[:min(len(line), 40)])
		}
		keys = append(keys, v)
	}
	if len(keys) == 0 {
		return nil, errors.New("proof: there is no public key in the file")
	}
	return note.VerifierList(keys...), nil
}

// OpenCheckpoint reads a signed checkpoint and checks the signature of its own
// origin. Signatures of others, such as witnesses, may stand beside it.
func OpenCheckpoint(signed []byte, keys note.Verifiers) (Checkpoint, error) {
	return openNote(signed, keys)
}

func openNote(signed []byte, keys note.Verifiers) (Checkpoint, error) {
	if len(signed) > maxNote {
		return Checkpoint{}, fmt.Errorf("%w: a checkpoint of %d bytes", ErrForm, len(signed))
	}
	n, err := note.Open(signed, keys)
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case errors.As(err, &unverified), errors.As(err, &invalid):
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrSignature, err)
	case err != nil:
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrForm, err)
	}
	c, err := parseCheckpoint(n.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	for _, s := range n.Sigs {
		if s.Name == c.Origin {
			return c, nil
		}
	}
	return Checkpoint{}, fmt.Errorf("%w: it is of %q", ErrSignature, c.Origin)
}

// Package phrase turns 32 secret bytes into 24 words that a person can write on
// paper, and back, as BIP-39 defines it, in English and in simplified Chinese.
//
//	New (or Parse) --> Phrase --Reveal--> 24 words for the paper
//	                      └----Seed----> 64 bytes that a wallet derives from
//
// It promises that a Phrase never shows itself in fmt, JSON or logs; that Parse
// accepts exactly what Reveal gives (spacing and letter case aside) and else says
// which word is wrong without repeating it; and that both languages name the same
// Phrase with the same Seed, so that a wallet written down in one language is
// found again in the other.
//
// That last promise is the one difference from BIP-39, whose seed would be
// another for the Chinese words: Seed always stretches the English ones. Looking
// words up takes a time that depends on them; it happens where the owner types
// them in, never where another party could measure it. Start with New and Parse.
package phrase

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"jiaozi/value/lang"
)

const (
	// Size is the entropy in bytes: 256 bits, and 8 of check, are 24 words.
	Size = 32
	// Words is how many words a phrase has.
	Words = 24
	// SeedSize is the length of what Seed gives.
	SeedSize = 64

	bitsPerWord = 11
	rounds      = 2048 // of PBKDF2, as BIP-39 has it: the entropy needs no stretching, the form does
	// maxText bounds what Parse looks at: no phrase of either language comes near it.
	maxText = 1024
)

var (
	// ErrCount: there are not 24 words. Look for one left out or written twice.
	ErrCount = errors.New("a phrase has 24 words")
	// ErrWord: a word stands in no list; the error names its position.
	ErrWord = errors.New("not a word of the list")
	// ErrChecksum: every word exists, but they do not belong together: one is
	// another than was written down, or two have changed places.
	ErrChecksum = errors.New("the words do not fit together: one is wrong or two have changed places; compare each with the paper")
)

// Phrase is 32 secret bytes. The zero Phrase is none. The bytes lie behind two
// pointers, because fmt prints unexported fields without asking them and follows
// one pointer under some verbs.
type Phrase struct{ p **[Size]byte }

func newPhrase(entropy [Size]byte) Phrase {
	p := &entropy
	return Phrase{&p}
}

// New draws a phrase from rand, which must be a source fit for keys.
func New(rand io.Reader) (Phrase, error) {
	var entropy [Size]byte
	if _, err := io.ReadFull(rand, entropy[:]); err != nil {
		return Phrase{}, fmt.Errorf("draw a phrase: %w", err)
	}
	return newPhrase(entropy), nil
}

// FromEntropy makes the phrase of 32 bytes that a sealed store has kept.
func FromEntropy(entropy [Size]byte) Phrase { return newPhrase(entropy) }

// Parse reads 24 words of one language. Words are parted by any white space;
// Chinese ones, of one character each, may stand without it.
func Parse(text string) (Phrase, error) {
	if len(text) > maxText {
		return Phrase{}, fmt.Errorf("a text of %d bytes: %w", len(text), ErrCount)
	}
	words := split(text)
	if len(words) != Words {
		return Phrase{}, fmt.Errorf("%d words: %w", len(words), ErrCount)
	}
	list := listOf(words)
	var bits [Size + 1]byte
	for i, word := range words {
		n, ok := list.find(word)
		if !ok {
			return Phrase{}, fmt.Errorf("word %d is %w in %s: check its spelling", i+1, ErrWord, list.name)
		}
		putBits(&bits, i*bitsPerWord, n)
	}
	entropy := [Size]byte(bits[:Size])
	if checkByte(&entropy) != bits[Size] {
		return Phrase{}, ErrChecksum
	}
	return newPhrase(entropy), nil
}

// split parts the text at white space and between Chinese characters.
func split(text string) []string {
	var words []string
	for _, field := range strings.Fields(strings.ToLower(text)) {
		for field != "" {
			end := strings.IndexFunc(field, func(r rune) bool { return unicode.Is(unicode.Han, r) })
			switch {
			case end < 0:
				end = len(field)
			case end == 0:
				_, end = utf8.DecodeRuneInString(field)
			}
			words = append(words, field[:end])
			field = field[end:]
		}
	}
	return words
}

// checkByte is the first byte of the entropy's SHA-256: 256/32 bits, as BIP-39 has it.
func checkByte(entropy *[Size]byte) byte {
	sum := sha256.Sum256(entropy[:])
	return sum[0]
}

// putBits writes the 11 bits of word number n from bit position at on.
func putBits(bits *[Size + 1]byte, at int, n uint16) {
	for i := range bitsPerWord {
		bit := byte(n >> (bitsPerWord - 1 - i) & 1)
		bits[(at+i)/8] |= bit << (7 - (at+i)%8)
	}
}

func getBits(bits *[Size + 1]byte, at int) (n uint16) {
	for i := range bitsPerWord {
		n = n<<1 | uint16(bits[(at+i)/8]>>(7-(at+i)%8)&1)
	}
	return n
}

// IsZero reports whether there is no phrase.
func (p Phrase) IsZero() bool { return p.p == nil }

// Equal compares in constant time. Two absent phrases are not equal: nothing was
// shown by either.
func (p Phrase) Equal(q Phrase) bool {
	return p.p != nil && q.p != nil && subtle.ConstantTimeCompare((*p.p)[:], (*q.p)[:]) == 1
}

// Reveal gives the 24 words in l, parted by spaces, for the owner's paper and
// nothing else. Search for its callers to see where a phrase leaves the type.
// The zero Phrase has no words.
func (p Phrase) Reveal(l lang.Lang) string {
	if p.p == nil {
		return ""
	}
	list := english()
	if l == lang.ZH {
		list = chinese()
	}
	bits := [Size + 1]byte{Size: checkByte(*p.p)}
	copy(bits[:], (*p.p)[:])
	words := make([]string, Words)
	for i := range words {
		words[i] = list.words[getBits(&bits, i*bitsPerWord)]
	}
	return strings.Join(words, " ")
}

// RevealEntropy gives the 32 bytes for a store that seals them; see FromEntropy.
// The zero Phrase has none and gives zeros.
func (p Phrase) RevealEntropy() (entropy [Size]byte) {
	if p.p != nil {
		entropy = **p.p
	}
	return entropy
}

// Seed stretches the English words into 64 bytes, by PBKDF2 with HMAC-SHA-512 and
// no further passphrase (BIP-39, "From mnemonic to seed"). It takes about a
// millisecond: keep what is derived from it, not the call.
func (p Phrase) Seed() ([SeedSize]byte, error) { return p.stretch("") }

// stretch takes the optional passphrase of BIP-39, which the published vectors use.
func (p Phrase) stretch(passphrase string) ([SeedSize]byte, error) {
	if p.p == nil {
		return [SeedSize]byte{}, errors.New("there is no phrase to derive from")
	}
	seed, err := pbkdf2.Key(sha512.New, p.Reveal(lang.EN), []byte("mnemonic"+passphrase), rounds, SeedSize)
	if err != nil {
		return [SeedSize]byte{}, fmt.Errorf("derive from the phrase: %w", err)
	}
	return [SeedSize]byte(seed), nil
}

// String never shows a word.
func (p Phrase) String() string { return "phrase(secret)" }

// Format is String under every verb, %x and %#v included.
func (p Phrase) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// MarshalText is String, for JSON, structured logs and every other text encoding.
func (p Phrase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

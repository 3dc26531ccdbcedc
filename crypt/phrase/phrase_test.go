package phrase

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"jiaozi/crypt/internal/secrettest"
	"jiaozi/value/lang"
)

// Goal: the embedded words are the published ones. Method: their known SHA-256.
func TestListsAreThePublishedOnes(t *testing.T) {
	for _, c := range []struct {
		list *list
		text string
		sum  string
	}{
		{english(), englishText, "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"},
		{chinese(), chineseText, "5c5942792bd8340cb8b27cd592f1015edf56a8c5b26276ee18a482428e7c5726"},
	} {
		sum := sha256.Sum256([]byte(c.text))
		if hex.EncodeToString(sum[:]) != c.sum {
			t.Errorf("%s has changed", c.list.name)
		}
		if len(c.list.words) != 1<<bitsPerWord || len(c.list.numbers) != 1<<bitsPerWord {
			t.Errorf("%s: %d words, %d of them different", c.list.name, len(c.list.words), len(c.list.numbers))
		}
	}
}

// Goal: words and seed are those of every other wallet. Method: the 24-word
// vectors that Trezor published with BIP-39.
func TestPublishedVectors(t *testing.T) {
	text, err := os.ReadFile("testdata/trezor.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct{ Entropy, Words, Passphrase, Seed string }
	if err := json.Unmarshal(text, &vectors); err != nil || len(vectors) < 8 {
		t.Fatal("vectors are missing", err)
	}
	for _, v := range vectors {
		entropy, err := hex.DecodeString(v.Entropy)
		if err != nil {
			t.Fatal(err)
		}
		p := FromEntropy([Size]byte(entropy))
		if p.Reveal(lang.EN) != v.Words {
			t.Errorf("%s: other words", v.Entropy)
		}
		read, err := Parse(v.Words)
		if err != nil || !read.Equal(p) {
			t.Errorf("%s: words do not read back: %v", v.Entropy, err)
		}
		if seed, err := p.stretch(v.Passphrase); err != nil || hex.EncodeToString(seed[:]) != v.Seed {
			t.Errorf("%s: other seed (%v)", v.Entropy, err)
		}
	}
}

// Goal: every phrase reads back, in both languages and however it was spaced, as
// the same phrase with the same seed.
func TestEveryPhraseReadsBackInBothLanguages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), Size, Size).Draw(t, "entropy")
		p, err := New(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		zh := p.Reveal(lang.ZH)
		for _, text := range []string{
			p.Reveal(lang.EN), strings.ToUpper(p.Reveal(lang.EN)), "\n" + strings.ReplaceAll(p.Reveal(lang.EN), " ", " \t\n"),
			zh, strings.ReplaceAll(zh, " ", ""), strings.ReplaceAll(zh, " ", "\u3000"),
		} {
			q, err := Parse(text)
			if err != nil || !q.Equal(p) {
				t.Fatalf("does not read back: %v", err)
			}
			if q.RevealEntropy() != [Size]byte(raw) {
				t.Fatal("other bytes")
			}
		}
	})
}

// Goal: what is wrong is said, with the position and without the word.
func TestErrorsNameThePlaceAndNeverTheWord(t *testing.T) {
	words := strings.Fields(FromEntropy([Size]byte{7: 9, 31: 4}).Reveal(lang.EN))
	with := func(i int, word string) string {
		out := append([]string(nil), words...)
		out[i] = word
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		why, text string
		want      error
		says      string
	}{
		{"nothing", "", ErrCount, "0 words"},
		{"one left out", strings.Join(words[1:], " "), ErrCount, "23 words"},
		{"one too many", strings.Join(words, " ") + " zoo", ErrCount, "25 words"},
		{"misspelt", with(6, "secretword"), ErrWord, "word 7 "},
		{"last misspelt", with(23, "secretword"), ErrWord, "word 24 "},
		{"another language", with(2, "的"), ErrWord, "word 3 "},
		{"another word", with(0, "zoo"), ErrChecksum, "one is wrong"},
		{"far too long", strings.Repeat("zoo ", 1<<14), ErrCount, "65536 bytes"},
		{"no text at all", strings.Repeat("\xff", 24), ErrCount, "1 words"},
	} {
		_, err := Parse(c.text)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.why, err)
		}
		if err != nil && (strings.Contains(err.Error(), "secretword") || strings.Contains(err.Error(), "zoo")) {
			t.Errorf("%s: the error repeats a word", c.why)
		}
	}
}

// Goal: a changed word passes as often as 8 check bits let it, one time in 256.
func TestChecksumFindsWrongWords(t *testing.T) {
	words := strings.Fields(FromEntropy([Size]byte{1, 2, 3}).Reveal(lang.EN))
	passed := 0
	for _, word := range english().words {
		if word == words[11] {
			continue
		}
		changed := append([]string(nil), words...)
		changed[11] = word
		if _, err := Parse(strings.Join(changed, " ")); err == nil {
			passed++
		}
	}
	if passed > 3*len(english().words)/256 {
		t.Errorf("%d of 2047 wrong words pass", passed)
	}
}

func TestPhraseNeverShowsItself(t *testing.T) {
	p, err := New(strings.NewReader("\x9e\x81\xf3\x17\xa6\x55\xc8\x02\xee\x71\x3b\xd4\x60\x9f\x2a\xb7\x48\x1c\xe5\x93\x0d\x7a\xf8\x26\xbb\x5e\x04\x99\xd1\x6c\x37\xea"))
	if err != nil {
		t.Fatal(err)
	}
	entropy := p.RevealEntropy()
	secrettest.Check(t, p, entropy[:])
	for word := range strings.FieldsSeq(p.Reveal(lang.EN)) {
		if len(word) > 6 {
			secrettest.Check(t, p, []byte(word))
		}
	}
}

func TestThereIsNoZeroPhrase(t *testing.T) {
	var zero Phrase
	if !zero.IsZero() || zero.Reveal(lang.EN) != "" || zero.Equal(zero) {
		t.Error("the zero phrase passes for one")
	}
	if _, err := zero.Seed(); err == nil {
		t.Error("the zero phrase has a seed")
	}
	if _, err := New(strings.NewReader("too short")); err == nil {
		t.Error("a phrase was drawn from a source that ran dry")
	}
}

func ExampleParse() {
	_, err := Parse("abandon ability able")
	fmt.Println(err)
	// Output: 3 words: a phrase has 24 words
}

func FuzzParse(f *testing.F) {
	f.Add(FromEntropy([Size]byte{1}).Reveal(lang.EN))
	f.Add(FromEntropy([Size]byte{2}).Reveal(lang.ZH))
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		for _, l := range []lang.Lang{lang.EN, lang.ZH} {
			if q, err := Parse(p.Reveal(l)); err != nil || !q.Equal(p) {
				t.Fatalf("what was read does not read back: %v", err)
			}
		}
	})
}

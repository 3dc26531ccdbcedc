package phrase

import (
	_ "embed" // the two lists
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// The lists are those of BIP-39 (bitcoin/bips, bip-0039/english.txt and
// chinese_simplified.txt), one word on a line, taken from the copies in
// github.com/tyler-smith/go-bip39 v1.1.0. TestListsAreThePublishedOnes holds their SHA-256.
var (
	//go:embed english.txt
	englishText string
	//go:embed chinese.txt
	chineseText string
)

// list is the 2048 words of one language: word to number and back.
type list struct {
	name    string
	words   []string
	numbers map[string]uint16
}

var (
	english = sync.OnceValue(func() *list { return newList("the English list", englishText) })
	chinese = sync.OnceValue(func() *list { return newList("the Chinese list", chineseText) })
)

func newList(name, text string) *list {
	l := &list{name: name, words: strings.Fields(text)}
	l.numbers = make(map[string]uint16, len(l.words))
	for i, word := range l.words {
		l.numbers[word] = uint16(i)
	}
	return l
}

func (l *list) find(word string) (uint16, bool) {
	n, ok := l.numbers[word]
	return n, ok
}

// listOf chooses the language by the script of the first word: the two lists
// share no character, and a phrase is of one language.
func listOf(words []string) *list {
	if first, _ := utf8.DecodeRuneInString(words[0]); unicode.Is(unicode.Han, first) {
		return chinese()
	}
	return english()
}

package house

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	fence    = regexp.MustCompile("(?ms)^```.*?^```")
	mdLink   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	external = regexp.MustCompile(`^(https?://|mailto:)`)
)

// required are the documents that a stranger looks for.
var required = []string{
	"README.md", "README.zh-CN.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md", "LICENSE", "docs/threats.md", "docs/glossary.md",
}

const maxArchitectureWords = 3000

func TestDocumentsExist(t *testing.T) {
	tr := loaded(t)
	for _, doc := range required {
		if _, err := os.Stat(filepath.Join(tr.root, doc)); err != nil {
			t.Errorf("%s is missing", doc)
		}
	}
	if n := len(strings.Fields(tr.read(t, "ARCHITECTURE.md"))); n > maxArchitectureWords {
		t.Errorf("ARCHITECTURE.md has %d words, at most %d", n, maxArchitectureWords)
	}
}

// TestLinksResolve: every relative link of every document leads to a file of this tree and, with #, to one of its headings.
func TestLinksResolve(t *testing.T) {
	tr := loaded(t)
	for _, doc := range tr.docs {
		text := fence.ReplaceAllString(tr.read(t, doc), "")
		for _, m := range mdLink.FindAllStringSubmatch(text, -1) {
			if !external.MatchString(m[1]) {
				checkLink(t, tr, doc, m[1])
			}
		}
	}
}

func checkLink(t *testing.T, tr *tree, doc, link string) {
	t.Helper()
	file, anchor, _ := strings.Cut(link, "#")
	target := doc
	if file != "" {
		target = path.Join(path.Dir(doc), file)
	}
	if strings.HasPrefix(target, "..") {
		t.Errorf("%s: link %q leaves the project", doc, link)
		return
	}
	if _, err := os.Stat(filepath.Join(tr.root, target)); err != nil {
		t.Errorf("%s: link %q leads nowhere", doc, link)
		return
	}
	if anchor != "" && !anchors(tr.read(t, target))[anchor] {
		t.Errorf("%s: link %q: no such heading in %s", doc, link, target)
	}
}

// anchors are the names that Markdown viewers give to headings.
func anchors(text string) map[string]bool {
	names := make(map[string]bool)
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, m[1])
		names[name] = true
	}
	return names
}

// codeName finds the names of tests that documents cite, such as `TestTornTapIsRecovered`.
var codeName = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z]\\w+)`")

// TestCitedTestsExist: a document that names a test as its proof names one that is there.
func TestCitedTestsExist(t *testing.T) {
	tr := loaded(t)
	names := make(map[string]bool)
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	for _, f := range tr.files {
		if !f.test {
			continue
		}
		for _, m := range declared.FindAllSubmatch(f.text, -1) {
			names[string(m[1])] = true
		}
	}
	for _, doc := range tr.docs {
		for _, m := range codeName.FindAllStringSubmatch(tr.read(t, doc), -1) {
			if !names[m[1]] {
				t.Errorf("%s cites %s, which does not exist", doc, m[1])
			}
		}
	}
}

// strangers are words that tie the project to one machine or one network, spelt in halves so that this file passes.
var strangers = regexp.MustCompile(`(^|[^\w.])/(wo` + `rk|ro` + `ot|ho` + `me/\w+|tm` + `p)/\w|proxy\.gol` + `ang|sum\.gol` + `ang|registry\.np` + `mjs|deb\.deb` + `ian\.org|pypi\.o` + `rg`)

// TestNoMachineIsNamed: no tracked text names a path of somebody's machine or a host of a package registry.
func TestNoMachineIsNamed(t *testing.T) {
	tr := loaded(t)
	for _, file := range tr.all {
		text := tr.read(t, file)
		if strings.ContainsRune(text, 0) {
			continue
		}
		for i, line := range strings.Split(text, "\n") {
			if word := strangers.FindString(line); word != "" {
				t.Errorf("%s:%d: %q", file, i+1, word)
			}
		}
	}
}

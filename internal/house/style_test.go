package house

import (
	"go/ast"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

const (
	maxFunctionLines = 70  // one idea; a screen
	maxFileLines     = 600 // one room's corner; tables and generated files say what they are
	minCommentLines  = 3   // what the package promises, what it refuses to know, where to start
	tableLiteral     = 8   // a composite literal this long is a table and does not count as control flow
)

// TestEveryPackageSaysWhatItIs: one package comment per package, "Package name ..." and long enough to say something.
func TestEveryPackageSaysWhatItIs(t *testing.T) {
	tr := loaded(t)
	for room, files := range tr.rooms() {
		comment, owner := "", ""
		for _, f := range files {
			if f.ast.Doc == nil || f.test && hasLibraryFile(files) {
				continue
			}
			if comment != "" {
				t.Errorf("%s: second package comment; the first is in %s", f.path, owner)
			}
			comment, owner = f.ast.Doc.Text(), f.path
		}
		checkPackageComment(t, room, files[0].ast.Name.Name, comment)
	}
}

func hasLibraryFile(files []*source) bool {
	for _, f := range files {
		if !f.test {
			return true
		}
	}
	return false
}

func checkPackageComment(t *testing.T, room, name, comment string) {
	t.Helper()
	start := "Package " + strings.TrimSuffix(name, "_test") + " "
	if name == "main" {
		start = "Command " + room[strings.LastIndexByte(room, '/')+1:] + " "
	}
	if !strings.HasPrefix(comment, start) {
		t.Errorf("%s: needs a package comment that starts %q", room, start)
		return
	}
	if n := strings.Count(comment, "\n"); n < minCommentLines {
		t.Errorf("%s: package comment of %d lines; say in %d or more what it promises and where to start", room, n, minCommentLines)
	}
}

// TestFunctionsFitOnAScreen: no function is longer than maxFunctionLines, its tables not counted.
func TestFunctionsFitOnAScreen(t *testing.T) {
	tr := loaded(t)
	for _, f := range tr.files {
		for _, decl := range f.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			if n := tr.span(fn) - tr.tables(fn); n > maxFunctionLines {
				t.Errorf("%s: %s has %d lines, at most %d", tr.line(fn.Pos()), fn.Name.Name, n, maxFunctionLines)
			}
		}
	}
}

func (tr *tree) span(n ast.Node) int {
	return tr.fset.Position(n.End()).Line - tr.fset.Position(n.Pos()).Line + 1
}

// tables counts the lines of a function that only list data.
func (tr *tree) tables(fn *ast.FuncDecl) int {
	total := 0
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok || tr.span(lit) < tableLiteral || hasFunction(lit) {
			return true
		}
		total += tr.span(lit) - 1
		return false
	})
	return total
}

func hasFunction(lit *ast.CompositeLit) bool {
	found := false
	ast.Inspect(lit, func(n ast.Node) bool {
		if fn, ok := n.(*ast.FuncLit); ok && len(fn.Body.List) > 1 {
			found = true
		}
		return !found
	})
	return found
}

// listMark is how a long file says that it is data: generated, or "Table:" in its first comment.
var listMark = regexp.MustCompile(`(?m)^// (Code generated .* DO NOT EDIT\.|Table: .+)$`)

// TestFilesAreOneIdea: a file past maxFileLines is either a table and says so, or two ideas.
func TestFilesAreOneIdea(t *testing.T) {
	tr := loaded(t)
	for _, f := range tr.files {
		if !f.test && f.lines() > maxFileLines && !listMark.Match(f.text) {
			t.Errorf("%s: %d lines, at most %d; split it, or mark a table with a line \"// Table: what it lists\"", f.path, f.lines(), maxFileLines)
		}
	}
}

// TestDecodersAreFuzzed: a package under wire or link that exports a decoder has a fuzz test.
func TestDecodersAreFuzzed(t *testing.T) {
	tr := loaded(t)
	for room, files := range tr.rooms() {
		if !below(room, "wire") && !below(room, "link") {
			continue
		}
		decoder, fuzzed := "", false
		for _, f := range files {
			for _, decl := range f.ast.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if !ok {
					continue
				}
				fuzzed = fuzzed || f.test && strings.HasPrefix(fn.Name.Name, "Fuzz")
				if !f.test && (strings.HasPrefix(fn.Name.Name, "Decode") || strings.HasPrefix(fn.Name.Name, "Parse")) {
					decoder = fn.Name.Name
				}
			}
		}
		if decoder != "" && !fuzzed {
			t.Errorf("%s: %s has no fuzz test", room, decoder)
		}
	}
}

// promises are words that stand where work should; spelt in halves so that this file passes its own rule.
var promises = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|not impl` + `emented|unimpl` + `emented|for demo pur` + `poses|simpl` + `ified for)\b`)

// TestNothingIsPromised: the tree holds what works; what does not exist yet is in the README's list and nowhere else.
func TestNothingIsPromised(t *testing.T) {
	tr := loaded(t)
	for _, f := range tr.files {
		for _, group := range f.ast.Comments {
			if word := promises.FindString(group.Text()); word != "" {
				t.Errorf("%s: %q: do it, or delete it", tr.line(group.Pos()), word)
			}
		}
		checkSuppressions(t, tr, f)
	}
}

var suppression = regexp.MustCompile(`^//(lint:|nolint|staticcheck:)`)

// checkSuppressions wants every switched-off check to name its rule and its reason.
func checkSuppressions(t *testing.T, tr *tree, f *source) {
	t.Helper()
	for _, group := range f.ast.Comments {
		for _, c := range group.List {
			if suppression.MatchString(c.Text) && len(strings.Fields(c.Text)) < 5 {
				t.Errorf("%s: %s: name the rule and the reason", tr.line(c.Pos()), c.Text)
			}
		}
	}
}

// TestTestsHaveNoSkippedFocus: a skip names what is missing; a bare t.Skip hides a test for ever.
func TestTestsHaveNoSkippedFocus(t *testing.T) {
	tr := loaded(t)
	for _, f := range tr.files {
		if !f.test {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if ok && (sel.Sel.Name == "SkipNow" || sel.Sel.Name == "Skip" && len(call.Args) == 0) && sel.X.(ast.Node).Pos() != token.NoPos {
				t.Errorf("%s: say what is missing", tr.line(n.Pos()))
			}
			return true
		})
	}
}

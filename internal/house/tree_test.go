package house

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "jiaozi"

// A source is one parsed Go file of the module.
type source struct {
	path string // relative to the module, slashes
	room string // its folder, "" for the root
	test bool
	text []byte
	ast  *ast.File
}

// A tree is the module as it lies on disk: parsed once, read by every rule.
type tree struct {
	root  string
	fset  *token.FileSet
	files []*source
	docs  []string // paths of the Markdown files
	all   []string // every regular file that could be committed
}

var theTree = sync.OnceValues(loadTree)

func loaded(t *testing.T) *tree {
	t.Helper()
	tr, err := theTree()
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func loadTree() (*tree, error) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return nil, err
	}
	tr := &tree{root: root, fset: token.NewFileSet()}
	return tr, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if skipFolder(root, path, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		return tr.add(path)
	})
}

// skipFolder leaves out what git ignores (binaries, the demo's data) and git itself.
func skipFolder(root, path, name string) bool {
	if path == root {
		return false
	}
	return name == ".git" || filepath.Dir(path) == root && (name == "bin" || name == "jiaozi-data")
}

func (tr *tree) add(path string) error {
	rel, err := filepath.Rel(tr.root, path)
	if err != nil {
		return err
	}
	rel = filepath.ToSlash(rel)
	tr.all = append(tr.all, rel)
	if strings.HasSuffix(rel, ".md") {
		tr.docs = append(tr.docs, rel)
	}
	if !strings.HasSuffix(rel, ".go") {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if bytes.HasPrefix(text, []byte("//go:build ignore\n")) {
		return nil // a generator run by hand, a program of its own
	}
	parsed, err := parser.ParseFile(tr.fset, rel, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	room := filepath.ToSlash(filepath.Dir(rel))
	if room == "." {
		room = ""
	}
	tr.files = append(tr.files, &source{path: rel, room: room, test: strings.HasSuffix(rel, "_test.go"), text: text, ast: parsed})
	return nil
}

func (tr *tree) read(t *testing.T, rel string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(tr.root, rel))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (tr *tree) line(pos token.Pos) string { return tr.fset.Position(pos).String() }

// rooms are the packages that hold library code, each with its files.
func (tr *tree) rooms() map[string][]*source {
	rooms := make(map[string][]*source)
	for _, f := range tr.files {
		rooms[f.room] = append(rooms[f.room], f)
	}
	return rooms
}

// imports are the paths a file imports.
func (f *source) imports() []string {
	var paths []string
	for _, spec := range f.ast.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

// inside reports whether the file's room is one of the given rooms or below one.
func (f *source) inside(rooms ...string) bool {
	return slices.ContainsFunc(rooms, func(room string) bool { return below(f.room, room) })
}

func below(room, top string) bool { return room == top || strings.HasPrefix(room, top+"/") }

// lines counts lines the way wc does.
func (f *source) lines() int { return bytes.Count(f.text, []byte("\n")) }

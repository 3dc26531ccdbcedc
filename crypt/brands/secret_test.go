package brands

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Functions that call something in variable time without saying so in their name, and why they may: the numbers in the
// variable-time sums are ones that the other side sent or was sent.
var quietlyVartime = map[string]string{
	"Verify":         "an opening is public",
	"Recall":         "the challenge and answer that the mint keeps; the blinding goes into Challenge",
	"Finish":         "the mint's answer, before anything secret is added",
	"ParsePublicKey": "a published key",
	"ParseScalar":    "a number on the wire; secrets are read by parseSecret",
}

// Goal: a number that is secret never meets a variable-time function. Method: the package's own source. Whatever calls a
// name with Vartime in it has Vartime in its own, or a written reason; and what has it touches no secret (secret.num).
func TestSecretsMeetNoVariableTime(t *testing.T) {
	for file, f := range sources(t, ".") {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			name, vartime, secrets := fn.Name.Name, false, secretsIn(fn)
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && strings.Contains(id.Name, "Vartime") {
					vartime = true
				}
				return true
			})
			if vartime && !strings.Contains(name, "Vartime") && quietlyVartime[name] == "" {
				t.Errorf("%s: %s takes a variable time and does not say so", file, name)
			}
			if strings.Contains(name, "Vartime") && secrets != "" {
				t.Errorf("%s: %s has the secret %s", file, name, secrets)
			}
			if uses(fn, "bulk") && secrets != "" {
				t.Errorf("%s: %s, which works in bulk and so in variable time, has the secret %s", file, name, secrets)
			}
		}
	}
}

// uses reports whether a function speaks of a package, or of a field of its name.
func uses(fn *ast.FuncDecl, what string) (found bool) {
	ast.Inspect(fn, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && id.Name == what
		return true
	})
	return found
}

// TestBulkKnowsNoSecrets: package bulk, all of which takes a variable time, imports nothing that has any.
func TestBulkKnowsNoSecrets(t *testing.T) {
	may := []string{`"encoding/binary"`, `"math"`, `"math/bits"`, `"slices"`, `"sync"`, `"filippo.io/edwards25519/field"`}
	for file, f := range sources(t, "bulk") {
		for _, i := range f.Imports {
			if !slices.Contains(may, i.Path.Value) {
				t.Errorf("%s imports %s", file, i.Path.Value)
			}
		}
	}
}

// secretFields are the fields of this package whose type is secret.
var secretFields = []string{"u1", "us", "s", "u", "v", "x", "x1", "x2", "e", "tree", "o1", "nonces"}

// secretsIn names a secret that a function computes with, by k.num() of such a field; "" if there is none.
func secretsIn(fn *ast.FuncDecl) (found string) {
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		num, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || num.Sel.Name != "num" && num.Sel.Name != "reveal" {
			return true
		}
		field, ok := num.X.(*ast.SelectorExpr)
		for _, name := range secretFields {
			if ok && field.Sel.Name == name {
				found = name
			}
		}
		return true
	})
	return found
}

func sources(t *testing.T, dir string) map[string]*ast.File {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]*ast.File)
	for _, e := range list {
		if name := e.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = f
		}
	}
	return files
}

package house

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// core is the part of the house that takes time, randomness, disk and network as arguments, so that a simulator can play
// years in seconds and a test can tear any write.
var core = []string{"value", "wire", "crypt", "book", "role"}

// worldly imports tie code to one machine, one moment or one draw of the dice.
var worldly = map[string]string{
	"os":           "files and environment belong to node and cmd",
	"os/exec":      "processes belong to cmd",
	"os/signal":    "signals belong to cmd",
	"net":          "sockets belong to link",
	"net/http":     "servers belong to node",
	"log":          "logging happens once, at the top",
	"math/rand":    "randomness is an argument",
	"math/rand/v2": "randomness is an argument",
	"crypto/rand":  "randomness is an argument",
	"testing":      "test helpers live in packages named ...test",
}

// bends are the places where the core touches the world, each with its reason.
var bends = map[string]string{
	"value/clock time.Now":        "clock.System is where the process's time enters",
	"book go":                     "the one writer of a shard, its keeper and the helpers of a large batch are goroutines by design (ADR 0002, ADR 0011)",
	"book time.NewTicker":         "the keeper writes behind within a bounded time (Options.Behind)",
	"book time.NewTimer":          "a writer that lingers waits for more callers (Options.Linger)",
	"book/sqlite os":              "the embedded engine owns its files: database, log scan and HEAD (ADR 0009)",
	"book/headfile os":            "the head outside the store is a file",
	"book/sweep time.NewTimer":    "Run waits between its turns; a caller with a schedule of its own calls Turn",
	"book/retry time.NewTimer":    "waiting before the next attempt is what it is for",
	"book/postgres time.NewTimer": "the default pause between two attempts to reach the server",
	"book/booktest testing":       "the conformance suite of ledger engines",
	"crypt/vault crypto/rand":     "the default source when no reader is given",
	"crypt/oda crypto/rand":       "Go's RSA key generation ignores a supplied reader",
	"book/booktest go":            "the suite drives a ledger from many callers",
	"book/index os":               "the derived index owns its folder: runs and their manifest (package comment)",
	"book/index crypto/rand":      "the secret that keys the hashes is drawn once, when the index is made",
}

func bent(f *source, what string) bool { return bends[f.room+" "+what] != "" }

// TestCoreTakesTheWorldAsArguments: no clock, goroutine, file, socket, log or dice in value, wire, crypt, book and role.
func TestCoreTakesTheWorldAsArguments(t *testing.T) {
	tr := loaded(t)
	for _, f := range tr.files {
		if f.test || !f.inside(core...) {
			continue
		}
		for _, path := range f.imports() {
			if why := worldly[path]; why != "" && !bent(f, path) && !(path == "testing" && strings.HasSuffix(f.room, "test")) {
				t.Errorf("%s imports %s: %s", f.path, path, why)
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if what := touchesWorld(n); what != "" && !bent(f, what) {
				t.Errorf("%s: %s in the core; take it as an argument", tr.line(n.Pos()), what)
			}
			return true
		})
	}
}

func touchesWorld(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "go"
	case *ast.SelectorExpr:
		name := qualified(n)
		if slices.Contains([]string{"time.Now", "time.Sleep", "time.After", "time.AfterFunc", "time.NewTimer", "time.NewTicker", "time.Since", "time.Until",
			"slog.Debug", "slog.Info", "slog.Warn", "slog.Error", "slog.Default"}, name) {
			return name
		}
	}
	return ""
}

func qualified(sel *ast.SelectorExpr) string {
	if pkg, ok := sel.X.(*ast.Ident); ok {
		return pkg.Name + "." + sel.Sel.Name
	}
	return ""
}

// sleepers are the tests that may wait for something outside the process, and for what.
var sleepers = map[string]string{
	"link/vpcd": "pcscd polls the reader about every 0.4 s and offers no event",
}

// TestNoTestSleeps: a test that waits for the clock is slow when it passes and flaky when it fails.
func TestNoTestSleeps(t *testing.T) {
	tr := loaded(t)
	for _, f := range tr.files {
		if !f.test || sleepers[f.room] != "" {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && qualified(sel) == "time.Sleep" {
				t.Errorf("%s: a test must not sleep; inject the time or use testing/synctest", tr.line(n.Pos()))
			}
			return true
		})
	}
}

// TestLibrariesDoNotPrint: only cmd talks to people; a library that prints breaks -o json.
func TestLibrariesDoNotPrint(t *testing.T) {
	tr := loaded(t)
	for _, f := range tr.files {
		if f.test || f.inside("cmd") {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if name := printer(call); name != "" {
				t.Errorf("%s: %s in a library; return the value and let cmd print it", tr.line(n.Pos()), name)
			}
			return true
		})
	}
}

func printer(call *ast.CallExpr) string {
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		if fun.Name == "println" || fun.Name == "print" {
			return fun.Name
		}
	case *ast.SelectorExpr:
		if name := qualified(fun); slices.Contains([]string{"fmt.Print", "fmt.Println", "fmt.Printf"}, name) {
			return name
		}
	}
	return ""
}

// floatUsers are the rooms where a fraction is a measurement and never money.
var floatUsers = []string{"cmd", "node", "sim/bench", "internal"}

// TestMoneyNeverFloats: no float type and no float literal on any floor that sees an amount.
func TestMoneyNeverFloats(t *testing.T) {
	tr := loaded(t)
	for _, f := range tr.files {
		if f.test || f.inside(floatUsers...) {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if n.Name == "float64" || n.Name == "float32" {
					t.Errorf("%s: %s; money is money.Amount, rates are money.RatePPM", tr.line(n.Pos()), n.Name)
				}
			case *ast.BasicLit:
				if n.Kind == token.FLOAT {
					t.Errorf("%s: float literal %s", tr.line(n.Pos()), n.Value)
				}
			}
			return true
		})
	}
}

// moneyWords name money and nothing else in this code base.
var moneyWords = []string{"amount", "balance", "fee", "fees", "gross", "interchange", "price"}

// TestMoneyHasACurrency: no parameter, result or field called like money has a bare integer type.
func TestMoneyHasACurrency(t *testing.T) {
	tr := loaded(t)
	for _, f := range tr.files {
		if f.test || f.inside("value/money") {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			field, ok := n.(*ast.Field)
			if !ok {
				return true
			}
			kind, ok := field.Type.(*ast.Ident)
			if !ok || !slices.Contains([]string{"int", "int64", "uint64", "int32", "uint32", "uint"}, kind.Name) {
				return true
			}
			for _, name := range field.Names {
				if slices.Contains(moneyWords, strings.ToLower(name.Name)) {
					t.Errorf("%s: %s is a bare %s; use money.Amount", tr.line(name.Pos()), name.Name, kind.Name)
				}
			}
			return true
		})
	}
}

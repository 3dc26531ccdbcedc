package wasm

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// root is the module's folder.
const root = "../.."

// execJS is Go's own glue between wasm and JavaScript, of the running toolchain.
func execJS(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	must(t, err)
	return filepath.Join(strings.TrimSpace(string(out)), "lib", "wasm", name)
}

// goTool runs the go command for browsers, in the module's folder.
func goTool(t *testing.T, patience time.Duration, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	// Flags of their own: what is measured and run here does not depend on who calls.
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

var shared string // folder of the run

// TestMain gives the run a folder.
func TestMain(m *testing.M) {
	var err error
	if shared, err = os.MkdirTemp("", "jiaozi-wasm-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(shared); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// buildCore builds the wallet core as it is published, once.
func buildCore(t *testing.T) string {
	t.Helper()
	path := filepath.Join(shared, "walletcore.wasm")
	if _, err := os.Stat(path); err != nil {
		goTool(t, 5*time.Minute, "build", "-trimpath", "-ldflags=-s -w", "-o", path, "./cmd/walletcore")
	}
	return path
}

// node gives the path of Node.js, or skips.
func node(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" || os.Getenv("JIAOZI_DEPS") == "present" {
		t.Fatalf("Node.js is promised here: %v", err)
	}
	t.Skip("needs nodejs: scripts/deps install")
	return ""
}

// engine is a wallet core that runs in Node.
type engine struct {
	t       *testing.T
	in      io.Writer
	out     *bufio.Scanner
	replies int
}

// start runs a core until the test ends.
func start(t *testing.T) *engine {
	t.Helper()
	program := node(t)
	// Not t.Context, which ends before the engine was told to.
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, program, "testdata/driver.mjs", execJS(t, "wasm_exec.js"), filepath.Join(root, "cmd/walletcore/walletcore.mjs"), buildCore(t))
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	cmd.Stderr = os.Stderr
	must(t, cmd.Start())
	e := &engine{t: t, in: in, out: bufio.NewScanner(out)}
	e.out.Buffer(nil, 1<<20)
	t.Cleanup(func() {
		defer cancel()
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error("the engine: ", err)
		}
	})
	return e
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// raw is a Uint8Array on the way.
type raw []byte

// MarshalJSON is {"bytes": hex}.
func (r raw) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"bytes": hex.EncodeToString(r)})
}

// UnmarshalJSON reads what MarshalJSON gives.
func (r *raw) UnmarshalJSON(b []byte) (err error) {
	var v struct{ Bytes *string }
	if err = json.Unmarshal(b, &v); err != nil || v.Bytes == nil {
		return fmt.Errorf("not a Uint8Array: %s", b)
	}
	*r, err = hex.DecodeString(*v.Bytes)
	return err
}

// try calls a function of the core (on 0) or of an object that it gave.
func (e *engine) try(on int, name string, args ...any) (json.RawMessage, error) {
	e.t.Helper()
	if args == nil {
		args = []any{}
	}
	must(e.t, json.NewEncoder(e.in).Encode(map[string]any{"call": name, "on": on, "args": args}))
	if !e.out.Scan() {
		e.t.Fatalf("%s: the engine is gone: %v", name, e.out.Err())
	}
	e.replies++
	var reply struct {
		OK    json.RawMessage
		Error *string
	}
	must(e.t, json.Unmarshal(e.out.Bytes(), &reply))
	if reply.Error != nil {
		return nil, fmt.Errorf("%s", *reply.Error)
	}
	return reply.OK, nil
}

// ask calls a function that must not throw.
func ask[T any](e *engine, on int, name string, args ...any) (v T) {
	e.t.Helper()
	got, err := e.try(on, name, args...)
	if err == nil {
		err = json.Unmarshal(got, &v)
	}
	if err != nil {
		e.t.Fatalf("%s: %v", name, err)
	}
	return v
}

// gives calls a function that must give exactly these bytes.
func (e *engine) gives(want []byte, on int, name string, args ...any) raw {
	e.t.Helper()
	got := ask[raw](e, on, name, args...)
	if string(got) != string(want) {
		e.t.Fatalf("%s gives\n%x, natively\n%x", name, got, want)
	}
	return got
}

// throws calls a function that must throw an Error with these words in it.
func (e *engine) throws(words string, on int, name string, args ...any) {
	e.t.Helper()
	got, err := e.try(on, name, args...)
	if err == nil || !strings.Contains(err.Error(), words) {
		e.t.Errorf("%s gives %s and %v, want an error with %q", name, got, err, words)
	}
}

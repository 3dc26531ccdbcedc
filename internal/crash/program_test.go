package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// deadline of one command; a hanging restart is a failure like any other.
const deadline = time.Minute

// Exit codes of the contract.
const (
	exitUsage     = 2
	exitIntegrity = 5
)

var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "crash"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(scratch)
	os.Exit(code)
}

// built is the program, made once for all tests of this package.
var built = sync.OnceValues(func() (string, error) {
	program := filepath.Join(scratch, "jiaozi")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, "./cmd/jiaozi")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build cmd/jiaozi: %w\n%s", err, out)
	}
	return program, nil
})

func program(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// run is what one command left behind.
type run struct {
	args   []string
	code   int // -1: killed
	out    []byte
	errors string
	first  time.Duration // until the first byte of output
	took   time.Duration
}

func (r run) String() string {
	return fmt.Sprintf("jiaozi %s: exit %d\n%s%s", strings.Join(r.args, " "), r.code, r.out, r.errors)
}

// play runs a command to its end.
func play(t *testing.T, args ...string) run {
	t.Helper()
	return playFor(t, deadline, args...)
}

// playFor runs a command and kills it, as only the kernel can, when the time is up.
func playFor(t *testing.T, limit time.Duration, args ...string) run {
	t.Helper()
	return feed(t, limit, nil, args...)
}

// feed is playFor with something to read on standard input.
func feed(t *testing.T, limit time.Duration, in io.Reader, args ...string) run {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return under(ctx, t, in, args...)
}

// under runs a command until it ends or ctx does, which kills it.
func under(ctx context.Context, t *testing.T, in io.Reader, args ...string) run {
	t.Helper()
	cmd := exec.CommandContext(ctx, program(t), args...) // ends it by SIGKILL
	cmd.Env = append(os.Environ(), "JIAOZI_KEY_FILE=")
	out, said := &firstWrite{began: time.Now()}, &bytes.Buffer{}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, said
	err := cmd.Run()
	r := run{args: args, out: out.all.Bytes(), errors: said.String(), first: out.first, took: time.Since(out.began)}
	var exit *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit):
		r.code = exit.ExitCode()
	case ctx.Err() != nil:
		r.code = -1 // killed before it had started
	default:
		t.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	if exit != nil && r.code < 0 && exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("ended by %v\n%s", exit, r)
	}
	if strings.Contains(r.errors, "panic:") || strings.Contains(r.errors, "goroutine ") {
		t.Errorf("the program panicked\n%s", r)
	}
	return r
}

// firstWrite notes when the first output came.
type firstWrite struct {
	all   bytes.Buffer
	began time.Time
	first time.Duration
}

func (w *firstWrite) Write(b []byte) (int, error) {
	if w.first == 0 {
		w.first = time.Since(w.began)
	}
	return w.all.Write(b)
}

func demo(dir string) []string  { return []string{"demo", "--data", dir, "-o", "json"} }
func audit(dir string) []string { return []string{"audit", "--data", dir, "-o", "json"} }

// summary is the last line of a demo.
type summary struct {
	Summary   bool `json:"summary"`
	Conserved bool `json:"conserved"`
	Taps      int  `json:"taps"`
}

// report is the document of an audit.
type report struct {
	Conserved bool `json:"conserved"`
	Entries   int  `json:"entries"`
	Findings  []struct {
		Reason string `json:"reason"`
		Where  string `json:"where"`
		Text   string `json:"text"`
	} `json:"findings"`
}

// mustPlayDemo plays the story to its end on dir.
func mustPlayDemo(t *testing.T, dir string) run {
	t.Helper()
	r := play(t, demo(dir)...)
	lines := bytes.Split(bytes.TrimSpace(r.out), []byte("\n"))
	var s summary
	if err := json.Unmarshal(lines[len(lines)-1], &s); err != nil || r.code != 0 || !s.Summary || !s.Conserved || s.Taps == 0 {
		t.Fatalf("the demo must end as written: %v\n%s", err, r)
	}
	return r
}

// mustConserve audits dir.
func mustConserve(t *testing.T, dir string) report {
	t.Helper()
	r := play(t, audit(dir)...)
	var doc report
	if err := json.Unmarshal(r.out, &doc); err != nil || r.code != 0 || !doc.Conserved || doc.Entries == 0 {
		t.Fatalf("the audit must find nothing: %v\n%s", err, r)
	}
	return doc
}

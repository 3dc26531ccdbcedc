package house

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// runMark stands above a fence whose commands are run, as one script, in an empty directory, when this test runs.
const runMark = "<!-- run -->"

const commandDeadline = 2 * time.Minute

var shellFence = regexp.MustCompile("(?ms)^(" + runMark + "\n+)?```sh\n(.*?)^```")

// A block is one ```sh fence of a document.
type block struct {
	doc, script string
	run         bool
}

func shellBlocks(t *testing.T, tr *tree) []block {
	t.Helper()
	var found []block
	for _, doc := range tr.docs {
		for _, m := range shellFence.FindAllStringSubmatch(tr.read(t, doc), -1) {
			found = append(found, block{doc: doc, script: m[2], run: m[1] != ""})
		}
	}
	return found
}

// A shown command is one line of a block, continued lines joined, without its remark.
type shown struct{ doc, line string }

func shownCommands(t *testing.T, tr *tree) []shown {
	t.Helper()
	var found []shown
	for _, b := range shellBlocks(t, tr) {
		for _, line := range strings.Split(strings.ReplaceAll(b.script, "\\\n", " "), "\n") {
			line, _, _ = strings.Cut(line, " #")
			if line = strings.TrimSpace(line); line != "" {
				found = append(found, shown{doc: b.doc, line: line})
			}
		}
	}
	return found
}

// built is the program, made once for all tests of this package.
var built = sync.OnceValues(func() (string, error) {
	tr, err := theTree()
	if err != nil {
		return "", err
	}
	program := filepath.Join(scratch, "jiaozi")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, "./cmd/jiaozi")
	build.Dir = tr.root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build cmd/jiaozi: %w\n%s", err, out)
	}
	return program, nil
})

var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "house"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(scratch)
	os.Exit(code)
}

// strangersDirectory is empty but for bin/jiaozi.
func strangersDirectory(t *testing.T) string {
	t.Helper()
	program, err := built()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(dir, "bin", "jiaozi")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestShownCommandsExist: each bin/jiaozi line of a document names a subcommand and flags that --help knows, and each
// make line a target of the Makefile.
func TestShownCommandsExist(t *testing.T) {
	tr := loaded(t)
	dir, makefile := strangersDirectory(t), tr.read(t, "Makefile")
	help := make(map[string]string)
	for _, cmd := range shownCommands(t, tr) {
		words := strings.Fields(cmd.line)
		switch words[0] {
		case "make":
			checkTargets(t, cmd, words[1:], makefile)
		case "bin/jiaozi":
			checkFlags(t, cmd, dir, words[1:], help)
		}
	}
}

func checkTargets(t *testing.T, cmd shown, words []string, makefile string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(word, "=") && !strings.Contains(makefile, "\n"+word+":") {
			t.Errorf("%s: %q: no target %s", cmd.doc, cmd.line, word)
		}
		if name, _, ok := strings.Cut(word, "="); ok && !strings.Contains(makefile, "\n"+name+" ?=") {
			t.Errorf("%s: %q: the Makefile has no %s", cmd.doc, cmd.line, name)
		}
		if strings.Contains(word, "'") {
			return // the rest is one quoted value
		}
	}
}

func checkFlags(t *testing.T, cmd shown, dir string, words []string, help map[string]string) {
	t.Helper()
	var sub, flags []string
	for _, word := range words {
		if strings.ContainsAny(word[:1], "|>&<;") {
			break // what follows belongs to the shell
		}
		switch {
		case strings.HasPrefix(word, "-"):
			name, _, _ := strings.Cut(word, "=")
			flags = append(flags, name)
		case len(flags) == 0:
			sub = append(sub, word)
		}
	}
	text := helpOf(t, dir, sub, help)
	for _, flag := range flags {
		if !regexp.MustCompile(`(^|[\s,])` + regexp.QuoteMeta(flag) + `([\s,=]|$)`).MatchString(text) {
			t.Errorf("%s: %q: --help does not know %s", cmd.doc, cmd.line, flag)
		}
	}
	if !strings.Contains(text, "jiaozi "+strings.Join(sub[:min(1, len(sub))], " ")) {
		t.Errorf("%s: %q: no such subcommand", cmd.doc, cmd.line)
	}
}

// helpOf asks the binary about a subcommand; the words after it that are arguments do no harm.
func helpOf(t *testing.T, dir string, sub []string, help map[string]string) string {
	t.Helper()
	key := strings.Join(sub, " ")
	if text, ok := help[key]; ok {
		return text
	}
	out, err := exec.Command(filepath.Join(dir, "bin", "jiaozi"), append(sub, "--help")...).CombinedOutput()
	if err != nil {
		t.Errorf("jiaozi %s --help: %v\n%s", key, err, out)
	}
	help[key] = string(out)
	return help[key]
}

// disappointing lines have no place in a first minute.
var disappointing = regexp.MustCompile(`(?m)^(error|declined|unknown)\b.*$`)

// TestQuickStartRuns: a block under a run mark succeeds in an empty directory, as a stranger would type it; its lines may
// start servers and wait for them, and whatever still runs at the end is stopped.
func TestQuickStartRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole quick start; left out of -short")
	}
	tr := loaded(t)
	for _, b := range shellBlocks(t, tr) {
		if b.run {
			t.Run(b.doc, func(t *testing.T) { runBlock(t, b, strangersDirectory(t)) })
		}
	}
}

func runBlock(t *testing.T, b block, dir string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandDeadline)
	defer cancel()
	sh := exec.CommandContext(ctx, "sh", "-eu", "-c", b.script)
	sh.Dir = dir
	sh.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	sh.Cancel = func() error { return syscall.Kill(-sh.Process.Pid, syscall.SIGKILL) }
	sh.WaitDelay = time.Second
	out, err := sh.CombinedOutput()
	if bad := disappointing.Find(out); err != nil || bad != nil {
		t.Errorf("%v %s\n%s\n%s", err, bad, b.script, out)
	}
	if err := syscall.Kill(-sh.Process.Pid, syscall.SIGKILL); err == nil {
		t.Error("the block leaves a server running")
	}
}

package house

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// runMark stands above a fence whose commands are run, in order, in an empty directory, when this test runs.
const runMark = "<!-- run -->"

const commandDeadline = 2 * time.Minute

var shellFence = regexp.MustCompile("(?ms)^(" + runMark + "\n+)?```sh\n(.*?)^```")

// A shown command is one line of a document's ```sh fence.
type shown struct {
	doc, line string
	run       bool
}

func shownCommands(t *testing.T, tr *tree) []shown {
	t.Helper()
	var found []shown
	for _, doc := range tr.docs {
		for _, m := range shellFence.FindAllStringSubmatch(tr.read(t, doc), -1) {
			for _, line := range strings.Split(strings.ReplaceAll(m[2], "\\\n", " "), "\n") {
				if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
					found = append(found, shown{doc: doc, line: line, run: m[1] != ""})
				}
			}
		}
	}
	return found
}

// binary builds the command once, as the documents' bin/jiaozi of a scratch directory.
func binary(t *testing.T, tr *tree) (dir string) {
	t.Helper()
	dir = t.TempDir()
	build := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, "bin", "jiaozi"), "./cmd/jiaozi")
	build.Dir = tr.root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build cmd/jiaozi: %v\n%s", err, out)
	}
	return dir
}

// TestShownCommandsExist: each bin/jiaozi line of a document names a subcommand and flags that --help knows, and each
// make line a target of the Makefile.
func TestShownCommandsExist(t *testing.T) {
	tr := loaded(t)
	dir, makefile := binary(t, tr), tr.read(t, "Makefile")
	help := make(map[string]string)
	for _, cmd := range shownCommands(t, tr) {
		words := strings.Fields(strings.SplitN(cmd.line, " #", 2)[0])
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
		switch {
		case word == "|" || word == ">" || word == "&&" || word == "&":
			return
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

// wantExit reads the exit code a shown line promises: "bin/jiaozi ...  # exit 3".
var wantExit = regexp.MustCompile(`# exit (\d)\b`)

// TestQuickStartRuns: the commands under a run mark succeed, in order, in an empty directory, as a stranger would type
// them. The test goes round make, which the caller may be inside of; the targets themselves are checked above.
func TestQuickStartRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole quick start; left out of -short")
	}
	tr := loaded(t)
	dirs := make(map[string]string)
	for _, cmd := range shownCommands(t, tr) {
		if !cmd.run || strings.HasPrefix(cmd.line, "make ") || strings.HasPrefix(cmd.line, "git ") || strings.HasPrefix(cmd.line, "cd ") {
			continue
		}
		if dirs[cmd.doc] == "" {
			dirs[cmd.doc] = binary(t, tr)
		}
		runShown(t, cmd, dirs[cmd.doc])
	}
}

func runShown(t *testing.T, cmd shown, dir string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandDeadline)
	defer cancel()
	sh := exec.CommandContext(ctx, "sh", "-c", cmd.line)
	sh.Dir, sh.Env = dir, append(os.Environ(), "LANG=C.UTF-8")
	out, err := sh.CombinedOutput()
	code := sh.ProcessState.ExitCode()
	want := 0
	if m := wantExit.FindStringSubmatch(cmd.line); m != nil {
		want = int(m[1][0] - '0')
	}
	if code != want {
		t.Errorf("%s: %q: exit %d, want %d (%v)\n%s", cmd.doc, cmd.line, code, want, err, out)
	}
}

package house

import (
	"regexp"
	"strings"
	"testing"
)

const (
	maxDirectModules = 16 // not counting the modules that only tests use
	modulesADR       = "docs/adr/0010-dependencies.md"
)

var (
	requireLine = regexp.MustCompile(`^(?:require\s+)?([\w./~-]+\.[\w./~-]+)\s+(v\S+)(\s+// indirect)?$`)
	reasonRow   = regexp.MustCompile("^\\| `([^`]+)` \\| (binary|tests) \\| (.+?) \\|")
	exactTag    = regexp.MustCompile(`^v\d+\.\d+\.\d+$`)
)

// untagged modules have no released version that would do, and why a commit does.
var untagged = map[string]string{
	"github.com/oasisprotocol/curve25519-voi": "never tagged; the pinned commit is compared with another library in crypt/brands",
}

// directModules reads go.mod: module path to version, without the indirect ones.
func directModules(t *testing.T, tr *tree) map[string]string {
	t.Helper()
	direct := make(map[string]string)
	for _, line := range strings.Split(tr.read(t, "go.mod"), "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "replace") || strings.HasPrefix(line, "exclude") {
			t.Errorf("go.mod: %q: a clean clone must build from published modules", line)
		}
		if m := requireLine.FindStringSubmatch(line); m != nil && m[3] == "" {
			direct[m[1]] = m[2]
		}
	}
	return direct
}

// reasons reads the table of ADR 0010: module path to where it is used.
func reasons(t *testing.T, tr *tree) map[string]string {
	t.Helper()
	use := make(map[string]string)
	for _, line := range strings.Split(tr.read(t, modulesADR), "\n") {
		if m := reasonRow.FindStringSubmatch(line); m != nil && len(m[3]) >= 30 {
			use[m[1]] = m[2]
		}
	}
	return use
}

// TestEveryModuleHasAReason: go.mod and the table of ADR 0010 name the same direct modules, pinned to released versions,
// few enough, and those that are for tests are imported by tests only.
func TestEveryModuleHasAReason(t *testing.T) {
	tr := loaded(t)
	direct, why := directModules(t, tr), reasons(t, tr)
	shipped := 0
	for path, version := range direct {
		if why[path] == "" {
			t.Errorf("go.mod: %s has no written reason in %s", path, modulesADR)
		}
		if !exactTag.MatchString(version) && untagged[path] == "" {
			t.Errorf("go.mod: %s %s is not a released version", path, version)
		}
		if why[path] == "binary" {
			shipped++
		}
	}
	for path := range why {
		if direct[path] == "" {
			t.Errorf("%s explains %s, which go.mod does not require", modulesADR, path)
		}
	}
	if shipped > maxDirectModules {
		t.Errorf("%d direct modules in the binary, at most %d", shipped, maxDirectModules)
	}
	checkTestModules(t, tr, why)
}

func checkTestModules(t *testing.T, tr *tree, why map[string]string) {
	t.Helper()
	used := make(map[string]bool)
	for _, f := range tr.files {
		for _, path := range f.imports() {
			for mod, use := range why {
				if !below(path, mod) {
					continue
				}
				used[mod] = true
				if use == "tests" && !f.test && !strings.HasSuffix(f.room, "test") {
					t.Errorf("%s imports %s, which is for tests only", f.path, mod)
				}
			}
		}
	}
	for mod := range why {
		if !used[mod] {
			t.Errorf("%s: no file imports %s; drop it from go.mod", modulesADR, mod)
		}
	}
}

package cluster_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

var (
	placeholder = regexp.MustCompile(`\$\{(\w+)\}`)
	assignment  = regexp.MustCompile(`(?m)^(\w+)=`)
)

// A person who fills in the templates finds every name in machine.env, and none there that does nothing.
func TestDeployedTemplatesAndValuesMatch(t *testing.T) {
	deploy := filepath.Join("..", "..", "deploy")
	used := names(t, placeholder, filepath.Join(deploy, "patroni", "patroni.yml.tmpl"), filepath.Join(deploy, "etcd", "etcd.tmpl"))
	given := names(t, assignment, filepath.Join(deploy, "machine.env"))
	if !slices.Equal(used, given) {
		t.Errorf("the templates use %v\nmachine.env gives  %v", used, given)
	}
}

func names(t *testing.T, what *regexp.Regexp, paths ...string) []string {
	t.Helper()
	var list []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range what.FindAllStringSubmatch(string(text), -1) {
			list = append(list, m[1])
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

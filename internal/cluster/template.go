package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// deployed is where the templates are that people deploy, seen from a test's folder anywhere in the module.
func deployed() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "deploy"), nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod above the test's folder: run the tests inside the module")
		}
	}
}

// render fills in ${NAME} as envsubst does for the person who deploys; a name without a value is an error here.
func render(template string, values map[string]string) (string, error) {
	folder, err := deployed()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(folder, template))
	if err != nil {
		return "", err
	}
	var unknown []string
	out := os.Expand(string(text), func(name string) string {
		value, ok := values[name]
		if !ok {
			unknown = append(unknown, name)
		}
		return value
	})
	if len(unknown) > 0 {
		return "", fmt.Errorf("deploy/%s needs %s, which has no value", template, strings.Join(unknown, ", "))
	}
	return out, nil
}

// assignments are the NAME=value lines of an environment file.
func assignments(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			list = append(list, line)
		}
	}
	return list
}

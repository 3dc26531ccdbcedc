// Package secrettest checks that a secret does not show itself, whatever a
// careless caller does with the value that holds it.
//
// Check prints the value in every fmt verb, alone, behind a pointer and in
// exported and unexported fields (where fmt does not call methods), as JSON, as
// text and through slog, and looks for pieces of the secret in all usual
// notations. Only tests import it.
package secrettest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

var verbs = []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%b", "%c", "%U", "%T", "%e", "%!"}

// Check fails the test if a piece of the secret appears. Pieces are pieceSize
// bytes long, or the whole of a shorter secret.
func Check[T any](t *testing.T, value T, secret []byte) {
	t.Helper()
	shown, size := show(t, value), pieceSize(secret)
	lower := strings.ToLower(shown)
	for i := 0; i+size <= max(len(secret), size); i++ {
		piece := secret[i:min(i+size, len(secret))]
		if form, found := find(shown, lower, piece); found {
			t.Fatalf("the secret shows as %q in %q", form, shown)
		}
	}
}

// pieceSize is 4, and twice that for digits written as text: four of them stand in
// the address of some pointer sooner or later.
func pieceSize(secret []byte) int {
	if len(bytes.Trim(secret, "0123456789")) == 0 {
		return 8
	}
	return 4
}

func show[T any](t *testing.T, value T) string {
	t.Helper()
	holder := struct {
		Open   T
		hidden T
		list   []T
		boxed  any
	}{value, value, []T{value}, value}
	var out bytes.Buffer
	for _, verb := range verbs {
		for _, v := range []any{value, &value, holder, &holder, []T{value}, map[string]T{"k": value}} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		fmt.Fprintln(&out, fmt.Errorf("wrapped: "+verb, value))
	}
	for _, v := range []any{value, holder} {
		if doc, err := json.Marshal(v); err == nil {
			out.Write(doc)
		}
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("text", "value", value, "holder", holder)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "value", value, "holder", holder)
	return out.String()
}

// find looks for a piece in what was shown, of which lower is the lower-case form.
func find(shown, lower string, piece []byte) (string, bool) {
	var goList []string
	for _, b := range piece {
		goList = append(goList, fmt.Sprintf("0x%x", b))
	}
	for _, form := range []string{
		string(piece),
		hex.EncodeToString(piece),
		strings.Trim(fmt.Sprint(piece), "[]"),
		strings.Join(goList, ", "),
	} {
		if strings.Contains(shown, form) || strings.Contains(lower, form) {
			return form, true
		}
	}
	return "", false
}

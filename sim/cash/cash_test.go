package cash

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jiaozi/node"
	"jiaozi/sim/story"
	"jiaozi/value/lang"
	"jiaozi/value/reason"
)

func openNode(t *testing.T) *node.Node {
	t.Helper()
	seed := uint64(3)
	o := node.Options{Dir: filepath.Join(t.TempDir(), "data"), Test: true, Seed: &seed}
	if err := node.Init(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	if err := n.ServeRoles(t.Context(), node.Addresses{POS: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	return n
}

// Goal: the day ends as it is written, every scene of it.
func TestTheDayEndsAsWritten(t *testing.T) {
	played, n := 0, openNode(t)
	summary, err := Play(t.Context(), n, story.Options{Lang: lang.ZH, Emit: func(story.Step) error { played++; return nil }})
	if err != nil {
		t.Fatal(err)
	}
	alerts, err := os.ReadFile(filepath.Join(n.Dir(), "files", "alerts.en.txt"))
	if err != nil || !strings.Contains(string(alerts), "the card was copied") {
		t.Errorf("the officer reads %q (%v)", alerts, err)
	}
	if played != len(scenes) || !summary.Conserved || summary.Taps < 25 {
		t.Fatalf("%d of %d scenes: %+v", played, len(scenes), summary)
	}
}

// Goal: a scene that ends otherwise than written stops the story; it does not
// pass for a success. Method: write a wrong ending.
func TestAWrongEndingIsNoticed(t *testing.T) {
	was := scenes[7].Ends
	scenes[7].Ends = declined(reason.Expired)
	defer func() { scenes[7].Ends = was }()
	played := 0
	_, err := Play(t.Context(), openNode(t), story.Options{Emit: func(story.Step) error { played++; return nil }})
	if !errors.Is(err, story.ErrAstray) || played != 8 {
		t.Fatalf("after %d scenes: %v", played, err)
	}
}

// Goal: whoever reads the steps and hangs up ends the story.
func TestEmitErrorEndsTheStory(t *testing.T) {
	gone := errors.New("reader is gone")
	if _, err := Play(t.Context(), openNode(t), story.Options{Emit: func(story.Step) error { return gone }}); !errors.Is(err, gone) {
		t.Fatal(err)
	}
}

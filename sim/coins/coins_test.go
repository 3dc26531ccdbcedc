package coins

import (
	"errors"
	"path/filepath"
	"testing"

	"jiaozi/node"
	"jiaozi/sim/story"
	"jiaozi/value/lang"
)

// Goal: the story ends as it is written, every scene of it, with three people named.
func TestTheStoryEndsAsWritten(t *testing.T) {
	seed, clk := uint64(3), new(story.Clock)
	o := node.Options{Dir: filepath.Join(t.TempDir(), "data"), Test: true, Seed: &seed, Clock: clk}
	if err := node.Init(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	if err := n.ServeRoles(t.Context(), node.Addresses{Coins: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	told := 0
	s, err := Play(t.Context(), n, clk, story.Options{Lang: lang.ZH, Emit: func(story.Step) error { told++; return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if told != len(scenes) || !s.Conserved || s.Named != len(cheats) || s.AccusedHonest != 0 || s.DoubleSpends < s.Named {
		t.Fatalf("%d of %d scenes: %+v", told, len(scenes), s)
	}
}

// Goal: a story in which somebody honest is accused, or a cheat gets away, is no
// success. Method: verdicts on other lists of names.
func TestTheVerdictIsExact(t *testing.T) {
	all := func(s *stage) map[string]bool {
		named := map[string]bool{}
		for _, who := range cheats {
			named[s.named(who)] = true
		}
		return named
	}
	s := &stage{run: 2}
	if _, err := s.verdict(all(s)); err != nil || s.summary.AccusedHonest != 0 {
		t.Fatal(err)
	}
	honest := all(s)
	honest[s.named("alice")] = true
	if _, err := s.verdict(honest); !errors.Is(err, node.ErrIntegrity) || s.summary.AccusedHonest != 1 {
		t.Fatal(err)
	}
	away := all(s)
	delete(away, s.named("mike"))
	if _, err := s.verdict(away); !errors.Is(err, story.ErrAstray) {
		t.Fatal(err)
	}
}

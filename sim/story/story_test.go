package story

import (
	"context"
	"errors"
	"testing"
	"time"

	"jiaozi/value/lang"
	"jiaozi/value/reason"
)

// stage remembers which scenes were played.
type stage struct{ played []string }

func scene(name string, kind Kind, ends, ended Ending) Scene[*stage] {
	return Act(name, kind, ends, lang.Text{EN: name, ZH: "场"}, func(_ context.Context, s *stage) (Result, error) {
		s.played = append(s.played, name)
		return Result{Ending: ended}, nil
	})
}

var (
	good = End(Approved, reason.Approved)
	bad  = End(Declined, reason.Expired)
)

func TestScenesAreCountedByKindAndOutcome(t *testing.T) {
	var steps []Step
	got, err := Tell(t.Context(), Options{Lang: lang.ZH, Emit: func(s Step) error { steps = append(steps, s); return nil }}, new(stage), []Scene[*stage]{
		scene("a", Errand, good, good), scene("b", Load, good, good), scene("c", Load, bad, bad), scene("d", Payment, good, good),
		scene("e", Payment, bad, bad), scene("f", Torn, good, good), scene("g", Payment, End(Recovered, reason.Repeated), End(Recovered, reason.Repeated)),
	})
	if want := (Tally{Taps: 3, Approved: 1, Declined: 1, Recovered: 1, Loads: 1}); err != nil || got != want {
		t.Fatalf("%+v %v", got, err)
	}
	if len(steps) != 7 || steps[6].Number != 7 || steps[4].Text != "场："+reason.Expired.Text(lang.ZH) {
		t.Fatalf("%+v", steps)
	}
}

// Goal: a wrong ending is told, and then nothing more is played.
func TestAWrongEndingEndsTheStory(t *testing.T) {
	s, told := new(stage), 0
	_, err := Tell(t.Context(), Options{Emit: func(Step) error { told++; return nil }}, s,
		[]Scene[*stage]{scene("a", Payment, good, good), scene("b", Payment, good, bad), scene("c", Payment, good, good)})
	if !errors.Is(err, ErrAstray) || told != 2 || len(s.played) != 2 {
		t.Fatal(err, told, s.played)
	}
}

func TestTheClockReachesADayAndNeverGoesBack(t *testing.T) {
	c := new(Clock)
	then := c.Now().AddDate(0, 3, 0)
	c.Reach(then)
	if got := c.Now(); got.Before(then) || got.Sub(then) > time.Minute {
		t.Fatal(got, then)
	}
	c.Reach(then.AddDate(0, -1, 0))
	if c.Now().Before(then) {
		t.Fatal("it went back")
	}
}

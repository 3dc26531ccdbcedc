package meter

import (
	"runtime"
	"testing"
)

// Goal: after OneCore and restore a process may use what it could before, however often.
func TestOneCoreGivesTheOthersBack(t *testing.T) {
	procs := runtime.GOMAXPROCS(0)
	for range 3 {
		restore, err := OneCore()
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOMAXPROCS(0) != 1 {
			t.Error("more than one thread runs")
		}
		if err := restore(); err != nil {
			t.Fatal(err)
		}
		if runtime.GOMAXPROCS(0) != procs {
			t.Errorf("%d threads may run, before %d", runtime.GOMAXPROCS(0), procs)
		}
	}
}

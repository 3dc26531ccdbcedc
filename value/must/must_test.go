package must

import "testing"

func TestABrokenInvariantStops(t *testing.T) {
	Hold(true, "fine")
	defer func() {
		if got := recover(); got != "invariant broken: 1 is not 2" {
			t.Fatal(got)
		}
	}()
	Hold(false, "%d is not %d", 1, 2)
}

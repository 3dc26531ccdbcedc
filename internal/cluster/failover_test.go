package cluster_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"jiaozi/internal/cluster"
)

// Whatever happens to the machine with the primary, the other one takes over with every payment that was answered. Whoever
// got no answer asks again under the same id and gets one; at the end the book is the sum of the answers.
func TestNothingAcknowledgedIsLostInAFailover(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*cluster.Patience)
	defer cancel()
	exec(ctx, t, c.DSN(), "CREATE TABLE number (n bigint PRIMARY KEY)")
	l := startLoad(ctx, t, c.DSN())

	// The ledger's engine gives up before the other machine leads: the ledger stops, and is opened again.
	t.Run("the machine loses power", func(t *testing.T) {
		survive(ctx, t, c, l, c.Kill, func(m *cluster.Machine) error {
			mustDoubt(ctx, t, primary(ctx, t, c))
			return c.Boot(m)
		})
	})
	// Nothing tells the callers: their connections stay open and silent. The watchdog of deploy/patroni resets a machine that
	// hangs; one that simply went on would believe for a moment that it still leads (docs/scale.md).
	// This time the engine looks for the new primary itself, and no caller sees an error that stops him.
	t.Run("the machine hangs until it is reset", func(t *testing.T) {
		survive(ctx, t, c, l, c.Freeze, func(m *cluster.Machine) error {
			return errors.Join(c.Kill(m), c.Boot(m))
		})
	})
	l.mustBalance(ctx, t)
	if l.reopened != 1 {
		t.Errorf("the ledger was opened again %d times, not once", l.reopened)
	}
}

// survive strikes the primary under load, mends it when the other machine leads, and works on.
func survive(ctx context.Context, t *testing.T, c *cluster.Cluster, l *load, strike, mend func(*cluster.Machine) error) {
	t.Helper()
	began := time.Now()
	step := func(what string) { t.Logf("%5.1f s: %s", time.Since(began).Seconds(), what) }
	l.await(ctx, t, 500)
	mustHaveStandby(ctx, t, c)
	struck := primary(ctx, t, c)
	step("under load, primary is " + struck.Name)
	if err := strike(struck); err != nil {
		t.Fatal(err)
	}
	heir := primary(ctx, t, c)
	step("primary is " + heir.Name)
	if heir == struck {
		t.Fatalf("%s was struck and leads", heir.Name)
	}
	l.mustHold(ctx, t, heir.DSN(), "after the failover")
	if err := mend(struck); err != nil {
		t.Fatal(err)
	}
	mustHaveStandby(ctx, t, c)
	step("the standby is back")
	l.await(ctx, t, 100)
	step("worked on")
	l.mustHold(ctx, t, c.DSN(), "after working on")
}

func primary(ctx context.Context, t *testing.T, c *cluster.Cluster) *cluster.Machine {
	t.Helper()
	m, err := c.Primary(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustHaveStandby(ctx context.Context, t *testing.T, c *cluster.Cluster) {
	t.Helper()
	if err := c.WaitSynchronous(ctx); err != nil {
		t.Fatal(err)
	}
}

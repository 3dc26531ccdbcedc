package cluster_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"jiaozi/internal/cluster"
)

// Whatever happens to the machine with the primary, the other one takes over with every commit that was acknowledged.
func TestNothingAcknowledgedIsLostInAFailover(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*cluster.Patience)
	defer cancel()
	l := startLoad(ctx, t, c.DSN())

	t.Run("the machine loses power", func(t *testing.T) {
		survive(ctx, t, c, l, c.Kill, func(m *cluster.Machine) error {
			mustDoubt(ctx, t, primary(ctx, t, c))
			return c.Boot(m)
		})
	})
	// Nothing tells the callers: their connections stay open and silent. The watchdog of deploy/patroni resets a machine that
	// hangs; one that simply went on would believe for a moment that it still leads (docs/scale.md).
	t.Run("the machine hangs until it is reset", func(t *testing.T) {
		survive(ctx, t, c, l, c.Freeze, func(m *cluster.Machine) error {
			return errors.Join(c.Kill(m), c.Boot(m))
		})
	})
	l.end()
	l.mustHold(ctx, t, c.DSN(), "at the end")
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

package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"jiaozi/book"
)

// victim is the variable that turns the test binary into a writer to be killed.
const victim = "JIAOZI_TEST_VICTIM"

func TestMain(m *testing.M) {
	if path := os.Getenv(victim); path != "" {
		bookUntilKilled(path)
	}
	os.Exit(m.Run())
}

// bookUntilKilled says each command's number after it was answered.
func bookUntilKilled(path string) {
	engine, err := Open(path)
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	engine.checkpointAt = 200 << 10 // so that kills also fall into checkpoints
	// The keeper writes all the time, so that kills fall into flushes too.
	ledger, err := book.OpenWith(context.Background(), engine, book.Options{Behind: time.Millisecond})
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	head, err := ledger.Head(context.Background())
	for n := int(head.Seq); err == nil; n++ {
		if _, err = ledger.Apply(context.Background(), []book.Command{command(n)}); err == nil {
			fmt.Println(n)
		}
	}
	fmt.Println("apply:", err)
	os.Exit(1)
}

// Goal: a killed process loses nothing that it answered, and leaves a store that
// an audit and the next writer accept. Method: kill -9 a real writer at random
// moments, audit, open, go on.
func TestKilledWriterLosesNothing(t *testing.T) {
	rounds := 20
	if soak {
		rounds = 200
	}
	path := filepath.Join(t.TempDir(), "book.db")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	answered := -1
	for range rounds {
		last := killAfter(t, path, random.IntN(40))
		answered = max(answered, last)
		report := sound(t, path)
		if int(report.Entries) < answered+1 || int(report.Entries) > answered+2 {
			t.Fatalf("%d entries, %d were answered", report.Entries, answered+1)
		}
	}
}

// killAfter runs a writer, kills it once it has answered n times, and returns
// the number of the last command that it answered.
func killAfter(t *testing.T, path string, n int) int {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), victim+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last := -1
	lines := bufio.NewScanner(out)
	for i := 0; lines.Scan(); i++ {
		number, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatalf("the writer says %q", lines.Text())
		}
		last = number
		if i == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	return last
}

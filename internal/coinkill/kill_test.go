//go:build linux

package coinkill

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"jiaozi/role/wallet"
	"jiaozi/value/money"
)

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		os.Exit(child(text))
	}
	os.Exit(m.Run())
}

// act is an operation that is killed at each of its steps.
type act struct {
	verb, who string
	amount    money.Minor
	policy    wallet.Policy
	long      int                 // so many times as many steps are left out
	prepare   func(*town) []byte  // brings about what it needs, and gives what it reads
	rule      func(moment) bool   // what is in the wallet at the moment of death
	finish    func(*town, moment) // the same again, and what belongs to it, until all is settled
}

// moment is a wallet that was opened again after its death.
type moment struct {
	before, now wallet.Balance
	saves       int    // that had ended
	read, out   []byte // what the operation read, and handed over if it came so far
}

// life is what a child said, and how it ended.
type life struct {
	said   []string
	killed bool
	out    []byte // what the operation handed over
}

// saves counts the writes that had ended, and reports whether one had begun.
func (l *life) saves() (ended int, begun bool) {
	for _, line := range l.said {
		if line == saved {
			ended++
		}
		begun = line == saving
	}
	return ended, begun
}

// forking is held while a child is being started.
var forking sync.RWMutex

func (w *town) live(a *act, read []byte, step, write int) life {
	w.Helper()
	o := orders{
		Path: w.file[w.person(a.who)], Key: w.key.String(), Mint: w.mint(), Policy: a.policy,
		Verb: a.verb, Amount: a.amount, In: read, Step: step, Write: write,
	}
	text, err := json.Marshal(o)
	w.must(err)
	cmd := exec.CommandContext(w.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	var said, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complaints
	forking.Lock()
	err = cmd.Start()
	forking.Unlock()
	w.must(err)
	err = cmd.Wait()
	var exit *exec.ExitError
	killed := errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
	if err != nil && !killed || complaints.Len() > 0 {
		w.Fatalf("%s: the child ended with %v\n%s", a.verb, err, complaints.String())
	}
	l := life{said: strings.Split(strings.TrimSpace(said.String()), "\n"), killed: killed}
	if text, ok := strings.CutPrefix(l.said[len(l.said)-1], done+" "); ok {
		l.out, err = base64.StdEncoding.DecodeString(text)
		w.must(err)
	}
	return l
}

// Goal: kill -9 at any step of any operation loses no coin and doubles none, the
// wallet holds exactly what it should, and whatever was pending ends by itself.
// Method: each operation dies before and after each of its writes and messages,
// and at each change of its file, as a process of its own.
func TestKilledAtEveryStepNoCoinIsLost(t *testing.T) {
	if testing.Short() {
		t.Skip("kills wallets many times, half a minute; left out of -short")
	}
	for name, acts := range stories() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t, "anna", "ben", "shop")
			points := 0
			for i := range acts {
				points += w.sweep(&acts[i])
			}
			w.sound()
			t.Logf("%d deaths were survived", points)
		})
	}
}

// sweep kills the act at all its steps, then at all changes of the file.
func (w *town) sweep(a *act) (points int) {
	w.Helper()
	stride := 5
	if os.Getenv("JIAOZI_SOAK") != "" {
		stride = 1
	}
	stride *= max(1, a.long)
	for at := 1; w.kill(a, at, 0); at += stride {
		points++
	}
	for at := 1; w.kill(a, 0, at); at += stride {
		points++
	}
	w.Logf("%s: %d", a.verb, points)
	return points
}

// kill plays the act once with a death in it, and reports whether it died.
func (w *town) kill(a *act, step, write int) bool {
	w.Helper()
	var read []byte
	if a.prepare != nil {
		read = a.prepare(w)
	}
	before := w.with(a.who, nothing)
	l := w.live(a, read, step, write)
	now := w.with(a.who, nothing)
	w.booked()
	saves, begun := l.saves()
	as := moment{before, now, saves, read, l.out}
	if !a.rule(as) {
		if as.saves++; !begun || !a.rule(as) {
			w.Fatalf("%s killed at step %d, change %d, after %q: from %+v to %+v", a.verb, step, write, l.said, before, now)
		}
	}
	w.with(a.who, w.resume)
	a.finish(w, as)
	w.settled()
	return l.killed
}

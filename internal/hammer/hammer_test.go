package hammer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/internal/pgtest"

	"github.com/anishathalye/porcupine"
)

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		os.Exit(child(text))
	}
	pgtest.Main(m)
}

// Goal: however often a ledger is killed, its clients see one ledger that
// answers one call after the other. Method: random calls by few and by many
// clients, SIGKILL at random moments, lost answers asked for again, and a checker
// of linearizability over the whole history.
func TestKilledLedgerAnswersAsOne(t *testing.T) {
	if testing.Short() {
		t.Skip("kills ledgers for half a minute; left out of -short")
	}
	seed := hammerSeed(t)
	t.Logf("JIAOZI_HAMMER_SEED=%d repeats these moments", seed)
	kills := 20
	if os.Getenv("JIAOZI_SOAK") != "" {
		kills = 200
	}
	for name, store := range map[string]func(*testing.T) orders{"sqlite": onSQLite, "postgres": onPostgres} {
		for i, clients := range []int{2, 8, 32} {
			t.Run(fmt.Sprintf("%s/%d clients", name, clients), func(t *testing.T) {
				h := &hammer{T: t, orders: store(t), dice: rand.New(rand.NewPCG(seed, uint64(clients))), pending: map[string]int64{}}
				h.Seed, h.Groups, h.Accounts, h.Calls = seed, max(1, clients/4), 4, 4+40/clients
				h.From, h.Last = make([]int, clients), make([]string, clients)
				for range (kills + i) / 3 {
					h.round()
				}
				h.Finish = true
				h.round()
				h.judge()
			})
		}
	}
}

func hammerSeed(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("JIAOZI_HAMMER_SEED")
	if text == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("JIAOZI_HAMMER_SEED: %v", err)
	}
	return seed
}

func onSQLite(t *testing.T) orders { return orders{Path: filepath.Join(t.TempDir(), "book.db")} }

func onPostgres(t *testing.T) orders {
	return orders{DSN: pgtest.Schema(t), Path: filepath.Join(t.TempDir(), "index")}
}

// hammer is one store, what its clients said, and what they were told.
type hammer struct {
	*testing.T
	orders
	dice    *rand.Rand
	clock   int64 // counts lines: they come in the order in which things happened
	pending map[string]int64
	again   int // calls whose answer was lost
	history []porcupine.Operation
}

// deadline of one life; one that hangs is a failure like any other.
const deadline = time.Minute

// round is one life of the ledger, and its end.
func (h *hammer) round() {
	h.Helper()
	text, err := json.Marshal(h.orders)
	if err != nil {
		h.Fatal(err)
	}
	cmd := exec.CommandContext(h.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	lines, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		h.Fatal(err)
	}
	kill := func() { cmd.Process.Kill() } // an error says that it is dead already
	defer time.AfterFunc(deadline, kill).Stop()
	enough := -1
	switch clients := len(h.From); {
	case h.Finish:
	case h.dice.IntN(5) == 0: // while it opens, most likely
		time.AfterFunc(time.Duration(h.dice.IntN(60))*time.Millisecond, kill)
	default:
		enough = h.dice.IntN(2*clients*h.Calls + 1)
	}
	for in := bufio.NewReader(lines); ; enough-- {
		if enough == 0 {
			kill()
		}
		line, err := in.ReadString('\n')
		if err != nil {
			break // a line without an end was never said
		}
		h.hear(line)
	}
	err = cmd.Wait()
	if complaints.Len() > 0 || h.Finish && err != nil {
		h.Fatalf("the child ended with %v\n%s", err, complaints.String())
	}
}

// hear notes what a child tells.
func (h *hammer) hear(line string) {
	h.clock++
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	if word == "ready" {
		return
	}
	var client, number int
	if _, err := fmt.Sscan(rest, &client, &number); err != nil || number != h.From[client] {
		h.Fatalf("the child says %q: %v", line, err)
	}
	o := draw(h.Seed, h.Groups, client, number, h.Last[client])
	if word == "call" {
		if _, asked := h.pending[o.name()]; !asked { // else it is asked again
			h.pending[o.name()] = h.clock
		} else {
			h.again++
		}
		return
	}
	said := strings.SplitN(rest, " ", 3)[2]
	h.history = append(h.history, porcupine.Operation{
		ClientId: client, Input: o, Output: said, Call: h.pending[o.name()], Return: h.clock,
	})
	delete(h.pending, o.name())
	h.From[client], h.Last[client] = number+1, said
}

// judge looks at the whole history and at the book that is left.
func (h *hammer) judge() {
	h.Helper()
	if len(h.pending) > 0 || len(h.history) == 0 {
		h.Fatalf("%d answers, %d calls without one", len(h.history), len(h.pending))
	}
	if verdict := porcupine.CheckOperationsTimeout(asModel, h.history, deadline); verdict != porcupine.Ok {
		h.Errorf("no order of %d calls explains their answers: %s", len(h.history), verdict)
	}
	ledger, err := h.open(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	defer ledger.Close()
	report, err := ledger.Verify(h.Context())
	if err != nil || len(report.Findings) > 0 {
		h.Errorf("%v %v", report.Findings, err)
	}
	kept := len(fund(h.Groups))
	for _, o := range h.history {
		kept += h.inJournal(ledger, o.Input.(op), o.Output.(string))
	}
	if uint64(kept) != report.Entries {
		h.Errorf("%d entries in the journal, %d were answered", report.Entries, kept)
	}
	h.Logf("%d calls, %d of them asked again, %d entries", len(h.history), h.again, report.Entries)
}

// inJournal compares an answer that was given with the one that was kept.
func (h *hammer) inJournal(ledger *book.Ledger, o op, said string) int {
	h.Helper()
	e, _, found, err := ledger.Entry(h.Context(), o.id())
	if err != nil {
		h.Fatal(err)
	}
	code, _, _ := strings.Cut(said, " ")
	switch {
	case o.Act == get, o.Act == balance, code == book.Exists.String(), code == book.VersionConflict.String():
		if found {
			h.Errorf("%+v was answered %q, which leaves no trace, and there is one", o, said)
		}
		return 0
	case !found || told(e.Result) != said:
		h.Errorf("%+v was answered %q; the journal has it: %v, with %q", o, said, found, told(e.Result))
	}
	return 1
}

package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// job tells a child what to do. It is the first object on its standard input.
type job struct {
	Kind  string // a key of jobs
	Dir   string
	Scale Scale
}

// report is what a child answers, one object for each step.
type report struct {
	Ops     int           // done in the step
	Took    time.Duration // by the clock
	CPU     time.Duration
	Private uint64  // bytes of memory, now: the process's own
	Mapped  uint64  // and those of files
	Bytes   float64 // of one account
}

func (r report) rate() float64 {
	if r.Took == 0 {
		return 0
	}
	return float64(r.Ops) / r.Took.Seconds()
}

// cpu is in microseconds an operation.
func (r report) cpu() float64 {
	return float64(r.CPU.Nanoseconds()) / microsecond / float64(max(1, r.Ops))
}

// jobs are what a child can do. It opens its own store; what it reports goes to
// say, and after each report but the last it may wait for a step.
var jobs = map[string]func(c *worker) error{
	"shard":  (*worker).shard,
	"fill":   (*worker).fill,
	"soak":   (*worker).soak,
	"weight": (*worker).weight,
}

// worker is the inside of a child process.
type worker struct {
	job
	teller
	say  func(report) error
	step func() (bool, error) // waits for the parent; false = it wants no more
}

// Child does what a parent in another process asks for on in, and reports on
// out. It ends when in ends.
func Child(ctx context.Context, e Engines, in io.Reader, out io.Writer) (err error) {
	ask, tell := json.NewDecoder(in), json.NewEncoder(out)
	w := &worker{teller: teller{ctx: ctx}, say: func(r report) error { return tell.Encode(r) }}
	if err := ask.Decode(&w.job); err != nil {
		return fmt.Errorf("what to measure: %w", err)
	}
	do := jobs[w.Kind]
	if do == nil {
		return fmt.Errorf("no measurement is called %q: this process is started by the benchmark alone", w.Kind)
	}
	w.step = func() (bool, error) {
		err := ask.Decode(&struct{}{})
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		return err == nil, err
	}
	if w.store, err = e.SQLite(ctx, filepath.Join(w.Dir, storeName)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.store.Close()) }()
	return do(w)
}

// child is the outside of one.
type child struct {
	dir  string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *json.Decoder
	said lastWords
	over bool // it was waited for
}

// lastWords keeps the beginning of what a child writes to its standard error.
type lastWords []byte

func (l *lastWords) Write(b []byte) (int, error) {
	const most = 4096
	*l = append(*l, b[:min(len(b), most-len(*l))]...)
	return len(b), nil
}

// spawn starts a child with a folder of its own. On a core of its own, it has
// that one alone, from its first instruction on.
func (r *run) spawn(ctx context.Context, kind string, core int) (*child, error) {
	dir, err := os.MkdirTemp(r.Dir, kind+"-*")
	if err != nil {
		return nil, err
	}
	c := &child{dir: dir, cmd: exec.CommandContext(ctx, r.Child[0], r.Child[1:]...)}
	c.cmd.Stderr, c.cmd.Env = &c.said, os.Environ()
	if core >= 0 {
		c.cmd.Env = append(c.cmd.Env, "GOMAXPROCS=1")
	}
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = json.NewDecoder(out)
	if err := onCore(core, c.cmd.Start); err != nil {
		return nil, fmt.Errorf("start a child: %w", err)
	}
	return c, c.send(job{kind, dir, r.Scale})
}

func (c *child) send(v any) error { return c.failed(json.NewEncoder(c.in).Encode(v)) }

// next asks for a step, unless the child reports by itself.
func (c *child) next() error { return c.send(struct{}{}) }

func (c *child) read() (report, error) {
	var r report
	return r, c.failed(c.out.Decode(&r))
}

// failed says what a child that broke off had to say.
func (c *child) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("a child process broke off: %w", errors.Join(err, c.kill(), errors.New(string(c.said))))
}

// end lets a child close its store and waits for it.
func (c *child) end() error {
	if c.over {
		return nil
	}
	if err := c.in.Close(); err != nil {
		return err
	}
	c.over = true
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("a child process: %w: %s", err, c.said)
	}
	return nil
}

// kill ends a child as a crash would, unless it has ended.
func (c *child) kill() error {
	if c.over {
		return nil
	}
	if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	c.over = true
	var died *exec.ExitError
	if err := c.cmd.Wait(); !errors.As(err, &died) {
		return err
	}
	return nil
}

package meter

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// OneCore keeps every thread of this process on one of its cores, until restore is called: for figures that are of one
// core. Threads that start meanwhile stay there with the one that started them.
func OneCore() (restore func() error, err error) {
	var usual, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &usual); err != nil {
		return nil, fmt.Errorf("cores of this process: %w", err)
	}
	for n := range len(usual) * 64 {
		if usual.IsSet(n) {
			one.Zero()
			one.Set(n) // the last one: the first has the system's interrupts
		}
	}
	procs := runtime.GOMAXPROCS(1)
	restore = func() error {
		runtime.GOMAXPROCS(procs)
		return onCores(&usual)
	}
	if err := onCores(&one); err != nil {
		return nil, errors.Join(err, restore())
	}
	return restore, nil
}

func onCores(set *unix.CPUSet) error {
	list, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("threads of this process: %w", err)
	}
	for _, thread := range list {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			return fmt.Errorf("threads of this process: %w", err)
		}
		if err := unix.SchedSetaffinity(id, set); err != nil && !errors.Is(err, unix.ESRCH) { // it ended meanwhile
			return fmt.Errorf("pin a thread to its core: %w", err)
		}
	}
	return nil
}

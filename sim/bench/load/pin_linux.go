package load

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// cores are the processor cores that this process may use.
func cores() []int {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return nil
	}
	var list []int
	for n := range len(set) * 64 {
		if set.IsSet(n) {
			list = append(list, n)
		}
	}
	return list
}

// onCore starts a process that may use one core only; below 0 it may use all. A
// process inherits the cores of the thread that starts it.
func onCore(core int, start func() error) error {
	if core < 0 {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var usual, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &usual); err != nil {
		return err
	}
	one.Set(core)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return err
	}
	err := start()
	if back := unix.SchedSetaffinity(0, &usual); back != nil {
		return back
	}
	return err
}

// Package coinkill kills wallets at every step of everything they do, and proves
// that no coin was lost, none was doubled and nobody is accused.
//
//	parent: a scheme with its mint on a loopback port, wallet files, a book
//	   --starts--> child: one operation of one wallet, killed by itself with SIGKILL
//	               before or after its n-th write or message, or at the n-th change
//	               of its folder, which is in the middle of a write
//	   --opens the wallet again--> is there exactly what should be there at this moment?
//	   --lets it reconnect-------> nothing is pending, and the books agree with the wallets
//
// The child is the test binary itself, so the death is a real one: nothing is
// flushed, closed or unlocked by anybody but the kernel. What the built program
// does when it is killed from outside is proved in package crash. Start with
// TestKilledAtEveryStepNoCoinIsLost, which takes every fifth step. With JIAOZI_SOAK=1
// it takes every step; of restoring, which is long, six times fewer in both cases.
package coinkill

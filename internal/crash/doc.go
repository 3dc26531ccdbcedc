// Package crash takes the power away from the built program, damages its files
// and fills its disk, and looks whether money survives.
//
//	demo  --SIGKILL at a random moment-->  demo again  -->  audit: conserved
//
//	wallet --SIGKILL at a message, or anywhere-->  resume  -->  accounts + wallets: what there was
//
// It knows the module only as a command with exit codes and JSON lines, as
// scripts do, so it proves the promises of all rooms together and of the
// assembly: a journal that was flushed, a card that commits, a store that is
// opened again, a scheme that was half made. What each room does about one torn
// write is proved in the room itself, exhaustively.
//
// Moments come from a seed that every run prints; JIAOZI_CRASH_SEED repeats one,
// JIAOZI_SOAK=1 kills more often. Start with TestKilledAnywhereNoMoneyIsLost.
package crash

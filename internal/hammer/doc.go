// Package hammer kills a ledger while many clients use it, and then proves that
// what they saw is what one ledger, which was never killed, could have told them.
//
//	parent --starts--> child: a ledger and its clients --a line for each call and answer--> parent
//	       --SIGKILL at a random moment, starts it again, lost answers are asked for again under the same ids
//	       --at the end--> porcupine: is there one order of all calls that explains all answers?
//	                       Verify: is the book sound?  journal: does it hold every answer that was given?
//
// The child is the test binary itself. The moments come from a seed that every
// run prints; JIAOZI_HAMMER_SEED repeats one, JIAOZI_SOAK=1 kills ten times as
// often. What one torn write does is proved in the rooms of the engines; this is
// about all of them together. Start with TestKilledLedgerAnswersAsOne.
package hammer

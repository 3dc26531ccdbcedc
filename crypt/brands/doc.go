// Package brands is blind electronic cash: coins that a mint signs without
// seeing them, that name nobody when they are spent once and their owner when
// they are spent twice.
//
// The scheme is Stefan Brands' (CRYPTO '93) over ristretto255, with the observer
// of the same paper, chains of blanks for passing money on without the mint, and
// notes, which are trees of lines under one signature.
//
//	mint                                   holder (secret u1, account I = u1·G1)
//	Commit: a = wG, b = w(I+G2)  ------->  Challenge: blinds, makes A, B, c
//	Respond: r = cx + w          <-------  c
//	                             ------->  Finish: checks r, has a coin (Own)
//	                                       Pay: one point (d, r1, r2) of the line
//	VerifyBatchVartime           <-------  Payment, and its Aid to go faster
//	TraceVartime: two points of one line give u1, and u1·G1 is the account
//
// Start with GenerateKey and NewHolder, follow the drawing, and read
// Payment.VerifyVartime for what a payee checks. chain.go shows how money goes on
// from hand to hand, note.go how a note divides and notekeep.go what a mint keeps
// of it, observer.go what the card does. Guilt is what a mint shows about a cheat,
// Claim what a restored wallet does instead of paying again. Coins, keys, payments
// and proofs have one encoding each, made by Append and read by ParseX, which
// accepts nothing that Append would not have made.
//
// Anonymity against mint and payee together is perfect for random blinding
// factors: every view of the mint explains every coin. A wallet that derives them
// from a seed (DeriveBlinding) rests on the pseudo-random function HMAC-SHA-512,
// never on discrete logarithms. What shows is value, epoch, group of merchants
// and the number of hands.
//
// The package does not guard what needs memory, and each of these is fatal if
// forgotten: the mint answers ONE challenge per session and keeps ONE session
// open per account and key (more let 253 answers become 254 coins: ros_test.go);
// a holder gives ONE answer per coin; an observer ONE per index. Neither does it
// know the time: role/mint and role/wallet compare KeyInfo's dates.
//
// Secrets show nothing under fmt, JSON or slog, and are used in constant time.
// Whatever has Vartime in its name must see public data only.
//
// A card's image: the mint sends z = x(I+G2) to holders with an observer, who
// cannot compute it (CommitForAccount, Commitment.Image); Finish checks it together
// with the answer, so a wrong one makes no coin.
//
// A second scheme (compact e-cash on BBS signatures, say) enters where role/mint
// calls Commit, Respond, VerifyBatchVartime, Points and TraceVartime, and where
// role/wallet calls Challenge, Finish, Pay and VerifyVartime. There is no interface
// yet: with one user it would freeze this scheme's moves. KeyInfo.Kind is where
// keys of another scheme would be told apart.
package brands

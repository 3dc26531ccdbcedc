// Package history plays random histories of coins: honest wallets, cheats, lost
// answers and crashes, over the real role/mint, role/wallet and book, without a
// network.
//
// It has tests only. A town is a mint with a handful of people; a history is what
// happens in it in a few hours, ending with somebody's deposits. Then three things
// must hold, whatever happened:
//
//   - everybody of whom two payments of one coin reached the mint is named, with a
//     proof that a stranger checks, and nobody else is;
//   - an honest holder has exactly what he should: a loss is a coin that the mint
//     refused because somebody else is named for it;
//   - no money came or went: accounts, coins outstanding and suspense add up to what
//     was paid in, and the mint's published line balances.
//
// What must hold is computed from what the people did and from the messages that the
// mint received, never from the mint's own records. A failure prints the town's
// seed; JIAOZI_TOWN=seed plays that town alone. Start with TestRandomHistories.
package history

// Package accounts knows who people are and what they may do: users, teams,
// members with roles, sessions, tokens, and the audit log of every change.
//
// Invariants:
//   - Neither passwords nor session and token values are stored: argon2id for
//     the first, SHA-256 for the random others, which have nothing to guess.
//   - What a caller may do is looked up per request from a cache that every
//     change empties, here and by notification on other nodes; entries live two
//     seconds at most, so that a change made by the command line on the same
//     SQLite file is heard as well.
//   - There is always an enabled administrator, and every team has an owner.
//   - Every change is audited in the transaction that makes it.
//   - Team main is the installation's own: it cannot be deleted or renamed, and
//     an administrator's token bound to it still administers.
package accounts

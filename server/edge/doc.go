// Package edge keeps a fleet of machines: who they are, what is on them, which
// signed bundles there are for them and how these reach them.
//
// Nouns. A node is a machine with a key of its own; a token lets machines enrol,
// a person accepts them. A site is where nodes share a link. A bundle is a set of
// packages under signatures that this server cannot make; trust is the TUF
// metadata that says whose signatures count, of which the server holds the
// timestamp key alone. A check-in is a node's regular message, a report is one
// thing that happened on it, a set is a list of packages that equal nodes share.
// A policy says which nodes get which bundle, when and how carefully; a rollout is
// a policy on its way, batch after batch; an order is what a node is to do for it.
//
// Invariants.
//   - A node is who its key says: each request is signed, its number is used once.
//   - Nothing is served to a node that a person, or a token that may, has not accepted.
//   - What is published was verified from the root on; a portal that is taken
//     over can withhold bundles and cannot make one.
//   - A report is kept before it is acknowledged and counted once.
//   - Being offline is normal: nothing fails because a node is away. Going silent
//     after having begun to install is a failure.
//   - What a rollout does follows from rows and the clock alone, so any server goes
//     on where another stopped; every change of it has an actor and a reason.
package edge

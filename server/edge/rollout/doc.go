// Package rollout decides how a bundle goes through a fleet: which node is in
// which batch, when the next batch may begin, and when everything must stop until
// a person has looked.
//
// Nouns. A batch is a set of nodes that may install at the same time; batch 0 are
// the canaries, if there are any. A node is released when it may install; whether
// it does is up to its window and to whether it is there.
//
// Invariants, each a property that a test holds:
//   - Every node is in exactly one batch, and the same nodes make the same batches.
//   - A batch begins only when the one before is closed and has rested.
//   - No site has more nodes at work at once than the policy allows.
//   - A paused rollout releases nothing, and only a person resumes it.
//   - Being away is no failure. Going silent after having begun is one.
//
// The package is pure: no clock, no database. What it is told are rows, what it
// answers are changes to them.
package rollout

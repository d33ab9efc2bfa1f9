// Package grouping decides which events are the same problem, and why.
//
// An event gets one or more *hashes*; it belongs to the issue that has any of
// them. Usually there are two: over the frames of the user's own code (app)
// and over all frames (system), so that a client that marks frames differently
// after an upgrade finds the old issue. What is hashed never contains line
// numbers, paths, or the variable parts of a message.
//
// The algorithm has a version. A project keeps its version when a new one
// appears; while it changes over, it asks Group for both and knows old issues
// by their old hashes.
//
// Invariants: equal events give equal hashes on every machine and in every
// release (the version is bumped otherwise); every event gets at least one
// hash; Why says in words exactly what went into the hashes.
//
// The package is pure and imports only sentry.
package grouping

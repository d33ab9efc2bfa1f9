// Package secrets keeps what must not be read from a copy of the database.
//
// Box is envelope encryption with AES-256-GCM: every value has a data key of its
// own, which a key from the key file wraps. The key file lies outside the
// database and is backed up apart from it. It may hold several keys: the newest
// encrypts, all of them decrypt, so a key is rotated by adding one. What is
// sealed is bound to its table and row: moved to another row it does not open.
//
// Store holds a team's named secrets for ((vars)), those of a pipeline before
// those of the team. Values go in and are used; no API gives them back.
package secrets

// Package scrub removes what an error tracker should not keep: passwords,
// tokens, cookies, card numbers, private keys, and IP addresses if a project
// wants that.
//
// Sensitive is what stands behind a sensitive *key* (in whatever depth) or
// matches a *pattern*. A project adds keys and patterns of its own, and names
// *safe* fields that are left alone. What was removed says so: "[Filtered]".
//
// Invariants: a scrubbed event scrubbed again does not change; the same event
// is scrubbed alike whether it comes parsed (digestion) or as a JSON map (the
// preview of rules); the structure of an event stays, only values change.
//
// The package is pure and imports only sentry.
package scrub

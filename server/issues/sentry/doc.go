// Package sentry reads what Sentry's clients send: request bodies, envelopes,
// and the payloads of their items. Bytes in, typed and trimmed values out.
//
// Its nouns: an *envelope* is one request body, a list of *items*; an *event*
// is the payload of the items event, transaction and feedback, and of the old
// store endpoint. Lists that clients send in three shapes (an array, an object
// with "values", a single object) have one shape here.
//
// Invariants: nothing here panics on foreign bytes; memory stays in proportion
// to the limits and not to what a client claims; a field of the wrong type
// costs that field and never the event; text never holds a NUL or broken
// UTF-8, which PostgreSQL would refuse.
//
// The package is pure: no files, no network, and the only clock is the time
// that the caller passes in.
package sentry

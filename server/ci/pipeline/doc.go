// Package pipeline reads Concourse pipeline and task files: bytes in, typed
// configuration, messages and source positions out.
//
// The JSON form of Config is the one that fly exchanges with a server, so a
// configuration that was parsed here and marshalled again is accepted by
// `fly get-pipeline` and gives no difference on `fly set-pipeline`. Validation
// words its messages as Concourse does because people search for them.
//
// Invariants: Parse never panics and never uses memory out of proportion to
// its input; every Step of a parsed Config has a Config; modifiers are nested
// in Concourse's order (ensure outermost, the core step innermost).
//
// The package is pure: no clock, no files, no network.
package pipeline

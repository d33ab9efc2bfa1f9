// Package sourcemap brings frames of minified JavaScript back to the lines that
// people wrote, and reads the bundles in which sentry-cli and the bundler
// plugins upload what is needed for it.
//
// It reads source maps of version 3, also those made of sections. A Map is
// compact (20 bytes for a mapping) and may be shared between goroutines and
// kept in a cache by its Size.
//
// The name of a function is not in a source map. Here it is the innermost named
// function, method or class member around the place in the original source,
// when the map carries that source; else the frame keeps the name that the
// browser gave. (Sentry reads scopes from the minified file as well; the
// original alone is right more often than the old way of taking the caller's
// token, and needs nothing that bundlers leave out.)
//
// Invariants: nothing panics on foreign bytes; memory is bounded by the limits
// below and not by what a file claims.
//
// The package is pure and imports only sentry.
package sourcemap

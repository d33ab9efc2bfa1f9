// Package vars finds and replaces `((references))` in configuration, and hides
// in log text the values that came out of them.
//
// Nouns: a Ref is a parsed reference; a Lookup knows values; a Tracker
// remembers the secrets that were handed out; a Redactor replaces them in a
// stream of text.
//
// The package is pure: what a reference means is decided by the Lookup.
package vars

// Package query reads what people type into the search field of the issue
// list, and says helpfully what it could not read.
//
//	is:unresolved env:prod release:2.4* !user.email:*@example.org times_seen:>10 "card declined" timeout
//
// A query is a list of terms that must all hold. A term is free text or
// [!]key:value; a value may be quoted, a list [a,b] of which any may hold, a
// pattern with *, a comparison (>10, <=2026-01-01), or a time from now (-7d).
// A key that is none of the known ones is the name of a tag.
//
// Invariants: Parse never panics; an error names the place and what to write
// instead; Parse(q.String()) equals q.
//
// The package is pure; relative times are resolved when the caller gives now.
package query

// Package docs is the manual that the server shows at /docs: pages written by
// hand in Markdown (pages/), and a reference that is made from the code itself.
//
// Nouns: a Book has parts, a part has pages, a page has sections, one for each
// heading. Commands stand in fences of the language sh; a test runs every one of
// them against a real server, in the order of the page, and looks for what the
// fence of the language text behind it says. A fence "sh needs=helm" asks for a
// program that not every machine has, and the page says so.
//
// Invariants: reading needs no account and no script; what could be read from
// code is never written by hand.
package docs

//go:generate go test -run TestReferenceIsFresh -update .

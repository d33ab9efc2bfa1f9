// Package junit reads test reports in the XML that JUnit's Ant task began and every
// test runner writes in its own way: bytes in, cases out.
//
// A report comes out of a container, so nothing in it is trusted: depth, number of
// cases and every text are bounded, document types and entities of the file's own are
// not expanded, and bytes that XML forbids (runners copy them from what tests print)
// become U+FFFD instead of ending the reading.
package junit

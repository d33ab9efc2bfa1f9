// Package debian reads and writes what apt and dpkg speak: versions, control stanzas, relations,
// Release and Packages files, changelogs and .deb archives. It knows bytes only; where they come
// from is the builder's business.
package debian

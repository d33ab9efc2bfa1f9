// Package sbom reads lists of software components: CycloneDX JSON (1.4 to 1.6), and
// the lock files from which such a list can be made without a tool of its own (go.mod,
// package-lock.json, requirements.txt, the status file of dpkg). It writes CycloneDX,
// and it compares versions as the ecosystems do, to answer "below 2.17.1?".
//
// Files come out of a container: sizes, counts and texts are bounded.
package sbom

// Package bundle reads, checks and writes patch bundles: the .epb file, its
// manifest, the TUF metadata that says who vouches for it, and the packages
// inside. The agent uses it on a node, the portal at publication, the release
// person's command line when building and signing.
//
// # Invariants
//
//   - Nothing read here is believed before its hash is vouched for by a
//     signature that leads to a root the reader already had.
//   - One bundle has one form: the same content is the same bytes. What is not
//     in that form (links, other headers, unknown members, unknown fields,
//     spare bytes) is refused, not tolerated.
//   - Every size is declared before it is read, and reading stops there.
//   - What went wrong is one of a few kinds, each with the agent's exit code.
//     A file that is merely short is never called forged or broken: anybody on
//     the way could cut it.
package bundle

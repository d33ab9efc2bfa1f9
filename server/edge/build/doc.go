// Package build makes a patch bundle: from what nodes have installed, what sources offer and a
// description of what to include, it works out the updates of every variant, fetches them with
// what they replace, and writes packages, deltas, a local repository's index, the component list
// and the vulnerabilities that are closed into one unsigned file.
//
// # Invariants
//
//   - The same inputs make the same bytes: lists are sorted, times come from the description or
//     from the sources, and nothing random goes in.
//   - Nothing is taken from a source that its signed index does not vouch for, unless the
//     description trusts that source by name.
//   - A bundle removes, adds or downgrades only what the description permits, and names it.
//   - Keys of release people are never needed here: who builds need not be trusted by nodes.
package build

// Package ceremony makes signatures: the keys of people, the root metadata that
// says which keys count, the lists of bundles that release keys vouch for, and
// the timestamp that the portal keeps fresh. Everything but the timestamp is
// done by people on machines that need no network; the portal holds one key,
// and that key can neither add a bundle nor change who may.
//
// A trust folder is the state of it all: root/N.root.json, targets.json,
// snapshot.json, and draft.root.json while the next root waits for signatures.
// It holds no secret and may lie in Git. Private keys are files of their own,
// sealed with a passphrase, one per person.
//
// # Invariants
//
//   - What is signed here is verified by agents/bundle, another implementation
//     (go-tuf), before it replaces anything.
//   - A release key signs no bundle of which it has not hashed every blob.
//   - A draft whose content changes loses its signatures.
package ceremony

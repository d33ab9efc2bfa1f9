// Package rollback brings a machine back to what it was before a bundle. There
// are two ways behind one interface: putting the old package files back, which
// works everywhere and restores versions but not what maintainer scripts did;
// and a btrfs snapshot of the whole root, which restores everything and loses
// every write since, so whatever must stay (the agent's own memory above all)
// lies outside of it.
//
// The stash holds the package files of what is installed, for going back and as
// the base of deltas.
package rollback

// Package packages speaks to the machine's package manager: what is installed,
// what an upgrade from one local repository would do, doing it, mending what was
// interrupted, and going back to older files. There are two: dpkg with apt, and
// rpm with dnf.
//
// Neither's exit status says whether an upgrade happened (a held package is a
// success to apt, a harmless complaint may not be), so whoever calls compares
// Installed before and after. Nothing here reaches a network: the only source
// is a folder.
package packages

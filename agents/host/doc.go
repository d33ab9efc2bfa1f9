// Package host is the machine that the agent looks after: its root folder, which
// may be another than this process's (a chroot), what it is, its free space, its
// power, and how a program is run in it.
package host

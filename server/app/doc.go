// Package app puts the parts together: it is the only package that sees every
// capability. New wires them from a configuration, Run serves until told to
// stop, and Main is the command line around both.
package app

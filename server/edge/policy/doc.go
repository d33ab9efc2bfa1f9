// Package policy reads PatchPolicy files: which nodes get which bundle, when,
// in what order, and what happens when it goes wrong.
//
// A file is YAML of one document. Every key is known: a typo is refused by its
// name and position, since a misspelt rule would be a rule that is not there.
// What is left out has the value that Default gives.
//
// Windows become instants here. A window names a wall clock; the server works
// out when that is, with the time zone's rules of the day, and nodes get the
// instants. Two rules make changes of the clock harmless: a window that would
// begin in an hour that does not exist begins at the first minute that does, and
// a window lasts as long as its name says, counted in real time.
//
// The package is pure: no clock, no files, no network.
package policy

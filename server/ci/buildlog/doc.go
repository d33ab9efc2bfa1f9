// Package buildlog keeps what a build said: one append-only file for each build,
// holding its events in order. It knows no database and no build states.
//
// Nouns. An event is one record of the file; its id is its 0-based place, and is
// the id that the event stream resumes from. A log event holds one line of output
// of a step; lines are numbered from 1 across the build. A section is what one
// origin (a step of the plan) contributed. A mark remembers where in the file some
// event is, so that a reader needs to look at a few hundred records at most.
//
// Invariants.
//   - A record is written to the file before any reader hears of it, so what a
//     client has seen survives the death of this process. Writes reach the disk
//     itself at most SyncEvery later, and at once for a status event.
//   - A record carries its length and a checksum. One that was cut off by a crash is
//     never shown, and is removed when the next writer opens the file.
//   - A log event ends its line, or is marked partial: the line goes on in a later
//     event of the same origin and source. No event holds two lines.
//   - The file is the truth. The index beside it is only a way to open faster and is
//     rebuilt when missing, damaged or behind.
//   - One process writes a file at a time (a lock says so); any number may read it.
package buildlog

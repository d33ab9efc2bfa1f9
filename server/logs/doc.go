// Package logs takes log lines from any usual shipper, keeps them and finds
// them again.
//
// Nouns. A line (record.Record) belongs to a team and a stream; a search
// (query.Query) is asked by our own API in our language or by Grafana and
// logcli in LogQL; a saved search is one that a team has given a name. An alert
// looks at the lines each minute; while its condition holds it is firing, about
// all of them or about subjects: the values of a field, or patterns of messages.
//
// Invariants.
//   - A shipper is told yes after its lines are on the disk, and not before.
//   - One bad line in a batch costs that line, which is counted with its reason,
//     and never the batch.
//   - A line is found by its own team alone: every search names the team to the
//     store, and a token's team decides, whatever tenant a header claims.
//   - What a search costs is bounded; what was left out is said. An alert whose
//     search was not whole says so and keeps what it knew.
//   - That an alert fires and what it tells of it are written in one transaction.
//   - Nobody keeps more, or for longer, than the installation; a team may keep less.
package logs

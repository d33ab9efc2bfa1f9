// Package store keeps log lines and finds them again. It knows no users, no wire
// format and no query language: what to look for comes as a Matcher.
//
// Nouns. A chunk is what one Append brought, in the bytes the write-ahead log holds.
// The memtable is the chunks that no segment holds yet. A segment is an immutable
// Parquet file of one team and day, sorted by stream and time, with a sidecar that
// says what is where: the streams' runs, the zones of every token (postings), and how
// many lines each stream has at each level in each step of time (counts). The manifest is the list of segments and says which write-ahead files they
// cover. A unit is what a search reads at once: a chunk or a row group.
//
// Invariants.
//   - Append returns after the line is on the disk itself; many callers share a sync.
//   - A line is in the memtable or in a segment, never in both, for any snapshot: a
//     flush becomes visible in one step, and the manifest drops a write-ahead file in
//     the same line in which it adds the segments made from it.
//   - Every line has a sequence number of its own, for good. With its time it is the
//     line's ID, which survives flush and merge.
//   - Every byte read from disk is behind a checksum. What fails it is listed as
//     damage and left out, and the search says so; the rest is served.
//   - Postings may say "perhaps" wrongly, never "no" wrongly.
//   - A search opens the sidecars of its range, and of the Parquet files only those that
//     hold what it looks for: about six microseconds for each segment passed over.
//   - Memory follows one budget, whatever clients send; a search that would pass its
//     own stops and says that its result is partial.
package store

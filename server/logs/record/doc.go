// Package record is one log line as it is kept, and what every part of logs must
// agree on about it. It is pure: bytes and values in, values out.
//
// Nouns. A record is a line with its time, level, message, stream and fields. A
// stream is the set of labels that rarely changes (service, host, source); its Key
// is its identity. A field is anything else about the line: nested JSON is
// flattened with dots, and every value is kept as text beside the kind it had.
// A token is what a word search matches: a run of letters, digits and underscores,
// folded to lower case.
//
// Invariants.
//   - Labels and Fields are sorted by name and hold each name once; Sort makes it so.
//   - Tokens cuts for the store that indexes and for the query that asks: a line that
//     holds a word holds its token, so the index may be trusted to say no.
//   - Nothing here fails on odd input: what cannot be understood is kept as text.
package record

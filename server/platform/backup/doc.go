// Package backup makes one file of everything an installation keeps, and an
// installation of such a file again.
//
// Nouns. An archive is one encrypted file: a header that anybody can read, then
// parts, the last of which is the manifest. A part is one file or one table, under
// a name. The manifest lists every part with its size and SHA-256, and the rows of
// every table. Freezing is naming files a second time (hard links), so that what
// their owner removes meanwhile stays to be read.
//
// Invariants.
//   - An archive is made beside its place and renamed when it is whole and on the
//     disk; one without its end is refused whatever its name.
//   - The key of an archive is random, sealed with the server's key file; the key
//     file itself is never in the archive.
//   - Whatever does not open or has another hash is refused by the name of its part,
//     and nothing of a refused archive reaches the place it was restored to.
//   - The database is as it was at one instant. Files were named before it and read
//     after it: what they hold is at least what that database knows of.
package backup

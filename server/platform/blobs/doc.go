// Package blobs keeps what is too big for a row: artifacts, attachments, large
// webhook bodies. A blob is known by its team and the SHA-256 of its content.
//
// Who puts a blob has an hour to own it with a row of theirs; a blob is open to
// reading while somebody owns it, and an hour after it is owned by nobody the
// collector removes it. The bytes lie on disk or in S3 behind Backend. Content
// is streamed: neither Put nor Open holds a blob in memory.
//
// A blob's row is written before its bytes and removed after them, so that the
// collector and a Put of the same content cannot lose it between them.
package blobs

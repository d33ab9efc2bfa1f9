// Package frame is how a container's output lies on disk: one record after the
// other, each with its time, stream, length and checksum, written with a single
// write so that a crash leaves at most one incomplete record at the end. The
// supervisor appends while followers read the same file.
package frame

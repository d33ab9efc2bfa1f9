// Package database opens the state store (SQLite or PostgreSQL), brings its
// schema up to date, and carries transactions in the context.
//
// SQLite gets one writing connection, because it has one writer anyway and
// waiting in Go's pool is fair where SQLITE_BUSY is not; readers have a pool of
// their own and see the last commit (WAL). Commits are synchronous=FULL: what
// was acknowledged survives a power cut.
//
// Notify wakes listeners after the commit of the transaction it was called in:
// in-process on SQLite, LISTEN/NOTIFY on PostgreSQL, where every node hears it.
package database

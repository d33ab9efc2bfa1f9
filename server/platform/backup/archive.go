package backup

import (
	"fmt"
	"strings"
	"time"
)

// magic is the first line of every archive.
const magic = "signalbox-backup 1\n"

// Purpose and scope of an archive; the words are in the header.
const (
	// Everything is the database, blobs, log lines, build logs and what waits to be digested.
	Everything = "everything"
	// DatabaseOnly is what is saved before a migration, which changes nothing else.
	DatabaseOnly = "database"
)

// Header is what can be known of an archive without its key.
type Header struct {
	ID string `json:"id"`
	// Kind is Everything or DatabaseOnly.
	Kind string `json:"kind"`
	// Program is the version of the program that made it.
	Program string `json:"program"`
	// Dialect is the database's, which restoring needs too.
	Dialect string `json:"dialect"`
	// Schema is the number of the database's last migration.
	Schema int64 `json:"schema"`
	// Node is the name of the server whose files these are.
	Node string `json:"node,omitempty"`
	// At is the instant whose state the database is in.
	At time.Time `json:"at"`
	// Key is the archive's key, sealed with the key file.
	Key []byte `json:"key"`
}

// PartHead is what stands before a part's content.
type PartHead struct {
	Name string `json:"name"`
	// Size is how many bytes it will have, where that is known beforehand; -1 otherwise.
	Size int64 `json:"size"`
	// Zstd is whether the content is compressed.
	Zstd bool `json:"zstd,omitempty"`
	// Columns are those of a table, in the order of its rows' fields.
	Columns []string `json:"columns,omitempty"`
}

// Part is what is known of a part once it is whole.
type Part struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// manifestPart is the name of the last part.
const manifestPart = "manifest.json"

// Manifest is what an archive says of itself at its end.
type Manifest struct {
	Finished time.Time `json:"finished_at"`
	// Parts is everything before the manifest, in order.
	Parts []Part `json:"parts"`
	// Tables has the number of rows of each.
	Tables map[string]int64 `json:"tables"`
	// Sequences are PostgreSQL's counters of ids.
	Sequences map[string]int64 `json:"sequences,omitempty"`
	// Missing names blobs that rows own and whose bytes were gone.
	Missing []string `json:"missing,omitempty"`
	// Sealed counts what is encrypted in the database with the key file.
	Sealed int64 `json:"sealed,omitempty"`
}

// Rows is the sum over all tables.
func (m Manifest) Rows() (n int64) {
	for _, rows := range m.Tables {
		n += rows
	}
	return n
}

// Bytes is the sum over all parts, as they are outside the archive.
func (m Manifest) Bytes() (n int64) {
	for _, p := range m.Parts {
		n += p.Size
	}
	return n
}

// behind begins the Part of a DamagedError that is where another part should begin.
const behind = "after "

// DamagedError is an archive that is not what was written; Part names the place.
type DamagedError struct{ Part, Why string }

// Error says it in a sentence.
func (e *DamagedError) Error() string {
	if before, ok := strings.CutPrefix(e.Part, behind); ok {
		return fmt.Sprintf("the archive is damaged behind its part %s: %s", before, e.Why)
	}
	return fmt.Sprintf("the archive is damaged in its part %s: %s", e.Part, e.Why)
}

// KeyError is an archive whose key the key file lacks.
type KeyError struct {
	// Key is the id of the key that it was made with.
	Key string
}

// Error says what to do.
func (e *KeyError) Error() string {
	return fmt.Sprintf("this archive was made with the key %s, which the key file lacks; put the key file of that time in its place "+
		"(a key file keeps its old keys when it is rotated, so a newer one of the same server will do)", e.Key)
}

// Package migrations holds the schema as SQL, forward only, one folder per
// dialect with the same numbers and names in both. A released file is never
// edited; a change is a new file.
package migrations

import "embed"

// Files are the migrations of both dialects, in folders "sqlite" and "postgres".
//
//go:embed sqlite/*.sql postgres/*.sql
var Files embed.FS

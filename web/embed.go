// Package web carries the built user interface inside the server's binary.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files is the build output: index.html, assets/ with hashed names, fonts.
func Files() (fs.FS, error) { return fs.Sub(dist, "dist") }

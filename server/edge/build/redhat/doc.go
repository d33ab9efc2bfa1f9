// Package redhat reads and writes what rpm and dnf speak: versions, headers of packages and the
// metadata of repositories. It knows bytes only; where they come from is the builder's business.
package redhat

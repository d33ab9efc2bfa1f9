package sentry

import (
	"errors"
	"net/http"
	"net/url"
)

var (
	// ErrNoAuth says that a request names no key.
	ErrNoAuth = errors.New("sentry: the request names no key")
	// ErrAuthConflict says that header, query and envelope name different keys.
	ErrAuthConflict = errors.New("sentry: the request names different keys")
)

// Auth is what a client says about itself. Key is a DSN's public key.
type Auth struct{ Key, Client, Version string }

// ParseAuth finds the key in the X-Sentry-Auth or Authorization header, in the
// query, and in the envelope's DSN; those that are present must agree.
func ParseAuth(header http.Header, query url.Values, envelopeDSN string) (Auth, error) {
	return Auth{}, ErrNoAuth
}

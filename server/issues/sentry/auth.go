package sentry

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

var (
	// ErrNoAuth says that a request names no key.
	ErrNoAuth = errors.New("sentry: the request names no key")
	// ErrAuthConflict says that header, query and envelope name different keys.
	ErrAuthConflict = errors.New("sentry: the request names different keys")
)

// Auth is what a client says about itself. Key is a DSN's public key.
type Auth struct{ Key, Client, Version string }

// maxKey bounds a key; real ones have 32 digits.
const maxKey = 128

// ParseAuth finds the key in the X-Sentry-Auth or Authorization header, in the
// query, and in the envelope's DSN; those that are present must agree.
func ParseAuth(header http.Header, query url.Values, envelopeDSN string) (Auth, error) {
	var found Auth
	sources := []Auth{
		parseAuthHeader(header.Get("X-Sentry-Auth")),
		parseAuthHeader(header.Get("Authorization")),
		{Key: query.Get("sentry_key"), Client: query.Get("sentry_client"), Version: query.Get("sentry_version")},
		{Key: dsnKey(envelopeDSN)},
	}
	for _, a := range sources {
		if a.Key == "" {
			continue
		}
		if found.Key != "" && found.Key != a.Key {
			return Auth{}, ErrAuthConflict
		}
		found.Key = a.Key
		if found.Client == "" {
			found.Client = cleanText(a.Client, maxShort)
		}
		if found.Version == "" {
			found.Version = cleanText(a.Version, 16)
		}
	}
	if found.Key == "" || !validKey(found.Key) {
		return Auth{}, ErrNoAuth
	}
	if found.Client == "" {
		found.Client = cleanText(header.Get("User-Agent"), maxShort)
	}
	return found, nil
}

// parseAuthHeader reads "Sentry sentry_key=K, sentry_version=7, …"; the commas
// come with and without a space, the parts in any order.
func parseAuthHeader(value string) Auth {
	scheme, rest, ok := strings.Cut(strings.TrimSpace(value), " ")
	if !ok || !strings.EqualFold(scheme, "sentry") {
		return Auth{}
	}
	var a Auth
	for part := range strings.SplitSeq(rest, ",") {
		name, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		v = strings.Trim(strings.TrimSpace(v), `"`)
		switch strings.TrimSpace(name) {
		case "sentry_key":
			a.Key = v
		case "sentry_client":
			a.Client = v
		case "sentry_version":
			a.Version = v
		}
	}
	return a
}

func dsnKey(dsn string) string {
	if dsn == "" {
		return ""
	}
	u, err := url.Parse(dsn)
	if err != nil || u.User == nil {
		return ""
	}
	return u.User.Username()
}

// validKey accepts what could be in a DSN: word characters and dashes.
func validKey(key string) bool {
	if len(key) > maxKey {
		return false
	}
	for i := range len(key) {
		c := key[i]
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}

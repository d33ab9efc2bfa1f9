package sbom

import (
	"cmp"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Component is one piece of software in a build. Its texts are valid UTF-8 and bounded.
type Component struct {
	// Name is without the group; FullName has both.
	Name string
	// Group is the Maven group, the npm scope, the path of a Go module before its last part.
	Group   string
	Version string
	// PURL is the package URL, "" when the document gives none.
	PURL string
	// Type is CycloneDX's: library, application, operating-system …
	Type string
	// Licenses are SPDX ids, expressions or names.
	Licenses []string
}

// Scheme is the ecosystem, which decides how versions compare: the type in the purl.
func (c Component) Scheme() Scheme { return SchemeOf(c.PURL) }

// FullName is the name as its ecosystem writes it: "org.slf4j:slf4j-api" for Maven,
// "@scope/name" and "example.org/path/name" elsewhere.
func (c Component) FullName() string {
	if c.Group == "" {
		return c.Name
	}
	if c.Scheme() == Maven {
		return c.Group + ":" + c.Name
	}
	return c.Group + "/" + c.Name
}

// The bounds of a document.
const (
	// MaxBytes is how large a document may be.
	MaxBytes = 64 << 20
	// MaxComponents is how many components it may have.
	MaxComponents = 100_000
	maxText       = 1 << 10
	maxLicenses   = 20
)

// The ways in which a file is no list of components.
var (
	ErrFormat   = errors.New("is not a CycloneDX document")
	ErrTooLarge = errors.New("is larger than a list of components may be")
	ErrTooMany  = errors.New("has more components than a list may have")
)

// readAll is the document, or ErrTooLarge.
func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err == nil && len(data) > MaxBytes {
		return nil, ErrTooLarge
	}
	return data, err
}

func text(s string) string {
	s = strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD"))
	if len(s) <= maxText {
		return s
	}
	cut := maxText - len("…")
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// tidy bounds the texts, drops what has no name or says the same twice, and sorts, so
// that equal lists are equal.
func tidy(list []Component) ([]Component, error) {
	out := make([]Component, 0, len(list))
	for _, c := range list {
		c.Name, c.Group, c.Version, c.PURL, c.Type = text(c.Name), text(c.Group), text(c.Version), text(c.PURL), text(c.Type)
		if c.Type == "" {
			c.Type = "library"
		}
		licenses := make([]string, 0, len(c.Licenses))
		for _, l := range c.Licenses {
			if l = text(l); l != "" && !slices.Contains(licenses, l) && len(licenses) < maxLicenses {
				licenses = append(licenses, l)
			}
		}
		if c.Licenses = licenses; c.Name != "" {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, compareComponents)
	out = slices.CompactFunc(out, func(a, b Component) bool { return compareComponents(a, b) == 0 })
	if len(out) > MaxComponents {
		return nil, ErrTooMany
	}
	return out, nil
}

func compareComponents(a, b Component) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Group, b.Group), strings.Compare(a.Version, b.Version),
		strings.Compare(a.PURL, b.PURL), strings.Compare(a.Type, b.Type), slices.Compare(a.Licenses, b.Licenses))
}

// purl makes a package URL; namespace may have slashes.
func purl(kind, namespace, name, version string, qualifiers ...string) string {
	var b strings.Builder
	b.WriteString("pkg:" + kind + "/")
	for part := range strings.SplitSeq(namespace, "/") {
		if part != "" {
			b.WriteString(escape(part) + "/")
		}
	}
	b.WriteString(escape(name))
	if version != "" {
		b.WriteString("@" + escape(version))
	}
	for i := 0; i+1 < len(qualifiers); i += 2 {
		b.WriteString(map[bool]string{true: "?", false: "&"}[i == 0] + qualifiers[i] + "=" + escape(qualifiers[i+1]))
	}
	return b.String()
}

// escape leaves colons alone, as the specification of purl asks for.
func escape(s string) string {
	return strings.NewReplacer("+", "%20", "%3A", ":").Replace(url.QueryEscape(s))
}

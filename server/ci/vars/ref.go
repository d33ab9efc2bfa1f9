package vars

import (
	"fmt"
	"regexp"
	"strings"
)

// Ref is a parsed reference `source:path.field.field`. Source is "" for the
// team's own secrets and "." for local vars.
type Ref struct {
	Source string
	Path   string
	Fields []string
}

// LocalSource is the source of vars that steps of the same build have set.
const LocalSource = "."

// pattern is what Concourse takes for a reference; anything else in double
// parentheses is plain text.
var pattern = regexp.MustCompile(`\(\(((?:[-/\.\w\pL]+:)?[-/\.:@"\w\pL]+)\)\)`)

// ParseRef reads the text between the parentheses. A part in double quotes may
// hold dots and colons.
func ParseRef(text string) (Ref, error) {
	invalid := func(why string) (Ref, error) {
		return Ref{}, fmt.Errorf("invalid var '%s': %s", text, why)
	}
	var ref Ref
	rest := text
	if i := unquoted(rest, ':'); i >= 0 {
		ref.Source, rest = rest[:i], rest[i+1:]
		if strings.Contains(ref.Source, `"`) {
			return invalid("source must not be quoted")
		}
	}
	var parts []string
	for more := true; more; {
		part := rest
		i := unquoted(rest, '.')
		more = i >= 0
		if more {
			part, rest = rest[:i], rest[i+1:]
		}
		part = strings.ReplaceAll(strings.TrimSpace(part), `"`, "")
		if part == "" {
			return invalid("empty field")
		}
		parts = append(parts, part)
	}
	ref.Path, ref.Fields = parts[0], parts[1:]
	return ref, nil
}

// unquoted finds c outside double quotes; -1 means nowhere.
func unquoted(text string, c byte) int {
	quoted := false
	for i := range len(text) {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == c && !quoted:
			return i
		}
	}
	return -1
}

// String writes the reference so that ParseRef reads it again.
func (r Ref) String() string {
	var b strings.Builder
	if r.Source != "" {
		b.WriteString(r.Source + ":")
	}
	for i, part := range append([]string{r.Path}, r.Fields...) {
		if i > 0 {
			b.WriteByte('.')
		}
		if strings.ContainsAny(part, ",.:/ ") {
			part = `"` + part + `"`
		}
		b.WriteString(part)
	}
	return b.String()
}

// Refs lists the references in a text, in order, repeated ones included. Text
// that looks like a reference but does not parse is left out.
func Refs(text string) []Ref {
	var refs []Ref
	for _, match := range pattern.FindAllStringSubmatch(text, -1) {
		if ref, err := ParseRef(match[1]); err == nil {
			refs = append(refs, ref)
		}
	}
	return refs
}

// Find lists the distinct references in all texts of a tree made of maps,
// lists and scalars, keys included, in order of first appearance for lists and
// sorted by key for maps.
func Find(tree any) []Ref {
	seen := map[string]bool{}
	var found []Ref
	eachText(tree, func(text string) {
		for _, ref := range Refs(text) {
			if id := ref.String(); !seen[id] {
				seen[id] = true
				found = append(found, ref)
			}
		}
	})
	return found
}

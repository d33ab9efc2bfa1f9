package debian

import (
	"fmt"
	"strings"

	"github.com/signalbox/signalbox/server/edge/build/resolve"
)

// ParseRelations reads a value such as that of Depends.
func ParseRelations(value string) ([]resolve.Clause, error) {
	var clauses []resolve.Clause
	for _, group := range strings.Split(value, ",") {
		if strings.TrimSpace(group) == "" {
			continue
		}
		var clause resolve.Clause
		for _, one := range strings.Split(group, "|") {
			r, err := parseRelation(one)
			if err != nil {
				return nil, err
			}
			clause = append(clause, r)
		}
		clauses = append(clauses, clause)
	}
	return clauses, nil
}

// parseRelation reads "name:any (>= 1.2) [amd64] <!nocheck>"; what stands in brackets of other
// kinds belongs to sources and does not occur in binary packages.
func parseRelation(text string) (resolve.Relation, error) {
	var r resolve.Relation
	text = strings.TrimSpace(text)
	if i := strings.IndexAny(text, "[<"); i >= 0 && !strings.Contains(text[:i], "(") {
		text = strings.TrimSpace(text[:i])
	}
	name, rest, versioned := strings.Cut(text, "(")
	r.Name = strings.TrimSpace(name)
	if base, qualifier, found := strings.Cut(r.Name, ":"); found {
		r.Name, r.AnyArch = base, qualifier == "any"
	}
	if r.Name == "" || strings.ContainsAny(r.Name, " \t\n") {
		return r, fmt.Errorf("not a relation: %.80q", text)
	}
	if !versioned {
		return r, nil
	}
	inner, _, closed := strings.Cut(rest, ")")
	if !closed {
		return r, fmt.Errorf("not a relation: %.80q", text)
	}
	inner = strings.TrimSpace(inner)
	end := strings.IndexFunc(inner, func(c rune) bool { return !strings.ContainsRune("<>=", c) })
	if end <= 0 {
		return r, fmt.Errorf("not a relation: %.80q", text)
	}
	r.Version = strings.TrimSpace(inner[end:])
	switch inner[:end] {
	case "<<", "<=", "=", ">=", ">>":
		r.Op = inner[:end]
	case "<": // as dpkg reads the old signs
		r.Op = "<="
	case ">":
		r.Op = ">="
	default:
		return r, fmt.Errorf("not a relation: %.80q", text)
	}
	return r, nil
}

// Package turns a control stanza into what the resolver knows. A relation that cannot be read
// is an error: to overlook one would be to break a node.
func Package(s Stanza) (resolve.Package, error) {
	p := resolve.Package{Name: s.Get("Package"), Version: s.Get("Version"), Arch: s.Get("Architecture")}
	if p.Name == "" || p.Version == "" {
		return p, fmt.Errorf("a paragraph without package or version: %.80q", s.String())
	}
	p.Shared, p.Same = s.Get("Multi-Arch") == "foreign", s.Get("Multi-Arch") == "same"
	for _, name := range []string{"Pre-Depends", "Depends"} {
		clauses, err := ParseRelations(s.Get(name))
		if err != nil {
			return p, fmt.Errorf("%s %s: %s: %w", p.Name, p.Version, name, err)
		}
		p.Requires = append(p.Requires, clauses...)
	}
	for _, name := range []string{"Conflicts", "Breaks"} {
		clauses, err := ParseRelations(s.Get(name))
		if err != nil {
			return p, fmt.Errorf("%s %s: %s: %w", p.Name, p.Version, name, err)
		}
		for _, c := range clauses {
			p.Conflicts = append(p.Conflicts, c...)
		}
	}
	provides, err := ParseRelations(s.Get("Provides"))
	if err != nil {
		return p, fmt.Errorf("%s %s: Provides: %w", p.Name, p.Version, err)
	}
	for _, c := range provides {
		for _, r := range c {
			p.Provides = append(p.Provides, resolve.Capability{Name: r.Name, Version: r.Version})
		}
	}
	return p, nil
}

// SourceOf names the source package and its version, which differ from the binary's where
// Source says so.
func SourceOf(s Stanza) (name, version string) {
	name, version = s.Get("Package"), s.Get("Version")
	source := s.Get("Source")
	if source == "" {
		return name, version
	}
	base, rest, found := strings.Cut(source, "(")
	if found {
		version = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), ")"))
	}
	return strings.TrimSpace(base), version
}

// RelationFields are the fields that Package and SourceOf read, with those of an index and of
// a status file.
var RelationFields = map[string]bool{
	"Package": true, "Version": true, "Architecture": true, "Multi-Arch": true, "Source": true, "Pre-Depends": true, "Depends": true,
	"Conflicts": true, "Breaks": true, "Provides": true, "Filename": true, "Size": true, "SHA256": true, "Installed-Size": true, "Status": true,
	"Essential": true,
}

package redhat

import (
	"path"
	"strings"

	"github.com/signalbox/signalbox/server/edge/build/resolve"
)

// Flags of relations.
const (
	flagLess, flagGreater, flagEqual = 1 << 1, 1 << 2, 1 << 3
	flagPre                          = 1<<6 | 1<<9 | 1<<10
	flagMissingOK, flagRPMLib        = 1 << 19, 1 << 24
)

// link is a relation as headers and metadata have it.
type link struct {
	Name  string
	Flags string // EQ, LT, LE, GT, GE or none
	EVR   string
	Pre   bool
}

func (p *RPM) links(names, flags, versions uint32) []link {
	var list []link
	f, v := p.main.numbers(flags), p.main.texts(versions)
	for i, name := range p.main.texts(names) {
		l := link{Name: name}
		var bits int64
		if i < len(f) {
			bits = f[i]
		}
		if bits&flagRPMLib != 0 || bits&flagMissingOK != 0 || strings.HasPrefix(name, "rpmlib(") {
			continue
		}
		if i < len(v) && v[i] != "" {
			l.EVR, l.Flags = v[i], comparison(bits)
		}
		l.Pre = bits&flagPre != 0
		list = append(list, l)
	}
	return list
}

func comparison(bits int64) string {
	switch {
	case bits&flagLess != 0 && bits&flagEqual != 0:
		return "LE"
	case bits&flagGreater != 0 && bits&flagEqual != 0:
		return "GE"
	case bits&flagLess != 0:
		return "LT"
	case bits&flagGreater != 0:
		return "GT"
	case bits&flagEqual != 0:
		return "EQ"
	}
	return ""
}

func operator(flags string) string {
	return map[string]string{"EQ": "=", "LT": "<<", "LE": "<=", "GT": ">>", "GE": ">="}[flags]
}

// relation turns it into the resolver's. rpm's capabilities say their architecture themselves,
// as in libc.so.6()(64bit), so any will do.
func (l link) relation() resolve.Relation {
	r := resolve.Relation{Name: l.Name, Op: operator(l.Flags), AnyArch: true}
	if r.Op != "" {
		r.Version = l.EVR
	}
	return r
}

// need is a relation that must be met. Rich ones, "(a if b)", are left to dnf on the node:
// they are rare, and the plan is simulated there before anything happens.
func needs(list []link) []resolve.Clause {
	var clauses []resolve.Clause
	for _, l := range list {
		if strings.HasPrefix(l.Name, "(") || strings.HasPrefix(l.Name, "rpmlib(") {
			continue
		}
		clauses = append(clauses, resolve.Clause{l.relation()})
	}
	return clauses
}

func capabilities(list []link, files []string) []resolve.Capability {
	var out []resolve.Capability
	for _, l := range list {
		c := resolve.Capability{Name: l.Name}
		if l.Flags == "EQ" {
			c.Version = l.EVR
		}
		out = append(out, c)
	}
	for _, f := range files {
		out = append(out, resolve.Capability{Name: f})
	}
	return out
}

func clashes(conflicts, obsoletes []link) []resolve.Relation {
	var out []resolve.Relation
	for _, l := range conflicts {
		if !strings.HasPrefix(l.Name, "(") {
			out = append(out, l.relation())
		}
	}
	for _, l := range obsoletes {
		r := l.relation()
		r.NameOnly = true
		out = append(out, r)
	}
	return out
}

// Files lists the paths that the package brings.
func (p *RPM) Files() []string {
	dirs, indexes := p.main.texts(tagDirNames), p.main.numbers(tagDirIndexes)
	var list []string
	for i, base := range p.main.texts(tagBaseNames) {
		if i < len(indexes) && indexes[i] >= 0 && indexes[i] < int64(len(dirs)) {
			list = append(list, dirs[indexes[i]]+base)
		}
	}
	return list
}

// Package is what the resolver knows of it.
func (p *RPM) Package() resolve.Package {
	return resolve.Package{
		Name: p.Name(), Version: p.EVR(), Arch: p.Arch(),
		Provides: capabilities(p.links(tagProvideName, tagProvideFlags, tagProvideVersion), p.Files()),
		Requires: needs(p.links(tagRequireName, tagRequireFlags, tagRequireVersion)),
		Conflicts: clashes(p.links(tagConflictName, tagConflictFlags, tagConflictVersion),
			p.links(tagObsoleteName, tagObsoleteFlags, tagObsoleteVersion)),
	}
}

// Source is the name of the package that it was built from.
func (p *RPM) Source() string { return SourceName(p.text(tagSourceRPM), p.Name()) }

// SourceName cuts version and release off name-version-release.src.rpm; without such a file
// it is the package itself.
func SourceName(file, name string) string {
	file = path.Base(file)
	for range 2 {
		i := strings.LastIndexByte(file, '-')
		if i <= 0 {
			return name
		}
		file = file[:i]
	}
	return file
}

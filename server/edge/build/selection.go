package build

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/edge/build/resolve"
)

// selection turns the description's include into what the resolver asks.
func (v *variantBuild) selection(ctx context.Context) (func(installed, candidate *resolve.Package) bool, error) {
	in := v.spec.Include
	fixed, err := v.fixedSources(ctx)
	if err != nil {
		return nil, err
	}
	compare := v.sys.rules(v.out.Arch).Compare
	return func(_, candidate *resolve.Package) bool {
		it := &v.items[candidate.Ref]
		if it.old || matches(in.Exclude, it.Name) {
			return false
		}
		since, closes := fixed[it.source]
		return in.Everything || in.Security && it.Security || matches(in.Packages, it.Name) || closes && compare(it.sourceVersion, since) >= 0
	}, nil
}

// fixedSources finds, for the vulnerabilities that are asked for by name, which version of
// which source package closes them.
func (v *variantBuild) fixedSources(ctx context.Context) (map[string]string, error) {
	wanted := v.spec.Include.CVEs
	if len(wanted) == 0 {
		return nil, nil
	}
	known := slices.Clone(v.told)
	if v.tracker != nil {
		known = append(known, v.tracker.fixes(v.out.Codename)...)
	}
	if v.missing(wanted, known) != "" {
		read, err := v.readCandidates(ctx)
		if err != nil {
			return nil, err
		}
		known = append(known, read...)
	}
	if id := v.missing(wanted, known); id != "" {
		return nil, fmt.Errorf("include.cves: %s is fixed by nothing that the sources offer these nodes", id)
	}
	compare := v.sys.rules(v.out.Arch).Compare
	fixed := map[string]string{}
	for _, k := range known {
		if have, there := fixed[k.source]; slices.Contains(wanted, k.cve) && (!there || compare(k.version, have) > 0) {
			fixed[k.source] = k.version
		}
	}
	return fixed, nil
}

func (v *variantBuild) missing(wanted []string, known []vulnerability) string {
	for _, id := range wanted {
		if !slices.ContainsFunc(known, func(k vulnerability) bool { return k.cve == id }) {
			return id
		}
	}
	return ""
}

// readCandidates reads the changelogs of every update there is for a node: security updates
// where a source of them is known, and else all.
func (v *variantBuild) readCandidates(ctx context.Context) ([]vulnerability, error) {
	onlySecurity := slices.ContainsFunc(v.items, func(it item) bool { return it.Security })
	compare := v.sys.rules(v.out.Arch).Compare
	groups := map[string]*fixGroup{}
	for _, n := range v.nodes {
		for i := range n.installed {
			p := &n.installed[i]
			for _, candidate := range v.universe.Versions(p.Name, p.Arch) {
				it := &v.items[candidate.Ref]
				if it.old || onlySecurity && !it.Security {
					continue
				}
				if compare(it.Version, p.Version) > 0 {
					groupOf(groups, it).add(it, v.sourceVersion(p.Name, p.Arch, p.Version), compare)
				}
				break
			}
		}
	}
	return v.readGroups(ctx, groups)
}

// fixGroup is what comes from one source package and shares its changelog.
type fixGroup struct {
	items []*item
	after string // the oldest version that a node has; "" where none has any
}

func groupOf(groups map[string]*fixGroup, it *item) *fixGroup {
	key := it.source + " " + it.sourceVersion
	if groups[key] == nil {
		groups[key] = &fixGroup{}
	}
	return groups[key]
}

func (g *fixGroup) add(it *item, after string, compare func(a, b string) int) {
	if !slices.Contains(g.items, it) {
		g.items = append(g.items, it)
	}
	if after != "" && (g.after == "" || compare(after, g.after) < 0) {
		g.after = after
	}
}

// sourceVersion is that of an installed package, which nodes tell only sometimes.
func (v *variantBuild) sourceVersion(name, arch, version string) string {
	if p := v.universe.Find(name, version, arch); p != nil {
		return v.items[p.Ref].sourceVersion
	}
	for _, n := range v.nodes {
		if s, ok := n.sources[name]; ok && slices.ContainsFunc(n.installed, func(p resolve.Package) bool { return p.Name == name && p.Version == version }) {
			return s[1]
		}
	}
	return version
}

func (v *variantBuild) readGroups(ctx context.Context, groups map[string]*fixGroup) ([]vulnerability, error) {
	var all []vulnerability
	for _, key := range sortedKeys(groups) {
		g := groups[key]
		if g.after == "" {
			continue
		}
		slices.SortFunc(g.items, func(a, b *item) int { return cmp.Or(cmp.Compare(a.size, b.size), strings.Compare(a.Name, b.Name)) })
		found, err := v.readGroup(ctx, g)
		if err != nil {
			return nil, fmt.Errorf("changelog of %s: %w", key, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

// readGroup reads the first changelog that there is, beginning with the smallest file.
func (v *variantBuild) readGroup(ctx context.Context, g *fixGroup) ([]vulnerability, error) {
	tried := map[string]bool{}
	queue := slices.Clone(g.items)
	for len(queue) > 0 {
		it := queue[0]
		queue = queue[1:]
		if tried[it.Name] {
			continue
		}
		tried[it.Name] = true
		if err := v.obtain(ctx, it); err != nil {
			return nil, err
		}
		found, linked, err := v.sys.fixes(ctx, it, g.after)
		if err != nil || len(found) > 0 {
			return found, err
		}
		if p := v.universe.Find(linked, it.Version, it.Arch); linked != "" && p != nil && v.items[p.Ref].source == it.source {
			queue = append([]*item{&v.items[p.Ref]}, queue...)
		}
	}
	return nil, nil
}

package build

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/edge/build/resolve"
)

// chosen is a package that goes in, and for whom.
type chosen struct {
	item *item
	out  bundle.Package
	// from are the installed versions that it replaces.
	from map[string]bool
	// bases are the earlier versions that the sources have.
	bases []*chosen
}

// variantBuild is one variant on its way.
type variantBuild struct {
	*builder
	spec     Variant
	sys      system
	out      bundle.Variant
	nodes    []node
	items    []item
	universe *resolve.Universe
	origins  []bundle.Source
	signers  []byte
	told     []vulnerability
	newest   time.Time
	report   VariantReport
	packages []*chosen
	rollback []*chosen
	fixes    []bundle.Fix
	allow    struct{ remove, added, downgrade map[string]bool }
}

// variant reads nodes and sources, decides, and fetches.
func (b *builder) variant(ctx context.Context, spec Variant) (*variantBuild, error) {
	v := &variantBuild{builder: b, spec: spec}
	v.allow.remove, v.allow.added, v.allow.downgrade = map[string]bool{}, map[string]bool{}, map[string]bool{}
	if err := v.readNodes(ctx); err != nil {
		return nil, err
	}
	name := v.out.Name()
	for _, step := range []func(context.Context) error{v.readSources, v.decide, v.fetch} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return v, nil
}

// readNodes finds out which operating system this is about, too, where the description leaves
// that to the nodes.
func (v *variantBuild) readNodes(ctx context.Context) error {
	files, err := nodeFiles(v.spec.Nodes)
	if err != nil {
		return err
	}
	release := map[string]string{}
	for _, f := range files {
		found, err := f.osRelease()
		if err != nil {
			return err
		}
		if len(found) == 0 {
			continue
		}
		if len(release) > 0 && (found["ID"] != release["ID"] || found["VERSION_ID"] != release["VERSION_ID"]) {
			return fmt.Errorf("%s is %s %s, others are %s %s: make a variant of its own for it", f.path, found["ID"], found["VERSION_ID"], release["ID"], release["VERSION_ID"])
		}
		release = found
	}
	v.out.OSID, v.out.VersionID, v.out.Codename = release["ID"], release["VERSION_ID"], release["VERSION_CODENAME"]
	if v.spec.OS != "" {
		parts := strings.Split(v.spec.OS, "/")
		v.out.OSID, v.out.VersionID, v.out.Arch = parts[0], parts[1], parts[2]
	}
	v.out.Codename = cmp.Or(v.spec.Codename, v.out.Codename)
	if v.out.OSID == "" || v.out.VersionID == "" {
		return errors.New("os must be given, like debian/12/amd64: the nodes' files do not tell")
	}
	if v.sys, err = v.system(v.out.OSID); err != nil {
		return err
	}
	v.out.PackageSystem = v.sys.name()
	for _, f := range files {
		n, err := f.read(ctx, v.sys)
		if err != nil {
			return err
		}
		v.out.Arch = cmp.Or(v.out.Arch, n.arch)
		v.nodes = append(v.nodes, n)
	}
	if v.out.Arch == "" {
		return errors.New("os must be given, like debian/12/amd64: the nodes' files do not tell their architecture")
	}
	v.report.Name, v.report.Nodes = v.out.Name(), len(v.nodes)
	return nil
}

// archs are the variant's own architecture and then others that nodes have packages of.
func (v *variantBuild) archs() []string {
	others := map[string]bool{}
	for _, n := range v.nodes {
		for _, p := range n.installed {
			others[p.Arch] = true
		}
	}
	delete(others, v.out.Arch)
	delete(others, v.sys.rules(v.out.Arch).Independent)
	return append([]string{v.out.Arch}, sortedKeys(others)...)
}

func (v *variantBuild) readSources(ctx context.Context) error {
	for i, s := range v.spec.Sources {
		l, err := v.sys.load(ctx, s, v.archs(), v.now())
		if err != nil {
			return fmt.Errorf("sources[%d]: %w", i, err)
		}
		v.log("%s: %d packages", l.origin.URI, len(l.items))
		v.items = append(v.items, l.items...)
		v.origins = append(v.origins, l.origin)
		v.told = append(v.told, l.fixes...)
		v.signers = append(v.signers, l.signers...)
		if l.date.After(v.newest) {
			v.newest = l.date
		}
	}
	available := make([]resolve.Package, len(v.items))
	for i := range v.items {
		available[i] = v.items[i].Package
		available[i].Ref = i
	}
	v.universe = resolve.NewUniverse(v.sys.rules(v.out.Arch), available)
	for i, n := range v.nodes {
		if n.complete {
			continue
		}
		for j, p := range n.installed {
			v.nodes[i].installed[j] = v.universe.Complete(p)
		}
	}
	return nil
}

// decide resolves node by node and takes all that any of them needs.
func (v *variantBuild) decide(ctx context.Context) error {
	include, err := v.selection(ctx)
	if err != nil {
		return err
	}
	byRef := map[int]*chosen{}
	take := func(p *resolve.Package) *chosen {
		c := byRef[p.Ref]
		if c == nil {
			c = &chosen{item: &v.items[p.Ref], from: map[string]bool{}}
			byRef[p.Ref] = c
		}
		return c
	}
	for _, n := range v.nodes {
		r := resolve.Resolve(v.universe, resolve.Problem{
			Installed: n.installed, Held: n.held, Pin: v.spec.Include.Pin, Want: include,
			MayAdd:    func(name string) bool { return matches(v.spec.Allow.New, name) },
			MayRemove: func(name string) bool { return matches(v.spec.Allow.Remove, name) },
		})
		for _, c := range r.Changes {
			if v.sys.rules(v.out.Arch).Compare(c.To.Version, c.From.Version) < 0 {
				if !matches(v.spec.Allow.Downgrade, c.To.Name) {
					return fmt.Errorf("%s %s would be made older (%s) on %s, which allow.downgrade does not permit", c.From.Name, c.From.Version, c.To.Version, n.name)
				}
				v.allow.downgrade[c.To.Name] = true
			}
			take(c.To).from[c.From.Version] = true
		}
		for _, p := range r.New {
			take(p)
			v.allow.added[p.Name] = true
		}
		for _, p := range r.Removed {
			v.allow.remove[p.Name] = true
		}
		for _, k := range r.Kept {
			v.report.Kept = append(v.report.Kept, KeptBack{Node: n.name, Package: k.Name, Installed: k.Installed, Candidate: k.Candidate, Reason: k.Reason})
		}
	}
	if len(byRef) == 0 {
		return errors.New("there is nothing to update: no node has anything older than what the sources offer and the description includes")
	}
	v.packages = slices.SortedFunc(maps.Values(byRef), byName)
	return v.oneVersion()
}

func byName(a, b *chosen) int {
	return cmp.Or(strings.Compare(a.item.Name, b.item.Name), strings.Compare(a.item.Arch, b.item.Arch), strings.Compare(a.item.Version, b.item.Version))
}

// oneVersion refuses what a node's package manager could not tell apart: it would take the
// newer of two versions on every node.
func (v *variantBuild) oneVersion() error {
	for i := 1; i < len(v.packages); i++ {
		a, b := v.packages[i-1].item, v.packages[i].item
		if a.Name != b.Name || a.Arch != b.Arch {
			continue
		}
		return fmt.Errorf("nodes need two versions of %s (%s and %s): split them into bundles with targets, or exclude it", a.Name, a.Version, b.Version)
	}
	return nil
}

// fetches is how many files are on their way at once.
const fetches = 4

// fetch has every file of the bundle in the store, the earlier versions where they can be had.
func (v *variantBuild) fetch(ctx context.Context) error {
	var mutex sync.Mutex // have and the lists of bases are filled by several at once
	have := map[string]*chosen{}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(fetches)
	for i, c := range v.packages {
		v.log("%s: %d of %d: %s %s", v.out.Name(), i+1, len(v.packages), c.item.Name, c.item.Version)
		g.Go(func() error { return v.obtain(ctx, c.item) })
		for version := range c.from {
			g.Go(func() error {
				old, err := v.earlier(ctx, c.item, version)
				if err != nil {
					return err
				}
				mutex.Lock()
				defer mutex.Unlock()
				if old == nil {
					v.report.NoRollback = append(v.report.NoRollback, c.item.Name+" "+version)
					return nil
				}
				if have[old.sha] == nil {
					have[old.sha] = &chosen{item: old}
				}
				c.bases = append(c.bases, have[old.sha])
				return nil
			})
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	slices.Sort(v.report.NoRollback)
	for _, c := range v.packages {
		slices.SortFunc(c.bases, byName)
	}
	v.rollback = slices.SortedFunc(maps.Values(have), byName)
	return nil
}

// obtain has a package's file in the store, and believes it.
func (v *variantBuild) obtain(ctx context.Context, it *item) error {
	at, err := v.store.get(ctx, it.address, it.sha, it.size)
	if err != nil || it.check == nil {
		return err
	}
	if err := it.check(at); err != nil {
		return fmt.Errorf("%s %s: %w", it.Name, it.Version, err)
	}
	return nil
}

// earlier finds the file of an installed version. That a mirror lists one which is gone is
// no failure: it means only that this version cannot come along.
func (v *variantBuild) earlier(ctx context.Context, it *item, version string) (*item, error) {
	for _, p := range v.universe.Versions(it.Name, it.Arch) {
		old := &v.items[p.Ref]
		if old.Version != version {
			continue
		}
		err := v.obtain(ctx, old)
		if err == nil {
			return old, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		v.log("%s", err)
	}
	return nil, nil
}

// finish makes the variant's part of the manifest.
func (v *variantBuild) finish(ctx context.Context, m *bundle.Manifest) (bundle.Variant, error) {
	fail := func(err error) (bundle.Variant, error) {
		return v.out, fmt.Errorf("%s: %w", v.out.Name(), err)
	}
	for _, c := range slices.Concat(v.packages, v.rollback) {
		c.out = bundle.Package{Name: c.item.Name, Version: c.item.Version, Arch: c.item.Arch, SHA256: c.item.sha, Size: c.item.size,
			InstalledSize: c.item.installedSize, FromVersions: slices.SortedFunc(maps.Keys(c.from), v.sys.rules(v.out.Arch).Compare)}
		if c.item.source != c.item.Name {
			c.out.Source = c.item.source
		}
	}
	if err := v.deltas(ctx); err != nil {
		return fail(err)
	}
	if err := v.findFixes(ctx); err != nil {
		return fail(err)
	}
	var list []chosen
	for _, c := range v.packages {
		v.out.Packages = append(v.out.Packages, c.out)
		list = append(list, *c)
	}
	if v.spec.Rollback != "none" {
		for _, c := range v.rollback {
			v.out.Rollback = append(v.out.Rollback, c.out)
		}
	}
	v.out.Allow = bundle.Allow{Remove: names(v.allow.remove), New: names(v.allow.added), Downgrade: names(v.allow.downgrade)}
	files, err := v.sys.index(ctx, repoInput{codename: v.out.Codename, archs: v.archs(), name: m.BundleID, created: m.Created, packages: list, signers: v.signers})
	if err != nil {
		return fail(err)
	}
	for _, f := range files {
		sha, size, err := v.store.keep(strings.NewReader(string(f.data)), "")
		if err != nil {
			return fail(err)
		}
		v.out.Repo.Files = append(v.out.Repo.Files, bundle.RepoFile{Path: f.path, SHA256: sha, Size: size})
	}
	slices.SortFunc(v.out.Repo.Files, func(a, b bundle.RepoFile) int { return strings.Compare(a.Path, b.Path) })
	v.report.Packages = len(v.packages)
	return v.out, nil
}

func names(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

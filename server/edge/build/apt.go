package build

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/ulikunitz/xz"
	"golang.org/x/sync/errgroup"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/edge/build/debian"
	"github.com/signalbox/signalbox/server/edge/build/resolve"
)

const (
	maxRelease = 32 << 20
	// maxIndex bounds an unpacked index.
	maxIndex = 1 << 30
)

type aptSystem struct{ *builder }

func (aptSystem) name() string { return bundle.APT }

func (aptSystem) rules(arch string) resolve.Rules {
	return resolve.Rules{Compare: debian.Compare, Independent: "all", Native: arch}
}

func (s aptSystem) load(ctx context.Context, src Source, archs []string, now time.Time) (loaded, error) {
	if src.Folder != "" {
		return s.folder(ctx, src)
	}
	return s.mirror(ctx, src, archs, now)
}

// snapshots are where the archives of the distributions keep what they once were.
var snapshots = map[string]string{
	"/debian": "https://snapshot.debian.org/archive/debian/", "/debian-security": "https://snapshot.debian.org/archive/debian-security/",
	"/ubuntu": "https://snapshot.ubuntu.com/ubuntu/",
}

// base is the archive's address, with a slash at its end.
func (src Source) base() (string, error) {
	u, err := url.Parse(src.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "file" {
		return "", fmt.Errorf("%q is not an address of a mirror", src.URL)
	}
	if src.Snapshot == "" {
		return strings.TrimRight(src.URL, "/") + "/", nil
	}
	where, known := snapshots[strings.TrimRight(u.Path, "/")]
	if !known {
		return "", fmt.Errorf("no snapshots are known of %s; give the address of the snapshot itself", src.URL)
	}
	return where + src.Snapshot + "/", nil
}

func (s aptSystem) mirror(ctx context.Context, src Source, archs []string, now time.Time) (loaded, error) {
	base, err := src.base()
	if err != nil {
		return loaded{}, err
	}
	flat := strings.HasSuffix(src.Suite, "/")
	dir := base + "dists/" + src.Suite + "/"
	if flat {
		dir = base + strings.TrimPrefix(strings.TrimPrefix(src.Suite, "./"), "/")
	}
	release, origin, err := s.release(ctx, src, dir, now)
	if err != nil {
		return loaded{}, err
	}
	out := loaded{origin: origin, date: release.Date}
	indices := []string{"Packages"}
	if !flat {
		indices = src.indices(archs, release)
	}
	seen := map[string]bool{} // packages of no architecture stand in the index of each
	for _, name := range indices {
		offers, err := s.packages(ctx, dir, name, release)
		if err != nil {
			return loaded{}, err
		}
		for _, o := range offers {
			if seen[o.SHA256] {
				continue
			}
			seen[o.SHA256] = true
			it := itemOf(o, src)
			it.Security = it.Security || release.Security()
			at := base
			if flat {
				at = dir
			}
			it.address = at + escapePath(strings.TrimPrefix(o.File, "./"))
			out.items = append(out.items, it)
		}
	}
	return out, nil
}

// indices are those of the node's architecture, and of others that nodes have packages of as
// far as the mirror has them.
func (src Source) indices(archs []string, release debian.Release) []string {
	var list []string
	for _, c := range orDefault(src.Components, "main") {
		for i, arch := range archs {
			name := c + "/binary-" + arch + "/Packages"
			if _, xz := release.Files[name+".xz"]; i == 0 || xz || release.Files[name+".gz"].Size > 0 {
				list = append(list, name)
			}
		}
	}
	return list
}

func orDefault(list []string, word string) []string {
	if len(list) == 0 {
		return []string{word}
	}
	return list
}

func itemOf(o debian.Offer, src Source) item {
	it := item{Package: o.Package, source: o.Source, sourceVersion: o.SourceVersion, sha: o.SHA256, size: o.Size, installedSize: o.InstalledSize, old: src.Old}
	it.Security = src.Security
	return it
}

// escapePath writes a path of an index as part of an address.
func escapePath(p string) string { return (&url.URL{Path: p}).EscapedPath() }

// release reads InRelease and believes it only by a key of the source.
func (s aptSystem) release(ctx context.Context, src Source, dir string, now time.Time) (debian.Release, bundle.Source, error) {
	data, err := s.store.text(ctx, dir+"InRelease", maxRelease)
	if err != nil && errors.Is(err, fs.ErrNotExist) && src.Trusted {
		data, err = s.store.text(ctx, dir+"Release", maxRelease)
	}
	if err != nil {
		return debian.Release{}, bundle.Source{}, err
	}
	origin := bundle.Source{URI: dir, SHA256: hexSum(data)}
	text := string(data)
	if !src.Trusted {
		keys, err := readKeys(src.Keys)
		if err == nil {
			text, err = debian.VerifyInRelease(data, keys, now)
		}
		if err != nil {
			return debian.Release{}, origin, fmt.Errorf("%sInRelease: %w", dir, err)
		}
	} else if inner, err := debian.Unwrap(data); err == nil {
		text = inner
	}
	release, err := debian.ReadRelease(text)
	if err != nil {
		return release, origin, fmt.Errorf("%s: %w", dir, err)
	}
	if src.Snapshot == "" && !src.Trusted && !release.ValidUntil.IsZero() && now.After(release.ValidUntil) {
		return release, origin, fmt.Errorf("%sInRelease was valid until %s: the mirror is old, or somebody keeps it old", dir, release.ValidUntil.Format(time.RFC3339))
	}
	return release, origin, nil
}

func readKeys(files []string) (debian.Keys, error) {
	var all debian.Keys
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		keys, err := debian.ReadKeys(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		all = append(all, keys...)
	}
	return all, nil
}

// packages reads an index in the form that the release lists and that is cheapest to unpack.
func (s aptSystem) packages(ctx context.Context, dir, name string, release debian.Release) ([]debian.Offer, error) {
	for _, end := range []string{".gz", ".xz", ""} {
		file, listed := release.Files[name+end]
		if !listed {
			continue
		}
		at, err := s.indexFile(ctx, dir, name+end, file)
		if errors.Is(err, fs.ErrNotExist) && end == "" {
			continue
		}
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return nil, err
		}
		f, err := os.Open(at)
		if err != nil {
			return nil, err
		}
		plain, err := unpacked(f, end)
		var offers []debian.Offer
		if err == nil {
			offers, err = debian.ReadPackages(io.LimitReader(plain, maxIndex))
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("%s%s: %w", dir, name, err)
		}
		return offers, nil
	}
	return nil, fmt.Errorf("%s lists no %s that can be had", dir, name)
}

// indexFile fetches by hash where the mirror can, so that an update of the mirror meanwhile
// does no harm, and by name else.
func (s aptSystem) indexFile(ctx context.Context, dir, name string, file debian.ReleaseFile) (string, error) {
	at, err := s.store.get(ctx, dir+name, file.SHA256, file.Size)
	if err == nil {
		return at, nil
	}
	byHash, hashErr := s.store.get(ctx, dir+path.Dir(name)+"/by-hash/SHA256/"+file.SHA256, file.SHA256, file.Size)
	if hashErr == nil {
		return byHash, nil
	}
	return "", err
}

func unpacked(r io.Reader, end string) (io.Reader, error) {
	switch end {
	case ".gz":
		return gzip.NewReader(r)
	case ".xz":
		return xz.NewReader(r)
	}
	return r, nil
}

// folder reads every .deb below a folder.
func (s aptSystem) folder(ctx context.Context, src Source) (loaded, error) {
	var out loaded
	files, err := filesBelow(src.Folder, ".deb")
	if err != nil {
		return out, err
	}
	out.items = make([]item, len(files))
	made := make([]time.Time, len(files))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0)) // most of the work is unpacking
	for i, f := range files {
		g.Go(func() (err error) {
			if out.items[i], made[i], err = s.file(ctx, src, f); err != nil {
				return fmt.Errorf("%s: %w", f, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return out, err
	}
	var list []string
	for i, it := range out.items {
		list = append(list, it.sha)
		if made[i].After(out.date) {
			out.date = made[i]
		}
	}
	slices.Sort(list)
	out.origin = bundle.Source{URI: "folder:" + filepath.Base(src.Folder), SHA256: hexSum([]byte(strings.Join(list, "\n")))}
	return out, nil
}

func filesBelow(folder, end string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(folder, func(at string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasSuffix(at, end) {
			files = append(files, at)
		}
		return err
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("there is no %s in %s", end, folder)
	}
	return files, err
}

func (s aptSystem) file(ctx context.Context, src Source, at string) (it item, made time.Time, err error) {
	f, err := os.Open(at)
	if err != nil {
		return it, made, err
	}
	made = debian.Made(f)
	sha, size, err := s.store.keep(f, "")
	if err := errors.Join(err, f.Close()); err != nil {
		return it, made, err
	}
	control, err := s.control(ctx, sha)
	if err != nil {
		return it, made, err
	}
	p, err := debian.Package(control)
	if err != nil {
		return it, made, err
	}
	it = item{Package: p, sha: sha, size: size, old: src.Old, installedSize: debian.InstalledSize(control)}
	it.Security = src.Security
	it.source, it.sourceVersion = debian.SourceOf(control)
	return it, made, nil
}

// deb opens the normalised form of a package file and has it read.
func (s aptSystem) deb(ctx context.Context, sha string, use func(*debian.Deb) error) error {
	at, _, size, err := s.store.plain(ctx, sha)
	if err != nil {
		return err
	}
	f, err := os.Open(at)
	if err != nil {
		return err
	}
	d, err := debian.ReadDeb(f, size)
	if err == nil {
		err = use(d)
	}
	return errors.Join(err, f.Close())
}

func (s aptSystem) control(ctx context.Context, sha string) (debian.Stanza, error) {
	var control debian.Stanza
	err := s.deb(ctx, sha, func(d *debian.Deb) (err error) {
		control, err = d.Control()
		return err
	})
	return control, err
}

// index writes Packages over what will lie on the node's disk.
func (s aptSystem) index(ctx context.Context, in repoInput) ([]repoFile, error) {
	var entries []debian.Entry
	for _, c := range in.packages {
		control, err := s.control(ctx, c.item.sha)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.item.Name, err)
		}
		sha, size := c.out.OnDisk()
		entries = append(entries, debian.Entry{Control: control, Path: c.out.Path(bundle.APT), Size: size, SHA256: sha})
	}
	packages := debian.WritePackages(entries)
	release := debian.WriteRelease(in.codename, strings.Join(in.archs, " "), in.name, in.created, packages)
	files := []repoFile{{"Packages", packages}, {"Release", release}}
	if s.repoKey == nil {
		return files, nil
	}
	signed, err := s.repoKey.InRelease(release, in.created)
	if err != nil {
		return nil, fmt.Errorf("sign the repository: %w", err)
	}
	public, err := s.repoKey.Public()
	return append(files, repoFile{"InRelease", signed}, repoFile{KeysFile, public}), err
}

func (s aptSystem) fixes(ctx context.Context, it *item, after string) (found []vulnerability, linked string, err error) {
	err = s.deb(ctx, it.sha, func(d *debian.Deb) (err error) {
		linked, err = d.Changelog(it.Name, func(r io.Reader) error {
			list, err := debian.ReadFixes(r, debian.SourceVersion(after), it.sourceVersion)
			for _, f := range list {
				found = append(found, vulnerability{cve: f.CVE, source: it.source, version: f.Version, advisory: f.Advisory})
			}
			return err
		})
		return err
	})
	return found, linked, err
}

func (s aptSystem) readNode(_ context.Context, data []byte) (node, error) {
	st, err := debian.ReadStatus(bytes.NewReader(data))
	if err != nil {
		return node{}, err
	}
	n := node{installed: st.Installed, held: st.Held, sources: st.Sources, complete: true}
	for _, p := range st.Installed {
		if p.Name == "dpkg" {
			n.arch = p.Arch
		}
	}
	if len(st.Broken) > 0 {
		return n, fmt.Errorf("%s: packages that are neither installed nor removed: run dpkg --configure -a there first", strings.Join(st.Broken, ", "))
	}
	return n, nil
}

func (s aptSystem) readRoot(ctx context.Context, dir string) (node, error) {
	data, err := os.ReadFile(filepath.Join(dir, "var/lib/dpkg/status"))
	if err != nil {
		return node{}, err
	}
	return s.readNode(ctx, data)
}

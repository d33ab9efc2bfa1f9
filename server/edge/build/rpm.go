package build

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/edge/build/debian"
	"github.com/signalbox/signalbox/server/edge/build/redhat"
	"github.com/signalbox/signalbox/server/edge/build/resolve"
)

type rpmSystem struct{ *builder }

func (rpmSystem) name() string { return bundle.RPM }

func (rpmSystem) rules(arch string) resolve.Rules {
	return resolve.Rules{Compare: redhat.Compare, Independent: "noarch", Native: arch, LooseProvides: true}
}

// rpmQuery is the list that readNode reads; agents ask the same.
const rpmQuery = `%{NAME}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\n`

// readNode reads lines of name, version, architecture and source file with tabs between.
func (s rpmSystem) readNode(_ context.Context, data []byte) (node, error) {
	n := node{held: map[string]bool{}, sources: map[string][2]string{}}
	newest := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		f := strings.Split(lines.Text(), "\t")
		if len(f) < 3 || f[0] == "" {
			return n, fmt.Errorf("not a line of rpm -qa --qf '%s': %.80q", rpmQuery, lines.Text())
		}
		if f[0] == "gpg-pubkey" {
			continue
		}
		p := resolve.Package{Name: f[0], Version: strings.TrimPrefix(f[1], "0:"), Arch: f[2]}
		key := p.Name + "." + p.Arch
		if at, twice := newest[key]; twice { // kernels stay beside each other
			if redhat.Compare(p.Version, n.installed[at].Version) > 0 {
				n.installed[at] = p
			}
		} else {
			newest[key] = len(n.installed)
			n.installed = append(n.installed, p)
		}
		source := p.Name
		if len(f) > 3 {
			source = redhat.SourceName(f[3], p.Name)
		}
		n.sources[p.Name] = [2]string{source, p.Version}
		if p.Name == "rpm" || p.Name == "glibc" {
			n.arch = p.Arch
		}
	}
	if err := lines.Err(); err != nil {
		return n, err
	}
	if len(n.installed) == 0 {
		return n, errors.New("nothing is installed according to this list")
	}
	return n, nil
}

// readRoot asks rpm, whose database has had several forms.
func (s rpmSystem) readRoot(ctx context.Context, dir string) (node, error) {
	if s.confined {
		return node{}, errors.New("a folder of rpm's cannot be read here; give the list that rpm -qa writes, or an inventory")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return node{}, err
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "rpm", "--root", dir, "-qa", "--qf", rpmQuery)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return node{}, fmt.Errorf("rpm --root %s -qa: %w: %s", dir, err, strings.TrimSpace(said.String()))
	}
	return s.readNode(ctx, out)
}

func (s rpmSystem) load(ctx context.Context, src Source, _ []string, now time.Time) (loaded, error) {
	signers, err := s.signers(src)
	if err != nil {
		return loaded{}, err
	}
	var out loaded
	if src.Folder != "" {
		out, err = s.folder(src, now)
	} else {
		out, err = s.mirror(ctx, src, now)
	}
	out.signers = signers
	return out, err
}

func (s rpmSystem) signers(src Source) ([]byte, error) {
	var all []byte
	for _, f := range src.Keys {
		data, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		all = append(append(all, bytes.TrimSpace(data)...), '\n')
	}
	return all, nil
}

func (s rpmSystem) mirror(ctx context.Context, src Source, now time.Time) (loaded, error) {
	base, err := src.base()
	if err != nil {
		return loaded{}, err
	}
	raw, err := s.store.text(ctx, base+"repodata/repomd.xml", maxRelease)
	if err != nil {
		return loaded{}, err
	}
	check, err := s.repoCheck(ctx, src, base, raw, now)
	if err != nil {
		return loaded{}, err
	}
	index, err := redhat.ReadIndex(raw)
	if err != nil {
		return loaded{}, err
	}
	out := loaded{origin: bundle.Source{URI: base, SHA256: hexSum(raw)}, date: index.Date}
	var advisories redhat.Advisories
	if at, found := index.Find("updateinfo"); found {
		if err := s.read(ctx, base, at, func(r io.Reader) (err error) {
			advisories, err = redhat.ReadAdvisories(r)
			return err
		}); err != nil {
			return out, err
		}
	}
	for _, f := range advisories.Fixes {
		out.fixes = append(out.fixes, vulnerability{cve: f.CVE, source: f.Source, version: f.Version, advisory: f.Advisory, severity: f.Severity})
	}
	primary, _ := index.Find("primary")
	err = s.read(ctx, base, primary, func(r io.Reader) error {
		offers, err := redhat.ReadPrimary(r)
		for _, o := range offers {
			it := item{Package: o.Package, source: o.Source, sourceVersion: o.Version, sha: o.SHA256, size: o.Size, installedSize: o.InstalledSize,
				old: src.Old, check: check, address: base + escapePath(o.Location)}
			it.Security = src.Security || advisories.Security[redhat.Key(o.Name, o.Version, o.Arch)]
			out.items = append(out.items, it)
		}
		return err
	})
	return out, err
}

// repoCheck believes metadata that a key of the source signed. Where a repository signs only its
// packages, as Fedora's do, each of these is checked when it has been fetched.
func (s rpmSystem) repoCheck(ctx context.Context, src Source, base string, raw []byte, now time.Time) (func(string) error, error) {
	if src.Trusted {
		return nil, nil
	}
	keys, err := readKeys(src.Keys)
	if err != nil {
		return nil, err
	}
	signature, err := s.store.text(ctx, base+"repodata/repomd.xml.asc", maxRelease)
	if errors.Is(err, fs.ErrNotExist) {
		return packageCheck(keys, now), nil
	}
	if err == nil {
		err = debian.VerifyDetached(raw, signature, keys, now)
	}
	if err != nil {
		return nil, fmt.Errorf("%srepodata/repomd.xml: %w", base, err)
	}
	return nil, nil
}

func packageCheck(keys debian.Keys, now time.Time) func(string) error {
	return func(path string) error {
		return withRPM(path, func(p *redhat.RPM, f *os.File) error {
			if _, err := f.Seek(p.End, io.SeekStart); err != nil {
				return err
			}
			return p.Verify(func(signed, signature []byte) error { return debian.VerifyDetached(signed, signature, keys, now) }, bufio.NewReader(f))
		})
	}
}

func withRPM(path string, use func(*redhat.RPM, *os.File) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	p, err := redhat.ReadRPM(bufio.NewReader(f))
	if err == nil {
		err = use(p, f)
	}
	return errors.Join(err, f.Close())
}

func (s rpmSystem) read(ctx context.Context, base string, at redhat.Data, use func(io.Reader) error) error {
	path, err := s.store.get(ctx, base+escapePath(at.Location), strings.TrimSpace(at.SHA256), at.Size)
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var r io.Reader
	if strings.HasSuffix(at.Location, ".zst") {
		z, zErr := zstd.NewReader(f, zstd.WithDecoderConcurrency(1))
		if zErr != nil {
			return zErr
		}
		defer z.Close()
		r = z
	} else if r, err = unpacked(f, filepath.Ext(at.Location)); err != nil {
		return err
	}
	if err := use(io.LimitReader(r, maxIndex)); err != nil {
		return fmt.Errorf("%s%s: %w", base, at.Location, err)
	}
	return nil
}

func (s rpmSystem) folder(src Source, now time.Time) (loaded, error) {
	var out loaded
	files, err := filesBelow(src.Folder, ".rpm")
	if err != nil {
		return out, err
	}
	keys, err := readKeys(src.Keys)
	if err != nil {
		return out, err
	}
	var list []string
	for _, at := range files {
		f, err := os.Open(at)
		if err != nil {
			return out, err
		}
		it := item{old: src.Old}
		it.sha, it.size, err = s.store.keep(f, "")
		if err := errors.Join(err, f.Close()); err != nil {
			return out, err
		}
		err = withRPM(at, func(p *redhat.RPM, _ *os.File) error {
			it.Package, it.source, it.installedSize = p.Package(), p.Source(), p.Installed()
			it.sourceVersion, it.Security = it.Version, src.Security
			if made := p.Made(); made.After(out.date) {
				out.date = made
			}
			return nil
		})
		if err == nil && len(keys) > 0 {
			err = packageCheck(keys, now)(at)
		}
		if err != nil {
			return out, fmt.Errorf("%s: %w", at, err)
		}
		out.items = append(out.items, it)
		list = append(list, it.sha)
	}
	slices.Sort(list)
	out.origin = bundle.Source{URI: "folder:" + filepath.Base(src.Folder), SHA256: hexSum([]byte(strings.Join(list, "\n")))}
	return out, nil
}

func (s rpmSystem) index(_ context.Context, in repoInput) ([]repoFile, error) {
	var entries []redhat.Entry
	signed := true
	for _, c := range in.packages {
		err := withRPM(s.store.path(c.item.sha), func(p *redhat.RPM, _ *os.File) error {
			signed = signed && p.Signed()
			entries = append(entries, redhat.Entry{RPM: p, Path: c.out.Path(bundle.RPM), Size: c.item.size, SHA256: c.item.sha})
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.item.Name, err)
		}
	}
	made, err := redhat.WriteRepo(entries, in.created)
	if err != nil {
		return nil, err
	}
	var files []repoFile
	for _, f := range made {
		files = append(files, repoFile{f.Path, f.Data})
	}
	keys := in.signers
	if s.repoKey != nil {
		signature, err := s.repoKey.Detached(made[0].Data, in.created)
		if err != nil {
			return nil, fmt.Errorf("sign the repository: %w", err)
		}
		public, err := s.repoKey.Public()
		if err != nil {
			return nil, err
		}
		files = append(files, repoFile{made[0].Path + ".asc", signature})
		keys = append(slices.Clone(keys), public...)
	}
	// dnf's check is all or nothing: one unsigned package would stop the rest.
	if signed && len(in.signers) > 0 {
		files = append(files, repoFile{KeysFile, keys})
	}
	return files, nil
}

func (s rpmSystem) fixes(_ context.Context, it *item, after string) (found []vulnerability, linked string, err error) {
	err = withRPM(s.store.path(it.sha), func(p *redhat.RPM, _ *os.File) error {
		for _, f := range p.Fixes(after) {
			found = append(found, vulnerability{cve: f.CVE, source: it.source, version: f.Version})
		}
		return nil
	})
	return found, "", err
}

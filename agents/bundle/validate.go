package bundle

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// What names may look like. They end up in paths and on command lines, so none
// may start with a dash or a dot, or hold a slash, a space or a control byte.
var (
	idPattern      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$`)
	packagePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,199}$`)
	versionPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+:~^_-]{0,199}$`)
	archPattern    = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)
	osPattern      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	cvePattern     = regexp.MustCompile(`^CVE-\d{4}-\d{4,19}$`)
	unitPattern    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9@_.:\\-]{0,254}$`)
	hashPattern    = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// text says whether s can be shown to a person: no control bytes, not endless.
func text(s string, most int) bool {
	return len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd })
}

// checks collects the first thing that is wrong.
type checks struct {
	err   error
	sizes map[string]int64
}

func (c *checks) want(ok bool, format string, args ...any) {
	if !ok && c.err == nil {
		c.err = refuse(Malformed, "The manifest is wrong: %s.", fmt.Sprintf(format, args...))
	}
}

func (c *checks) match(p *regexp.Regexp, s, what string) {
	c.want(p.MatchString(s), "%s %.80q", what, s)
}

func (c *checks) blob(sha string, size int64, what string) {
	c.match(hashPattern, sha, "hash of "+what)
	c.want(size >= 0 && size <= MaxBlob, "size %d of %s", size, what)
	known, twice := c.sizes[sha]
	c.want(!twice || known == size, "%s has two sizes for one hash", what)
	c.sizes[sha] = size
	c.want(len(c.sizes) <= MaxBlobs, "more than %d blobs", MaxBlobs)
}

// Validate says what is wrong with the manifest, by its own rules alone.
func (m *Manifest) Validate() error {
	c := &checks{sizes: map[string]int64{}}
	c.want(m.Schema == Schema, "schema %d", m.Schema)
	c.match(idPattern, m.BundleID, "bundle_id")
	c.want(m.Version > 0, "version %d", m.Version)
	c.match(idPattern, m.Channel, "channel")
	c.date(m.Created, "created")
	c.date(m.Expires, "expires")
	c.want(m.Expires.After(m.Created), "expires is not after created")
	c.want(m.MinAgent == "" || versionPattern.MatchString(m.MinAgent), "min_agent %.80q", m.MinAgent)
	c.match(hashPattern, m.SBOMSHA256, "sbom_sha256")
	c.want(len(m.Variants) > 0, "no variant")
	names := map[string]bool{}
	for _, v := range m.Variants {
		c.want(!names[v.Name()+v.PackageSystem], "variant %s twice", v.Name())
		names[v.Name()+v.PackageSystem] = true
		c.variant(v)
		if c.err != nil {
			return c.err
		}
	}
	c.rest(m)
	return c.err
}

func (c *checks) date(t time.Time, what string) {
	c.want(t.Location() == time.UTC && t.Nanosecond() == 0 && t.Year() >= 1970 && t.Year() <= 9999, "%s is not whole seconds of UTC", what)
}

func (c *checks) variant(v Variant) {
	c.match(osPattern, v.OSID, "os_id")
	c.match(osPattern, v.VersionID, "version_id")
	c.want(v.Codename == "" || osPattern.MatchString(v.Codename), "codename %.80q", v.Codename)
	c.match(archPattern, v.Arch, "arch")
	c.want(v.PackageSystem == APT || v.PackageSystem == RPM, "package_system %.80q", v.PackageSystem)
	paths := map[string]bool{}
	for _, p := range slices.Concat(v.Packages, v.Rollback) {
		c.pkg(p, v.PackageSystem)
		c.want(!paths[p.Path(v.PackageSystem)], "package %s twice in variant %s", p.Name, v.Name())
		paths[p.Path(v.PackageSystem)] = true
	}
	for _, f := range v.Repo.Files {
		c.want(relative(f.Path), "path %.80q in the repository", f.Path)
		c.want(!paths[f.Path], "path %s twice in the repository", f.Path)
		paths[f.Path] = true
		c.blob(f.SHA256, f.Size, f.Path)
	}
	for _, name := range slices.Concat(v.Allow.Remove, v.Allow.New, v.Allow.Downgrade) {
		c.match(packagePattern, name, "name in allow")
	}
}

// relative says whether p is a plain path below a folder, in its shortest form.
func relative(p string) bool {
	if p == "" || len(p) > 255 || path.Clean(p) != p || path.IsAbs(p) || p == ".." || strings.HasPrefix(p, "../") {
		return false
	}
	for part := range strings.SplitSeq(p, "/") {
		if !packagePattern.MatchString(part) {
			return false
		}
	}
	return true
}

func (c *checks) pkg(p Package, system string) {
	c.match(packagePattern, p.Name, "package name")
	c.match(versionPattern, p.Version, "version of "+p.Name)
	c.match(archPattern, p.Arch, "architecture of "+p.Name)
	c.want(p.Source == "" || packagePattern.MatchString(p.Source), "source of %s", p.Name)
	c.blob(p.SHA256, p.Size, p.Name)
	c.want(p.Size > 0 && p.InstalledSize >= 0, "size of %s", p.Name)
	c.want((p.NormSHA256 == "") == (p.NormSize == 0) && (p.NormSHA256 == "" || hashPattern.MatchString(p.NormSHA256)), "normalised form of %s", p.Name)
	c.want(p.NormSHA256 == "" || system == APT, "%s is no .deb, so it has no normalised form", p.Name)
	c.want(p.NormSize >= 0 && p.NormSize <= MaxBlob, "normalised size of %s", p.Name)
	c.want(len(p.Deltas) == 0 || p.NormSHA256 != "", "%s has deltas without a normalised form", p.Name)
	for _, d := range p.Deltas {
		c.match(hashPattern, d.BaseSHA256, "base of a delta of "+p.Name)
		c.want(KnownDelta(d.Algo), "algorithm %.80q of a delta of %s", d.Algo, p.Name)
		c.blob(d.SHA256, d.Size, "a delta of "+p.Name)
	}
	for _, v := range p.FromVersions {
		c.match(versionPattern, v, "from_versions of "+p.Name)
	}
}

func (c *checks) rest(m *Manifest) {
	for _, f := range m.Fixes {
		c.match(cvePattern, f.CVE, "cve")
		c.match(packagePattern, f.Source, "source of "+f.CVE)
		c.match(versionPattern, f.FixedVersion, "fixed_version of "+f.CVE)
		c.want(text(f.Severity, 64) && text(f.Advisory, 255), "text of %s", f.CVE)
	}
	r := m.Requires
	c.want(r.DiskBytes >= 0, "requires.disk_bytes %d", r.DiskBytes)
	c.want(r.Reboot == RebootNever || r.Reboot == RebootIfNeeded || r.Reboot == RebootAlways, "requires.reboot %.80q", r.Reboot)
	for _, unit := range r.RestartUnits {
		c.match(unitPattern, unit, "unit to restart")
	}
	p := m.Provenance
	c.want(text(p.Builder, 255) && text(p.Policy, 255) && text(p.Commit, 255), "provenance")
	for _, s := range p.Sources {
		c.want(text(s.URI, 2048), "uri of a source")
		c.match(hashPattern, s.SHA256, "hash of a source")
	}
	c.want(m.Targets.SelectorSHA256 == "" || hashPattern.MatchString(m.Targets.SelectorSHA256), "targets.selector_sha256")
	for _, node := range m.Targets.Nodes {
		c.want(node != "" && text(node, 255), "node in targets")
	}
}

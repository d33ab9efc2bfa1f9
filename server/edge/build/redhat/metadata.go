package redhat

import (
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/edge/build/resolve"
)

// Offer is a package that a repository has.
type Offer struct {
	resolve.Package
	Source        string
	Location      string
	SHA256        string
	Size          int64
	InstalledSize int64
}

// Data is one file of a repository's metadata.
type Data struct {
	Type     string
	Location string
	SHA256   string
	Size     int64
}

// Index is repomd.xml.
type Index struct {
	Data []Data
	Date time.Time
}

// Find looks for a file by its type.
func (i Index) Find(kind string) (Data, bool) {
	at := slices.IndexFunc(i.Data, func(d Data) bool { return d.Type == kind })
	if at < 0 {
		return Data{}, false
	}
	return i.Data[at], true
}

type xmlChecksum struct {
	Type  string `xml:"type,attr"`
	Value string `xml:",chardata"`
}

type xmlLocation struct {
	Href string `xml:"href,attr"`
}

// ReadIndex reads repomd.xml.
func ReadIndex(data []byte) (Index, error) {
	var in struct {
		Data []struct {
			Type      string      `xml:"type,attr"`
			Checksum  xmlChecksum `xml:"checksum"`
			Location  xmlLocation `xml:"location"`
			Timestamp float64     `xml:"timestamp"`
			Size      int64       `xml:"size"`
		} `xml:"data"`
	}
	if err := xml.Unmarshal(data, &in); err != nil {
		return Index{}, fmt.Errorf("repomd.xml: %w", err)
	}
	var out Index
	for _, d := range in.Data {
		if d.Type != "primary" && d.Type != "updateinfo" {
			continue
		}
		if err := isSHA256(d.Checksum); err != nil || d.Location.Href == "" || d.Size <= 0 {
			return out, fmt.Errorf("repomd.xml: %s: no location, size or SHA-256", d.Type)
		}
		out.Data = append(out.Data, Data{Type: d.Type, Location: d.Location.Href, SHA256: d.Checksum.Value, Size: d.Size})
		if at := time.Unix(int64(d.Timestamp), 0).UTC(); at.After(out.Date) {
			out.Date = at
		}
	}
	if _, found := out.Find("primary"); !found {
		return out, errors.New("repomd.xml names no primary metadata")
	}
	return out, nil
}

func isSHA256(c xmlChecksum) error {
	if raw, err := hex.DecodeString(strings.TrimSpace(c.Value)); err != nil || len(raw) != 32 || c.Type != "sha256" {
		return fmt.Errorf("not a SHA-256: %.20s %.70s", c.Type, c.Value)
	}
	return nil
}

type xmlEVR struct {
	Epoch   string `xml:"epoch,attr"`
	Version string `xml:"ver,attr"`
	Release string `xml:"rel,attr"`
}

type xmlEntry struct {
	Name  string `xml:"name,attr"`
	Flags string `xml:"flags,attr"`
	xmlEVR
}

func links(entries []xmlEntry) []link {
	var list []link
	for _, e := range entries {
		list = append(list, link{Name: e.Name, Flags: e.Flags, EVR: EVR(e.Epoch, e.Version, e.Release)})
	}
	return list
}

type xmlPackage struct {
	Name     string      `xml:"name"`
	Arch     string      `xml:"arch"`
	Version  xmlEVR      `xml:"version"`
	Checksum xmlChecksum `xml:"checksum"`
	Size     struct {
		Package   int64 `xml:"package,attr"`
		Installed int64 `xml:"installed,attr"`
	} `xml:"size"`
	Location  xmlLocation `xml:"location"`
	SourceRPM string      `xml:"format>sourcerpm"`
	Provides  []xmlEntry  `xml:"format>provides>entry"`
	Requires  []xmlEntry  `xml:"format>requires>entry"`
	Conflicts []xmlEntry  `xml:"format>conflicts>entry"`
	Obsoletes []xmlEntry  `xml:"format>obsoletes>entry"`
	Files     []string    `xml:"format>file"`
}

// ReadPrimary reads the list of packages, those of sources left out.
func ReadPrimary(r io.Reader) ([]Offer, error) {
	var offers []Offer
	err := eachElement(r, "package", func(d *xml.Decoder, start xml.StartElement) error {
		var p xmlPackage
		if err := d.DecodeElement(&p, &start); err != nil {
			return err
		}
		if p.Arch == "src" || p.Arch == "nosrc" {
			return nil
		}
		if err := isSHA256(p.Checksum); err != nil || p.Name == "" || p.Version.Version == "" || p.Location.Href == "" || p.Size.Package <= 0 {
			return fmt.Errorf("package %.80q lacks its version, location, size or SHA-256", p.Name)
		}
		offers = append(offers, Offer{
			Package: resolve.Package{
				Name: p.Name, Version: EVR(p.Version.Epoch, p.Version.Version, p.Version.Release), Arch: p.Arch,
				Provides: capabilities(links(p.Provides), p.Files), Requires: needs(links(p.Requires)), Conflicts: clashes(links(p.Conflicts), links(p.Obsoletes)),
			},
			Source: SourceName(p.SourceRPM, p.Name), Location: p.Location.Href, SHA256: strings.TrimSpace(p.Checksum.Value), Size: p.Size.Package, InstalledSize: p.Size.Installed,
		})
		return nil
	})
	return offers, err
}

func eachElement(r io.Reader, name string, each func(*xml.Decoder, xml.StartElement) error) error {
	d := xml.NewDecoder(r)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if start, is := token.(xml.StartElement); is && start.Name.Local == name {
			if err := each(d, start); err != nil {
				return err
			}
		}
	}
}

// Fix is a vulnerability that a version closed.
type Fix struct{ CVE, Source, Version, Advisory, Severity string }

// Advisories is what updateinfo.xml says.
type Advisories struct {
	Fixes []Fix
	// Security holds name-version.arch of each package of a security advisory.
	Security map[string]bool
}

// Key is how Advisories names a package.
func Key(name, evr, arch string) string { return name + "-" + evr + "." + arch }

type xmlUpdate struct {
	Type       string `xml:"type,attr"`
	ID         string `xml:"id"`
	Severity   string `xml:"severity"`
	References []struct {
		ID    string `xml:"id,attr"`
		Title string `xml:"title,attr"`
	} `xml:"references>reference"`
	Packages []struct {
		Name    string `xml:"name,attr"`
		Epoch   string `xml:"epoch,attr"`
		Version string `xml:"version,attr"`
		Release string `xml:"release,attr"`
		Arch    string `xml:"arch,attr"`
		Source  string `xml:"src,attr"`
	} `xml:"pkglist>collection>package"`
}

// ReadAdvisories reads updateinfo.xml.
func ReadAdvisories(r io.Reader) (Advisories, error) {
	out := Advisories{Security: map[string]bool{}}
	seen := map[Fix]bool{}
	err := eachElement(r, "update", func(d *xml.Decoder, start xml.StartElement) error {
		var u xmlUpdate
		if err := d.DecodeElement(&u, &start); err != nil {
			return err
		}
		if u.Type != "security" {
			return nil
		}
		var cves []string
		for _, ref := range u.References {
			cves = append(cves, cve.FindAllString(ref.ID+" "+ref.Title, -1)...)
		}
		for _, p := range u.Packages {
			evr := EVR(p.Epoch, p.Version, p.Release)
			out.Security[Key(p.Name, evr, p.Arch)] = true
			for _, id := range cves {
				f := Fix{CVE: id, Source: SourceName(p.Source, p.Name), Version: evr, Advisory: u.ID, Severity: strings.ToLower(u.Severity)}
				if !seen[f] {
					seen[f] = true
					out.Fixes = append(out.Fixes, f)
				}
			}
		}
		return nil
	})
	return out, err
}

var (
	cve = regexp.MustCompile(`\bCVE-(?:19|20)\d{2}-\d{4,7}\b`)
	// changedVersion is how an entry of a changelog names its version: "- 1.2-3" at the end.
	changedVersion = regexp.MustCompile(`[-\s]\s*((?:\d+:)?[0-9][A-Za-z0-9.+~^_]*(?:-[A-Za-z0-9.+~^_]+)?)\s*$`)
)

// Fixes finds the vulnerabilities that the changelog names in entries after a version; an
// entry that does not name its version counts as the entry above it.
func (p *RPM) Fixes(after string) []Fix {
	names, texts := p.main.texts(tagChangeName), p.main.texts(tagChange)
	found := map[string]Fix{}
	version := p.EVR()
	for i := range min(len(names), len(texts)) {
		if m := changedVersion.FindStringSubmatch(names[i]); m != nil {
			version = m[1]
			if !strings.Contains(version, ":") && p.Epoch() != "0" {
				version = p.Epoch() + ":" + version
			}
		}
		if compareEntry(version, after) <= 0 {
			break
		}
		for _, id := range cve.FindAllString(texts[i], -1) {
			found[id] = Fix{CVE: id, Source: p.Source(), Version: p.EVR()}
			if strings.Contains(version, "-") {
				found[id] = Fix{CVE: id, Source: p.Source(), Version: version}
			}
		}
	}
	var list []Fix
	for _, f := range found {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b Fix) int { return strings.Compare(a.CVE, b.CVE) })
	return list
}

// compareEntry compares without the distribution's mark in the release, which changelogs leave out.
func compareEntry(entry, version string) int {
	if c := Compare(entry, version); c > 0 || !strings.Contains(entry, "-") {
		return c
	}
	if strings.HasPrefix(version, entry+".") {
		return 0
	}
	return Compare(entry, version)
}

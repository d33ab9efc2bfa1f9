package redhat

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"slices"
	"strings"
	"time"
)

// Entry is one package of a repository that is written.
type Entry struct {
	RPM    *RPM
	Path   string
	Size   int64
	SHA256 string
}

// File is one file of the metadata.
type File struct {
	Path string
	Data []byte
}

type (
	outEVR struct {
		Epoch   string `xml:"epoch,attr"`
		Version string `xml:"ver,attr"`
		Release string `xml:"rel,attr"`
	}
	outChecksum struct {
		Type  string `xml:"type,attr"`
		PkgID string `xml:"pkgid,attr,omitempty"`
		Value string `xml:",chardata"`
	}
	outTime struct {
		File  int64 `xml:"file,attr"`
		Build int64 `xml:"build,attr"`
	}
	outSize struct {
		Package   int64 `xml:"package,attr"`
		Installed int64 `xml:"installed,attr"`
		Archive   int64 `xml:"archive,attr"`
	}
	outRange struct {
		Start int64 `xml:"start,attr"`
		End   int64 `xml:"end,attr"`
	}
	outEntry struct {
		Name    string `xml:"name,attr"`
		Flags   string `xml:"flags,attr,omitempty"`
		Epoch   string `xml:"epoch,attr,omitempty"`
		Version string `xml:"ver,attr,omitempty"`
		Release string `xml:"rel,attr,omitempty"`
		Pre     string `xml:"pre,attr,omitempty"`
	}
	outFormat struct {
		License   string     `xml:"rpm:license"`
		Vendor    string     `xml:"rpm:vendor"`
		Group     string     `xml:"rpm:group"`
		BuildHost string     `xml:"rpm:buildhost"`
		Source    string     `xml:"rpm:sourcerpm"`
		Range     outRange   `xml:"rpm:header-range"`
		Provides  []outEntry `xml:"rpm:provides>rpm:entry"`
		Requires  []outEntry `xml:"rpm:requires>rpm:entry"`
		Conflicts []outEntry `xml:"rpm:conflicts>rpm:entry"`
		Obsoletes []outEntry `xml:"rpm:obsoletes>rpm:entry"`
		Files     []string   `xml:"file"`
	}
	outPackage struct {
		Type        string      `xml:"type,attr"`
		Name        string      `xml:"name"`
		Arch        string      `xml:"arch"`
		Version     outEVR      `xml:"version"`
		Checksum    outChecksum `xml:"checksum"`
		Summary     string      `xml:"summary"`
		Description string      `xml:"description"`
		Packager    string      `xml:"packager"`
		URL         string      `xml:"url"`
		Time        outTime     `xml:"time"`
		Size        outSize     `xml:"size"`
		Location    struct {
			Href string `xml:"href,attr"`
		} `xml:"location"`
		Format outFormat `xml:"format"`
	}
	outPrimary struct {
		XMLName  xml.Name     `xml:"metadata"`
		NS       string       `xml:"xmlns,attr"`
		RPM      string       `xml:"xmlns:rpm,attr"`
		Count    int          `xml:"packages,attr"`
		Packages []outPackage `xml:"package"`
	}
	outListed struct {
		PkgID   string   `xml:"pkgid,attr"`
		Name    string   `xml:"name,attr"`
		Arch    string   `xml:"arch,attr"`
		Version outEVR   `xml:"version"`
		Files   []string `xml:"file"`
	}
	outLists struct {
		XMLName  xml.Name
		NS       string      `xml:"xmlns,attr"`
		Count    int         `xml:"packages,attr"`
		Packages []outListed `xml:"package"`
	}
	outData struct {
		Type     string      `xml:"type,attr"`
		Checksum outChecksum `xml:"checksum"`
		Open     outChecksum `xml:"open-checksum"`
		Location struct {
			Href string `xml:"href,attr"`
		} `xml:"location"`
		Timestamp int64 `xml:"timestamp"`
		Size      int   `xml:"size"`
		OpenSize  int   `xml:"open-size"`
	}
	outIndex struct {
		XMLName  xml.Name  `xml:"repomd"`
		NS       string    `xml:"xmlns,attr"`
		RPM      string    `xml:"xmlns:rpm,attr"`
		Revision int64     `xml:"revision"`
		Data     []outData `xml:"data"`
	}
)

const (
	nsRepo  = "http://linux.duke.edu/metadata/repo"
	nsRPM   = "http://linux.duke.edu/metadata/rpm"
	nsList  = "http://linux.duke.edu/metadata/filelists"
	nsOther = "http://linux.duke.edu/metadata/other"
	nsMain  = "http://linux.duke.edu/metadata/common"
)

// WriteRepo makes the metadata of a repository, repomd.xml first. The same entries make the same bytes.
func WriteRepo(entries []Entry, at time.Time) ([]File, error) {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	primary := outPrimary{NS: nsMain, RPM: nsRPM, Count: len(entries)}
	lists := outLists{XMLName: xml.Name{Local: "filelists"}, NS: nsList, Count: len(entries)}
	other := outLists{XMLName: xml.Name{Local: "otherdata"}, NS: nsOther, Count: len(entries)}
	for _, e := range entries {
		primary.Packages = append(primary.Packages, e.primary(at))
		listed := outListed{PkgID: e.SHA256, Name: e.RPM.Name(), Arch: e.RPM.Arch(), Version: e.evr()}
		other.Packages = append(other.Packages, listed)
		listed.Files = e.RPM.Files()
		lists.Packages = append(lists.Packages, listed)
	}
	index := outIndex{NS: nsRepo, RPM: nsRPM, Revision: at.Unix()}
	files := []File{{}}
	for _, part := range []struct {
		kind string
		what any
	}{{"primary", primary}, {"filelists", lists}, {"other", other}} {
		open, packed, err := render(part.what)
		if err != nil {
			return nil, err
		}
		d := outData{Type: part.kind, Timestamp: at.Unix(), Size: len(packed), OpenSize: len(open), Checksum: sum(packed), Open: sum(open)}
		d.Location.Href = "repodata/" + part.kind + ".xml.gz"
		index.Data = append(index.Data, d)
		files = append(files, File{Path: d.Location.Href, Data: packed})
	}
	open, _, err := render(index)
	files[0] = File{Path: "repodata/repomd.xml", Data: open}
	return files, err
}

func sum(data []byte) outChecksum {
	h := sha256.Sum256(data)
	return outChecksum{Type: "sha256", Value: hex.EncodeToString(h[:])}
}

func render(v any) (open, packed []byte, err error) {
	body, err := xml.MarshalIndent(v, "", " ")
	if err != nil {
		return nil, nil, err
	}
	open = append([]byte(xml.Header), body...)
	open = append(open, '\n')
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err = z.Write(open)
	err = errors.Join(err, z.Close())
	return open, b.Bytes(), err
}

func (e Entry) evr() outEVR {
	return outEVR{Epoch: e.RPM.Epoch(), Version: e.RPM.text(tagVersion), Release: e.RPM.text(tagRelease)}
}

func (e Entry) primary(at time.Time) outPackage {
	p := e.RPM
	out := outPackage{
		Type: "rpm", Name: p.Name(), Arch: p.Arch(), Version: e.evr(), Checksum: outChecksum{Type: "sha256", PkgID: "YES", Value: e.SHA256},
		Summary: p.text(tagSummary), Description: p.text(tagDescription), Packager: p.text(tagPackager), URL: p.text(tagURL),
		Time: outTime{File: at.Unix(), Build: p.number(tagBuildTime)},
		Size: outSize{Package: e.Size, Installed: p.Installed(), Archive: p.archiveSize()},
		Format: outFormat{
			License: p.text(tagLicense), Vendor: p.text(tagVendor), Group: p.text(tagGroup), BuildHost: p.text(tagBuildHost), Source: p.text(tagSourceRPM),
			Range:     outRange{Start: p.Start, End: p.End},
			Provides:  outEntries(p.links(tagProvideName, tagProvideFlags, tagProvideVersion)),
			Requires:  outEntries(p.links(tagRequireName, tagRequireFlags, tagRequireVersion)),
			Conflicts: outEntries(p.links(tagConflictName, tagConflictFlags, tagConflictVersion)),
			Obsoletes: outEntries(p.links(tagObsoleteName, tagObsoleteFlags, tagObsoleteVersion)),
			Files:     primaryFiles(p.Files()),
		},
	}
	out.Location.Href = e.Path
	return out
}

// primaryFiles are the paths on which packages may depend without the whole list of files.
func primaryFiles(files []string) []string {
	return slices.DeleteFunc(files, func(f string) bool {
		return !strings.HasPrefix(f, "/etc/") && !strings.Contains(f, "bin/") && f != "/usr/lib/sendmail"
	})
}

func outEntries(list []link) []outEntry {
	var out []outEntry
	for _, l := range list {
		e := outEntry{Name: l.Name}
		if l.Flags != "" {
			epoch, version, release := split(l.EVR)
			if epoch == "" {
				epoch = "0"
			}
			e.Flags, e.Epoch, e.Version, e.Release = l.Flags, epoch, version, release
		}
		if l.Pre {
			e.Pre = "1"
		}
		out = append(out, e)
	}
	return out
}

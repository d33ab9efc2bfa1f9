package debian

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/edge/build/resolve"
)

// Offer is a package that a source has, with where its file lies.
type Offer struct {
	resolve.Package
	Source, SourceVersion string
	// File is relative to the archive's root.
	File          string
	Size          int64
	SHA256        string
	InstalledSize int64
}

// ReadPackages reads a Packages file.
func ReadPackages(r io.Reader) ([]Offer, error) {
	var offers []Offer
	err := EachStanza(r, RelationFields, func(s Stanza) error {
		p, err := Package(s)
		if err != nil {
			return err
		}
		o := Offer{Package: p, File: s.Get("Filename"), SHA256: strings.ToLower(s.Get("SHA256"))}
		o.Source, o.SourceVersion = SourceOf(s)
		if o.Size, err = strconv.ParseInt(s.Get("Size"), 10, 64); err != nil || o.Size < 0 {
			return fmt.Errorf("%s %s has no size", p.Name, p.Version)
		}
		if raw, err := hex.DecodeString(o.SHA256); err != nil || len(raw) != 32 || o.File == "" {
			return fmt.Errorf("%s %s has no file or no SHA-256", p.Name, p.Version)
		}
		o.InstalledSize = InstalledSize(s)
		offers = append(offers, o)
		return nil
	})
	return offers, err
}

// InstalledSize is what a package takes unpacked, in bytes. What is no number counts as
// nothing, since it is an estimate.
func InstalledSize(s Stanza) int64 {
	n, err := strconv.ParseInt(s.Get("Installed-Size"), 10, 40)
	if err != nil || n < 0 {
		return 0
	}
	return n << 10
}

// Status is what a node's dpkg says.
type Status struct {
	Installed []resolve.Package
	Held      map[string]bool
	// Broken names packages that are neither installed nor removed.
	Broken []string
	// Sources maps a package's name to its source package and that one's version.
	Sources map[string][2]string
}

// ReadStatus reads /var/lib/dpkg/status.
func ReadStatus(r io.Reader) (Status, error) {
	st := Status{Held: map[string]bool{}, Sources: map[string][2]string{}}
	err := EachStanza(r, RelationFields, func(s Stanza) error {
		want, state := splitStatus(s.Get("Status"))
		if want == "hold" {
			st.Held[s.Get("Package")] = true
		}
		switch state {
		case "not-installed", "config-files":
			return nil
		case "installed", "triggers-pending", "triggers-awaited":
		case "":
			return fmt.Errorf("%s has no status: this is not a status file of dpkg", s.Get("Package"))
		default:
			st.Broken = append(st.Broken, s.Get("Package"))
		}
		p, err := Package(s)
		if err == nil {
			st.Installed = append(st.Installed, p)
			source, version := SourceOf(s)
			st.Sources[p.Name] = [2]string{source, version}
		}
		return err
	})
	if err == nil && len(st.Installed) == 0 {
		err = errors.New("nothing is installed according to this status file")
	}
	return st, err
}

func splitStatus(text string) (want, state string) {
	words := strings.Fields(text)
	if len(words) != 3 {
		return "", ""
	}
	return words[0], words[2]
}

// Release is what of a Release file matters here.
type Release struct {
	Origin, Label, Suite, Codename string
	Date, ValidUntil               time.Time
	Files                          map[string]ReleaseFile
}

// ReleaseFile is one line of its SHA256 list.
type ReleaseFile struct {
	SHA256 string
	Size   int64
}

// Security says whether this archive is one of security updates: Debian's and Ubuntu's are
// told by their label or by their suite.
func (r Release) Security() bool {
	return strings.HasSuffix(r.Label, "-Security") || strings.HasSuffix(r.Suite, "-security") || strings.HasSuffix(r.Codename, "-security")
}

// ReadRelease reads the text that was signed.
func ReadRelease(text string) (Release, error) {
	s, err := OneStanza(text)
	if err != nil {
		return Release{}, fmt.Errorf("Release: %w", err)
	}
	r := Release{Origin: s.Get("Origin"), Label: s.Get("Label"), Suite: s.Get("Suite"), Codename: s.Get("Codename"), Files: map[string]ReleaseFile{}}
	if r.Date, err = readDate(s.Get("Date")); err != nil {
		return r, fmt.Errorf("Release: Date: %w", err)
	}
	if until := s.Get("Valid-Until"); until != "" {
		if r.ValidUntil, err = readDate(until); err != nil {
			return r, fmt.Errorf("Release: Valid-Until: %w", err)
		}
	}
	for _, line := range strings.Split(s.Get("SHA256"), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if len(words) != 3 {
			return r, fmt.Errorf("Release: not a file: %.100q", line)
		}
		size, err := strconv.ParseInt(words[1], 10, 64)
		if raw, hexErr := hex.DecodeString(words[0]); err != nil || hexErr != nil || len(raw) != 32 || size < 0 {
			return r, fmt.Errorf("Release: not a file: %.100q", line)
		}
		r.Files[words[2]] = ReleaseFile{SHA256: strings.ToLower(words[0]), Size: size}
	}
	return r, nil
}

func readDate(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC1123, time.RFC1123Z, "Mon, _2 Jan 2006 15:04:05 MST"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("not a date: %.40q", text)
}

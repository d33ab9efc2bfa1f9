package build

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/signalbox/signalbox/agents/bundle"
)

// Spec describes a bundle.
type Spec struct {
	// Bundle is its name, Version its place in the order of its channel.
	Bundle   string `yaml:"bundle"`
	Version  int64  `yaml:"version"`
	Channel  string `yaml:"channel"`
	Created  string `yaml:"created"`
	Expires  string `yaml:"expires"`
	MinAgent string `yaml:"min_agent"`

	Variants []Variant `yaml:"variants"`
	Requires Requires  `yaml:"requires"`
	Targets  Targets   `yaml:"targets"`
	// RepoKey is a file with the OpenPGP key that signs the local repositories, for apt's and
	// dnf's own check beside ours. Without it they are not signed.
	RepoKey string `yaml:"repo_key"`
	// Tracker is a file with the distribution's list of vulnerabilities, as Debian's security
	// tracker gives it out.
	Tracker string `yaml:"tracker"`
	// Commit is the revision that this description came from.
	Commit string `yaml:"commit"`
}

// Variant is one operating system on one architecture.
type Variant struct {
	// OS is id/version/architecture: debian/12/amd64. Empty is what the nodes say.
	OS       string   `yaml:"os"`
	Codename string   `yaml:"codename"`
	Sources  []Source `yaml:"sources"`
	// Nodes are files or folders: an inventory as agents send it, a status file of dpkg, a
	// list of rpm, or the root folder of a system. Patterns match several.
	Nodes   []string `yaml:"nodes"`
	Include Include  `yaml:"include"`
	Allow   Allow    `yaml:"allow"`
	// Deltas and Rollback can be left out: "none".
	Deltas   string `yaml:"deltas"`
	Rollback string `yaml:"rollback"`
}

// Source is where packages come from: a mirror, one of its snapshots, or a folder.
type Source struct {
	URL        string   `yaml:"url"`
	Suite      string   `yaml:"suite"`
	Components []string `yaml:"components"`
	Snapshot   string   `yaml:"snapshot"`
	Folder     string   `yaml:"folder"`
	// Keys are files with the OpenPGP keys that may sign the source.
	Keys []string `yaml:"keys"`
	// Trusted takes the source without a signature.
	Trusted bool `yaml:"trusted"`
	// Security says that all of it is security updates; mirrors of Debian and Ubuntu tell so.
	Security bool `yaml:"security"`
	// Old marks a source of earlier versions only: bases of deltas, and what to roll back to.
	Old bool `yaml:"old"`
}

// Include selects updates. Those that any of the fields names are in, unless excluded.
type Include struct {
	Security   bool     `yaml:"security"`
	Everything bool     `yaml:"everything"`
	Packages   []string `yaml:"packages"`
	CVEs       []string `yaml:"cves"`
	Exclude    []string `yaml:"exclude"`
	// Pin asks for exactly these versions, older ones too where allow.downgrade says so.
	Pin map[string]string `yaml:"pin"`
}

// Allow lists, as patterns of names, what the transaction may do besides upgrading.
type Allow struct {
	Remove    []string `yaml:"remove"`
	New       []string `yaml:"new"`
	Downgrade []string `yaml:"downgrade"`
}

// Requires is what nodes must do afterwards.
type Requires struct {
	Reboot       string   `yaml:"reboot"`
	RestartUnits []string `yaml:"restart_units"`
	DiskBytes    int64    `yaml:"disk_bytes"`
}

// Targets narrows the bundle to nodes, by their ids or names, or by a selector as policies
// write it, of which the bundle holds the hash.
type Targets struct {
	Nodes    []string  `yaml:"nodes"`
	Selector yaml.Node `yaml:"selector"`
}

// ReadSpec reads a description; an unknown key is an error that names its line.
func ReadSpec(text []byte) (Spec, error) {
	var s Spec
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("the bundle's description: %w", err)
	}
	return s, nil
}

var (
	cvePattern      = regexp.MustCompile(`^CVE-\d{4}-\d{4,19}$`)
	snapshotPattern = regexp.MustCompile(`^\d{8}T\d{6}Z$`)
	daysPattern     = regexp.MustCompile(`^(\d{1,4})d$`)
)

// prepared fills in what is not said, and says what is wrong.
func (s Spec) prepared() (Spec, error) {
	if s.Channel == "" {
		s.Channel = "stable"
	}
	if s.Expires == "" {
		s.Expires = "90d"
	}
	if s.Requires.Reboot == "" {
		s.Requires.Reboot = bundle.RebootIfNeeded
	}
	if s.Bundle == "" || s.Version <= 0 {
		return s, errors.New("bundle must name the bundle and version must be a positive number")
	}
	if len(s.Variants) == 0 {
		return s, errors.New("variants must list at least one operating system")
	}
	s.Variants = slices.Clone(s.Variants)
	for i := range s.Variants {
		if err := s.Variants[i].check(); err != nil {
			return s, fmt.Errorf("variants[%d]: %w", i, err)
		}
	}
	return s, nil
}

func (v *Variant) check() error {
	if v.OS != "" && len(strings.Split(v.OS, "/")) != 3 {
		return fmt.Errorf("os must look like debian/12/amd64, not %q", v.OS)
	}
	if len(v.Nodes) == 0 {
		return errors.New("nodes must name at least one file or folder that tells what is installed")
	}
	if len(v.Sources) == 0 {
		return errors.New("sources must list at least one mirror or folder")
	}
	for i, s := range v.Sources {
		if err := s.check(); err != nil {
			return fmt.Errorf("sources[%d]: %w", i, err)
		}
	}
	for key, value := range map[string]string{"deltas": v.Deltas, "rollback": v.Rollback} {
		if value != "" && value != "none" && value != "include" {
			return fmt.Errorf("%s is include or none, not %q", key, value)
		}
	}
	return v.Include.check()
}

func (s Source) check() error {
	switch {
	case (s.URL == "") == (s.Folder == ""):
		return errors.New("give either url or folder")
	case s.Snapshot != "" && !snapshotPattern.MatchString(s.Snapshot):
		return fmt.Errorf("snapshot must look like 20261101T000000Z, not %q", s.Snapshot)
	case s.Snapshot != "" && s.Folder != "":
		return errors.New("a folder has no snapshots")
	case s.URL != "" && len(s.Keys) == 0 && !s.Trusted:
		return errors.New("keys must name the files with the keys that sign this mirror (or trusted: true takes it unsigned)")
	}
	return nil
}

func (i Include) check() error {
	if !i.Security && !i.Everything && len(i.Packages) == 0 && len(i.CVEs) == 0 && len(i.Pin) == 0 {
		return errors.New("include must say what goes in: security, everything, packages, cves or pin")
	}
	for _, id := range i.CVEs {
		if !cvePattern.MatchString(id) {
			return fmt.Errorf("include.cves: %q is not like CVE-2026-12345", id)
		}
	}
	for _, list := range [][]string{i.Packages, i.Exclude} {
		for _, pattern := range list {
			if _, err := path.Match(pattern, ""); err != nil {
				return fmt.Errorf("include: %q is not a pattern: %w", pattern, err)
			}
		}
	}
	return nil
}

// matches says whether one of the patterns names it.
func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, name)
		return ok && err == nil
	})
}

// dates are when the bundle was made and when it ends. Without a word about it, it was made
// when the newest of its sources was: so that the same sources make the same bytes.
func (s Spec) dates(newest time.Time) (created, expires time.Time, err error) {
	created = newest.UTC().Truncate(time.Second)
	if s.Created != "" {
		if created, err = time.Parse(time.RFC3339, s.Created); err != nil {
			return created, expires, fmt.Errorf("created: %w", err)
		}
		created = created.UTC().Truncate(time.Second)
	}
	if created.IsZero() {
		return created, expires, errors.New("created must be given: no source says when it was made")
	}
	if m := daysPattern.FindStringSubmatch(s.Expires); m != nil {
		days, err := strconv.Atoi(m[1])
		return created, created.AddDate(0, 0, days), err
	}
	if expires, err = time.Parse(time.RFC3339, s.Expires); err != nil {
		return created, expires, fmt.Errorf("expires must be a time or days like 90d: %w", err)
	}
	return created, expires.UTC().Truncate(time.Second), nil
}

// targets is that part of the manifest.
func (s Spec) targets() (bundle.Targets, error) {
	t := bundle.Targets{Nodes: slices.Sorted(slices.Values(s.Targets.Nodes))}
	if s.Targets.Selector.IsZero() {
		return t, nil
	}
	var selector any
	if err := s.Targets.Selector.Decode(&selector); err != nil {
		return t, fmt.Errorf("targets.selector: %w", err)
	}
	canonical, err := canonicalJSON(selector)
	if err != nil {
		return t, fmt.Errorf("targets.selector: %w", err)
	}
	t.SelectorSHA256 = hexSum(canonical)
	return t, nil
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

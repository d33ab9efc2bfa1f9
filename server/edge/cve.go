package edge

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/build/debian"
	"github.com/signalbox/signalbox/server/edge/build/redhat"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// versionOrders compare versions as the package systems do.
var versionOrders = map[string]func(a, b string) int{"apt": debian.Compare, "rpm": redhat.Compare}

// CVE is what is known of one: who mends it, and which nodes still carry it.
type CVE struct {
	ID string `json:"id"`
	// Fixes are what bundles say of it, the newest bundle first.
	Fixes []Mend    `json:"fixes"`
	Open  []Carrier `json:"open"`
	Fixed int       `json:"fixed"`
	// Unknown counts accepted nodes whose packages are not known.
	Unknown int `json:"unknown"`
}

// Mend is a bundle's word on a CVE in one variant.
type Mend struct {
	Bundle       string `json:"bundle"`
	Variant      string `json:"variant"`
	Source       string `json:"source"`
	FixedVersion string `json:"fixed_version"`
	Severity     string `json:"severity"`
	Advisory     string `json:"advisory"`
	CVE          string `json:"-"`
}

// Carrier is a node on which something is open.
type Carrier struct {
	Node      string `json:"node"`
	Name      string `json:"name"`
	Site      string `json:"site"`
	Variant   string `json:"variant"`
	Source    string `json:"source"`
	Installed string `json:"installed"`
	Needs     string `json:"needs"`
	Bundle    string `json:"bundle"` // the newest that mends it
}

// FindCVE says which of a team's nodes still carry a CVE. It knows of a CVE by the
// bundles that mend it.
func (s *Service) FindCVE(ctx context.Context, team int64, id string) (CVE, error) {
	out := CVE{ID: strings.ToUpper(strings.TrimSpace(id)), Fixes: []Mend{}, Open: []Carrier{}}
	if err := identity.Require(ctx, team, reading); err != nil {
		return out, err
	}
	if out.ID == "" || !printable(out.ID, 60) {
		return out, problem.FieldError("cve", "give one such as CVE-2026-12345")
	}
	fixes, err := s.rows().fixes(ctx, team, out.ID)
	if err != nil {
		return out, err
	}
	out.Fixes = append(out.Fixes, fixes...)
	nodes, err := s.nodesOf(ctx, team)
	if err != nil {
		return out, err
	}
	sets, err := s.sourcesOf(ctx, team, fixes)
	if err != nil {
		return out, err
	}
	for _, n := range nodes {
		if n.State != protocol.NodeAccepted {
			continue
		}
		if n.Set == 0 {
			out.Unknown++
			continue
		}
		open, there := carries(n, fixes, sets[n.Set])
		if open != nil {
			out.Open = append(out.Open, *open)
		} else if there {
			out.Fixed++
		}
	}
	return out, nil
}

// carries tells whether a node has an older version of what fixes mend, and
// whether it has their source at all. The newest word on a source holds.
func carries(n *Node, fixes []Mend, installed map[string][]string) (open *Carrier, there bool) {
	said := map[string]bool{}
	for _, f := range fixes {
		if f.Variant != n.Variant || said[f.Source] {
			continue
		}
		said[f.Source] = true
		for _, have := range installed[f.Source] {
			there = true
			if versionOrders[n.PackageSystem](have, f.FixedVersion) < 0 {
				return &Carrier{n.ID, n.Name, n.Site, n.Variant, f.Source, have, f.FixedVersion, f.Bundle}, true
			}
		}
	}
	return nil, there
}

// sourcesOf gives, by set, the versions of the sources that fixes name.
func (s *Service) sourcesOf(ctx context.Context, team int64, fixes []Mend) (map[int64]map[string][]string, error) {
	var names []string
	for _, f := range fixes {
		names = append(names, f.Source)
	}
	slices.Sort(names)
	return s.rows().setSources(ctx, team, slices.Compact(names))
}

func (s *Service) nodesWithCVE(ctx context.Context, team int64, cve string, nodes []*Node) (map[string]bool, error) {
	fixes, err := s.rows().fixes(ctx, team, cve)
	if err != nil {
		return nil, err
	}
	sets, err := s.sourcesOf(ctx, team, fixes)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, n := range nodes {
		if open, _ := carries(n, fixes, sets[n.Set]); open != nil {
			out[n.ID] = true
		}
	}
	return out, nil
}

// OpenCVEs are those that published bundles mend and a node still carries.
func (s *Service) OpenCVEs(ctx context.Context, n Node) ([]Mend, error) {
	fixes, err := s.rows().fixes(ctx, n.Team, "")
	if err != nil || n.Set == 0 {
		return []Mend{}, err
	}
	installed, err := s.rows().setSourcesOf(ctx, n.Set)
	if err != nil {
		return nil, err
	}
	out := newestFixes(fixes)[n.Variant].open(n.PackageSystem, installed)
	slices.SortFunc(out, func(a, b Mend) int { return cmp.Or(strings.Compare(a.CVE, b.CVE), strings.Compare(a.Source, b.Source)) })
	return out, nil
}

// mends are the newest words on every CVE in one variant, by source.
type mends map[string][]Mend

// newestFixes sorts fixes, which come newest bundle first, by variant.
func newestFixes(fixes []Mend) map[string]mends {
	type key struct{ variant, cve, source string }
	said := map[key]bool{}
	out := map[string]mends{}
	for _, f := range fixes {
		if k := (key{f.Variant, f.CVE, f.Source}); said[k] {
			continue
		} else {
			said[k] = true
		}
		if out[f.Variant] == nil {
			out[f.Variant] = mends{}
		}
		out[f.Variant][f.Source] = append(out[f.Variant][f.Source], f)
	}
	return out
}

// open are those that the installed versions of sources do not have.
func (m mends) open(system string, installed map[string][]string) []Mend {
	out := []Mend{}
	for source, versions := range installed {
		for _, f := range m[source] {
			if slices.ContainsFunc(versions, func(have string) bool { return versionOrders[system](have, f.FixedVersion) < 0 }) {
				out = append(out, f)
			}
		}
	}
	return out
}

// openCache remembers how much is open by set, until bundles change.
type openCache struct {
	mu    sync.Mutex
	teams map[int64]*openTeam
}

type openTeam struct {
	stamp  string
	counts map[int64]int
}

// openCounts counts by set what is open on the nodes that share it. A set with
// nodes of several variants counts for the first: equal packages on unlike systems are rare.
func (s *Service) openCounts(ctx context.Context, team int64, nodes []*Node) (map[int64]int, error) {
	stamp, err := s.rows().bundlesStamp(ctx, team)
	if err != nil {
		return nil, err
	}
	s.open.mu.Lock()
	defer s.open.mu.Unlock()
	if s.open.teams == nil {
		s.open.teams = map[int64]*openTeam{}
	}
	c := s.open.teams[team]
	if c == nil || c.stamp != stamp {
		c = &openTeam{stamp, map[int64]int{}}
		s.open.teams[team] = c
	}
	missing := map[int64]*Node{}
	for _, n := range nodes {
		if n.Set != 0 {
			if _, known := c.counts[n.Set]; !known {
				missing[n.Set] = n
			}
		}
	}
	if len(missing) > 0 {
		if err := s.countOpen(ctx, team, missing, c.counts); err != nil {
			return nil, err
		}
	}
	return maps.Clone(c.counts), nil
}

func (s *Service) countOpen(ctx context.Context, team int64, missing map[int64]*Node, counts map[int64]int) error {
	fixes, err := s.rows().fixes(ctx, team, "")
	if err != nil {
		return err
	}
	sets, err := s.sourcesOf(ctx, team, fixes)
	if err != nil {
		return err
	}
	newest := newestFixes(fixes)
	for id, n := range missing {
		cves := map[string]bool{}
		for _, f := range newest[n.Variant].open(n.PackageSystem, sets[id]) {
			cves[f.CVE] = true
		}
		counts[id] = len(cves)
	}
	return nil
}

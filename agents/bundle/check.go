package bundle

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Node is the machine that a bundle must fit.
type Node struct {
	ID, Name                   string
	OSID, VersionID, Codename  string
	Arch, PackageSystem, Agent string
}

// For finds the one variant for a node; Target when the bundle is not for it.
func (m *Manifest) For(node Node) (*Variant, error) {
	if nodes := m.Targets.Nodes; len(nodes) > 0 && !slices.Contains(nodes, node.ID) && !slices.Contains(nodes, node.Name) {
		return nil, refuse(Target, "Bundle %s is for other nodes.", m.BundleID)
	}
	if m.MinAgent != "" && node.Agent != "" && older(node.Agent, m.MinAgent) {
		return nil, refuse(Target, "Bundle %s needs agent %s; this is %s.", m.BundleID, m.MinAgent, node.Agent)
	}
	var found *Variant
	for i, v := range m.Variants {
		codename := v.Codename == "" || node.Codename == "" || v.Codename == node.Codename
		if v.OSID == node.OSID && v.VersionID == node.VersionID && v.Arch == node.Arch && v.PackageSystem == node.PackageSystem && codename {
			found = &m.Variants[i]
		}
	}
	if found == nil {
		return nil, refuse(Target, "Bundle %s has no variant for %s/%s/%s with %s.", m.BundleID, node.OSID, node.VersionID, node.Arch, node.PackageSystem)
	}
	return found, nil
}

// older compares dotted versions number by number. A version without numbers
// (a development build) is never older.
func older(have, want string) bool {
	h, w := numbers(have), numbers(want)
	return len(h) > 0 && slices.Compare(h, w) < 0
}

func numbers(version string) []int {
	version, _, _ = strings.Cut(strings.TrimPrefix(version, "v"), "-")
	var list []int
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}
		list = append(list, n)
	}
	return list
}

// Fresh says whether the bundle may still be installed. Within the grace after
// its date it may, and stale says so to whoever reads the report.
func (m *Manifest) Fresh(now time.Time, grace time.Duration) (stale bool, err error) {
	if now.After(m.Expires.Add(grace)) {
		return true, refuse(Stale, "Bundle %s expired at %s.", m.BundleID, m.Expires.Format(time.RFC3339))
	}
	return now.After(m.Expires), nil
}

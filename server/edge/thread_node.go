package edge

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/rollout"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/thread"
)

// shownNodes and shownPatches bound what other pages show of each.
const (
	shownNodes   = 5
	shownPatches = 20
)

func (n *Node) ref(team string) thread.NodeRef {
	return thread.NodeRef{ID: n.ID, Name: n.Name, Path: threadRow{Kind: "node", ID: n.ID}.path(team)}
}

func fleetPage(team, query string) string {
	return "/teams/" + url.PathEscape(team) + "/edge?q=" + url.QueryEscape(query)
}

// ThreadNodes gives which version of a package is on how many accepted nodes, the newest version first.
func (s *Service) ThreadNodes(ctx context.Context, team identity.Team, name string) (thread.Nodes, error) {
	out := thread.Nodes{Package: name, Versions: []thread.NodeVersion{}, Path: fleetPage(team.Name, "package:"+name)}
	if err := identity.Require(ctx, team.ID, reading); err != nil {
		return out, err
	}
	have, err := s.withPackage(ctx, team.ID, name)
	if err != nil {
		return out, err
	}
	nodes, err := s.nodesOf(ctx, team.ID)
	if err != nil {
		return out, err
	}
	byVersion := map[string][]*Node{}
	system := ""
	for _, n := range nodes {
		if version := have[n.Set]; version != "" && n.State == protocol.NodeAccepted {
			byVersion[version] = append(byVersion[version], n)
			system = n.PackageSystem
			out.Total++
		}
	}
	order := versionOrders[cmp.Or(system, "apt")]
	versions := slices.Collect(maps.Keys(byVersion))
	slices.SortFunc(versions, func(a, b string) int { return cmp.Or(order(b, a), cmp.Compare(a, b)) })
	for _, version := range versions {
		of := byVersion[version]
		v := thread.NodeVersion{Version: version, Nodes: len(of), Sites: mostSites(of), Some: []thread.NodeRef{}, Path: fleetPage(team.Name, "package:"+name+"="+version)}
		for _, n := range of[:min(len(of), shownNodes)] {
			v.Some = append(v.Some, n.ref(team.Name))
		}
		out.Versions = append(out.Versions, v)
	}
	return out, nil
}

// mostSites are the places of nodes, those with most of them first.
func mostSites(nodes []*Node) []string {
	count := map[string]int{}
	for _, n := range nodes {
		if n.Site != "" {
			count[n.Site]++
		}
	}
	sites := slices.AppendSeq(make([]string, 0, len(count)), maps.Keys(count))
	slices.SortFunc(sites, func(a, b string) int { return cmp.Or(count[b]-count[a], cmp.Compare(a, b)) })
	return sites
}

// setPackages remembers which version of a package lists have: a list never changes.
type setPackages struct {
	mu    sync.Mutex
	known map[packageOf]map[int64]string
}

type packageOf struct {
	team int64
	name string
}

// maxSetPackages is of how many packages that is remembered.
const maxSetPackages = 64

// withPackage gives by list which version of a package it has. A package that bears the name of its
// source is found by an index; for others the lists are read, each once.
func (s *Service) withPackage(ctx context.Context, team int64, name string) (map[int64]string, error) {
	sets, err := s.rows().setSources(ctx, team, []string{name})
	if err != nil {
		return nil, err
	}
	out := map[int64]string{}
	for id, sources := range sets {
		out[id] = slices.MaxFunc(sources[name], versionOrders["apt"])
	}
	if len(out) > 0 {
		return out, nil
	}
	ids, err := s.rows().setsInUse(ctx, team)
	if err != nil {
		return nil, err
	}
	s.packages.mu.Lock()
	defer s.packages.mu.Unlock()
	key := packageOf{team, name}
	if s.packages.known == nil || len(s.packages.known) > maxSetPackages {
		s.packages.known = map[packageOf]map[int64]string{}
	}
	known := s.packages.known[key]
	if known == nil {
		known = map[int64]string{}
		s.packages.known[key] = known
	}
	for _, id := range ids {
		version, read := known[id]
		if !read {
			list, err := s.Packages(ctx, Node{Team: team, Set: id})
			if err != nil {
				return nil, err
			}
			for _, p := range list {
				if p.Name == name && installed(p) {
					version = p.Version
				}
			}
			known[id] = version
		}
		if version != "" {
			out[id] = version
		}
	}
	return out, nil
}

// ThreadNode gives a node with its part in rollouts, the latest first.
func (s *Service) ThreadNode(ctx context.Context, team identity.Team, id string) (thread.Node, error) {
	n, err := s.node(ctx, id, reading)
	if err == nil && n.Team != team.ID {
		err = problem.New(problem.NotFound, "There is no such node in team %s.", team.Name)
	}
	if err != nil {
		return thread.Node{}, err
	}
	out := thread.Node{NodeRef: n.ref(team.Name), Hostname: n.Hostname, Bundle: n.Bundle, Patches: []thread.Patch{}}
	list, err := s.rows().threadPatches(ctx, team.ID, id, shownPatches)
	for _, p := range list {
		out.Patches = append(out.Patches, thread.Patch{Rollout: p.Rollout, Number: p.Number, Bundle: p.Bundle, State: p.State, Reason: p.Reason, Tone: patchTone(rollout.NodeState(p.State)),
			At: time.UnixMilli(p.At).UTC(), Path: threadRow{Kind: "rollout", ID: p.Rollout}.path(team.Name), BundlePath: threadRow{Kind: "bundle", ID: p.Bundle}.path(team.Name)})
	}
	return out, err
}

func patchTone(state rollout.NodeState) thread.Tone {
	switch state {
	case rollout.Succeeded:
		return thread.Good
	case rollout.RolledBackItself, rollout.Failed, rollout.Quarantined:
		return thread.Bad
	}
	return thread.Plain
}

// carried remembers which packages bundles have: a published bundle never changes.
type carried struct {
	mu    sync.Mutex
	known map[string][]string // by the hash of its manifest
}

// maxCarried is of how many bundles that is remembered.
const maxCarried = 512

// carriedBy gives the names of a bundle's packages; none when its manifest cannot be read any more.
func (s *Service) carriedBy(ctx context.Context, b Bundle) []string {
	s.carried.mu.Lock()
	defer s.carried.mu.Unlock()
	if names, known := s.carried.known[b.ManifestSHA256]; known {
		return names
	}
	raw, err := s.manifest(ctx, b)
	if err != nil {
		s.Log.Warn("reading what a bundle carries failed", "bundle", b.ID, "error", err)
		return nil
	}
	var m bundle.Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		s.Log.Warn("reading what a bundle carries failed", "bundle", b.ID, "error", err)
		return nil
	}
	names := map[string]bool{}
	for _, v := range m.Variants {
		for _, p := range v.Packages {
			names[p.Name] = true
		}
	}
	if s.carried.known == nil || len(s.carried.known) >= maxCarried {
		s.carried.known = map[string][]string{}
	}
	list := slices.Sorted(maps.Keys(names))
	s.carried.known[b.ManifestSHA256] = list
	return list
}

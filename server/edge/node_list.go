package edge

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/build/debian"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Shown is a node as lists show it.
type Shown struct {
	Node
	// Offline: it missed its check-ins. That is normal, and no failure.
	Offline bool `json:"offline"`
	// OpenCVEs counts what published bundles would mend here; nil while its packages are not known.
	OpenCVEs *int `json:"open_cves"`
}

// filter is a search for nodes, read from words such as
//
//	osl site:osl state:accepted agent_state:failed bundle:20261121-build-42 role:edge-node offline offline>24h exit:2 agent:<1.2 root:<3 cve:CVE-2026-1234 -site:lab
type filter struct{ terms []term }

type term struct {
	not        bool
	key, value string
}

// maxQuery bounds a search's text.
const maxQuery = 500

// read by key; any other key is a label's.
var nodeFields = map[string]func(n *Node) string{
	"id": func(n *Node) string { return n.ID }, "name": func(n *Node) string { return n.Name }, "site": func(n *Node) string { return n.Site },
	"state": func(n *Node) string { return string(n.State) }, "agent_state": func(n *Node) string { return string(n.AgentState) }, "bundle": func(n *Node) string { return n.Bundle },
	"rollout": func(n *Node) string { return n.Rollout }, "variant": func(n *Node) string { return n.Variant }, "os": func(n *Node) string { return n.OSID }, "arch": func(n *Node) string { return n.Arch },
	"kernel": func(n *Node) string { return n.Kernel }, "agent": func(n *Node) string { return n.Agent }, "token": func(n *Node) string { return n.Token }, "hostname": func(n *Node) string { return n.Hostname },
	"root": func(n *Node) string { return strconv.FormatInt(n.RootVersion, 10) },
}

func parseFilter(q string) (filter, error) {
	if len(q) > maxQuery {
		return filter{}, problem.FieldError("q", "is longer than %d bytes", maxQuery)
	}
	var f filter
	for _, word := range strings.Fields(q) {
		var t term
		t.value, t.not = strings.CutPrefix(word, "-")
		switch key, value, found := strings.Cut(t.value, ":"); {
		case found:
			t.key, t.value = key, value
		case strings.HasPrefix(t.value, "offline>"):
			t.key, t.value = "offline", strings.TrimPrefix(t.value, "offline>")
		case t.value == "offline" || t.value == "held" || t.value == "doubled":
			t.key, t.value = t.value, ""
		}
		if t.key == "offline" && t.value != "" {
			if _, err := length(t.value); err != nil {
				return f, problem.FieldError("q", "%.40q is no time such as 30m, 24h or 7d", t.value)
			}
		}
		f.terms = append(f.terms, t)
	}
	return f, nil
}

// length is a duration that may be in days.
func length(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}

// cves are those that the search names; their nodes are found before.
func (f filter) cves() (list []string) {
	for _, t := range f.terms {
		if t.key == "cve" {
			list = append(list, strings.ToUpper(t.value))
		}
	}
	return list
}

// packages are those that the search names; which lists have them is found before.
func (f filter) packages() (list []string) {
	for _, t := range f.terms {
		if t.key == "package" {
			name, _ := t.ofPackage()
			list = append(list, name)
		}
	}
	return list
}

// ofPackage parts nginx<1.24 into the package and what its version is compared with, which is empty for any.
func (t term) ofPackage() (name, version string) {
	at := strings.IndexAny(t.value, "<>=")
	if at < 0 {
		return t.value, ""
	}
	return t.value[:at], strings.TrimPrefix(t.value[at:], "=")
}

// looked is what was looked up for a search: which nodes have which CVE open, which lists have which package.
type looked struct {
	open     map[string]map[string]bool
	packages map[string]map[int64]string
}

// meets tells whether a node is one of those.
func (f filter) meets(s *Service, n *Node, now time.Time, known looked) bool {
	for _, t := range f.terms {
		if t.meets(s, n, now, known) == t.not {
			return false
		}
	}
	return true
}

func (t term) meets(s *Service, n *Node, now time.Time, known looked) bool {
	switch t.key {
	case "":
		return containsFold(n.Name, t.value) || containsFold(n.Hostname, t.value) || containsFold(n.Site, t.value) || strings.HasPrefix(n.Fingerprint, t.value)
	case "offline":
		if t.value == "" {
			return s.offline(n, now)
		}
		d, _ := length(t.value) // parsed before
		return now.UnixMilli()-int64(n.SeenAt) > d.Milliseconds()
	case "held":
		return len(n.Held) > 0 && (t.value == "" || containsWord(n.Held, t.value))
	case "doubled":
		return n.DoubledAt != 0
	case "quarantined":
		return containsWord(n.Quarantined, t.value)
	case "exit":
		return n.LastExit != nil && strconv.Itoa(int(*n.LastExit)) == t.value
	case "cve":
		return known.open[strings.ToUpper(t.value)][n.ID]
	case "package":
		name, version := t.ofPackage()
		have := known.packages[name][n.Set]
		return have != "" && (version == "" || matches(have, version))
	}
	have, there := n.Labels[t.key], true
	if read := nodeFields[t.key]; read != nil {
		have = read(n)
	} else {
		have, there = n.Labels[t.key]
	}
	return there && matches(have, t.value)
}

// matches compares a value with what is asked: <1.2, >=6.1 by versions, osl* by its beginning.
func matches(have, want string) bool {
	for _, op := range []struct {
		sign string
		ok   func(c int) bool
	}{{"<=", func(c int) bool { return c <= 0 }}, {">=", func(c int) bool { return c >= 0 }}, {"<", func(c int) bool { return c < 0 }}, {">", func(c int) bool { return c > 0 }}} {
		if v, ok := strings.CutPrefix(want, op.sign); ok {
			return have != "" && op.ok(debian.Compare(have, v))
		}
	}
	if start, ok := strings.CutSuffix(want, "*"); ok {
		return strings.HasPrefix(have, start)
	}
	return strings.EqualFold(have, want)
}

func containsFold(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

func containsWord(list []string, word string) bool {
	for _, l := range list {
		if word == "" || l == word {
			return true
		}
	}
	return false
}

// Fleet is nodes that a search found, and how the team's nodes are.
type Fleet struct {
	Items []Shown `json:"items"`
	// Total is how many were found; Items may be a part of them.
	Total  int    `json:"total"`
	Counts Counts `json:"counts"`
	// At is what to ask changes after.
	At int64 `json:"at"`
}

// Counts are of all nodes that were found.
type Counts struct {
	States map[protocol.NodeState]int `json:"states"`
	// AgentStates are of accepted nodes that are not offline.
	AgentStates map[protocol.State]int `json:"agent_states"`
	Offline     int                    `json:"offline"`
	Lost        int                    `json:"lost"`
	Sites       map[string]int         `json:"sites"`
	Variants    map[string]int         `json:"variants"`
	Bundles     map[string]int         `json:"bundles"`
}

// Find searches a team's nodes. since, if not 0, leaves out those that have not changed after it.
func (s *Service) Find(ctx context.Context, team int64, q string, since int64, offset, limit int) (Fleet, error) {
	out := Fleet{Items: []Shown{}, At: s.millis()}
	if err := identity.Require(ctx, team, reading); err != nil {
		return out, err
	}
	found, err := s.find(ctx, team, q)
	if err != nil {
		return out, err
	}
	open, err := s.openCounts(ctx, team, found)
	if err != nil {
		return out, err
	}
	now := s.Now()
	out.Counts = s.count(found, now)
	for _, n := range found {
		if since > 0 && !n.changedAfter(since) {
			continue
		}
		if out.Total++; out.Total > offset && len(out.Items) < limit {
			out.Items = append(out.Items, s.shown(*n, now, open))
		}
	}
	return out, nil
}

func (s *Service) shown(n Node, now time.Time, open map[int64]int) Shown {
	v := Shown{Node: n, Offline: s.offline(&n, now)}
	if c, known := open[n.Set]; known && n.Set != 0 {
		v.OpenCVEs = &c
	}
	return v
}

// find gives the nodes that meet a search, by name. They are shared: look, do not change.
func (s *Service) find(ctx context.Context, team int64, q string) ([]*Node, error) {
	f, err := parseFilter(q)
	if err != nil {
		return nil, err
	}
	list, err := s.nodesOf(ctx, team)
	if err != nil {
		return nil, err
	}
	if len(f.terms) == 0 {
		return list, nil
	}
	known := looked{map[string]map[string]bool{}, map[string]map[int64]string{}}
	for _, cve := range f.cves() {
		if known.open[cve], err = s.nodesWithCVE(ctx, team, cve, list); err != nil {
			return nil, err
		}
	}
	for _, name := range f.packages() {
		if known.packages[name], err = s.withPackage(ctx, team, name); err != nil {
			return nil, err
		}
	}
	now := s.Now()
	var kept []*Node
	for _, n := range list {
		if f.meets(s, n, now, known) {
			kept = append(kept, n)
		}
	}
	return kept, nil
}

func (s *Service) count(list []*Node, now time.Time) Counts {
	c := Counts{map[protocol.NodeState]int{}, map[protocol.State]int{}, 0, 0, map[string]int{}, map[string]int{}, map[string]int{}}
	for _, n := range list {
		c.States[n.State]++
		if n.State != protocol.NodeAccepted {
			continue
		}
		c.Sites[n.Site]++
		c.Variants[n.Variant]++
		if n.Bundle != "" {
			c.Bundles[n.Bundle]++
		}
		if n.LostAt != 0 {
			c.Lost++
		}
		if s.offline(n, now) {
			c.Offline++
		} else {
			c.AgentStates[n.AgentState]++
		}
	}
	return c
}

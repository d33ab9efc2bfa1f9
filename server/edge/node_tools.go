package edge

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// RegisterTools adds what machines may do with the fleet.
func (s *Service) RegisterTools(r *tools.Registry) error {
	if err := s.registerRolloutTools(r); err != nil {
		return err
	}
	return r.Register(
		tools.New(tools.Spec{Name: "edge_nodes_list", Title: "List nodes of the fleet", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Nodes of a team that meet a query, with counts of all that were found by state, site, variant and bundle. query takes words of the name and " +
				"site:osl state:pending agent_state:failed bundle:… variant:debian/12/amd64 exit:6 cve:CVE-2026-1234 offline>24h held quarantined:… agent:<1.2 root:<3 label:value, a dash before excludes. Offline is normal."}, s.toolNodes),
		tools.New(tools.Spec{Name: "edge_node_get", Title: "Look at a node", Class: tools.ReadOnly, Level: identity.Read,
			Description: "One node by id or name: what it is, what it does, its last events, and the CVEs that published bundles would mend on it."}, s.toolNode),
		tools.New(tools.Spec{Name: "edge_bundles_list", Title: "List patch bundles", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Published bundles of a team, the newest first, with version, channel, variants, sizes and how many CVEs they mend; with cve which of them mend it and which nodes still carry it."}, s.toolBundles),
	)
}

type toolNodesIn struct {
	Team  string `json:"team"`
	Query string `json:"query,omitempty"`
	Limit int    `json:"limit,omitempty"`
}

// toolNode is a node without what a model has no use for.
type toolNode struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Site       string   `json:"site"`
	State      string   `json:"state"`
	Variant    string   `json:"variant"`
	AgentState string   `json:"agent_state"`
	Bundle     string   `json:"bundle"`
	Rollout    string   `json:"rollout"`
	LastExit   string   `json:"last_exit"`
	SeenAt     string   `json:"seen_at"`
	Offline    bool     `json:"offline"`
	OpenCVEs   *int     `json:"open_cves"`
	Held       []string `json:"held"`
}

func forTool(v Shown) toolNode {
	out := toolNode{v.ID, v.Name, v.Site, string(v.State), v.Variant, string(v.AgentState), v.Bundle, v.Rollout, "", "", v.Offline, v.OpenCVEs, v.Held}
	if v.LastExit != nil {
		out.LastExit = v.LastExit.String()
	}
	if v.SeenAt != 0 {
		out.SeenAt = rfc3339(v.SeenAt)
	}
	return out
}

type toolNodesOut struct {
	Total   int            `json:"total"`
	States  map[string]int `json:"states"`
	Agents  map[string]int `json:"agent_states"`
	Offline int            `json:"offline"`
	Nodes   []toolNode     `json:"nodes"`
}

// toolNodeCount is how many nodes a machine gets that names no limit.
const toolNodeCount = 50

func (s *Service) toolNodes(ctx context.Context, in toolNodesIn) (toolNodesOut, error) {
	out := toolNodesOut{States: map[string]int{}, Agents: map[string]int{}, Nodes: []toolNode{}}
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return out, err
	}
	limit := in.Limit
	if limit <= 0 || limit > mostNodes {
		limit = toolNodeCount
	}
	found, err := s.Find(ctx, team.ID, in.Query, 0, 0, limit)
	out.Total, out.Offline = found.Total, found.Counts.Offline
	for state, n := range found.Counts.States {
		out.States[string(state)] = n
	}
	for state, n := range found.Counts.AgentStates {
		out.Agents[string(state)] = n
	}
	for _, v := range found.Items {
		out.Nodes = append(out.Nodes, forTool(v))
	}
	return out, err
}

type toolNodeIn struct {
	Team string `json:"team"`
	Node string `json:"node"`
}

type toolEvent struct {
	At      string `json:"at"`
	Kind    string `json:"kind"`
	Bundle  string `json:"bundle"`
	State   string `json:"state"`
	Exit    string `json:"exit"`
	Message string `json:"message"`
}

type toolNodeOut struct {
	Node   toolNode    `json:"node"`
	Events []toolEvent `json:"events"`
	CVEs   []string    `json:"open_cves"`
}

func (s *Service) toolNode(ctx context.Context, in toolNodeIn) (toolNodeOut, error) {
	out := toolNodeOut{Events: []toolEvent{}, CVEs: []string{}}
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return out, err
	}
	n, err := s.rows().nodeWhere(ctx, "team_id = ? AND (id = ? OR name = ? AND state = 'accepted')", team.ID, in.Node, in.Node)
	if problem.Is(err, problem.NotFound) {
		return out, problem.New(problem.NotFound, "There is no node %.128s in team %s.", in.Node, team.Name)
	}
	if err != nil {
		return out, err
	}
	out.Node = forTool(s.shown(n, s.Now(), nil))
	events, err := s.rows().events(ctx, n.ID, 0, 20)
	if err != nil {
		return out, err
	}
	for _, e := range events {
		line := toolEvent{rfc3339(e.At), string(e.Kind), e.Bundle, string(e.State), "", e.Message}
		if e.Exit != nil {
			line.Exit = e.Exit.String()
		}
		out.Events = append(out.Events, line)
	}
	open, err := s.OpenCVEs(ctx, n)
	for _, m := range open {
		out.CVEs = append(out.CVEs, m.CVE+" in "+m.Source+", mended by "+m.Bundle)
	}
	return out, err
}

type toolBundlesIn struct {
	Team string `json:"team"`
	CVE  string `json:"cve,omitempty"`
}

type toolBundle struct {
	ID        string   `json:"id"`
	Version   int64    `json:"version"`
	Channel   string   `json:"channel"`
	Variants  []string `json:"variants"`
	Packages  int64    `json:"packages"`
	Fixes     int64    `json:"fixes"`
	Size      int64    `json:"size"`
	Published string   `json:"published_at"`
	Expires   string   `json:"expires_at"`
}

type toolBundlesOut struct {
	Bundles []toolBundle `json:"bundles"`
	// Carriers are nodes that still carry the CVE that was asked for.
	Carriers []string `json:"still_carried_by,omitempty"`
}

func (s *Service) toolBundles(ctx context.Context, in toolBundlesIn) (toolBundlesOut, error) {
	out := toolBundlesOut{Bundles: []toolBundle{}}
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return out, err
	}
	mending := map[string]bool{}
	if in.CVE != "" {
		found, err := s.FindCVE(ctx, team.ID, in.CVE)
		if err != nil {
			return out, err
		}
		for _, f := range found.Fixes {
			mending[f.Bundle] = true
		}
		for _, c := range found.Open {
			out.Carriers = append(out.Carriers, c.Name)
		}
	}
	list, err := s.Bundles(ctx, team.ID)
	for _, b := range list {
		if in.CVE != "" && !mending[b.ID] {
			continue
		}
		line := toolBundle{b.ID, b.Version, b.Channel, []string{}, b.Packages, b.Fixes, b.Size, rfc3339(b.PublishedAt), rfc3339(b.ExpiresAt)}
		for _, v := range b.Variants {
			line.Variants = append(line.Variants, v.Name)
		}
		out.Bundles = append(out.Bundles, line)
	}
	return out, err
}

func rfc3339(m api.Millis) string { return time.UnixMilli(int64(m)).UTC().Format(time.RFC3339) }

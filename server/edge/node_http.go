package edge

import (
	"context"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) nodeRoutes(r api.Router) {
	read, write := api.Scoped("edge", identity.Read), api.Scoped("edge", identity.Write)
	r.GET("/nodes", read, api.Handle(s.httpNodes))
	r.GET("/grid", read, api.Handle(s.httpGrid))
	r.GET("/nodes/:id", read, api.Handle(s.httpNode))
	r.PATCH("/nodes/:id", write, api.Handle(s.httpChangeNode))
	r.DELETE("/nodes/:id", write, api.Handle(s.httpDeleteNode))
	r.GET("/nodes/:id/events", read, api.Handle(s.httpEvents))
	r.GET("/nodes/:id/packages", read, api.Handle(s.httpPackages))
	r.GET("/nodes/:id/cves", read, api.Handle(s.httpNodeCVEs))
	r.POST("/nodes/:id/release", write, api.Handle(s.httpRelease))
	r.POST("/decisions", write, api.Handle(s.httpDecide))
	r.GET("/cves", read, api.Handle(s.httpCVE))
}

type teamIn struct {
	Team string `form:"team" json:"-"`
}

type nodesIn struct {
	Team   string `form:"team" json:"-"`
	Q      string `form:"q" json:"-"`
	Since  int64  `form:"since" json:"-"`
	Offset int    `form:"offset" json:"-"`
	Limit  int    `form:"limit" json:"-"`
}

const (
	usualNodes = 100
	mostNodes  = 1000
)

// Validate bounds the page.
func (in *nodesIn) Validate() error {
	if in.Limit == 0 {
		in.Limit = usualNodes
	}
	if in.Limit < 0 || in.Limit > mostNodes || in.Offset < 0 {
		return problem.FieldError("limit", "give 1 to %d", mostNodes)
	}
	return nil
}

func (s *Service) httpNodes(ctx context.Context, in nodesIn) (Fleet, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return Fleet{}, err
	}
	return s.Find(ctx, team.ID, in.Q, in.Since, in.Offset, in.Limit)
}

func (s *Service) httpGrid(ctx context.Context, in nodesIn) (Grid, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return Grid{}, err
	}
	return s.Grid(ctx, team.ID, in.Q, in.Since)
}

type nodeIn struct {
	ID string `uri:"id" json:"-" form:"-"`
}

func (s *Service) httpNode(ctx context.Context, in nodeIn) (Shown, error) {
	n, err := s.node(ctx, in.ID, reading)
	if err != nil {
		return Shown{}, err
	}
	open, err := s.openCounts(ctx, n.Team, []*Node{&n})
	if err != nil {
		return Shown{}, err
	}
	return s.shown(n, s.Now(), open), nil
}

type changeNodeIn struct {
	ID     string             `uri:"id" json:"-" form:"-"`
	Name   *string            `json:"name" form:"-"`
	Site   *string            `json:"site" form:"-"`
	Labels *map[string]string `json:"labels" form:"-"`
}

func (s *Service) httpChangeNode(ctx context.Context, in changeNodeIn) (Shown, error) {
	_, err := s.ChangeNode(ctx, in.ID, func(n *Node) {
		if in.Name != nil {
			n.Name = *in.Name
		}
		if in.Site != nil {
			n.Site = *in.Site
		}
		if in.Labels != nil {
			n.Labels = *in.Labels
		}
	})
	if err != nil {
		return Shown{}, err
	}
	return s.httpNode(ctx, nodeIn{in.ID})
}

func (s *Service) httpDeleteNode(ctx context.Context, in nodeIn) (api.Nothing, error) {
	return api.Nothing{}, s.DeleteNode(ctx, in.ID)
}

type eventsIn struct {
	ID     string `uri:"id" json:"-" form:"-"`
	Before int64  `form:"before" json:"-"`
	Limit  int    `form:"limit" json:"-"`
}

type eventsOut struct {
	Items []Event `json:"items"`
}

func (s *Service) httpEvents(ctx context.Context, in eventsIn) (eventsOut, error) {
	if in.Limit <= 0 || in.Limit > 500 {
		in.Limit = 100
	}
	if _, err := s.node(ctx, in.ID, reading); err != nil {
		return eventsOut{}, err
	}
	list, err := s.rows().events(ctx, in.ID, in.Before, in.Limit)
	return eventsOut{list}, err
}

type packagesOut struct {
	Items []protocol.Package `json:"items"`
}

func (s *Service) httpPackages(ctx context.Context, in nodeIn) (packagesOut, error) {
	n, err := s.node(ctx, in.ID, reading)
	if err != nil {
		return packagesOut{}, err
	}
	list, err := s.Packages(ctx, n)
	if list == nil {
		list = []protocol.Package{}
	}
	return packagesOut{list}, err
}

type openMend struct {
	CVE string `json:"cve"`
	Mend
}

type nodeCVEsOut struct {
	Items []openMend `json:"items"`
}

func (s *Service) httpNodeCVEs(ctx context.Context, in nodeIn) (nodeCVEsOut, error) {
	out := nodeCVEsOut{Items: []openMend{}}
	n, err := s.node(ctx, in.ID, reading)
	if err != nil {
		return out, err
	}
	list, err := s.OpenCVEs(ctx, n)
	for _, m := range list {
		out.Items = append(out.Items, openMend{m.CVE, m})
	}
	return out, err
}

type releaseIn struct {
	ID     string `uri:"id" json:"-" form:"-"`
	Bundle string `json:"bundle" form:"-"`
}

func (s *Service) httpRelease(ctx context.Context, in releaseIn) (api.Nothing, error) {
	return api.Nothing{}, s.ReleaseQuarantine(ctx, in.ID, in.Bundle)
}

type decideIn struct {
	Team     string   `json:"team" form:"-"`
	Decision Decision `json:"decision" form:"-"`
	Nodes    []string `json:"nodes" form:"-"`
	Reason   string   `json:"reason" form:"-"`
}

type decideOut struct {
	Items []Decided `json:"items"`
}

func (s *Service) httpDecide(ctx context.Context, in decideIn) (decideOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return decideOut{}, err
	}
	list, err := s.Decide(ctx, team.ID, in.Decision, in.Nodes, in.Reason)
	return decideOut{list}, err
}

type cveIn struct {
	Team string `form:"team" json:"-"`
	CVE  string `form:"cve" json:"-"`
}

func (s *Service) httpCVE(ctx context.Context, in cveIn) (CVE, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return CVE{}, err
	}
	return s.FindCVE(ctx, team.ID, in.CVE)
}

package ci

import (
	"context"
	"net/url"
	"time"

	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) resourceRoutes(r api.Router) {
	r.GET("/resources/:id", exposable(), api.Handle(s.httpResource))
	r.GET("/resources/:id/versions", exposable(), api.Handle(s.httpVersions))
	r.POST("/resources/:id/check", operating(), api.Handle(s.httpCheck))
	r.POST("/resources/:id/pin", operating(), api.Handle(s.httpPin))
	r.POST("/resources/:id/unpin", operating(), api.Handle(s.httpUnpin))
	r.GET("/versions/:id/builds", exposable(), api.Handle(s.httpVersionBuilds))
	r.POST("/versions/:id/enable", operating(), api.Handle(s.httpEnable(true)))
	r.POST("/versions/:id/disable", operating(), api.Handle(s.httpEnable(false)))
}

type resourceShape struct {
	graphResource
	Pipeline           ref              `json:"pipeline"`
	PinnedVersion      resource.Version `json:"pinned_version,omitempty"`
	PinnedInConfig     bool             `json:"pinned_in_config,omitempty"`
	PinComment         string           `json:"pin_comment,omitempty"`
	LastCheckSucceeded bool             `json:"last_check_succeeded"`
	WebhookURL         string           `json:"webhook_url,omitempty"`
	UsedBy             []string         `json:"used_by"`
	// CheckedBy is webhook or poll, and CheckedReason says why in words.
	CheckedBy     string `json:"checked_by"`
	CheckedReason string `json:"checked_reason"`
	// CheckBuild is the build of the last check while its log is kept.
	CheckBuild *ref `json:"check_build,omitempty"`
}

func (s *Service) shapeResource(ctx context.Context, r resourceRow) (resourceShape, error) {
	p, config, err := s.pipelineConfig(ctx, r.PipelineID)
	if err != nil {
		return resourceShape{}, err
	}
	declared, _ := config.Resource(r.Name)
	out := resourceShape{Pipeline: ref{p.ID, p.Name}, PinComment: r.PinComment, LastCheckSucceeded: r.CheckEndedAt != 0 && r.CheckError == "",
		UsedBy: facts{config}.users(r.Name)}
	polling, err := s.pollingOf(ctx, r)
	if err != nil {
		return out, err
	}
	out.CheckedBy, out.CheckedReason = polling.by, polling.reason
	if out.CheckBuild, err = s.lastCheck(ctx, r); err != nil {
		return out, err
	}
	out.graphResource = graphResource{ID: r.ID, Name: r.Name, Type: r.Type, Icon: declared.Icon, LastCheckedAt: r.CheckEndedAt.pointer(),
		CheckError: r.CheckError, NextCheckAt: nextCheckShown(p, r)}
	latest, err := s.latestVersion(ctx, r, false)
	if err != nil {
		return out, err
	}
	if latest.ID != 0 {
		out.LastVersion = latest.fields()
	}
	switch {
	case r.PinnedVersionID != 0:
		v, err := s.version(ctx, r.PinnedVersionID)
		if err != nil {
			return out, err
		}
		out.PinnedVersion, out.Pinned = v.fields(), true
	case declared.Version != nil:
		out.PinnedVersion, out.Pinned, out.PinnedInConfig = resource.Version(declared.Version), true, true
	}
	if !own(ctx, r.TeamID) {
		out.CheckError, out.PinComment = "", ""
		return out, nil
	}
	if declared.WebhookToken == "" {
		return out, nil
	}
	team, err := s.teamName(ctx, r.TeamID)
	out.WebhookURL = s.publicURL() + "/api/v1/teams/" + url.PathEscape(team) + "/pipelines/" + url.PathEscape(p.Name) + "/resources/" +
		url.PathEscape(r.Name) + "/check/webhook"
	return out, err
}

func (s *Service) httpResource(ctx context.Context, in byID) (resourceShape, error) {
	r, err := s.seenResource(ctx, in.ID)
	if err != nil {
		return resourceShape{}, err
	}
	return s.shapeResource(ctx, r)
}

type versionsIn struct {
	ID     int64 `uri:"id" json:"-"`
	Offset int   `form:"offset" json:"-"`
	Limit  int   `form:"limit" json:"-"`
}

// Validate bounds the page.
func (in *versionsIn) Validate() error {
	if in.Limit == 0 {
		in.Limit = 50
	}
	if in.Limit < 1 || in.Limit > 200 {
		return problem.FieldError("limit", "is not between 1 and 200")
	}
	if in.Offset < 0 {
		return problem.FieldError("offset", "is negative")
	}
	return nil
}

type versionShape struct {
	ID        int64            `json:"id"`
	Version   resource.Version `json:"version"`
	Metadata  []resource.Field `json:"metadata"`
	Enabled   bool             `json:"enabled"`
	Pinned    bool             `json:"pinned"`
	CreatedAt time.Time        `json:"created_at"`
}

func shapeVersion(v versionRow, r resourceRow) versionShape {
	return versionShape{v.ID, v.fields(), v.metadata(), v.Enabled, r.PinnedVersionID == v.ID, v.CreatedAt.Time()}
}

type versionList struct {
	Items []versionShape `json:"items"`
	More  bool           `json:"more"`
}

func (s *Service) httpVersions(ctx context.Context, in versionsIn) (versionList, error) {
	out := versionList{Items: []versionShape{}}
	r, err := s.seenResource(ctx, in.ID)
	if err != nil {
		return out, err
	}
	rows, err := s.versions(ctx, r, in.Limit+1, in.Offset)
	out.More = len(rows) > in.Limit
	if err != nil {
		return out, err
	}
	_, config, err := s.pipelineConfig(ctx, r.PipelineID)
	for _, v := range rows[:min(in.Limit, len(rows))] {
		shown := shapeVersion(v, r)
		shown.Metadata = visibleMetadata(ctx, r.TeamID, config, r.Name, shown.Metadata)
		out.Items = append(out.Items, shown)
	}
	return out, err
}

func (s *Service) httpCheck(ctx context.Context, in byID) (api.Created[buildShape], error) {
	r, err := s.resourceFor(ctx, in.ID, identity.Operate)
	if err != nil {
		return api.Created[buildShape]{}, err
	}
	b, err := s.startCheck(ctx, r, nil, true, "Check asked for by "+orSomebody(callerName(ctx)))
	if err != nil {
		return api.Created[buildShape]{}, err
	}
	return s.createdBuild(ctx, b)
}

type pinIn struct {
	ID        int64  `uri:"id" json:"-"`
	VersionID int64  `json:"version_id"`
	Comment   string `json:"comment"`
}

func (s *Service) httpPin(ctx context.Context, in pinIn) (resourceShape, error) {
	r, err := s.resourceFor(ctx, in.ID, identity.Operate)
	if err != nil {
		return resourceShape{}, err
	}
	if in.VersionID == 0 {
		return resourceShape{}, problem.FieldError("version_id", "say which version")
	}
	if err := s.pinVersion(ctx, r, in.VersionID, in.Comment); err != nil {
		return resourceShape{}, err
	}
	return s.httpResource(ctx, byID{in.ID})
}

func (s *Service) httpUnpin(ctx context.Context, in byID) (resourceShape, error) {
	r, err := s.resourceFor(ctx, in.ID, identity.Operate)
	if err != nil {
		return resourceShape{}, err
	}
	if err := s.pinVersion(ctx, r, 0, ""); err != nil {
		return resourceShape{}, err
	}
	return s.httpResource(ctx, in)
}

func (s *Service) httpEnable(enabled bool) func(context.Context, byID) (versionShape, error) {
	return func(ctx context.Context, in byID) (versionShape, error) {
		v, err := s.version(ctx, in.ID)
		if err != nil {
			return versionShape{}, err
		}
		r, err := s.resourceFor(ctx, v.ResourceID, identity.Operate)
		if err != nil {
			return versionShape{}, err
		}
		if err := s.enableVersion(ctx, r, v.ID, enabled); err != nil {
			return versionShape{}, err
		}
		v.Enabled = enabled
		return shapeVersion(v, r), nil
	}
}

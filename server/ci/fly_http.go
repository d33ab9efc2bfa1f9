package ci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// ConcourseVersion is what fly compares with its own: major and minor must agree.
const ConcourseVersion = "8.2.5"

const (
	versionHeader = "X-Concourse-Version"
	configHeader  = "X-Concourse-Config-Version"
)

// fly serves Concourse's API; answers and errors have Concourse's shapes, not ours.
type fly struct{ *Service }

// FlyRoutes registers the part of Concourse's API that is about pipelines and builds.
func (s *Service) FlyRoutes(root api.Router) {
	f := fly{s}
	r := root.Group("/api/v1").Denying(denyFly)
	f.infoRoutes(r)
	f.healthRoutes(r)
	f.pipelineRoutes(r)
	f.jobRoutes(r)
	f.buildRoutes(r)
	f.resourceRoutes(r)
	f.typeRoutes(r)
	f.workerRoutes(r)
}

// denyFly answers as Concourse does: a stranger to a team is forbidden, and the
// body says no more than that.
func denyFly(c *gin.Context, err error) {
	c.Header(versionHeader, ConcourseVersion)
	if problem.Is(err, problem.Unauthorized) {
		c.String(http.StatusUnauthorized, "not authorized")
		return
	}
	c.String(http.StatusForbidden, "forbidden")
}

// handle makes a gin handler of a function whose error becomes an answer in Concourse's words.
func (f fly) handle(h func(c *gin.Context) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Header(versionHeader, ConcourseVersion)
		if err := h(c); err != nil {
			f.fail(c, err)
		}
	}
}

func (f fly) fail(c *gin.Context, err error) {
	var p *problem.Error
	if !errors.As(err, &p) {
		if c.Request.Context().Err() == nil {
			f.deps.Log.ErrorContext(c.Request.Context(), "request failed", "error", err, "route", c.FullPath(), "request_id", api.RequestID(c.Request.Context()))
		}
		c.Status(http.StatusInternalServerError)
		c.Writer.WriteHeaderNow()
		return
	}
	switch p.Kind {
	case problem.NotFound:
		c.Status(http.StatusNotFound)
		c.Writer.WriteHeaderNow()
	case problem.Unauthorized, problem.Forbidden:
		denyFly(c, err)
	default:
		c.String(p.Status(), "%s", p.Detail)
	}
}

// json answers with exactly the content type that fly compares.
func (f fly) json(c *gin.Context, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode an answer: %w", err)
	}
	c.Header("Cache-Control", "no-store, private")
	c.Data(status, "application/json", append(body, '\n'))
	return nil
}

func (f fly) ok(c *gin.Context, err error) error {
	if err != nil {
		return err
	}
	c.Status(http.StatusOK)
	c.Writer.WriteHeaderNow()
	return nil
}

func reading() api.Access { return api.Scoped("ci", identity.Read) }

// listing guards lists over all teams: they show what the caller may see, to
// strangers the exposed pipelines.
func listing() api.Access   { return api.Public("lists the caller's and the exposed pipelines") }
func operating() api.Access { return api.Scoped("ci", identity.Operate) }
func writing() api.Access   { return api.Scoped("ci", identity.Write) }

// team is the team of the path, in which the caller holds the level.
func (f fly) team(c *gin.Context, level identity.Level) (identity.Team, error) {
	return identity.RequireTeam(c.Request.Context(), c.Param("team"), scope(level))
}

// pipelineOf is the pipeline of the path and query, in which the caller holds the level.
func (f fly) pipelineOf(c *gin.Context, level identity.Level) (pipelineRow, error) {
	team, err := f.team(c, level)
	if err != nil {
		return pipelineRow{}, err
	}
	vars, err := instanceVars(c.Request.URL.Query())
	if err != nil {
		return pipelineRow{}, problem.New(problem.Invalid, "instance vars are malformed: %v", err)
	}
	return f.pipelineByName(c.Request.Context(), team.ID, c.Param("pipeline"), canonicalVars(vars))
}

// seenPipelineOf is the pipeline of the path and query if the caller may see it:
// its readers, and anybody when it is exposed. Others do not learn whether it exists.
func (f fly) seenPipelineOf(c *gin.Context) (pipelineRow, error) {
	ctx := c.Request.Context()
	if own(ctx, identity.From(ctx).Teams[c.Param("team")].ID) {
		return f.pipelineOf(c, identity.Read)
	}
	vars, err := instanceVars(c.Request.URL.Query())
	if err != nil {
		return pipelineRow{}, problem.New(problem.Invalid, "instance vars are malformed: %v", err)
	}
	var p pipelineRow
	team, err := f.deps.TeamID(ctx, c.Param("team"))
	if err == nil {
		p, err = f.pipelineByName(ctx, team, c.Param("pipeline"), canonicalVars(vars))
	}
	switch {
	case err == nil && p.Public:
		return p, nil
	case err != nil && !problem.Is(err, problem.NotFound):
		return p, err
	case identity.From(ctx).SignedIn():
		return p, problem.New(problem.Forbidden, "forbidden")
	}
	return p, problem.New(problem.Unauthorized, "not authorized")
}

func (f fly) seenJobOf(c *gin.Context) (pipelineRow, jobRow, error) {
	p, err := f.seenPipelineOf(c)
	if err != nil {
		return p, jobRow{}, err
	}
	j, err := f.jobByName(c.Request.Context(), p.ID, c.Param("job"))
	return p, j, err
}

func (f fly) seenResourceOf(c *gin.Context) (pipelineRow, resourceRow, error) {
	p, err := f.seenPipelineOf(c)
	if err != nil {
		return p, resourceRow{}, err
	}
	r, err := f.resourceByName(c.Request.Context(), p.ID, c.Param("resource"))
	return p, r, err
}

func (f fly) jobOf(c *gin.Context, level identity.Level) (pipelineRow, jobRow, error) {
	p, err := f.pipelineOf(c, level)
	if err != nil {
		return p, jobRow{}, err
	}
	j, err := f.jobByName(c.Request.Context(), p.ID, c.Param("job"))
	return p, j, err
}

func (f fly) resourceOf(c *gin.Context, level identity.Level) (pipelineRow, resourceRow, error) {
	p, err := f.pipelineOf(c, level)
	if err != nil {
		return p, resourceRow{}, err
	}
	r, err := f.resourceByName(c.Request.Context(), p.ID, c.Param("resource"))
	return p, r, err
}

// buildOf is the build of the path by its number over all.
func (f fly) buildOf(c *gin.Context, level identity.Level) (buildRow, error) {
	return f.numbered(c, func(ctx context.Context, id int64) (buildRow, error) { return f.buildFor(ctx, id, level) })
}

// numbered loads the build of the path with one of the checks of who may.
func (f fly) numbered(c *gin.Context, load func(context.Context, int64) (buildRow, error)) (buildRow, error) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return buildRow{}, problem.New(problem.NotFound, "There is no build %s.", c.Param("id"))
	}
	return load(c.Request.Context(), id)
}

// instanceVars reads `vars={json}` and `vars.key="json"`; keys with dots are
// quoted, and nested references make nested maps.
func instanceVars(query url.Values) (pipeline.InstanceVars, error) {
	out := pipeline.InstanceVars{}
	if whole := query.Get("vars"); whole != "" {
		if err := json.Unmarshal([]byte(whole), &out); err != nil {
			return nil, err
		}
	}
	for key, values := range query {
		path, ok := strings.CutPrefix(key, "vars.")
		if !ok || len(values) == 0 {
			continue
		}
		var value any
		if err := json.Unmarshal([]byte(values[0]), &value); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		setPath(out, splitRef(path), value)
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// splitRef splits at dots outside of double quotes.
func splitRef(ref string) []string {
	var parts []string
	var part strings.Builder
	quoted := false
	for _, r := range ref {
		switch {
		case r == '"':
			quoted = !quoted
		case r == '.' && !quoted:
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteRune(r)
		}
	}
	return append(parts, part.String())
}

func setPath(tree map[string]any, path []string, value any) {
	for len(path) > 1 {
		next, ok := tree[path[0]].(map[string]any)
		if !ok {
			next = map[string]any{}
			tree[path[0]] = next
		}
		tree, path = next, path[1:]
	}
	tree[path[0]] = value
}

package ci

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (f fly) buildRoutes(r api.Router) {
	r.GET("/builds", listing(), f.handle(f.allBuilds))
	r.GET("/teams/:team/builds", reading(), f.handle(f.teamBuilds))
	r.POST("/teams/:team/builds", writing(), f.handle(f.execute))
	r.GET("/teams/:team/pipelines/:pipeline/builds", exposable(), f.handle(f.pipelineBuilds))
	r.POST("/teams/:team/pipelines/:pipeline/builds", writing(), f.handle(f.executeInPipeline))
	r.GET("/builds/:id", exposable(), f.handle(f.getBuild))
	r.GET("/builds/:id/plan", exposable(), f.handle(f.getPlan))
	r.GET("/builds/:id/resources", exposable(), f.handle(f.getBuildResources))
	r.GET("/builds/:id/preparation", exposable(), f.handle(f.getPreparation))
	r.GET("/builds/:id/artifacts", reading(), f.handle(f.getArtifacts))
	r.GET("/builds/:id/events", exposable(), f.handle(f.events))
	r.PUT("/builds/:id/abort", operating(), f.handle(f.abortBuild))
	r.PUT("/builds/:id/comment", operating(), f.handle(f.commentBuild))
}

func (f fly) allBuilds(c *gin.Context) error {
	return f.listBuilds(c, buildFilter{Teams: identity.From(c.Request.Context()).TeamIDs(scope(identity.Read)), Exposed: true}, "/api/v1/builds", nil)
}

func (f fly) teamBuilds(c *gin.Context) error {
	team, err := f.team(c, identity.Read)
	if err != nil {
		return err
	}
	return f.listBuilds(c, buildFilter{Teams: []int64{team.ID}}, "/api/v1/teams/"+url.PathEscape(team.Name)+"/builds", nil)
}

func (f fly) pipelineBuilds(c *gin.Context) error {
	p, err := f.seenPipelineOf(c)
	if err != nil {
		return err
	}
	return f.listBuilds(c, buildFilter{Pipeline: p.ID, JobsOnly: !own(c.Request.Context(), p.TeamID)}, f.pipelinePath(c)+"/builds", p.instanceVars())
}

func (f fly) pipelinePath(c *gin.Context) string {
	return "/api/v1/teams/" + url.PathEscape(c.Param("team")) + "/pipelines/" + url.PathEscape(c.Param("pipeline"))
}

func (f fly) listJobBuilds(c *gin.Context) error {
	p, j, err := f.seenJobOf(c)
	if err != nil {
		return err
	}
	return f.listBuilds(c, buildFilter{Job: j.ID}, f.pipelinePath(c)+"/jobs/"+url.PathEscape(j.Name)+"/builds", p.instanceVars())
}

func (f fly) getBuild(c *gin.Context) error {
	b, err := f.numbered(c, f.seenBuild)
	if err != nil {
		return err
	}
	return f.showBuild(c, http.StatusOK, b)
}

func (f fly) abortBuild(c *gin.Context) error {
	b, err := f.buildOf(c, identity.Operate)
	if err != nil {
		return err
	}
	if err := f.abort(c.Request.Context(), b); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
	return nil
}

func (f fly) commentBuild(c *gin.Context) error {
	b, err := f.buildOf(c, identity.Operate)
	if err != nil {
		return err
	}
	var in struct {
		Comment string `json:"comment"`
	}
	if err := f.body(c, &in); err != nil {
		return err
	}
	f.buildChanged(c.Request.Context(), b)
	return f.ok(c, f.setComment(c.Request.Context(), b.ID, in.Comment))
}

func (f fly) getPlan(c *gin.Context) error {
	b, err := f.numbered(c, f.openBuild)
	if err != nil {
		return err
	}
	if b.Plan == "" {
		return problem.New(problem.NotFound, "The build has no plan yet.")
	}
	p, err := decode[plan.Plan](b.Plan)
	if err != nil {
		return err
	}
	public, err := p.Public()
	if err != nil {
		return err
	}
	return f.json(c, http.StatusOK, struct {
		Schema string          `json:"schema"`
		Plan   json.RawMessage `json:"plan"`
	}{"exec.v2", public})
}

type flyBuildInput struct {
	Name       string           `json:"name"`
	Version    resource.Version `json:"version"`
	PipelineID int64            `json:"pipeline_id"`
	First      bool             `json:"first_occurrence"`
}

type flyBuildOutput struct {
	Name    string           `json:"name"`
	Version resource.Version `json:"version"`
}

func (f fly) getBuildResources(c *gin.Context) error {
	b, err := f.numbered(c, f.seenBuild)
	if err != nil {
		return err
	}
	used, err := f.buildVersions(c.Request.Context(), b.ID)
	if err != nil {
		return err
	}
	inputs, outputs := []flyBuildInput{}, []flyBuildOutput{}
	for _, u := range used {
		v, err := decode[resource.Version](u.Version)
		if err != nil {
			return err
		}
		if u.Direction == input {
			inputs = append(inputs, flyBuildInput{u.Name, v, b.PipelineID, u.First})
		} else {
			outputs = append(outputs, flyBuildOutput{u.Name, v})
		}
	}
	return f.json(c, http.StatusOK, map[string]any{"inputs": inputs, "outputs": outputs})
}

type flyPreparation struct {
	BuildID         int64             `json:"build_id"`
	PausedPipeline  string            `json:"paused_pipeline"`
	PausedJob       string            `json:"paused_job"`
	MaxRunning      string            `json:"max_running_builds"`
	Inputs          map[string]string `json:"inputs"`
	InputsSatisfied string            `json:"inputs_satisfied"`
	Missing         map[string]string `json:"missing_input_reasons"`
}

func blocking(yes bool) string {
	if yes {
		return "blocking"
	}
	return "not_blocking"
}

func (f fly) getPreparation(c *gin.Context) error {
	b, err := f.numbered(c, f.openBuild)
	if err != nil {
		return err
	}
	p, err := f.prepare(c.Request.Context(), b)
	if err != nil {
		return err
	}
	out := flyPreparation{BuildID: b.ID, PausedPipeline: blocking(p.PausedPipeline), PausedJob: blocking(p.PausedJob), MaxRunning: blocking(p.Full),
		Inputs: map[string]string{}, InputsSatisfied: blocking(len(p.Missing) > 0 || len(p.Unchecked) > 0), Missing: p.Missing}
	for _, in := range p.Inputs {
		_, missing := p.Missing[in]
		out.Inputs[in] = blocking(missing)
	}
	for _, name := range p.Unchecked {
		if out.Missing[name] == "" {
			out.Missing[name] = "waiting for the check of the resource to end"
		}
	}
	return f.json(c, http.StatusOK, out)
}

// execute runs a plan that fly made.
func (f fly) execute(c *gin.Context) error {
	team, err := f.team(c, identity.Write)
	if err != nil {
		return err
	}
	return f.executePlan(c, team.ID, 0)
}

func (f fly) executeInPipeline(c *gin.Context) error {
	p, err := f.pipelineOf(c, identity.Write)
	if err != nil {
		return err
	}
	if err := refuseArchived(p); err != nil {
		return err
	}
	return f.executePlan(c, p.TeamID, p.ID)
}

func (f fly) executePlan(c *gin.Context, team, pipelineID int64) error {
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxConfig))
	if err != nil {
		return problem.Wrap(err, problem.Invalid, "malformed request")
	}
	var p plan.Plan
	if err := json.Unmarshal(body, &p); err != nil {
		return problem.New(problem.Invalid, "malformed request: %s", err)
	}
	b, err := f.startPlan(c.Request.Context(), team, pipelineID, p)
	if err != nil {
		return err
	}
	return f.showBuild(c, http.StatusCreated, b)
}

func queryEscape(text string) string { return url.QueryEscape(text) }

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

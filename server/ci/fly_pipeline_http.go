package ci

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (f fly) pipelineRoutes(r api.Router) {
	r.GET("/pipelines", listing(), f.handle(f.listAll))
	r.GET("/teams/:team/pipelines", exposable(), f.handle(f.listPipelines))
	r.PUT("/teams/:team/pipelines/ordering", writing(), f.handle(f.orderPipelines))
	const one = "/teams/:team/pipelines/:pipeline"
	r.GET(one, exposable(), f.handle(f.getPipeline))
	r.DELETE(one, writing(), f.handle(f.destroyPipeline))
	r.GET(one+"/config", reading(), f.handle(f.getConfig))
	r.PUT(one+"/config", writing(), f.handle(f.putConfig))
	for action, level := range pipelineActions {
		r.PUT(one+"/"+action, api.Scoped("ci", level), f.handle(f.act(action, level)))
	}
	r.PUT(one+"/rename", writing(), f.handle(f.renamePipeline))
	r.PUT(one+"/ordering", writing(), f.handle(f.orderInstanced))
	r.GET(one+"/resource-types", reading(), f.handle(f.resourceTypes))
	r.GET(one+"/badge", api.Foreign("badges are embedded in other sites; only exposed pipelines have one for strangers"), f.handle(f.pipelineBadge))
	r.GET("/teams/:team/cc.xml", reading(), f.handle(f.ccXML))
}

func (f fly) listAll(c *gin.Context) error {
	ctx := c.Request.Context()
	rows, err := f.visiblePipelines(ctx, identity.From(ctx).TeamIDs(scope(identity.Read)))
	if err != nil {
		return err
	}
	return f.showPipelines(c, rows)
}

func (f fly) listPipelines(c *gin.Context) error {
	rows, err := f.pipelinesOfTeam(c.Request.Context(), c.Param("team"))
	if problem.Is(err, problem.NotFound) {
		err = problem.New(problem.Forbidden, "forbidden")
	}
	if err != nil {
		return err
	}
	return f.showPipelines(c, rows)
}

func (f fly) showPipelines(c *gin.Context, rows []pipelineRow) error {
	ctx := c.Request.Context()
	n := f.names()
	out := make([]flyPipeline, 0, len(rows))
	for _, p := range rows {
		team, err := n.team(ctx, p.TeamID)
		if err != nil {
			return err
		}
		shown, err := f.presentPipeline(ctx, p, team)
		if err != nil {
			return err
		}
		out = append(out, shown)
	}
	return f.json(c, http.StatusOK, out)
}

func (f fly) getPipeline(c *gin.Context) error {
	p, err := f.seenPipelineOf(c)
	if err != nil {
		return err
	}
	out, err := f.presentPipeline(c.Request.Context(), p, c.Param("team"))
	if err != nil {
		return err
	}
	return f.json(c, http.StatusOK, out)
}

func (f fly) destroyPipeline(c *gin.Context) error {
	p, err := f.pipelineOf(c, identity.Write)
	if err != nil {
		return err
	}
	if err := f.destroy(c.Request.Context(), p); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
	return nil
}

func (f fly) getConfig(c *gin.Context) error {
	p, err := f.pipelineOf(c, identity.Read)
	if err != nil {
		return err
	}
	if p.Archived {
		return problem.New(problem.NotFound, "The pipeline is archived.")
	}
	config, err := f.configs.of(p)
	if err != nil {
		return err
	}
	c.Header(configHeader, formatInt(p.Version))
	if config.Signalbox == nil {
		return f.json(c, http.StatusOK, map[string]json.RawMessage{"config": json.RawMessage(p.Config)})
	}
	return f.json(c, http.StatusOK, map[string]pipeline.Config{"config": config.ForFly()})
}

type flySaved struct {
	Errors   []string           `json:"errors,omitempty"`
	Warnings []pipeline.Warning `json:"warnings,omitempty"`
}

// maxConfig bounds a configuration; pipeline.Parse refuses larger ones in words.
const maxConfig = 11 << 20

func (f fly) putConfig(c *gin.Context) error {
	team, err := f.team(c, identity.Write)
	if err != nil {
		return err
	}
	from := int64(0)
	if text := c.GetHeader(configHeader); text != "" {
		if from, err = strconv.ParseInt(text, 10, 64); err != nil {
			return f.refuse(c, fmt.Sprintf("config version is malformed: %s", err))
		}
	}
	if t := c.GetHeader("Content-Type"); t != "application/json" && t != "application/x-yaml" {
		c.Status(http.StatusUnsupportedMediaType)
		c.Writer.WriteHeaderNow()
		return nil
	}
	source, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxConfig))
	if err != nil {
		return f.refuse(c, fmt.Sprintf("read failed: %s", err))
	}
	config, messages, warnings := validate(source)
	if len(messages) > 0 {
		return f.refuse(c, messages...)
	}
	warning, bad := pipeline.CheckName(c.Param("pipeline"), "pipeline")
	if bad != "" {
		return f.refuse(c, bad)
	}
	if warning != nil {
		warnings = append(warnings, *warning)
	}
	vars, err := instanceVars(c.Request.URL.Query())
	if err != nil {
		return f.refuse(c, fmt.Sprintf("instance vars are malformed: %v", err))
	}
	if _, check := c.Request.URL.Query()["check_creds"]; check {
		if err := f.checkCredentials(c.Request.Context(), team, c.Param("pipeline"), vars, config); err != nil {
			return f.refuse(c, fmt.Sprintf("credential validation failed\n\n%s", err))
		}
	}
	return f.save(c, setRequest{Team: team.ID, Name: c.Param("pipeline"), InstanceVars: vars, Config: config, Source: source, From: from,
		By: callerName(c.Request.Context())}, warnings)
}

func (f fly) save(c *gin.Context, req setRequest, warnings []pipeline.Warning) error {
	saved, err := f.setPipeline(c.Request.Context(), req)
	if errors.Is(err, errComparison) {
		c.String(http.StatusInternalServerError, "failed to save config: %s", err)
		return nil
	}
	if err != nil {
		return err
	}
	status := http.StatusOK
	if saved.Created {
		status = http.StatusCreated
	}
	return f.json(c, status, flySaved{Warnings: warnings})
}

func (f fly) refuse(c *gin.Context, messages ...string) error {
	return f.json(c, http.StatusBadRequest, flySaved{Errors: messages})
}

func (f fly) act(action string, level identity.Level) func(*gin.Context) error {
	return func(c *gin.Context) error {
		p, err := f.pipelineOf(c, level)
		if err != nil {
			return err
		}
		return f.ok(c, f.changePipeline(c.Request.Context(), p, action))
	}
}

func (f fly) renamePipeline(c *gin.Context) error {
	p, err := f.pipelineOf(c, identity.Write)
	if err != nil {
		return err
	}
	var in struct {
		Name string `json:"name"`
	}
	if err := f.body(c, &in); err != nil {
		return err
	}
	warnings, err := f.rename(c.Request.Context(), p, in.Name)
	if problem.Is(err, problem.Invalid) {
		return f.refuse(c, problem.From(err).Detail)
	}
	if err != nil {
		return err
	}
	return f.json(c, http.StatusOK, flySaved{Warnings: warnings})
}

func (f fly) orderPipelines(c *gin.Context) error {
	team, err := f.team(c, identity.Write)
	if err != nil {
		return err
	}
	var names []string
	if err := f.body(c, &names); err != nil {
		return err
	}
	return f.ok(c, f.order(c.Request.Context(), team.ID, names))
}

func (f fly) orderInstanced(c *gin.Context) error {
	team, err := f.team(c, identity.Write)
	if err != nil {
		return err
	}
	var instances []pipeline.InstanceVars
	if err := f.body(c, &instances); err != nil {
		return err
	}
	return f.ok(c, f.orderInstances(c.Request.Context(), team.ID, c.Param("pipeline"), instances))
}

func (f fly) resourceTypes(c *gin.Context) error {
	p, err := f.pipelineOf(c, identity.Read)
	if err != nil {
		return err
	}
	config, err := f.configs.of(p)
	if err != nil {
		return err
	}
	types := config.ResourceTypes
	if types == nil {
		types = []pipeline.ResourceType{}
	}
	return f.json(c, http.StatusOK, types)
}

// body reads a small JSON body; an empty one leaves v as it is.
func (f fly) body(c *gin.Context, v any) error {
	data, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, 1<<20))
	if err == nil && len(data) > 0 {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		return problem.New(problem.Invalid, "malformed request body: %s", err)
	}
	return nil
}

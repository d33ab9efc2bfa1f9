package ci

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (f fly) workerRoutes(r api.Router) {
	r.GET("/workers", reading(), f.handle(f.workers))
	r.PUT("/workers/:worker/land", api.Admin(), f.handle(f.landWorker))
	r.PUT("/workers/:worker/prune", api.Admin(), f.handle(f.pruneWorker))
	r.GET("/teams/:team/containers", reading(), f.handle(f.listContainers))
	r.GET("/teams/:team/containers/:handle", reading(), f.handle(f.getContainer))
	r.GET("/teams/:team/containers/:handle/hijack", writing(), f.handle(f.hijackContainer))
	r.GET("/teams/:team/volumes", reading(), f.handle(f.listVolumes))
	r.POST("/teams/:team/artifacts", writing(), f.handle(f.uploadArtifact))
	r.GET("/teams/:team/artifacts/:artifact", reading(), f.handle(f.downloadArtifact))
}

type flyWorkerType struct {
	Type       string `json:"type"`
	Image      string `json:"image"`
	Version    string `json:"version"`
	Privileged bool   `json:"privileged"`
}

type flyWorker struct {
	Addr             string          `json:"addr"`
	BaggageclaimURL  string          `json:"baggageclaim_url"`
	ActiveContainers int             `json:"active_containers"`
	ActiveVolumes    int             `json:"active_volumes"`
	ActiveTasks      int             `json:"active_tasks"`
	MaxActiveTasks   int             `json:"max_active_tasks"`
	ResourceTypes    []flyWorkerType `json:"resource_types"`
	Platform         string          `json:"platform"`
	Tags             []string        `json:"tags"`
	Team             string          `json:"team"`
	Name             string          `json:"name"`
	Version          string          `json:"version"`
	StartTime        int64           `json:"start_time"`
	Ephemeral        bool            `json:"ephemeral"`
	State            string          `json:"state"`
}

func (f fly) workers(c *gin.Context) error {
	all, err := f.Service.workers(c.Request.Context())
	if err != nil {
		return err
	}
	out := []flyWorker{}
	for _, w := range all {
		shown := flyWorker{ActiveContainers: w.Containers, ActiveVolumes: w.Volumes, Platform: "linux", Tags: append([]string{}, f.deps.WorkerTags...), Name: w.Name, Version: "2.5",
			State: string(w.State), ResourceTypes: []flyWorkerType{}}
		for _, name := range f.deps.NativeTypes {
			shown.ResourceTypes = append(shown.ResourceTypes, flyWorkerType{Type: name, Version: ConcourseVersion})
		}
		out = append(out, shown)
	}
	return f.json(c, http.StatusOK, out)
}

type flyContainer struct {
	ID           string                `json:"id"`
	WorkerName   string                `json:"worker_name"`
	State        string                `json:"state,omitempty"`
	Type         string                `json:"type,omitempty"`
	StepName     string                `json:"step_name,omitempty"`
	Attempt      string                `json:"attempt,omitempty"`
	PipelineID   int64                 `json:"pipeline_id,omitempty"`
	JobID        int64                 `json:"job_id,omitempty"`
	BuildID      int64                 `json:"build_id,omitempty"`
	PipelineName string                `json:"pipeline_name,omitempty"`
	InstanceVars pipeline.InstanceVars `json:"pipeline_instance_vars,omitempty"`
	JobName      string                `json:"job_name,omitempty"`
	BuildName    string                `json:"build_name,omitempty"`
	ResourceName string                `json:"resource_name,omitempty"`
	User         string                `json:"user,omitempty"`
	Directory    string                `json:"working_directory,omitempty"`
}

func (f fly) presentContainer(r containerRow) flyContainer {
	out := flyContainer{ID: r.Step.Container, State: "created", Type: r.Step.Kind, StepName: r.Step.Name, Attempt: r.Step.Attempt, PipelineID: r.PipelineID, JobID: r.JobID,
		BuildID: r.Step.BuildID, PipelineName: r.PipelineName, JobName: r.JobName, BuildName: r.BuildName, User: orText(r.Step.RunAs, "root"), Directory: r.Step.Dir,
		InstanceVars: pipelineRow{InstanceVars: r.InstanceVars}.instanceVars()}
	if r.Step.Kind == string(engine.KindCheck) {
		out.ResourceName = r.Step.Resource
	}
	if f.deps.Executor != nil {
		out.WorkerName = f.deps.Executor.Name()
	}
	return out
}

// containerFilters are the query keys by which fly narrows its choice.
func containerFilters(c flyContainer) map[string]string {
	return map[string]string{"type": c.Type, "step_name": c.StepName, "attempt": c.Attempt, "pipeline_name": c.PipelineName, "job_name": c.JobName,
		"build_name": c.BuildName, "build_id": formatInt(c.BuildID), "resource_name": c.ResourceName}
}

func (f fly) listContainers(c *gin.Context) error {
	team, err := f.team(c, identity.Read)
	if err != nil {
		return err
	}
	wanted, err := instanceVars(c.Request.URL.Query())
	if err != nil {
		return problem.New(problem.Invalid, "instance vars are malformed: %v", err)
	}
	rows, err := f.present(c.Request.Context(), team.ID)
	if err != nil {
		return err
	}
	out := []flyContainer{}
	for _, r := range rows {
		shown := f.presentContainer(r)
		matches := len(wanted) == 0 || canonicalVars(wanted) == r.InstanceVars
		for key, value := range containerFilters(shown) {
			wanted := c.Query(key)
			matches = matches && (wanted == "" || wanted == value)
		}
		if matches {
			out = append(out, shown)
		}
	}
	return f.json(c, http.StatusOK, out)
}

func (f fly) getContainer(c *gin.Context) error {
	team, err := f.team(c, identity.Read)
	if err != nil {
		return err
	}
	row, err := f.presentOne(c.Request.Context(), team.ID, c.Param("handle"))
	if err != nil {
		return err
	}
	return f.json(c, http.StatusOK, f.presentContainer(row))
}

type flyArtifact struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	BuildID   int64  `json:"build_id"`
	CreatedAt int64  `json:"created_at"`
}

func presentArtifact(a artifactRow) flyArtifact {
	return flyArtifact{a.ID, a.Name, a.BuildID, a.CreatedAt.Seconds()}
}

// maxArtifact bounds an upload of fly execute.
const maxArtifact = 4 << 30

func (f fly) uploadArtifact(c *gin.Context) error {
	ctx := c.Request.Context()
	team, err := f.team(c, identity.Write)
	if err != nil {
		return err
	}
	if f.deps.Executor == nil {
		return problem.New(problem.Unavailable, "no worker takes artifacts")
	}
	row := artifactRow{TeamID: team.ID, Volume: f.deps.NewID(), Node: f.self()}
	if err := f.deps.Executor.ImportVolume(ctx, runtime.VolumeID(row.Volume), http.MaxBytesReader(c.Writer, c.Request.Body, maxArtifact)); err != nil {
		return problem.Wrap(err, problem.Invalid, "the upload could not be unpacked: %s", err)
	}
	if err := f.saveArtifact(ctx, &row); err != nil {
		return err
	}
	return f.json(c, http.StatusCreated, presentArtifact(row))
}

func (f fly) downloadArtifact(c *gin.Context) error {
	ctx := c.Request.Context()
	team, err := f.team(c, identity.Read)
	if err != nil {
		return err
	}
	id, err := strconv.ParseInt(c.Param("artifact"), 10, 64)
	if err != nil {
		return problem.New(problem.NotFound, "There is no artifact %s.", c.Param("artifact"))
	}
	row, err := f.artifact(ctx, team.ID, id)
	if err != nil {
		return err
	}
	if sent, err := f.sendHome(c, row.Node, "The artifact"); sent {
		return err
	}
	if f.deps.Executor == nil {
		return problem.New(problem.Unavailable, "no worker has artifacts")
	}
	c.Header("Content-Type", "application/octet-stream")
	c.Header("Content-Disposition", "attachment")
	c.Status(http.StatusOK)
	if err := f.deps.Executor.ExportVolume(ctx, runtime.VolumeID(row.Volume), ".", c.Writer); err != nil {
		f.deps.Log.WarnContext(ctx, "sending an artifact broke off", "artifact", id, "error", err)
	}
	return nil
}

func (f fly) getArtifacts(c *gin.Context) error {
	b, err := f.buildOf(c, identity.Read)
	if err != nil {
		return err
	}
	rows, err := f.artifacts(c.Request.Context(), b.ID)
	if err != nil {
		return err
	}
	out := []flyArtifact{}
	for _, a := range rows {
		out = append(out, presentArtifact(a))
	}
	return f.json(c, http.StatusOK, out)
}

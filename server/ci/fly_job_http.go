package ci

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (f fly) jobRoutes(r api.Router) {
	r.GET("/jobs", listing(), f.handle(f.allJobsOfCaller))
	const jobs = "/teams/:team/pipelines/:pipeline/jobs"
	const one = jobs + "/:job"
	r.GET(jobs, exposable(), f.handle(f.listJobs))
	r.GET(one, exposable(), f.handle(f.getJob))
	r.PUT(one+"/pause", operating(), f.handle(f.setJobPause(true)))
	r.PUT(one+"/unpause", operating(), f.handle(f.setJobPause(false)))
	r.PUT(one+"/schedule", operating(), f.handle(f.scheduleNow))
	r.GET(one+"/builds", exposable(), f.handle(f.listJobBuilds))
	r.POST(one+"/builds", operating(), f.handle(f.triggerJob))
	r.GET(one+"/builds/:name", exposable(), f.handle(f.getJobBuild))
	r.POST(one+"/builds/:name", operating(), f.handle(f.rerunJobBuild))
	r.GET(one+"/inputs", reading(), f.handle(f.jobInputs))
	r.DELETE(one+"/tasks/:step/cache", operating(), f.handle(f.clearCache))
	r.GET(one+"/badge", api.Foreign("badges are embedded in other sites; only exposed pipelines have one for strangers"), f.handle(f.jobBadge))
}

func (f fly) presentJobs(c *gin.Context, rows []jobRow) error {
	ctx := c.Request.Context()
	n := f.names()
	out := make([]flyJob, 0, len(rows))
	for _, j := range rows {
		p, err := n.pipelineRow(ctx, j.PipelineID)
		if err != nil {
			return err
		}
		shown, err := n.flyJob(ctx, p, j)
		if err != nil {
			return err
		}
		out = append(out, shown)
	}
	return f.json(c, http.StatusOK, out)
}

func (f fly) allJobsOfCaller(c *gin.Context) error {
	ctx := c.Request.Context()
	rows, err := f.visiblePipelines(ctx, identity.From(ctx).TeamIDs(scope(identity.Read)))
	if err != nil {
		return err
	}
	ids := []int64{0}
	for _, p := range rows {
		if !p.Archived {
			ids = append(ids, p.ID)
		}
	}
	jobs, err := f.jobs(ctx, ids...)
	if err != nil {
		return err
	}
	return f.presentJobs(c, jobs)
}

func (f fly) listJobs(c *gin.Context) error {
	p, err := f.seenPipelineOf(c)
	if err != nil {
		return err
	}
	jobs, err := f.jobs(c.Request.Context(), p.ID)
	if err != nil {
		return err
	}
	return f.presentJobs(c, jobs)
}

func (f fly) getJob(c *gin.Context) error {
	p, j, err := f.seenJobOf(c)
	if err != nil {
		return err
	}
	out, err := f.names().flyJob(c.Request.Context(), p, j)
	if err != nil {
		return err
	}
	return f.json(c, http.StatusOK, out)
}

func (f fly) setJobPause(paused bool) func(*gin.Context) error {
	return func(c *gin.Context) error {
		_, j, err := f.jobOf(c, identity.Operate)
		if err != nil {
			return err
		}
		return f.ok(c, f.pauseJob(c.Request.Context(), j, paused))
	}
}

func (f fly) scheduleNow(c *gin.Context) error {
	p, j, err := f.jobOf(c, identity.Operate)
	if err != nil {
		return err
	}
	if err := refuseArchived(p); err != nil {
		return err
	}
	return f.ok(c, f.schedule(c.Request.Context(), p.ID, []string{j.Name}))
}

func (f fly) triggerJob(c *gin.Context) error {
	_, j, err := f.jobOf(c, identity.Operate)
	if err != nil {
		return err
	}
	b, err := f.trigger(c.Request.Context(), j, nil)
	if err != nil {
		return plainInputError(err)
	}
	return f.showBuild(c, http.StatusOK, b)
}

func (f fly) showBuild(c *gin.Context, status int, b buildRow) error {
	out, err := f.names().flyBuild(c.Request.Context(), b)
	if err != nil {
		return err
	}
	return f.json(c, status, out)
}

func (f fly) getJobBuild(c *gin.Context) error {
	_, j, err := f.seenJobOf(c)
	if err != nil {
		return err
	}
	b, err := f.buildByName(c.Request.Context(), j.ID, c.Param("name"))
	if err != nil {
		return err
	}
	return f.showBuild(c, http.StatusOK, b)
}

func (f fly) rerunJobBuild(c *gin.Context) error {
	_, j, err := f.jobOf(c, identity.Operate)
	if err != nil {
		return err
	}
	of, err := f.buildByName(c.Request.Context(), j.ID, c.Param("name"))
	if err != nil {
		return err
	}
	b, err := f.rerun(c.Request.Context(), of)
	if problem.Is(err, problem.Invalid) {
		c.String(http.StatusInternalServerError, "%s", problem.From(err).Detail)
		return nil
	}
	if err != nil {
		return err
	}
	return f.showBuild(c, http.StatusOK, b)
}

type flyInput struct {
	Name     string           `json:"name"`
	Resource string           `json:"resource"`
	Type     string           `json:"type"`
	Source   pipeline.Source  `json:"source"`
	Params   pipeline.Params  `json:"params,omitempty"`
	Version  pipeline.Version `json:"version"`
	Tags     pipeline.Tags    `json:"tags,omitempty"`
}

// jobInputs is what `fly execute -j` runs with: the versions that the next build would take.
func (f fly) jobInputs(c *gin.Context) error {
	ctx := c.Request.Context()
	p, j, err := f.jobOf(c, identity.Read)
	if err != nil {
		return err
	}
	config, err := f.configs.of(p)
	if err != nil {
		return err
	}
	versions, ok, err := f.nextInputs(ctx, p, j)
	if err != nil {
		return err
	}
	if !ok {
		return problem.New(problem.NotFound, "The inputs of the job cannot be resolved.")
	}
	declared, _ := config.Job(j.Name)
	out := []flyInput{}
	for _, get := range declared.Gets() {
		r, _ := config.Resource(get.ResourceName())
		out = append(out, flyInput{get.Name, r.Name, r.Type, r.Source, get.Params, versions[get.Name], get.Tags})
	}
	return f.json(c, http.StatusOK, out)
}

func (f fly) clearCache(c *gin.Context) error {
	_, j, err := f.jobOf(c, identity.Operate)
	if err != nil {
		return err
	}
	n, err := f.clearTaskCache(c.Request.Context(), j.ID, c.Param("step"), c.Query("cache_path"))
	if err != nil {
		return err
	}
	return f.json(c, http.StatusOK, map[string]int64{"caches_removed": n})
}

package ci

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

func (f fly) healthRoutes(r api.Router) {
	r.GET("/health", api.Public("fly asks before it signs in; the answer names loops and no causes"), f.handle(f.health))
	r.GET("/components", api.SignedIn(), f.handle(f.components))
	for _, action := range []string{"pause", "unpause"} {
		r.PUT("/components/"+action, api.Admin(), f.handle(f.refusePause))
		r.PUT("/components/:name/"+action, api.Admin(), f.handle(f.refusePause))
	}
}

// The words for how the parts stand are those that fly colours.
const (
	healthy   = "healthy"
	unhealthy = "unhealthy"
)

type flyDatabaseHealth struct {
	Status string `json:"status"`
	Error  string `json:"error,omitempty"`
}

type flyWorkerHealth struct {
	Status    string   `json:"status"`
	Total     int      `json:"total"`
	Running   int      `json:"running"`
	Unhealthy []string `json:"unhealthy_workers,omitempty"`
}

type flyComponentHealth struct {
	Name    string    `json:"name"`
	Status  string    `json:"status"`
	Paused  bool      `json:"paused"`
	LastRan time.Time `json:"last_ran"`
}

type flyHealth struct {
	Status     string               `json:"status"`
	Timestamp  time.Time            `json:"timestamp"`
	Database   flyDatabaseHealth    `json:"database"`
	Workers    flyWorkerHealth      `json:"workers"`
	Components []flyComponentHealth `json:"components"`
}

// health tells monitors how the parts stand. A failing database is told in a word:
// its error is in the log, and may name hosts.
func (f fly) health(c *gin.Context) error {
	ctx := c.Request.Context()
	out := flyHealth{Status: "ok", Timestamp: f.now().UTC(), Database: flyDatabaseHealth{Status: healthy}, Workers: flyWorkerHealth{Status: healthy},
		Components: []flyComponentHealth{}}
	for _, l := range f.loops() {
		shown := flyComponentHealth{Name: l.Name, Status: healthy, LastRan: l.LastRun}
		if l.Error != "" {
			shown.Status, out.Status = unhealthy, "degraded"
		}
		out.Components = append(out.Components, shown)
	}
	w, err := f.worker(ctx)
	switch {
	case err != nil:
		out.Workers.Status, out.Status = unhealthy, "failing"
	case w.Name != "":
		out.Workers.Total, out.Workers.Running = 1, 1
		if w.State == WorkerStalled {
			out.Workers, out.Status = flyWorkerHealth{Status: unhealthy, Total: 1, Unhealthy: []string{w.Name}}, "failing"
		}
	}
	if _, err := f.anyDue(ctx); err != nil {
		f.deps.Log.ErrorContext(ctx, "the database does not answer", "error", err)
		out.Database, out.Status = flyDatabaseHealth{unhealthy, "the database does not answer; the server's log says why"}, "failing"
	}
	return f.json(c, http.StatusOK, out)
}

// loops is the status of all background tasks, or the names of ours where nobody runs them.
func (s *Service) loops() []work.LoopStatus {
	if s.deps.LoopStatus != nil {
		return s.deps.LoopStatus()
	}
	var out []work.LoopStatus
	for _, l := range s.Loops() {
		out = append(out, work.LoopStatus{Name: l.Name, Every: l.Every.String()})
	}
	return out
}

type flyComponent struct {
	Name     string        `json:"name"`
	Interval time.Duration `json:"interval"`
	LastRan  time.Time     `json:"last_ran"`
	Paused   bool          `json:"paused"`
}

func (f fly) components(c *gin.Context) error {
	out := []flyComponent{}
	for _, l := range f.loops() {
		every, err := time.ParseDuration(l.Every)
		if err != nil {
			return err
		}
		out = append(out, flyComponent{Name: l.Name, Interval: every, LastRan: l.LastRun})
	}
	return f.json(c, http.StatusOK, out)
}

func (f fly) refusePause(*gin.Context) error {
	return problem.New(problem.Invalid, "Components of this server cannot be paused: pause pipelines or jobs, or land the worker, and nothing new starts.")
}

package system

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/signalbox/signalbox/server/platform/cluster"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/work"
)

// Jobs is the part of work.Jobs that the jobs page needs.
type Jobs interface {
	DeadLetters(ctx context.Context, before int64, limit int) ([]work.Job, error)
	Retry(ctx context.Context, id int64) error
	Discard(ctx context.Context, id int64) error
	Counts(ctx context.Context) (map[work.State]int64, error)
}

// Deps is what system needs from the outside.
type Deps struct {
	Log *slog.Logger
	// Ready is false before the server serves and from when it is told to stop.
	Ready func() bool
	DB    *database.DB
	// Loops lists the background loops with their last run.
	Loops func() []work.LoopStatus
	Jobs  Jobs
	// Metrics is the handler behind /metrics; nil leaves the route out.
	Metrics http.Handler
	// Checks are run for the health page, in this order.
	Checks []Check
	// Cluster knows the servers that share the database.
	Cluster *cluster.Cluster
	// Backups makes and rehearses backups; Queue brings both into the background.
	Backups *Backups
	Queue   Queue
	// Audit records what is done to jobs.
	Audit func(ctx context.Context, team int64, action, object, detail string) error
}

// Service is system.
type Service struct{ deps Deps }

// New assembles the service.
func New(d Deps) *Service { return &Service{deps: d} }

// patience is how long one check may take.
const patience = 5 * time.Second

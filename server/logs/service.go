package logs

import (
	"context"
	"log/slog"
	"time"

	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/cluster"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/stream"
)

// Deps is what the service needs.
type Deps struct {
	DB    *database.DB
	Store *store.Store
	// Cluster knows the other servers; nil knows none.
	Cluster *cluster.Cluster
	Now     func() time.Time
	Log     *slog.Logger
	NewID   func() string
	// PublicURL is under which shippers reach this server, without a last slash.
	PublicURL func() string
	// Identify says whose a token is; the error is for the caller.
	Identify func(ctx context.Context, token string) (identity.Caller, error)
	// Audit records a change in the context's transaction; nil records nothing.
	Audit func(ctx context.Context, team int64, action, object, detail string) error
	// Publish tells browsers; nil tells nobody.
	Publish  func(ctx context.Context, e stream.Event) error
	TeamName func(ctx context.Context, id int64) (string, error)
	// AlertTeller sends what alerts say; nil tells nobody.
	AlertTeller AlertTeller
	// Retention says how long a team's lines are kept at most; team 0 is any.
	Retention func(team int64) store.Retention
	// MaxBody bounds a request of a shipper, compressed and decompressed.
	MaxBody, MaxDecoded int64
}

// Service is the package's one object.
type Service struct {
	Deps
	// Store is that of Deps together with the lines of the other servers.
	Store   lines
	intake  intake
	rows    rows
	sources sources
	maskers maskers
	limits  limits
	// wake has alerts looked at without waiting for their time.
	wake chan struct{}
}

// New makes the service over an open store.
func New(deps Deps) *Service {
	s := &Service{Deps: deps, rows: rows{deps.DB}, wake: make(chan struct{}, 1)}
	s.Store = lines{deps.Store, s}
	s.intake.init(deps.MaxDecoded)
	if deps.DB != nil { // tests of intake alone have none
		deps.DB.Listen(alertsChannel, s.lookSoon) // for as long as the database is open
	}
	return s
}

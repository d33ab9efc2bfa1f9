package assistant

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/bots/llm"
	"github.com/signalbox/signalbox/server/assistant/githubtools"
	"github.com/signalbox/signalbox/server/assistant/mcpservers"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
	"github.com/signalbox/signalbox/server/platform/work"
)

// GitHub is what the assistant asks of the connections.
type GitHub interface {
	// Repositories are owner/name of what the team's connections reach.
	Repositories(ctx context.Context, team int64) ([]string, error)
	// ClientAt gives the client that reaches a repository; false when none does.
	ClientAt(ctx context.Context, team int64, repository string) (*github.Client, bool, error)
}

// Deps is what the assistant needs.
type Deps struct {
	DB *database.DB
	// Tools are those of every capability; a caller is offered what their scopes allow.
	Tools  *tools.Registry
	GitHub GitHub
	// Things are what a question may name: pipelines, services, bundles.
	Things func(ctx context.Context, team identity.Team) ([]string, error)
	// Model answers what plans do not, as Planner says; nil when none is set up.
	Model   llm.Model
	Planner Planner
	// PriceIn and PriceOut are what a million tokens cost, in dollars.
	PriceIn, PriceOut float64
	// Known are values of a team's secrets, which leave nothing here; nil when none are known.
	Known func(ctx context.Context, team int64) ([]string, error)
	// Outside are the servers that an administrator has named; nil when there are none.
	Outside *mcpservers.Manager
	// Node is this server's name, which survives restarts.
	Node string
	// PublicURL is where links into this server lead.
	PublicURL string
	Audit     func(ctx context.Context, team int64, action, object, detail string) error
	Publish   func(ctx context.Context, team int64, topic, id string) error
	Version   string
	ID        func() string
	Now       func() time.Time
	Log       *slog.Logger
}

// Service is the assistant of one server.
type Service struct {
	Deps
	store store
	// OnApproval hears of each change of an approval, after it is kept; nil when nobody listens. ctx may carry no caller.
	OnApproval func(ctx context.Context, team int64, a Approval)
	// live are the runs that this server is at, by id.
	live sync.Map
	// hub keeps what GitHub has said.
	hub     *githubtools.Cache
	known   knownValues
	visible visibility
	// began is when this server did: what it had begun before was another life's.
	began time.Time
}

// New makes the service; nothing runs yet.
func New(deps Deps) *Service {
	s := &Service{Deps: deps, store: store{deps.DB}, began: deps.Now(), hub: githubtools.NewCache(deps.Now)}
	deps.DB.Listen(changedAtGitHub, s.hub.Changed)
	return s
}

const (
	// keepRuns is how long questions and answers are kept.
	keepRuns = 90 * 24 * time.Hour
	// keepApprovals is as long as the audit log: who let the assistant do what.
	keepApprovals = 400 * 24 * time.Hour
)

// Loops are what happens without a request.
func (s *Service) Loops() []work.Loop {
	loops := []work.Loop{
		{Name: "assistant.tidy", Every: time.Hour, Run: s.tidy},
		{Name: "assistant.approvals", Every: 20 * time.Second, Run: s.tidyApprovals},
	}
	if s.Outside != nil {
		loops = append(loops, s.Outside.Loops()...)
	}
	return loops
}

func (s *Service) tidy(ctx context.Context) error {
	if err := s.store.interrupt(ctx, s.Now().Add(-2*patience).UnixMilli()); err != nil {
		return err
	}
	return errors.Join(s.store.prune(ctx, s.Now().Add(-keepRuns).UnixMilli()), s.store.pruneApprovals(ctx, s.Now().Add(-keepApprovals).UnixMilli()))
}

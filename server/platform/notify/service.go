package notify

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/outbound"
	"github.com/signalbox/signalbox/server/platform/secrets"
	"github.com/signalbox/signalbox/server/platform/work"
)

// Deps is what the service works with.
type Deps struct {
	DB    *database.DB
	Box   *secrets.Box
	Guard *outbound.Guard
	Jobs  *work.Jobs
	SMTP  config.SMTP
	Now   func() time.Time
	Log   *slog.Logger
	// NewID returns 32 random lower-case hex digits.
	NewID func() string
	// Events are all that channels may ask for.
	Events []Occasion
	// Others are events of rules that name their channels themselves; a channel may let
	// them pass its quiet hours.
	Others []Event
	// Audit records a change in the context's transaction; nil records nothing.
	Audit func(ctx context.Context, team int64, action, object, detail string) error
	// Told hears how an attempt went, after that is stored; nil when nobody asks.
	// Its error is only logged: the message is out, and whoever cares can ask Outcomes.
	Told func(ctx context.Context, team int64, d Delivery) error
	// Sources give the rules of the capabilities; set before the first request.
	Sources []Source
	// Issues opens and comments on issues at GitHub; nil when nothing can.
	Issues IssueDesk
	// Page is where a team's messages are listed; nil when nowhere.
	Page func(ctx context.Context, team int64) (string, error)
	// Publish has pages look again; nil when none do.
	Publish func(ctx context.Context, team int64, topic, id string) error
}

// Topic is what changes of channels and deliveries are published as, with the channel's id.
const Topic = "ci.channel"

// Service keeps channels and sends what they asked for.
type Service struct {
	Deps
	client *http.Client
	mailer mailer
}

// New makes the service and registers its kind of job.
func New(deps Deps) *Service {
	s := &Service{Deps: deps,
		client: deps.Guard.Client(outbound.Options{Timeout: 20 * time.Second, MaxBytes: 64 << 10, Redirects: -1}),
		mailer: mailer{config: deps.SMTP, dial: deps.Guard.DialContext}}
	deps.Jobs.Handle(kindSend, work.Pool{Workers: 4, MaxAttempts: maxAttempts}, s.send)
	deps.Jobs.Handle(kindRelease, work.Pool{Workers: 2, MaxAttempts: -1}, s.release)
	return s
}

func (s *Service) millis() int64 { return s.Now().UnixMilli() }

func (s *Service) audit(ctx context.Context, team int64, action, object, detail string) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit(ctx, team, action, object, detail)
}

package assistant

import (
	"log/slog"
	"time"

	"github.com/signalbox/signalbox/server/platform/tools"
)

// Deps is what the assistant needs.
type Deps struct {
	// Tools are those of every capability; a caller is offered what their scopes allow.
	Tools   *tools.Registry
	Version string
	Now     func() time.Time
	Log     *slog.Logger
}

// Service is the assistant of one server.
type Service struct{ Deps }

// New makes the service; nothing runs yet.
func New(deps Deps) *Service { return &Service{Deps: deps} }

package accounts

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
)

// MainTeam exists from the start and cannot go.
const MainTeam = "main"

const changesChannel = "accounts"

// Deps is what accounts needs from the outside.
type Deps struct {
	DB  *database.DB
	Now func() time.Time
	Log *slog.Logger
	// PublicURL decides whether cookies are Secure and which Origin is ours.
	PublicURL string
	Version   string
	// Capabilities gives the words that the rail of the UI shows; nil gives none.
	Capabilities func() []string
	// Demo says that a sample team is played; nil means no.
	Demo func() bool
	// SetupComplete says whether the UI can skip its first steps; nil means yes.
	SetupComplete func(ctx context.Context) (bool, error)
}

// Service is accounts.
type Service struct {
	// OnTeamDeleted lets the capabilities delete their rows in the transaction
	// that deletes the team; an error keeps the team. Set by app before serving.
	OnTeamDeleted func(ctx context.Context, team identity.Team) error

	deps     Deps
	db       *database.DB
	store    store
	log      *slog.Logger
	now      func() time.Time
	public   *url.URL
	hashing  *hasher
	throttle *throttle
	callers  *callerCache
	seen     *seen
	unlisten func()
}

// New assembles the service; Close it at the end.
func New(d Deps) (*Service, error) {
	public, err := url.Parse(d.PublicURL)
	if err != nil {
		return nil, err
	}
	s := &Service{
		deps: d, db: d.DB, store: store{db: d.DB}, log: d.Log, now: d.Now, public: public,
		hashing: newHasher(), throttle: newThrottle(d.Now), callers: newCallerCache(d.Now), seen: newSeen(),
	}
	s.unlisten = d.DB.Listen(changesChannel, func(string) { s.callers.clear() })
	return s, nil
}

// Close stops listening and writes down what was seen last.
func (s *Service) Close(ctx context.Context) error {
	s.unlisten()
	return s.flushSeen(ctx)
}

func (s *Service) https() bool { return strings.EqualFold(s.public.Scheme, "https") }

type store struct{ db *database.DB }

// change runs fn in a transaction, one change of accounts at a time so that
// rules such as "the last owner stays" hold, and makes every node forget what
// it knew about callers.
func (s *Service) change(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.store.lock(ctx); err != nil {
			return err
		}
		if err := fn(ctx); err != nil {
			return err
		}
		s.db.AfterCommit(ctx, s.callers.clear)
		return s.db.Notify(ctx, changesChannel, "")
	})
}

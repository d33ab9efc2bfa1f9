package assistant

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/signalbox/signalbox/bots/slack"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/secrets"
	"github.com/signalbox/signalbox/server/platform/work"
)

// SlackDeps is what the assistant in Slack needs besides the assistant.
type SlackDeps struct {
	Box  *secrets.Box
	Jobs *work.Jobs
	// URL is where Slack's Web API is; Slack's own when empty. Only configuration sets it.
	URL string
	// HTTP makes calls, Sockets opens websockets; both through the guard.
	HTTP, Sockets *http.Client
	// Caller is a user as they are now; an error when they may not sign in.
	Caller func(ctx context.Context, user int64) (identity.Caller, error)
	// Hosts are where a team's GitHub is seen by people.
	Hosts func(ctx context.Context, team int64) ([]string, error)
	// Node names this server.
	Node string
}

// Slack is the assistant in one Slack workspace: what comes in is written down
// and acknowledged, durable jobs answer it as the person who asked, and what
// is to be said leaves through an outbox.
type Slack struct {
	*Service
	SlackDeps
	rows slackStore

	mu sync.Mutex
	// link is the client of the current settings, and ends what runs under older ones.
	link    *slackLink
	running map[string]context.CancelFunc
	people  map[string]seenPerson
	private map[string]seenPrivate
}

// slackLink is the workspace as it is set up.
type slackLink struct {
	settings slackRow
	client   *slack.Client
	secret   string
}

// Kinds of durable work.
const (
	slackAskJob  = "assistant.slack.ask"
	slackSendJob = "assistant.slack.send"
	slackDoJob   = "assistant.slack.do"
	// slackChannel is told of a changed set-up, and of questions that are to be stopped.
	slackChannel = "assistant.slack"
)

// Bounds.
const (
	// maxQueued is how many questions may wait in one thread.
	maxQueued   = 3
	keepSeen    = 24 * time.Hour
	keepOutbox  = 7 * 24 * time.Hour
	keepThreads = 30 * 24 * time.Hour
)

// errNoSlack is why nothing goes out: nobody has set a workspace up.
var errNoSlack = errors.New("no Slack workspace is set up")

// NewSlack makes it and sets the handlers of its jobs; nothing runs yet.
func NewSlack(s *Service, deps SlackDeps) *Slack {
	out := &Slack{Service: s, SlackDeps: deps, rows: slackStore{s.DB}, running: map[string]context.CancelFunc{}, people: map[string]seenPerson{}, private: map[string]seenPrivate{}}
	s.OnApproval = out.cardChanged
	deps.Jobs.Handle(slackAskJob, work.Pool{Workers: 16, MaxAttempts: 20}, out.answerAsk)
	deps.Jobs.Handle(slackSendJob, work.Pool{Workers: 8, MaxAttempts: 20}, out.send)
	deps.Jobs.Handle(slackDoJob, work.Pool{Workers: 4, MaxAttempts: 5}, out.do)
	return out
}

// Loops are what it does without being asked.
func (s *Slack) Loops() []work.Loop {
	return []work.Loop{
		{Name: "assistant.slack", Every: 2 * time.Second, Local: true, Run: s.connect},
		{Name: "assistant.slack.tidy", Every: time.Hour, Run: s.tidySlack},
		{Name: "assistant.digests", Every: 20 * time.Second, Run: s.dueDigests},
		{Name: "assistant.reviews", Every: time.Minute, Run: s.dueReviews},
	}
}

// linked is the workspace as set up now, read again after a change.
func (s *Slack) linked(ctx context.Context) (*slackLink, error) {
	row, ok, err := s.rows.settings(ctx)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errNoSlack
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link != nil && s.link.settings.UpdatedAt == row.UpdatedAt && s.link.settings.Workspace == row.Workspace {
		return s.link, nil
	}
	l, err := s.open(row)
	if err != nil {
		return nil, err
	}
	s.link = l
	return l, nil
}

func (s *Slack) open(row slackRow) (*slackLink, error) {
	bot, err := s.unseal("bot_token", row.BotToken)
	if err != nil {
		return nil, err
	}
	app, err := s.unseal("app_token", row.AppToken)
	if err != nil {
		return nil, err
	}
	secret, err := s.unseal("signing_secret", row.SigningSecret)
	if err != nil {
		return nil, err
	}
	return &slackLink{settings: row, secret: secret,
		client: slack.New(slack.Config{BotToken: bot, AppToken: app, URL: s.URL, HTTP: s.HTTP, Socket: s.Sockets})}, nil
}

func (s *Slack) tidySlack(ctx context.Context) error {
	now := s.Now()
	return s.rows.prune(ctx, now.Add(-keepSeen).UnixMilli(), now.Add(-keepOutbox).UnixMilli(), now.Add(-keepThreads).UnixMilli(), now.UnixMilli())
}

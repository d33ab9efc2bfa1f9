package assistant

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/bots/slack"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// The ways that events come in; the words are stored.
const (
	modeSocket = "socket" // we call Slack, so that it works behind NAT
	modeHTTP   = "http"   // Slack calls us
)

// SlackSetup is what an administrator enters. Secrets that are empty stay as they are.
type SlackSetup struct {
	Mode          string `json:"mode"`
	BotToken      string `json:"bot_token"`
	AppToken      string `json:"app_token"`
	SigningSecret string `json:"signing_secret"`
}

// SlackState is how Slack is set up and how it works.
type SlackState struct {
	Configured bool   `json:"configured"`
	Mode       string `json:"mode"`
	Workspace  string `json:"workspace"`
	URL        string `json:"url,omitempty"`
	// Connected says that events come in: over some server's socket, or that Slack has called.
	Connected bool          `json:"connected"`
	Sockets   []SlackSocket `json:"sockets"`
	// HasAppToken and HasSigningSecret say what is stored, never what it is.
	HasAppToken      bool      `json:"has_app_token"`
	HasSigningSecret bool      `json:"has_signing_secret"`
	EventsURL        string    `json:"events_url"`
	Waiting          int64     `json:"waiting"`
	Lost             int64     `json:"lost"`
	UpdatedAt        time.Time `json:"updated_at,omitzero"`
	UpdatedBy        string    `json:"updated_by,omitempty"`
}

// SlackSocket is the connection of one server.
type SlackSocket struct {
	Node      string    `json:"node"`
	Connected bool      `json:"connected"`
	Trouble   string    `json:"trouble"`
	Since     time.Time `json:"since"`
}

func (s *Slack) unseal(column string, sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	plain, err := s.Box.Open(slackTable, column, sealed)
	return string(plain), err
}

func (s *Slack) seal(column, plain string, before []byte) []byte {
	if plain == "" {
		return before
	}
	return s.Box.Seal(slackTable, column, []byte(plain))
}

func (in *SlackSetup) check(before slackRow) error {
	in.BotToken, in.AppToken, in.SigningSecret = strings.TrimSpace(in.BotToken), strings.TrimSpace(in.AppToken), strings.TrimSpace(in.SigningSecret)
	switch {
	case in.Mode != modeSocket && in.Mode != modeHTTP:
		return problem.FieldError("mode", "is neither socket nor http")
	case in.BotToken == "" && len(before.BotToken) == 0:
		return problem.FieldError("bot_token", "is missing; it begins with xoxb-")
	case in.BotToken != "" && !strings.HasPrefix(in.BotToken, "xoxb-"):
		return problem.FieldError("bot_token", "begins with xoxb-; you find it under OAuth & Permissions")
	case in.AppToken != "" && !strings.HasPrefix(in.AppToken, "xapp-"):
		return problem.FieldError("app_token", "begins with xapp-; you make it under Basic Information, App-Level Tokens")
	case in.Mode == modeSocket && in.AppToken == "" && len(before.AppToken) == 0:
		return problem.FieldError("app_token", "is missing; Socket Mode needs it")
	case in.Mode == modeHTTP && in.SigningSecret == "" && len(before.SigningSecret) == 0:
		return problem.FieldError("signing_secret", "is missing; without it anybody could pretend to be Slack")
	}
	return nil
}

// SetUp keeps the workspace after Slack has said that the token is good; an administrator's right.
func (s *Slack) SetUp(ctx context.Context, in SlackSetup) (SlackState, error) {
	if err := identity.RequireAdmin(ctx); err != nil {
		return SlackState{}, err
	}
	before, _, err := s.rows.settings(ctx)
	if err != nil {
		return SlackState{}, err
	}
	if err := in.check(before); err != nil {
		return SlackState{}, err
	}
	row := slackRow{Mode: in.Mode, UpdatedAt: max(s.Now().UnixMilli(), before.UpdatedAt+1), UpdatedBy: identity.From(ctx).Name,
		BotToken: s.seal("bot_token", in.BotToken, before.BotToken), AppToken: s.seal("app_token", in.AppToken, before.AppToken), SigningSecret: s.seal("signing_secret", in.SigningSecret, before.SigningSecret)}
	l, err := s.open(row)
	if err != nil {
		return SlackState{}, err
	}
	self, err := l.client.Who(ctx)
	if err != nil {
		return SlackState{}, problem.FieldError("bot_token", "%s", strings.TrimSuffix(explainSlack(err), "."))
	}
	row.Workspace, row.WorkspaceName, row.WorkspaceURL, row.BotUser = self.Workspace, self.WorkspaceName, self.URL, self.User
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.rows.saveSettings(ctx, row); err != nil {
			return err
		}
		if err := s.Audit(ctx, 0, "assistant.slack.change", row.WorkspaceName, row.Mode); err != nil {
			return err
		}
		return s.DB.Notify(ctx, slackChannel, "settings")
	})
	if err != nil {
		return SlackState{}, err
	}
	return s.State(ctx)
}

// Remove forgets the workspace; links and mapped channels stay, for when it comes back.
func (s *Slack) Remove(ctx context.Context) error {
	if err := identity.RequireAdmin(ctx); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.rows.removeSettings(ctx); err != nil {
			return err
		}
		if err := s.Audit(ctx, 0, "assistant.slack.remove", "", ""); err != nil {
			return err
		}
		return s.DB.Notify(ctx, slackChannel, "settings")
	})
}

// heardRecently is how long a socket's row is believed without a word from its server.
const heardRecently = 7 * 24 * time.Hour

// State says how Slack is set up and works.
func (s *Slack) State(ctx context.Context) (SlackState, error) {
	out := SlackState{Sockets: []SlackSocket{}, EventsURL: strings.TrimRight(s.PublicURL, "/") + slackPath}
	row, ok, err := s.rows.settings(ctx)
	if err != nil || !ok {
		return out, err
	}
	out.Configured, out.Mode, out.Workspace, out.URL = true, row.Mode, row.WorkspaceName, row.WorkspaceURL
	out.HasAppToken, out.HasSigningSecret, out.UpdatedAt, out.UpdatedBy = len(row.AppToken) > 0, len(row.SigningSecret) > 0, time.UnixMilli(row.UpdatedAt).UTC(), row.UpdatedBy
	sockets, err := s.rows.sockets(ctx)
	if err != nil {
		return out, err
	}
	for _, r := range sockets {
		if s.Now().Sub(time.UnixMilli(r.Since)) > heardRecently && !r.Connected {
			continue // a server that is no more
		}
		out.Sockets = append(out.Sockets, SlackSocket{Node: r.Node, Connected: r.Connected, Trouble: r.Trouble, Since: time.UnixMilli(r.Since).UTC()})
		out.Connected = out.Connected || r.Connected && row.Mode == modeSocket
	}
	counts, err := s.rows.outCounts(ctx)
	out.Waiting, out.Lost = counts[outWaiting], counts[outLost]
	return out, err
}

// Finding is one thing that a live check has looked at.
type Finding struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Says what it is for, or what is wrong.
	Says string `json:"says"`
}

// Check asks Slack whether everything is there: both tokens, and each scope.
func (s *Slack) Check(ctx context.Context) ([]Finding, error) {
	if err := identity.RequireAdmin(ctx); err != nil {
		return nil, err
	}
	l, err := s.linked(ctx)
	if errors.Is(err, errNoSlack) {
		return nil, problem.New(problem.NotFound, "No Slack workspace is set up.")
	}
	if err != nil {
		return nil, err
	}
	self, err := l.client.Who(ctx)
	if err != nil {
		return []Finding{{"bot token", false, explainSlack(err)}}, nil
	}
	out := []Finding{{"bot token", true, self.Name + " in " + self.WorkspaceName}}
	if self.Workspace != l.settings.Workspace {
		out[0] = Finding{"bot token", false, "The token now belongs to " + self.WorkspaceName + "; enter it again."}
	}
	if l.settings.Mode == modeSocket {
		found := Finding{"app token", true, "connections:write"}
		if _, err := l.client.Open(ctx); err != nil {
			found = Finding{"app token", false, explainSlack(err)}
		}
		out = append(out, found)
	}
	for _, scope := range slack.Scopes {
		says := scope.Why
		ok := slices.Contains(self.Scopes, scope.Name)
		if !ok {
			says = "missing; it lets the bot " + scope.Why + ". Add it under OAuth & Permissions and install the app again."
		}
		out = append(out, Finding{scope.Name, ok, says})
	}
	return out, nil
}

package github

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/outbound"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	// flowTime is how long GitHub keeps the code of a manifest.
	flowTime = time.Hour
	// maxAppName is GitHub's limit.
	maxAppName = 34
)

var (
	validOrganization = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$`)
	validCode         = regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`)
)

// managedEvents are what managed hooks and Apps ask GitHub for.
var managedEvents = []string{"check_run", "check_suite", "create", "delete", "deployment", "issue_comment", "issues", "pull_request", "pull_request_review",
	"push", "release", "repository", "workflow_run"}

// AppManifest is what a browser takes to GitHub to have an App made. The page that
// offers it sends the browser to LeaveURL, whose one button posts the manifest; a
// page of ours cannot, because its policy forbids forms to other origins.
type AppManifest struct {
	PostURL  string          `json:"post_url"`
	Manifest json.RawMessage `json:"manifest"`
	State    string          `json:"state"`
	LeaveURL string          `json:"leave_url"`
}

type appFlow struct {
	state, holder        string
	team, user           int64
	apiURL, organization string
	hook                 string
	expires              int64
}

// holder is the session or token that makes a request: a flow ends where it began.
func holder(c identity.Caller) string {
	if c.SessionID != "" {
		return "session " + c.SessionID
	}
	return "token " + c.TokenID
}

func flowKey(state string) string {
	sum := sha256.Sum256([]byte(state))
	return hex.EncodeToString(sum[:])
}

// BeginApp starts the making of an App for a team in which the caller may write.
func (s *Service) BeginApp(ctx context.Context, team identity.Team, organization, apiURL string) (AppManifest, error) {
	if err := identity.Require(ctx, team.ID, writing); err != nil {
		return AppManifest{}, err
	}
	if apiURL == "" {
		apiURL = DefaultAPI
	}
	apiURL, err := validateAPIURL(apiURL)
	if err != nil {
		return AppManifest{}, err
	}
	if organization != "" && !validOrganization.MatchString(organization) {
		return AppManifest{}, problem.FieldError("organization", "is no name of an organization")
	}
	caller, state := identity.From(ctx), randomHex(24)
	flow := appFlow{state: flowKey(state), team: team.ID, user: caller.UserID, holder: holder(caller), apiURL: apiURL, organization: organization,
		hook: randomHex(16), expires: s.Now().Add(flowTime).UnixMilli()}
	if err := s.saveFlow(ctx, flow); err != nil {
		return AppManifest{}, err
	}
	return s.manifest(flow, team.Name, state)
}

func (s *Service) manifest(flow appFlow, team, state string) (AppManifest, error) {
	name := "Signalbox " + team
	if u, err := url.Parse(s.PublicURL()); err == nil && u.Hostname() != "" {
		name += " " + u.Hostname() // names are unique at GitHub
	}
	text, err := json.Marshal(map[string]any{
		"name": name[:min(len(name), maxAppName)], "url": s.PublicURL(), "public": false,
		"hook_attributes": map[string]any{"url": s.hookURL(flow.hook), "active": true},
		"redirect_url":    s.PublicURL() + "/api/v1/ci/connections/app/callback",
		"setup_url":       s.PublicURL() + "/teams/" + url.PathEscape(team) + "/ci/hooks", "setup_on_update": false,
		"default_events": managedEvents,
		"default_permissions": map[string]string{"metadata": "read", "contents": "read", "checks": "write", "statuses": "write", "pull_requests": "write",
			"issues": "write", "actions": "read", "deployments": "read"},
	})
	page := "/settings/apps/new"
	if flow.organization != "" {
		page = "/organizations/" + flow.organization + page
	}
	return AppManifest{PostURL: webURL(flow.apiURL) + page + "?state=" + state, Manifest: text, State: state,
		LeaveURL: "/api/v1/ci/connections/app/leave?state=" + state}, err
}

// webURL is where people look at what an API serves.
func webURL(apiURL string) string {
	u, err := url.Parse(apiURL)
	if err != nil {
		return ""
	}
	u.Host, u.Path = strings.TrimPrefix(u.Host, "api."), strings.TrimSuffix(u.Path, "/api/v3")
	return u.String()
}

// ownFlow finds the flow of a state for the session that began it. To everybody
// else it does not exist.
func (s *Service) ownFlow(ctx context.Context, state string) (appFlow, error) {
	caller := identity.From(ctx)
	flow, found, err := s.findFlow(ctx, flowKey(state))
	if err != nil {
		return flow, err
	}
	if !found || flow.user != caller.UserID || flow.holder != holder(caller) || flow.expires < s.millis() {
		return flow, problem.New(problem.Invalid, "This is not the answer to something that you began here within the last hour. Begin again on the hooks page.")
	}
	return flow, identity.Require(ctx, flow.team, writing)
}

// FinishApp takes the code that GitHub sent the browser back with, and keeps the
// App that it stands for: its key and secret, sealed, and its hook.
func (s *Service) FinishApp(ctx context.Context, state, code string) (Connection, error) {
	flow, err := s.ownFlow(ctx, state)
	if err != nil {
		return Connection{}, err
	}
	if !validCode.MatchString(code) {
		return Connection{Team: flow.team}, problem.FieldError("code", "is missing or malformed")
	}
	// Taken before it is used: a code and a state are good for one try.
	if taken, err := s.takeFlow(ctx, flow.state); err != nil || !taken {
		return Connection{Team: flow.team}, problem.New(problem.Conflict, "This answer was used already.")
	}
	app, err := s.convert(ctx, flow, code)
	if err != nil {
		return Connection{Team: flow.team}, err
	}
	return s.keepApp(ctx, flow, app)
}

func (s *Service) convert(ctx context.Context, flow appFlow, code string) (*github.AppConfig, error) {
	client, err := newClient(s.Guard.Client(outbound.Options{}), flow.apiURL, &authorized{token: noToken{}})
	if err != nil {
		return nil, err
	}
	app, _, err := client.Apps.CompleteAppManifest(ctx, code)
	if err != nil {
		return nil, problem.Wrap(err, problem.Upstream, "GitHub did not hand over the App. %s", explainAPI(err))
	}
	if _, err := parseKey([]byte(app.GetPEM())); err != nil || app.GetID() == 0 || app.GetWebhookSecret() == "" {
		return nil, problem.New(problem.Upstream, "What GitHub handed over is no App with a key and a webhook secret.")
	}
	return app, nil
}

func (s *Service) keepApp(ctx context.Context, flow appFlow, app *github.AppConfig) (Connection, error) {
	now, id := s.millis(), randomHex(10)
	page := app.GetHTMLURL()
	if u, err := outbound.CheckURL(page); err != nil || u.Host != hostOf(webURL(flow.apiURL)) {
		page = "" // shown as a link, so only where the App can be
	}
	name := app.GetName()
	if validateName(name) != nil {
		name = "GitHub App"
	}
	row := connectionRow{ID: id, TeamID: flow.team, Name: name, APIURL: flow.apiURL, Kind: KindApp, Token: s.Box.Seal(connectionTable, id, nil), AppID: app.GetID(),
		AppSlug: app.GetSlug(), AppURL: page, AppKey: s.Box.Seal(connectionTable, id+"/key", []byte(app.GetPEM())), CreatedAt: now, UpdatedAt: now}
	hook := hookRow{ID: flow.hook, TeamID: flow.team, Name: name, Kind: HookApp, Managed: true, State: HookOK, Events: words(managedEvents), ConnectionID: &id,
		Secret: s.Box.Seal(hookTable, flow.hook, []byte(app.GetWebhookSecret())), CreatedAt: now}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		free, err := s.freeName(ctx, row.TeamID, row.Name)
		if err != nil {
			return err
		}
		row.Name = free
		if err := s.insertConnection(ctx, row); err != nil {
			return err
		}
		if err := s.insertHook(ctx, hook); err != nil {
			return err
		}
		if err := s.hookChanged(ctx, hook); err != nil {
			return err
		}
		return s.audit(ctx, row.TeamID, "github.connection.create", row.Name, "App "+row.AppSlug+" at "+row.APIURL)
	})
	return row.connection(), err
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// Installation is a place where the App is installed.
type Installation struct {
	ID        int64  `json:"id"`
	Account   string `json:"account"`
	Kind      string `json:"kind"`
	All       bool   `json:"all_repositories"`
	Suspended bool   `json:"suspended"`
	Chosen    bool   `json:"chosen"`
}

// Installations lists where a connection's App is installed.
func (s *Service) Installations(ctx context.Context, connection string) ([]Installation, error) {
	row, err := s.connectionFor(ctx, connection, reading)
	if err != nil {
		return nil, err
	}
	if row.Kind != KindApp {
		return nil, problem.New(problem.Conflict, "This connection is a token, which is not installed anywhere.")
	}
	client, err := s.clientOf(row)
	if err != nil {
		return nil, err
	}
	list, options := []Installation{}, &github.ListOptions{PerPage: 100}
	for {
		page, response, err := client.app.Apps.ListInstallations(remembering(ctx), options)
		if err != nil {
			return nil, upstream(err)
		}
		for _, i := range page {
			list = append(list, Installation{ID: i.GetID(), Account: i.GetAccount().GetLogin(), Kind: strings.ToLower(i.GetTargetType()),
				All: i.GetRepositorySelection() == "all", Suspended: i.SuspendedAt != nil, Chosen: i.GetID() == row.Installation})
		}
		if response.NextPage == 0 {
			return list, nil
		}
		options.Page = response.NextPage
	}
}

// checkInstallation refuses a number that is no installation of the connection's App.
func (s *Service) checkInstallation(ctx context.Context, row connectionRow, installation int64) error {
	if row.Kind != KindApp {
		return problem.FieldError("installation", "is for Apps only")
	}
	if installation == 0 {
		return nil
	}
	client, err := s.clientOf(row)
	if err != nil {
		return err
	}
	if _, _, err := client.app.Apps.GetInstallation(ctx, installation); statusOf(err) == 404 {
		return problem.FieldError("installation", "is no installation of this App")
	} else if err != nil {
		return upstream(err)
	}
	return nil
}

// upstream is an error of GitHub's as our caller should see it.
func upstream(err error) error {
	if p := problem.From(err); p.Kind != problem.Internal {
		return err
	}
	return problem.Wrap(err, problem.Upstream, "%s", explainAPI(err))
}

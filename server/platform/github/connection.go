package github

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/outbound"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// DefaultAPI is the API of github.com.
const DefaultAPI = "https://api.github.com"

// Connection is a way for a team to call a GitHub API. Its token is never shown.
type Connection struct {
	ID     string `json:"id"`
	Team   int64  `json:"-"`
	Name   string `json:"name"`
	APIURL string `json:"api_url"`
	Kind   Kind   `json:"kind"`
	// AppSlug and AppURL are the App's name in addresses and its page; Installation
	// is 0 until one is chosen.
	AppSlug      string `json:"app_slug,omitempty"`
	AppURL       string `json:"app_url,omitempty"`
	Installation int64  `json:"installation,omitempty"`
	// State is that of an App's installation, and Problem says what it means; both are
	// empty while it works.
	State   ConnectionState `json:"state,omitempty"`
	Problem string          `json:"problem,omitempty"`
	// Rate is what this server last heard of the limit, absent before the first call.
	Rate *Rate `json:"rate,omitempty"`
	// Login and Error are what the last test found; TestedAt is 0 before it.
	Login     string `json:"login"`
	Error     string `json:"error"`
	TestedAt  Millis `json:"tested_at,omitzero"`
	CreatedAt Millis `json:"created_at"`
	UpdatedAt Millis `json:"updated_at"`
}

// Kind is how a connection proves itself to GitHub; the words are stored.
type Kind string

// The kinds.
const (
	KindToken Kind = "token" // a personal access token
	KindApp   Kind = "app"   // a GitHub App of the team's own
)

// Rate is how many calls a connection has left.
type Rate struct {
	Limit     int    `json:"limit"`
	Remaining int    `json:"remaining"`
	ResetAt   Millis `json:"reset_at"`
}

// ConnectionChange is what may be set; nil leaves a field as it is.
type ConnectionChange struct {
	Name, APIURL, Token *string
	Installation        *int64
}

var (
	reading = identity.Scope{Capability: "ci", Level: identity.Read}
	writing = identity.Scope{Capability: "ci", Level: identity.Write}
)

func validateName(name string) error {
	if name == "" || len(name) > 100 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return problem.FieldError("name", "use 1 to 100 characters, none of them a control character")
	}
	return nil
}

// validateAPIURL refuses what could never be called; whether the guard lets the
// host be dialled shows when the connection is tested.
func validateAPIURL(raw string) (string, error) {
	u, err := outbound.CheckURL(raw)
	if err != nil {
		return "", problem.FieldError("api_url", "%s", problem.From(err).Detail)
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return "", problem.FieldError("api_url", "must have no query and no fragment")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// CreateConnection stores a connection of a team in which the caller may write.
func (s *Service) CreateConnection(ctx context.Context, team int64, name, apiURL, token string) (Connection, error) {
	if err := identity.Require(ctx, team, writing); err != nil {
		return Connection{}, err
	}
	if apiURL == "" {
		apiURL = DefaultAPI
	}
	apiURL, err := validateAPIURL(apiURL)
	if err != nil {
		return Connection{}, err
	}
	if err := validateName(name); err != nil {
		return Connection{}, err
	}
	if token = strings.TrimSpace(token); token == "" {
		return Connection{}, problem.FieldError("token", "is missing")
	}
	id := randomHex(10)
	now := s.millis()
	row := connectionRow{ID: id, TeamID: team, Name: name, Kind: KindToken, APIURL: apiURL, Token: s.Box.Seal(connectionTable, id, []byte(token)), CreatedAt: now, UpdatedAt: now}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.insertConnection(ctx, row); err != nil {
			return err
		}
		return s.audit(ctx, team, "github.connection.create", name, apiURL)
	})
	return row.connection(), err
}

// ChangeConnection sets what change names.
func (s *Service) ChangeConnection(ctx context.Context, id string, change ConnectionChange) (Connection, error) {
	row, err := s.connectionFor(ctx, id, writing)
	if err != nil {
		return Connection{}, err
	}
	if change.Installation != nil {
		// Asked before the transaction, which must not wait for GitHub.
		if err := s.checkInstallation(ctx, row, *change.Installation); err != nil {
			return Connection{}, err
		}
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) (err error) {
		if row, err = s.connectionFor(ctx, id, writing); err != nil {
			return err
		}
		if err := s.applyChange(&row, change); err != nil {
			return err
		}
		row.UpdatedAt = max(s.millis(), row.UpdatedAt+1)
		if err := s.updateConnection(ctx, row); err != nil {
			return err
		}
		if change.Installation != nil {
			if err := s.installationChosen(ctx, row); err != nil {
				return err
			}
		}
		// What hooks take depends on the installation; what could not be asked before may be now.
		if err := s.compareSoon(ctx, id); err != nil {
			return err
		}
		if err := s.DB.Notify(ctx, hookChannel, ""); err != nil {
			return err
		}
		return s.audit(ctx, row.TeamID, "github.connection.update", row.Name, "")
	})
	return row.connection(), err
}

func (s *Service) applyChange(row *connectionRow, change ConnectionChange) (err error) {
	if change.Name != nil {
		if err := validateName(*change.Name); err != nil {
			return err
		}
		row.Name = *change.Name
	}
	if row.Kind == KindApp && (change.APIURL != nil || change.Token != nil) {
		return problem.New(problem.Conflict, "An App keeps its address and key. Connect a new App instead.")
	}
	if change.Installation != nil {
		row.Installation, row.Error, row.State = *change.Installation, "", ConnectionWorks
	}
	if change.APIURL != nil {
		next, err := validateAPIURL(*change.APIURL)
		if err != nil {
			return err
		}
		// A new address must come with a token, or whoever may change the address
		// could have the stored token sent to a host of theirs.
		if next != row.APIURL && change.Token == nil {
			return problem.FieldError("token", "must be given again when api_url changes")
		}
		row.APIURL = next
	}
	if change.Token != nil {
		token := strings.TrimSpace(*change.Token)
		if token == "" {
			return problem.FieldError("token", "is empty")
		}
		row.Token = s.Box.Seal(connectionTable, row.ID, []byte(token))
		row.Login, row.Error, row.TestedAt = "", "", 0
	}
	return nil
}

// connectionFor finds a connection for a caller who holds the scope in its team.
func (s *Service) connectionFor(ctx context.Context, id string, scope identity.Scope) (connectionRow, error) {
	row, err := s.findConnection(ctx, id)
	if err == nil {
		err = identity.Require(ctx, row.TeamID, scope)
	}
	return row, err
}

// DeleteConnection removes a connection, and its managed hooks here and at GitHub;
// hooks that were entered by hand stay and lose it. While GitHub has not heard of
// it the connection's secrets are kept for that and nothing else.
func (s *Service) DeleteConnection(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		row, err := s.connectionFor(ctx, id, writing)
		if err != nil {
			return err
		}
		pending, err := s.dropManagedHooks(ctx, row)
		if err != nil {
			return err
		}
		if pending {
			err = s.retireConnection(ctx, row)
		} else {
			err = s.removeConnection(ctx, id)
		}
		if err != nil {
			return err
		}
		return s.audit(ctx, row.TeamID, "github.connection.delete", row.Name, "")
	})
}

// ConnectionTest is what GitHub says to a connection's token.
type ConnectionTest struct {
	OK    bool   `json:"ok"`
	Login string `json:"login"`
	// Scopes are those of a classic token; fine-grained ones list none.
	Scopes        []string `json:"scopes"`
	RateLimit     int      `json:"rate_limit"`
	RateRemaining int      `json:"rate_remaining"`
	Error         string   `json:"error"`
}

// TestConnection asks GitHub who the token belongs to, and notes the answer.
func (s *Service) TestConnection(ctx context.Context, id string) (ConnectionTest, error) {
	row, err := s.connectionFor(ctx, id, writing)
	if err != nil {
		return ConnectionTest{}, err
	}
	client, err := s.clientOf(row)
	if err != nil {
		return ConnectionTest{}, err
	}
	test := ConnectionTest{Scopes: []string{}}
	login, response, err := client.whoAmI(ctx)
	if err != nil {
		test.Error = explainAPI(err)
	} else {
		test.OK, test.Login = true, login
	}
	if response != nil {
		test.RateLimit, test.RateRemaining = response.Rate.Limit, response.Rate.Remaining
		for _, scope := range strings.Split(response.Header.Get("X-OAuth-Scopes"), ",") {
			if scope = strings.TrimSpace(scope); scope != "" {
				test.Scopes = append(test.Scopes, scope)
			}
		}
	}
	return test, s.noteTest(ctx, id, test.Login, test.Error)
}

// whoAmI asks GitHub for the user of a token, or for the App and, once one is
// chosen, a repository of its installation.
func (c *apiClient) whoAmI(ctx context.Context) (login string, response *github.Response, err error) {
	if c.app == nil {
		user, response, err := c.client.Users.Get(ctx, "")
		return user.GetLogin(), response, err
	}
	app, response, err := c.app.Apps.Get(ctx, "")
	if err != nil {
		return "", response, err
	}
	_, response, err = c.client.Apps.ListRepos(ctx, &github.ListOptions{PerPage: 1})
	return app.GetSlug(), response, err
}

// explainAPI says what went wrong in GitHub's own words where it gave some.
func explainAPI(err error) string {
	var answer *github.ErrorResponse
	if asError(err, &answer) && answer.Response != nil {
		words := fmt.Sprintf("GitHub answered %d: %s", answer.Response.StatusCode, answer.Message)
		for _, e := range answer.Errors {
			if e.Message != "" && !strings.Contains(words, e.Message) {
				words += ". " + e.Message
			}
		}
		return words
	}
	var primary *github.RateLimitError
	if asError(err, &primary) {
		return fmt.Sprintf("GitHub's limit of calls is used up until %s UTC", primary.Rate.Reset.UTC().Format("15:04:05"))
	}
	var secondary *github.AbuseRateLimitError
	if asError(err, &secondary) {
		return "GitHub asks to call more slowly: " + secondary.Message
	}
	if p := problem.From(err); p.Kind != problem.Internal {
		return p.Detail
	}
	var failed *url.Error
	if asError(err, &failed) {
		err = failed.Err // without the address, which may carry more than the reader should see
	}
	return err.Error()
}

func notFoundConnection(err error) error {
	return database.NotFound(err, "There is no such GitHub connection.")
}

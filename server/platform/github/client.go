package github

import (
	"context"
	"crypto/rsa"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/platform/outbound"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// clientCache keeps clients per connection: go-github remembers the rate limits in
// them, and they hold the installation's token and what was listed.
type clientCache struct {
	mu      sync.Mutex
	http    *http.Client
	clients map[string]*apiClient
}

// apiClient calls one connection's API.
type apiClient struct {
	updated int64
	client  *github.Client
	// app speaks as the App itself; nil for a token connection.
	app  *github.Client
	rate atomic.Pointer[Rate]
}

// Client gives the API client of a connection. It calls through the guard, and
// sends the token to the connection's own host only, whatever redirects say.
func (s *Service) Client(ctx context.Context, connection string) (*github.Client, error) {
	row, err := s.findConnection(ctx, connection)
	if err != nil {
		return nil, err
	}
	c, err := s.clientOf(row)
	if err != nil {
		return nil, err
	}
	return c.client, nil
}

func (s *Service) clientOf(row connectionRow) (*apiClient, error) {
	c := &s.clients
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.clients[row.ID]; ok && known.updated == row.UpdatedAt {
		return known, nil
	}
	if c.http == nil {
		c.http, c.clients = s.Guard.Client(outbound.Options{}), map[string]*apiClient{}
	}
	made := &apiClient{updated: row.UpdatedAt}
	if known := c.clients[row.ID]; known != nil {
		made.rate.Store(known.rate.Load())
	}
	if err := s.arm(made, row, c.http); err != nil {
		return nil, err
	}
	c.clients[row.ID] = made
	return made, nil
}

// arm gives the client what it proves itself with.
func (s *Service) arm(made *apiClient, row connectionRow, plain *http.Client) (err error) {
	if row.Kind != KindApp {
		token, err := s.Box.Open(connectionTable, row.ID, row.Token)
		if err != nil {
			return err
		}
		made.client, err = newClient(plain, row.APIURL, &authorized{rate: &made.rate, token: fixedToken(token)})
		return err
	}
	text, err := s.Box.Open(connectionTable, row.ID+"/key", row.AppKey)
	if err != nil {
		return err
	}
	key, err := parseKey(text)
	if err != nil {
		return problem.Wrap(err, problem.Conflict, "The App's private key cannot be used. Connect the App again.")
	}
	if made.app, err = newClient(plain, row.APIURL, &authorized{token: signedToken{key, row.AppID, s.Now}}); err != nil {
		return err
	}
	tokens := &installationToken{app: made.app, installation: row.Installation, now: s.Now, one: make(chan struct{}, 1)}
	made.client, err = newClient(plain, row.APIURL, &authorized{rate: &made.rate, token: tokens})
	return err
}

func newClient(plain *http.Client, apiURL string, a *authorized) (*github.Client, error) {
	base, err := url.Parse(apiURL + "/")
	if err != nil {
		return nil, err
	}
	own := *plain
	a.next, a.scheme, a.host = plain.Transport, base.Scheme, base.Host
	own.Transport = &tagged{next: a}
	client := github.NewClient(&own)
	client.BaseURL, client.UploadURL, client.UserAgent = base, base, "signalbox"
	return client, nil
}

// tokenSource gives what the Authorization header carries.
type tokenSource interface {
	get(ctx context.Context) (string, error)
	// renew forgets a token that GitHub refused; false when another would be the same.
	renew(refused string) bool
}

type fixedToken string

func (f fixedToken) get(context.Context) (string, error) { return string(f), nil }
func (fixedToken) renew(string) bool                     { return false }

// noToken is for what GitHub answers to anybody.
type noToken struct{}

func (noToken) get(context.Context) (string, error) { return "", nil }
func (noToken) renew(string) bool                   { return false }

type signedToken struct {
	key *rsa.PrivateKey
	app int64
	now func() time.Time
}

func (t signedToken) get(context.Context) (string, error) { return appToken(t.key, t.app, t.now()) }
func (signedToken) renew(string) bool                     { return false }

// refreshBefore is how long before its end a token is no longer used, so that
// none ends on its way.
const refreshBefore = 5 * time.Minute

// installationToken is an App's token for one installation, valid for an hour and
// fetched by one caller at a time.
type installationToken struct {
	app          *github.Client
	installation int64
	now          func() time.Time

	one     chan struct{} // held while reading, or fetching, the token
	token   string
	expires time.Time
}

func (t *installationToken) get(ctx context.Context) (string, error) {
	if t.installation == 0 {
		return "", problem.New(problem.Conflict, "The App is not installed yet. Install it at GitHub, then choose the installation here.")
	}
	select {
	case t.one <- struct{}{}:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	defer func() { <-t.one }()
	if t.token != "" && t.now().Before(t.expires.Add(-refreshBefore)) {
		return t.token, nil
	}
	made, _, err := t.app.Apps.CreateInstallationToken(ctx, t.installation, nil)
	if err != nil {
		return "", err
	}
	t.token, t.expires = made.GetToken(), made.GetExpiresAt().Time
	return t.token, nil
}

func (t *installationToken) renew(refused string) bool {
	t.one <- struct{}{} // held by get for the length of one call at most
	defer func() { <-t.one }()
	if t.token == refused {
		t.token = ""
	}
	return true
}

// authorized adds the token to what goes to the connection's own host, and notes the rate.
type authorized struct {
	next         http.RoundTripper
	scheme, host string
	token        tokenSource
	rate         *atomic.Pointer[Rate]
}

func (a *authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != a.scheme || r.URL.Host != a.host {
		return a.next.RoundTrip(r)
	}
	token, err := a.token.get(r.Context())
	if err != nil {
		return nil, err
	}
	response, err := a.send(r, token)
	if err != nil || response.StatusCode != http.StatusUnauthorized || r.Body != nil && r.GetBody == nil || !a.token.renew(token) {
		return response, err
	}
	response.Body.Close()
	if token, err = a.token.get(r.Context()); err != nil {
		return nil, err
	}
	if r.GetBody != nil {
		r = r.Clone(r.Context())
		if r.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
	return a.send(r, token)
}

func (a *authorized) send(r *http.Request, token string) (*http.Response, error) {
	r = r.Clone(r.Context())
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := a.next.RoundTrip(r)
	if err == nil && a.rate != nil {
		if rate, told := rateOf(response.Header); told {
			a.rate.Store(&rate)
		}
	}
	return response, err
}

func rateOf(h http.Header) (Rate, bool) {
	limit, err1 := strconv.Atoi(h.Get("X-RateLimit-Limit"))
	left, err2 := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	reset, err3 := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if resource := h.Get("X-RateLimit-Resource"); err1 != nil || err2 != nil || err3 != nil || resource != "" && resource != "core" {
		return Rate{}, false
	}
	return Rate{Limit: limit, Remaining: left, ResetAt: Millis(reset * 1000)}, true
}

// heardRate is what the connection's client last heard; nil before the first call.
func (s *Service) heardRate(connection string) *Rate {
	s.clients.mu.Lock()
	defer s.clients.mu.Unlock()
	if c := s.clients.clients[connection]; c != nil {
		return c.rate.Load()
	}
	return nil
}

func asError[E error](err error, target *E) bool { return errors.As(err, target) }

package github

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/platform/outbound"
)

// clientCache keeps a client per connection: go-github remembers the rate limit in it.
type clientCache struct {
	mu      sync.Mutex
	http    *http.Client
	clients map[string]cachedClient
}

type cachedClient struct {
	updated int64
	client  *github.Client
}

// Client gives the API client of a connection. It calls through the guard, and
// sends the token to the connection's own host only, whatever redirects say.
func (s *Service) Client(ctx context.Context, connection string) (*github.Client, error) {
	row, err := s.findConnection(ctx, connection)
	if err != nil {
		return nil, err
	}
	c := &s.clients
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.clients[row.ID]; ok && known.updated == row.UpdatedAt {
		return known.client, nil
	}
	token, err := s.Box.Open(connectionTable, row.ID, row.Token)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(row.APIURL + "/")
	if err != nil {
		return nil, err
	}
	if c.http == nil {
		c.http, c.clients = s.Guard.Client(outbound.Options{}), map[string]cachedClient{}
	}
	own := *c.http
	own.Transport = &authorized{next: c.http.Transport, scheme: base.Scheme, host: base.Host, token: string(token)}
	client := github.NewClient(&own)
	client.BaseURL, client.UploadURL, client.UserAgent = base, base, "signalbox"
	c.clients[row.ID] = cachedClient{updated: row.UpdatedAt, client: client}
	return client, nil
}

type authorized struct {
	next                http.RoundTripper
	scheme, host, token string
}

func (a *authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == a.scheme && r.URL.Host == a.host {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	return a.next.RoundTrip(r)
}

func asError[E error](err error, target *E) bool { return errors.As(err, target) }

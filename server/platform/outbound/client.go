package outbound

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// Options bound what a client waits for and reads; zero fields take the defaults.
type Options struct {
	// Timeout is for the whole exchange, body included; 30 s. Negative means none.
	Timeout time.Duration
	// MaxBytes is the largest body that may be read; 32 MB. Negative means no limit.
	MaxBytes int64
	// Redirects is how many are followed; 5. Negative means none.
	Redirects int
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 32 << 20
	}
	if o.Redirects == 0 {
		o.Redirects = 5
	}
	return o
}

// Client makes an HTTP client that dials through the guard. Make one per use
// and keep it: it pools connections.
func (g *Guard) Client(o Options) *http.Client {
	o = o.withDefaults()
	client := &http.Client{
		Transport: &transport{limit: o.MaxBytes, next: &http.Transport{
			// No Proxy: a proxy from the environment would dial for us, unguarded.
			DialContext: g.DialContext, ForceAttemptHTTP2: true, MaxIdleConns: 50, MaxIdleConnsPerHost: 8,
			IdleConnTimeout: 60 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
			ResponseHeaderTimeout: max(o.Timeout, 0), MaxResponseHeaderBytes: 256 << 10,
		}},
		CheckRedirect: func(r *http.Request, via []*http.Request) error { return checkRedirect(r, via, o.Redirects) },
	}
	if o.Timeout > 0 {
		client.Timeout = o.Timeout
	}
	return client
}

func checkRedirect(r *http.Request, via []*http.Request, most int) error {
	if most < 0 {
		return http.ErrUseLastResponse
	}
	if len(via) > most {
		return problem.New(problem.Upstream, "%s redirects more than %d times.", via[0].URL.Host, most)
	}
	if r.URL.Scheme != "https" && via[len(via)-1].URL.Scheme == "https" {
		return problem.New(problem.Upstream, "%s redirects from https to %s, which is not followed.", via[0].URL.Host, r.URL.Scheme)
	}
	return nil
}

// CheckURL refuses addresses that a client would not call, before they are saved:
// only http and https, with a host and without a user part.
func CheckURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, problem.Wrap(err, problem.Invalid, "This is not a URL.")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, problem.New(problem.Invalid, "The URL must begin with https:// or http://.")
	case u.Hostname() == "":
		return nil, problem.New(problem.Invalid, "The URL has no host.")
	case u.User != nil:
		return nil, problem.New(problem.Invalid, "The URL must not contain a user or password.")
	}
	return u, nil
}

// transport checks each request, redirects included, and bounds each body.
type transport struct {
	next  http.RoundTripper
	limit int64
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "http" && r.URL.Scheme != "https" {
		return nil, fmt.Errorf("outbound: scheme %q is not called", r.URL.Scheme)
	}
	response, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if t.limit >= 0 && response.StatusCode != http.StatusSwitchingProtocols {
		response.Body = &bounded{ReadCloser: response.Body, left: t.limit}
	}
	return response, nil
}

// ErrTooLarge ends the reading of a body over the limit.
var ErrTooLarge = errors.New("the answer is larger than the limit")

type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	// One byte more than allowed tells a body at the limit from one over it.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, ErrTooLarge
	}
	return n, err
}

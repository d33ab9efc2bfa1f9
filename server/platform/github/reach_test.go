package github

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/outbound"
)

type fixedNames map[string]string

func (f fixedNames) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if address, known := f[host]; known {
		return []netip.Addr{netip.MustParseAddr(address)}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func TestReachability(t *testing.T) {
	t.Parallel()
	other := newFake(t)
	redirecting := httptest.NewServer(http.RedirectHandler("https://ci.example.com", http.StatusMovedPermanently))
	t.Cleanup(redirecting.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	for name, tc := range map[string]struct {
		url           string
		ok            bool
		problem, next string
	}{
		"itself":             {"", true, "", "github.com does not"},
		"something else":     {other.URL, false, "Something else answers", "/hooks/github/"},
		"a redirect":         {redirecting.URL, false, "redirect (301)", "usually with https"},
		"nothing listens":    {gone.URL, false, "The connection failed", "proxy"},
		"own certificate":    {secure.URL, false, "not signed by an authority", "Let's Encrypt"},
		"no TLS there":       {strings.Replace(other.URL, "http:", "https:", 1), false, "does not speak TLS", "http://"},
		"a private address":  {"http://ci.inside.example", false, "inside this machine or its network", "outbound.allow"},
		"a name without one": {"https://nowhere.example", false, "could not be resolved", "DNS"},
		"no address at all":  {"", false, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCircle(t)
			c.Guard = c.Guard.WithResolver(fixedNames{"ci.inside.example": "10.2.3.4"})
			if tc.url != "" {
				c.PublicURL = func() string { return tc.url }
			}
			if name == "no address at all" {
				c.PublicURL = func() string { return "" }
				tc.problem, tc.next = "URL", "server.public_url"
			}
			var r Reachability
			c.call(t, "GET", "/reachability?team=main", "", 200, &r)
			if r.OK != tc.ok || !strings.Contains(r.Problem, tc.problem) || !strings.Contains(r.NextStep, tc.next) || r.How == "" || r.CheckedAt == 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestReachabilityIsNotAskedAllDay(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	first := c.Reach(t.Context())
	c.clock.advance(10 * time.Second)
	if again := c.Reach(t.Context()); again.CheckedAt != first.CheckedAt {
		t.Error("asked again at once")
	}
	c.clock.advance(time.Minute)
	if again := c.Reach(t.Context()); again.CheckedAt == first.CheckedAt {
		t.Error("never asked again")
	}
	for _, word := range []string{"x", "00", strings.Repeat("ab", 300)} {
		if w := c.do(httptest.NewRequest("GET", "/hooks/github/_reach/"+word, nil)); w.Code != 404 {
			t.Errorf("%s: %d", word, w.Code)
		}
	}
}

// A connection's address is not dialled when it leads inside, by name or by number.
func TestConnectionsDoNotReachInside(t *testing.T) {
	t.Parallel()
	b := setup(t)
	guard, err := outbound.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b.Guard = guard.WithResolver(fixedNames{"metadata.example": "169.254.169.254"})
	for _, address := range []string{"http://127.0.0.1:9", "http://[::1]:9", "http://metadata.example", "http://10.0.0.1/api/v3", "http://0x7f000001"} {
		c, err := b.CreateConnection(b.as(t.Context()), 1, address, address, "ghp_hush")
		if err != nil {
			continue // refused at once is as good
		}
		var test ConnectionTest
		b.call(t, "POST", "/connections/"+c.ID+"/test", "", 200, &test)
		if test.OK || !strings.Contains(test.Error, "does not connect") && !strings.Contains(test.Error, "could not be resolved") {
			t.Errorf("%s: %+v", address, test)
		}
		if w := b.do(jsonRequest("GET", "/connections/"+c.ID+"/repositories", "")); w.Code != 403 && w.Code != 502 || strings.Contains(w.Body.String(), "hush") {
			t.Errorf("%s: %d %s", address, w.Code, w.Body)
		}
	}
}

package app_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/databasetest"
)

// cluster is three real servers on one PostgreSQL behind a balancer that knows no
// sessions. Tests may kill any of them.
type cluster struct {
	*client // through the balancer
	nodes   []*process

	mu       sync.Mutex
	backends []string // of the node with that place; "" while it is gone
	turn     int
}

// backend is the next server in turn, after those that were tried.
func (c *cluster) backend() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range c.backends {
		c.turn++
		if b := c.backends[c.turn%len(c.backends)]; b != "" {
			return b
		}
	}
	return ""
}

func (c *cluster) set(i int, address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.backends[i] = address
}

// RoundTrip does what any balancer does: the next server takes what one does not even
// accept, and what was begun is not sent twice.
func (c *cluster) RoundTrip(r *http.Request) (*http.Response, error) {
	body, last := []byte(nil), error(nil)
	if r.Body != nil {
		if body, last = io.ReadAll(r.Body); last != nil {
			return nil, last
		}
	}
	for range 2 * len(c.backends) {
		to := r.Clone(r.Context())
		to.Body = io.NopCloser(bytes.NewReader(body))
		to.URL.Scheme, to.URL.Host = "http", c.backend()
		answer, err := http.DefaultTransport.RoundTrip(to)
		var refused *net.OpError
		if err == nil || !errors.As(err, &refused) || refused.Op != "dial" {
			return answer, err
		}
		last = err
	}
	return nil, last
}

// clusterEnv is what the servers share besides the database: the key, and a folder for blobs.
func clusterEnv(dir string) []string {
	return []string{"env", "SIGNALBOX_SECRETS_KEY_FILE=" + filepath.Join(dir, "secrets.key"), "SIGNALBOX_BLOBS_FOLDER=" + filepath.Join(dir, "blobs")}
}

// launchCluster starts three servers on fresh data and signs in through the balancer.
func launchCluster(t testing.TB) *cluster {
	t.Helper()
	c := &cluster{client: &client{spec: loadSpec(t)}, backends: make([]string, 3)}
	balancer := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetXForwarded(); r.Out.Host = r.In.Host },
		Transport:     c,
		FlushInterval: -1,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
	})
	t.Cleanup(balancer.Close)
	c.url = balancer.URL
	dir, database := t.TempDir(), databasetest.URL(t)
	for i := range c.backends {
		folder := filepath.Join(dir, fmt.Sprint("node", i))
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		p := launchOn(t, folder, database, clusterEnv(dir)...)
		c.nodes = append(c.nodes, p)
		c.joined(i)
	}
	c.token = c.grant(t, "admin", adminPassword)
	return c
}

func (c *cluster) joined(i int) {
	u, err := url.Parse(c.nodes[i].url)
	if err != nil {
		c.nodes[i].t.Fatal(err)
	}
	c.set(i, u.Host)
}

// kill ends a server at once; the balancer learns of it by being refused.
func (c *cluster) kill(i int) { c.nodes[i].end(syscall.SIGKILL) }

// leave stops a server as an operator does, while the balancer watches its readiness.
func (c *cluster) leave(t testing.TB, i int) {
	t.Helper()
	watched := make(chan struct{})
	direct := c.nodes[i].as("")
	go func() {
		defer close(watched)
		for t.Context().Err() == nil {
			answer, err := http.Get(direct.url + "/readyz")
			if err == nil {
				answer.Body.Close()
			}
			if err != nil || answer.StatusCode != http.StatusOK {
				c.set(i, "")
				return
			}
			select {
			case <-time.After(50 * time.Millisecond):
			case <-t.Context().Done():
			}
		}
	}()
	c.nodes[i].end(syscall.SIGTERM)
	<-watched
}

// back starts a server again on what it left.
func (c *cluster) back(i int) {
	c.set(i, "")
	c.nodes[i].start()
	c.joined(i)
}

// TestClusterLosesNothing: three servers on one database are killed in turn, the one that
// leads and one that runs a build among them, and one is drained, while everything that
// is done with them goes on.
func TestClusterLosesNothing(t *testing.T) {
	t.Parallel()
	if os.Getenv("TEST_POSTGRES_URL") == "" {
		return // SQLite belongs to one server
	}
	rounds := 1
	if soak {
		rounds = 5
	}
	c := launchCluster(t)
	d := c.drive(t)
	for range rounds {
		killed := c.awayAndBack(t)
		d.more(t)
		leader := c.oneLeads(t)
		c.kill(leader)
		d.more(t)
		c.oneLeads(t)
		c.back(leader)
		for i := range c.nodes {
			if i != killed && i != leader {
				c.kill(i)
				d.more(t)
				c.back(i)
			}
		}
		c.leave(t, leader)
		d.more(t)
		c.back(leader)
	}
	d.more(t)
	c.oneLeads(t)
	d.stop()
	d.check(t)
}

package assistant

import (
	"net/http/httptest"
	"testing"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/assistant/evals/acme"
)

// fakeGitHub is acme's GitHub on a port of this machine.
type fakeGitHub struct {
	*acme.GitHub
	server *httptest.Server
}

func newFakeGitHub(t testing.TB) *fakeGitHub {
	f := &fakeGitHub{GitHub: acme.NewGitHub()}
	f.server = httptest.NewServer(f.GitHub)
	t.Cleanup(f.server.Close)
	return f
}

func (f *fakeGitHub) client() *github.Client {
	c, err := acme.Client(f.server.URL, nil)
	if err != nil {
		panic(err) // an address of our own making
	}
	return c
}

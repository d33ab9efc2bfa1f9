package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"testing"

	"github.com/signalbox/signalbox/server/app"
	"github.com/signalbox/signalbox/server/ci/runtime/worker"
	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/databasetest"
)

// TestMain lets the test binary be the containers' supervisor, as the server's own is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == worker.SupervisorCommand {
		os.Exit(worker.SupervisorMain(os.Args[2:]))
	}
	os.Exit(m.Run())
}

const adminPassword = "correct-horse-battery"

// running is a whole server on a port of its own.
type running struct {
	*app.App
	admin string // an administrator's token
}

func start(t *testing.T) *running {
	t.Helper()
	return startIn(t, t.TempDir(), databasetest.URL(t))
}

func startIn(t *testing.T, dir, database string) *running {
	t.Helper()
	cfg, err := config.Load(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Server.Listen = "127.0.0.1:0"
	cfg.Database.URL = database
	cfg.Admin = config.Admin{User: "admin", Password: adminPassword}
	cfg.CI.LocalRepositories = []string{dir}
	a, err := app.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	r := &running{App: a}
	r.admin = r.grant(t, "admin", adminPassword)
	return r
}

// grant signs in as fly does.
func (r *running) grant(t *testing.T, name, password string) string {
	t.Helper()
	body := "grant_type=password&scope=openid&username=" + name + "&password=" + password
	req, err := http.NewRequestWithContext(t.Context(), "POST", r.URL()+"/sky/issuer/token", bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("fly", "Zmx5")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var out struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&out); err != nil || out.AccessToken == "" {
		t.Fatalf("password grant for %s: %d %v", name, answer.StatusCode, err)
	}
	return out.AccessToken
}

func (r *running) request(t *testing.T, method, path, token string, body any) *http.Response {
	t.Helper()
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, r.URL()+path, reader)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func (r *running) status(t *testing.T, method, path, token string) int {
	t.Helper()
	answer := r.request(t, method, path, token, nil)
	answer.Body.Close()
	return answer.StatusCode
}

// call expects success and decodes the answer into out, if given.
func (r *running) call(t *testing.T, method, path string, body, out any) {
	t.Helper()
	answer := r.request(t, method, path, r.admin, body)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s %v", method, path, answer.StatusCode, raw, err)
	}
	if out != nil {
		if err := json.Unmarshal(raw, out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
}

// world is a team with something of everything in it, and callers of every kind.
type world struct {
	team   string
	things map[string]string
	tokens map[string]string
}

func (r *running) world(t *testing.T) world {
	t.Helper()
	w := world{team: "web", things: map[string]string{}, tokens: map[string]string{"nobody": "", "administrator": r.admin}}
	for _, team := range []string{"web", "other"} {
		r.call(t, "POST", "/api/v1/accounts/teams", map[string]any{"name": team}, nil)
	}
	for _, who := range []string{"viewer", "pipeline-operator", "member", "owner", "stranger"} {
		team, role := "web", who
		if who == "stranger" {
			team, role = "other", "owner"
		}
		r.call(t, "POST", "/api/v1/accounts/users", map[string]any{"name": who, "password": adminPassword, "team": team, "role": role}, nil)
		w.tokens[who] = r.grant(t, who, adminPassword)
	}
	owner := &running{App: r.App, admin: w.tokens["owner"]}
	var made struct{ Token string }
	owner.call(t, "POST", "/api/v1/accounts/tokens", map[string]any{"name": "t", "scopes": []string{"read"}}, &made)
	w.tokens["read token of the owner"] = made.Token
	return w
}

package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/assistant"
	"github.com/signalbox/signalbox/server/assistant/evals"
	"github.com/signalbox/signalbox/server/assistant/evals/acme"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// examination is where cases are asked without a server: the world of acme, and a
// database of its own in a folder that the caller removes.
type examination struct {
	db  *database.DB
	log *slog.Logger
}

func newExamination(ctx context.Context, folder string, log *slog.Logger) (*examination, error) {
	db, err := database.Open(ctx, "sqlite:"+filepath.Join(folder, "eval.db"), log)
	if err != nil {
		return nil, err
	}
	if _, err := db.Migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := db.Writer(ctx).Exec("INSERT INTO accounts_teams (id, name, created_at) VALUES (1, 'main', 0) ON CONFLICT DO NOTHING").Error; err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &examination{db, log}, nil
}

// acmeGitHub reaches the world's GitHub, whatever the team.
type acmeGitHub struct{ client *github.Client }

func (g acmeGitHub) Repositories(context.Context, int64) ([]string, error) {
	return acme.Repositories, nil
}

func (g acmeGitHub) ClientAt(context.Context, int64, string) (*github.Client, bool, error) {
	return g.client, true, nil
}

// room makes an assistant for one case; ann asks.
func (e *examination) room(ctx context.Context, c evals.Case, model assistant.Model) (evals.Asker, func(), error) {
	hub, faults := acme.NewGitHub(), map[string]acme.Fault{}
	for tool, fault := range c.Faults {
		if bare, ok := strings.CutPrefix(tool, "github__"); ok {
			hub.Fail(bare, acme.Fault(fault))
		} else {
			faults[tool] = acme.Fault(fault)
		}
	}
	registry := tools.NewRegistry()
	if err := registry.Register(acme.Faulty(acme.Portal(), faults)...); err != nil {
		return nil, nil, err
	}
	client, stop, err := serveAcme(ctx, hub)
	if err != nil {
		return nil, nil, err
	}
	deps := assistant.Deps{DB: e.db, Tools: registry, GitHub: acmeGitHub{client}, PublicURL: "https://box.example", Version: Version, ID: randomID, Log: e.log,
		Things:  func(context.Context, identity.Team) ([]string, error) { return acme.Things, nil },
		Audit:   func(context.Context, int64, string, string, string) error { return nil },
		Publish: func(context.Context, int64, string, string) error { return nil },
		Now:     func() time.Time { return acme.Now }}
	if model != nil {
		deps.Model, deps.Planner = model, assistant.ByLLM
	}
	s := assistant.New(deps)
	team := identity.Team{ID: 1, Name: "main"}
	caller := identity.Caller{UserID: 7, Name: "ann", Roles: map[int64]identity.Role{1: identity.Owner}, Teams: map[string]identity.Team{"main": team}}
	as := identity.With(ctx, caller)
	if _, err := s.SaveSettings(as, team, assistant.Settings{Repositories: acme.Repositories, DefaultRepository: acme.Repositories[0]}); err != nil {
		stop()
		return nil, nil, err
	}
	if err := s.SetLogin(as, "ann"); err != nil {
		stop()
		return nil, nil, err
	}
	return func(ctx context.Context, q evals.Asked) (evals.Trace, error) {
		run, err := s.Ask(identity.With(ctx, caller), assistant.Question{Team: "main", Text: q.Text, Zone: q.Zone, Repository: q.Repository, Thread: q.Thread, Surface: "cli"})
		if err != nil {
			return evals.Trace{}, err
		}
		raw, err := json.Marshal(run)
		if err != nil {
			return evals.Trace{}, err
		}
		var t evals.Trace
		return t, json.Unmarshal(raw, &t)
	}, stop, nil
}

// serveAcme answers as GitHub on a port of this machine.
func serveAcme(ctx context.Context, hub *acme.GitHub) (*github.Client, func(), error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	server := &http.Server{Handler: hub, ReadHeaderTimeout: time.Minute}
	go server.Serve(listener) //nolint:errcheck // it ends when it is closed
	stop := func() { server.Close() }
	client, err := acme.Client("http://"+listener.Addr().String(), &http.Client{})
	if err != nil {
		stop()
		return nil, nil, err
	}
	return client, stop, nil
}

// atServer asks a running server instead, whose data the cases must be about.
func atServer(url, token, team string) evals.Room {
	return func(context.Context, evals.Case, assistant.Model) (evals.Asker, func(), error) {
		return func(ctx context.Context, q evals.Asked) (evals.Trace, error) {
			var t evals.Trace
			body, err := json.Marshal(map[string]string{"team": team, "question": q.Text, "zone": q.Zone, "repository": q.Repository, "thread": q.Thread, "surface": "cli"})
			if err != nil {
				return t, err
			}
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/v1/assistant/ask", bytes.NewReader(body))
			if err != nil {
				return t, err
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+token)
			answer, err := http.DefaultClient.Do(req)
			if err != nil {
				return t, err
			}
			defer answer.Body.Close()
			raw, err := io.ReadAll(io.LimitReader(answer.Body, 4<<20))
			if err == nil && answer.StatusCode != http.StatusOK {
				err = fmt.Errorf("the server answered %s: %.300s", answer.Status, raw)
			}
			if err != nil {
				return t, err
			}
			return t, json.Unmarshal(raw, &t)
		}, func() {}, nil
	}
}

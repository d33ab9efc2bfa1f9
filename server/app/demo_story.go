package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/accounts"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// storyPackage is the program that the story is about: a repository, a pipeline, an
// error project, a service of that name, and a package on the machines in the shops.
const storyPackage = "checkout"

// storyBundle is the bundle that brings a version.
func storyBundle(version string) string { return storyPackage + "-" + version }

// story is the demo's guided tour: each of its chapters happens by a push, a
// customer or a person, through the same doors as in earnest, and is over when the
// server's own answers say so. Only `signalbox demo` has it.
type story struct {
	*demo
	slack *demoSlack
	fleet *edgeDemo

	// acting has one thing happen at a time.
	acting sync.Mutex

	mu       sync.Mutex
	memory   storyMemory
	phase    storyPhase
	trouble  string
	deployed map[int64]string // commits of builds, which never change
	awakeTo  time.Time
	seen     storySeen
	seenAt   time.Time
}

// storyPhase is how far the story's world is made.
type storyPhase int

const (
	storyOpening storyPhase = iota
	storyOpen
	// storyFleetHere says that the machines in the shops are there, too.
	storyFleetHere
)

// storyMemory is what the story keeps over restarts, beside its repository.
type storyMemory struct {
	Pipeline int64
	Project  struct {
		ID  int64
		Key string
	}
	Hook    demoHook
	Channel string
	Rules   []int64
	Policy  string

	// Round counts how often the story was begun.
	Round                   int
	Began                   time.Time
	Country                 string
	Broken, BrokenVersion   string
	Fix, FixVersion         string
	Running                 string // the commit that the web shop runs
	Event, Trace            string
	Rollout                 string
	Machines                string // the version in the shops
	SlackThread, SlackAsked string
}

func newStory(d *demo, slack *demoSlack) *story {
	return &story{demo: d, slack: slack, deployed: map[int64]string{}}
}

func (s *story) bare() string { return filepath.Join(s.folder, storyPackage+".git") }
func (s *story) work() string { return filepath.Join(s.folder, storyPackage) }

// remember changes what is kept and writes it down.
func (s *story) remember(change func(*storyMemory)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.memory)
	s.seenAt = time.Time{}
	raw, err := json.Marshal(s.memory)
	if err != nil {
		return err
	}
	return os.WriteFile(s.memoryFile(), raw, 0o600)
}

func (s *story) memoryFile() string { return filepath.Join(s.folder, "story-of-the-demo") }

func (s *story) recall() (storyMemory, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	raw, err := os.ReadFile(s.memoryFile())
	if errors.Is(err, fs.ErrNotExist) {
		return s.memory, nil
	}
	if err != nil {
		return s.memory, err
	}
	return s.memory, json.Unmarshal(raw, &s.memory)
}

func (s *story) kept() storyMemory {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memory
}

func (s *story) reached(p storyPhase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase, s.seenAt = max(s.phase, p), time.Time{}
}

// live makes the story's world or finds it, and lets it go on.
func (s *story) live(ctx context.Context) {
	err := s.open(ctx)
	if err == nil {
		s.reached(storyOpen)
		fmt.Fprintf(s.out, "  The story of a push that breaks production, in ten chapters: %s/teams/%s/story\n\n", s.app.PublicURL(), demoTeam)
		go s.keepMachines(ctx)
		err = s.keepShop(ctx)
	}
	s.stopped(ctx, err)
}

func (s *story) stopped(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	s.app.log.Error("the demo's story stopped", "error", err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = "The story stopped: " + err.Error()
}

func (s *story) open(ctx context.Context) error {
	m, err := s.recall()
	if err != nil {
		return err
	}
	for _, step := range []struct {
		done bool
		do   func(context.Context) error
	}{
		{exists(s.bare()), s.makeRepository}, {m.Project.ID != 0, s.makeProject}, {m.Pipeline != 0, s.makePipeline}, {m.Hook.URL != "", s.makeHook},
		{false, s.connectSlack}, {len(m.Rules) > 0, s.makeRules}, {false, s.makeService},
	} {
		if step.done {
			continue
		}
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("open the story: %w", err)
		}
	}
	return nil
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func (s *story) makeRepository(ctx context.Context) error {
	files, err := fs.Sub(demoFiles, "demo/checkout")
	if err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(s.work()), os.CopyFS(s.work(), files)); err != nil {
		return fmt.Errorf("write the repository: %w", err)
	}
	for _, step := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-q", "-m", "checkout: open"}, {"clone", "-q", "--bare", ".", s.bare()}, {"remote", "add", "origin", s.bare()}} {
		if _, err := gitAs(ctx, "Ann", s.work(), step...); err != nil {
			return err
		}
	}
	return nil
}

// makeProject is where the program's errors go, and says which repository it is of.
func (s *story) makeProject(ctx context.Context) error {
	var made struct{ ID int64 }
	err := s.call(ctx, "POST", "/api/v1/issues/projects", map[string]any{"team": demoTeam, "name": "Checkout", "slug": storyPackage, "platform": "python"}, &made)
	if err != nil {
		return err
	}
	one := fmt.Sprintf("/api/v1/issues/projects/%d", made.ID)
	if err := s.call(ctx, "PATCH", one, map[string]any{"repository": "file://" + s.bare()}, nil); err != nil {
		return err
	}
	var keys struct{ Items []struct{ ID string } }
	if err := s.call(ctx, "GET", one+"/keys", nil, &keys); err != nil {
		return err
	}
	return s.remember(func(m *storyMemory) { m.Project.ID, m.Project.Key = made.ID, keys.Items[0].ID })
}

func (s *story) makePipeline(ctx context.Context) error {
	raw, err := demoFiles.ReadFile("demo/checkout.yml")
	if err != nil {
		return err
	}
	// Bob sets it, because nobody approves builds of a pipeline that they have set.
	bob, err := s.colleague(ctx, "bob")
	if err != nil {
		return err
	}
	var set struct{ Pipeline struct{ ID int64 } }
	if err := bob.call(ctx, "PUT", "/api/v1/ci/pipelines/config", map[string]any{"team": demoTeam, "name": storyPackage, "yaml": s.placed(string(raw))}, &set); err != nil {
		return err
	}
	if err := s.call(ctx, "POST", fmt.Sprintf("/api/v1/ci/pipelines/%d/unpause", set.Pipeline.ID), nil, nil); err != nil {
		return err
	}
	return s.remember(func(m *storyMemory) { m.Pipeline = set.Pipeline.ID })
}

// colleague is somebody of the team who sits elsewhere.
func (s *story) colleague(ctx context.Context, name string) (*demo, error) {
	_, _, err := accounts.UserCreate(ctx, s.app.accounts, accounts.NewUser{Name: name, Team: demoTeam, Role: identity.Member})
	if err != nil && !problem.Is(err, problem.Conflict) {
		return nil, err
	}
	other := &demo{app: s.app}
	_, other.token, err = accounts.TokenCreate(ctx, s.app.accounts, name, accounts.NewToken{Name: "demo", Team: demoTeam, Scopes: []string{"*"}, Days: 30})
	return other, err
}

func (s *story) makeHook(ctx context.Context) error {
	var hook demoHook
	if err := s.call(ctx, "POST", "/api/v1/ci/hooks", map[string]any{"team": demoTeam, "name": "acme/checkout"}, &hook); err != nil {
		return err
	}
	hook.URL = hook.URL[len(s.app.PublicURL()):] // the server may be elsewhere the next time
	return s.remember(func(m *storyMemory) { m.Hook = hook })
}

// makeRules has the channel told of errors that are new or come back.
func (s *story) makeRules(ctx context.Context) error {
	var rules []int64
	for _, r := range []struct{ name, kind string }{{"Checkout breaks", "new"}, {"Checkout breaks again", "regressed"}} {
		var made struct{ ID int64 }
		err := s.call(ctx, "POST", "/api/v1/issues/alerts", map[string]any{"team": demoTeam, "name": r.name, "project": s.kept().Project.ID, "condition": map[string]any{"type": r.kind},
			"environment": "production", "actions": []any{map[string]any{"type": "slack", "target": s.kept().Channel}}, "throttle_minutes": 5}, &made)
		if err != nil {
			return err
		}
		rules = append(rules, made.ID)
	}
	return s.remember(func(m *storyMemory) { m.Rules = rules })
}

// makeService ties all of it together, as a person would confirm.
func (s *story) makeService(ctx context.Context) error {
	return s.call(ctx, "PUT", "/api/v1/accounts/teams/"+demoTeam+"/services/"+storyPackage, map[string]any{"description": "Takes orders, in the web shop and at the machines in the shops",
		"owners": []string{s.app.config.Admin.User}, "repository": "acme/checkout", "pipeline": storyPackage, "project": storyPackage, "log_filter": "service:" + storyPackage, "package": storyPackage}, nil)
}

// placed is a pipeline with the repository's address in it.
func (s *story) placed(yaml string) string {
	return strings.ReplaceAll(yaml, "REPOSITORY", "file://"+s.bare())
}

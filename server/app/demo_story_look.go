package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// storyLooks is how long what was seen is believed.
const storyLooks = 700 * time.Millisecond

// storySeen is what the server itself says of the story, asked as any client asks.
type storySeen struct {
	builds                    []storyBuild
	brokenRelease, fixRelease int64
	issue                     struct {
		ID       int64
		ShortID  string `json:"short_id"`
		Title    string
		State    string
		Events   int64
		Suspects []struct{ SHA, Author, Message string } `json:"suspect_commits"`
	}
	told       bool
	lines      int
	run        string // of the assistant, that has answered
	approval   string // its state, for the build of the fix
	bundleFile string // of what the pipeline built, by its hash
	published  bool
	rollout    struct {
		ID, State      string
		Batch, Batches int
		Total          int
		Counts         map[string]int
		BatchList      []struct {
			ClosedAt *time.Time `json:"closed_at"`
		} `json:"batch_list"`
	}
	fleetHas int // machines that have told that they run the fix
}

// build is the newest of a job and a commit.
func (v *storySeen) build(job, commit string) (storyBuild, bool) {
	i := slices.IndexFunc(v.builds, func(b storyBuild) bool { return b.Job.Name == job && b.commit == commit && commit != "" })
	if i < 0 {
		return storyBuild{}, false
	}
	return v.builds[i], true
}

// look asks for all of it, at most once in a moment. What cannot be had is not there yet.
func (s *story) look(ctx context.Context) storySeen {
	s.mu.Lock()
	seen, fresh := s.seen, time.Since(s.seenAt) < storyLooks
	began := s.seenAt
	s.mu.Unlock()
	if fresh {
		return seen
	}
	seen, err := s.lookAgain(ctx)
	if err != nil && ctx.Err() == nil {
		s.app.log.Debug("the demo's story cannot see everything", "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seenAt.Equal(began) { // nothing happened meanwhile
		s.seen, s.seenAt = seen, now()
	}
	return seen
}

func (s *story) lookAgain(ctx context.Context) (storySeen, error) {
	m := s.kept()
	var v storySeen
	if m.Round == 0 {
		return v, nil
	}
	var errs []error
	for _, look := range []func(context.Context, storyMemory, *storySeen) error{s.seeBuilds, s.seeError, s.seeLines, s.seeAnswer, s.seeFix, s.seeFleet} {
		errs = append(errs, look(ctx, m, &v))
	}
	return v, errors.Join(errs...)
}

func (s *story) seeBuilds(ctx context.Context, m storyMemory, v *storySeen) (err error) {
	if v.builds, err = s.builds(ctx); err != nil {
		return err
	}
	for sha, id := range map[string]*int64{m.Broken: &v.brokenRelease, m.Fix: &v.fixRelease} {
		if sha == "" {
			continue
		}
		var list struct{ Items []struct{ ID int64 } }
		if err := s.call(ctx, "GET", "/api/v1/issues/releases?team="+demoTeam+"&version="+sha, nil, &list); err != nil {
			return err
		}
		if len(list.Items) > 0 {
			*id = list.Items[0].ID
		}
	}
	return nil
}

func (s *story) seeError(ctx context.Context, m storyMemory, v *storySeen) error {
	if m.Event == "" {
		return nil
	}
	var event struct{ Issue int64 }
	if err := s.call(ctx, "GET", "/api/v1/issues/events/"+m.Event+"?team="+demoTeam, nil, &event); err != nil {
		return nil //nolint:nilerr // not digested yet
	}
	if err := s.call(ctx, "GET", fmt.Sprintf("/api/v1/issues/issues/%d", event.Issue), nil, &v.issue); err != nil {
		return err
	}
	for _, rule := range m.Rules {
		var history struct {
			Items []struct {
				At         time.Time
				Issue      *struct{ ID int64 }
				Deliveries []struct{ State string }
			}
		}
		if err := s.call(ctx, "GET", fmt.Sprintf("/api/v1/issues/alerts/%d/history", rule), nil, &history); err != nil {
			return err
		}
		for _, h := range history.Items {
			if h.Issue != nil && h.Issue.ID == event.Issue && h.At.After(m.Began) && len(h.Deliveries) > 0 && h.Deliveries[0].State == "sent" {
				v.told = true
			}
		}
	}
	return nil
}

func (s *story) seeLines(ctx context.Context, m storyMemory, v *storySeen) error {
	if m.Trace == "" {
		return nil
	}
	query := url.Values{"query": {fmt.Sprintf(`{service=%q} | trace_id=%q`, storyPackage, m.Trace)}, "limit": {"50"}, "start": {fmt.Sprint(m.Began.Add(-time.Minute).UnixNano())}}
	var answer struct {
		Data struct {
			Result []struct{ Values [][]any }
		}
	}
	if err := s.callFor(ctx, "/loki/api/v1/query_range?"+query.Encode(), &answer); err != nil {
		return err
	}
	for _, stream := range answer.Data.Result {
		v.lines += len(stream.Values)
	}
	return nil
}

func (s *story) seeAnswer(ctx context.Context, m storyMemory, v *storySeen) error {
	if v.issue.ShortID == "" {
		return nil
	}
	var runs struct {
		Items []struct {
			ID, Question, Status string
			StartedAt            time.Time `json:"started_at"`
		}
	}
	if err := s.call(ctx, "GET", "/api/v1/assistant/runs?all=true&team="+demoTeam, nil, &runs); err != nil {
		return err
	}
	for _, r := range runs.Items {
		if r.Status == "answered" && strings.Contains(strings.ToUpper(r.Question), v.issue.ShortID) && r.StartedAt.After(m.Began) {
			v.run = r.ID
			return nil
		}
	}
	return nil
}

func (s *story) seeFix(ctx context.Context, m storyMemory, v *storySeen) error {
	b, there := v.build("shops", m.Fix)
	if !there {
		return nil
	}
	var list struct {
		Items []struct {
			State string
			Build struct{ ID int64 }
		}
	}
	for _, state := range []string{"waiting", "decided"} {
		if err := s.call(ctx, "GET", "/api/v1/ci/approvals?state="+state+"&team="+demoTeam, nil, &list); err != nil {
			return err
		}
		for _, a := range list.Items {
			if a.Build.ID == b.ID {
				v.approval = a.State
			}
		}
	}
	if b.Status != "succeeded" {
		return nil
	}
	var whole struct {
		Outputs []struct {
			Resource string
			Version  map[string]string
		}
	}
	if err := s.call(ctx, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", b.ID), nil, &whole); err != nil {
		return err
	}
	for _, o := range whole.Outputs {
		if o.Resource == "bundle" {
			v.bundleFile = o.Version["sha256"]
		}
	}
	err := s.call(ctx, "GET", "/api/v1/edge/bundles/"+storyBundle(m.FixVersion)+"?team="+demoTeam, nil, nil)
	v.published = err == nil
	return nil
}

func (s *story) seeFleet(ctx context.Context, m storyMemory, v *storySeen) error {
	if m.Rollout == "" {
		return nil
	}
	if err := s.call(ctx, "GET", "/api/v1/edge/rollouts/"+m.Rollout, nil, &v.rollout); err != nil {
		return err
	}
	s.mu.Lock()
	here := s.phase >= storyFleetHere
	s.mu.Unlock()
	if v.rollout.State != "completed" || !here {
		return nil
	}
	for _, n := range s.fleet.fleet {
		var list struct {
			Items []struct{ Name, Version string }
		}
		if err := s.call(ctx, "GET", "/api/v1/edge/nodes/"+n.id+"/packages", nil, &list); err != nil {
			return err
		}
		if slices.ContainsFunc(list.Items, func(p struct{ Name, Version string }) bool {
			return p.Name == storyPackage && p.Version == m.packaged()
		}) {
			v.fleetHas++
		}
	}
	if m.Machines != m.packaged() && v.fleetHas == len(s.fleet.fleet) {
		return s.remember(func(m *storyMemory) { m.Machines = m.packaged() })
	}
	return nil
}

// callFor asks for lines of the team, where a header and not the address says which.
func (s *story) callFor(ctx context.Context, path string, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.app.URL()+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("X-Scope-OrgID", demoTeam)
	return send(req, out)
}

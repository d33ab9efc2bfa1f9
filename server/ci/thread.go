package ci

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/thread"
)

// Thread is what pipelines contribute to the pages of everything.
func (s *Service) Thread() thread.Source {
	return thread.Source{Capability: "ci", Happened: s.threadHappened, Find: s.threadFind, Needs: s.threadNeeds}
}

// A build of a thread, joined with what names it.
type threadBuild struct {
	ID                                   int64
	Name, Status, CreatedBy, Cause       string
	Pipeline, Job, Version, Repository   string
	CreatedAt, StartedAt, EndedAt, JobID int64
	InstanceVars                         string
}

func (b threadBuild) path(team string) string {
	if b.Pipeline == "" || b.InstanceVars != "" {
		return "/builds/" + strconv.FormatInt(b.ID, 10)
	}
	return pipelinePage(team, b.Pipeline) + "/jobs/" + url.PathEscape(b.Job) + "/builds/" + url.PathEscape(b.Name)
}

func (b threadBuild) refs() thread.Refs {
	var version struct{ Ref string }
	_ = json.Unmarshal([]byte(b.Version), &version) // a version without a commit has none to give
	_, repository, _ := strings.Cut(b.Repository, "/")
	return thread.Refs{Repository: repository, Commit: version.Ref, Pipeline: b.Pipeline, Job: b.Job}
}

func (b threadBuild) title() string { return b.Pipeline + "/" + b.Job + " #" + b.Name }

func pipelinePage(team, name string) string {
	return "/teams/" + url.PathEscape(team) + "/pipelines/" + url.PathEscape(name)
}

var buildTones = map[Status]thread.Tone{Succeeded: thread.Good, Failed: thread.Bad, Errored: thread.Bad, Aborted: thread.Warn}

// threadHappened are the builds of jobs that ended.
func (s *Service) threadHappened(ctx context.Context, span thread.Span) ([]thread.Event, error) {
	builds, err := s.store.endedBetween(ctx, span.Team.ID, span.From.UnixMilli(), span.To.UnixMilli(), span.Limit)
	out := make([]thread.Event, len(builds))
	for i, b := range builds {
		out[i] = thread.Event{At: time.UnixMilli(b.EndedAt).UTC(), Capability: "ci", Kind: "build", Title: b.title() + " " + b.Status, Detail: b.Cause,
			Path: b.path(span.Team.Name), Actor: b.CreatedBy, Tone: buildTones[Status(b.Status)], Refs: b.refs()}
		if b.StartedAt > 0 {
			out[i].Detail = strings.TrimSpace(b.Cause + " after " + time.Duration((b.EndedAt-b.StartedAt)*int64(time.Millisecond)).Round(time.Second).String())
		}
	}
	return out, err
}

// threadFind knows repositories, pipelines, jobs and resources by name, and builds as "pipeline/job 12", "12" or by the commit they took.
func (s *Service) threadFind(ctx context.Context, team identity.Team, text string, limit int) ([]thread.Hit, error) {
	named, err := s.store.namedLike(ctx, team.ID, text, limit)
	if err != nil {
		return nil, err
	}
	out := make([]thread.Hit, 0, len(named))
	for _, n := range named {
		h := thread.Hit{Capability: "ci", Kind: n.Kind, Title: n.Name, Path: pipelinePage(team.Name, n.Pipeline)}
		if n.Kind == "repository" {
			_, h.Title, _ = strings.Cut(n.Name, "/") // the place comes first
			h.Path = "/teams/" + url.PathEscape(team.Name) + "/ci/hooks/deliveries?repository=" + url.QueryEscape(h.Title)
		} else if n.Kind != "pipeline" {
			h.Detail = n.Pipeline
			h.Path += "/" + n.Kind + "s/" + url.PathEscape(n.Name)
		}
		out = append(out, h)
	}
	builds, err := s.store.buildsLike(ctx, team.ID, text, limit)
	for _, b := range builds {
		out = append(out, thread.Hit{Capability: "ci", Kind: "build", Title: b.title(), Detail: strings.TrimSpace(b.Status + " " + b.refs().Commit), Path: b.path(team.Name)})
	}
	return out, err
}

// touchedFor is how long a job is a person's after they ran it.
const touchedFor = 14 * 24 * time.Hour

// threadNeeds are approvals that wait and jobs whose newest build did not succeed.
func (s *Service) threadNeeds(ctx context.Context, team identity.Team) ([]thread.Need, error) {
	me := identity.From(ctx).Name
	waiting, err := s.store.waitingFor(ctx, team.ID)
	if err != nil {
		return nil, err
	}
	out := []thread.Need{}
	for _, b := range waiting {
		out = append(out, thread.Need{Capability: "ci", Kind: "approval", Title: b.title() + " waits for approval", Path: b.path(team.Name), Since: time.UnixMilli(b.CreatedAt).UTC(), Tone: thread.Warn, Mine: b.CreatedBy == me, Refs: b.refs()})
	}
	broken, err := s.store.brokenJobs(ctx, team.ID)
	if err != nil {
		return nil, err
	}
	touched, err := s.store.touchedJobs(ctx, team.ID, me, s.deps.Now().Add(-touchedFor).UnixMilli())
	for _, b := range broken {
		out = append(out, thread.Need{Capability: "ci", Kind: "build", Title: b.title() + " " + b.Status, Detail: b.Cause, Path: b.path(team.Name),
			Since: time.UnixMilli(b.EndedAt).UTC(), Tone: thread.Bad, Mine: slices.Contains(touched, b.JobID), Refs: b.refs()})
	}
	return out, err
}

// Watched gives the repositories that each pipeline of a team watches, as owner/name in
// lower case; a pipeline without any has none.
func (s *Service) Watched(ctx context.Context, team int64) (map[string][]string, error) {
	all, err := s.store.watched(ctx, team)
	for _, list := range all {
		for i, r := range list {
			_, list[i], _ = strings.Cut(r, "/")
		}
	}
	return all, err
}

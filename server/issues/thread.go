package issues

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/thread"
)

// Thread is what errors contribute to the pages of everything.
func (s *Service) Thread() thread.Source {
	return thread.Source{Capability: "issues", Happened: s.threadHappened, Find: s.threadFind, Needs: s.threadNeeds}
}

// What a thread tells of errors, releases and alerts, in one shape.
type threadRow struct {
	Kind, Title, Detail, Actor string
	ID, At                     int64
	Project, Release, Ref      string
}

var (
	threadTones = map[string]thread.Tone{"new": thread.Bad, "regressed": thread.Bad, "escalating": thread.Bad, "alert": thread.Warn, "release": thread.Plain, "deploy": thread.Good, "resolved": thread.Good}
	threadKinds = map[string]string{"new": "error", "regressed": "error", "escalating": "error", "resolved": "error", "alert": "alert", "release": "release", "deploy": "deploy"}
	threadVerbs = map[string]string{"new": "New error: ", "regressed": "Came back: ", "escalating": "Escalating: ", "resolved": "Resolved: ", "alert": "Alert: ", "release": "Release ", "deploy": "Deployed "}
)

func (r threadRow) path(team string) string {
	base := "/teams/" + url.PathEscape(team) + "/issues/"
	switch threadKinds[r.Kind] {
	case "alert":
		return base + "alerts/" + formatID(r.ID)
	case "release", "deploy":
		return base + "releases/" + formatID(r.ID)
	}
	return base + formatID(r.ID)
}

func (s *Service) threadHappened(ctx context.Context, span thread.Span) ([]thread.Event, error) {
	rows, err := s.rows().threadBetween(ctx, span.Team.ID, span.From.UnixMilli(), span.To.UnixMilli(), span.Limit)
	out := make([]thread.Event, len(rows))
	for i, r := range rows {
		out[i] = thread.Event{At: time.UnixMilli(r.At).UTC(), Capability: "issues", Kind: threadKinds[r.Kind], Title: threadVerbs[r.Kind] + short(r.Title), Detail: r.Detail, Path: r.path(span.Team.Name),
			Actor: r.Actor, Tone: threadTones[r.Kind], Refs: thread.Refs{Project: r.Project, Release: r.Release, Commit: r.Ref}}
	}
	return out, err
}

// threadFind knows errors by title and short name, releases by version and commit, events by id, projects, alerts and monitors by name.
func (s *Service) threadFind(ctx context.Context, team identity.Team, text string, limit int) ([]thread.Hit, error) {
	base := "/teams/" + url.PathEscape(team.Name) + "/issues"
	found, err := s.rows().threadLike(ctx, team.ID, text, limit)
	out := make([]thread.Hit, len(found))
	for i, r := range found {
		h := thread.Hit{Capability: "issues", Kind: r.Kind, Title: r.Title, Detail: r.Detail}
		switch r.Kind {
		case "project":
			h.Path = base + "/projects/" + url.PathEscape(r.Project)
		case "release", "commit":
			h.Path = base + "/releases/" + formatID(r.ID)
		case "alert":
			h.Path = base + "/alerts/" + formatID(r.ID)
		case "monitor":
			h.Path = base + "/monitors/" + formatID(r.ID)
		case "event":
			h.Path = base + "/" + formatID(r.ID) + "/events/" + url.PathEscape(r.Ref)
		case "view":
			h.Path = base + "?query=" + url.QueryEscape(r.Ref)
		default:
			h.Path = base + "/" + formatID(r.ID)
		}
		out[i] = h
	}
	return out, err
}

// threadNeeds are unresolved errors that are new, came back or escalate, and those assigned to who asks.
func (s *Service) threadNeeds(ctx context.Context, team identity.Team) ([]thread.Need, error) {
	me := identity.From(ctx)
	rows, err := s.rows().threadOpen(ctx, team.ID, me.UserID, s.Now().Add(-7*24*time.Hour).UnixMilli())
	out := make([]thread.Need, len(rows))
	for i, r := range rows {
		out[i] = thread.Need{Capability: "issues", Kind: "error", Title: r.Title, Detail: strings.TrimSpace(r.Project + " · " + r.Kind), Path: r.path(team.Name), Since: time.UnixMilli(r.At).UTC(),
			Tone: thread.Bad, Mine: r.Actor != "" && r.Actor == me.Name, Refs: thread.Refs{Project: r.Project}}
	}
	return out, err
}

// short cuts a release that is named by nothing but a whole commit.
func short(title string) string {
	version, rest, _ := strings.Cut(title, " ")
	if len(version) != 40 || strings.Trim(version, "0123456789abcdef") != "" {
		return title
	}
	return strings.TrimSpace(version[:12] + " " + rest)
}

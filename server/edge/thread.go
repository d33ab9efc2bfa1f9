package edge

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/thread"
)

// Thread is what the fleet contributes to the pages of everything.
func (s *Service) Thread() thread.Source {
	return thread.Source{Capability: "edge", Happened: s.threadHappened, Find: s.threadFind, Needs: s.threadNeeds}
}

// Something of the fleet in a thread.
type threadRow struct {
	Kind, ID, Name, Detail, State, Actor, Bundle string
	Number, At                                   int64
}

func (r threadRow) path(team string) string {
	base := "/teams/" + url.PathEscape(team) + "/edge/"
	if r.Kind == "cve" {
		return base + "cves?cve=" + url.QueryEscape(r.ID)
	}
	return base + r.Kind + "s/" + url.PathEscape(r.ID)
}

var threadTones = map[string]thread.Tone{"paused": thread.Warn, "aborted": thread.Warn, "expired": thread.Warn, "rolling-back": thread.Bad, "rolled-back": thread.Bad, "completed": thread.Good,
	"failed": thread.Bad, "quarantined": thread.Bad, "done": thread.Good}

// threadHappened are turns of rollouts, bundles published, and nodes that failed or rolled back.
func (s *Service) threadHappened(ctx context.Context, span thread.Span) ([]thread.Event, error) {
	list, err := s.rows().threadBetween(ctx, span.Team.ID, span.From.UnixMilli(), span.To.UnixMilli(), span.Limit)
	if err != nil {
		return nil, err
	}
	var named []string
	for _, r := range list {
		named = append(named, r.Bundle)
	}
	bundles, err := s.rows().threadBundles(ctx, span.Team.ID, slices.Compact(slices.Sorted(slices.Values(named))))
	out := make([]thread.Event, len(list))
	for i, r := range list {
		e := thread.Event{At: time.UnixMilli(r.At).UTC(), Capability: "edge", Kind: r.Kind, Detail: r.Detail, Path: r.path(span.Team.Name), Actor: r.Actor, Tone: threadTones[r.State], Refs: thread.Refs{Bundle: r.Bundle}}
		switch r.Kind {
		case "rollout":
			e.Title = "Rollout " + strconv.FormatInt(r.Number, 10) + " of " + r.Bundle + " " + strings.ReplaceAll(r.State, "-", " ")
		case "bundle":
			e.Title = "Bundle " + r.Bundle + " published"
		default:
			e.Title = "Node " + r.Name + " " + strings.ReplaceAll(r.State, "-", " ")
		}
		if e.Tone == "" {
			e.Tone = thread.Plain
		}
		if b, known := bundles[r.Bundle]; known {
			e.Packages = s.carriedBy(ctx, b)
		}
		out[i] = e
	}
	return out, err
}

// threadFind knows nodes by name and host name, bundles, policies' rollouts and CVEs that a bundle mends.
func (s *Service) threadFind(ctx context.Context, team identity.Team, text string, limit int) ([]thread.Hit, error) {
	list, err := s.rows().threadLike(ctx, team.ID, text, limit)
	out := make([]thread.Hit, len(list))
	for i, r := range list {
		out[i] = thread.Hit{Capability: "edge", Kind: r.Kind, Title: r.Name, Detail: r.Detail, Path: r.path(team.Name)}
		switch r.Kind {
		case "cve":
			out[i].Kind = "CVE"
		case "policie":
			out[i].Kind = "policy"
		case "site":
			out[i].Path = fleetPage(team.Name, "site:"+r.ID)
		}
	}
	return out, err
}

// threadNeeds are rollouts that stand until a person has looked, and nodes that wait to be accepted.
func (s *Service) threadNeeds(ctx context.Context, team identity.Team) ([]thread.Need, error) {
	list, err := s.rows().threadStanding(ctx, team.ID)
	if err != nil {
		return nil, err
	}
	out := []thread.Need{}
	for _, r := range list {
		n := thread.Need{Capability: "edge", Kind: "rollout", Title: "Rollout " + strconv.FormatInt(r.Number, 10) + " of " + r.Bundle + " is paused", Detail: r.Detail, Path: r.path(team.Name), Since: time.UnixMilli(r.At).UTC(), Tone: thread.Warn}
		if r.State == "awaiting-approval" {
			n.Title = "Rollout " + strconv.FormatInt(r.Number, 10) + " of " + r.Bundle + " waits for approval"
		}
		out = append(out, n)
	}
	pending, since, err := s.rows().threadPending(ctx, team.ID)
	if pending > 0 {
		title := strconv.FormatInt(pending, 10) + " nodes wait to be accepted"
		if pending == 1 {
			title = "A node waits to be accepted"
		}
		out = append(out, thread.Need{Capability: "edge", Kind: "node", Title: title, Path: "/teams/" + url.PathEscape(team.Name) + "/edge/enrolment", Since: time.UnixMilli(since).UTC(), Tone: thread.Warn})
	}
	return out, err
}

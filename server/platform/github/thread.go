package github

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/thread"
)

// told is the little that a thread says of a delivery.
type told struct {
	Ref        string
	After      string
	Deleted    bool
	HeadCommit *struct{ Message string } `json:"head_commit"`
	Pull       *struct {
		Number int
		Title  string
		Merged bool
		SHA    string `json:"merge_commit_sha"`
	} `json:"pull_request"`
	Release *struct {
		Tag string `json:"tag_name"`
	}
}

// Thread is what GitHub's deliveries contribute to the pages of everything; they are
// seen by whoever sees pipelines.
func (s *Service) Thread() thread.Source {
	return thread.Source{Capability: "ci", Happened: s.threadHappened}
}

// threadHappened are pushes, pull requests opened and merged, and releases published.
func (s *Service) threadHappened(ctx context.Context, span thread.Span) ([]thread.Event, error) {
	rows, err := s.threadBetween(ctx, span.Team.ID, span.From.UnixMilli(), span.To.UnixMilli(), span.Limit)
	out := []thread.Event{}
	for _, r := range rows {
		e := thread.Event{At: time.UnixMilli(r.ReceivedAt).UTC(), Capability: "ci", Kind: r.Event, Actor: r.Sender, Tone: thread.Plain,
			Path: "/teams/" + url.PathEscape(span.Team.Name) + "/ci/hooks/deliveries?delivery=" + url.QueryEscape(r.ID), Refs: thread.Refs{Repository: strings.ToLower(r.Repository)}}
		var t told
		if json.Unmarshal(r.Body, &t) != nil && len(r.Body) > 0 {
			continue // the deliveries page shows what it is
		}
		if t.title(&e, r) {
			out = append(out, e)
		}
	}
	return out, err
}

// title fills in what the delivery says; false for what is no news.
func (t told) title(e *thread.Event, r deliveryRow) bool {
	switch {
	case r.Event == "push" && !t.Deleted:
		branch := strings.TrimPrefix(strings.TrimPrefix(t.Ref, "refs/heads/"), "refs/tags/")
		e.Title = "Push to " + r.Repository
		if branch != "" {
			e.Title += " " + branch
		}
		if t.HeadCommit != nil {
			e.Detail, _, _ = strings.Cut(t.HeadCommit.Message, "\n")
		}
		e.Commit = t.After
	case t.Pull != nil && r.Action == "closed" && t.Pull.Merged:
		e.Title, e.Detail, e.Commit = "Merged "+r.Repository+"#"+strconv.Itoa(t.Pull.Number), t.Pull.Title, t.Pull.SHA
	case t.Pull != nil && r.Action == "opened":
		e.Title, e.Detail = "Opened "+r.Repository+"#"+strconv.Itoa(t.Pull.Number), t.Pull.Title
	case t.Release != nil && r.Action == "published":
		e.Title, e.Release = "Released "+r.Repository+" "+t.Release.Tag, t.Release.Tag
	default:
		return false
	}
	return true
}

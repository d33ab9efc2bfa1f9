package ci

import (
	"context"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/ci/algorithm"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/platform/github/payload"
)

const (
	// keepTold is for how long it is known which delivery told of a version; deliveries
	// themselves stay no longer.
	keepTold = 30 * 24 * time.Hour
	// maxMarks of one delivery are kept: a push may have thousands of commits.
	maxMarks = 100
)

// BuildCaused says that the scheduler made a build because of a version that a
// delivery told of.
type BuildCaused struct {
	Team     int64
	Delivery string
	Effect   Effect
}

// mark is how the version that an event told of is known at a resource, whether the
// payload brought it or the check that the event asked for.
type mark struct {
	resource int64
	text     string
	at       millis
}

// markOf is the mark of a version; "" for types that no hook tells of.
func markOf(kind string, v resource.Version) string {
	switch kind {
	case gitType:
		return v["ref"] // a commit or, of a resource that follows tags, a tag
	case pullType:
		return pullMark(v["pr"], v["commit"])
	case releaseType:
		return v["id"]
	}
	return ""
}

func pullMark(number, commit string) string { return number + "/" + commit }

// pushMarks are those of what a push may bring, the newest first.
func pushMarks(p payload.Push) []string {
	if p.Tag != "" {
		return []string{p.Tag}
	}
	out := []string{p.After}
	for _, c := range slices.Backward(p.Commits) {
		if len(out) < maxMarks && c.ID != p.After {
			out = append(out, c.ID)
		}
	}
	return out
}

// NoteDelivery keeps which delivery told what, so that the builds which come of it are
// linked from its page. Call it in the transaction in which the event was received.
func (s *Service) NoteDelivery(ctx context.Context, delivery string, t Told) error {
	if delivery == "" || s.OnBuildCaused == nil {
		return nil
	}
	return s.insertTold(ctx, delivery, t.marks)
}

// tellCaused tells of a build that starts by itself to the deliveries that told of the
// versions which trigger it, in the transaction that makes it.
func (s *Service) tellCaused(ctx context.Context, v view, config pipeline.Job, b buildRow, result algorithm.Resolution) error {
	if s.OnBuildCaused == nil {
		return nil
	}
	var told []string
	for _, get := range config.Gets() {
		choice, ok := result.Inputs[get.Name]
		if !ok || !get.Trigger || !choice.First {
			continue
		}
		r, ok := v.resources[get.ResourceName()]
		if _, hears := eventOf[r.Type]; !ok || !hears {
			continue
		}
		version, err := s.version(ctx, choice.Version)
		if err != nil {
			return err
		}
		delivery, err := s.toldBy(ctx, r.ID, markOf(r.Type, version.fields()), version.CreatedAt)
		if err != nil {
			return err
		}
		if delivery == "" || slices.Contains(told, delivery) {
			continue
		}
		told = append(told, delivery)
		if err := s.tellBuild(ctx, v, config.Name, b, delivery); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) tellBuild(ctx context.Context, v view, job string, b buildRow, delivery string) error {
	team, err := s.teamName(ctx, b.TeamID)
	if err != nil {
		return err
	}
	return s.OnBuildCaused(ctx, BuildCaused{Team: b.TeamID, Delivery: delivery, Effect: Effect{Kind: "build", ID: formatInt(b.ID),
		Title: v.pipeline.label() + "/" + job + " #" + b.Name, URL: s.buildPage(team, v.pipeline.Name, v.pipeline.instanceVars(), job, b.Name)}})
}

func (s *Service) pruneTold(ctx context.Context) error {
	return s.removeTold(ctx, toMillis(s.now().Add(-keepTold)))
}

// troubleOf says what is known to be wrong with the resource's repository.
func (s *Service) troubleOf(ctx context.Context, r resourceRow) (string, error) {
	if s.RepositoryTrouble == nil {
		return "", nil
	}
	return s.RepositoryTrouble(ctx, r.TeamID, r.Repository)
}

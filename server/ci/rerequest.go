package ci

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/platform/github/payload"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// externalID is what a check run of a build is called by us.
func externalID(build int64) string { return "build:" + formatInt(build) }

var fullSHA = regexp.MustCompile(`^[0-9a-f]{40,64}$`)

// ReceiveRerequest runs a build again, or all that took a commit, because somebody
// pressed GitHub's button. The hook's signature vouches that they may; it does so for
// the hook's team only. One delivery makes a build run again once, however often it
// is handled.
func (s *Service) ReceiveRerequest(ctx context.Context, team int64, delivery string, places []string, r payload.Rerequest, by string) (Told, error) {
	var out Told
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		out = Told{}
		builds, err := s.rerequested(ctx, team, places, r)
		if err != nil {
			return err
		}
		for _, b := range builds {
			effect, err := s.runAgain(ctx, b, delivery, by)
			if err != nil {
				return err
			}
			out.Effects = append(out.Effects, effect)
		}
		return nil
	})
	return out, err
}

func (s *Service) rerequested(ctx context.Context, team int64, places []string, r payload.Rerequest) ([]buildRow, error) {
	if id, ours := strings.CutPrefix(r.ExternalID, "build:"); ours {
		b, err := s.build(ctx, parseID(id))
		if problem.Is(err, problem.NotFound) || err == nil && b.TeamID != team {
			return nil, nil
		}
		return []buildRow{b}, err
	}
	if r.ExternalID != "" || !fullSHA.MatchString(r.SHA) {
		return nil, nil // a check of somebody else's
	}
	names, err := s.namesOf(ctx, team, places)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	return s.newestOfCommit(ctx, team, names, r.SHA)
}

func (s *Service) runAgain(ctx context.Context, b buildRow, delivery, by string) (Effect, error) {
	described, err := s.describeBuild(ctx, b)
	if err != nil {
		return Effect{}, err
	}
	page := func(name string) string {
		return s.buildPage(described.TeamName, described.PipelineName, described.InstanceVars, described.JobName, name)
	}
	where := described.PipelineName + "/" + described.JobName
	first, err := s.noteRerequest(ctx, delivery, b.ID)
	if err != nil {
		return Effect{}, err
	}
	if !first {
		return Effect{Kind: "build", ID: formatInt(b.ID), Title: where + " #" + b.Name + " was run again already", URL: page(b.Name)}, nil
	}
	again, err := s.rerunFor(ctx, b, orSomebody(by)+" on GitHub")
	if p := problem.From(err); err != nil {
		if slices.Contains([]problem.Kind{problem.Conflict, problem.Invalid, problem.NotFound}, p.Kind) {
			return Effect{Kind: "build", ID: formatInt(b.ID), Title: where + " #" + b.Name + " was not run again: " + p.Detail, URL: page(b.Name)}, nil
		}
		return Effect{}, err
	}
	return Effect{Kind: "build", ID: formatInt(again.ID), Title: where + " #" + again.Name, URL: page(again.Name)}, s.setRerequest(ctx, delivery, b.ID, again.ID)
}

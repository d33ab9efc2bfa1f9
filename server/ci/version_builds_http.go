package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// versionBuildsShown is how many builds of each kind are told of one version.
const versionBuildsShown = 50

// versionBuilds says what became of a version, and where it came from.
type versionBuilds struct {
	// InputTo are the builds that took it, OutputOf those that made it; newest first.
	InputTo  []buildItem `json:"input_to"`
	OutputOf []buildItem `json:"output_of"`
}

func (s *Service) httpVersionBuilds(ctx context.Context, in byID) (versionBuilds, error) {
	out := versionBuilds{}
	v, err := s.version(ctx, in.ID)
	if err != nil {
		return out, err
	}
	if _, err := s.seenResource(ctx, v.ResourceID); err != nil {
		return out, err
	}
	if out.InputTo, err = s.itemsUsing(ctx, v.ID, input); err != nil {
		return out, err
	}
	out.OutputOf, err = s.itemsUsing(ctx, v.ID, output)
	return out, err
}

func (s *Service) itemsUsing(ctx context.Context, version int64, direction string) ([]buildItem, error) {
	out := []buildItem{}
	rows, err := s.buildsUsing(ctx, version, direction, versionBuildsShown)
	if err != nil {
		return out, err
	}
	n := s.names()
	for _, b := range rows {
		item, err := n.item(ctx, b)
		if err != nil {
			return out, err
		}
		out = append(out, item)
	}
	return out, nil
}

// lastCheck names the build of the last check while it is kept: checks that find
// nothing are forgotten soon. Strangers do not read what checks say.
func (s *Service) lastCheck(ctx context.Context, r resourceRow) (*ref, error) {
	if r.CheckBuildID == 0 || !own(ctx, r.TeamID) {
		return nil, nil
	}
	b, err := s.build(ctx, r.CheckBuildID)
	if problem.Is(err, problem.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return refTo(b.ID, b.Name), nil
}

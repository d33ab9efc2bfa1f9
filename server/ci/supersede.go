package ci

import (
	"context"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/ci/algorithm"
)

// lineKeys are the fields of versions that tell lines of work apart: a pull request or
// a branch of a resource that follows several.
var lineKeys = []string{"pr", "branch"}

// lineOf names the line of work that versions belong to; "" when they are of the job as a whole.
func lineOf(versions map[string]map[string]string) string {
	var parts []string
	for name, version := range versions {
		for _, key := range lineKeys {
			if value := version[key]; value != "" {
				parts = append(parts, name+" "+key+" "+value)
				break
			}
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, "\n")
}

// supersede aborts older builds of the job and the same line of work, in the
// transaction of the newer one. A build that somebody has approved goes on: that
// person decided about exactly this build. Reruns are old on purpose; they neither
// supersede nor are superseded.
func (s *Service) supersede(ctx context.Context, newer buildRow, result algorithm.Resolution) error {
	line, err := s.lineOfResult(ctx, result)
	if err != nil {
		return err
	}
	older, err := s.supersedable(ctx, newer)
	if err != nil {
		return err
	}
	for _, b := range older {
		same, err := s.onLine(ctx, b, line)
		if err != nil {
			return err
		}
		if !same {
			continue
		}
		if err := s.setSuperseded(ctx, b.ID, newer.ID); err != nil {
			return err
		}
		b.SupersededBy = newer.ID
		if err := s.audit(ctx, b.TeamID, "build.supersede", "build "+formatInt(b.ID), "by build "+formatInt(newer.ID)); err != nil {
			return err
		}
		if err := s.stop(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) lineOfResult(ctx context.Context, result algorithm.Resolution) (string, error) {
	versions := map[string]map[string]string{}
	for name, choice := range result.Inputs {
		v, err := s.version(ctx, choice.Version)
		if err != nil {
			return "", err
		}
		versions[name] = v.fields()
	}
	return lineOf(versions), nil
}

// onLine reports whether a build is of the line. One that has no versions yet would
// take the newest, and is pointless only where there are no lines.
func (s *Service) onLine(ctx context.Context, b buildRow, line string) (bool, error) {
	if b.Status == Pending {
		return line == "", nil
	}
	used, err := s.inputVersions(ctx, b.ID)
	if err != nil {
		return false, err
	}
	versions := map[string]map[string]string{}
	for name, v := range used {
		versions[name] = v
	}
	return lineOf(versions) == line, nil
}

// abortReason is what an aborted build's message says; "" when a person stopped it.
func (s *Service) abortReason(ctx context.Context, id int64) string {
	b, err := s.build(ctx, id)
	if err != nil || b.SupersededBy == 0 {
		return ""
	}
	name := formatInt(b.SupersededBy)
	if newer, err := s.build(ctx, b.SupersededBy); err == nil {
		name = newer.Name
	}
	return "superseded by build #" + name
}

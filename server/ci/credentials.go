package ci

import (
	"context"
	"errors"
	"fmt"

	"github.com/signalbox/signalbox/server/ci/algorithm"
	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/vars"
	"github.com/signalbox/signalbox/server/platform/identity"
)

// checkCredentials resolves every ((var)) of resources and types without using it.
func (s *Service) checkCredentials(ctx context.Context, team identity.Team, name string, instance pipeline.InstanceVars, config pipeline.Config) error {
	lookup, err := s.sourcedVars(ctx, engine.Build{TeamID: team.ID, TeamName: team.Name, PipelineName: name, InstanceVars: instance}, config.VarSources)
	if err != nil {
		return err
	}
	var errs []error
	check := func(where string, tree any) {
		if _, err := vars.Interpolate(ctx, tree, lookup); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", where, err))
		}
	}
	for _, t := range config.ResourceTypes {
		check("resource type "+t.Name, map[string]any(t.Source))
	}
	for _, r := range config.Resources {
		check("resource "+r.Name, map[string]any(r.Source))
		check("resource "+r.Name, r.WebhookToken)
	}
	return errors.Join(errs...)
}

// webhookToken is the resource's token with its vars resolved; "" when it has none.
func (s *Service) webhookToken(ctx context.Context, p pipelineRow, r resourceRow) (string, error) {
	config, err := s.configs.of(p)
	if err != nil {
		return "", err
	}
	declared, _ := config.Resource(r.Name)
	if declared.WebhookToken == "" {
		return "", nil
	}
	var tracker vars.Tracker
	resolved, err := s.resolveSource(ctx, &tracker, p, pipeline.Source{"token": declared.WebhookToken})
	if err != nil {
		return "", err
	}
	token, _ := resolved["token"].(string)
	return token, nil
}

// nextInputs are the versions that the job's next build would take; false when some input has none.
func (s *Service) nextInputs(ctx context.Context, p pipelineRow, j jobRow) (map[string]pipeline.Version, bool, error) {
	v, err := s.look(ctx, p.ID)
	if err != nil {
		return nil, false, err
	}
	declared, _ := v.config.Job(j.Name)
	inputs, err := s.inputs(ctx, v, declared)
	if err != nil {
		return nil, false, err
	}
	result, err := algorithm.Resolve(ctx, history{s.store, j.ID}, inputs)
	if err != nil || !result.OK() {
		return nil, false, err
	}
	out := map[string]pipeline.Version{}
	for name, choice := range result.Inputs {
		found, err := s.version(ctx, choice.Version)
		if err != nil {
			return nil, false, err
		}
		out[name] = pipeline.Version(found.fields())
	}
	return out, true, nil
}

// versionPage gives a page of versions, newest first, and whether more follow.
func (s *Service) versionPage(ctx context.Context, r resourceRow, wanted resource.Version, p flyPage) ([]versionRow, bool, error) {
	rows, err := s.filterVersions(ctx, r, wanted, p.limit+1+offsetFor(p), 0)
	if err != nil {
		return nil, false, err
	}
	if p.to != 0 {
		for len(rows) > 0 && rows[0].ID > p.to {
			rows = rows[1:]
		}
	}
	if p.from != 0 {
		for len(rows) > 0 && rows[len(rows)-1].ID < p.from {
			rows = rows[:len(rows)-1]
		}
		if len(rows) > p.limit && p.to == 0 {
			rows = rows[len(rows)-p.limit:]
		}
	}
	more := len(rows) > p.limit
	if more {
		rows = rows[:p.limit]
	}
	return rows, more, nil
}

// offsetFor is how much more must be read when the page begins in the middle.
func offsetFor(p flyPage) int {
	if p.to == 0 && p.from == 0 {
		return 0
	}
	return 100_000
}

// forgetVersions deletes the versions of a resource, and has it checked anew.
func (s *Service) forgetVersions(ctx context.Context, r resourceRow) (n int64, err error) {
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if n, err = s.clearVersions(ctx, r); err != nil {
			return err
		}
		if r.PinnedVersionID != 0 {
			if err := s.pin(ctx, r.ID, 0, "", ""); err != nil {
				return err
			}
		}
		if err := s.audit(ctx, r.TeamID, "versions.clear", r.Name, formatInt(n)); err != nil {
			return err
		}
		if r.CheckEvery == 0 {
			return s.versionsChanged(ctx, r)
		}
		return errors.Join(s.versionsChanged(ctx, r), s.askForCheck(ctx, []int64{r.ID}, ""))
	})
	return n, err
}

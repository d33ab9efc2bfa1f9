package edge

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/edge/policy"
	"github.com/signalbox/signalbox/server/edge/rollout"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// sync makes a source's policies what its repository says. A file that is no policy
// leaves the one it was in force, and says so.
func (s *Service) sync(ctx context.Context, id string) error {
	row, err := s.rows().policySource(ctx, id)
	if err != nil {
		return err
	}
	if s.RepositoryFiles == nil {
		return problem.New(problem.Unavailable, "This server reads no repositories.")
	}
	commit, files, err := s.RepositoryFiles(ctx, row.TeamID, row.Repository, row.Branch, row.Folder)
	if err != nil {
		said := text([]SourceProblem{{Message: describe(err)}})
		if written := s.rows().setSynced(context.WithoutCancel(ctx), id, "", s.millis(), said); written != nil {
			return written
		}
		return err
	}
	return s.DB.Tx(gitCaller(ctx, commit), func(ctx context.Context) error {
		if err := s.rows().lockTeam(ctx, row.TeamID); err != nil {
			return err
		}
		problems, err := s.apply(ctx, row, commit, files)
		if err != nil {
			return err
		}
		if err := s.rows().setSynced(ctx, id, commit, s.millis(), text(problems)); err != nil {
			return err
		}
		return s.publish(ctx, row.TeamID, policiesTopic, "")
	})
}

// apply takes the files of a commit into the team's policies.
func (s *Service) apply(ctx context.Context, src sourceRow, commit string, files []RepositoryFile) ([]SourceProblem, error) {
	problems := []SourceProblem{}
	complain := func(file, format string, args ...any) {
		problems = append(problems, SourceProblem{file, fmt.Sprintf(format, args...)})
	}
	if len(files) > maxFiles {
		complain("", "the folder holds more than %d files; the first of them count", maxFiles)
		files = files[:maxFiles]
	}
	slices.SortFunc(files, func(a, b RepositoryFile) int { return strings.Compare(a.Path, b.Path) })
	seen := map[string]string{}
	// A file that cannot be read still stands for the policy that it was.
	broken := map[string]bool{}
	for _, f := range files {
		parsed, found := policy.Parse([]byte(f.Text))
		if found.Bad() {
			broken[f.Path] = true
			complain(f.Path, "%s", firstMistake(found))
			continue
		}
		name := parsed.Metadata.Name
		if other, twice := seen[name]; twice {
			complain(f.Path, "the policy %s is in %s already", name, other)
			continue
		}
		seen[name] = f.Path
		if why, err := s.applyFile(ctx, src, commit, f, parsed); err != nil {
			return nil, err
		} else if why != "" {
			complain(f.Path, "%s", why)
		}
	}
	return problems, s.dropMissing(ctx, src, seen, broken)
}

func firstMistake(found policy.Findings) string {
	i := slices.IndexFunc(found, func(f policy.Finding) bool { return !f.Warning })
	return found[i].String()
}

// applyFile takes one file; the text is why it is not in force.
func (s *Service) applyFile(ctx context.Context, src sourceRow, commit string, f RepositoryFile, parsed policy.Policy) (string, error) {
	row, found, err := s.rows().policyNamed(ctx, src.TeamID, parsed.Metadata.Name)
	if err != nil {
		return "", err
	}
	switch {
	case !found:
		row, err = s.insertPolicy(ctx, policyRow{TeamID: src.TeamID, Name: parsed.Metadata.Name, Body: f.Text, SourceID: src.ID, Path: f.Path, CommitSHA: commit}, "commit "+commit)
		if problem.Is(err, problem.Conflict) {
			return describe(err), nil
		}
		if err != nil {
			return "", err
		}
		return s.arrived(ctx, src, row, parsed, nil)
	case row.SourceID != "" && row.SourceID != src.ID:
		return fmt.Sprintf("the team has a policy %s from another repository", row.Name), nil
	case row.Body == f.Text:
		if row.SourceID != src.ID || row.Path != f.Path {
			return "", s.rows().setPolicySource(ctx, row.ID, src.ID, f.Path, commit)
		}
		return "", nil
	}
	before, _ := policy.Parse([]byte(row.Body))
	row.Body, row.SourceID, row.Path, row.CommitSHA = f.Text, src.ID, f.Path, commit
	if row, err = s.revise(ctx, row, "commit "+commit); err != nil {
		return "", err
	}
	return s.arrived(ctx, src, row, parsed, &before)
}

// arrived does what a policy's change in a repository asks for: a bundle is rolled
// out, and a change back to an older one stops it.
func (s *Service) arrived(ctx context.Context, src sourceRow, row policyRow, now policy.Policy, before *policy.Policy) (string, error) {
	if !src.Starts || before != nil && reflect.DeepEqual(before.Spec, now.Spec) {
		return "", nil
	}
	commit := identity.From(ctx).Name
	active, running, err := s.rows().activeOf(ctx, row.ID)
	if err != nil {
		return "", err
	}
	last, known, err := s.rows().lastOf(ctx, row.ID)
	if err != nil {
		return "", err
	}
	if known {
		b, err := s.rows().bundle(ctx, row.TeamID, now.Spec.BundleRef.Version)
		if err != nil && !problem.Is(err, problem.NotFound) {
			return "", err
		}
		if err == nil && b.Version < last.BundleVersion {
			return "", s.reverted(ctx, src, row, last)
		}
	}
	if running {
		if err := s.end(ctx, &active, "replaced by "+commit); err != nil {
			return "", err
		}
	}
	return s.attempt(ctx, row, now, commit)
}

// attempt begins a rollout, or notes what hinders it. A bundle that is not there yet
// is waited for.
func (s *Service) attempt(ctx context.Context, row policyRow, parsed policy.Policy, reason string) (string, error) {
	_, err := s.begin(ctx, row, reason)
	if err == nil || !problem.Is(err, problem.Conflict) {
		return "", err
	}
	_, missing := s.rows().bundle(ctx, row.TeamID, parsed.Spec.BundleRef.Version)
	waits := problem.Is(missing, problem.NotFound)
	if missing != nil && !waits {
		return "", missing
	}
	if err := s.rows().setWanted(ctx, row.ID, waits, describe(err)); err != nil {
		return "", err
	}
	return describe(err), s.publish(ctx, row.TeamID, policiesTopic, row.ID)
}

// reverted stops what the repository took back. Nodes refuse older bundles, so going
// back is a rollback with what each node kept, or a new bundle with a higher version.
func (s *Service) reverted(ctx context.Context, src sourceRow, row policyRow, last rolloutRow) error {
	reason := identity.From(ctx).Name + " goes back to an older bundle"
	if err := s.rows().setWanted(ctx, row.ID, false, ""); err != nil {
		return err
	}
	switch {
	case src.OnRevert == revertRollsBack && last.State.CanBecome(rollout.RollingBack):
		return s.takeBack(ctx, &last, reason)
	case last.State.CanBecome(rollout.Aborted) && last.State != rollout.RollingBack:
		return s.end(ctx, &last, reason)
	}
	return nil
}

// dropMissing removes policies whose file is gone, and ends their rollouts.
func (s *Service) dropMissing(ctx context.Context, src sourceRow, seen map[string]string, broken map[string]bool) error {
	list, err := s.rows().policiesOf(ctx, src.ID)
	if err != nil {
		return err
	}
	for _, row := range list {
		if seen[row.Name] != "" || broken[row.Path] {
			continue
		}
		active, running, err := s.rows().activeOf(ctx, row.ID)
		if err != nil {
			return err
		}
		if running && active.State != rollout.RollingBack {
			if err := s.end(ctx, &active, identity.From(ctx).Name+" removed the policy"); err != nil {
				return err
			}
		}
		if err := s.rows().deletePolicy(ctx, row.ID); err != nil {
			return err
		}
		if err := s.policyChanged(ctx, row, "edge.policy.delete", ""); err != nil {
			return err
		}
	}
	return nil
}

// bundlePublished hears of a new bundle, in its transaction: policies that wait for
// it begin after that.
func (s *Service) bundlePublished(ctx context.Context, _ int64, _ string) error {
	return s.ordersChanged(ctx)
}

// startWanted begins rollouts that waited for their bundle, in the name of who
// changed the policy.
func (s *Service) startWanted(ctx context.Context) error {
	list, err := s.rows().wantedPolicies(ctx)
	if err != nil {
		return err
	}
	for _, row := range list {
		parsed, _ := policy.Parse([]byte(row.Body))
		b, err := s.rows().bundle(ctx, row.TeamID, parsed.Spec.BundleRef.Version)
		if problem.Is(err, problem.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		err = s.DB.Tx(identity.With(ctx, identity.Caller{Name: row.ChangedBy}), func(ctx context.Context) error {
			_, err := s.attempt(ctx, row, parsed, "bundle "+b.ID+" was published")
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

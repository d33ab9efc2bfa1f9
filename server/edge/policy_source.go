package edge

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

// RepositoryFile is a file of a repository.
type RepositoryFile struct {
	Path, Text string
}

// PolicySource is a folder of a repository whose files are a team's policies.
type PolicySource struct {
	ID         string `json:"id"`
	Repository string `json:"repository"`
	Branch     string `json:"branch"`
	Folder     string `json:"folder"`
	// Starts says that a change which arrives begins a rollout.
	Starts bool `json:"starts"`
	// OnRevert is what a change back to an older bundle does: stop or rollback.
	OnRevert  string          `json:"on_revert"`
	Commit    string          `json:"commit"`
	SyncedAt  api.Millis      `json:"synced_at"`
	Problems  []SourceProblem `json:"problems"`
	CreatedBy string          `json:"created_by"`
	CreatedAt api.Millis      `json:"created_at"`
}

// SourceProblem is why a file is not in force as it stands; without a path it is
// about the whole source.
type SourceProblem struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

// What a change back to an older bundle does. A signed bundle with the old packages
// and a higher version is no such change: it is rolled out like any other.
const (
	revertStops     = "stop"
	revertRollsBack = "rollback"
)

const (
	maxSources = 50
	maxFiles   = 200
	// syncEvery is how often a repository is looked at whose pushes nobody told of.
	syncEvery = 15 * time.Minute
	syncJob   = "edge.policies"
)

func (r *sourceRow) source() PolicySource {
	out := PolicySource{r.ID, r.Repository, r.Branch, r.Folder, r.Starts, r.OnRevert, r.CommitSHA, api.Millis(r.SyncedAt), []SourceProblem{}, r.CreatedBy, api.Millis(r.CreatedAt)}
	if json.Unmarshal([]byte(r.Problems), &out.Problems) != nil {
		out.Problems = []SourceProblem{} // written by us
	}
	return out
}

// PolicySources are a team's.
func (s *Service) PolicySources(ctx context.Context, team int64) ([]PolicySource, error) {
	if err := identity.Require(ctx, team, reading); err != nil {
		return nil, err
	}
	list, err := s.rows().policySources(ctx, team)
	out := make([]PolicySource, len(list))
	for i := range list {
		out[i] = list[i].source()
	}
	return out, err
}

func (s *Service) completeSource(in *PolicySource) error {
	if in.Branch == "" {
		in.Branch = "main"
	}
	if in.OnRevert == "" {
		in.OnRevert = revertStops
	}
	in.Folder = strings.Trim(path.Clean("/"+in.Folder), "/")
	in.Repository = s.NormalRepository(strings.TrimSpace(in.Repository))
	switch {
	case strings.Count(in.Repository, "/") != 2 || !printable(in.Repository, 300):
		return problem.FieldError("repository", "give the address of a repository, such as https://github.com/acme/fleet")
	case !printable(in.Branch, 200) || strings.ContainsAny(in.Branch, " ~^:?*[\\"):
		return problem.FieldError("branch", "is no name of a branch")
	case !printable(in.Folder, 300):
		return problem.FieldError("folder", "is too long or has control characters")
	case in.OnRevert != revertStops && in.OnRevert != revertRollsBack:
		return problem.FieldError("on_revert", "%.40q is neither %s nor %s", in.OnRevert, revertStops, revertRollsBack)
	}
	return nil
}

// CreatePolicySource begins to read a folder of a repository. Its author lets whoever
// may push there decide about the fleet, so it takes an administrator of the team.
func (s *Service) CreatePolicySource(ctx context.Context, team int64, in PolicySource) (PolicySource, error) {
	if err := identity.Require(ctx, team, administering); err != nil {
		return in, err
	}
	if s.RepositoryFiles == nil || s.NormalRepository == nil || s.Jobs == nil {
		return in, problem.New(problem.Unavailable, "This server reads no repositories.")
	}
	if err := s.completeSource(&in); err != nil {
		return in, err
	}
	row := sourceRow{ID: s.NewID(), TeamID: team, Repository: in.Repository, Branch: in.Branch, Folder: in.Folder, Starts: in.Starts, OnRevert: in.OnRevert, Problems: "[]",
		CreatedBy: identity.From(ctx).Name, CreatedAt: s.millis()}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		list, err := s.rows().policySources(ctx, team)
		if err != nil {
			return err
		}
		if len(list) >= maxSources {
			return problem.New(problem.Conflict, "The team reads %d folders, which is the most.", maxSources)
		}
		if err := s.rows().insertPolicySource(ctx, row); err != nil {
			if database.IsDuplicate(err) {
				return problem.New(problem.Conflict, "The team reads this folder already.")
			}
			return err
		}
		if err := s.enqueueSync(ctx, row); err != nil {
			return err
		}
		return s.sourceChanged(ctx, row, "edge.policy.source.create")
	})
	return row.source(), err
}

func (s *Service) sourceChanged(ctx context.Context, row sourceRow, action string) error {
	if err := s.publish(ctx, row.TeamID, policiesTopic, ""); err != nil {
		return err
	}
	return s.audit(ctx, row.TeamID, action, row.Repository, text(map[string]any{"branch": row.Branch, "folder": row.Folder, "starts": row.Starts, "on_revert": row.OnRevert}))
}

// ChangePolicySource reads another branch or folder of the repository, or does
// something else with what it finds. What the old place gave stays until the new one is read.
func (s *Service) ChangePolicySource(ctx context.Context, id string, in PolicySource) (PolicySource, error) {
	var row sourceRow
	err := s.DB.Tx(ctx, func(ctx context.Context) (err error) {
		if row, err = s.adminSource(ctx, id); err != nil {
			return err
		}
		if s.NormalRepository == nil || s.Jobs == nil {
			return problem.New(problem.Unavailable, "This server reads no repositories.")
		}
		in.Repository = "https://" + row.Repository
		if err := s.completeSource(&in); err != nil {
			return err
		}
		row.Branch, row.Folder, row.Starts, row.OnRevert = in.Branch, in.Folder, in.Starts, in.OnRevert
		if err := s.rows().changePolicySource(ctx, row); err != nil {
			if database.IsDuplicate(err) {
				return problem.New(problem.Conflict, "The team reads this folder already.")
			}
			return err
		}
		if err := s.enqueueSync(ctx, row); err != nil {
			return err
		}
		return s.sourceChanged(ctx, row, "edge.policy.source.change")
	})
	return row.source(), err
}

func (s *Service) adminSource(ctx context.Context, id string) (sourceRow, error) {
	row, err := s.rows().policySource(ctx, id)
	if err != nil {
		return row, err
	}
	return row, identity.Require(ctx, row.TeamID, administering)
}

// DeletePolicySource reads the folder no more. Its policies stay, as if written here.
func (s *Service) DeletePolicySource(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		row, err := s.adminSource(ctx, id)
		if err != nil {
			return err
		}
		if err := s.rows().deletePolicySource(ctx, id); err != nil {
			return err
		}
		return s.sourceChanged(ctx, row, "edge.policy.source.delete")
	})
}

// SyncPolicySource looks at the repository now.
func (s *Service) SyncPolicySource(ctx context.Context, id string) (PolicySource, error) {
	row, err := s.rows().policySource(ctx, id)
	if err != nil {
		return PolicySource{}, err
	}
	if err := identity.Require(ctx, row.TeamID, writing); err != nil {
		return PolicySource{}, err
	}
	if err := s.sync(ctx, id); err != nil {
		return PolicySource{}, err
	}
	row, err = s.rows().policySource(ctx, id)
	return row.source(), err
}

// ReceivePush hears that a branch of a repository moved, in the transaction that
// takes the delivery. repository is in the form of NormalRepository.
func (s *Service) ReceivePush(ctx context.Context, team int64, repository, branch string) (int, error) {
	list, err := s.rows().sourcesOf(ctx, team, repository, branch)
	if err != nil || s.Jobs == nil {
		return 0, err
	}
	for _, row := range list {
		if err := s.enqueueSync(ctx, row); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}

type syncPayload struct {
	Source string `json:"source"`
}

func (s *Service) enqueueSync(ctx context.Context, row sourceRow) error {
	_, err := s.Jobs.EnqueueValue(ctx, work.Job{Kind: syncJob, Team: row.TeamID, UniqueKey: row.ID, SerialKey: row.ID}, syncPayload{row.ID})
	return err
}

func (s *Service) runSync(ctx context.Context, job work.Job) error {
	var in syncPayload
	if err := json.Unmarshal(job.Payload, &in); err != nil {
		return work.GiveUp(err)
	}
	err := s.sync(ctx, in.Source)
	if problem.Is(err, problem.NotFound) {
		return work.GiveUp(err) // the source is gone, or nothing reaches it: its row says so
	}
	return err
}

// syncStale looks at repositories of which no push told for a while.
func (s *Service) syncStale(ctx context.Context) error {
	if s.Jobs == nil || s.RepositoryFiles == nil {
		return nil
	}
	list, err := s.rows().staleSources(ctx, s.Now().Add(-syncEvery).UnixMilli())
	for _, row := range list {
		if err := s.enqueueSync(ctx, row); err != nil {
			return err
		}
	}
	return err
}

// gitCaller is in whose name a commit changes things: it has no rights of its own,
// because whoever made the source has given them.
func gitCaller(ctx context.Context, commit string) context.Context {
	return identity.With(ctx, identity.Caller{Name: "git " + commit[:min(len(commit), 10)]})
}

func describe(err error) string { return fmt.Sprint(problem.From(err).Detail) }

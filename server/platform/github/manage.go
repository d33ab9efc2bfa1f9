package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

const (
	hookJob = "github.hook"
	// hookAttempts take about a day and a half with the usual delays.
	hookAttempts = 80
	// mendLater is when the job looks after a hook whose first try was made at once.
	mendLater = time.Minute
	// settleTime is how long the secret before stays valid once GitHub has the new one.
	settleTime = 24 * time.Hour
	// pendingValid bounds how long it does while GitHub cannot be reached.
	pendingValid = 30 * 24 * time.Hour
)

var validRepoWord = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}$`)

type hookPayload struct {
	Hook string `json:"hook"`
}

// EnsureHook has the repository's events reach us: the hook is created, or mended
// where it differs from what we ask for. Calling it again changes nothing. When
// GitHub cannot be reached the hook waits, and a job goes on trying.
func (s *Service) EnsureHook(ctx context.Context, connection, owner, repo string) (Hook, error) {
	c, err := s.connectionFor(ctx, connection, writing)
	if err != nil {
		return Hook{}, err
	}
	if err := validateRepository(owner, repo); err != nil {
		return Hook{}, err
	}
	if c.Kind == KindApp {
		return s.ensureApp(ctx, c, owner, repo)
	}
	if _, whole, err := s.managedHook(ctx, c.ID, HookOrganization, owner, ""); err != nil || whole {
		if err != nil {
			return Hook{}, err
		}
		return s.ensure(ctx, c, HookOrganization, owner, "") // which tells of the repository, too
	}
	return s.ensure(ctx, c, HookRepository, owner, repo)
}

// ensure creates or mends a managed hook.
func (s *Service) ensure(ctx context.Context, c connectionRow, kind HookKind, owner, repo string) (Hook, error) {
	var id string
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		row, found, err := s.managedHook(ctx, c.ID, kind, owner, repo)
		if err != nil {
			return err
		}
		if !found {
			if row, err = s.newManagedHook(ctx, c, kind, owner, repo); err != nil {
				return err
			}
		}
		if found {
			if err := s.audit(ctx, row.TeamID, "github.hook.mend", row.Name, row.ID); err != nil {
				return err
			}
		}
		if id = row.ID; row.State == HookBroken {
			if err := s.noteHook(ctx, row, HookWaiting, ""); err != nil {
				return err
			}
		}
		return s.mendAt(ctx, row, s.Now().Add(mendLater))
	})
	if err != nil {
		return Hook{}, err
	}
	if err := s.mend(ctx, id); err != nil && ctx.Err() != nil {
		return Hook{}, err
	}
	row, err := s.findHook(ctx, id) // with the state that mending left
	return s.hook(row), err
}

func validateRepository(owner, repo string) error {
	if !validRepoWord.MatchString(owner) || !validRepoWord.MatchString(repo) || strings.Trim(owner, ".") == "" || strings.Trim(repo, ".") == "" {
		return problem.New(problem.Invalid, "That is no owner and name of a repository.")
	}
	return nil
}

func (s *Service) newManagedHook(ctx context.Context, c connectionRow, kind HookKind, owner, repo string) (hookRow, error) {
	id, name := randomHex(16), owner
	if kind == HookRepository {
		name += "/" + repo
	}
	row := hookRow{ID: id, TeamID: c.TeamID, Name: name, Kind: kind, Owner: owner, Repo: repo, Managed: true, State: HookWaiting,
		Events: words(managedEvents), ConnectionID: &c.ID, Secret: s.Box.Seal(hookTable, id, []byte(randomHex(32))), SecretPending: true, CreatedAt: s.millis()}
	if err := s.insertHook(ctx, row); err != nil {
		return row, err
	}
	if err := s.publish(ctx, row.TeamID, hookTopic, id); err != nil {
		return row, err
	}
	return row, s.audit(ctx, row.TeamID, "github.hook.create", row.Name, "managed")
}

// ensureApp is EnsureHook through an App, whose one hook tells of every repository
// that it is installed at.
func (s *Service) ensureApp(ctx context.Context, c connectionRow, owner, repo string) (Hook, error) {
	row, found, err := s.appHook(ctx, c.ID)
	if err != nil || !found {
		return Hook{}, errors.Join(err, problem.New(problem.Conflict, "The App's hook was deleted here. Connect the App again."))
	}
	client, err := s.clientOf(c)
	if err != nil {
		return Hook{}, err
	}
	if _, _, err := client.client.Repositories.Get(ctx, owner, repo); statusOf(err) == http.StatusNotFound {
		return Hook{}, problem.New(problem.Conflict, "The App is not installed at %s/%s. Add the repository to its installation at GitHub.", owner, repo)
	} else if err != nil {
		return Hook{}, upstream(err)
	}
	return s.hook(row), nil
}

// RemoveRepositoryHook removes the managed hook of a repository here and at GitHub.
func (s *Service) RemoveRepositoryHook(ctx context.Context, connection, owner, repo string) error {
	c, err := s.connectionFor(ctx, connection, writing)
	if err != nil {
		return err
	}
	if c.Kind == KindApp {
		return problem.New(problem.Conflict, "The App tells of every repository it is installed at. Take the repository from its installation at GitHub.")
	}
	row, found, err := s.managedHook(ctx, connection, HookRepository, owner, repo)
	if err != nil {
		return err
	}
	if !found {
		return s.noRepositoryHook(ctx, connection, owner)
	}
	return s.DeleteHook(ctx, row.ID)
}

func (s *Service) mendAt(ctx context.Context, row hookRow, at time.Time) error {
	_, err := s.Jobs.EnqueueValue(ctx, work.Job{Kind: hookJob, Team: row.TeamID, UniqueKey: row.ID, SerialKey: hookJob + "/" + row.ID, RunAt: at}, hookPayload{row.ID})
	return err
}

// mendHook is the job. A hook that stands as it should is left alone.
func (s *Service) mendHook(ctx context.Context, job work.Job) error {
	var in hookPayload
	if err := json.Unmarshal(job.Payload, &in); err != nil {
		return work.GiveUp(fmt.Errorf("read the payload: %w", err))
	}
	row, err := s.findHook(ctx, in.Hook)
	if problem.Is(err, problem.NotFound) || err == nil && (row.State == HookBroken || row.State == HookOK && !row.SecretPending) {
		return nil
	}
	if err == nil {
		err = s.mend(ctx, in.Hook)
	}
	switch {
	case err == nil || problem.Is(err, problem.NotFound):
		return nil
	case ctx.Err() != nil:
		return work.ErrDetached
	}
	if wait, known := retryAfter(err, s.Now()); known {
		return work.RetryAfter(wait, errors.New(explainAPI(err)))
	}
	if hopeless(err) {
		return work.GiveUp(errors.New(explainHook(err, row.Kind)))
	}
	return errors.New(explainAPI(err))
}

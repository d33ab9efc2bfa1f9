package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

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
	var id string
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		row, found, err := s.repositoryHook(ctx, c.ID, owner, repo)
		if err != nil {
			return err
		}
		if !found {
			if row, err = s.newRepositoryHook(ctx, c, owner, repo); err != nil {
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

func (s *Service) newRepositoryHook(ctx context.Context, c connectionRow, owner, repo string) (hookRow, error) {
	id := randomHex(16)
	row := hookRow{ID: id, TeamID: c.TeamID, Name: owner + "/" + repo, Kind: HookRepository, Owner: owner, Repo: repo, Managed: true, State: HookWaiting,
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
	row, found, err := s.repositoryHook(ctx, connection, owner, repo)
	if err != nil {
		return err
	}
	if !found {
		return problem.New(problem.NotFound, "There is no hook of ours at this repository.")
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
		return work.GiveUp(errors.New(explainHook(err)))
	}
	return errors.New(explainAPI(err))
}

// mend brings the hook at GitHub to what the row says, and notes how that went.
// One at a time per hook on this node; between nodes GitHub's refusal of a second
// hook of the same address does it.
func (s *Service) mend(ctx context.Context, id string) error {
	defer s.mending.lock(id)()
	row, err := s.findHook(ctx, id)
	if err != nil || row.ConnectionID == nil || !row.Managed {
		return err
	}
	secret, err := s.Box.Open(hookTable, id, row.Secret)
	if err != nil {
		return err
	}
	c, err := s.findConnection(ctx, *row.ConnectionID)
	if err != nil {
		return err
	}
	client, err := s.clientOf(c)
	if err != nil {
		return err
	}
	var at *github.Hook
	if row.Kind == HookApp {
		err = s.mendApp(ctx, client, row, string(secret))
	} else {
		at, err = s.mendRepository(ctx, client.client, row, string(secret))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		state := HookWaiting
		if hopeless(err) {
			state = HookBroken
		}
		return errors.Join(err, s.noteHook(ctx, row, state, explainHook(err)))
	}
	return s.hookMended(ctx, row, at.GetID(), stampOf(at))
}

func stampOf(h *github.Hook) string {
	if h == nil || h.UpdatedAt == nil {
		return ""
	}
	return h.UpdatedAt.UTC().Format(time.RFC3339)
}

func (s *Service) mendApp(ctx context.Context, client *apiClient, row hookRow, secret string) error {
	if client.app == nil {
		return problem.New(problem.Conflict, "The connection is no App.")
	}
	config := s.hookConfig(row, secret)
	_, _, err := client.app.Apps.UpdateHookConfig(ctx, config)
	return err
}

func (s *Service) hookConfig(row hookRow, secret string) *github.HookConfig {
	kind, strict, address := "json", "0", s.hookURL(row.ID)
	return &github.HookConfig{ContentType: &kind, InsecureSSL: &strict, URL: &address, Secret: &secret}
}

func (s *Service) mendRepository(ctx context.Context, client *github.Client, row hookRow, secret string) (*github.Hook, error) {
	at, err := s.settleDuplicates(ctx, client, row)
	if err != nil {
		return nil, err
	}
	active, name := true, "web"
	wanted := &github.Hook{Name: &name, Active: &active, Events: row.eventList(), Config: s.hookConfig(row, secret)}
	if at == nil {
		made, _, err := client.Repositories.CreateHook(ctx, row.Owner, row.Repo, wanted)
		if statusOf(err) != http.StatusUnprocessableEntity {
			return made, err
		}
		// Another node, or an attempt that we heard nothing of, may have been faster.
		again, listErr := s.settleDuplicates(ctx, client, row)
		if listErr != nil || again == nil {
			return nil, errors.Join(err, listErr)
		}
		at = again
	}
	if !row.SecretPending && row.GithubID == at.GetID() && row.GithubStamp == stampOf(at) && s.asWanted(at, row) {
		return at, nil
	}
	mended, _, err := client.Repositories.EditHook(ctx, row.Owner, row.Repo, at.GetID(), wanted)
	return mended, err
}

// asWanted compares all that GitHub shows; it never shows the secret.
func (s *Service) asWanted(at *github.Hook, row hookRow) bool {
	have, want := slices.Sorted(slices.Values(at.Events)), slices.Sorted(slices.Values(row.eventList()))
	c := at.Config
	return at.GetActive() && c.GetURL() == s.hookURL(row.ID) && c.GetContentType() == "json" && (c.GetInsecureSSL() == "0" || c.GetInsecureSSL() == "") &&
		slices.Equal(have, want)
}

// settleDuplicates pages through the repository's hooks for those of this address,
// keeps the one we know, else the first, and removes the others, along with those
// that lead to hooks of ours that exist no more.
func (s *Service) settleDuplicates(ctx context.Context, client *github.Client, row hookRow) (*github.Hook, error) {
	var keep *github.Hook
	var spare []int64
	options := &github.ListOptions{PerPage: 100}
	for {
		list, response, err := client.Repositories.ListHooks(ctx, row.Owner, row.Repo, options)
		if err != nil {
			return nil, err
		}
		for _, h := range list {
			switch mine, gone, err := s.isOurs(ctx, h.Config.GetURL(), row.ID); {
			case err != nil:
				return nil, err
			case gone, mine && keep != nil && h.GetID() != row.GithubID:
				spare = append(spare, h.GetID())
			case mine && keep != nil:
				spare, keep = append(spare, keep.GetID()), h
			case mine:
				keep = h
			}
		}
		if response.NextPage == 0 {
			break
		}
		options.Page = response.NextPage
	}
	for _, id := range spare {
		if _, err := client.Repositories.DeleteHook(ctx, row.Owner, row.Repo, id); err != nil && statusOf(err) != http.StatusNotFound {
			return nil, err
		}
	}
	return keep, nil
}

// isOurs reports whether an address is that of the hook, or of one that was ours.
func (s *Service) isOurs(ctx context.Context, address, hook string) (mine, gone bool, err error) {
	id, below := strings.CutPrefix(address, s.hookURL(""))
	if !below || !validID.MatchString(id) {
		return false, false, nil
	}
	if id == hook {
		return true, false, nil
	}
	_, err = s.findHook(ctx, id)
	if problem.Is(err, problem.NotFound) {
		return false, true, nil
	}
	return false, false, err
}

// hopeless reports whether only a person can help.
func hopeless(err error) bool {
	if _, limited := retryAfter(err, time.Time{}); limited {
		return false
	}
	switch statusOf(err) {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity, http.StatusUnavailableForLegalReasons:
		return true
	}
	kind := problem.From(err).Kind
	return kind == problem.Forbidden || kind == problem.Conflict
}

// explainHook says what GitHub said and what can be done about it.
func explainHook(err error) string {
	words := explainAPI(err)
	if _, limited := retryAfter(err, time.Time{}); limited {
		return words
	}
	switch statusOf(err) {
	case http.StatusNotFound, http.StatusForbidden:
		return words + ". Hooks can be managed by administrators of the repository: a classic token needs the scope admin:repo_hook, a fine-grained one" +
			" the permission Webhooks (read and write)."
	case http.StatusUnauthorized:
		return words + ". The token is no longer valid. Give the connection a new one."
	}
	return words
}

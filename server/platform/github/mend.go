package github

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/platform/problem"
)

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
		at, err = s.mendAtPlace(ctx, placeOf(client.client, row.Kind, row.Owner, row.Repo), row, string(secret))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		state := HookWaiting
		if hopeless(err) {
			state = HookBroken
		}
		return errors.Join(err, s.noteHook(ctx, row, state, explainHook(err, row.Kind)))
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

func (s *Service) mendAtPlace(ctx context.Context, place hookPlace, row hookRow, secret string) (*github.Hook, error) {
	at, err := s.settleDuplicates(ctx, place, row)
	if err != nil {
		return nil, err
	}
	active, name := true, "web"
	wanted := &github.Hook{Name: &name, Active: &active, Events: row.eventList(), Config: s.hookConfig(row, secret)}
	if at == nil {
		made, err := place.create(ctx, wanted)
		if statusOf(err) != http.StatusUnprocessableEntity {
			return made, err
		}
		// Another node, or an attempt that we heard nothing of, may have been faster.
		again, listErr := s.settleDuplicates(ctx, place, row)
		if listErr != nil || again == nil {
			return nil, errors.Join(err, listErr)
		}
		at = again
	}
	if !row.SecretPending && row.GithubID == at.GetID() && row.GithubStamp == stampOf(at) && s.asWanted(at, row) {
		return at, nil
	}
	return place.edit(ctx, at.GetID(), wanted)
}

// asWanted compares all that GitHub shows; it never shows the secret.
func (s *Service) asWanted(at *github.Hook, row hookRow) bool {
	have, want := slices.Sorted(slices.Values(at.Events)), slices.Sorted(slices.Values(row.eventList()))
	c := at.Config
	return at.GetActive() && c.GetURL() == s.hookURL(row.ID) && c.GetContentType() == "json" && (c.GetInsecureSSL() == "0" || c.GetInsecureSSL() == "") &&
		slices.Equal(have, want)
}

// settleDuplicates pages through the place's hooks for those of this address,
// keeps the one we know, else the first, and removes the others, along with those
// that lead to hooks of ours that exist no more.
func (s *Service) settleDuplicates(ctx context.Context, place hookPlace, row hookRow) (*github.Hook, error) {
	var keep *github.Hook
	var spare []int64
	err := place.each(ctx, func(h *github.Hook) error {
		switch mine, gone, err := s.isOurs(ctx, h.Config.GetURL(), row.ID); {
		case err != nil:
			return err
		case gone, mine && keep != nil && h.GetID() != row.GithubID:
			spare = append(spare, h.GetID())
		case mine && keep != nil:
			spare, keep = append(spare, keep.GetID()), h
		case mine:
			keep = h
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, id := range spare {
		if err := place.remove(ctx, id); err != nil && statusOf(err) != http.StatusNotFound {
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
func explainHook(err error, kind HookKind) string {
	words := explainAPI(err)
	if _, limited := retryAfter(err, time.Time{}); limited {
		return words
	}
	switch statusOf(err) {
	case http.StatusNotFound, http.StatusForbidden:
		if kind == HookOrganization {
			return words + ". Hooks of an organization can be managed by its owners: a classic token needs the scope admin:org_hook, a fine-grained one" +
				" the organization permission Webhooks (read and write)."
		}
		return words + ". Hooks can be managed by administrators of the repository: a classic token needs the scope admin:repo_hook, a fine-grained one" +
			" the permission Webhooks (read and write)."
	case http.StatusUnauthorized:
		return words + ". The token is no longer valid. Give the connection a new one."
	}
	return words
}

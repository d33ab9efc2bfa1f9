package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

const (
	removalJob = "github.unhook"
	// removalAttempts take about three days with the usual delays.
	removalAttempts = 150
)

// removalOf is what is to be removed at GitHub of a managed hook; false when GitHub
// has nothing.
func (s *Service) removalOf(row hookRow, c connectionRow) (removalRow, bool) {
	r := removalRow{TeamID: row.TeamID, ConnectionID: c.ID, Kind: row.Kind, Owner: row.Owner, Repo: row.Repo, GithubID: row.GithubID, URL: s.hookURL(row.ID),
		CreatedAt: s.millis()}
	if row.Kind == HookApp {
		r.GithubID = c.Installation // an App cannot delete itself, but it can leave
	}
	return r, row.Kind != HookApp || r.GithubID != 0
}

// queueRemoval has a managed hook removed at GitHub after the context's
// transaction, however long GitHub is away. It reports false for what GitHub does
// not have.
func (s *Service) queueRemoval(ctx context.Context, row hookRow, c connectionRow) (bool, error) {
	r, there := s.removalOf(row, c)
	if !there {
		return false, nil
	}
	if err := s.insertRemoval(ctx, &r); err != nil {
		return false, err
	}
	_, err := s.Jobs.EnqueueValue(ctx, work.Job{Kind: removalJob, Team: r.TeamID}, statusPayload{ID: r.ID})
	return true, err
}

// dropManagedHooks removes the connection's managed hooks here, and queues their
// removal at GitHub. It reports whether the connection is still needed for that.
func (s *Service) dropManagedHooks(ctx context.Context, c connectionRow) (pending bool, err error) {
	rows, err := s.managedHooks(ctx, c.ID)
	if err != nil {
		return false, err
	}
	for _, row := range rows {
		queued, err := s.queueRemoval(ctx, row, c)
		if err != nil {
			return false, err
		}
		pending = pending || queued
		if err := s.dropHook(ctx, row); err != nil {
			return false, err
		}
	}
	if pending {
		return true, nil
	}
	return s.anyRemoval(ctx, c.ID)
}

// unhook is the job.
func (s *Service) unhook(ctx context.Context, job work.Job) error {
	var in statusPayload
	if err := json.Unmarshal(job.Payload, &in); err != nil {
		return work.GiveUp(fmt.Errorf("read the payload: %w", err))
	}
	row, found, err := s.findRemoval(ctx, in.ID)
	if err != nil || !found {
		return err
	}
	c, err := s.retiredConnection(ctx, row.ConnectionID)
	if err != nil {
		return err
	}
	client, err := s.clientOf(c)
	if err == nil {
		err = row.remove(ctx, client)
	}
	switch {
	case err == nil:
		return s.removed(ctx, row)
	case ctx.Err() != nil:
		return work.ErrDetached
	}
	if noteErr := s.noteRemoval(ctx, row.ID, explainAPI(err)); noteErr != nil {
		return noteErr
	}
	return row.later(err, s.Now())
}

// later says when to try again, and whether at all.
func (r removalRow) later(err error, now time.Time) error {
	message := explainAPI(err)
	if wait, known := retryAfter(err, now); known {
		return work.RetryAfter(wait, errors.New(message))
	}
	if hopeless(err) {
		return work.GiveUp(fmt.Errorf("the hook %s stays at GitHub: %s", r.URL, message))
	}
	return errors.New(message)
}

// remove deletes by GitHub's number, or where that was never learnt by the
// address. What GitHub does not find is as good as removed.
func (r removalRow) remove(ctx context.Context, client *apiClient) error {
	var err error
	switch {
	case r.Kind == HookApp && client.app != nil:
		_, err = client.app.Apps.DeleteInstallation(ctx, r.GithubID)
	case r.GithubID != 0:
		err = placeOf(client.client, r.Kind, r.Owner, r.Repo).remove(ctx, r.GithubID)
	default:
		err = r.removeByAddress(ctx, placeOf(client.client, r.Kind, r.Owner, r.Repo))
	}
	if statusOf(err) == http.StatusNotFound || statusOf(err) == http.StatusGone {
		return nil
	}
	return err
}

func (r removalRow) removeByAddress(ctx context.Context, place hookPlace) error {
	var found []int64
	err := place.each(ctx, func(h *github.Hook) error {
		if h.Config.GetURL() == r.URL {
			found = append(found, h.GetID())
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range found {
		if err := place.remove(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// removed forgets the removal, and a retired connection with its last one.
func (s *Service) removed(ctx context.Context, row removalRow) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.deleteRemoval(ctx, row.ID); err != nil {
			return err
		}
		more, err := s.anyRemoval(ctx, row.ConnectionID)
		if err != nil || more {
			return err
		}
		c, err := s.retiredConnection(ctx, row.ConnectionID)
		if problem.Is(err, problem.NotFound) || err == nil && c.RemovedAt == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		return s.removeConnection(ctx, c.ID)
	})
}

// keyed is a lock per name.
type keyed struct {
	mu    sync.Mutex
	locks map[string]*keyedLock
}

type keyedLock struct {
	sync.Mutex
	users int
}

func (k *keyed) lock(name string) (unlock func()) {
	k.mu.Lock()
	if k.locks == nil {
		k.locks = map[string]*keyedLock{}
	}
	l := k.locks[name]
	if l == nil {
		l = &keyedLock{}
		k.locks[name] = l
	}
	l.users++
	k.mu.Unlock()
	l.Lock()
	return func() {
		l.Unlock()
		k.mu.Lock()
		defer k.mu.Unlock()
		if l.users--; l.users == 0 {
			delete(k.locks, name)
		}
	}
}

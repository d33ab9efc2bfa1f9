package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

// ConnectionState is how an App's installation stands; the words are stored.
type ConnectionState string

// The states. A token's connection always works, until a call of it says otherwise.
const (
	ConnectionWorks     ConnectionState = ""
	ConnectionSuspended ConnectionState = "suspended"
	ConnectionRemoved   ConnectionState = "removed"
)

var (
	stateWords  = map[ConnectionState]string{ConnectionSuspended: "the GitHub App's installation is suspended", ConnectionRemoved: "the GitHub App was uninstalled"}
	stateTitles = map[ConnectionState]string{ConnectionWorks: "works", ConnectionSuspended: "is suspended", ConnectionRemoved: "was uninstalled"}
)

// explain says what the state means and what to do.
func (c ConnectionState) explain() string {
	switch c {
	case ConnectionSuspended:
		return "The App's installation is suspended at GitHub: nothing is heard from there, and nothing can be written. Unsuspend it in the settings of the account it is installed at."
	case ConnectionRemoved:
		return "The App was uninstalled at GitHub. Install it again there, then choose the new installation here."
	}
	return ""
}

const installationJob = "github.installation"

type installationPayload struct {
	Connection string `json:"connection"`
}

// lookSoon has a job ask GitHub how the connection's installation stands.
func (s *Service) lookSoon(ctx context.Context, c connectionRow) error {
	_, err := s.Jobs.EnqueueValue(ctx, work.Job{Kind: installationJob, Team: c.TeamID, UniqueKey: c.ID, SerialKey: installationJob + "/" + c.ID}, installationPayload{c.ID})
	return err
}

// lookAtInstallation is the job.
func (s *Service) lookAtInstallation(ctx context.Context, job work.Job) error {
	var in installationPayload
	if err := json.Unmarshal(job.Payload, &in); err != nil {
		return work.GiveUp(fmt.Errorf("read the payload: %w", err))
	}
	c, err := s.findConnection(ctx, in.Connection)
	if problem.Is(err, problem.NotFound) || err == nil && (c.Kind != KindApp || c.Installation == 0) {
		return nil
	}
	if err != nil {
		return err
	}
	client, err := s.clientOf(c)
	if err != nil {
		return err
	}
	state := ConnectionWorks
	i, _, err := client.app.Apps.GetInstallation(ctx, c.Installation)
	switch {
	case statusOf(err) == http.StatusNotFound:
		state = ConnectionRemoved
	case ctx.Err() != nil:
		return work.ErrDetached
	case err != nil:
		if wait, known := retryAfter(err, s.Now()); known {
			return work.RetryAfter(wait, errors.New(explainAPI(err)))
		}
		return errors.New(explainAPI(err))
	case i.SuspendedAt != nil:
		state = ConnectionSuspended
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error { return s.setConnectionState(ctx, c, state) })
}

// setConnectionState notes how an installation stands, unless another was chosen
// meanwhile, and has the App's hook say so.
func (s *Service) setConnectionState(ctx context.Context, c connectionRow, state ConnectionState) error {
	changed, err := s.changeConnectionState(ctx, c, state)
	if err != nil || !changed {
		return err
	}
	if err := s.audit(ctx, c.TeamID, "github.connection.state", c.Name, stateTitles[state]); err != nil {
		return err
	}
	c.State = state
	return s.installationChosen(ctx, c)
}

// installationChosen has the App's hook say how the connection stands.
func (s *Service) installationChosen(ctx context.Context, c connectionRow) error {
	hook, found, err := s.appHook(ctx, c.ID)
	if err != nil || !found {
		return err
	}
	if c.State == ConnectionWorks {
		if hook.State != HookBroken {
			return nil
		}
		return s.noteHook(ctx, hook, HookOK, "")
	}
	return s.noteHook(ctx, hook, HookBroken, c.State.explain())
}

package github

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// lookAfter mends a managed hook that was changed or deleted at GitHub, and has a
// quiet one pinged. compared is what comparing ended with.
func (s *Service) lookAfter(ctx context.Context, row hookRow, compared error) error {
	if !row.Managed || row.Kind != HookRepository && row.Kind != HookOrganization || row.State != HookOK {
		return nil
	}
	c, err := s.findConnection(ctx, *row.ConnectionID)
	if err != nil {
		return nil // removed meanwhile
	}
	client, err := s.clientOf(c)
	if err != nil {
		return err
	}
	if compared != nil && statusOf(compared) != http.StatusNotFound {
		return nil
	}
	place := placeOf(client.client, row.Kind, row.Owner, row.Repo)
	at, err := place.get(ctx, row.GithubID)
	switch {
	case statusOf(err) == http.StatusNotFound:
		return s.mendSoon(ctx, row, "GitHub does not know the hook any more. It is being created again.")
	case err != nil:
		return nil // told by the next comparison, if it lasts
	case !s.asWanted(at, row):
		return s.mendSoon(ctx, row, "Somebody changed the hook at GitHub. It is being mended.")
	}
	if s.Now().Sub(time.UnixMilli(max(row.LastDeliveryAt, row.LastPingAt, row.CreatedAt))) > pingAfter {
		if err := place.ping(ctx, row.GithubID); err != nil && ctx.Err() == nil {
			s.Log.Info("GitHub was not asked for a ping", "hook", row.ID, "error", explainAPI(err))
		}
	}
	return nil
}

func (s *Service) mendSoon(ctx context.Context, row hookRow, why string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.noteHook(ctx, row, HookWaiting, why); err != nil {
			return err
		}
		return s.mendAt(ctx, row, s.Now())
	})
}

// AskGitHub has GitHub send a delivery again, such as one that was refused while
// the secret was wrong. One that was taken is known by its GUID and taken once.
func (s *Service) AskGitHub(ctx context.Context, id string) (Delivery, error) {
	row, err := s.findDelivery(ctx, id)
	if err != nil {
		return Delivery{}, err
	}
	hook, err := s.writableHook(ctx, row.HookID)
	if err != nil {
		return Delivery{}, err
	}
	if !hook.comparable() {
		return Delivery{}, problem.New(problem.Conflict, "GitHub can be asked only for hooks with a connection, and after a first delivery of theirs.")
	}
	c, err := s.findConnection(ctx, *hook.ConnectionID)
	if err != nil {
		return Delivery{}, err
	}
	client, err := s.clientOf(c)
	if err != nil {
		return Delivery{}, err
	}
	log := client.deliveries(hook)
	if row.GithubID == 0 {
		if row.GithubID, err = s.numberOf(ctx, log, row); err != nil {
			return Delivery{}, upstream(err)
		}
	}
	var accepted *github.AcceptedError
	if _, _, err := log.again(ctx, row.GithubID); err != nil && !errors.As(err, &accepted) {
		return Delivery{}, upstream(err)
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.noteNumber(ctx, row); err != nil {
			return err
		}
		return s.audit(ctx, row.TeamID, "github.delivery.ask", row.ID, row.Event)
	})
	return row.delivery(), err
}

// numberOf looks a delivery up in GitHub's list, by its GUID.
func (s *Service) numberOf(ctx context.Context, log deliveryLog, row deliveryRow) (int64, error) {
	guid := row.delivery().Headers["X-GitHub-Delivery"]
	if row.GUID != nil {
		guid = *row.GUID
	}
	oldest := time.UnixMilli(row.ReceivedAt).Add(-compareOverlap)
	options := &github.ListCursorOptions{PerPage: 100}
	for guid != "" {
		page, response, err := log.list(ctx, options)
		if err != nil {
			return 0, err
		}
		for _, d := range page {
			if d.GetGUID() == guid {
				return d.GetID(), nil
			}
		}
		if options.Cursor = response.Cursor; options.Cursor == "" || len(page) == 0 || page[len(page)-1].GetDeliveredAt().Before(oldest) {
			break
		}
	}
	return 0, problem.New(problem.NotFound, "GitHub's list does not have this delivery. It keeps them for three days.")
}

package github

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/signalbox/signalbox/server/platform/outbound"
	"github.com/signalbox/signalbox/server/platform/work"
)

// farewellJob removes a hook at GitHub whose team is gone; it takes as long as removalJob.
const farewellJob = "github.farewell"

// DeleteTeam has the team's managed hooks removed at GitHub, however long GitHub is
// away, and lets go of its bodies, in the transaction that deletes the team. Its rows go
// with the team's.
func (s *Service) DeleteTeam(ctx context.Context, team int64) error {
	connections, err := s.connectionsOf(ctx, team)
	if err != nil {
		return err
	}
	for _, c := range connections {
		if err := s.takeLeave(ctx, c); err != nil {
			return err
		}
	}
	if err := s.disownBodies(ctx, "team_id = ?", team); err != nil {
		return err
	}
	return s.DB.Notify(ctx, hookChannel, "")
}

// takeLeave queues a farewell for all that a connection has at GitHub, also for what was
// to be removed before.
func (s *Service) takeLeave(ctx context.Context, c connectionRow) error {
	removals, err := s.removalsOf(ctx, c.ID)
	if err != nil {
		return err
	}
	hooks, err := s.managedHooks(ctx, c.ID)
	if err != nil {
		return err
	}
	for _, h := range hooks {
		if r, there := s.removalOf(h, c); there {
			removals = append(removals, r)
		}
	}
	for _, r := range removals {
		row := farewellRow{ConnectionID: c.ID, APIURL: c.APIURL, ConnectionKind: c.Kind, Token: c.Token, AppKey: c.AppKey, AppID: c.AppID, Installation: c.Installation,
			Kind: r.Kind, Owner: r.Owner, Repo: r.Repo, GithubID: r.GithubID, URL: r.URL, CreatedAt: s.millis()}
		if err := s.insertFarewell(ctx, &row); err != nil {
			return err
		}
		// Of no team: there is none any more.
		if _, err := s.Jobs.EnqueueValue(ctx, work.Job{Kind: farewellJob}, statusPayload{ID: row.ID}); err != nil {
			return err
		}
	}
	return nil
}

// farewell is the job.
func (s *Service) farewell(ctx context.Context, job work.Job) error {
	var in statusPayload
	if err := json.Unmarshal(job.Payload, &in); err != nil {
		return work.GiveUp(fmt.Errorf("read the payload: %w", err))
	}
	row, found, err := s.findFarewell(ctx, in.ID)
	if err != nil || !found {
		return err
	}
	// A client of its own: the connection's is of a team that is gone.
	client := &apiClient{}
	if err = s.arm(client, row.connection(), s.Guard.Client(outbound.Options{})); err == nil {
		err = row.removal().remove(ctx, client)
	}
	switch {
	case err == nil:
		return s.deleteFarewell(ctx, row.ID)
	case ctx.Err() != nil:
		return work.ErrDetached
	}
	if noteErr := s.noteFarewell(ctx, row.ID, explainAPI(err)); noteErr != nil {
		return noteErr
	}
	return row.removal().later(err, s.Now())
}

func (r farewellRow) connection() connectionRow {
	return connectionRow{ID: r.ConnectionID, APIURL: r.APIURL, Kind: r.ConnectionKind, Token: r.Token, AppKey: r.AppKey, AppID: r.AppID, Installation: r.Installation}
}

func (r farewellRow) removal() removalRow {
	return removalRow{Kind: r.Kind, Owner: r.Owner, Repo: r.Repo, GithubID: r.GithubID, URL: r.URL}
}

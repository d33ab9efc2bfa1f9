package app

import (
	"context"
	"fmt"

	"github.com/signalbox/signalbox/server/ci"
	"github.com/signalbox/signalbox/server/platform/github"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (a *App) wireGitHub(context.Context) error {
	a.github = github.New(github.Deps{DB: a.db, Box: a.box, Blobs: a.blobs, Guard: a.guard, Jobs: a.jobs, Now: now, Log: a.log,
		PublicURL: a.PublicURL, Audit: a.audit, Publish: a.hub.Publish})
	a.github.OnDelivery = a.delivered
	return nil
}

// delivered hands what GitHub says to the part it concerns, in the transaction that marks the delivery done.
func (a *App) delivered(ctx context.Context, d github.Delivery) ([]github.Effect, error) {
	if d.Event != "push" {
		return nil, nil
	}
	push, err := d.Push()
	if err != nil {
		return nil, err
	}
	for _, address := range push.CloneURLs {
		if err := a.github.Remember(ctx, d.Team, d.Hook, ci.NormalRepository(address), push.Owner, push.Repo); err != nil {
			return nil, err
		}
	}
	result, err := a.ci.ReceivePush(ctx, d.Team, push)
	if err != nil || result.Resources == 0 {
		return nil, err
	}
	return []github.Effect{{Kind: "version", ID: push.After, Title: fmt.Sprintf("%s: %s, %s", short(push.After), count(result.Resources, "resource"), count(result.Versions, "new version"))}}, nil
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func short(sha string) string { return sha[:min(len(sha), 7)] }

// commitStatus turns what ci says of a commit into GitHub's terms. Repositories
// that no push named and whose host none of the team's connections reaches get none.
func (a *App) commitStatus(ctx context.Context, s ci.CommitStatus) error {
	at, found, err := a.github.RepositoryAt(ctx, s.Team, s.Repository)
	if err != nil || !found {
		return err
	}
	return a.github.PostStatus(ctx, github.Status{Connection: at.Connection, Owner: at.Owner, Repo: at.Name, SHA: s.SHA, Context: s.Context,
		State: github.CommitState(s.State), Description: s.Description, TargetURL: s.URL})
}

// deleteTeam runs in the transaction that deletes a team; what only has rows goes by foreign keys.
func (a *App) deleteTeam(ctx context.Context, team identity.Team) error {
	return a.ci.DeleteTeam(ctx, team.ID)
}

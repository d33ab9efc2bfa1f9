package app

import (
	"context"
	"net/url"

	"github.com/signalbox/signalbox/server/ci"
	"github.com/signalbox/signalbox/server/platform/github"
	"github.com/signalbox/signalbox/server/platform/github/payload"
)

// wireGitHubCaused ties what ci finds out back to deliveries, and tells it what is known
// of repositories; after wireCI.
func (a *App) wireGitHubCaused(ctx context.Context) error {
	a.ci.OnBuildCaused = a.buildCaused
	a.ci.RepositoryTrouble = a.github.Trouble
	return a.ci.IndexRepositories(ctx)
}

// changed acts on what a delivery says of the repository or the App's installation itself.
func (a *App) changed(ctx context.Context, d github.Delivery, e payload.Event) (effects []github.Effect, err error) {
	switch {
	case e.Gone:
		places := make([]string, len(e.Places))
		for i, address := range e.Places {
			places[i] = ci.NormalRepository(address)
		}
		effects, err = a.github.RepositoryGone(ctx, d, places)
	case e.Installation != nil:
		effects, err = a.github.InstallationChanged(ctx, d, *e.Installation)
	}
	if err != nil || len(effects) == 0 {
		return nil, err
	}
	team, err := a.teamName(ctx, d.Team)
	if err != nil {
		return nil, err
	}
	for i := range effects {
		effects[i].URL = "/teams/" + url.PathEscape(team) + "/ci/hooks"
	}
	return effects, nil
}

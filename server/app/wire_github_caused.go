package app

import "context"

// wireGitHubCaused ties what ci finds out back to deliveries; after wireCI.
func (a *App) wireGitHubCaused(context.Context) error {
	a.ci.OnBuildCaused = a.buildCaused
	return nil
}

package app

import "context"

// wireGitHubTools offers hooks and connections to machines.
func (a *App) wireGitHubTools(context.Context) error { return a.github.RegisterTools(a.tools) }

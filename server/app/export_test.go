package app

import (
	"context"
	"io"
)

// PlayErrors tells a running server of the sample shop's errors, as the demo does.
func PlayErrors(ctx context.Context, a *App, token, folder string) error {
	d := &demo{app: a, token: token, folder: folder, out: io.Discard}
	if err := d.call(ctx, "POST", "/api/v1/accounts/teams", map[string]any{"name": demoTeam}, nil); err != nil {
		return err
	}
	return d.playErrors(ctx)
}

// PlayLogs sends a running server the sample shop's log lines to team acme.
func PlayLogs(ctx context.Context, a *App, token string) error {
	d := &demo{app: a, token: token, out: io.Discard}
	if err := d.call(ctx, "POST", "/api/v1/accounts/teams", map[string]any{"name": demoTeam}, nil); err != nil {
		return err
	}
	return d.playLogs(ctx)
}

package app

import (
	"context"
	"errors"
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

// PlayFleet gives team acme a simulated fleet of so many machines, and lets it come once.
func PlayFleet(ctx context.Context, a *App, token, folder string, size int) error {
	d := &demo{app: a, token: token, folder: folder, out: io.Discard}
	if err := d.call(ctx, "POST", "/api/v1/accounts/teams", map[string]any{"name": demoTeam}, nil); err != nil && !errors.Is(err, errExists) {
		return err
	}
	e, err := d.playFleet(ctx, size)
	if err != nil {
		return err
	}
	for _, n := range e.fleet {
		if n.gone {
			continue
		}
		if _, err := e.turn(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

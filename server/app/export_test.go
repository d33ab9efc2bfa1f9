package app

import (
	"context"
	"errors"
	"io"

	"github.com/signalbox/signalbox/server/edge"
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

// Whereabouts is how messages say where nodes are.
func Whereabouts(nodes []edge.NewsNode) string { return whereabouts(nodes) }

// TeamID is a team's number.
func TeamID(ctx context.Context, a *App, name string) int64 {
	var id int64
	a.db.Reader(ctx).Raw("SELECT id FROM accounts_teams WHERE name = ?", name).Scan(&id)
	return id
}

// TellOfFleet tells channels what edge would tell: of a rollout or of nodes.
func TellOfFleet(ctx context.Context, a *App, what any) error {
	if n, ok := what.(edge.NodeNews); ok {
		return a.nodesChanged(ctx, n)
	}
	return a.rolloutChanged(ctx, what.(edge.RolloutChanged))
}

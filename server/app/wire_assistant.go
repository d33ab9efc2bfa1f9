package app

import (
	"context"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/assistant"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/outbound"
)

func (a *App) wireAssistant(context.Context) error {
	c := a.config.Assistant
	deps := assistant.Deps{DB: a.db, Tools: a.tools, GitHub: assistantGitHub{a}, Things: a.assistantThings, PublicURL: a.PublicURL(), Planner: assistant.Planner(c.Planner),
		Audit: a.audit, Publish: a.publish, Version: Version, ID: randomID, Now: now, Log: a.log, Node: a.node, Known: a.knownSecrets, PriceIn: c.ModelPriceIn, PriceOut: c.ModelPriceOut}
	outside, err := a.wireOutside()
	if err != nil {
		return err
	}
	deps.Outside = outside
	if c.ModelProvider != "" {
		deps.Model, err = assistant.NewModel(assistant.ModelConfig{Provider: c.ModelProvider, Model: c.ModelName, URL: c.ModelURL, Key: c.ModelKey, Region: c.ModelRegion, Secret: c.ModelSecret, HTTP: a.guard.Client(outbound.Options{Timeout: time.Minute})})
		if err != nil {
			return errUsage{err}
		}
	}
	a.assistant = assistant.New(deps)
	return nil
}

// knownSecrets are values that must not leave through the assistant: the team's own, and the installation's.
func (a *App) knownSecrets(ctx context.Context, team int64) ([]string, error) {
	list, err := a.secrets.Values(ctx, team)
	if err != nil {
		return nil, err
	}
	outside, err := a.assistant.Outside.Values(ctx, team)
	list = append(list, outside...)
	c := a.config
	return append(list, c.Assistant.ModelKey, c.Assistant.ModelSecret, c.SMTP.Password, c.Blobs.S3SecretKey, c.Logs.FluentSharedKey), err
}

// assistantGitHub is what the assistant may know of the connections.
type assistantGitHub struct{ app *App }

func (g assistantGitHub) Repositories(ctx context.Context, team int64) ([]string, error) {
	list, err := g.app.github.RepositoriesOf(ctx, team)
	names := make([]string, len(list))
	for i, r := range list {
		names[i] = r.Name
	}
	return names, err
}

func (g assistantGitHub) ClientAt(ctx context.Context, team int64, repository string) (*github.Client, bool, error) {
	return g.app.github.ClientAt(ctx, team, repository)
}

// assistantThings are names of pipelines, of projects that report errors and of services that log, as far as the caller may see them.
func (a *App) assistantThings(ctx context.Context, team identity.Team) ([]string, error) {
	caller := identity.From(ctx)
	may := func(capability string) bool {
		return caller.Can(team.ID, identity.Scope{Capability: capability, Level: identity.Read})
	}
	var list []string
	if may("ci") {
		pipelines, err := a.ci.PipelineNames(ctx, team.Name)
		if err != nil {
			return nil, err
		}
		list = append(list, pipelines...)
	}
	if may("issues") {
		projects, err := a.issues.Projects(ctx, team.ID)
		if err != nil {
			return nil, err
		}
		for _, p := range projects {
			list = append(list, p.Slug)
		}
	}
	if may("logs") {
		services, err := a.logs.Store.Values(ctx, store.Request{Team: team.ID, From: now().Add(-7 * 24 * time.Hour)}, "service")
		if err != nil {
			return nil, err
		}
		list = append(list, services...)
	}
	return list, nil
}

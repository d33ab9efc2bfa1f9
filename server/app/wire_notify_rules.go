package app

import (
	"context"
	"net/url"
	"strings"

	"github.com/signalbox/signalbox/server/assistant"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/github"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/notify"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// The prefixes of rules that their packages do not give in the shape of notify.
const (
	githubRules = "ci:github-"
	digestRules = "assistant:digest-"
)

// wireNotifyRules joins the rules of all capabilities into one list; after all of them.
func (a *App) wireNotifyRules(context.Context) error {
	a.notify.Sources = []notify.Source{a.issues.NotifyRules(), a.logs.NotifyRules(),
		{Capability: "ci", Prefix: githubRules, Rules: a.githubRules, Switch: a.switchGitHubRule},
		{Capability: "assistant", Prefix: digestRules, Rules: a.digestRules, Switch: a.switchDigest}}
	return nil
}

// githubRules are the rules about GitHub's events.
func (a *App) githubRules(ctx context.Context, team identity.Team) ([]notify.Rule, error) {
	list, err := a.github.Rules(ctx, team.ID)
	if err != nil {
		return nil, err
	}
	channels, err := a.notify.Channels(ctx, team.ID)
	if err != nil {
		return nil, err
	}
	may := identity.From(ctx).Can(team.ID, identity.Scope{Capability: "ci", Level: identity.Write})
	out := make([]notify.Rule, len(list))
	for i, r := range list {
		place, trouble := notify.Place{Channel: r.Channel, Kind: "webhook", Name: "a channel that is gone"}, "The channel is gone. Choose another one."
		for _, c := range channels {
			if c.ID == r.Channel {
				place.Kind, place.Name, trouble = string(c.Kind), c.Name, ""
				if !c.Enabled {
					trouble = "The channel " + c.Name + " is switched off."
				}
			}
		}
		out[i] = notify.Rule{ID: r.ID, Name: r.Name, Watches: githubWatches(r), To: []notify.Place{place}, Enabled: r.Enabled, FiredAt: api.Millis(r.LastSentAt), Problem: trouble,
			Path: "/teams/" + url.PathEscape(team.Name) + "/ci/hooks/rules"}
		if !may {
			out[i].Fixed, out[i].Why = true, "This needs the role member."
		}
	}
	return out, nil
}

// githubWatches says a rule's condition as people would.
func githubWatches(r github.Rule) string {
	what := strings.ReplaceAll(strings.Join(r.Events, " or "), "_", " ")
	if strings.Contains(what, "*") {
		what = "anything"
	}
	text := "When GitHub tells of " + what
	if len(r.Actions) > 0 {
		text += " (" + strings.ReplaceAll(strings.Join(r.Actions, ", "), "_", " ") + ")"
	}
	if r.Repository != "" {
		text += " in " + r.Repository
	}
	if r.Branch != "" {
		text += " on " + r.Branch
	}
	return text
}

func (a *App) switchGitHubRule(ctx context.Context, team identity.Team, id string, on bool) error {
	list, err := a.github.Rules(ctx, team.ID)
	if err != nil {
		return err
	}
	for _, r := range list {
		if r.ID == id {
			_, err := a.github.ChangeRule(ctx, id, github.RuleChange{Enabled: &on})
			return err
		}
	}
	return problem.New(problem.NotFound, "There is no such rule.")
}

var administeringAssistant = identity.Scope{Capability: "assistant", Level: identity.Admin}

// digestRules are the assistant's digests; only owners see whose rights they have.
func (a *App) digestRules(ctx context.Context, team identity.Team) ([]notify.Rule, error) {
	if !identity.From(ctx).Can(team.ID, administeringAssistant) {
		return nil, nil
	}
	list, err := a.slack.Digests(ctx, team)
	out := make([]notify.Rule, len(list))
	for i, d := range list {
		out[i] = notify.Rule{ID: d.ID, Name: "Digest for #" + d.ChannelName, Watches: "At " + d.Schedule + " (" + d.Zone + "), what happened: " + strings.Join(d.Parts, ", "), Enabled: !d.Muted,
			To: []notify.Place{{Kind: "slack", Name: "#" + d.ChannelName}}, Problem: d.Trouble, Path: "/teams/" + url.PathEscape(team.Name) + "/assistant/slack"}
		if !d.LastAt.IsZero() {
			out[i].FiredAt = api.Millis(d.LastAt.UnixMilli())
		}
	}
	return out, err
}

func (a *App) switchDigest(ctx context.Context, team identity.Team, id string, on bool) error {
	if err := identity.Require(ctx, team.ID, administeringAssistant); err != nil {
		return err
	}
	list, err := a.slack.Digests(ctx, team)
	if err != nil {
		return err
	}
	for _, d := range list {
		if d.ID == id {
			_, err := a.slack.SaveDigest(ctx, team, id, assistant.DigestChange{Channel: d.Channel, Schedule: d.Schedule, Zone: d.Zone, Parts: d.Parts, Muted: !on})
			return err
		}
	}
	return problem.New(problem.NotFound, "There is no such digest.")
}

package app

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/github"
	"github.com/signalbox/signalbox/server/platform/notify"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// ruleEvent is what messages of GitHub rules are to channels, whatever happened.
const ruleEvent notify.Event = "github.rule"

// wireGitHubChannels lets rules about GitHub's events tell the team's channels.
func (a *App) wireGitHubChannels(context.Context) error {
	a.github.Teller = githubChannels{a.notify}
	return nil
}

type githubChannels struct{ notify *notify.Service }

// Has reports whether the team has the channel. One that opens issues at GitHub would
// answer itself.
func (g githubChannels) Has(ctx context.Context, team int64, channel string) (bool, error) {
	kind, has, err := g.notify.KindOf(ctx, team, channel)
	if kind == notify.GitHub {
		return false, problem.FieldError("channel", "opens issues at GitHub, and would be told of those; choose another one")
	}
	return has, err
}

// Tell queues a message for the channel.
func (g githubChannels) Tell(ctx context.Context, team int64, channel string, m github.Telling) (int64, error) {
	return g.notify.Send(ctx, team, channel, notify.Message{Event: ruleEvent, Rule: githubRules + m.Rule, Subject: m.Subject, Now: m.Test, Title: m.Title, Text: m.Text, URL: m.URL, Lines: []string{}})
}

// Told says how messages fared.
func (g githubChannels) Told(ctx context.Context, messages []int64) (map[int64]github.Told, error) {
	list, err := g.notify.Outcomes(ctx, messages)
	told := make(map[int64]github.Told, len(list))
	for _, d := range list {
		told[d.ID] = github.Told{State: github.ToldState(d.State), Error: d.Error, EndedAt: d.EndedAt}
	}
	return told, err
}

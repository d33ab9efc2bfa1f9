package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/signalbox/signalbox/bots/slack/slacktest"
)

// connectSlack makes the channel that alerts go to, and puts the assistant's app into
// the demo's Slack; at each start, because that is on another port then.
func (s *story) connectSlack(ctx context.Context) error {
	if channel := s.kept().Channel; channel != "" {
		if err := s.call(ctx, "PATCH", "/api/v1/ci/channels/"+channel, map[string]any{"url": s.slack.hook()}, nil); err != nil {
			return err
		}
	} else {
		var made struct{ ID string }
		if err := s.call(ctx, "POST", "/api/v1/ci/channels", map[string]any{"team": demoTeam, "kind": "slack", "name": "#" + demoRoomName, "url": s.slack.hook(),
			"pipelines": []string{storyPackage}, "events": []string{string(buildFailed), string(approvalRequested)}}, &made); err != nil {
			return err
		}
		if err := s.remember(func(m *storyMemory) { m.Channel = made.ID }); err != nil {
			return err
		}
	}
	var state struct{ Workspace string }
	if err := s.call(ctx, "GET", "/api/v1/assistant/slack", nil, &state); err != nil {
		return err
	}
	if state.Workspace != "" && state.Workspace != "Acme" {
		return nil // somebody has connected a real one
	}
	if err := s.call(ctx, "PUT", "/api/v1/assistant/slack", map[string]any{"mode": "socket", "bot_token": slacktest.BotToken, "app_token": slacktest.AppToken}, nil); err != nil {
		return err
	}
	return s.openRoom(ctx)
}

// openRoom lets the assistant say in the channel what it knows of the repository.
func (s *story) openRoom(ctx context.Context) error {
	const ours = "acme/checkout"
	var settings struct {
		Repositories      []string `json:"repositories"`
		DefaultRepository string   `json:"default_repository"`
	}
	if err := s.call(ctx, "GET", "/api/v1/assistant/settings?team="+demoTeam, nil, &settings); err != nil {
		return err
	}
	if !slices.Contains(settings.Repositories, ours) {
		change := map[string]any{"team": demoTeam, "repositories": append(settings.Repositories, ours), "default_repository": settings.DefaultRepository}
		if err := s.call(ctx, "PUT", "/api/v1/assistant/settings", change, nil); err != nil {
			return err
		}
	}
	return s.call(ctx, "PUT", "/api/v1/assistant/slack/channels/"+demoRoom, map[string]any{"team": demoTeam, "repositories": []string{ours}}, nil)
}

// question is what is asked about the error of this round.
func (s *story) question(ctx context.Context) string {
	return fmt.Sprintf("what is %s?", s.look(ctx).issue.ShortID)
}

// ask asks the assistant in the demo's Slack, as whoever pressed the button: their
// account is linked first, by the address that the assistant shows them there.
func (s *story) ask(ctx context.Context) error {
	var people struct {
		Items []struct {
			SlackUser string `json:"slack_user"`
		}
	}
	if err := s.call(ctx, "GET", "/api/v1/assistant/slack/people", nil, &people); err != nil {
		return err
	}
	if len(people.Items) == 0 {
		code, err := s.slack.invitation(ctx)
		if err != nil {
			return err
		}
		if err := s.app.slack.Link(ctx, code, demoTeam); err != nil {
			return err
		}
	}
	question := s.question(ctx)
	thread := s.slack.app.Mention(demoPerson, demoRoom, "", question)
	return s.remember(func(m *storyMemory) { m.SlackThread, m.SlackAsked = thread, question })
}

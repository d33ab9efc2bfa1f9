package assistant

import (
	"context"
	"errors"
	"strings"

	"github.com/signalbox/signalbox/bots/slack"
)

// connect keeps a socket to Slack open while the set-up says so. It is a loop
// whose run lasts until the set-up changes or the server stops.
func (s *Slack) connect(ctx context.Context) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	defer s.DB.Listen(slackChannel, func(what string) {
		if id, ok := strings.CutPrefix(what, "stop "); ok {
			s.halt(id)
			return
		}
		if what == "" || what == "settings" { // "" after a pause in which anything may have been told
			cancel()
		}
	})()
	l, err := s.linked(ctx)
	if errors.Is(err, errNoSlack) || err == nil && l.settings.Mode != modeSocket {
		s.note(ctx, false, "")
		<-inner.Done() // stop is heard all the same
		return nil
	}
	if err != nil {
		return err
	}
	socket := &slack.Socket{Client: l.client, Log: s.Log, Told: s.note,
		Handle: func(ctx context.Context, in slack.Incoming) (*slack.Message, error) { return s.take(ctx, l, in) }}
	if err := socket.Run(inner); err != nil {
		s.note(context.WithoutCancel(ctx), false, explainSlack(err))
		<-inner.Done() // only another token helps
	}
	return nil
}

// note keeps how this server's connection stands, for the page that shows it.
func (s *Slack) note(ctx context.Context, open bool, trouble string) {
	kept := context.WithoutCancel(ctx)
	row := socketRow{Node: s.Node, Connected: open, Trouble: clip(trouble, 500), Since: s.Now().UnixMilli()}
	if err := s.rows.noteSocket(kept, row); err != nil {
		s.Log.Warn("the state of the connection to Slack could not be kept", "error", err)
		return
	}
	if err := s.Publish(kept, 0, "assistant", "slack"); err != nil {
		s.Log.Warn("nobody was told of the connection to Slack", "error", err)
	}
}

// explainSlack says in words what Slack's codes mean.
func explainSlack(err error) string {
	switch code := slack.Code(err); code {
	case "":
		return "Slack could not be reached."
	case "invalid_auth", "not_authed":
		return "Slack does not know this token."
	case "token_revoked", "token_expired":
		return "This token has been revoked."
	case "account_inactive":
		return "The app was removed from the workspace."
	case "not_allowed_token_type":
		return "This is another kind of token than is needed here: xoxb- for the bot, xapp- for the connection."
	case "missing_scope":
		return "The token lacks the scope " + slack.Lacking(err) + "."
	case "channel_not_found", "not_in_channel":
		return "The app is not in that channel; invite it there."
	default:
		return "Slack says " + code + "."
	}
}

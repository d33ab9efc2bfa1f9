package assistant

import (
	"context"
	"strings"

	"github.com/signalbox/signalbox/bots/slack"
	"github.com/signalbox/signalbox/server/platform/work"
)

// take writes down what Slack tells, once, and gives what a command is answered
// with at once. Nothing else happens before the acknowledgement.
func (s *Slack) take(ctx context.Context, l *slackLink, in slack.Incoming) (*slack.Message, error) {
	if in.Workspace != l.settings.Workspace {
		return nil, nil // another workspace's event can only be a mistake of Slack's set-up
	}
	switch in.Kind {
	case slack.Mention, slack.Said:
		return nil, s.takeMessage(ctx, l, in)
	case slack.Command:
		return s.takeCommand(ctx, l, in)
	case slack.Edited, slack.Pressed, slack.ThreadStarted, slack.HomeOpened:
		if in.Bot || in.User == l.settings.BotUser {
			return nil, nil
		}
		return nil, s.later(ctx, in)
	case slack.Limited:
		s.Log.Warn("Slack sends no more events for a while: there are too many")
	}
	return nil, nil
}

// later lets a job do what an event asks for.
func (s *Slack) later(ctx context.Context, in slack.Incoming) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if in.ID != "" {
			fresh, err := s.rows.firstSight(ctx, s.Now().UnixMilli(), "event "+in.ID)
			if err != nil || !fresh {
				return err
			}
		}
		return s.laterDo(ctx, slackTask{In: in})
	})
}

// takeMessage writes a question down; messages that are not for the assistant are let go.
func (s *Slack) takeMessage(ctx context.Context, l *slackLink, in slack.Incoming) error {
	if in.Bot || in.User == "" || in.User == l.settings.BotUser || in.TS == "" {
		return nil
	}
	text := slack.Words(in.Text, l.settings.BotUser)
	mentioned := in.Kind == slack.Mention || strings.Contains(in.Text, "<@"+l.settings.BotUser+">")
	if !in.Direct && !mentioned {
		if in.Thread == "" {
			return nil
		}
		if _, joined, err := s.rows.joined(ctx, in.Channel, in.Thread); err != nil || !joined {
			return err
		}
		if strings.HasPrefix(in.Text, "<@") {
			return nil // said to somebody else in the thread
		}
	}
	thread := in.Thread
	if thread == "" {
		thread = in.TS
	}
	row := askRow{ID: s.ID(), Workspace: in.Workspace, Channel: in.Channel, Thread: thread, TS: in.TS, Direct: in.Direct, Shared: in.Shared,
		SlackUser: in.User, Home: in.Home, Text: text, State: askWaiting, CreatedAt: s.Now().UnixMilli()}
	names := []string{"message " + in.Workspace + " " + in.Channel + " " + in.TS}
	if in.ID != "" {
		names = append(names, "event "+in.ID)
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		fresh, err := s.rows.firstSight(ctx, row.CreatedAt, names...)
		if err != nil || !fresh {
			return err
		}
		if isStop(text) {
			return s.stop(ctx, row)
		}
		return s.queue(ctx, row)
	})
}

// queue writes a question down behind those of its thread, or says that there are too many.
func (s *Slack) queue(ctx context.Context, row askRow) error {
	before, err := s.rows.open(ctx, row.Channel, row.Thread)
	if err != nil {
		return err
	}
	if before > maxQueued {
		row.State, row.EndedAt = askStopped, row.CreatedAt
		if err := s.rows.addAsk(ctx, row); err != nil {
			return err
		}
		return s.reply(ctx, row, "I already have "+number(int(before), "question")+" waiting in this thread. Ask again when they are answered, or say “stop”.")
	}
	if err := s.rows.addAsk(ctx, row); err != nil {
		return err
	}
	if err := s.rows.join(ctx, row.Channel, row.Thread, "", row.CreatedAt); err != nil {
		return err
	}
	if before > 0 {
		if err := s.laterDo(ctx, slackTask{Ask: row.ID, Before: int(before)}); err != nil {
			return err
		}
	}
	_, err = s.Jobs.EnqueueValue(ctx, work.Job{Kind: slackAskJob, SerialKey: row.Channel + " " + row.Thread}, row.ID)
	return err
}

func isStop(text string) bool {
	return strings.EqualFold(strings.Trim(text, " .!"), "stop") || strings.EqualFold(strings.Trim(text, " .!"), "cancel")
}

// stop ends the questions of a thread that wait or run. Whoever is in the thread may.
func (s *Slack) stop(ctx context.Context, row askRow) error {
	list, err := s.rows.openIn(ctx, row.Channel, row.Thread)
	if err != nil {
		return err
	}
	stopped := 0
	for _, ask := range list {
		for _, from := range []string{askWaiting, askRunning} {
			ok, err := s.rows.turn(ctx, ask.ID, from, askStopped, row.CreatedAt)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			stopped++
			if err := s.settleReply(ctx, ask, s.short(ask, "Stopped.")); err != nil {
				return err
			}
			if err := s.DB.Notify(ctx, slackChannel, "stop "+ask.ID); err != nil {
				return err
			}
		}
	}
	if stopped == 0 {
		return s.reply(ctx, row, "Nothing is being looked up in this thread.")
	}
	return nil
}

// halt ends the run of a question in this process, if it is here.
func (s *Slack) halt(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel := s.running[id]; cancel != nil {
		cancel()
	}
}

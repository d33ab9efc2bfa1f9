package assistant

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/signalbox/signalbox/bots/slack"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

// slackTask is a small thing to do after what came in was acknowledged.
type slackTask struct {
	In slack.Incoming `json:"in,omitzero"`
	// Ask is a question that waits behind others, Before how many.
	Ask    string `json:"ask,omitempty"`
	Before int    `json:"before,omitempty"`
}

func (s *Slack) laterDo(ctx context.Context, task slackTask) error {
	_, err := s.Jobs.EnqueueValue(ctx, work.Job{Kind: slackDoJob}, task)
	return err
}

func (s *Slack) do(ctx context.Context, job work.Job) error {
	var task slackTask
	if err := json.Unmarshal(job.Payload, &task); err != nil {
		return work.GiveUp(err)
	}
	l, err := s.linked(ctx)
	if err != nil {
		return work.GiveUp(err)
	}
	if err = s.doTask(ctx, l, task); err == nil {
		return nil
	}
	if wait, limited := slack.Wait(err); limited {
		return work.RetryAfter(wait, err)
	}
	if slack.Code(err) != "" {
		s.Log.Info("Slack refused something small", "kind", task.In.Kind, "error", err)
		return nil
	}
	return err
}

func (s *Slack) doTask(ctx context.Context, l *slackLink, task slackTask) error {
	in := task.In
	switch {
	case task.Ask != "":
		ask, err := s.rows.ask(ctx, task.Ask)
		if err != nil || ask.State != askWaiting {
			return err
		}
		return l.client.Whisper(ctx, ask.SlackUser, slack.Message{Channel: ask.Channel, Thread: ask.Thread,
			Text: "I have noted it: " + number(task.Before, "question") + " in this thread before yours."})
	case in.Kind == slack.Edited:
		return s.edited(ctx, l, in)
	case in.Kind == slack.ThreadStarted:
		return l.client.Prompts(ctx, in.Channel, in.Thread, suggestions)
	case in.Kind == slack.HomeOpened:
		return s.home(ctx, l, in.User)
	case in.Kind == slack.Pressed:
		return s.pressed(ctx, l, in)
	}
	return nil
}

// suggestions are questions that are always answered.
var suggestions = []string{"Which builds are failing?", "What new errors came in today?", "What PRs were merged this week?"}

// edited tells somebody who changed a question that the change is not heard.
func (s *Slack) edited(ctx context.Context, l *slackLink, in slack.Incoming) error {
	known, err := s.rows.askedAt(ctx, in.Channel, in.TS)
	if err != nil || known.ID == "" || known.Text == slack.Words(in.Text, l.settings.BotUser) {
		return err // unfurled links and the like are edits too
	}
	return l.client.Whisper(ctx, in.User, slack.Message{Channel: in.Channel, Thread: known.Thread, Text: "I do not hear of changes to a question. Ask it anew."})
}

// home shows a person the app's own page.
func (s *Slack) home(ctx context.Context, l *slackLink, user string) error {
	who, refusal, err := s.asker(ctx, l, user, "")
	if err != nil {
		return err
	}
	m := slack.Message{Text: "Signalbox", Footer: slack.Link("Open Signalbox", s.PublicURL)}
	if refusal != "" {
		m.Sections = []string{"*Signalbox*\n" + slack.Mrkdwn(refusal, s.ours)}
		return l.client.Home(ctx, user, m)
	}
	var b strings.Builder
	b.WriteString("*You are " + slack.Escape(who.caller.Name) + " here.*")
	if team, no := ownTeam(who); no == "" {
		b.WriteString(" Without a channel that says otherwise your questions are about the team " + slack.Escape(team.Name) + ".")
	}
	examples := "*Ask me for example*"
	for _, q := range suggestions {
		examples += "\n• " + q
	}
	m.Sections = []string{b.String(), examples}
	runs, err := s.rows.latestOf(ctx, who.caller.UserID, 5)
	if err != nil {
		return err
	}
	if len(runs) > 0 {
		lately := "*Your latest questions*"
		for _, r := range runs {
			lately += "\n• " + slack.Escape(cutLine(r.Question, 120)) + " – " + r.Status
		}
		m.Sections = append(m.Sections, lately)
	}
	return l.client.Home(ctx, user, m)
}

// pressed does what a button says. Its value is an id and nothing else is believed.
func (s *Slack) pressed(ctx context.Context, l *slackLink, in slack.Incoming) error {
	if in.Action == actHow || in.Action == actLinking {
		return nil // they lead somewhere
	}
	who, refusal, err := s.asker(ctx, l, in.User, in.Home)
	if err != nil {
		return err
	}
	if refusal != "" {
		return s.whisper(ctx, l, in, refusal)
	}
	switch {
	case in.Action == actHelped, in.Action == actNot:
		return s.rate(ctx, l, in, who)
	case in.Action == actApprove, in.Action == actDeny:
		return s.decideCard(ctx, l, in, who)
	case in.Action == actMute:
		return s.muteDigest(ctx, l, in, who)
	case strings.HasPrefix(in.Action, actTry+"_"):
		return s.tryAnother(ctx, l, in, who)
	}
	return nil
}

func (s *Slack) whisper(ctx context.Context, l *slackLink, in slack.Incoming, text string) error {
	thread := in.Thread
	return l.client.Whisper(ctx, in.User, slack.Message{Channel: in.Channel, Thread: thread, Text: slack.Mrkdwn(text, s.ours)})
}

// rate keeps whether an answer helped; it is the asker's to say.
func (s *Slack) rate(ctx context.Context, l *slackLink, in slack.Incoming, who asker) error {
	row, err := s.store.run(ctx, in.Value, who.caller.TeamIDs(asking))
	if problem.Is(err, problem.NotFound) || err == nil && row.UserID != who.caller.UserID {
		return s.whisper(ctx, l, in, "Only who asked can say whether the answer helped.")
	}
	if err != nil {
		return err
	}
	feedback := int64(1)
	if in.Action == actNot {
		feedback = -1
	}
	if err := s.store.setFeedback(ctx, row.ID, feedback); err != nil {
		return err
	}
	return s.whisper(ctx, l, in, "Thank you, noted.")
}

// tryAnother asks one of the questions that a refusal has offered, in its thread, as who pressed.
func (s *Slack) tryAnother(ctx context.Context, l *slackLink, in slack.Incoming, who asker) error {
	row, err := s.store.run(ctx, in.Value, who.caller.TeamIDs(asking))
	if err != nil {
		return s.whisper(ctx, l, in, problem.From(err).Detail)
	}
	run, err := shape(row)
	if err != nil {
		return err
	}
	n := int(in.Action[len(in.Action)-1] - '0')
	if n < 0 || n >= len(run.Answer.Try) {
		return nil
	}
	thread := in.Thread
	if thread == "" {
		thread = in.TS
	}
	ask := askRow{ID: s.ID(), Workspace: in.Workspace, Channel: in.Channel, Thread: thread, TS: "pressed " + in.TS + " " + in.Action, Direct: strings.HasPrefix(in.Channel, "D"),
		SlackUser: in.User, Home: in.Home, Text: run.Answer.Try[n], State: askWaiting, CreatedAt: s.Now().UnixMilli()}
	return s.DB.Tx(ctx, func(ctx context.Context) error { return s.queue(ctx, ask) })
}

// takeCommand answers a slash command at once, and writes down what takes longer.
func (s *Slack) takeCommand(ctx context.Context, l *slackLink, in slack.Incoming) (*slack.Message, error) {
	text := slack.Words(in.Text, l.settings.BotUser)
	word, _, _ := strings.Cut(strings.ToLower(text), " ")
	switch word {
	case "", "help":
		return &slack.Message{Text: "Ask a question: `" + slack.SlashCommand + " which builds are failing?`, or mention me in a channel, or write to me directly.\n`" +
			slack.SlashCommand + " link` says who you are here, `" + slack.SlashCommand + " unlink` forgets it. “stop” in a thread ends what I am looking up there."}, nil
	case "link":
		address, err := s.invite(ctx, in.Workspace, in.User, in.Name)
		if err != nil {
			return nil, err
		}
		return &slack.Message{Text: "Open this address within ten minutes and confirm who you are. It works once; give it to nobody.\n" + slack.Link("Link my account", address)}, nil
	case "unlink":
		err := s.rows.dropPerson(ctx, in.Workspace, in.User)
		return &slack.Message{Text: "I no longer know who you are here."}, err
	}
	row := askRow{ID: s.ID(), Workspace: in.Workspace, Channel: in.Channel, TS: in.ID, Direct: in.Direct || strings.HasPrefix(in.Channel, "D"),
		SlackUser: in.User, Home: in.Home, Text: text, State: askWaiting, CreatedAt: s.Now().UnixMilli()}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if in.ID != "" {
			fresh, err := s.rows.firstSight(ctx, row.CreatedAt, "event "+in.ID)
			if err != nil || !fresh {
				return err
			}
		}
		if err := s.rows.addAsk(ctx, row); err != nil {
			return err
		}
		_, err := s.Jobs.EnqueueValue(ctx, work.Job{Kind: slackAskJob, SerialKey: "command " + row.ID}, row.ID)
		return err
	})
	return &slack.Message{Text: "You asked: " + slack.Escape(text)}, err
}

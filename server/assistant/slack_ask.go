package assistant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/signalbox/signalbox/bots/slack"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

const interruptedText = "I was interrupted before I had an answer: the server was restarted. Please ask again."

// answerAsk is the job of one question: a sign of life, the run as the person who asks, one reply.
func (s *Slack) answerAsk(ctx context.Context, job work.Job) error {
	var id string
	if err := json.Unmarshal(job.Payload, &id); err != nil {
		return work.GiveUp(err)
	}
	ask, err := s.rows.ask(ctx, id)
	if err != nil {
		return err
	}
	switch ask.State {
	case askRunning: // by a server that is no more, or that has lost its lease
		return s.finish(context.WithoutCancel(ctx), ask, askInterrupted, s.short(ask, interruptedText))
	case askWaiting:
	default:
		return nil
	}
	l, err := s.linked(ctx)
	if err != nil {
		return work.GiveUp(err)
	}
	ok, err := s.rows.turn(ctx, ask.ID, askWaiting, askRunning, 0)
	if err != nil || !ok {
		return err
	}
	return s.runAsk(ctx, l, ask)
}

// runAsk answers a question that is marked as running. From here on whatever goes wrong is said.
func (s *Slack) runAsk(ctx context.Context, l *slackLink, ask askRow) error {
	wanted, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	s.mu.Lock()
	s.running[ask.ID] = cancel
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.running, ask.ID)
		s.mu.Unlock()
	}()
	defer context.AfterFunc(ctx, cancel)() // the server stops: what runs is not waited for
	kept := context.WithoutCancel(ctx)
	shown, err := s.show(kept, l, ask)
	if err != nil {
		return err
	}
	defer shown.close()
	ask = shown.ask
	reply := s.replyTo(watching(kept, watch{told: shown.told, stop: wanted}), l, ask)
	shown.close()
	if ctx.Err() != nil && reply.run.Status == Interrupted {
		return s.finish(kept, ask, askInterrupted, s.short(ask, interruptedText))
	}
	if err := s.finish(kept, ask, askAnswered, reply.messages...); err != nil {
		return err
	}
	if reply.run.ID == "" {
		return nil
	}
	return s.DB.Tx(kept, func(ctx context.Context) error {
		if err := s.rows.noteRun(ctx, ask.ID, reply.run.ID); err != nil {
			return err
		}
		return s.rows.join(ctx, ask.Channel, ask.Thread, reply.run.Thread, s.Now().UnixMilli())
	})
}

// slackReply is what a question is answered with: the message in its thread, perhaps one to the asker alone.
type slackReply struct {
	messages []outgoing
	run      Run
}

// outgoing is a message with the name of its part.
type outgoing struct {
	part    string
	message slack.Message
	// card is the approval that it shows, "" for an answer.
	card string
}

// Parts of what a question is answered with.
const (
	partReply  = "reply"  // in the thread; replaces what showed that something is being done
	partDirect = "direct" // to the asker alone
)

// replyTo never fails: what it cannot do it says.
func (s *Slack) replyTo(ctx context.Context, l *slackLink, ask askRow) slackReply {
	who, refusal, err := s.asker(ctx, l, ask.SlackUser, ask.Home)
	if err != nil {
		return slackReply{messages: s.sorry(ask, err)}
	}
	if refusal != "" {
		return slackReply{messages: []outgoing{s.short(ask, refusal)}}
	}
	team, room, refusal, err := s.teamFor(ctx, who, ask)
	if err != nil {
		return slackReply{messages: s.sorry(ask, err)}
	}
	if refusal != "" {
		return slackReply{messages: []outgoing{s.short(ask, refusal)}}
	}
	thread, _, err := s.rows.joined(ctx, ask.Channel, ask.Thread)
	if err != nil {
		return slackReply{messages: s.sorry(ask, err)}
	}
	question := Question{Team: team.Name, Text: ask.Text, Zone: who.zone, Thread: thread, Surface: "slack", Channel: channelOf(ask)}
	if len(room.repositories) == 1 {
		question.Repository = room.repositories[0]
	}
	run, err := s.Ask(identity.With(ctx, who.caller), question)
	if err != nil {
		return slackReply{messages: s.sorry(ask, err)}
	}
	return slackReply{messages: s.compose(ctx, ask, team, room, run), run: run}
}

// channelOf is the channel that a question counts for, "" for what is between two.
func channelOf(ask askRow) string {
	if ask.Direct {
		return ""
	}
	return ask.Channel
}

// sorry is the honest answer when there is none.
func (s *Slack) sorry(ask askRow, err error) []outgoing {
	p := problem.From(err)
	text := "I could not look it up, so I have no answer. " + p.Detail
	if p.Kind == problem.TooMany {
		text = p.Detail
	}
	if p.Kind == problem.Internal {
		s.Log.Error("a question from Slack could not be answered", "ask", ask.ID, "error", err)
		text = "Something went wrong here, so I have no answer. It is in the server's log."
	}
	return []outgoing{s.short(ask, text)}
}

// short is a reply of one paragraph, as Markdown of our own.
func (s *Slack) short(ask askRow, text string) outgoing {
	body := slack.Mrkdwn(text, s.ours)
	return outgoing{part: partReply, message: slack.Message{Channel: ask.Channel, Thread: ask.Thread, Text: body}}
}

// finish ends a running question and writes down what is to be said, in one transaction:
// a second server that had taken it for interrupted changes nothing any more.
func (s *Slack) finish(ctx context.Context, ask askRow, state string, messages ...outgoing) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		ok, err := s.rows.turn(ctx, ask.ID, askRunning, state, s.Now().UnixMilli())
		if err != nil || !ok {
			return err
		}
		return s.settleReply(ctx, ask, messages...)
	})
}

// settleReply writes the messages of a question into the outbox, in the context's transaction.
func (s *Slack) settleReply(ctx context.Context, ask askRow, messages ...outgoing) error {
	for _, m := range messages {
		row := outRow{Subject: ask.ID, Part: m.part, SlackUser: ask.SlackUser}
		if m.card != "" {
			row.Subject = cardSubject + m.card
		}
		if err := s.putOut(ctx, row, m.message); err != nil {
			return err
		}
	}
	return nil
}

// reply says something in the thread of a message that is no question of its own.
func (s *Slack) reply(ctx context.Context, ask askRow, text string) error {
	return s.putOut(ctx, outRow{Subject: ask.ID, Part: "note", SlackUser: ask.SlackUser}, s.short(ask, text).message)
}

// putOut writes a message down with the job that sends it.
func (s *Slack) putOut(ctx context.Context, row outRow, m slack.Message) error {
	row.ID, row.State, row.CreatedAt = s.ID(), outWaiting, s.Now().UnixMilli()
	m.Key = row.Subject + " " + row.Part
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	row.Message = string(raw)
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		fresh, err := s.rows.addOut(ctx, row)
		if err != nil || !fresh {
			return err
		}
		_, err = s.Jobs.EnqueueValue(ctx, work.Job{Kind: slackSendJob, SerialKey: row.Subject}, row.ID)
		return err
	})
}

// send says what lies in the outbox. It may be called again after it has: each way of
// saying it is either the same twice, or looks first.
func (s *Slack) send(ctx context.Context, job work.Job) error {
	var id string
	if err := json.Unmarshal(job.Payload, &id); err != nil {
		return work.GiveUp(err)
	}
	row, err := s.rows.out(ctx, id)
	if err != nil || row.State != outWaiting {
		return err
	}
	l, err := s.linked(ctx)
	if err != nil {
		return work.GiveUp(err)
	}
	var m slack.Message
	if err := json.Unmarshal([]byte(row.Message), &m); err != nil {
		return work.GiveUp(err)
	}
	ts, err := s.deliver(ctx, l, row, m, job.Attempt > 1)
	if wait, limited := slack.Wait(err); limited {
		return work.RetryAfter(wait, err)
	}
	if code := slack.Code(err); code != "" && lastingRefusal[code] {
		s.Log.Error("an answer could not be said in Slack", "channel", m.Channel, "error", err)
		return errors.Join(s.rows.settleOut(ctx, id, outLost, ""), work.GiveUp(fmt.Errorf("say it in Slack: %w", err)))
	}
	if err != nil {
		return err
	}
	return s.rows.settleOut(context.WithoutCancel(ctx), id, outSent, ts)
}

// lastingRefusal are Slack's words for what trying again does not change; a channel that is
// closed to us is one only after the asker could not be reached directly either.
var lastingRefusal = map[string]bool{"channel_not_found": true, "not_in_channel": true, "is_archived": true, "restricted_action": true, "msg_too_long": true, "invalid_blocks": true,
	"user_not_found": true, "users_not_found": true, "cannot_dm_bot": true, "messages_tab_disabled": true, "no_permission": true}

// goneMessage are Slack's words for a message that can no longer be edited.
var goneMessage = map[string]bool{"message_not_found": true, "cant_update_message": true, "edit_window_closed": true, "message_not_owned_by_app": true}

var closedChannel = map[string]bool{"channel_not_found": true, "not_in_channel": true, "is_archived": true, "restricted_action": true}

func (s *Slack) deliver(ctx context.Context, l *slackLink, row outRow, m slack.Message, again bool) (string, error) {
	if card, ok := strings.CutPrefix(row.Subject, cardSubject); ok && row.Part != partCard {
		return s.deliverCard(ctx, l, card, m)
	}
	if row.Part == partReply {
		ask, err := s.rows.ask(ctx, row.Subject)
		switch {
		case err == nil:
			row.Replaces, row.Streamed, m.Thread = ask.StatusTS, ask.Streamed, ask.Thread
		case !database.IsNotFound(err): // of one that is long over only the message is left
			return "", err
		}
	}
	if row.Replaces != "" {
		var err error
		if row.Streamed {
			err = l.client.Finish(ctx, m, row.Replaces)
		} else {
			err = l.client.Update(ctx, m, row.Replaces)
		}
		if err == nil || !goneMessage[slack.Code(err)] {
			return place(m.Channel, row.Replaces), err
		}
	}
	if row.Part == partDirect || m.Channel == "" {
		channel, err := l.client.Direct(ctx, row.SlackUser)
		if err != nil {
			return "", err
		}
		m.Channel, m.Thread = channel, ""
	}
	ts, err := s.post(ctx, l, m, again)
	if closedChannel[slack.Code(err)] && row.SlackUser != "" {
		if m.Channel, err = l.client.Direct(ctx, row.SlackUser); err != nil {
			return "", err
		}
		m.Thread = ""
		m.Footer = joined(m.Footer, "I cannot write where you asked, so I answer here")
		return s.post(ctx, l, m, again)
	}
	return ts, err
}

// place names a message that was sent.
func place(channel, ts string) string { return channel + " " + ts }

// post says a message, after a doubt only if it is not there yet.
func (s *Slack) post(ctx context.Context, l *slackLink, m slack.Message, again bool) (string, error) {
	if again {
		ts, err := l.client.Find(ctx, m.Channel, m.Thread, m.Key)
		if ts != "" {
			return place(m.Channel, ts), nil
		}
		if _, limited := slack.Wait(err); limited {
			return "", err
		}
	}
	channel, ts, err := l.client.Post(ctx, m)
	return place(channel, ts), err
}

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + " · " + b
}

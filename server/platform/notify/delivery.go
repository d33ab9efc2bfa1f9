package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

const (
	kindSend = "notify.send"
	// maxAttempts takes about half an hour with the usual delays.
	maxAttempts = 10
	// kept is how many deliveries of a channel are remembered, and keptFor how long.
	kept    = 500
	keptFor = 90 * 24 * time.Hour
	// longestWait bounds what the other side may ask for with Retry-After.
	longestWait = 6 * time.Hour
)

// State is where a delivery stands; the words are stored.
type State string

// The states.
const (
	Waiting State = "waiting" // for its first or next attempt
	Sent    State = "sent"
	Failed  State = "failed"  // for good
	Held    State = "held"    // until an instant, by the channel's manner
	Grouped State = "grouped" // another delivery tells of it
)

// Delivery is one message to one channel.
type Delivery struct {
	ID       int64  `json:"id"`
	Event    Event  `json:"event"`
	Title    string `json:"title"`
	State    State  `json:"state"`
	Attempts int64  `json:"attempts"`
	// Error is that of the last attempt.
	Error     string     `json:"error"`
	CreatedAt api.Millis `json:"created_at"`
	EndedAt   api.Millis `json:"ended_at,omitzero"`
	// Rule is what caused it, "" for a test; Subject what it is about.
	Rule    string `json:"rule"`
	Subject string `json:"subject"`
	// HeldUntil and HeldFor are set while it is held.
	HeldUntil api.Millis `json:"held_until,omitzero"`
	HeldFor   Hold       `json:"held_for,omitempty"`
	// Into is the delivery that tells of it.
	Into int64 `json:"into,omitempty"`
	// More is how many others it stands for.
	More int64 `json:"more,omitempty"`
	// URL leads to what it is about.
	URL string `json:"url"`
}

type sendPayload struct {
	Delivery int64 `json:"delivery"`
}

// Raise has the team's channels told that want to hear of it, after the context's
// transaction commits and only then.
func (s *Service) Raise(ctx context.Context, team int64, m Message) error {
	if !slices.Contains(s.events(), m.Event) {
		return fmt.Errorf("notify: %q is no event", m.Event)
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		m.Rule = s.ruleOf(m.Event)
		off, err := s.isOff(ctx, team, m.Rule)
		if err != nil || off {
			return err
		}
		rows, err := s.enabledChannels(ctx, team)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if !row.channel().wants(m) {
				continue
			}
			if _, err := s.enqueue(ctx, row, m.bounded()); err != nil {
				return err
			}
		}
		return nil
	})
}

// RaiseEverywhere is Raise for every team: it is about the whole installation.
func (s *Service) RaiseEverywhere(ctx context.Context, m Message) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		teams, err := s.tellable(ctx)
		if err != nil {
			return err
		}
		for _, team := range teams {
			if err := s.Raise(ctx, team, m); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c Channel) wants(m Message) bool {
	return c.Enabled && slices.Contains(c.Events, m.Event) && (len(c.Pipelines) == 0 || slices.Contains(c.Pipelines, m.Pipeline))
}

// enqueue returns the id of the delivery.
func (s *Service) enqueue(ctx context.Context, row channelRow, m Message) (int64, error) {
	d := s.newDelivery(row, m)
	if err := s.insertDelivery(ctx, &d); err != nil {
		return 0, err
	}
	if err := errors.Join(s.forgetOld(ctx, row), s.changed(ctx, row.TeamID, row.ID)); err != nil {
		return 0, err
	}
	return d.ID, s.enqueueSend(ctx, row, d.ID)
}

// enqueueSend puts a delivery behind those of its channel.
func (s *Service) enqueueSend(ctx context.Context, row channelRow, id int64) error {
	_, err := s.Jobs.EnqueueValue(ctx, work.Job{Kind: kindSend, Team: row.TeamID, SerialKey: "notify/" + row.ID}, sendPayload{id})
	return err
}

func (s *Service) newDelivery(row channelRow, m Message) deliveryRow {
	d := deliveryRow{TeamID: row.TeamID, ChannelID: row.ID, Event: m.Event, Title: m.Title, Rule: m.Rule, Subject: m.kind(), Message: encode(m), State: Waiting, CreatedAt: s.millis()}
	if m.Now {
		d.ReleasedAt = d.CreatedAt
	}
	return d
}

// send is the job. What was sent already, or has nowhere to go any more, is done.
func (s *Service) send(ctx context.Context, job work.Job) error {
	var in sendPayload
	if err := json.Unmarshal(job.Payload, &in); err != nil {
		return work.GiveUp(fmt.Errorf("read the payload: %w", err))
	}
	d, err := s.findDelivery(ctx, in.Delivery)
	switch {
	case problem.Is(err, problem.NotFound):
		return nil
	case err != nil:
		return err
	case d.State != Waiting && d.State != Failed: // a dead letter that somebody revives has failed
		return nil
	}
	row, err := s.findChannel(ctx, d.ChannelID)
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if held, err := s.weigh(ctx, row, d); err != nil || held {
		return err
	}
	failed := s.attempt(ctx, row, d)
	if failed != nil && ctx.Err() != nil {
		return work.ErrDetached
	}
	state := Sent
	switch {
	case failed != nil && (failed.final || job.Attempt >= maxAttempts):
		state = Failed
	case failed != nil:
		state = Waiting
	}
	if err := s.noteAttempt(ctx, d, state, failed); err != nil {
		return err
	}
	s.told(ctx, d.ID)
	if err := s.changed(ctx, row.TeamID, row.ID); err != nil {
		s.Log.WarnContext(ctx, "pages do not hear of a delivery", "error", err, "delivery", d.ID)
	}
	return failed.forJob()
}

// told passes on how deliveries fare, and with them what they tell of.
func (s *Service) told(ctx context.Context, ids ...int64) {
	if s.Told == nil || len(ids) == 0 {
		return
	}
	list, err := s.deliveriesByID(ctx, ids)
	if err == nil {
		var more []deliveryRow
		if more, err = s.within(ctx, ids); err == nil {
			list = append(list, more...)
		}
	}
	said := map[Event]bool{}
	for _, row := range list {
		if row.IntoID != 0 && said[row.Event] {
			continue // who hears of it looks at all of its messages
		}
		said[row.Event] = true
		err = errors.Join(err, s.Told(ctx, row.TeamID, row.delivery()))
	}
	if err != nil {
		s.Log.WarnContext(ctx, "telling how a delivery fared failed", "error", err, "deliveries", ids)
	}
}

// failure is why an attempt did not succeed, in words for the history.
type failure struct {
	words string
	// final: trying again will not help.
	final bool
	// after is how long the other side wants to be left alone; 0 when it did not say.
	after time.Duration
}

func (f *failure) forJob() error {
	switch {
	case f == nil:
		return nil
	case f.final:
		return work.GiveUp(errors.New(f.words))
	case f.after > 0:
		return work.RetryAfter(min(f.after, longestWait), errors.New(f.words))
	}
	return errors.New(f.words)
}

func (s *Service) attempt(ctx context.Context, row channelRow, d deliveryRow) *failure {
	t, err := s.open(row)
	if err != nil {
		return &failure{words: "The channel's address cannot be decrypted: the key file lacks its key.", final: true}
	}
	m := d.message()
	if m.Event == "" {
		return &failure{words: "The stored message is damaged.", final: true}
	}
	var failed *failure
	switch row.Kind {
	case Mail:
		failed = s.mailer.send(ctx, letter{Message: m, recipients: t.Recipients, id: d.ID, at: time.UnixMilli(d.CreatedAt)})
	case Slack:
		failed = s.post(ctx, t, slackBody(m), nil)
	case Webhook:
		body, header := s.webhookBody(t, d, m)
		failed = s.post(ctx, t, body, header)
	case GitHub:
		failed = s.report(ctx, row, t, d, m)
	default:
		failed = &failure{words: "This version of the server does not know channels of the kind " + string(row.Kind) + ".", final: true}
	}
	if failed != nil {
		failed.words = cut(t.hide(failed.words), 500)
	}
	return failed
}

// TestResult is how a test message fared.
type TestResult struct {
	OK    bool   `json:"ok"`
	Error string `json:"error"`
}

// Test sends a message at once and waits for what the other side says.
func (s *Service) Test(ctx context.Context, id string) (TestResult, error) {
	row, err := s.channelFor(ctx, id, writing)
	if err != nil {
		return TestResult{}, err
	}
	d := s.newDelivery(row, Message{Event: "test", Title: "Signalbox can reach this channel",
		Text: "This is a test that somebody asked for in the channel " + row.Name + ".", Lines: []string{}}.bounded())
	if err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.insertDelivery(ctx, &d); err != nil {
			return err
		}
		return errors.Join(s.forgetOld(ctx, row), s.audit(ctx, row.TeamID, "notify.channel.test", row.Name, ""))
	}); err != nil {
		return TestResult{}, err
	}
	failed := s.attempt(ctx, row, d)
	state, result := Sent, TestResult{OK: true}
	if failed != nil {
		state, result = Failed, TestResult{Error: failed.words}
	}
	ctx = context.WithoutCancel(ctx)
	return result, errors.Join(s.noteAttempt(ctx, d, state, failed), s.changed(ctx, row.TeamID, row.ID))
}

// History lists a channel's deliveries, newest first, below the id before (0: from the newest).
func (s *Service) History(ctx context.Context, id string, before int64) ([]Delivery, error) {
	row, err := s.channelFor(ctx, id, reading)
	if err != nil {
		return nil, err
	}
	return s.deliveries(ctx, row.ID, before, 50)
}

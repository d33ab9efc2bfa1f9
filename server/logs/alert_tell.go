package logs

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/stream"
)

// AlertChannel is a way of a team to hear of alerts.
type AlertChannel struct {
	ID   string          `json:"id"`
	Kind AlertActionType `json:"kind"`
	Name string          `json:"name"`
	// Summary is what may be shown of where it leads.
	Summary string `json:"summary"`
	Enabled bool   `json:"enabled"`
}

// AlertMessage is what a channel is told. All of it is plain text.
type AlertMessage struct {
	Title, Text string
	Lines       []string
	URL         string
	// Rule is the alert's id.
	Rule string
	// Test: somebody asked for it and waits; Over: what it fired about is over.
	Test, Over bool
}

// AlertTold is how a message fared: its state is waiting, sent or failed.
type AlertTold struct {
	State, Error string
	EndedAt      time.Time
}

// AlertTeller sends what alerts say. Tell is called in the transaction that
// writes down that an alert fires: what it queues leaves when that commits, and
// only then. A channel that cannot be used is an error of a kind of package problem.
type AlertTeller interface {
	Channels(ctx context.Context, team int64) ([]AlertChannel, error)
	Tell(ctx context.Context, team int64, channel string, m AlertMessage) (message int64, err error)
	Told(ctx context.Context, messages []int64) (map[int64]AlertTold, error)
}

const topicAlerts = "logs.alerts"

// AlertTold has pages look again at how messages of a team's alerts fared.
func (s *Service) AlertTold(ctx context.Context, team int64) error {
	return s.publish(ctx, team, topicAlerts, "")
}

func (s *Service) publish(ctx context.Context, team int64, topic, id string) error {
	if s.Publish == nil {
		return nil
	}
	return s.Publish(ctx, stream.Event{Team: team, Topic: topic, ID: id})
}

func (s *Service) audit(ctx context.Context, team int64, action, object, detail string) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit(ctx, team, action, object, detail)
}

// occasion is why a message was sent; the words are stored.
type occasion string

const (
	becauseFiring   occasion = "firing"
	becauseReminder occasion = "reminder"
	becauseResolved occasion = "resolved"
	becauseTest     occasion = "test"
)

// delivery is what was done for one action, as it is stored.
type delivery struct {
	Type   AlertActionType `json:"type"`
	Target string          `json:"target"`
	// Label is the channel's name of then.
	Label   string   `json:"label"`
	About   occasion `json:"about"`
	Message int64    `json:"message,omitempty"`
	// Error says why nothing was sent.
	Error string `json:"error,omitempty"`
}

func parseDeliveries(text string) (list []delivery) {
	_ = json.Unmarshal([]byte(text), &list) // this package wrote it; a broken one is like none
	return list
}

// deliver tells all channels of an alert, in the context's transaction. What
// cannot be done is noted and stops nothing: the alert shows it.
func (s *Service) deliver(ctx context.Context, a Alert, about occasion, m AlertMessage) ([]delivery, error) {
	labels, err := s.channelNames(ctx, a.Team)
	if err != nil {
		return nil, err
	}
	m.Rule, m.Test, m.Over = a.ID, about == becauseTest, about == becauseResolved
	list := make([]delivery, len(a.Actions))
	for i, act := range a.Actions {
		d := delivery{Type: act.Type, Target: act.Target, Label: labels.of(act), About: about}
		if s.AlertTeller == nil {
			err = problem.New(problem.Unavailable, "This server sends nothing.")
		} else {
			d.Message, err = s.AlertTeller.Tell(ctx, a.Team, act.Target, m)
		}
		if err != nil {
			p := problem.From(err)
			if p.Kind == problem.Internal {
				return nil, fmt.Errorf("tell of alert %s: %w", a.ID, err)
			}
			d.Error = p.Detail
		}
		list[i] = d
	}
	return list, nil
}

// channelNames are what people call the targets of actions.
type channelNames map[string]AlertChannel

func (s *Service) channelNames(ctx context.Context, team int64) (channelNames, error) {
	names := channelNames{}
	if s.AlertTeller == nil {
		return names, nil
	}
	list, err := s.AlertTeller.Channels(ctx, team)
	for _, c := range list {
		names[c.ID] = c
	}
	return names, err
}

func (n channelNames) of(a AlertAction) string {
	return cmp.Or(n[a.Target].Name, "a channel that is gone")
}

// trouble says why an action cannot be done, "" when it can as far as is known.
func (n channelNames) trouble(a AlertAction) string {
	c, ok := n[a.Target]
	switch {
	case !ok:
		return "The channel is gone. Choose another one."
	case !c.Enabled:
		return "The channel " + c.Name + " is switched off."
	}
	return ""
}

// deliveryShape is one delivery with how it fared.
type deliveryShape struct {
	Type   AlertActionType `json:"type"`
	Target string          `json:"target"`
	Label  string          `json:"label"`
	About  occasion        `json:"about"`
	// State is waiting, sent, failed, or forgotten when it was so long ago that
	// nobody remembers.
	State   string     `json:"state"`
	Error   string     `json:"error"`
	EndedAt api.Millis `json:"ended_at,omitzero"`
}

// shapeDeliveries asks how the deliveries of some firings fared.
func (s *Service) shapeDeliveries(ctx context.Context, list []firingRow) (map[int64][]deliveryShape, error) {
	var messages []int64
	stored := make(map[int64][]delivery, len(list))
	for _, f := range list {
		stored[f.ID] = parseDeliveries(f.Deliveries)
		for _, d := range stored[f.ID] {
			if d.Message != 0 {
				messages = append(messages, d.Message)
			}
		}
	}
	told := map[int64]AlertTold{}
	var err error
	if len(messages) > 0 && s.AlertTeller != nil {
		if told, err = s.AlertTeller.Told(ctx, messages); err != nil {
			return nil, err
		}
	}
	out := make(map[int64][]deliveryShape, len(list))
	for id, ds := range stored {
		out[id] = []deliveryShape{}
		for _, d := range ds {
			out[id] = append(out[id], d.shape(told))
		}
	}
	return out, nil
}

func (d delivery) shape(told map[int64]AlertTold) deliveryShape {
	out := deliveryShape{Type: d.Type, Target: d.Target, Label: d.Label, About: d.About, State: "forgotten", Error: d.Error}
	t, remembered := told[d.Message]
	switch {
	case d.Error != "":
		out.State = "failed"
	case remembered:
		out.State, out.Error = t.State, t.Error
		if !t.EndedAt.IsZero() {
			out.EndedAt = api.Millis(t.EndedAt.UnixMilli())
		}
	}
	return out
}

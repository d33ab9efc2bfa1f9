package issues

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// AlertChannel is a way of a team to hear of alerts.
type AlertChannel struct {
	ID   string     `json:"id"`
	Kind ActionType `json:"kind"`
	Name string     `json:"name"`
	// Summary is what may be shown of where it leads.
	Summary string `json:"summary"`
	Enabled bool   `json:"enabled"`
}

// AlertMessage is what a channel is told. All of it is plain text.
type AlertMessage struct {
	Title, Text string
	Lines       []string
	URL         string
	// Rule is the alert's id, Subject what it fired about.
	Rule, Subject string
	// Test: somebody asked for it and waits.
	Test bool
}

// The states of a delivery, as people see them.
const (
	deliveryWaiting = "waiting"
	deliverySent    = "sent"
	deliveryFailed  = "failed"
	deliverySkipped = "skipped"
	// deliveryGone: so long ago that nobody remembers how it went.
	deliveryGone = "forgotten"
)

// AlertTold is how a message fared: its state is waiting, sent or failed.
type AlertTold struct {
	State, Error string
	EndedAt      time.Time
}

// AlertTeller sends what alerts say. Tell is called in the transaction that
// digests: what it queues leaves when that commits, and only then. A channel
// that cannot be used is an error of a kind of package problem.
type AlertTeller interface {
	Channels(ctx context.Context, team int64) ([]AlertChannel, error)
	Tell(ctx context.Context, team int64, channel string, m AlertMessage) (message int64, err error)
	Told(ctx context.Context, messages []int64) (map[int64]AlertTold, error)
}

// AlertTold has pages look again at how messages of a team's alerts fared.
func (s *Service) AlertTold(ctx context.Context, team int64) error {
	return s.publish(ctx, team, topicAlerts, "")
}

// delivery is what was done for one action of a firing, as it is stored.
type delivery struct {
	Type   ActionType `json:"type"`
	Target string     `json:"target"`
	// Label is the channel's name of then.
	Label   string `json:"label"`
	Message int64  `json:"message,omitempty"`
	Link    int64  `json:"link,omitempty"`
	// Error says why nothing was sent.
	Error   string `json:"error,omitempty"`
	Skipped bool   `json:"skipped,omitempty"`
}

func parseDeliveries(text string) (list []delivery) {
	_ = json.Unmarshal([]byte(text), &list) // this package wrote it; a broken one is like none
	return list
}

// deliver does a rule's actions for a firing, in the context's transaction. What
// cannot be done is noted and stops nothing: the rule shows it.
func (s *Service) deliver(ctx context.Context, a Alert, f *firingRow, m AlertMessage) error {
	labels, err := s.channelNames(ctx, a.Team)
	if err != nil {
		return err
	}
	m.Rule, m.Test = formatID(a.ID), f.Test
	list := make([]delivery, len(a.Actions))
	for i, act := range a.Actions {
		d := delivery{Type: act.Type, Target: act.Target, Label: labels.of(act)}
		switch {
		case act.Type == ActGitHubIssue && f.Test:
			d.Skipped, d.Error = true, "A test opens no issue."
		case act.Type == ActGitHubIssue:
			d.Link, err = s.wishGitHubIssue(ctx, f.IssueID, act.Target, a, m)
		case s.alerts.teller == nil:
			err = problem.New(problem.Unavailable, "This server sends nothing.")
		default:
			d.Message, err = s.alerts.teller.Tell(ctx, a.Team, act.Target, m)
		}
		if err != nil {
			p := problem.From(err)
			if p.Kind == problem.Internal {
				return fmt.Errorf("tell of alert %d: %w", a.ID, err)
			}
			d.Error, err = p.Detail, nil
		}
		list[i] = d
	}
	f.Deliveries = settings(list)
	return nil
}

// channelNames are what people call the targets of actions.
type channelNames map[string]AlertChannel

func (s *Service) channelNames(ctx context.Context, team int64) (channelNames, error) {
	names := channelNames{}
	if s.alerts.teller == nil {
		return names, nil
	}
	list, err := s.alerts.teller.Channels(ctx, team)
	for _, c := range list {
		names[c.ID] = c
	}
	return names, err
}

func (n channelNames) of(a Action) string {
	if a.Type == ActGitHubIssue {
		return a.Target
	}
	if c, ok := n[a.Target]; ok {
		return c.Name
	}
	return "a channel that is gone"
}

// trouble says why an action cannot be done, "" when it can as far as is known.
func (n channelNames) trouble(a Action) string {
	if a.Type == ActGitHubIssue {
		return ""
	}
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
	Type   ActionType `json:"type"`
	Target string     `json:"target"`
	Label  string     `json:"label"`
	// State is waiting, sent, failed, skipped or forgotten.
	State   string     `json:"state"`
	Error   string     `json:"error"`
	EndedAt api.Millis `json:"ended_at,omitzero"`
	// URL leads to the issue at GitHub.
	URL string `json:"url,omitempty"`
}

// shapeDeliveries asks how the deliveries of some firings fared.
func (s *Service) shapeDeliveries(ctx context.Context, list []firingRow) (map[int64][]deliveryShape, error) {
	var messages, links []int64
	stored := make(map[int64][]delivery, len(list))
	for _, f := range list {
		stored[f.ID] = parseDeliveries(f.Deliveries)
		for _, d := range stored[f.ID] {
			if d.Message != 0 {
				messages = append(messages, d.Message)
			}
			if d.Link != 0 {
				links = append(links, d.Link)
			}
		}
	}
	told := map[int64]AlertTold{}
	var err error
	if len(messages) > 0 && s.alerts.teller != nil {
		if told, err = s.alerts.teller.Told(ctx, messages); err != nil {
			return nil, err
		}
	}
	made, err := s.rows().linksByID(ctx, links)
	if err != nil {
		return nil, err
	}
	out := make(map[int64][]deliveryShape, len(list))
	for id, ds := range stored {
		out[id] = []deliveryShape{}
		for _, d := range ds {
			out[id] = append(out[id], d.shape(told, made))
		}
	}
	return out, nil
}

func (d delivery) shape(told map[int64]AlertTold, links map[int64]linkRow) deliveryShape {
	out := deliveryShape{Type: d.Type, Target: d.Target, Label: d.Label, State: deliveryGone, Error: d.Error}
	t, remembered := told[d.Message]
	link, linked := links[d.Link]
	switch {
	case d.Skipped:
		out.State = deliverySkipped
	case d.Error != "":
		out.State = deliveryFailed
	case d.Message != 0 && remembered:
		out.State, out.Error = t.State, t.Error
		if !t.EndedAt.IsZero() {
			out.EndedAt = api.Millis(t.EndedAt.UnixMilli())
		}
	case d.Link != 0 && linked:
		out.State, out.Error, out.URL = link.deliveryState(), link.Error, link.URL
	}
	return out
}

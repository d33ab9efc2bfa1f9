package github

import (
	"context"
	"fmt"
	"strings"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// Teller sends a message through a channel of the team: signed, retried and
// dead-lettered there. The notification service is one.
type Teller interface {
	// Has reports whether the team has the channel.
	Has(ctx context.Context, team int64, channel string) (bool, error)
	// Tell queues the message in the context's transaction and returns its id. A
	// channel that is gone, or another team's, is problem.NotFound; one that is
	// switched off is problem.Conflict.
	Tell(ctx context.Context, team int64, channel string, m Telling) (message int64, err error)
	// Told says how messages fared; those it has forgotten are absent.
	Told(ctx context.Context, messages []int64) (map[int64]Told, error)
}

// Telling is what a rule tells a channel; plain text.
type Telling struct {
	Title, Text, URL string
	// Rule is the rule's id, Subject the repository and what happened there.
	Rule, Subject string
	// Test: somebody asked for it and waits.
	Test bool
}

// Told is how a message fared.
type Told struct {
	State   ToldState
	Error   string
	EndedAt Millis
}

// ToldState is where a rule's message stands; the words are stored.
type ToldState string

// The states.
const (
	TellWaiting ToldState = "waiting"
	TellSent    ToldState = "sent"
	TellFailed  ToldState = "failed"
)

// Fan has the team's rules that match a delivery tell their channels, in the
// context's transaction. A delivery that is handled again tells nobody again. A
// rule that cannot be followed says so in its history and spoils nothing else.
func (s *Service) Fan(ctx context.Context, d Delivery, facts Facts) error {
	rules, err := s.Rules(ctx, d.Team)
	if err != nil {
		return err
	}
	for _, r := range rules {
		if !r.Matches(d, facts) {
			continue
		}
		told, err := s.wasTold(ctx, r.ID, d.ID)
		if err != nil {
			return err
		}
		if !told {
			if err := s.tell(ctx, r, d.ID, telling(d, facts)); err != nil {
				return fmt.Errorf("rule %s: %w", r.Name, err)
			}
		}
	}
	return nil
}

// telling says what happened, in the payload's words where there are some.
func telling(d Delivery, facts Facts) Telling {
	title := facts.Title
	if title == "" {
		title = strings.TrimSpace(strings.ReplaceAll(d.Event, "_", " ") + " " + strings.ReplaceAll(d.Action, "_", " "))
	}
	if d.Repository != "" && !strings.Contains(title, d.Repository) {
		title = d.Repository + ": " + title
	}
	if actor := facts.Actor; actor != "" && !strings.Contains(title, actor) {
		title += " (" + actor + ")"
	}
	return Telling{Title: title, Text: facts.Text, URL: facts.URL, Subject: strings.TrimSpace(d.Repository + " " + d.Event + " " + facts.Branch)}
}

func (s *Service) tell(ctx context.Context, r Rule, delivery string, t Telling) error {
	m := ruleMessageRow{TeamID: r.Team, RuleID: r.ID, DeliveryID: delivery, Title: truncate(t.Title, 300), State: TellWaiting, CreatedAt: s.millis()}
	switch {
	case s.Teller == nil:
		m.State, m.Error = TellFailed, "This server has no channels."
	default:
		t.Rule = r.ID
		id, err := s.Teller.Tell(ctx, r.Team, r.Channel, t)
		switch {
		case problem.Is(err, problem.NotFound):
			m.State, m.Error = TellFailed, "The channel is gone. Choose another."
		case problem.Is(err, problem.Conflict):
			m.State, m.Error = TellFailed, problem.From(err).Detail
		case err != nil:
			return err
		}
		m.MessageID = id
	}
	if m.State == TellFailed {
		m.EndedAt = m.CreatedAt
	}
	return s.insertRuleMessage(ctx, m)
}

// TestRule sends a message through the rule's channel.
func (s *Service) TestRule(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		r, err := s.ruleFor(ctx, id, writing)
		if err != nil {
			return err
		}
		text := "This is a test that somebody asked for. The rule asks for " + strings.Join(r.Events, ", ") + "."
		if err := s.tell(ctx, r, "", Telling{Title: "Signalbox follows the rule " + r.Name, Text: text, URL: s.PublicURL(), Test: true}); err != nil {
			return err
		}
		return s.audit(ctx, r.Team, "github.rule.test", r.Name, "")
	})
}

// RuleMessages lists what a rule caused, the newest first.
func (s *Service) RuleMessages(ctx context.Context, id string, before int64) ([]RuleMessage, error) {
	if _, err := s.ruleFor(ctx, id, reading); err != nil {
		return nil, err
	}
	return s.ruleMessages(ctx, id, before, 50)
}

// FollowUp learns from the channels how messages of rules fared.
func (s *Service) FollowUp(ctx context.Context) error {
	if s.Teller == nil {
		return nil
	}
	for after := int64(0); ; {
		rows, err := s.waitingMessages(ctx, after, 200)
		if err != nil || len(rows) == 0 {
			return err
		}
		ids := make([]int64, len(rows))
		for i, r := range rows {
			ids[i] = r.MessageID
		}
		told, err := s.Teller.Told(ctx, ids)
		if err != nil {
			return err
		}
		for _, r := range rows {
			after = r.ID
			t, known := told[r.MessageID]
			if !known {
				t = Told{State: TellFailed, Error: "The channel was deleted before it was sent."}
			}
			if t.State == TellWaiting && t.Error == r.Error {
				continue
			}
			if err := s.noteTold(ctx, r, t); err != nil {
				return err
			}
		}
	}
}

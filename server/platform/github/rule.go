package github

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Teller sends a message through a channel of the team: signed, retried and
// dead-lettered there. The notification service is one.
type Teller interface {
	// Has reports whether the team has the channel.
	Has(ctx context.Context, team int64, channel string) (bool, error)
	// Tell queues the message in the context's transaction and returns its id. A
	// channel that is gone, or another team's, is problem.NotFound.
	Tell(ctx context.Context, team int64, channel string, m Telling) (message int64, err error)
	// Told says how messages fared; those it has forgotten are absent.
	Told(ctx context.Context, messages []int64) (map[int64]Told, error)
}

// Telling is what a rule tells a channel; plain text.
type Telling struct {
	Title, Text, URL string
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

// Facts are what rules match and messages say of a delivery, as read from its payload.
type Facts struct {
	// Title says in one line what happened, URL leads to it at GitHub.
	Title, Text, URL string
	// Branch is the branch concerned: pushed to, or the base of a pull request.
	Branch string
	Labels []string
	// Actor is who did it.
	Actor string
}

// Rule routes events of a team's hooks to one of its channels.
type Rule struct {
	ID   string `json:"id"`
	Team int64  `json:"-"`
	Name string `json:"name"`
	// Events are GitHub's words, or "*". Actions narrow them; none means all.
	Events  []string `json:"events"`
	Actions []string `json:"actions"`
	// Repository ("octo/*") and Branch are globs; "" matches everything.
	Repository string `json:"repository"`
	Branch     string `json:"branch"`
	Channel    string `json:"channel"`
	Enabled    bool   `json:"enabled"`
	LastSentAt Millis `json:"last_sent_at,omitzero"`
	Sent       int64  `json:"sent"`
	Failed     int64  `json:"failed"`
	CreatedAt  Millis `json:"created_at"`
	UpdatedAt  Millis `json:"updated_at"`
}

// RuleChange is what may be set; nil leaves a field as it is.
type RuleChange struct {
	Name, Repository, Branch, Channel *string
	Events, Actions                   *[]string
	Enabled                           *bool
}

// RuleMessage is one message that a rule caused.
type RuleMessage struct {
	ID       int64     `json:"id"`
	Delivery string    `json:"delivery"`
	Title    string    `json:"title"`
	State    ToldState `json:"state"`
	Error    string    `json:"error"`
	At       Millis    `json:"created_at"`
	EndedAt  Millis    `json:"ended_at,omitzero"`
}

const (
	maxRules    = 200
	maxWords    = 50
	maxPattern  = 200
	keepRuleLog = 200
)

// Matches reports whether the rule asks for the delivery.
func (r Rule) Matches(d Delivery, facts Facts) bool {
	return r.Enabled && (slices.Contains(r.Events, "*") || slices.Contains(r.Events, d.Event)) &&
		(len(r.Actions) == 0 || slices.Contains(r.Actions, d.Action)) &&
		matchGlob(r.Repository, d.Repository, true) && matchGlob(r.Branch, facts.Branch, false)
}

// matchGlob is true for no pattern, and ignores case. In a repository's name * ends
// at the slash, in a branch's it does not: "release*" is meant to match release/1.2.
func matchGlob(pattern, text string, slash bool) bool {
	pattern, text = strings.ToLower(pattern), strings.ToLower(text)
	if !slash {
		pattern, text = strings.ReplaceAll(pattern, "/", "\x01"), strings.ReplaceAll(text, "/", "\x01")
	}
	match, err := path.Match(pattern, text)
	return pattern == "" || err == nil && match
}

func (r Rule) validate() error {
	if err := validateName(r.Name); err != nil {
		return err
	}
	if len(r.Events) == 0 || len(r.Events) > maxWords {
		return problem.FieldError("events", "name 1 to %d of GitHub's events, or *", maxWords)
	}
	for _, e := range r.Events {
		if e != "*" && !validEvent.MatchString(e) {
			return problem.FieldError("events", "%q is no name of an event", e)
		}
	}
	if len(r.Actions) > maxWords {
		return problem.FieldError("actions", "name at most %d", maxWords)
	}
	for _, a := range r.Actions {
		if !validEvent.MatchString(a) {
			return problem.FieldError("actions", "%q is no name of an action", a)
		}
	}
	for field, pattern := range map[string]string{"repository": r.Repository, "branch": r.Branch} {
		if _, err := path.Match(pattern, ""); err != nil || len(pattern) > maxPattern {
			return problem.FieldError(field, "is no pattern such as octo/*")
		}
	}
	if r.Channel == "" {
		return problem.FieldError("channel", "choose one of the team's channels")
	}
	return nil
}

func (r *Rule) apply(c RuleChange) {
	for to, from := range map[*string]*string{&r.Name: c.Name, &r.Repository: c.Repository, &r.Branch: c.Branch, &r.Channel: c.Channel} {
		if from != nil {
			*to = strings.TrimSpace(*from)
		}
	}
	if c.Events != nil {
		r.Events = append([]string{}, *c.Events...)
	}
	if c.Actions != nil {
		r.Actions = append([]string{}, *c.Actions...)
	}
	if c.Enabled != nil {
		r.Enabled = *c.Enabled
	}
}

// CreateRule makes a rule for a team in which the caller may write.
func (s *Service) CreateRule(ctx context.Context, team int64, c RuleChange) (Rule, error) {
	if err := identity.Require(ctx, team, writing); err != nil {
		return Rule{}, err
	}
	now := Millis(s.millis())
	r := Rule{ID: randomHex(10), Team: team, Events: []string{}, Actions: []string{}, Enabled: true, CreatedAt: now, UpdatedAt: now}
	r.apply(c)
	if err := r.validate(); err != nil {
		return Rule{}, err
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		known, err := s.Rules(ctx, team)
		if err != nil {
			return err
		}
		if len(known) >= maxRules {
			return problem.New(problem.Conflict, "A team has at most %d rules.", maxRules)
		}
		if err := s.knownChannel(ctx, r); err != nil {
			return err
		}
		if err := s.insertRule(ctx, r); err != nil {
			return err
		}
		return s.audit(ctx, team, "github.rule.create", r.Name, strings.Join(r.Events, ","))
	})
	return r, err
}

func (s *Service) knownChannel(ctx context.Context, r Rule) error {
	if s.Teller == nil {
		return nil
	}
	known, err := s.Teller.Has(ctx, r.Team, r.Channel)
	if err == nil && !known {
		err = problem.FieldError("channel", "is no channel of this team")
	}
	return err
}

// ChangeRule sets what the change names.
func (s *Service) ChangeRule(ctx context.Context, id string, c RuleChange) (r Rule, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if r, err = s.ruleFor(ctx, id, writing); err != nil {
			return err
		}
		r.apply(c)
		if err := r.validate(); err != nil {
			return err
		}
		if c.Channel != nil {
			if err := s.knownChannel(ctx, r); err != nil {
				return err
			}
		}
		r.UpdatedAt = Millis(s.millis())
		if err := s.updateRule(ctx, r); err != nil {
			return err
		}
		return s.audit(ctx, r.Team, "github.rule.update", r.Name, "")
	})
	return r, err
}

// DeleteRule removes a rule with its history; what a channel has still to send is sent.
func (s *Service) DeleteRule(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		r, err := s.ruleFor(ctx, id, writing)
		if err != nil {
			return err
		}
		if err := s.removeRule(ctx, id); err != nil {
			return err
		}
		return s.audit(ctx, r.Team, "github.rule.delete", r.Name, "")
	})
}

func (s *Service) ruleFor(ctx context.Context, id string, scope identity.Scope) (Rule, error) {
	r, err := s.findRule(ctx, id)
	if err == nil {
		err = identity.Require(ctx, r.Team, scope)
	}
	return r, err
}

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
	return Telling{Title: title, Text: facts.Text, URL: facts.URL}
}

func (s *Service) tell(ctx context.Context, r Rule, delivery string, t Telling) error {
	m := ruleMessageRow{TeamID: r.Team, RuleID: r.ID, DeliveryID: delivery, Title: truncate(t.Title, 300), State: TellWaiting, CreatedAt: s.millis()}
	switch {
	case s.Teller == nil:
		m.State, m.Error = TellFailed, "This server has no channels."
	default:
		id, err := s.Teller.Tell(ctx, r.Team, r.Channel, t)
		switch {
		case problem.Is(err, problem.NotFound):
			m.State, m.Error = TellFailed, "The channel is gone. Choose another."
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
		if err := s.tell(ctx, r, "", Telling{Title: "Signalbox follows the rule " + r.Name, Text: text, URL: s.PublicURL()}); err != nil {
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

package github

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
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

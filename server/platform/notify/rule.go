package notify

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Occasion is an event that channels may ask for.
type Occasion struct {
	Event      Event
	Capability string
	// When says it behind "When", with its own verb: "a build fails".
	When string
	// Admin events concern the whole installation; only administrators choose them.
	Admin bool
	// Optional events are not among those of a channel for which nothing was chosen.
	Optional bool
}

// Rule is a rule of any capability as pages show all of them together.
type Rule struct {
	// ID is the capability's word, a colon and the rule's own id there.
	ID         string `json:"id"`
	Capability string `json:"capability"`
	Name       string `json:"name"`
	// Watches says in a sentence what it waits for.
	Watches string  `json:"watches"`
	To      []Place `json:"to"`
	Enabled bool    `json:"enabled"`
	// Fixed rules cannot be switched here, or not by the caller; Why says it.
	Fixed bool   `json:"fixed"`
	Why   string `json:"why,omitempty"`
	// FiredAt is when it last had something to tell, as far as is remembered.
	FiredAt api.Millis `json:"fired_at,omitzero"`
	// MutedUntil is until when the rule itself tells nobody.
	MutedUntil api.Millis `json:"muted_until,omitzero"`
	// Often says how often it tells at most, "" when it says no limit.
	Often string `json:"often,omitempty"`
	// Firing: what it waits for is so now.
	Firing bool `json:"firing,omitempty"`
	// Problem says why it does not reach people, "" when it does as far as is known.
	Problem string `json:"problem"`
	// Held is how many of its messages channels hold back now, the first until HeldUntil.
	Held      int64      `json:"held"`
	HeldUntil api.Millis `json:"held_until,omitzero"`
	// Path is the page of ours where it is changed.
	Path string `json:"path"`
}

// Place is one way on which a rule tells.
type Place struct {
	// Channel is the id of one of the team's channels, "" for other places.
	Channel string `json:"channel,omitempty"`
	// Kind is that of the channel, or another word: github_issue, slack.
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Only narrows it, such as to some pipelines; "" is everything.
	Only string `json:"only,omitempty"`
}

// Source is what one capability gives to the list of rules. Its functions check no right
// to read: who asks holds <Capability>:read in the team; Switch checks the right to change.
type Source struct {
	Capability string
	// Prefix is what the ids of its rules begin with.
	Prefix string
	Rules  func(ctx context.Context, team identity.Team) ([]Rule, error)
	// Switch turns a rule on or off; id is without the prefix.
	Switch func(ctx context.Context, team identity.Team, id string, on bool) error
}

// events are the names of all that may be asked for.
func (s *Service) events() []Event {
	list := make([]Event, len(s.Events))
	for i, o := range s.Events {
		list[i] = o.Event
	}
	return list
}

// usualEvents are those of a channel for which nothing was chosen.
func (s *Service) usualEvents() []Event {
	list := []Event{}
	for _, o := range s.Events {
		if !o.Admin && !o.Optional {
			list = append(list, o.Event)
		}
	}
	return list
}

// passing are the events that may be let through quiet hours.
func (s *Service) passing() []Event { return append(s.events(), s.Others...) }

// ruleOf is the id of the rule that an event is.
func (s *Service) ruleOf(e Event) string {
	for _, o := range s.Events {
		if o.Event == e {
			return o.Capability + ":" + string(e)
		}
	}
	return ""
}

// RuleList is all rules of a team that the caller may see.
type RuleList struct {
	Items []Rule `json:"items"`
	// Missing are capabilities that did not answer.
	Missing []string `json:"missing"`
}

// Rules lists them by capability and name.
func (s *Service) Rules(ctx context.Context, team identity.Team) (RuleList, error) {
	out := RuleList{Items: []Rule{}, Missing: []string{}}
	caller := identity.From(ctx)
	own, err := s.eventRules(ctx, team)
	if err != nil {
		return out, err
	}
	may := func(capability string) bool {
		return caller.Can(team.ID, identity.Scope{Capability: capability, Level: identity.Read})
	}
	for _, r := range own {
		if may(r.Capability) {
			out.Items = append(out.Items, r)
		}
	}
	for _, source := range s.Sources {
		if !may(source.Capability) {
			continue
		}
		list, err := source.Rules(ctx, team)
		if err != nil {
			s.Log.ErrorContext(ctx, "a capability's rules cannot be listed", "capability", source.Capability, "error", err)
			if !slices.Contains(out.Missing, source.Capability) {
				out.Missing = append(out.Missing, source.Capability)
			}
			continue
		}
		for _, r := range list {
			r.ID, r.Capability = source.Prefix+r.ID, source.Capability
			out.Items = append(out.Items, r)
		}
	}
	if err := s.fared(ctx, team.ID, out.Items); err != nil {
		return out, err
	}
	slices.SortStableFunc(out.Items, func(a, b Rule) int {
		return cmp.Or(cmp.Compare(slices.Index(identity.Capabilities, a.Capability), slices.Index(identity.Capabilities, b.Capability)), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// eventRules are the events that channels ask for, and those that are switched off.
func (s *Service) eventRules(ctx context.Context, team identity.Team) ([]Rule, error) {
	channels, err := s.Channels(ctx, team.ID)
	if err != nil {
		return nil, err
	}
	off, err := s.off(ctx, team.ID)
	if err != nil {
		return nil, err
	}
	may := identity.From(ctx).Can(team.ID, writing)
	var list []Rule
	for _, o := range s.Events {
		r := Rule{ID: o.Capability + ":" + string(o.Event), Capability: o.Capability, Name: strings.ToUpper(o.When[:1]) + o.When[1:], Watches: "When " + o.When, To: []Place{}, Path: "/teams/" + url.PathEscape(team.Name) + "/notifications/channels"}
		r.Enabled = !slices.Contains(off, r.ID)
		if !may {
			r.Fixed, r.Why = true, "This needs the role member."
		}
		silent := 0
		for _, c := range channels {
			if !slices.Contains(c.Events, o.Event) {
				continue
			}
			place := Place{Channel: c.ID, Kind: string(c.Kind), Name: c.Name}
			if strings.HasPrefix(string(o.Event), "build.") || o.Event == "approval.requested" {
				place.Only = strings.Join(c.Pipelines, ", ")
			}
			r.To = append(r.To, place)
			if !c.Enabled {
				silent++
				r.Problem = "The channel " + c.Name + " is switched off."
			}
		}
		if silent > 1 {
			r.Problem = "Channels that it tells are switched off."
		}
		if len(r.To) > 0 || !r.Enabled {
			list = append(list, r)
		}
	}
	return list, nil
}

// fared adds what is known of the rules' messages.
func (s *Service) fared(ctx context.Context, team int64, list []Rule) error {
	held, err := s.heldByRule(ctx, team)
	if err != nil {
		return err
	}
	last, err := s.lastByRule(ctx, team)
	if err != nil {
		return err
	}
	for i := range list {
		r := &list[i]
		if h, ok := held[r.ID]; ok {
			r.Held, r.HeldUntil = h.N, api.Millis(h.Until)
		}
		if d, ok := last[r.ID]; ok {
			r.FiredAt = max(r.FiredAt, api.Millis(d.CreatedAt))
			if r.Problem == "" && (d.State == Failed || d.State == Waiting) {
				r.Problem = d.Error
			}
		}
	}
	return nil
}

// SwitchRule turns a rule on or off, as its capability allows.
func (s *Service) SwitchRule(ctx context.Context, team identity.Team, id string, on bool) error {
	for _, source := range s.Sources {
		if rest, ok := strings.CutPrefix(id, source.Prefix); ok {
			if source.Switch == nil {
				return problem.New(problem.Conflict, "This rule is switched where it is made.")
			}
			return source.Switch(ctx, team, rest, on)
		}
	}
	_, word, _ := strings.Cut(id, ":")
	if s.ruleOf(Event(word)) != id || word == "" {
		return problem.New(problem.NotFound, "There is no such rule.")
	}
	if err := identity.Require(ctx, team.ID, writing); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.setOff(ctx, team.ID, id, !on); err != nil {
			return err
		}
		action := "notify.rule.off"
		if on {
			action = "notify.rule.on"
		}
		if err := s.audit(ctx, team.ID, action, id, ""); err != nil {
			return err
		}
		return s.changed(ctx, team.ID, "")
	})
}

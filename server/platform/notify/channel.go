package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/outbound"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Kind is the way a channel tells.
type Kind string

// The kinds; the words are stored.
const (
	Mail    Kind = "mail"
	Slack   Kind = "slack"   // an incoming webhook
	Webhook Kind = "webhook" // JSON, signed with HMAC SHA-256
	GitHub  Kind = "github"  // opens issues of a repository, and comments on those
)

const (
	maxRecipients = 20
	maxPipelines  = 100
)

// Channel is a way for a team to hear of events. Its address is not shown.
type Channel struct {
	ID   string `json:"id"`
	Team int64  `json:"-"`
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// Summary is what may be shown of where it leads: recipients, or a host.
	Summary string  `json:"summary"`
	Events  []Event `json:"events"`
	// Pipelines are the names it is limited to; none means all.
	Pipelines []string `json:"pipelines"`
	Enabled   bool     `json:"enabled"`
	// Manner is how often and when it tells.
	Manner    Manner     `json:"manner"`
	CreatedAt api.Millis `json:"created_at"`
	UpdatedAt api.Millis `json:"updated_at"`
	// Last is the newest delivery, absent before the first.
	Last *Delivery `json:"last,omitempty"`
}

// target is where a channel leads; it is stored sealed.
type target struct {
	Recipients []string `json:"recipients,omitempty"`
	URL        string   `json:"url,omitempty"`
	Secret     string   `json:"secret,omitempty"`
	// Repository is owner/name at GitHub.
	Repository string `json:"repository,omitempty"`
}

// Change is what may be set; nil leaves a field as it is.
type Change struct {
	Name       *string
	Recipients *[]string
	URL        *string
	Secret     *string
	Repository *string
	Events     *[]Event
	Pipelines  *[]string
	Enabled    *bool
	Manner     *Manner
}

var (
	reading = identity.Scope{Capability: "ci", Level: identity.Read}
	writing = identity.Scope{Capability: "ci", Level: identity.Write}
)

func (k Kind) validate() error {
	if k == Mail || k == Slack || k == Webhook || k == GitHub {
		return nil
	}
	return problem.FieldError("kind", "%q is none of mail, slack, webhook and github", string(k))
}

func validateName(name string) error {
	if strings.TrimSpace(name) == "" || len(name) > 100 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return problem.FieldError("name", "use 1 to 100 characters, none of them a control character")
	}
	return nil
}

// validateEvents lets only administrators ask for what concerns the whole installation;
// what was asked for before may stay.
func (s *Service) validateEvents(ctx context.Context, events, before []Event) error {
	for _, e := range events {
		i := slices.IndexFunc(s.Events, func(o Occasion) bool { return o.Event == e })
		if i < 0 {
			return problem.FieldError("events", "%q is none of %s", string(e), joined(s.events()))
		}
		if s.Events[i].Admin && !slices.Contains(before, e) && !identity.From(ctx).CanAdministrate() {
			return problem.FieldError("events", "%q is about the whole installation; an administrator may choose it", string(e))
		}
	}
	return nil
}

func joined(events []Event) string {
	words := make([]string, len(events))
	for i, e := range events {
		words[i] = string(e)
	}
	return strings.Join(words, ", ")
}

// validate checks what a kind needs, and says what may be shown of it.
func (t target) validate(kind Kind) (summary string, err error) {
	switch kind {
	case Mail:
		return validateRecipients(t.Recipients)
	case GitHub:
		if !repositoryName.MatchString(t.Repository) {
			return "", problem.FieldError("repository", "%q is no repository such as octo/shop", t.Repository)
		}
		return t.Repository, nil
	}
	u, err := outbound.CheckURL(t.URL)
	if err != nil {
		return "", problem.FieldError("url", "%s", problem.From(err).Detail)
	}
	if u.Fragment != "" {
		return "", problem.FieldError("url", "must have no fragment")
	}
	if kind == Webhook && len(t.Secret) < 16 {
		return "", problem.FieldError("secret", "must have at least 16 characters; leave it out to have one made")
	}
	return u.Scheme + "://" + u.Host, nil
}

func validateRecipients(list []string) (string, error) {
	if len(list) == 0 || len(list) > maxRecipients {
		return "", problem.FieldError("recipients", "name 1 to %d addresses", maxRecipients)
	}
	for _, r := range list {
		parsed, err := mail.ParseAddress(r)
		if err != nil || parsed.Address != strings.TrimSpace(r) {
			return "", problem.FieldError("recipients", "%q is not an address such as ann@example.com", r)
		}
	}
	return strings.Join(list, ", "), nil
}

// Create stores a channel of a team in which the caller may write. The secret of a
// webhook is made when none is given, and is returned this once.
func (s *Service) Create(ctx context.Context, team int64, kind Kind, change Change) (c Channel, secret string, err error) {
	if err := identity.Require(ctx, team, writing); err != nil {
		return Channel{}, "", err
	}
	if err := kind.validate(); err != nil {
		return Channel{}, "", err
	}
	if kind == Mail && s.SMTP.Host == "" {
		return Channel{}, "", problem.New(problem.Conflict, "This server sends no mail yet. An administrator sets smtp.host and smtp.from.")
	}
	if kind == GitHub {
		if err := s.connected(ctx, team); err != nil {
			return Channel{}, "", err
		}
	}
	if kind == Webhook && change.Secret == nil {
		secret = s.NewID() + s.NewID()
		change.Secret = &secret
	}
	now := s.millis()
	row := channelRow{ID: s.NewID(), TeamID: team, Kind: kind, Events: "[]", Pipelines: "[]", Manner: encode(Manner{}), Enabled: true, CreatedAt: now, UpdatedAt: now}
	if change.Name == nil {
		change.Name = new(string)
	}
	if change.Events == nil {
		usual := s.usualEvents()
		change.Events = &usual
	}
	if err := s.apply(ctx, &row, target{}, change); err != nil {
		return Channel{}, "", err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.insertChannel(ctx, row); err != nil {
			return err
		}
		return errors.Join(s.audit(ctx, team, "notify.channel.create", row.Name, string(kind)+" "+row.Summary), s.changed(ctx, team, row.ID))
	})
	return row.channel(), secret, err
}

// Change sets what change names.
func (s *Service) Change(ctx context.Context, id string, change Change) (Channel, error) {
	var row channelRow
	err := s.DB.Tx(ctx, func(ctx context.Context) (err error) {
		if row, err = s.channelFor(ctx, id, writing); err != nil {
			return err
		}
		was, err := s.open(row)
		if err != nil {
			return err
		}
		if err := s.apply(ctx, &row, was, change); err != nil {
			return err
		}
		if change.Repository != nil && was.Repository != row.Summary {
			// What it has opened lies in another repository.
			if err := s.forgetIssues(ctx, id); err != nil {
				return err
			}
		}
		if change.Manner != nil || change.Enabled != nil {
			if err := s.hasten(ctx, id); err != nil {
				return err
			}
		}
		row.UpdatedAt = max(s.millis(), row.UpdatedAt+1)
		if err := s.updateChannel(ctx, row); err != nil {
			return err
		}
		return errors.Join(s.audit(ctx, row.TeamID, "notify.channel.update", row.Name, ""), s.changed(ctx, row.TeamID, id))
	})
	return row.channel(), err
}

func (s *Service) apply(ctx context.Context, row *channelRow, t target, change Change) (err error) {
	if change.Name != nil {
		row.Name = *change.Name
	}
	if change.Enabled != nil {
		row.Enabled = *change.Enabled
	}
	if change.Events != nil {
		if err := s.validateEvents(ctx, *change.Events, row.channel().Events); err != nil {
			return err
		}
		row.Events = encode(*change.Events)
	}
	if change.Pipelines != nil {
		if len(*change.Pipelines) > maxPipelines {
			return problem.FieldError("pipelines", "name at most %d", maxPipelines)
		}
		row.Pipelines = encode(append([]string{}, *change.Pipelines...))
	}
	if change.Manner != nil {
		if err := change.Manner.check(s.passing()); err != nil {
			return err
		}
		row.Manner = encode(*change.Manner)
	}
	if change.Repository != nil {
		t.Repository = strings.TrimSpace(*change.Repository)
	}
	if change.Recipients != nil {
		t.Recipients = *change.Recipients
	}
	if change.URL != nil {
		t.URL = strings.TrimSpace(*change.URL)
	}
	if change.Secret != nil {
		t.Secret = *change.Secret
	}
	if err := validateName(row.Name); err != nil {
		return err
	}
	if row.Summary, err = t.validate(row.Kind); err != nil {
		return err
	}
	row.Target = s.Box.Seal(channelTable, row.ID, []byte(encode(t)))
	return nil
}

// Delete removes a channel with its history; what still waits to be sent is not.
func (s *Service) Delete(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		row, err := s.channelFor(ctx, id, writing)
		if err != nil {
			return err
		}
		if err := s.removeChannel(ctx, id); err != nil {
			return err
		}
		return errors.Join(s.audit(ctx, row.TeamID, "notify.channel.delete", row.Name, ""), s.changed(ctx, row.TeamID, id))
	})
}

func (s *Service) channelFor(ctx context.Context, id string, scope identity.Scope) (channelRow, error) {
	row, err := s.findChannel(ctx, id)
	if err == nil {
		err = identity.Require(ctx, row.TeamID, scope)
	}
	return row, err
}

func (s *Service) open(row channelRow) (t target, err error) {
	plain, err := s.Box.Open(channelTable, row.ID, row.Target)
	if err != nil {
		return t, fmt.Errorf("channel %s: %w", row.Name, err)
	}
	return t, json.Unmarshal(plain, &t)
}

// hide takes the address out of a text: all of it is a secret in Slack's case.
func (t target) hide(text string) string {
	if t.URL == "" {
		return text
	}
	text = strings.ReplaceAll(text, t.URL, "the address")
	if u, err := url.Parse(t.URL); err == nil && len(u.RequestURI()) > 4 {
		text = strings.ReplaceAll(text, u.RequestURI(), "/…")
	}
	return text
}

func encode(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // only for what JSON cannot say, and ours are strings
	}
	return string(raw)
}

package issues

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/signalbox/signalbox/server/issues/scrub"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Scrubbing is what a project takes out of events before anything of them is stored.
type Scrubbing struct {
	Rules []scrub.Rule `json:"rules"`
	// Safe are keys and paths that no rule touches.
	Safe []string `json:"safe"`
	// Defaults are the built-in rules: passwords, tokens, cookies, card numbers, keys.
	Defaults bool `json:"defaults"`
	// IP says what becomes of users' addresses.
	IP scrub.IPMode `json:"ip"`
}

// storedScrubbing turns the defaults' switch round, so that {} means the standard.
type storedScrubbing struct {
	Rules      []scrub.Rule `json:"rules,omitempty"`
	Safe       []string     `json:"safe,omitempty"`
	NoDefaults bool         `json:"no_defaults,omitempty"`
	IP         scrub.IPMode `json:"ip,omitempty"`
}

func (c Scrubbing) text() string {
	return settings(storedScrubbing{c.Rules, c.Safe, !c.Defaults, c.IP})
}

func parseScrubbing(text string) (Scrubbing, error) {
	var st storedScrubbing
	if err := json.Unmarshal([]byte(text), &st); err != nil {
		return Scrubbing{}, fmt.Errorf("read rules of privacy: %w", err)
	}
	return Scrubbing{st.Rules, st.Safe, !st.NoDefaults, st.IP}.complete(), nil
}

// complete puts empty lists and words where nothing was said.
func (c Scrubbing) complete() Scrubbing {
	if c.Rules == nil {
		c.Rules = []scrub.Rule{}
	}
	if c.Safe == nil {
		c.Safe = []string{}
	}
	c.IP = cmp.Or(c.IP, scrub.KeepIP)
	return c
}

// scrubber prepares the rules; the error is a sentence for a person.
func (c Scrubbing) scrubber(salt string) (*scrub.Scrubber, error) {
	return scrub.New(scrub.Rules{NoDefaults: !c.Defaults, Own: c.Rules, Safe: c.Safe, IP: c.IP, Salt: salt})
}

// scrubber is what cleans a project's events. Without its rules nothing is
// stored: the item waits.
func (s *Service) scrubber(ctx context.Context, project int64) (*scrub.Scrubber, error) {
	p, err := s.openProject(ctx, project)
	if err != nil {
		return nil, problem.Wrap(err, problem.Unavailable, "The project's rules of privacy could not be read.")
	}
	if p == nil {
		return nil, problem.New(problem.NotFound, "There is no such project.")
	}
	return p.clean, nil
}

// Scrubbing gives a project's rules of privacy.
func (s *Service) Scrubbing(ctx context.Context, project int64) (Scrubbing, error) {
	p, err := s.ReadableProject(ctx, project)
	return p.Scrubbing, err
}

// SetScrubbing replaces a project's rules. They hold for what is digested from
// now on; what is stored stays as it is.
func (s *Service) SetScrubbing(ctx context.Context, project int64, c Scrubbing) (Scrubbing, error) {
	c = c.complete()
	p, err := s.ChangeProject(ctx, project, func(p *Project) {
		p.Scrubbing = c
		p.salt = cmp.Or(p.salt, s.NewID())
	})
	return p.Scrubbing, err
}

// ScrubbingPreview shows what rules would do to an event.
type ScrubbingPreview struct {
	EventID string `json:"event_id"`
	// Before is the event as it is stored, After as it would be.
	Before  map[string]any `json:"before"`
	After   map[string]any `json:"after"`
	Changed []scrub.Path   `json:"changed"`
}

// PreviewScrubbing applies rules to a stored event of the project, the latest
// when eventID is empty, and stores nothing.
func (s *Service) PreviewScrubbing(ctx context.Context, project int64, c Scrubbing, eventID string) (ScrubbingPreview, error) {
	var out ScrubbingPreview
	p, err := s.writableProject(ctx, project)
	if err != nil {
		return out, err
	}
	clean, err := c.complete().scrubber(cmp.Or(p.salt, "preview"))
	if err != nil {
		return out, problem.New(problem.Invalid, "%s", err)
	}
	row, err := s.rows().eventOfProject(ctx, project, plainID(eventID))
	if err != nil {
		return out, err
	}
	out.EventID = row.EventID
	for _, into := range []*map[string]any{&out.Before, &out.After} {
		raw, err := unpacker().DecodeAll(row.Body, nil)
		if err == nil {
			err = json.Unmarshal(raw, into)
		}
		if err != nil {
			return out, fmt.Errorf("read a stored event: %w", err)
		}
	}
	out.Changed = clean.Event(out.After)
	if out.Changed == nil {
		out.Changed = []scrub.Path{}
	}
	return out, nil
}

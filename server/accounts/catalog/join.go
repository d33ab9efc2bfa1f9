package catalog

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/thread"
)

// ask asks every source that the caller may read in the team, all at once. A source
// that fails is named and does not keep the others' answers back.
func ask[T any](ctx context.Context, c *Catalog, team identity.Team, one func(context.Context, thread.Source) ([]T, error)) (all []T, missing []string) {
	caller := identity.From(ctx)
	all, missing = []T{}, []string{}
	var (
		wait sync.WaitGroup
		mu   sync.Mutex
	)
	for _, s := range c.Sources {
		if !caller.Can(team.ID, identity.Scope{Capability: s.Capability, Level: identity.Read}) {
			continue
		}
		wait.Go(func() {
			got, err := one(ctx, s)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, got...)
			if err != nil {
				c.noteFailure(s.Capability, team, err)
				missing = append(missing, s.Capability)
			}
		})
	}
	wait.Wait()
	slices.Sort(missing)
	return all, slices.Compact(missing)
}

const (
	// maxEvents is how much a timeline shows, maxSpan how far it reaches.
	maxEvents = 500
	maxSpan   = 31 * 24 * time.Hour
	// maxHits is what a search gives of each capability.
	maxHits = 8
)

// Timeline is what happened, newest first.
type Timeline struct {
	From   time.Time      `json:"from"`
	To     time.Time      `json:"to"`
	Events []thread.Event `json:"events"`
	// Cut is true when older events of the span are left off.
	Cut bool `json:"cut"`
	// Missing are capabilities that could not be asked.
	Missing []string `json:"missing"`
}

// Only narrows a timeline: to one service, to capabilities; empty is all.
type Only struct {
	Service      string
	Capabilities []string
}

// Timeline tells what happened between two instants.
func (c *Catalog) Timeline(ctx context.Context, team identity.Team, from, to time.Time, only Only) (Timeline, error) {
	if !from.Before(to) {
		return Timeline{}, problem.FieldError("from", "must be before to")
	}
	if to.Sub(from) > maxSpan {
		return Timeline{}, problem.FieldError("from", "is more than 31 days before to; ask for less at once")
	}
	keep := func(thread.Event) bool { return true }
	for _, name := range only.Capabilities {
		if !slices.Contains(identity.Capabilities, name) {
			return Timeline{}, problem.FieldError("capability", "%.40q is none of %s", name, strings.Join(identity.Capabilities, ", "))
		}
	}
	if only.Service != "" {
		s, err := c.service(ctx, team, only.Service)
		if err != nil {
			return Timeline{}, err
		}
		keep = s.has
	}
	span := thread.Span{Team: team, From: from, To: to, Limit: maxEvents + 1}
	events, missing := ask(ctx, c, team, func(ctx context.Context, s thread.Source) ([]thread.Event, error) {
		if s.Happened == nil || len(only.Capabilities) > 0 && !slices.Contains(only.Capabilities, s.Capability) {
			return nil, nil
		}
		return s.Happened(ctx, span)
	})
	cut := len(events) > maxEvents
	events = slices.DeleteFunc(events, func(e thread.Event) bool { return !keep(e) })
	return Timeline{From: from.UTC(), To: to.UTC(), Events: thread.Newest(events, maxEvents), Cut: cut, Missing: missing}, nil
}

func (c *Catalog) service(ctx context.Context, team identity.Team, name string) (Service, error) {
	all, err := c.store.services(ctx, team.ID)
	if err != nil {
		return Service{}, err
	}
	i := slices.IndexFunc(all, func(s Service) bool { return s.Name == name })
	if i < 0 {
		return Service{}, problem.New(problem.NotFound, "There is no service %.80q.", name)
	}
	return all[i], nil
}

// has tells whether an event is one of the service's. What happens to nodes belongs to it by the
// bundle: that carries the service's package.
func (s Service) has(e thread.Event) bool {
	same := func(tie, ref string) bool { return tie != "" && tie == ref }
	job := s.Job == "" || e.Job == "" || s.Job == e.Job
	return same(s.Repository, e.Repository) && e.Pipeline == "" || same(s.Pipeline, e.Pipeline) && job || same(s.Project, e.Project) ||
		s.Package != "" && slices.Contains(e.Packages, s.Package)
}

// Search finds things of every capability by name, those first whose name begins with the text.
func (c *Catalog) Search(ctx context.Context, team identity.Team, text string) (hits []thread.Hit, missing []string, err error) {
	text = strings.TrimSpace(text)
	if len(text) < 2 {
		return []thread.Hit{}, []string{}, nil
	}
	if len(text) > 200 {
		return nil, nil, problem.FieldError("q", "is longer than 200 characters")
	}
	hits, missing = ask(ctx, c, team, func(ctx context.Context, s thread.Source) ([]thread.Hit, error) {
		if s.Find == nil {
			return nil, nil
		}
		return s.Find(ctx, team, text, maxHits)
	})
	others, err := c.others(ctx, team, text)
	hits = append(hits, others...)
	rank := func(h thread.Hit) int {
		title := strings.ToLower(h.Title)
		if h.Kind == manual {
			return 4 // it tells how, and is not the thing
		}
		switch low := strings.ToLower(text); {
		case title == low:
			return 0
		case strings.HasPrefix(title, low):
			return 1
		case strings.Contains(title, low):
			return 2
		}
		return 3
	}
	slices.SortStableFunc(hits, func(a, b thread.Hit) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Capability, b.Capability))
	})
	return hits, missing, err
}

// manual is the kind of hits that are pages of the manual.
const manual = "manual"

// Home is what waits for a person and what happened lately.
type Home struct {
	Needs   []thread.Need  `json:"needs"`
	Recent  []thread.Event `json:"recent"`
	Missing []string       `json:"missing"`
}

// Home gives what needs the caller first, then what needs anybody; and the last day.
func (c *Catalog) Home(ctx context.Context, team identity.Team) (Home, error) {
	needs, missing := ask(ctx, c, team, func(ctx context.Context, s thread.Source) ([]thread.Need, error) {
		if s.Needs == nil {
			return nil, nil
		}
		return s.Needs(ctx, team)
	})
	services, err := c.store.services(ctx, team.ID)
	if err != nil {
		return Home{}, err
	}
	me := identity.From(ctx).Name
	for i, n := range needs {
		owned := func(s Service) bool {
			return slices.Contains(s.Owners, me) && (s.Pipeline != "" && s.Pipeline == n.Pipeline && (s.Job == "" || s.Job == n.Job) || s.Project != "" && s.Project == n.Project)
		}
		needs[i].Mine = n.Mine || slices.ContainsFunc(services, owned)
	}
	mine := func(n thread.Need) int {
		if n.Mine {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(needs, func(a, b thread.Need) int {
		return cmp.Or(cmp.Compare(mine(a), mine(b)), b.Since.Compare(a.Since), cmp.Compare(a.Title, b.Title))
	})
	now := c.Now()
	recent, err := c.Timeline(ctx, team, now.Add(-24*time.Hour), now.Add(time.Minute), Only{})
	if err != nil {
		return Home{}, err
	}
	missing = append(missing, recent.Missing...)
	slices.Sort(missing)
	return Home{Needs: needs, Recent: recent.Events[:min(30, len(recent.Events))], Missing: slices.Compact(missing)}, nil
}

// noteFailure logs that a capability did not answer, unless the asker has gone meanwhile.
func (c *Catalog) noteFailure(capability string, team identity.Team, err error) {
	if !errors.Is(err, context.Canceled) {
		c.Log.Error("asking a capability failed", "capability", capability, "team", team.Name, "error", err)
	}
}

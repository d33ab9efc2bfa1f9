package edge

import (
	"cmp"
	"context"
	"time"

	"github.com/signalbox/signalbox/server/edge/policy"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Site is a place that nodes are at. One that a node names is there even if
// nobody has described it.
type Site struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	// KBps caps what all its nodes fetch together; 0 is what the configuration says.
	KBps int64 `json:"kbps"`
	// Hours are when its nodes may fetch, as 20:00-06:00 in Timezone; empty is always.
	Hours    string `json:"hours"`
	Timezone string `json:"timezone"`
	Nodes    int64  `json:"nodes"`
	Offline  int64  `json:"offline"`
}

const maxKBps = 100 << 20

// SetSite describes a place.
func (s *Service) SetSite(ctx context.Context, team int64, site Site) error {
	if err := identity.Require(ctx, team, writing); err != nil {
		return err
	}
	if err := validateSite(site.Name); err != nil || site.Name == "" {
		return problem.FieldError("name", "give at most 64 letters, digits, dots, dashes or underscores")
	}
	switch {
	case !printable(site.Description, 200):
		return problem.FieldError("description", "is longer than 200 bytes or has control characters")
	case site.KBps < 0 || site.KBps > maxKBps:
		return problem.FieldError("kbps", "give 0 to %d", maxKBps)
	}
	if _, err := site.opening(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.rows().setSite(ctx, team, site); err != nil {
			return err
		}
		if err := s.reorder(ctx, team); err != nil {
			return err
		}
		if err := s.publish(ctx, team, "edge.sites", site.Name); err != nil {
			return err
		}
		return s.audit(ctx, team, "edge.site.change", site.Name, text(map[string]any{"kbps": site.KBps, "hours": site.Hours, "timezone": site.Timezone}))
	})
}

// DeleteSite forgets the description and the cap; nodes stay where they are.
func (s *Service) DeleteSite(ctx context.Context, team int64, name string) error {
	if err := identity.Require(ctx, team, writing); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.rows().removeSite(ctx, team, name); err != nil {
			return err
		}
		if err := s.reorder(ctx, team); err != nil {
			return err
		}
		if err := s.publish(ctx, team, "edge.sites", name); err != nil {
			return err
		}
		return s.audit(ctx, team, "edge.site.delete", name, "")
	})
}

// opening is a site's hours, read; nil where it has none.
type opening struct {
	window policy.Window
	zone   *time.Location
}

func (s *Site) opening() (*opening, error) {
	loc, err := time.LoadLocation(cmp.Or(s.Timezone, "UTC"))
	if err != nil || s.Timezone == "Local" {
		return nil, problem.FieldError("timezone", "there is no time zone %.60q; give one such as Europe/Oslo", s.Timezone)
	}
	if s.Hours == "" {
		return nil, nil
	}
	window, err := policy.ParseHours(s.Hours)
	if err != nil {
		return nil, problem.FieldError("hours", "%v", err)
	}
	return &opening{window, loc}, nil
}

// openings are those of a team's sites that have hours.
func (s *Service) openings(ctx context.Context, team int64) (map[string]*opening, error) {
	list, err := s.rows().siteHours(ctx, team)
	if err != nil {
		return nil, err
	}
	out := map[string]*opening{}
	for _, site := range list {
		if o, err := site.opening(); err == nil && o != nil { // checked when it was set
			out[site.Name] = o
		}
	}
	return out, nil
}

// reorder has nodes hear at their next check-in what changed for a team's rollouts.
func (s *Service) reorder(ctx context.Context, team int64) error {
	if err := s.rows().reorder(ctx, team, s.millis()); err != nil {
		return err
	}
	return s.ordersChanged(ctx)
}

// siteRate is a site's cap in kilobytes a second, 0 when it has none of its own.
func (s *Service) siteRate(ctx context.Context, team int64, name string) (int64, error) {
	if name == "" {
		return 0, nil
	}
	return s.rows().siteRate(ctx, team, name)
}

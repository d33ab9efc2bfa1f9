package edge

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Site is a place that nodes are at. One that a node names is there even if
// nobody has described it.
type Site struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	// KBps caps what all its nodes fetch together; 0 is what the configuration says.
	KBps    int64 `json:"kbps"`
	Nodes   int64 `json:"nodes"`
	Offline int64 `json:"offline"`
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
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.rows().setSite(ctx, team, site); err != nil {
			return err
		}
		if err := s.publish(ctx, team, "edge.sites", site.Name); err != nil {
			return err
		}
		return s.audit(ctx, team, "edge.site.change", site.Name, text(map[string]any{"kbps": site.KBps}))
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
		if err := s.publish(ctx, team, "edge.sites", name); err != nil {
			return err
		}
		return s.audit(ctx, team, "edge.site.delete", name, "")
	})
}

// siteRate is a site's cap in kilobytes a second, 0 when it has none of its own.
func (s *Service) siteRate(ctx context.Context, team int64, name string) (int64, error) {
	if name == "" {
		return 0, nil
	}
	return s.rows().siteRate(ctx, team, name)
}

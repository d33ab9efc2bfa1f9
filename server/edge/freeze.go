package edge

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/edge/policy"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Freeze is a stretch in which a team installs nothing, whatever its policies say,
// but what mends something as severe as it allows.
type Freeze struct {
	ID        string     `json:"id"`
	From      api.Millis `json:"from"`
	To        api.Millis `json:"to"`
	Reason    string     `json:"reason"`
	Allow     []string   `json:"allow"`
	CreatedBy string     `json:"created_by"`
	CreatedAt api.Millis `json:"created_at"`
}

const (
	freezesTopic = "edge.freezes"
	maxFreezes   = 200
	longFreeze   = 366 * 24 * time.Hour
)

// allows are the severities that the freeze lets through.
func (f *freezeRow) allows() []string {
	var list []string
	if json.Unmarshal([]byte(f.Allow), &list) != nil {
		return nil // written by us
	}
	return list
}

func (f *freezeRow) freeze() Freeze {
	return Freeze{f.ID, api.Millis(f.FromAt), api.Millis(f.ToAt), f.Reason, append([]string{}, f.allows()...), f.CreatedBy, api.Millis(f.CreatedAt)}
}

// Freezes are those of a team that are not over.
func (s *Service) Freezes(ctx context.Context, team int64) ([]Freeze, error) {
	if err := identity.Require(ctx, team, reading); err != nil {
		return nil, err
	}
	list, err := s.rows().freezes(ctx, team, s.millis())
	out := make([]Freeze, len(list))
	for i := range list {
		out[i] = list[i].freeze()
	}
	return out, err
}

// complete checks what people say of a freeze.
func (s *Service) completeFreeze(f *Freeze) (err error) {
	if f.Reason, err = checkReason(f.Reason, true); err != nil {
		return err
	}
	switch {
	case f.From == 0 || f.To <= f.From || time.Duration(f.To-f.From)*time.Millisecond > longFreeze:
		return problem.FieldError("to", "must be after from, by a year at most")
	case int64(f.To) <= s.millis():
		return problem.FieldError("to", "is over already")
	case slices.ContainsFunc(f.Allow, func(word string) bool { return !slices.Contains(policy.Severities, word) }):
		return problem.FieldError("allow", "severities are critical, high, medium and low")
	}
	return nil
}

// CreateFreeze adds a stretch. Nodes hear of it at their next check-in; one that is
// offline keeps the windows it has.
func (s *Service) CreateFreeze(ctx context.Context, team int64, f Freeze) (Freeze, error) {
	if err := identity.Require(ctx, team, writing); err != nil {
		return f, err
	}
	if err := s.completeFreeze(&f); err != nil {
		return f, err
	}
	row := freezeRow{ID: s.NewID(), TeamID: team, Reason: f.Reason, FromAt: int64(f.From), ToAt: int64(f.To), Allow: text(append([]string{}, f.Allow...)),
		CreatedBy: identity.From(ctx).Name, CreatedAt: s.millis()}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		list, err := s.rows().freezes(ctx, team, s.millis())
		if err != nil {
			return err
		}
		if len(list) >= maxFreezes {
			return problem.New(problem.Conflict, "The team has %d freezes, which is the most.", maxFreezes)
		}
		if err := s.rows().insertFreeze(ctx, row); err != nil {
			return err
		}
		return s.freezesChanged(ctx, row, "edge.freeze.create")
	})
	return row.freeze(), err
}

// ChangeFreeze moves a stretch, or says other reasons.
func (s *Service) ChangeFreeze(ctx context.Context, id string, f Freeze) (Freeze, error) {
	var row freezeRow
	err := s.DB.Tx(ctx, func(ctx context.Context) (err error) {
		if row, err = s.rows().freeze(ctx, id); err != nil {
			return err
		}
		if err := identity.Require(ctx, row.TeamID, writing); err != nil {
			return err
		}
		if err := s.completeFreeze(&f); err != nil {
			return err
		}
		row.Reason, row.FromAt, row.ToAt, row.Allow = f.Reason, int64(f.From), int64(f.To), text(append([]string{}, f.Allow...))
		if err := s.rows().setFreeze(ctx, row); err != nil {
			return err
		}
		return s.freezesChanged(ctx, row, "edge.freeze.change")
	})
	return row.freeze(), err
}

// DeleteFreeze lets things go on.
func (s *Service) DeleteFreeze(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		row, err := s.rows().freeze(ctx, id)
		if err != nil {
			return err
		}
		if err := identity.Require(ctx, row.TeamID, writing); err != nil {
			return err
		}
		if err := s.rows().deleteFreeze(ctx, id); err != nil {
			return err
		}
		return s.freezesChanged(ctx, row, "edge.freeze.delete")
	})
}

func (s *Service) freezesChanged(ctx context.Context, row freezeRow, action string) error {
	if err := s.publish(ctx, row.TeamID, freezesTopic, row.ID); err != nil {
		return err
	}
	if err := s.reorder(ctx, row.TeamID); err != nil {
		return err
	}
	return s.audit(ctx, row.TeamID, action, row.Reason, "")
}

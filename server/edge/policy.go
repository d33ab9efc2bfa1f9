package edge

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/edge/policy"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Policy is a PatchPolicy as it is kept: its text, and where that came from.
type Policy struct {
	policyRow
	Parsed   policy.Policy
	Findings policy.Findings
}

const policiesTopic = "edge.policies"

// maxPolicies of a team; each is looked at when a bundle is published.
const maxPolicies = 500

// maxReason bounds what people write beside a change.
const maxReason = 1000

// readPolicy refuses a text that is no policy, with every mistake in it.
func readPolicy(body string) (policy.Policy, policy.Findings, error) {
	parsed, found := policy.Parse([]byte(body))
	var fields []problem.Field
	for _, f := range found {
		if !f.Warning {
			fields = append(fields, problem.Field{Field: "text", Message: f.String()})
		}
	}
	return parsed, found, problem.FieldErrors(fields)
}

func policyOf(row policyRow) Policy {
	p := Policy{policyRow: row}
	p.Parsed, p.Findings = policy.Parse([]byte(row.Body))
	return p
}

func checkReason(reason string, needed bool) (string, error) {
	reason = strings.TrimSpace(reason)
	if len(reason) > maxReason || needed && reason == "" {
		return "", problem.FieldError("reason", "say why, in at most %d characters", maxReason)
	}
	return reason, nil
}

// Policies are a team's by name.
func (s *Service) Policies(ctx context.Context, team int64) ([]Policy, error) {
	if err := identity.Require(ctx, team, reading); err != nil {
		return nil, err
	}
	list, err := s.rows().policies(ctx, team)
	out := make([]Policy, len(list))
	for i, row := range list {
		out[i] = policyOf(row)
	}
	return out, err
}

// Policy is one by its id.
func (s *Service) Policy(ctx context.Context, id string) (Policy, error) {
	row, err := s.rows().policy(ctx, id)
	if err != nil {
		return Policy{}, err
	}
	return policyOf(row), identity.Require(ctx, row.TeamID, reading)
}

// CreatePolicy keeps a new one; nothing is rolled out by that.
func (s *Service) CreatePolicy(ctx context.Context, team int64, body, reason string) (Policy, error) {
	if err := identity.Require(ctx, team, writing); err != nil {
		return Policy{}, err
	}
	reason, err := checkReason(reason, false)
	if err != nil {
		return Policy{}, err
	}
	parsed, _, err := readPolicy(body)
	if err != nil {
		return Policy{}, err
	}
	row := policyRow{TeamID: team, Name: parsed.Metadata.Name, Body: body}
	err = s.DB.Tx(ctx, func(ctx context.Context) error { row, err = s.insertPolicy(ctx, row, reason); return err })
	return policyOf(row), err
}

// insertPolicy keeps a new policy in the context's transaction, in the caller's name.
func (s *Service) insertPolicy(ctx context.Context, row policyRow, reason string) (policyRow, error) {
	list, err := s.rows().policies(ctx, row.TeamID)
	if err != nil {
		return row, err
	}
	if len(list) >= maxPolicies {
		return row, problem.New(problem.Conflict, "The team has %d policies, which is the most.", maxPolicies)
	}
	who := identity.From(ctx).Name
	row.ID, row.Revision = s.NewID(), 1
	row.CreatedBy, row.CreatedAt, row.ChangedBy, row.ChangedAt = who, s.millis(), who, s.millis()
	if err := s.rows().insertPolicy(ctx, row, reason); err != nil {
		if database.IsDuplicate(err) {
			return row, problem.New(problem.Conflict, "The team has a policy %s already.", row.Name)
		}
		return row, err
	}
	return row, s.policyChanged(ctx, row, "edge.policy.create", reason)
}

func (s *Service) policyChanged(ctx context.Context, row policyRow, action, detail string) error {
	if err := s.publish(ctx, row.TeamID, policiesTopic, row.ID); err != nil {
		return err
	}
	return s.audit(ctx, row.TeamID, action, row.Name, detail)
}

// ChangePolicy gives a policy a new text. Rollouts that are under way keep the old one.
func (s *Service) ChangePolicy(ctx context.Context, id, body string, revision int64, reason string) (Policy, error) {
	reason, err := checkReason(reason, false)
	if err != nil {
		return Policy{}, err
	}
	var row policyRow
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if row, err = s.writablePolicy(ctx, id); err != nil {
			return err
		}
		if row.SourceID != "" {
			return problem.New(problem.Conflict, "The policy comes from a repository. Change %s there.", row.Path)
		}
		if revision != row.Revision {
			return problem.New(problem.Conflict, "The policy has been changed to revision %d by %s in between.", row.Revision, row.ChangedBy)
		}
		parsed, _, err := readPolicy(body)
		if err != nil {
			return err
		}
		if parsed.Metadata.Name != row.Name {
			return problem.FieldError("text", "the policy is called %s; make another one for another name", row.Name)
		}
		row.Body = body
		row, err = s.revise(ctx, row, reason)
		return err
	})
	return policyOf(row), err
}

func (s *Service) writablePolicy(ctx context.Context, id string) (policyRow, error) {
	row, err := s.rows().policy(ctx, id)
	if err != nil {
		return row, err
	}
	if err := identity.Require(ctx, row.TeamID, reading); err != nil {
		return row, err
	}
	return row, identity.Require(ctx, row.TeamID, writing)
}

// revise writes the row's text as the next revision, in the caller's name.
func (s *Service) revise(ctx context.Context, row policyRow, reason string) (policyRow, error) {
	row.Revision++
	row.ChangedBy, row.ChangedAt = identity.From(ctx).Name, s.millis()
	written, err := s.rows().setPolicy(ctx, row, reason)
	if err != nil {
		return row, err
	}
	if !written {
		return row, problem.New(problem.Conflict, "The policy has been changed in between.")
	}
	detail := fmt.Sprintf("revision %d", row.Revision)
	if reason != "" {
		detail += ": " + reason
	}
	return row, s.policyChanged(ctx, row, "edge.policy.change", detail)
}

// DeletePolicy removes a policy that is in no rollout; those that are over stay.
func (s *Service) DeletePolicy(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		row, err := s.writablePolicy(ctx, id)
		if err != nil {
			return err
		}
		if row.SourceID != "" {
			return problem.New(problem.Conflict, "The policy comes from a repository. Delete %s there.", row.Path)
		}
		if active, found, err := s.rows().activeOf(ctx, id); err != nil {
			return err
		} else if found {
			return problem.New(problem.Conflict, "Rollout %d of the policy is not over. Abort it first.", active.Number)
		}
		if err := s.rows().deletePolicy(ctx, id); err != nil {
			return err
		}
		return s.policyChanged(ctx, row, "edge.policy.delete", "")
	})
}

// PolicyRevisions are the last hundred, the newest first.
func (s *Service) PolicyRevisions(ctx context.Context, id string) ([]revisionRow, error) {
	if _, err := s.Policy(ctx, id); err != nil {
		return nil, err
	}
	return s.rows().revisions(ctx, id, 100)
}

// shownWindows is how many windows pages and nodes are told of.
const shownWindows = 8

// windowsOf gives the next windows of a policy for people: in its zone, or in UTC
// where each node has its own.
func (s *Service) windowsOf(ctx context.Context, team int64, p policy.Policy, severities []string) ([]policy.Interval, error) {
	frozen, err := s.frozen(ctx, team, severities)
	if err != nil {
		return nil, err
	}
	return windowsAt(p, zoneOf(p, "UTC"), s.Now(), shownWindows, frozen, severities), nil
}

// zoneOf is the policy's zone; for nodes' own zones that of the node.
func zoneOf(p policy.Policy, node string) *time.Location {
	loc, err := p.Spec.Schedule.Location(node)
	if err != nil {
		return time.UTC // nodes without a zone take no part
	}
	return loc
}

func windowsAt(p policy.Policy, loc *time.Location, now time.Time, n int, frozen []policy.Interval, severities []string) []policy.Interval {
	holes := append(p.Spec.Schedule.Frozen(loc, severities), frozen...)
	if p.Spec.Schedule.MaintenanceWindow == "" && len(holes) == 0 && p.Spec.Schedule.Deadline.IsZero() {
		return nil
	}
	list := p.Spec.Schedule.Windows(loc, now, n, holes, p.Spec.Install.Timeout.Go())
	if list == nil {
		list = []policy.Interval{}
	}
	return list
}

// frozen gives a team's freezes that forbid a bundle which mends such things.
func (s *Service) frozen(ctx context.Context, team int64, severities []string) ([]policy.Interval, error) {
	list, err := s.rows().freezes(ctx, team, s.Now().Add(-60*24*time.Hour).UnixMilli())
	var out []policy.Interval
	for _, f := range list {
		if !policy.Allows(f.allows(), severities) {
			out = append(out, policy.Interval{From: time.UnixMilli(f.FromAt).UTC(), To: time.UnixMilli(f.ToAt).UTC()})
		}
	}
	return out, err
}

// instant shows a time of day to pages.
func instant(t time.Time) api.Millis {
	if t.IsZero() {
		return 0
	}
	return api.Millis(t.UnixMilli())
}

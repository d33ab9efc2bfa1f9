package edge

import (
	"context"
	"fmt"

	"github.com/signalbox/signalbox/server/edge/rollout"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// registerRolloutTools adds what machines may do with rollouts.
func (s *Service) registerRolloutTools(r *tools.Registry) error {
	const which = "rollout is its id, or its number with the team. "
	return r.Register(
		tools.New(tools.Spec{Name: "edge_rollouts_list", Title: "List rollouts", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Rollouts of a team's patch policies, the newest first, with how many nodes are in each state. Failed, rolled-back, quarantined and silent are failures; away, deferred and waiting are none."}, s.toolRollouts),
		tools.New(tools.Spec{Name: "edge_rollout_get", Title: "Look at a rollout", Class: tools.ReadOnly, Level: identity.Read,
			Description: "One rollout: its state and why, what it waits for, its batches, the nodes that failed with their exit codes, and who changed what and why. " + which}, s.toolRollout),
		tools.New(tools.Spec{Name: "edge_patch_status", Title: "Say how patching goes", Class: tools.ReadOnly, Level: identity.Read,
			Description: "How patching stands in a team: rollouts under way, what each waits for, how many nodes are done, failed or away, policies that wait for a bundle, and freezes."}, s.toolPatchStatus),
		tools.New(tools.Spec{Name: "edge_rollout_start", Title: "Start a rollout", Class: tools.Write, Level: identity.Write,
			Description: "Roll a patch policy out as it stands now, or ask for approval where it wants one. policy is its name. With dry_run nothing begins: it says who would take part, who would be skipped and why."}, s.toolStartRollout),
		tools.New(tools.Spec{Name: "edge_rollout_pause", Title: "Pause a rollout", Class: tools.Write, Level: identity.Write,
			Description: "Release no more nodes until somebody resumes it; what installs ends. A reason is needed. " + which}, s.toolChange(s.PauseRollout)),
		tools.New(tools.Spec{Name: "edge_rollout_resume", Title: "Resume a rollout", Class: tools.Write, Level: identity.Write,
			Description: "Let a paused rollout go on; the failures so far pause it no more. " + which}, s.toolChange(s.ResumeRollout)),
		tools.New(tools.Spec{Name: "edge_rollout_abort", Title: "Abort a rollout", Class: tools.Destructive, Level: identity.Write,
			Description: "End a rollout where it stands: nodes that have the bundle keep it, the others do not get it. It cannot be resumed. A reason is needed. " + which}, s.toolChange(s.AbortRollout)),
	)
}

type toolRolloutsIn struct {
	Team  string `json:"team"`
	State string `json:"state,omitempty" enum:"awaiting-approval,running,paused,rolling-back,completed,aborted,expired,rolled-back"`
	Limit int    `json:"limit,omitempty"`
}

// toolRollout is a rollout for whoever does not look at pages.
type toolRollout struct {
	ID        string         `json:"id"`
	Number    int64          `json:"number"`
	Policy    string         `json:"policy"`
	Bundle    string         `json:"bundle"`
	State     string         `json:"state"`
	Reason    string         `json:"reason"`
	Waits     string         `json:"waits"`
	Batches   string         `json:"batches"`
	Nodes     map[string]int `json:"nodes"`
	Total     int            `json:"total"`
	Failures  int            `json:"failures"`
	CreatedBy string         `json:"created_by"`
	CreatedAt string         `json:"created_at"`
}

func rolloutForTool(i rolloutItem) toolRollout {
	out := toolRollout{ID: i.ID, Number: i.Number, Policy: i.Policy, Bundle: i.Bundle, State: string(i.State), Reason: i.Reason, Waits: i.Waits, Batches: fmt.Sprintf("%d of %d begun", i.Batch+1, i.Batches),
		Nodes: map[string]int{}, Total: i.Total, Failures: i.Failures, CreatedBy: i.CreatedBy, CreatedAt: rfc3339(i.CreatedAt)}
	for state, n := range i.Counts {
		out.Nodes[string(state)] = n
	}
	return out
}

type toolRolloutsOut struct {
	Rollouts []toolRollout `json:"rollouts"`
}

func (s *Service) toolRollouts(ctx context.Context, in toolRolloutsIn) (toolRolloutsOut, error) {
	limit := 20
	if in.Limit > 0 {
		limit = min(in.Limit, 100)
	}
	out := toolRolloutsOut{Rollouts: []toolRollout{}}
	list, err := s.httpRollouts(ctx, rolloutsIn{Team: in.Team, State: in.State, Limit: limit})
	for _, i := range list.Items {
		out.Rollouts = append(out.Rollouts, rolloutForTool(i))
	}
	return out, err
}

type toolRolloutIn struct {
	Team    string `json:"team"`
	Rollout string `json:"rollout,omitempty"`
	Number  int64  `json:"number,omitempty"`
}

// find gives the rollout that a tool's caller means.
func (s *Service) findRollout(ctx context.Context, in toolRolloutIn) (rolloutRow, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return rolloutRow{}, err
	}
	none := problem.New(problem.NotFound, "There is no such rollout in %s.", in.Team)
	if in.Rollout == "" {
		list, err := s.rows().rollouts(ctx, rolloutFilter{team: team.ID, before: in.Number + 1, limit: 1})
		if err == nil && (len(list) == 0 || list[0].Number != in.Number) {
			err = none
		}
		if err != nil {
			return rolloutRow{}, err
		}
		return list[0], nil
	}
	row, err := s.rows().rollout(ctx, in.Rollout, false)
	if err == nil && row.TeamID != team.ID {
		err = none
	}
	return row, err
}

type toolRolloutOut struct {
	toolRollout
	Failed  []toolMember   `json:"failed"`
	History []toolHappened `json:"history"`
}

type toolMember struct {
	Name   string `json:"name"`
	Site   string `json:"site"`
	State  string `json:"state"`
	Exit   *int64 `json:"exit"`
	Reason string `json:"reason"`
}

type toolHappened struct {
	At     string `json:"at"`
	What   string `json:"what"`
	Who    string `json:"who"`
	Reason string `json:"reason"`
}

// toolFailures is how many failed nodes a tool names.
const toolFailures = 30

func (s *Service) toolRollout(ctx context.Context, in toolRolloutIn) (toolRolloutOut, error) {
	out := toolRolloutOut{Failed: []toolMember{}, History: []toolHappened{}}
	row, err := s.findRollout(ctx, in)
	if err != nil {
		return out, err
	}
	counts, err := s.rows().memberCounts(ctx, []string{row.ID}, "rollout_id")
	if err != nil {
		return out, err
	}
	out.toolRollout = rolloutForTool(itemOf(row, counts))
	for _, state := range []rollout.NodeState{rollout.Failed, rollout.Quarantined, rollout.RolledBackItself, rollout.Silent} {
		list, err := s.rows().members(ctx, row.ID, memberFilter{state: string(state), limit: toolFailures})
		if err != nil {
			return out, err
		}
		for _, shown := range list {
			m := toolMember{Name: shown.Member.Name, Site: shown.Member.Site, State: string(state), Reason: shown.Member.Reason}
			if code := shown.Member.ExitCode; code != noExit {
				m.Exit = &code
			}
			out.Failed = append(out.Failed, m)
		}
	}
	events, err := s.rows().rolloutEvents(ctx, row.ID, 30)
	for _, e := range events {
		out.History = append(out.History, toolHappened{rfc3339(instant(millisTime(e.At))), e.Kind + " " + e.State, e.Actor, e.Reason})
	}
	return out, err
}

type toolTeamIn struct {
	Team string `json:"team"`
}

type toolStatusOut struct {
	UnderWay []toolRollout `json:"under_way"`
	// Last is the newest rollout that is over.
	Last    *toolRollout `json:"last"`
	Waiting []toolWaits  `json:"waiting_policies"`
	Freezes []string     `json:"freezes"`
}

type toolWaits struct {
	Policy  string `json:"policy"`
	Bundle  string `json:"bundle"`
	Problem string `json:"problem"`
}

func (s *Service) toolPatchStatus(ctx context.Context, in toolTeamIn) (toolStatusOut, error) {
	out := toolStatusOut{UnderWay: []toolRollout{}, Waiting: []toolWaits{}, Freezes: []string{}}
	list, err := s.httpRollouts(ctx, rolloutsIn{Team: in.Team, Limit: 200})
	if err != nil {
		return out, err
	}
	for _, i := range list.Items {
		if shape := rolloutForTool(i); i.State.Active() {
			out.UnderWay = append(out.UnderWay, shape)
		} else if out.Last == nil {
			out.Last = &shape
		}
	}
	policies, err := s.httpPolicies(ctx, policyTeamIn{in.Team})
	if err != nil {
		return out, err
	}
	for _, p := range policies.Items {
		if p.Wanted || p.Problem != "" {
			out.Waiting = append(out.Waiting, toolWaits{p.Name, p.Bundle, p.Problem})
		}
	}
	freezes, err := s.httpFreezes(ctx, policyTeamIn{in.Team})
	for _, f := range freezes.Items {
		out.Freezes = append(out.Freezes, fmt.Sprintf("%s to %s: %s", rfc3339(f.From), rfc3339(f.To), f.Reason))
	}
	return out, err
}

type toolStartIn struct {
	Team   string `json:"team"`
	Policy string `json:"policy"`
	Reason string `json:"reason"`
	DryRun bool   `json:"dry_run,omitempty"`
}

type toolStartOut struct {
	// Rollout is what has begun; null after a dry run.
	Rollout  *toolRollout `json:"rollout"`
	Problems []string     `json:"problems,omitempty"`
	Batches  []int        `json:"batches,omitempty"`
	Skipped  []toolMember `json:"skipped,omitempty"`
}

func (s *Service) toolStartRollout(ctx context.Context, in toolStartIn) (toolStartOut, error) {
	out := toolStartOut{}
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return out, err
	}
	p, found, err := s.rows().policyNamed(ctx, team.ID, in.Policy)
	if err == nil && !found {
		err = problem.New(problem.NotFound, "There is no policy %.80q in %s.", in.Policy, in.Team)
	}
	if err != nil {
		return out, err
	}
	if in.DryRun {
		plan, err := s.DryRun(ctx, team.ID, p.Body)
		for _, b := range plan.Batches {
			out.Batches = append(out.Batches, len(b))
		}
		for _, c := range plan.Skipped[:min(len(plan.Skipped), toolFailures)] {
			out.Skipped = append(out.Skipped, toolMember{Name: c.Name, Site: c.Site, State: string(rollout.Skipped), Reason: c.Reason})
		}
		out.Problems = plan.Problems
		return out, err
	}
	row, err := s.StartRollout(ctx, team.ID, p.ID, in.Reason)
	if err != nil {
		return out, err
	}
	out.Rollout, err = s.changedForTool(ctx, row)
	return out, err
}

func (s *Service) changedForTool(ctx context.Context, row rolloutRow) (*toolRollout, error) {
	counts, err := s.rows().memberCounts(ctx, []string{row.ID}, "rollout_id")
	shape := rolloutForTool(itemOf(row, counts))
	return &shape, err
}

type toolChangeIn struct {
	toolRolloutIn
	Reason string `json:"reason,omitempty"`
}

type toolChangeOut struct {
	Rollout *toolRollout `json:"rollout"`
}

func (s *Service) toolChange(change func(context.Context, string, string) (rolloutRow, error)) func(context.Context, toolChangeIn) (toolChangeOut, error) {
	return func(ctx context.Context, in toolChangeIn) (toolChangeOut, error) {
		row, err := s.findRollout(ctx, in.toolRolloutIn)
		if err == nil {
			row, err = change(ctx, row.ID, in.Reason)
		}
		if err != nil {
			return toolChangeOut{}, err
		}
		shape, err := s.changedForTool(ctx, row)
		return toolChangeOut{shape}, err
	}
}

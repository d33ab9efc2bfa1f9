package assistant

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// proposal is a call that somebody wants made.
type proposal struct {
	team identity.Team
	// by is who wants it, with the rights of that team only.
	by   identity.Caller
	tool tools.Tool
	args json.RawMessage
	// outside says that it is a tool of an outside server.
	outside bool
	// run, surface and channel say where it was asked.
	run, surface, channel string
}

// propose keeps a call that a person must approve. Nothing is done; the same call, asked for twice, waits once.
func (s *Service) propose(ctx context.Context, p proposal) (Approval, error) {
	ctx = identity.With(ctx, p.by)
	args, err := canonical(p.args)
	if err != nil {
		return Approval{}, err
	}
	if p.outside {
		err = identity.Require(ctx, p.team.ID, p.tool.Scope)
	} else {
		err = s.Tools.Check(ctx, p.tool.Name, args)
	}
	if err != nil {
		return Approval{}, err
	}
	seen, err := s.look(ctx, p.team, p.tool.Name, args)
	if err != nil {
		return Approval{}, err
	}
	facts, err := json.Marshal(seen.Facts)
	if err != nil {
		return Approval{}, err
	}
	now := s.Now()
	row := approvalRow{ID: s.ID(), TeamID: p.team.ID, RunID: p.run, Tool: p.tool.Name, Title: p.tool.Title, Effect: p.tool.Description, Class: string(p.tool.Class), Args: string(args), ArgsSha256: argsHash(p.tool.Name, args),
		Target: seen.Name, TargetURL: seen.URL, Facts: string(facts), Capability: p.tool.Scope.Capability, Level: int64(p.tool.Scope.Level), ProposerID: p.by.UserID, Proposer: p.by.Name, Surface: p.surface, Channel: p.channel,
		State: string(ApprovalPending), CreatedAt: now.UnixMilli(), ExpiresAt: now.Add(approvalLasts).UnixMilli()}
	isNew := true
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		waiting, same, found, err := s.store.waitingLike(ctx, p.team.ID, p.by.UserID, row.ArgsSha256, now.UnixMilli())
		switch {
		case err != nil:
			return err
		case found:
			row, isNew = same, false
			return nil
		case waiting >= waitingAtMost:
			return problem.New(problem.TooMany, "%d calls wait for approval already; decide about some first.", waiting)
		}
		if err := s.store.addApproval(ctx, row); err != nil {
			return err
		}
		return s.Audit(ctx, p.team.ID, "assistant.approval.propose", row.ID, row.Tool+" "+row.Args)
	})
	if err != nil {
		return Approval{}, err
	}
	if isNew {
		s.approvalChanged(ctx, row)
	}
	return s.withRefusal(ctx, row)
}

// waitingResult is what a caller is told instead of a result.
type waitingResult struct {
	Status   string `json:"status"`
	Approval string `json:"approval"`
	Says     string `json:"says"`
	Page     string `json:"page,omitempty"`
}

func waits(a Approval) waitingResult {
	return waitingResult{"waiting for approval", a.ID, "Nothing has been done. A person has to approve this within 15 minutes: waiting for approval, id " + a.ID + ".", a.Page}
}

// writeOutside is a call by an MCP client of a tool that changes something: the team's policy decides.
func (s *Service) writeOutside(ctx context.Context, tool tools.Tool, args json.RawMessage) (Approval, error) {
	args, err := canonical(args)
	if err != nil {
		return Approval{}, err
	}
	team, by, err := s.teamOf(ctx, tool, args)
	if err != nil {
		return Approval{}, err
	}
	settings, err := s.settings(ctx, team.ID)
	if err != nil {
		return Approval{}, err
	}
	if settings.Writes != WritesConfirm {
		return Approval{}, problem.New(problem.Forbidden, "Team %s lets machines change nothing this way; an owner allows it, with approval, under Assistant, Settings.", team.Name)
	}
	return s.propose(ctx, proposal{team: team, by: by, tool: tool, args: args, surface: "mcp"})
}

// teamOf finds the team that a call is about: named in its arguments, or the one that has what it names.
func (s *Service) teamOf(ctx context.Context, tool tools.Tool, args json.RawMessage) (identity.Team, identity.Caller, error) {
	caller := identity.From(ctx)
	var named struct {
		Team *string `json:"team"`
	}
	if err := json.Unmarshal(args, &named); err != nil {
		return identity.Team{}, caller, problem.Wrap(err, problem.Invalid, "The arguments are no JSON object with a team by name.")
	}
	if named.Team != nil {
		team, err := identity.RequireTeam(ctx, *named.Team, tool.Scope)
		return team, inTeam(caller, team), err
	}
	var teams []identity.Team
	for _, id := range caller.TeamIDs(tool.Scope) {
		if team, ok := teamByID(caller, id); ok {
			teams = append(teams, team)
		}
	}
	if _, known := targets[tool.Name]; known && len(teams) > 1 {
		teams = slices.DeleteFunc(teams, func(team identity.Team) bool {
			_, err := s.look(identity.With(ctx, inTeam(caller, team)), team, tool.Name, args)
			return err != nil
		})
	}
	if len(teams) != 1 {
		return identity.Team{}, caller, problem.New(problem.NotFound, "No team of yours has what this names, or more than one has.")
	}
	return teams[0], inTeam(caller, teams[0]), nil
}

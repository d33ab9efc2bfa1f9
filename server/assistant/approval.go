package assistant

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/assistant/mcpservers"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// Writes is whether the assistant may change anything; the words are stored.
type Writes string

// The policies.
const (
	// WritesOff proposes nothing: the assistant only looks.
	WritesOff Writes = "off"
	// WritesConfirm proposes, and a person approves each call.
	WritesConfirm Writes = "confirm"
)

// ApprovalState is where an approval stands; the words are stored.
type ApprovalState string

// The states. What is pending can be decided or expire; what is approved runs once, and ends done or failed.
const (
	ApprovalPending  ApprovalState = "pending"
	ApprovalApproved ApprovalState = "approved"
	ApprovalDenied   ApprovalState = "denied"
	ApprovalExpired  ApprovalState = "expired"
	ApprovalRunning  ApprovalState = "running"
	ApprovalDone     ApprovalState = "done"
	ApprovalFailed   ApprovalState = "failed"
)

const (
	// approvalLasts is how long somebody may take to decide.
	approvalLasts = 15 * time.Minute
	// runLasts is how long an approved call may take.
	runLasts = time.Minute
	// keptOutcome is how much of what a call answered is kept, in bytes.
	keptOutcome = 4 << 10
	// waitingAtMost bounds what one team can have waiting: beyond, nobody reads them any more.
	waitingAtMost = 50
)

// Fact is a name with its value, for people to read.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Approval is a call that changes something and waits for a person, or what became of it.
type Approval struct {
	ID   string `json:"id"`
	Team string `json:"team"`
	// Run is the question that it came from, "" when an MCP client asked.
	Run string `json:"run,omitempty"`
	// Tool is what is called; Title says it for people, and Effect what it does.
	Tool   string `json:"tool"`
	Title  string `json:"title"`
	Effect string `json:"effect"`
	// Class is write or destructive.
	Class tools.Class `json:"class"`
	// Target is what it is about, URL its page.
	Target string `json:"target"`
	URL    string `json:"url,omitempty"`
	// Args are exactly what is called with; Words say the same for people.
	Args   json.RawMessage `json:"args"`
	SHA256 string          `json:"sha256"`
	Words  []Fact          `json:"words"`
	// Was is how the target stood; it must still be so when it is approved.
	Was      []Fact        `json:"was"`
	Scope    string        `json:"scope"`
	Proposer string        `json:"proposer"`
	Surface  string        `json:"surface"`
	Channel  string        `json:"channel,omitempty"`
	Message  string        `json:"message,omitempty"`
	State    ApprovalState `json:"state"`
	Created  time.Time     `json:"created_at"`
	Expires  time.Time     `json:"expires_at"`
	// Decided by whom and why; Ended and Outcome of the call.
	DecidedBy string    `json:"decided_by,omitempty"`
	DecidedAt time.Time `json:"decided_at,omitzero"`
	Reason    string    `json:"reason,omitempty"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Outcome   string    `json:"outcome,omitempty"`
	// Refusal says why the caller may not decide it; "" when they may.
	Refusal string `json:"refusal"`
	// Page is where it is decided in the portal.
	Page string `json:"page,omitempty"`
}

// canonical is one form for equal arguments: keys sorted, no spaces.
func canonical(raw json.RawMessage) (json.RawMessage, error) {
	if len(bytes.TrimSpace(raw)) == 0 || string(bytes.TrimSpace(raw)) == "null" {
		return json.RawMessage("{}"), nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		return nil, problem.Wrap(err, problem.Invalid, "The arguments are no JSON object: %s.", err)
	}
	return json.Marshal(object)
}

// argsHash binds arguments to the tool that they are for.
func argsHash(tool string, args json.RawMessage) string {
	sum := sha256.Sum256([]byte(tool + "\n" + string(args)))
	return hex.EncodeToString(sum[:])
}

// inWords says arguments as names and values, in the order of their names.
func inWords(args json.RawMessage) []Fact {
	var object map[string]json.RawMessage
	if json.Unmarshal(args, &object) != nil {
		return []Fact{{"arguments", string(args)}}
	}
	out := []Fact{}
	for name, raw := range object {
		value := string(raw)
		var text string
		if json.Unmarshal(raw, &text) == nil {
			value = text
		}
		out = append(out, Fact{strings.ReplaceAll(name, "_", " "), value})
	}
	slices.SortFunc(out, func(a, b Fact) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (s *Service) shapeApproval(ctx context.Context, row approvalRow) Approval {
	at := func(ms int64) time.Time {
		if ms == 0 {
			return time.Time{}
		}
		return time.UnixMilli(ms).UTC()
	}
	out := Approval{ID: row.ID, Run: row.RunID, Tool: row.Tool, Title: row.Title, Effect: row.Effect, Class: tools.Class(row.Class), Target: row.Target, URL: row.TargetURL, Args: json.RawMessage(row.Args),
		SHA256: row.ArgsSha256, Words: inWords(json.RawMessage(row.Args)), Was: []Fact{}, Scope: row.scope().String(), Proposer: row.Proposer, Surface: row.Surface, Channel: row.Channel, Message: row.Message,
		State: ApprovalState(row.State), Created: at(row.CreatedAt), Expires: at(row.ExpiresAt), DecidedBy: row.DecidedBy, DecidedAt: at(row.DecidedAt), Reason: row.Reason, EndedAt: at(row.EndedAt), Outcome: row.Outcome}
	if err := json.Unmarshal([]byte(row.Facts), &out.Was); err != nil {
		s.Log.Error("the facts of an approval cannot be read", "approval", row.ID, "error", err)
	}
	if out.State == ApprovalPending && row.ExpiresAt <= s.Now().UnixMilli() {
		out.State = ApprovalExpired // the loop writes it down in a while
	}
	caller := identity.From(ctx)
	for name, team := range caller.Teams {
		if team.ID == row.TeamID {
			out.Team = name
		}
	}
	if s.PublicURL != "" && out.Team != "" {
		out.Page = strings.TrimRight(s.PublicURL, "/") + "/teams/" + out.Team + "/assistant/approvals/" + row.ID
	}
	return out
}

// refusal says why a caller may not decide about an approval; nil when they may.
func refusal(caller identity.Caller, row approvalRow, settings Settings) error {
	switch {
	case caller.TokenID != "":
		return problem.New(problem.Forbidden, "A person approves this, signed in; a token may not.")
	case !caller.Can(row.TeamID, row.scope()):
		return problem.New(problem.Forbidden, "Deciding this needs %s in the team, which you do not have.", row.scope())
	case settings.FourEyes && row.Class == string(tools.Destructive) && row.ProposerID == caller.UserID:
		return problem.New(problem.Forbidden, "This loses something, so somebody else than who asked for it approves it.")
	}
	return nil
}

// Approval gives one that the caller's teams have.
func (s *Service) Approval(ctx context.Context, id string) (Approval, error) {
	row, err := s.store.approval(ctx, id, identity.From(ctx).TeamIDs(asking))
	if err != nil {
		return Approval{}, err
	}
	return s.withRefusal(ctx, row)
}

func (s *Service) withRefusal(ctx context.Context, row approvalRow) (Approval, error) {
	out := s.shapeApproval(ctx, row)
	settings, err := s.settings(ctx, row.TeamID)
	if refused := refusal(identity.From(ctx), row, settings); refused != nil {
		out.Refusal = problem.From(refused).Detail
	}
	return out, err
}

// Approvals lists a team's: those that wait, or those that were decided, newest first.
func (s *Service) Approvals(ctx context.Context, team identity.Team, waiting bool) ([]Approval, error) {
	rows, err := s.store.approvals(ctx, team.ID, waiting, s.Now().UnixMilli())
	if err != nil {
		return nil, err
	}
	out := []Approval{}
	for _, row := range rows {
		a, err := s.withRefusal(ctx, row)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// ApprovalsOf are those that a run has proposed, in their order.
func (s *Service) ApprovalsOf(ctx context.Context, run string) ([]Approval, error) {
	rows, err := s.store.approvalsOf(ctx, run)
	out := []Approval{}
	for _, row := range rows {
		a, err := s.withRefusal(ctx, row)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, err
}

// Approve lets a call happen, in the name of the context's caller, and waits for what comes of it. Of several
// who press the button one wins; whatever fails before the call leaves nothing done.
func (s *Service) Approve(ctx context.Context, id string) (Approval, error) {
	row, err := s.decidable(ctx, id)
	if err != nil {
		return Approval{}, err
	}
	if argsHash(row.Tool, json.RawMessage(row.Args)) != row.ArgsSha256 {
		return Approval{}, problem.New(problem.Conflict, "What was stored is not what was proposed; nothing was done.")
	}
	if err := s.unchanged(ctx, row); err != nil {
		return Approval{}, err
	}
	if row, err = s.decide(ctx, row, ApprovalApproved, ""); err != nil {
		return Approval{}, err
	}
	// Whoever pressed the button may close the page: the call is made all the same, once.
	return s.carryOut(context.WithoutCancel(ctx), row)
}

// Deny ends an approval without a call.
func (s *Service) Deny(ctx context.Context, id, reason string) (Approval, error) {
	row, err := s.decidable(ctx, id)
	if err != nil {
		return Approval{}, err
	}
	if row, err = s.decide(ctx, row, ApprovalDenied, clip(strings.ToValidUTF8(reason, ""), 500)); err != nil {
		return Approval{}, err
	}
	return s.withRefusal(ctx, row)
}

// decidable finds an approval that waits and that the caller may decide.
func (s *Service) decidable(ctx context.Context, id string) (approvalRow, error) {
	caller := identity.From(ctx)
	row, err := s.store.approval(ctx, id, caller.TeamIDs(asking))
	if err != nil {
		return row, err
	}
	settings, err := s.settings(ctx, row.TeamID)
	if err != nil {
		return row, err
	}
	if err := refusal(caller, row, settings); err != nil {
		return row, errorOr(err, s.Audit(ctx, row.TeamID, "assistant.approval.refused", row.ID, row.Tool+": "+problem.From(err).Detail))
	}
	if settings.Writes != WritesConfirm {
		return row, problem.New(problem.Conflict, "Writing through the assistant has been turned off in this team since; nothing was done.")
	}
	return row, s.stillPending(row)
}

func (s *Service) stillPending(row approvalRow) error {
	switch {
	case row.State != string(ApprovalPending):
		return problem.New(problem.Conflict, "%s", decidedAlready(row))
	case row.ExpiresAt <= s.Now().UnixMilli():
		return problem.New(problem.Conflict, "Nobody decided in time, so it has expired and nothing was done. Ask again.")
	}
	return nil
}

func decidedAlready(row approvalRow) string {
	if row.DecidedBy == "" {
		return "It has been " + row.State + " already."
	}
	what := "approved"
	if row.State == string(ApprovalDenied) {
		what = "denied"
	}
	return fmt.Sprintf("%s has %s it already.", row.DecidedBy, what)
}

func errorOr(err, other error) error {
	if other != nil {
		return other
	}
	return err
}

// decide moves a pending row on, if nobody else has, with its line in the audit log.
func (s *Service) decide(ctx context.Context, row approvalRow, to ApprovalState, reason string) (approvalRow, error) {
	caller := identity.From(ctx)
	now := s.Now().UnixMilli()
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		won, err := s.store.decideApproval(ctx, row.ID, to, caller.Name, reason, s.Node, now)
		if err != nil {
			return err
		}
		if !won {
			latest, err := s.store.approval(ctx, row.ID, []int64{row.TeamID})
			if err != nil {
				return err
			}
			return errorOr(problem.New(problem.Conflict, "%s", decidedAlready(latest)), s.stillPending(latest))
		}
		return s.Audit(ctx, row.TeamID, "assistant.approval."+string(to), row.ID, row.Tool+" "+row.Args)
	})
	if err != nil {
		return row, err
	}
	row.State, row.DecidedBy, row.DecidedAt, row.Reason = string(to), caller.Name, now, reason
	s.approvalChanged(ctx, row)
	return row, nil
}

// carryOut makes the stored call as the approver and keeps what came of it.
func (s *Service) carryOut(ctx context.Context, row approvalRow) (Approval, error) {
	began, err := s.store.moveApproval(ctx, row.ID, ApprovalApproved, ApprovalRunning, s.Node, "", 0)
	if err != nil || !began {
		return Approval{}, errorOr(problem.New(problem.Conflict, "It was ended by somebody else before it ran."), err)
	}
	row.State, row.Node = string(ApprovalRunning), s.Node
	s.approvalChanged(ctx, row)
	limited, cancel := context.WithTimeout(ctx, runLasts)
	result, failed := s.callApproved(limited, row)
	cancel()
	state, outcome := ApprovalDone, s.scrubFor(ctx, row.TeamID, clip(string(result), keptOutcome))
	if failed != nil {
		state, outcome = ApprovalFailed, sentence(problem.From(failed))
		if problem.From(failed).Kind == problem.Internal {
			s.Log.Error("an approved call failed", "tool", row.Tool, "approval", row.ID, "error", failed)
		}
	}
	now := s.Now().UnixMilli()
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.store.moveApproval(ctx, row.ID, ApprovalRunning, state, s.Node, outcome, now); err != nil {
			return err
		}
		return s.Audit(ctx, row.TeamID, "assistant.approval."+string(state), row.ID, row.Tool+" "+row.Args)
	})
	if err != nil {
		return Approval{}, err
	}
	row.State, row.Outcome, row.EndedAt = string(state), outcome, now
	s.approvalChanged(ctx, row)
	return s.withRefusal(ctx, row)
}

// callApproved never panics: an approved call always has an outcome.
func (s *Service) callApproved(ctx context.Context, row approvalRow) (out json.RawMessage, err error) {
	defer func() {
		if r := recover(); r != nil {
			s.Log.Error("an approved call broke", "tool", row.Tool, "approval", row.ID, "error", r)
			err = problem.New(problem.Internal, "The call broke; it is in the server's log.")
		}
	}()
	if strings.Contains(row.Tool, mcpservers.Separator) {
		return s.Outside.Call(ctx, row.TeamID, row.Tool, json.RawMessage(row.Args))
	}
	// With the approver's rights, in this team only.
	team, ok := teamByID(identity.From(ctx), row.TeamID)
	if !ok {
		return nil, problem.New(problem.NotFound, "There is no such approval, or it belongs to a team you are not in.")
	}
	return s.Tools.Call(identity.With(ctx, inTeam(identity.From(ctx), team)), row.Tool, json.RawMessage(row.Args))
}

// approvalChanged tells pages, and whoever shows the approval elsewhere.
func (s *Service) approvalChanged(ctx context.Context, row approvalRow) {
	if err := s.Publish(ctx, row.TeamID, "assistant.approvals", row.ID); err != nil {
		s.Log.Warn("a page was not told of an approval", "approval", row.ID, "error", err)
	}
	if s.OnApproval != nil {
		s.OnApproval(ctx, row.TeamID, s.shapeApproval(ctx, row))
	}
}

// ShownAt remembers the message that shows an approval elsewhere, so that it can be changed when it is decided.
func (s *Service) ShownAt(ctx context.Context, id, channel, message string) error {
	return s.store.shownAt(ctx, id, channel, message)
}

// tidyApprovals ends what a former life of this server has left, because nobody knows how far it came and it must not
// run twice; then what nobody decided, and what another server left.
func (s *Service) tidyApprovals(ctx context.Context) error {
	now := s.Now().UnixMilli()
	if err := s.endApprovals(ctx, "node = ? AND state IN ('approved', 'running') AND decided_at < ?", s.Node, s.began.UnixMilli()); err != nil {
		return err
	}
	rows, err := s.store.approvalsWhere(ctx, "state = 'pending' AND expires_at <= ?", now)
	if err != nil {
		return err
	}
	for _, row := range rows {
		won, err := s.store.moveApproval(ctx, row.ID, ApprovalPending, ApprovalExpired, "", "Nobody decided in time; nothing was done.", now)
		if err != nil {
			return err
		}
		if won {
			row.State = string(ApprovalExpired)
			s.approvalChanged(ctx, row)
		}
	}
	return s.endApprovals(ctx, "state IN ('approved', 'running') AND decided_at <= ?", now-3*runLasts.Milliseconds())
}

func (s *Service) endApprovals(ctx context.Context, where string, args ...any) error {
	rows, err := s.store.approvalsWhere(ctx, where, args...)
	if err != nil {
		return err
	}
	for _, row := range rows {
		outcome := "Interrupted: the server ended while it ran. It may or may not have happened; it is not tried again."
		if row.State == string(ApprovalApproved) {
			outcome = "Interrupted before it ran; nothing was done."
		}
		won, err := s.store.moveApproval(ctx, row.ID, ApprovalState(row.State), ApprovalFailed, row.Node, outcome, s.Now().UnixMilli())
		if err != nil {
			return err
		}
		if won {
			row.State, row.Outcome = string(ApprovalFailed), outcome
			s.approvalChanged(ctx, row)
		}
	}
	return nil
}

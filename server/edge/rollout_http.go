package edge

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/edge/policy"
	"github.com/signalbox/signalbox/server/edge/rollout"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) rolloutRoutes(r api.Router) {
	read, write := api.Scoped("edge", identity.Read), api.Scoped("edge", identity.Write)
	r.GET("/rollouts", read, api.Handle(s.httpRollouts))
	r.POST("/rollouts", write, api.Handle(s.httpStartRollout))
	r.GET("/rollouts/:rollout", read, api.Handle(s.httpRollout))
	r.GET("/rollouts/:rollout/nodes", read, api.Handle(s.httpRolloutNodes))
	r.GET("/rollouts/:rollout/grid", read, api.Handle(s.httpRolloutGrid))
	r.GET("/rollouts/:rollout/events", read, api.Handle(s.httpRolloutEvents))
	for verb, change := range map[string]func(context.Context, string, string) (rolloutRow, error){
		"pause": s.PauseRollout, "resume": s.ResumeRollout, "proceed": s.ProceedRollout, "abort": s.AbortRollout, "rollback": s.RollBackRollout,
		"approve": s.ApproveRollout, "reject": s.RejectRollout,
	} {
		r.POST("/rollouts/:rollout/"+verb, write, api.Handle(func(ctx context.Context, in rolloutChangeIn) (rolloutShape, error) {
			row, err := change(ctx, in.Rollout, in.Reason)
			if err != nil {
				return rolloutShape{}, err
			}
			return s.shapeRollout(ctx, row)
		}))
	}
}

// rolloutItem is a rollout as lists show it.
type rolloutItem struct {
	ID            string        `json:"id"`
	Number        int64         `json:"number"`
	Policy        string        `json:"policy"`
	PolicyID      string        `json:"policy_id"`
	Revision      int64         `json:"revision"`
	Bundle        string        `json:"bundle"`
	BundleVersion int64         `json:"bundle_version"`
	State         rollout.State `json:"state"`
	// Reason is why it is in its state, Waits what it waits for.
	Reason  string `json:"reason"`
	Waits   string `json:"waits"`
	Batches int    `json:"batches"`
	// Batch is the last that was opened, -1 for none.
	Batch     int                       `json:"batch"`
	Counts    map[rollout.NodeState]int `json:"counts"`
	Total     int                       `json:"total"`
	Failures  int                       `json:"failures"`
	CreatedBy string                    `json:"created_by"`
	CreatedAt api.Millis                `json:"created_at"`
	StartedAt api.Millis                `json:"started_at"`
	EndedAt   api.Millis                `json:"ended_at"`
	Deadline  api.Millis                `json:"deadline"`
}

func itemOf(row rolloutRow, counts []stateCount) rolloutItem {
	out := rolloutItem{ID: row.ID, Number: row.Number, Policy: row.Policy, PolicyID: row.PolicyID, Revision: row.Revision, Bundle: row.BundleID, BundleVersion: row.BundleVersion, State: row.State,
		Reason: row.Reason, Waits: row.Waits, Batches: row.Batches, Batch: row.Batch, Counts: map[rollout.NodeState]int{}, CreatedBy: row.CreatedBy, CreatedAt: api.Millis(row.CreatedAt),
		StartedAt: api.Millis(row.StartedAt), EndedAt: api.Millis(row.EndedAt), Deadline: api.Millis(row.DeadlineAt)}
	for _, c := range counts {
		if c.RolloutID != row.ID {
			continue
		}
		out.Counts[c.State] += c.N
		if c.State != rollout.Skipped {
			out.Total += c.N
		}
		if c.State.Failure() {
			out.Failures += c.N
		}
	}
	return out
}

type rolloutsIn struct {
	Team   string `form:"team" json:"-"`
	State  string `form:"state" json:"-"`
	Policy string `form:"policy" json:"-"`
	Before int64  `form:"before" json:"-"`
	Limit  int    `form:"limit" json:"-"`
}

type rolloutsOut struct {
	Items []rolloutItem `json:"items"`
	Next  int64         `json:"next"`
}

const rolloutsPage = 50

func (s *Service) httpRollouts(ctx context.Context, in rolloutsIn) (rolloutsOut, error) {
	out := rolloutsOut{Items: []rolloutItem{}}
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return out, err
	}
	if in.State != "" && !slices.Contains(rollout.States, rollout.State(in.State)) {
		return out, problem.FieldError("state", "%.40q is no state of a rollout", in.State)
	}
	limit := rolloutsPage
	if in.Limit > 0 {
		limit = min(in.Limit, 200)
	}
	out.Items, err = s.rolloutItems(ctx, rolloutFilter{team: team.ID, state: in.State, policy: in.Policy, before: in.Before, limit: limit})
	if len(out.Items) == limit {
		out.Next = out.Items[limit-1].Number
	}
	return out, err
}

func (s *Service) rolloutItems(ctx context.Context, f rolloutFilter) ([]rolloutItem, error) {
	list, err := s.rows().rollouts(ctx, f)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(list))
	for i, row := range list {
		ids[i] = row.ID
	}
	counts, err := s.rows().memberCounts(ctx, ids, "rollout_id")
	out := make([]rolloutItem, len(list))
	for i, row := range list {
		out[i] = itemOf(row, counts)
	}
	return out, err
}

type startRolloutIn struct {
	Team   string `json:"team"`
	Policy string `json:"policy"`
	Reason string `json:"reason"`
}

func (s *Service) httpStartRollout(ctx context.Context, in startRolloutIn) (api.Created[rolloutShape], error) {
	out := api.Created[rolloutShape]{}
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return out, err
	}
	row, err := s.StartRollout(ctx, team.ID, in.Policy, in.Reason)
	if err != nil {
		return out, err
	}
	out.Location = "/api/v1/edge/rollouts/" + row.ID
	out.Value, err = s.shapeRollout(ctx, row)
	return out, err
}

type rolloutIn struct {
	Rollout string `uri:"rollout" json:"-"`
}

type rolloutChangeIn struct {
	Rollout string `uri:"rollout" json:"-"`
	Reason  string `json:"reason"`
}

// rolloutShape is all of a rollout but its nodes.
type rolloutShape struct {
	rolloutItem
	Text     string      `json:"text"`
	Spec     policy.Spec `json:"spec"`
	Sentence string      `json:"sentence"`
	// FailureGroups are failures that are alike, the most frequent first.
	FailureGroups []failureGroup `json:"failure_groups"`
	// EndedLastHour is how many nodes were done in the last hour.
	EndedLastHour int               `json:"ended_last_hour"`
	BatchList     []batchShape      `json:"batch_list"`
	Sites         []siteCounts      `json:"sites"`
	Approval      approvalShape     `json:"approval"`
	Threshold     thresholdShape    `json:"threshold"`
	Windows       []policy.Interval `json:"windows"`
	NextAt        api.Millis        `json:"next_at"`
}

type batchShape struct {
	Number   int                       `json:"number"`
	Size     int                       `json:"size"`
	Canary   bool                      `json:"canary"`
	OpenedAt api.Millis                `json:"opened_at"`
	ClosedAt api.Millis                `json:"closed_at"`
	Counts   map[rollout.NodeState]int `json:"counts"`
	// AgentCounts are the states that the nodes themselves told last, "" for none.
	AgentCounts map[string]int `json:"agent_counts"`
}

// failureGroup are nodes that failed alike.
type failureGroup struct {
	State    rollout.NodeState `json:"state"`
	ExitCode int64             `json:"-"`
	Exit     *int64            `json:"exit" gorm:"-"`
	Reason   string            `json:"reason"`
	Count    int               `json:"count"`
	// Example is the name of one.
	Example string `json:"example"`
}

type siteCounts struct {
	Site   string                    `json:"site"`
	Counts map[rollout.NodeState]int `json:"counts"`
}

type approvalShape struct {
	Required int             `json:"required"`
	Given    []approvalGiven `json:"given"`
	// Mine tells whether the caller has approved, May whether they may.
	Mine bool `json:"mine"`
	May  bool `json:"may"`
}

type approvalGiven struct {
	Name    string     `json:"name"`
	Comment string     `json:"comment"`
	At      api.Millis `json:"at"`
}

// thresholdShape is how near the rollout is to pausing by itself: what has ended
// since a person last looked, and what the policy allows.
type thresholdShape struct {
	Ended       int            `json:"ended"`
	Failed      int            `json:"failed"`
	InRow       int            `json:"in_row"`
	FailureRate policy.Percent `json:"failure_rate"`
	MinSamples  int            `json:"min_samples"`
	Consecutive int            `json:"consecutive"`
	AnyExit     []int          `json:"any_exit"`
	Since       api.Millis     `json:"since"`
}

func (s *Service) httpRollout(ctx context.Context, in rolloutIn) (rolloutShape, error) {
	row, err := s.Rollout(ctx, in.Rollout)
	if err != nil {
		return rolloutShape{}, err
	}
	return s.shapeRollout(ctx, row)
}

// Rollout is one by its id.
func (s *Service) Rollout(ctx context.Context, id string) (rolloutRow, error) {
	row, err := s.rows().rollout(ctx, id, false)
	if err != nil {
		return row, err
	}
	return row, identity.Require(ctx, row.TeamID, reading)
}

func (s *Service) shapeRollout(ctx context.Context, row rolloutRow) (rolloutShape, error) {
	counts, err := s.rows().memberCounts(ctx, []string{row.ID}, "batch")
	if err != nil {
		return rolloutShape{}, err
	}
	parsed, _ := policy.Parse([]byte(row.Body)) // was good when it began
	out := rolloutShape{rolloutItem: itemOf(row, counts), Text: row.Body, Spec: parsed.Spec, Sentence: parsed.Spec.Sentence(), BatchList: []batchShape{}, Sites: []siteCounts{}, NextAt: api.Millis(row.AgainAt)}
	batches, err := s.rows().batches(ctx, row.ID)
	if err != nil {
		return out, err
	}
	agents, err := s.rows().agentCounts(ctx, row.ID)
	if err != nil {
		return out, err
	}
	for _, b := range batches {
		shape := batchShape{b.Number, b.Size, b.Canary, api.Millis(b.OpenedAt), api.Millis(b.ClosedAt), map[rollout.NodeState]int{}, map[string]int{}}
		for _, c := range counts {
			if c.Batch == b.Number {
				shape.Counts[c.State] = c.N
			}
		}
		for _, c := range agents {
			if c.Batch == b.Number {
				shape.AgentCounts[c.AgentState] = c.N
			}
		}
		out.BatchList = append(out.BatchList, shape)
	}
	if out.FailureGroups, err = s.rows().failureGroups(ctx, row.ID); err != nil {
		return out, err
	}
	if out.EndedLastHour, err = s.rows().endedAfter(ctx, row.ID, s.Now().Add(-time.Hour).UnixMilli()); err != nil {
		return out, err
	}
	bySite, err := s.rows().memberCounts(ctx, []string{row.ID}, "site")
	if err != nil {
		return out, err
	}
	out.Sites = sitesOf(bySite)
	if out.Approval, err = s.approvalOf(ctx, row, parsed.Spec.Approval.Required); err != nil {
		return out, err
	}
	if out.Threshold, err = s.threshold(ctx, row, parsed.Spec.RolloutStrategy.PauseOn); err != nil {
		return out, err
	}
	out.Windows, err = s.windowsOf(ctx, row.TeamID, parsed, row.mends())
	if out.Windows == nil {
		out.Windows = []policy.Interval{}
	}
	return out, err
}

func sitesOf(counts []stateCount) []siteCounts {
	out := []siteCounts{}
	slices.SortFunc(counts, func(a, b stateCount) int { return cmp.Compare(a.Site, b.Site) })
	for _, c := range counts {
		if len(out) == 0 || out[len(out)-1].Site != c.Site {
			out = append(out, siteCounts{c.Site, map[rollout.NodeState]int{}})
		}
		out[len(out)-1].Counts[c.State] = c.N
	}
	return out
}

func (s *Service) threshold(ctx context.Context, row rolloutRow, on policy.PauseOn) (thresholdShape, error) {
	out := thresholdShape{FailureRate: on.FailureRate, MinSamples: on.MinSamples, Consecutive: on.Consecutive, AnyExit: append([]int{}, on.AnyExit...), Since: api.Millis(row.SinceAt)}
	ended, err := s.rows().endedSince(ctx, row.ID, row.SinceAt)
	for _, state := range ended {
		out.Ended++
		out.InRow++
		if state.Failure() {
			out.Failed++
		} else {
			out.InRow = 0
		}
	}
	return out, err
}

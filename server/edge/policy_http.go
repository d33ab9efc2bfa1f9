package edge

import (
	"context"

	"github.com/signalbox/signalbox/server/edge/policy"
	"github.com/signalbox/signalbox/server/edge/rollout"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) policyRoutes(r api.Router) {
	read, write := api.Scoped("edge", identity.Read), api.Scoped("edge", identity.Write)
	r.GET("/policies", read, api.Handle(s.httpPolicies))
	r.POST("/policies", write, api.Handle(s.httpCreatePolicy))
	r.POST("/policies/check", read, api.Handle(s.httpCheckPolicy))
	r.POST("/policies/dry-run", read, api.Handle(s.httpDryRun))
	r.GET("/policies/:policy", read, api.Handle(s.httpPolicy))
	r.PUT("/policies/:policy", write, api.Handle(s.httpChangePolicy))
	r.DELETE("/policies/:policy", write, api.Handle(s.httpDeletePolicy))
	r.GET("/policies/:policy/revisions", read, api.Handle(s.httpPolicyRevisions))
	r.GET("/freezes", read, api.Handle(s.httpFreezes))
	r.POST("/freezes", write, api.Handle(s.httpCreateFreeze))
	r.PUT("/freezes/:freeze", write, api.Handle(s.httpChangeFreeze))
	r.DELETE("/freezes/:freeze", write, api.Handle(s.httpDeleteFreeze))
}

type policyTeamIn struct {
	Team string `form:"team" json:"-"`
}

// policyItem is a policy as lists show it.
type policyItem struct {
	ID        string           `json:"id"`
	Name      string           `json:"name"`
	Namespace string           `json:"namespace"`
	Revision  int64            `json:"revision"`
	Bundle    string           `json:"bundle"`
	Channel   string           `json:"channel"`
	Window    string           `json:"window"`
	Timezone  string           `json:"timezone"`
	Selector  string           `json:"selector"`
	Strategy  policy.Type      `json:"strategy"`
	Approvals int              `json:"approvals"`
	Source    *policySourceRef `json:"source"`
	// Wanted says that it is rolled out once its bundle is published, Problem what
	// hindered that the last time.
	Wanted    bool           `json:"wanted"`
	Problem   string         `json:"problem"`
	CreatedBy string         `json:"created_by"`
	CreatedAt api.Millis     `json:"created_at"`
	ChangedBy string         `json:"changed_by"`
	ChangedAt api.Millis     `json:"changed_at"`
	Rollout   *policyRollout `json:"rollout"`
}

type policySourceRef struct {
	ID         string `json:"id"`
	Repository string `json:"repository"`
	Branch     string `json:"branch"`
	Path       string `json:"path"`
	Commit     string `json:"commit"`
}

// policyRollout is the newest rollout of a policy.
type policyRollout struct {
	ID     string        `json:"id"`
	Number int64         `json:"number"`
	State  rollout.State `json:"state"`
}

func (s *Service) policyItems(ctx context.Context, team int64, list []Policy) ([]policyItem, error) {
	sources, err := s.rows().policySources(ctx, team)
	if err != nil {
		return nil, err
	}
	newest, err := s.rows().newestRollouts(ctx, team)
	if err != nil {
		return nil, err
	}
	out := make([]policyItem, len(list))
	for i, p := range list {
		spec := p.Parsed.Spec
		out[i] = policyItem{ID: p.ID, Name: p.Name, Namespace: p.Parsed.Metadata.Namespace, Revision: p.Revision, Bundle: spec.BundleRef.Version, Channel: spec.BundleRef.Channel,
			Window: spec.Schedule.MaintenanceWindow, Timezone: spec.Schedule.Timezone, Selector: spec.Targets.Selector.String(), Strategy: spec.RolloutStrategy.Type, Approvals: spec.Approval.Required,
			Wanted: p.Wanted, Problem: p.Problem, CreatedBy: p.CreatedBy, CreatedAt: api.Millis(p.CreatedAt), ChangedBy: p.ChangedBy, ChangedAt: api.Millis(p.ChangedAt)}
		for _, src := range sources {
			if src.ID == p.SourceID {
				out[i].Source = &policySourceRef{src.ID, src.Repository, src.Branch, p.Path, p.CommitSHA}
			}
		}
		if r, found := newest[p.ID]; found {
			out[i].Rollout = &policyRollout{r.ID, r.Number, r.State}
		}
	}
	return out, nil
}

type policiesOut struct {
	Items []policyItem `json:"items"`
}

func (s *Service) httpPolicies(ctx context.Context, in policyTeamIn) (policiesOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return policiesOut{}, err
	}
	list, err := s.Policies(ctx, team.ID)
	if err != nil {
		return policiesOut{}, err
	}
	items, err := s.policyItems(ctx, team.ID, list)
	return policiesOut{items}, err
}

// policyShape is all of a policy.
type policyShape struct {
	policyItem
	Text string `json:"text"`
	policyMeaning
}

// policyMeaning is what a text says.
type policyMeaning struct {
	Spec *policy.Spec `json:"spec"`
	// Sentence says what it does.
	Sentence string            `json:"sentence"`
	Findings policy.Findings   `json:"findings"`
	Windows  []policy.Interval `json:"windows"`
	Hours    []policy.Interval `json:"hours"`
}

func (s *Service) meaningOf(ctx context.Context, team int64, p policy.Policy, found policy.Findings) (policyMeaning, error) {
	out := policyMeaning{Findings: append(policy.Findings{}, found...), Windows: []policy.Interval{}, Hours: []policy.Interval{}}
	if found.Bad() {
		return out, nil
	}
	out.Spec, out.Sentence = &p.Spec, p.Spec.Sentence()
	windows, err := s.windowsOf(ctx, team, p, nil)
	out.Windows = append(out.Windows, windows...)
	out.Hours = append(out.Hours, p.Spec.Staging.StagingHours(zoneOf(p, "UTC"), s.Now(), shownWindows)...)
	return out, err
}

func (s *Service) shapePolicy(ctx context.Context, p Policy) (policyShape, error) {
	items, err := s.policyItems(ctx, p.TeamID, []Policy{p})
	if err != nil {
		return policyShape{}, err
	}
	out := policyShape{policyItem: items[0], Text: p.Body}
	out.policyMeaning, err = s.meaningOf(ctx, p.TeamID, p.Parsed, p.Findings)
	return out, err
}

type policyIn struct {
	Policy string `uri:"policy" json:"-"`
}

func (s *Service) httpPolicy(ctx context.Context, in policyIn) (policyShape, error) {
	p, err := s.Policy(ctx, in.Policy)
	if err != nil {
		return policyShape{}, err
	}
	return s.shapePolicy(ctx, p)
}

type createPolicyIn struct {
	Team   string `json:"team"`
	Text   string `json:"text"`
	Reason string `json:"reason"`
}

func (s *Service) httpCreatePolicy(ctx context.Context, in createPolicyIn) (api.Created[policyShape], error) {
	out := api.Created[policyShape]{}
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return out, err
	}
	p, err := s.CreatePolicy(ctx, team.ID, in.Text, in.Reason)
	if err != nil {
		return out, err
	}
	out.Location = "/api/v1/edge/policies/" + p.ID
	out.Value, err = s.shapePolicy(ctx, p)
	return out, err
}

type changePolicyIn struct {
	Policy string `uri:"policy" json:"-"`
	Text   string `json:"text"`
	// Revision is the one that was edited.
	Revision int64  `json:"revision"`
	Reason   string `json:"reason"`
}

func (s *Service) httpChangePolicy(ctx context.Context, in changePolicyIn) (policyShape, error) {
	p, err := s.ChangePolicy(ctx, in.Policy, in.Text, in.Revision, in.Reason)
	if err != nil {
		return policyShape{}, err
	}
	return s.shapePolicy(ctx, p)
}

func (s *Service) httpDeletePolicy(ctx context.Context, in policyIn) (api.Nothing, error) {
	return api.Nothing{}, s.DeletePolicy(ctx, in.Policy)
}

type revisionsOut struct {
	Items []revisionShape `json:"items"`
}

type revisionShape struct {
	Revision  int64      `json:"revision"`
	Text      string     `json:"text"`
	Commit    string     `json:"commit"`
	Reason    string     `json:"reason"`
	ChangedBy string     `json:"changed_by"`
	ChangedAt api.Millis `json:"changed_at"`
}

func (s *Service) httpPolicyRevisions(ctx context.Context, in policyIn) (revisionsOut, error) {
	out := revisionsOut{Items: []revisionShape{}}
	list, err := s.PolicyRevisions(ctx, in.Policy)
	for _, r := range list {
		out.Items = append(out.Items, revisionShape{r.Revision, r.Body, r.CommitSHA, r.Reason, r.ChangedBy, api.Millis(r.ChangedAt)})
	}
	return out, err
}

type policyTextIn struct {
	Team string `json:"team"`
	Text string `json:"text"`
	// Policy stands for the text of one that is kept.
	Policy string `json:"policy"`
}

type checkOut struct {
	OK       bool   `json:"ok"`
	Name     string `json:"name"`
	Selector string `json:"selector"`
	policyMeaning
}

func (s *Service) httpCheckPolicy(ctx context.Context, in policyTextIn) (checkOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return checkOut{}, err
	}
	parsed, found := policy.Parse([]byte(in.Text))
	out := checkOut{OK: !found.Bad(), Name: parsed.Metadata.Name, Selector: parsed.Spec.Targets.Selector.String()}
	out.policyMeaning, err = s.meaningOf(ctx, team.ID, parsed, found)
	return out, err
}

type dryRunOut struct {
	OK       bool              `json:"ok"`
	Problems []string          `json:"problems"`
	Bundle   *dryRunBundle     `json:"bundle"`
	Total    int               `json:"total"`
	Batches  []dryRunBatch     `json:"batches"`
	Skipped  []dryRunNode      `json:"skipped"`
	Windows  []policy.Interval `json:"windows"`
	Deadline api.Millis        `json:"deadline"`
}

type dryRunBundle struct {
	ID       string   `json:"id"`
	Version  int64    `json:"version"`
	Variants []string `json:"variants"`
}

type dryRunBatch struct {
	Number   int            `json:"number"`
	Size     int            `json:"size"`
	Canary   bool           `json:"canary"`
	Sites    int            `json:"sites"`
	Variants map[string]int `json:"variants"`
	// Nodes are the first hundred.
	Nodes []dryRunNode `json:"nodes"`
}

type dryRunNode struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Site    string `json:"site"`
	Variant string `json:"variant"`
	Reason  string `json:"reason,omitempty"`
}

const shownDryRun = 100

func (s *Service) httpDryRun(ctx context.Context, in policyTextIn) (dryRunOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return dryRunOut{}, err
	}
	if in.Policy != "" {
		p, err := s.Policy(ctx, in.Policy)
		if err != nil {
			return dryRunOut{}, err
		}
		if p.TeamID != team.ID {
			return dryRunOut{}, problem.New(problem.NotFound, "There is no such policy.")
		}
		in.Text = p.Body
	}
	plan, err := s.DryRun(ctx, team.ID, in.Text)
	return shapePlan(plan), err
}

func shapePlan(plan Plan) dryRunOut {
	out := dryRunOut{OK: len(plan.Problems) == 0, Problems: append([]string{}, plan.Problems...), Total: plan.Total, Batches: []dryRunBatch{}, Skipped: []dryRunNode{},
		Windows: append([]policy.Interval{}, plan.Windows...), Deadline: instant(plan.Policy.Spec.Schedule.Ends(zoneOf(plan.Policy, "UTC")))}
	if b := plan.Bundle; b != nil {
		out.Bundle = &dryRunBundle{ID: b.ID, Version: b.Version, Variants: []string{}}
		for _, v := range b.Variants {
			out.Bundle.Variants = append(out.Bundle.Variants, v.Name)
		}
	}
	for i, batch := range plan.Batches {
		shape := dryRunBatch{Number: i, Size: len(batch), Canary: plan.Canary && i == 0, Variants: map[string]int{}, Nodes: []dryRunNode{}}
		sites := map[string]bool{}
		for _, c := range batch {
			sites[c.Site] = true
			shape.Variants[c.Variant]++
			if len(shape.Nodes) < shownDryRun {
				shape.Nodes = append(shape.Nodes, nodeOf(c))
			}
		}
		shape.Sites = len(sites)
		out.Batches = append(out.Batches, shape)
	}
	for _, c := range plan.Skipped {
		out.Skipped = append(out.Skipped, nodeOf(c))
	}
	return out
}

func nodeOf(c Candidate) dryRunNode { return dryRunNode{c.ID, c.Name, c.Site, c.Variant, c.Reason} }

type freezesOut struct {
	Items []Freeze `json:"items"`
}

func (s *Service) httpFreezes(ctx context.Context, in policyTeamIn) (freezesOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return freezesOut{}, err
	}
	list, err := s.Freezes(ctx, team.ID)
	return freezesOut{list}, err
}

type createFreezeIn struct {
	Team   string     `json:"team"`
	From   api.Millis `json:"from"`
	To     api.Millis `json:"to"`
	Reason string     `json:"reason"`
	Allow  []string   `json:"allow"`
}

func (s *Service) httpCreateFreeze(ctx context.Context, in createFreezeIn) (api.Created[Freeze], error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return api.Created[Freeze]{}, err
	}
	f, err := s.CreateFreeze(ctx, team.ID, Freeze{From: in.From, To: in.To, Reason: in.Reason, Allow: in.Allow})
	return api.Created[Freeze]{Value: f}, err
}

type changeFreezeIn struct {
	Freeze string     `uri:"freeze" json:"-"`
	From   api.Millis `json:"from"`
	To     api.Millis `json:"to"`
	Reason string     `json:"reason"`
	Allow  []string   `json:"allow"`
}

func (s *Service) httpChangeFreeze(ctx context.Context, in changeFreezeIn) (Freeze, error) {
	return s.ChangeFreeze(ctx, in.Freeze, Freeze{From: in.From, To: in.To, Reason: in.Reason, Allow: in.Allow})
}

type freezeIn struct {
	Freeze string `uri:"freeze" json:"-"`
}

func (s *Service) httpDeleteFreeze(ctx context.Context, in freezeIn) (api.Nothing, error) {
	return api.Nothing{}, s.DeleteFreeze(ctx, in.Freeze)
}

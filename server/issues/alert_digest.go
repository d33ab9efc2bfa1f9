package issues

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// alertChange lets rules see issues that came back. It runs in the transaction
// that digests, as alertEvents does.
func (s *Service) alertChange(ctx context.Context, c IssueChange) error {
	if c.Kind != ChangeRegressed || c.Event == nil {
		return nil
	}
	list, err := s.alertsOf(ctx, c.Team)
	if err != nil {
		return err
	}
	for _, a := range list {
		if a.Condition.Type != WhenRegressed || !a.covers(c.Project) || a.Environment != "" && a.Environment != c.Event.Environment {
			continue
		}
		f := firing{project: c.Project, issue: c.Issue, event: c.Event.ID, environment: c.Event.Environment, release: c.Event.Release, why: cameBack(c.Detail), subject: aboutIssue(c.Issue)}
		if err := s.fire(ctx, a, []firing{f}); err != nil {
			return err
		}
	}
	return nil
}

func aboutIssue(id int64) string { return "issue:" + formatID(id) }

func cameBack(release string) string {
	if release == "" {
		return "It was resolved and came back."
	}
	return "It was resolved and came back in " + release + "."
}

// alertEvents counts what a batch brought and fires what is due. What it costs
// depends on the batch and the rules, never on what is stored.
func (s *Service) alertEvents(ctx context.Context, list []Digested) error {
	if err := s.countPace(ctx, list); err != nil {
		return err
	}
	perTeam := map[int64][]Digested{}
	var teams []int64
	for _, e := range list {
		if perTeam[e.Team] == nil {
			teams = append(teams, e.Team)
		}
		perTeam[e.Team] = append(perTeam[e.Team], e)
	}
	slices.Sort(teams) // two nodes lock alike
	for _, team := range teams {
		rules, err := s.alertsOf(ctx, team)
		if err != nil {
			return err
		}
		for _, a := range rules {
			if err := s.alertBatch(ctx, a, perTeam[team]); err != nil {
				return err
			}
		}
	}
	return nil
}

// alertBatch shows a rule the events that concern it.
func (s *Service) alertBatch(ctx context.Context, a Alert, list []Digested) (err error) {
	var mine []Digested
	for _, e := range list {
		if a.covers(e.Project) && (a.Environment == "" || a.Environment == e.Environment) {
			mine = append(mine, e)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	var due []firing
	switch a.Condition.Type {
	case WhenNew:
		due, err = s.newIssues(ctx, a, mine)
	case WhenEvents:
		due, err = s.manyEvents(ctx, a, mine)
	case WhenUsers:
		due, err = s.manyUsers(ctx, a, mine)
	}
	if err != nil || len(due) == 0 {
		return err
	}
	return s.fire(ctx, a, due)
}

func firingOf(e Digested, why, subject string) firing {
	return firing{project: e.Project, issue: e.Issue, event: e.EventID, environment: e.Environment, release: e.Release, why: why, subject: subject}
}

// newIssues finds issues that the batch made; with an environment, those that it
// saw there for the first time.
func (s *Service) newIssues(ctx context.Context, a Alert, list []Digested) ([]firing, error) {
	var due []firing
	if a.Environment == "" {
		for _, e := range list {
			if e.First {
				due = append(due, firingOf(e, "It is new.", ""))
			}
		}
		return due, nil
	}
	inBatch := map[int64]int64{}
	var asked []int64
	for _, e := range list {
		if s.alerts.knows(issuePlace{e.Issue, a.Environment}) {
			continue
		}
		if inBatch[e.Issue]++; inBatch[e.Issue] == 1 {
			asked = append(asked, e.Issue)
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	counts, err := s.rows().tagCounts(ctx, asked)
	if err != nil {
		return nil, err
	}
	told := map[int64]bool{}
	for _, e := range list {
		if inBatch[e.Issue] == 0 || told[e.Issue] {
			continue
		}
		told[e.Issue] = true
		if parseTagCounts(counts[e.Issue])["environment"][a.Environment] != inBatch[e.Issue] {
			s.alerts.learn(issuePlace{e.Issue, a.Environment}) // known from an earlier batch, which is committed
			continue
		}
		due = append(due, firingOf(e, "It is new in "+a.Environment+".", ""))
	}
	return due, nil
}

// alertSlots is into how many parts a window is cut. Counted are as many of the
// newest ones, the present one included: never more than the window.
const alertSlots = 60

// slotOf is the part of the window that a time falls into; a slot lasts a 60th
// of the window, which is as many seconds as the window has minutes.
func (c Condition) slotOf(t time.Time) int64 { return t.Unix() / c.Minutes }

// lastOf gives the last event of each issue, in the order in which the issues appear.
func lastOf(list []Digested) (issues []int64, last map[int64]Digested) {
	last = map[int64]Digested{}
	for _, e := range list {
		l, ok := last[e.Issue]
		if !ok {
			issues = append(issues, e.Issue)
		}
		if !ok || !e.Received.Before(l.Received) {
			last[e.Issue] = e
		}
	}
	slices.Sort(issues) // two nodes lock alike
	return issues, last
}

// manyEvents counts, and finds issues that reached the number.
func (s *Service) manyEvents(ctx context.Context, a Alert, list []Digested) ([]firing, error) {
	added := map[countKey]int64{}
	for _, e := range list {
		added[countKey{e.Issue, a.Condition.slotOf(e.Received)}]++
	}
	if err := s.rows().addAlertCounts(ctx, a.ID, added); err != nil {
		return nil, err
	}
	issues, last := lastOf(list)
	var latest int64
	for _, e := range last {
		latest = max(latest, a.Condition.slotOf(e.Received))
	}
	sums, err := s.rows().alertSums(ctx, a.ID, issues, latest-alertSlots)
	if err != nil {
		return nil, err
	}
	var due []firing
	for _, id := range issues {
		if sums[id] >= a.Condition.Count {
			why := fmt.Sprintf("%s within %s.", plural(sums[id], "event"), span(a.Condition.Minutes))
			due = append(due, firingOf(last[id], why, aboutIssue(id)))
		}
	}
	return due, nil
}

// slackAlertUsers is how many users too many are kept until they are cut.
const slackAlertUsers = 200

// manyUsers remembers users, and finds issues that reached the number.
func (s *Service) manyUsers(ctx context.Context, a Alert, list []Digested) ([]firing, error) {
	list = slices.DeleteFunc(slices.Clone(list), func(e Digested) bool { return e.UserHash == 0 })
	if len(list) == 0 {
		return nil, nil
	}
	seen := map[userRow]int64{}
	for _, e := range list {
		u := userRow{e.Issue, e.UserHash}
		seen[u] = max(seen[u], e.Received.UnixMilli())
	}
	if err := s.rows().seeAlertUsers(ctx, a.ID, seen); err != nil {
		return nil, err
	}
	issues, last := lastOf(list)
	var latest int64
	for _, e := range last {
		latest = max(latest, e.Received.UnixMilli())
	}
	counts, err := s.rows().alertUsers(ctx, a.ID, issues, latest-a.Condition.Minutes*time.Minute.Milliseconds())
	if err != nil {
		return nil, err
	}
	var due []firing
	for _, id := range issues {
		n := counts[id]
		if n < a.Condition.Count {
			continue
		}
		why := fmt.Sprintf("%s within %s.", plural(min(n, a.Condition.Count), "user"), span(a.Condition.Minutes))
		if n > a.Condition.Count {
			why = "More than " + why
		}
		due = append(due, firingOf(last[id], why, aboutIssue(id)))
		if n > a.Condition.Count+slackAlertUsers {
			if err := s.rows().cutAlertUsers(ctx, a.ID, id, a.Condition.Count); err != nil {
				return nil, err
			}
		}
	}
	return due, nil
}

const (
	// paceSlot is the grain of a project's pace.
	paceSlot = 5 * time.Minute
	// paceKept is two weeks, and a day: a preview compares the last week with the one before.
	paceKept = 15 * 24 * time.Hour
	// maxPaceEnvironments bounds what clients that invent environments can make us write.
	maxPaceEnvironments = 20
)

// countPace counts the events of the projects per five minutes.
func (s *Service) countPace(ctx context.Context, list []Digested) error {
	added := map[paceKey]int64{}
	named := map[int64]map[string]bool{}
	for _, e := range list {
		environment := clipText(e.Environment, maxEnvironmentLen)
		known := named[e.Project]
		if known == nil {
			known = map[string]bool{}
			named[e.Project] = known
		}
		if !known[environment] {
			if len(known) >= maxPaceEnvironments {
				environment = ""
			}
			known[environment] = true
		}
		added[paceKey{e.Project, e.Received.Unix() / int64(paceSlot/time.Second), environment}]++
	}
	return s.rows().addPace(ctx, added)
}

func (k paceKey) compare(o paceKey) int {
	return cmp.Or(cmp.Compare(k.project, o.project), cmp.Compare(k.slot, o.slot), cmp.Compare(k.environment, o.environment))
}

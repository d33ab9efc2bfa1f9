package issues

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// firing is a reason for a rule to act.
type firing struct {
	project, issue int64
	event          string
	environment    string
	release        string
	why            string
	// subject is what the throttle is about; "" is never throttled.
	subject string
	// title and path are those of firings that are about no issue.
	title, path string
}

const (
	// Of one rule so many firings are told one by one within burstTime; what is
	// beyond is told as a number. A deployment that breaks everything must not
	// send ten thousand letters.
	maxBurst  = 20
	burstTime = 10 * time.Minute
)

// fire lets a rule act for those firings that its query and its throttle let
// through, in the context's transaction: after a crash it has been done once or
// not at all, as the digestion has.
func (s *Service) fire(ctx context.Context, a Alert, list []firing) error {
	list, err := s.narrow(ctx, a, list)
	if err != nil {
		return err
	}
	now := s.Now()
	var due []firing
	for _, f := range list {
		free := f.subject == "" || a.Throttle == 0
		if !free {
			if free, err = s.rows().claimSubject(ctx, a.ID, f.subject, now.UnixMilli(), now.Add(-time.Duration(a.Throttle)*time.Minute).UnixMilli()); err != nil {
				return err
			}
		}
		if free {
			due = append(due, f)
		}
	}
	if len(due) == 0 {
		return nil
	}
	told, err := s.rows().startBurst(ctx, a.ID, now.UnixMilli(), now.Add(-burstTime).UnixMilli())
	if problem.Is(err, problem.NotFound) { // deleted meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	n := min(int64(len(due)), max(maxBurst-told, 0))
	if err := s.rows().countBurst(ctx, a.ID, n, int64(len(due))-n); err != nil {
		return err
	}
	known, err := s.issuesOf(ctx, due[:n])
	if err != nil {
		return err
	}
	for _, f := range due[:n] {
		if err := s.act(ctx, a, f, known[f.issue]); err != nil {
			return err
		}
	}
	return s.publish(ctx, a.Team, topicAlerts, formatID(a.ID))
}

// narrow leaves firings about issues that the rule's query selects.
func (s *Service) narrow(ctx context.Context, a Alert, list []firing) ([]firing, error) {
	if len(list) == 0 || a.Query == "" {
		return list, nil
	}
	f, err := s.filterOf(ctx, a.Team, "", a.Query)
	if problem.From(err).Kind != problem.Internal && err != nil {
		return nil, nil // it names a project that is gone
	}
	if err != nil {
		return nil, err
	}
	ids := make([]int64, 0, len(list))
	for _, one := range list {
		ids = append(ids, one.issue)
	}
	selected, err := s.rows().selects(ctx, f, ids)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(list), func(one firing) bool { return !selected[one.issue] }), nil
}

func (s *Service) issuesOf(ctx context.Context, list []firing) (map[int64]issueRow, error) {
	var ids []int64
	for _, f := range list {
		if f.issue != 0 {
			ids = append(ids, f.issue)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return s.rows().issuesByID(ctx, ids)
}

// act tells of one firing and notes it.
func (s *Service) act(ctx context.Context, a Alert, f firing, i issueRow) error {
	m, err := s.messageOf(ctx, a, f, i)
	if err != nil {
		return err
	}
	row := firingRow{AlertID: a.ID, TeamID: a.Team, ProjectID: f.project, IssueID: f.issue, EventID: f.event, At: s.millis(), Why: f.why, URL: m.URL}
	if err := s.deliver(ctx, a, &row, m); err != nil {
		return err
	}
	return s.rows().insertFiring(ctx, &row)
}

// messageOf is what people are told.
func (s *Service) messageOf(ctx context.Context, a Alert, f firing, i issueRow) (m AlertMessage, err error) {
	slugs, err := s.rows().projectSlugs(ctx, a.Team)
	if err != nil {
		return m, err
	}
	slug := slugs[f.project]
	rule := "Rule: " + a.Name
	if f.issue == 0 {
		m.URL, err = s.pageURL(ctx, a.Team, f.path)
		m.Title, m.Text, m.Subject = f.title, f.why+"\n"+rule, cmp.Or(f.path, f.title)
		return m, err
	}
	m.URL, err = s.issueURL(ctx, i, f.event)
	m.Title = fmt.Sprintf("%s: %s", ShortID(slug, i.Number), cmp.Or(i.Title, "(no title)"))
	m.Text, m.Subject = f.why, "error "+formatID(i.ID)
	if i.Culprit != "" {
		m.Text += "\nin " + i.Culprit
	}
	where := "Project " + slug
	if f.environment != "" {
		where += ", environment " + f.environment
	}
	if f.release != "" {
		where += ", release " + f.release
	}
	m.Text += "\n" + where + ". " + plural(i.Events, "event") + " and " + plural(i.Users, "user") + " so far.\n" + rule
	return m, err
}

// pageURL is the address of a team's page of issues below path.
func (s *Service) pageURL(ctx context.Context, team int64, path string) (string, error) {
	name, err := s.TeamName(ctx, team)
	return s.PublicURL() + "/teams/" + url.PathEscape(name) + "/issues" + path, err
}

// issueURL leads to an issue, or to one of its events.
func (s *Service) issueURL(ctx context.Context, i issueRow, event string) (string, error) {
	path := "/" + formatID(i.ID)
	if event != "" {
		path += "/events/" + event
	}
	return s.pageURL(ctx, i.TeamID, path)
}

// TestAlert does a rule's actions, marked as a test.
func (s *Service) TestAlert(ctx context.Context, a Alert) (f firingRow, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		address, err := s.pageURL(ctx, a.Team, "/alerts/"+formatID(a.ID))
		if err != nil {
			return err
		}
		slugs, err := s.rows().projectSlugs(ctx, a.Team)
		if err != nil {
			return err
		}
		names, err := s.channelNames(ctx, a.Team)
		if err != nil {
			return err
		}
		f = firingRow{AlertID: a.ID, TeamID: a.Team, ProjectID: a.Project, At: s.millis(), Why: "Somebody asked for a test.", URL: address, Test: true}
		m := AlertMessage{Title: "Test of the alert " + a.Name, Text: "This is a test that somebody asked for. The alert says:\n" + a.sentence(slugs[a.Project], names.of), URL: address}
		if err := s.deliver(ctx, a, &f, m); err != nil {
			return err
		}
		if err := s.rows().insertFiring(ctx, &f); err != nil {
			return err
		}
		return errors.Join(s.audit(ctx, a.Team, "issues.alert.test", a.Name, ""), s.publish(ctx, a.Team, topicAlerts, formatID(a.ID)))
	})
	return f, err
}

// tellHeld tells of firings that were only counted, when their time is over.
func (s *Service) tellHeld(ctx context.Context) error {
	now := s.Now()
	list, err := s.rows().endedBursts(ctx, now.Add(-burstTime).UnixMilli())
	if err != nil {
		return err
	}
	for _, r := range list {
		err := s.DB.Tx(ctx, func(ctx context.Context) error {
			held, err := s.rows().endBurst(ctx, r.ID)
			if err != nil || held == 0 {
				return err
			}
			a, err := r.alert()
			if err != nil {
				return err
			}
			why := fmt.Sprintf("It fired %s more within %s, which were not told one by one.", plural(held, "time"), span(int64(burstTime/time.Minute)))
			return s.act(ctx, withoutGitHub(a), firing{project: a.Project, why: why, title: "And " + formatID(held) + " more: " + a.Name, path: "/alerts/" + formatID(a.ID)}, issueRow{})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func withoutGitHub(a Alert) Alert {
	a.Actions = slices.DeleteFunc(slices.Clone(a.Actions), func(act Action) bool { return act.Type == ActGitHubIssue })
	return a
}

package issues

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// RegisterTools adds what machines may do with issues.
func (s *Service) RegisterTools(r *tools.Registry) error {
	return r.Register(append(append(s.issueTools(), s.releaseTools()...), s.monitorTools()...)...)
}

func (s *Service) issueTools() []tools.Tool {
	return []tools.Tool{
		tools.New(tools.Spec{Name: "issues_issue_list", Title: "List issues", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Issues of a team, those with the latest event first. query takes words (over title, message and stack) and terms such as " +
				"is:unresolved, is:regressed, release:web@2.4.0, environment:production, level:error, user.email:a@b.c, first_seen:-24h, events:>100; ! negates."}, s.toolIssues),
		tools.New(tools.Spec{Name: "issues_issue_get", Title: "Read an issue", Class: tools.ReadOnly, Level: identity.Read,
			Description: "One issue by its id or its short id such as WEB-142: state, numbers, tags with their most frequent values, what happened to it, commits that may have caused it, and its most telling event's stack."}, s.toolIssue),
		tools.New(tools.Spec{Name: "issues_event_get", Title: "Read an event", Class: tools.ReadOnly, Level: identity.Read,
			Description: "One event of an issue: by its id, or latest, first or recommended. Gives the exceptions with frames, breadcrumbs, request and tags."}, s.toolEvent),
		tools.New(tools.Spec{Name: "issues_issue_resolve", Title: "Resolve an issue", Class: tools.Write, Level: identity.Write,
			Description: "Marks an issue as fixed: now, in_release (with release), in_next_release or in_commit (with commit). It comes back by itself when it happens again."}, s.toolResolve),
		tools.New(tools.Spec{Name: "issues_issue_archive", Title: "Archive an issue", Class: tools.Write, Level: identity.Write,
			Description: "Takes an issue off the list: forever, until_escalating, for some minutes, or until so many more events or users."}, s.toolArchive),
		tools.New(tools.Spec{Name: "issues_issue_reopen", Title: "Reopen an issue", Class: tools.Write, Level: identity.Write,
			Description: "Makes a resolved or archived issue unresolved."}, s.toolReopen),
		tools.New(tools.Spec{Name: "issues_issue_assign", Title: "Assign an issue", Class: tools.Write, Level: identity.Write,
			Description: "Makes a person responsible for an issue; an empty assignee makes nobody."}, s.toolAssign),
	}
}

type toolListIn struct {
	Team    string `json:"team"`
	Project string `json:"project,omitempty"`
	Query   string `json:"query,omitempty"`
	Sort    string `json:"sort,omitempty"`
	Limit   int    `json:"limit,omitempty"`
}

func (s *Service) toolIssues(ctx context.Context, in toolListIn) (issueList, error) {
	list := issuesIn{Team: in.Team, Project: in.Project, Query: in.Query, Sort: Sort(in.Sort), Limit: in.Limit}
	if err := list.Validate(); err != nil {
		return issueList{}, err
	}
	return s.httpIssues(ctx, list)
}

type toolIssueIn struct {
	Team string `json:"team"`
	// Issue is an id or a short id.
	Issue string `json:"issue"`
}

// namedIssue finds an issue of a team by id or short id.
func (s *Service) namedIssue(ctx context.Context, team, name string, scope identity.Scope) (issueRow, error) {
	t, err := identity.RequireTeam(ctx, team, scope)
	if err != nil {
		return issueRow{}, err
	}
	missing := problem.New(problem.NotFound, "There is no issue %.60s in this team.", name)
	var row issueRow
	if isDigits(name) {
		var id int64
		if _, err := fmt.Sscan(name, &id); err != nil {
			return row, missing
		}
		row, err = s.rows().issue(ctx, id)
	} else {
		slug, number, ok := ParseShortID(name)
		if !ok {
			return row, missing
		}
		p, err := s.projectBySlug(ctx, t.ID, slug)
		if err != nil {
			return row, missing
		}
		row, err = s.rows().issueByNumber(ctx, p.ID, number)
		if err != nil {
			return row, err
		}
	}
	if err == nil && row.TeamID != t.ID {
		err = missing
	}
	return row, err
}

type toolIssue struct {
	Issue    issueItem       `json:"issue"`
	Terms    *Terms          `json:"terms,omitempty"`
	Tags     []tagShape      `json:"tags"`
	Activity []activityShape `json:"activity"`
	// Suspects are commits of its release that touched files of its stack.
	Suspects []suspectCommit `json:"suspect_commits"`
	Event    *toolEvent      `json:"event,omitempty"`
}

func (s *Service) toolIssue(ctx context.Context, in toolIssueIn) (toolIssue, error) {
	i, err := s.namedIssue(ctx, in.Team, in.Issue, reading)
	if err != nil {
		return toolIssue{}, err
	}
	shown, err := s.shapeIssue(ctx, i)
	if err != nil {
		return toolIssue{}, err
	}
	out := toolIssue{Issue: shown.issueItem, Terms: shown.Terms, Tags: []tagShape{}, Suspects: shown.Suspects}
	tags, err := s.httpIssueTags(ctx, byIssue{i.ID})
	if err != nil {
		return out, err
	}
	for _, t := range tags.Tags {
		t.Values = t.Values[:min(len(t.Values), 5)]
		out.Tags = append(out.Tags, t)
	}
	activity, err := s.httpActivity(ctx, byIssue{i.ID})
	if err != nil {
		return out, err
	}
	out.Activity = activity.Activity[:min(len(activity.Activity), 20)]
	e, err := s.toolEvent(ctx, toolEventIn{Team: in.Team, Issue: in.Issue, Event: "recommended"})
	switch {
	case problem.Is(err, problem.NotFound): // none is kept any more
		return out, nil
	case err != nil:
		return out, err
	}
	out.Event = &e
	return out, nil
}

type toolEventIn struct {
	Team  string `json:"team"`
	Issue string `json:"issue"`
	// Event is an id, latest, first or recommended.
	Event string `json:"event,omitempty"`
}

// toolEvent is an event as a model reads it: text, without what repeats.
type toolEvent struct {
	EventID     string        `json:"event_id"`
	Timestamp   time.Time     `json:"timestamp"`
	Release     string        `json:"release"`
	Environment string        `json:"environment"`
	TraceID     string        `json:"trace_id"`
	Message     string        `json:"message"`
	Exceptions  []string      `json:"exceptions"`
	Breadcrumbs []string      `json:"breadcrumbs"`
	Request     string        `json:"request"`
	Tags        []sentry.Pair `json:"tags"`
}

func (s *Service) toolEvent(ctx context.Context, in toolEventIn) (toolEvent, error) {
	i, err := s.namedIssue(ctx, in.Team, in.Issue, reading)
	if err != nil {
		return toolEvent{}, err
	}
	row, err := s.pickEvent(ctx, i, cmp.Or(in.Event, "latest"))
	if err != nil {
		return toolEvent{}, err
	}
	e, err := unpackEvent(row.Body)
	if err != nil {
		return toolEvent{}, err
	}
	return toolEventOf(&e), nil
}

func toolEventOf(e *sentry.Event) toolEvent {
	out := toolEvent{EventID: e.ID, Timestamp: e.Timestamp, Release: e.Release, Environment: e.Environment, TraceID: e.TraceID, Message: e.Message.Text(),
		Exceptions: []string{}, Breadcrumbs: []string{}, Tags: eventTags(e)}
	for n := len(e.Exceptions) - 1; n >= 0; n-- {
		out.Exceptions = append(out.Exceptions, traceText(e.Exceptions[n]))
	}
	for _, c := range e.Breadcrumbs[max(0, len(e.Breadcrumbs)-20):] {
		out.Breadcrumbs = append(out.Breadcrumbs, strings.TrimSpace(c.Timestamp.UTC().Format("15:04:05")+" "+c.Category+" "+clipText(c.Message, 300)))
	}
	if e.Request != nil {
		out.Request = strings.TrimSpace(e.Request.Method + " " + e.Request.URL)
	}
	return out
}

// traceText writes an exception and its frames, the crash first, own code with its line.
func traceText(x sentry.Exception) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", cmp.Or(x.Type, "Error"), clipText(x.Value, 2000))
	if x.Stack == nil {
		return b.String()
	}
	for n := len(x.Stack.Frames) - 1; n >= max(0, len(x.Stack.Frames)-30); n-- {
		f := x.Stack.Frames[n]
		own := " "
		if f.InApp {
			own = "*"
		}
		fmt.Fprintf(&b, "%s %s (%s:%d)\n", own, cmp.Or(f.Function, "?"), cmp.Or(f.Filename, f.AbsPath, f.Module), f.Line)
		if f.InApp && f.Context != "" {
			fmt.Fprintf(&b, "      %s\n", strings.TrimSpace(f.Context))
		}
	}
	return b.String()
}

// toolChange applies a change to a named issue and shows it.
func (s *Service) toolChange(ctx context.Context, team, name string, c Change) (issueItem, error) {
	i, err := s.namedIssue(ctx, team, name, writing)
	if err != nil {
		return issueItem{}, err
	}
	if err := s.ChangeIssues(ctx, []int64{i.ID}, c); err != nil {
		return issueItem{}, err
	}
	shown, err := s.httpIssue(ctx, byIssue{i.ID})
	return shown.issueItem, err
}

type toolResolveIn struct {
	Team    string `json:"team"`
	Issue   string `json:"issue"`
	Kind    string `json:"kind,omitempty"`
	Release string `json:"release,omitempty"`
	Commit  string `json:"commit,omitempty"`
}

func (s *Service) toolResolve(ctx context.Context, in toolResolveIn) (issueItem, error) {
	status := Resolved
	return s.toolChange(ctx, in.Team, in.Issue, Change{Status: &status, Terms: &Terms{Kind: TermsKind(in.Kind), Release: in.Release, Commit: in.Commit}})
}

type toolArchiveIn struct {
	Team    string `json:"team"`
	Issue   string `json:"issue"`
	Kind    string `json:"kind,omitempty"`
	Minutes int64  `json:"minutes,omitempty"`
	Events  int64  `json:"events,omitempty"`
	Users   int64  `json:"users,omitempty"`
}

func (s *Service) toolArchive(ctx context.Context, in toolArchiveIn) (issueItem, error) {
	status, terms := Archived, Terms{Kind: TermsKind(in.Kind), Events: in.Events, Users: in.Users}
	if in.Minutes > 0 {
		until := s.Now().Add(time.Duration(in.Minutes) * time.Minute)
		terms.Until = &until
	}
	if terms.Kind == "" {
		switch {
		case in.Minutes > 0:
			terms.Kind = UntilTime
		case in.Events > 0:
			terms.Kind = UntilEvents
		case in.Users > 0:
			terms.Kind = UntilUsers
		}
	}
	return s.toolChange(ctx, in.Team, in.Issue, Change{Status: &status, Terms: &terms})
}

func (s *Service) toolReopen(ctx context.Context, in toolIssueIn) (issueItem, error) {
	status := Unresolved
	return s.toolChange(ctx, in.Team, in.Issue, Change{Status: &status})
}

type toolAssignIn struct {
	Team     string `json:"team"`
	Issue    string `json:"issue"`
	Assignee string `json:"assignee"`
}

func (s *Service) toolAssign(ctx context.Context, in toolAssignIn) (issueItem, error) {
	return s.toolChange(ctx, in.Team, in.Issue, Change{Assignee: &in.Assignee})
}

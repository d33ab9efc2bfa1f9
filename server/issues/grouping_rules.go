package issues

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/signalbox/signalbox/server/issues/grouping"
	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// maxRulesText bounds what a project's rules may weigh: they are read with every project.
const maxRulesText = 64 << 10

// parseGrouping reads rules; its error names the line, as the field rules:LINE.
func parseGrouping(text string) ([]grouping.Rule, error) {
	if len(text) > maxRulesText {
		return nil, problem.FieldError("rules", "are longer than %d KiB", maxRulesText>>10)
	}
	list, err := grouping.ParseRules(text)
	if wrong := new(grouping.RuleError); errors.As(err, &wrong) {
		return nil, &problem.Error{Kind: problem.Invalid, Detail: fmt.Sprintf("Line %d: %s", wrong.Line, wrong.Sentence),
			Fields: []problem.Field{{Field: fmt.Sprintf("rules:%d", wrong.Line), Message: wrong.Sentence}}}
	}
	return list, err
}

// groupingRules are what gives a project's events fingerprints. Without them
// nothing is grouped: the item waits.
func (s *Service) groupingRules(ctx context.Context, project int64) ([]grouping.Rule, error) {
	p, err := s.openProject(ctx, project)
	if err != nil {
		return nil, problem.Wrap(err, problem.Unavailable, "The project's rules of grouping could not be read.")
	}
	if p == nil {
		return nil, problem.New(problem.NotFound, "There is no such project.")
	}
	return p.rules, nil
}

// explain says why an event is where it is: by the rules when they lead there
// still, else by what holds without them, since rules change and events stay.
func (s *Service) explain(ctx context.Context, row eventRow, e sentry.Event) ([]grouping.Reason, error) {
	rules, err := s.groupingRules(ctx, row.ProjectID)
	if err != nil {
		return nil, err
	}
	g := grouping.Group(e, grouping.Options{Rules: rules})
	if len(g.Hashes) > 0 && g.Hashes[0].Value == row.Hash {
		return g.Why, nil
	}
	return grouping.Group(e, grouping.Options{}).Why, nil
}

// GroupingRules gives a project's rules as they were written.
func (s *Service) GroupingRules(ctx context.Context, project int64) (string, error) {
	p, err := s.ReadableProject(ctx, project)
	return p.Grouping, err
}

// SetGroupingRules replaces a project's rules. They hold for what is digested
// from now on; events stay in the issues that have them.
func (s *Service) SetGroupingRules(ctx context.Context, project int64, text string) (string, error) {
	p, err := s.ChangeProject(ctx, project, func(p *Project) { p.Grouping = strings.ReplaceAll(text, "\r\n", "\n") })
	return p.Grouping, err
}

// GroupingSide is how an event groups under some rules.
type GroupingSide struct {
	Title  string            `json:"title"`
	Hashes []grouping.Hash   `json:"hashes"`
	Why    []grouping.Reason `json:"why"`
	// Issue is the one that has the first of the hashes that is known; null when a new one would be made.
	Issue *issueRef `json:"issue"`
}

// GroupingPreview compares how an event groups by the stored rules with how it would by others.
type GroupingPreview struct {
	EventID string       `json:"event_id"`
	Now     GroupingSide `json:"now"`
	Then    GroupingSide `json:"then"`
	// Changed says that the two lead to different hashes or titles.
	Changed bool `json:"changed"`
}

// PreviewGrouping groups a stored event of the project, the latest when eventID
// is empty, by the rules that hold and by others, and stores nothing.
func (s *Service) PreviewGrouping(ctx context.Context, project int64, text, eventID string) (GroupingPreview, error) {
	var out GroupingPreview
	p, err := s.writableProject(ctx, project)
	if err != nil {
		return out, err
	}
	wanted, err := parseGrouping(text)
	if err != nil {
		return out, err
	}
	present, err := parseGrouping(p.Grouping)
	if err != nil {
		return out, err
	}
	row, err := s.rows().eventOfProject(ctx, project, plainID(eventID))
	if err != nil {
		return out, err
	}
	e, err := unpackEvent(row.Body)
	if err != nil {
		return out, fmt.Errorf("read a stored event: %w", err)
	}
	out.EventID = row.EventID
	if out.Now, err = s.groupingSide(ctx, p, e, present); err != nil {
		return out, err
	}
	if out.Then, err = s.groupingSide(ctx, p, e, wanted); err != nil {
		return out, err
	}
	out.Changed = out.Now.Title != out.Then.Title || fmt.Sprint(out.Now.Hashes) != fmt.Sprint(out.Then.Hashes)
	return out, nil
}

func (s *Service) groupingSide(ctx context.Context, p Project, e sentry.Event, rules []grouping.Rule) (GroupingSide, error) {
	g := grouping.Group(e, grouping.Options{Rules: rules})
	out := GroupingSide{Title: g.Title, Hashes: append([]grouping.Hash{}, g.Hashes...), Why: append([]grouping.Reason{}, g.Why...)}
	wanted := make([]string, len(g.Hashes))
	for i, h := range g.Hashes {
		wanted[i] = h.Value
	}
	found, err := s.rows().hashes(ctx, p.ID, wanted)
	if err != nil {
		return out, err
	}
	known := make(map[string]int64, len(found))
	for _, h := range found {
		known[h.Hash] = h.IssueID
	}
	for _, hash := range wanted {
		id := known[hash]
		if id == 0 {
			continue
		}
		i, err := s.rows().issue(ctx, id)
		if err != nil {
			return out, err
		}
		out.Issue = &issueRef{i.ID, ShortID(p.Slug, i.Number), i.Title}
		return out, nil
	}
	return out, nil
}

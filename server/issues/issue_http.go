package issues

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) issueRoutes(r api.Router) {
	read, write := api.Scoped("issues", identity.Read), api.Scoped("issues", identity.Write)
	r.GET("/issues", read, api.Handle(s.httpIssues))
	r.POST("/issues/bulk", write, api.Handle(s.httpBulk))
	r.GET("/issues/count", read, api.Handle(s.httpCountIssues))
	r.POST("/issues/merge", write, api.Handle(s.httpMerge))
	r.GET("/issues/:id", read, api.Handle(s.httpIssue))
	r.PATCH("/issues/:id", write, api.Handle(s.httpChangeIssue))
	r.DELETE("/issues/:id", write, api.Handle(s.httpDeleteIssue))
	r.POST("/issues/:id/unmerge", write, api.Handle(s.httpUnmerge))
	r.GET("/issues/:id/tags", read, api.Handle(s.httpIssueTags))
	r.GET("/issues/:id/grouping", read, api.Handle(s.httpGrouping))
	s.commentRoutes(r)
	s.eventRoutes(r)
}

func formatID(id int64) string { return strconv.FormatInt(id, 10) }

type issuesIn struct {
	Team    string `form:"team" json:"-"`
	Project string `form:"project" json:"-"`
	Query   string `form:"query" json:"-"`
	Sort    Sort   `form:"sort" json:"-"`
	Cursor  string `form:"cursor" json:"-"`
	Limit   int    `form:"limit" json:"-"`
}

// Validate fills in the defaults.
func (in *issuesIn) Validate() error {
	if in.Team == "" {
		return problem.FieldError("team", "say which team, as ?team=main")
	}
	in.Sort, in.Limit = cmp.Or(in.Sort, ByLastSeen), cmp.Or(in.Limit, 25)
	if in.Limit < 1 || in.Limit > 100 {
		return problem.FieldError("limit", "is not between 1 and 100")
	}
	return in.Sort.Validate()
}

type issueList struct {
	Issues []issueItem `json:"issues"`
	// Next is the cursor of the next page, "" on the last one.
	Next string `json:"next"`
}

func (s *Service) httpIssues(ctx context.Context, in issuesIn) (issueList, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return issueList{}, err
	}
	f, err := s.filterOf(ctx, team.ID, in.Project, in.Query)
	if err != nil {
		return issueList{}, err
	}
	f.Sort, f.Limit = in.Sort, in.Limit+1
	if in.Cursor != "" {
		if f.Place, err = parsePlace(in.Cursor); err != nil {
			return issueList{}, err
		}
	}
	list, err := s.rows().listIssues(ctx, f)
	if err != nil {
		return issueList{}, err
	}
	out := issueList{}
	if len(list) > in.Limit {
		list = list[:in.Limit]
		last := list[in.Limit-1]
		out.Next = place{in.Sort.of(last), last.ID}.cursor()
	}
	out.Issues, err = s.shapeIssues(ctx, team.ID, list)
	return out, err
}

func (s *Service) httpIssue(ctx context.Context, in byIssue) (issueShape, error) {
	i, err := s.issueFor(ctx, in.ID, reading)
	if err != nil {
		return issueShape{}, err
	}
	return s.shapeIssue(ctx, i)
}

type changeIn struct {
	ID int64 `uri:"id" json:"-" form:"-"`
	Change
}

func (s *Service) httpChangeIssue(ctx context.Context, in changeIn) (issueShape, error) {
	if err := s.ChangeIssues(ctx, []int64{in.ID}, in.Change); err != nil {
		return issueShape{}, err
	}
	return s.httpIssue(ctx, byIssue{in.ID})
}

func (s *Service) httpDeleteIssue(ctx context.Context, in byIssue) (api.Nothing, error) {
	return api.Nothing{}, s.DeleteIssues(ctx, []int64{in.ID})
}

// maxBulk is how many issues one request changes; of a query, the first so many.
const maxBulk = 1000

type bulkIn struct {
	// IDs name the issues; or Team, Project and Query select them.
	IDs     []int64 `json:"ids,omitempty" form:"-"`
	Team    string  `json:"team,omitempty" form:"-"`
	Project string  `json:"project,omitempty" form:"-"`
	Query   *string `json:"query,omitempty" form:"-"`
	// Action is change or delete.
	Action string `json:"action" form:"-"`
	Change
}

type bulkOut struct {
	Changed int `json:"changed"`
	// More says that the query matches more issues than one request changes.
	More bool `json:"more"`
}

func (s *Service) httpBulk(ctx context.Context, in bulkIn) (bulkOut, error) {
	var out bulkOut
	if (len(in.IDs) == 0) == (in.Query == nil) {
		return out, problem.New(problem.Invalid, "Give either ids or a query with its team.")
	}
	if len(in.IDs) > maxBulk {
		return out, problem.FieldError("ids", "names more than %d issues", maxBulk)
	}
	ids := slices.Clone(in.IDs)
	if in.Query != nil {
		team, err := identity.RequireTeam(ctx, in.Team, writing)
		if err != nil {
			return out, err
		}
		f, err := s.filterOf(ctx, team.ID, in.Project, *in.Query)
		if err != nil {
			return out, err
		}
		f.Limit = maxBulk + 1
		list, err := s.rows().listIssues(ctx, f)
		if err != nil {
			return out, err
		}
		out.More = len(list) > maxBulk
		for _, i := range list[:min(len(list), maxBulk)] {
			ids = append(ids, i.ID)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	out.Changed = len(ids)
	if len(ids) == 0 {
		return out, nil
	}
	switch in.Action {
	case "change", "":
		return out, s.ChangeIssues(ctx, ids, in.Change)
	case "delete":
		return out, s.DeleteIssues(ctx, ids)
	}
	return out, problem.FieldError("action", "%q is neither change nor delete", in.Action)
}

type countIn struct {
	Team    string `form:"team" json:"-"`
	Project string `form:"project" json:"-"`
	Query   string `form:"query" json:"-"`
}

type countOut struct {
	Count int `json:"count"`
	// More says that there are more than one request changes; Count is how many it does.
	More bool `json:"more"`
}

// httpCountIssues says how many issues a change of all that match would change.
func (s *Service) httpCountIssues(ctx context.Context, in countIn) (countOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return countOut{}, err
	}
	f, err := s.filterOf(ctx, team.ID, in.Project, in.Query)
	if err != nil {
		return countOut{}, err
	}
	f.Limit = maxBulk + 1
	list, err := s.rows().listIssues(ctx, f)
	return countOut{Count: min(len(list), maxBulk), More: len(list) > maxBulk}, err
}

type mergeIn struct {
	IDs []int64 `json:"ids" form:"-"`
	// Into is the issue that stays; that with the most events when absent.
	Into int64 `json:"into,omitempty" form:"-"`
}

func (s *Service) httpMerge(ctx context.Context, in mergeIn) (issueShape, error) {
	id, err := s.MergeIssues(ctx, in.IDs, in.Into)
	if err != nil {
		return issueShape{}, err
	}
	return s.httpIssue(ctx, byIssue{id})
}

type unmergeIn struct {
	ID   int64  `uri:"id" json:"-" form:"-"`
	Hash string `json:"hash" form:"-"`
}

func (s *Service) httpUnmerge(ctx context.Context, in unmergeIn) (issueShape, error) {
	id, err := s.UnmergeIssue(ctx, in.ID, in.Hash)
	if err != nil {
		return issueShape{}, err
	}
	return s.httpIssue(ctx, byIssue{id})
}

type tagShape struct {
	Key   string `json:"key"`
	Total int64  `json:"total"`
	// Values are the most frequent, Other what is counted beyond them.
	Values []tagValue `json:"values"`
	Other  int64      `json:"other"`
}

type tagValue struct {
	Value string `json:"value"`
	Count int64  `json:"count"`
}

type tagList struct {
	Tags []tagShape `json:"tags"`
}

const shownValues = 20

func (s *Service) httpIssueTags(ctx context.Context, in byIssue) (tagList, error) {
	if _, err := s.issueFor(ctx, in.ID, reading); err != nil {
		return tagList{}, err
	}
	counts, err := s.rows().tagCounts(ctx, []int64{in.ID})
	return shapeTags(parseTagCounts(counts[in.ID])), err
}

func shapeTags(counts tagCounts) tagList {
	out := tagList{Tags: []tagShape{}}
	for key, values := range counts {
		t := tagShape{Key: key, Values: []tagValue{}, Other: values[""]}
		for v, n := range values {
			t.Total += n
			if v != "" {
				t.Values = append(t.Values, tagValue{v, n})
			}
		}
		slices.SortFunc(t.Values, func(a, b tagValue) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value)) })
		for _, v := range t.Values[min(shownValues, len(t.Values)):] {
			t.Other += v.Count
		}
		t.Values = t.Values[:min(shownValues, len(t.Values))]
		out.Tags = append(out.Tags, t)
	}
	slices.SortFunc(out.Tags, func(a, b tagShape) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

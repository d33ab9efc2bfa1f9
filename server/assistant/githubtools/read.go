package githubtools

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"
)

type login struct {
	Login string `json:"login"`
}

type named struct {
	Name string `json:"name"`
}

// Item is an issue or pull request as a search gives it.
type Item struct {
	Number    int       `json:"number"`
	Title     string    `json:"title"`
	State     string    `json:"state"`
	Draft     bool      `json:"draft,omitempty"`
	Author    string    `json:"author"`
	Assignees []string  `json:"assignees"`
	Labels    []string  `json:"labels"`
	CreatedAt time.Time `json:"created_at"`
	ClosedAt  time.Time `json:"closed_at,omitzero"`
	MergedAt  time.Time `json:"merged_at,omitzero"`
	Body      string    `json:"body,omitempty"`
	URL       string    `json:"html_url"`
}

// rawItem is what of GitHub's answer is read.
type rawItem struct {
	Number      int        `json:"number"`
	Title       string     `json:"title"`
	State       string     `json:"state"`
	Draft       bool       `json:"draft"`
	User        login      `json:"user"`
	Assignees   []login    `json:"assignees"`
	Labels      []named    `json:"labels"`
	CreatedAt   time.Time  `json:"created_at"`
	ClosedAt    *time.Time `json:"closed_at"`
	MergedAt    *time.Time `json:"merged_at"`
	Body        string     `json:"body"`
	HTMLURL     string     `json:"html_url"`
	PullRequest *struct {
		MergedAt *time.Time `json:"merged_at"`
	} `json:"pull_request"`
}

// maxBody is how much of a body is given, in bytes: enough for what it says it closes.
const maxBody = 4000

func (r rawItem) item() Item {
	i := Item{Number: r.Number, Title: r.Title, State: r.State, Draft: r.Draft, Author: r.User.Login, Assignees: logins(r.Assignees), Labels: names(r.Labels),
		CreatedAt: r.CreatedAt, Body: clip(r.Body, maxBody), URL: r.HTMLURL}
	if r.ClosedAt != nil {
		i.ClosedAt = *r.ClosedAt
	}
	switch {
	case r.MergedAt != nil:
		i.MergedAt = *r.MergedAt
	case r.PullRequest != nil && r.PullRequest.MergedAt != nil:
		i.MergedAt = *r.PullRequest.MergedAt
	}
	return i
}

func logins(list []login) []string {
	out := make([]string, 0, len(list))
	for _, l := range list {
		out = append(out, l.Login)
	}
	return out
}

func names(list []named) []string {
	out := make([]string, 0, len(list))
	for _, n := range list {
		out = append(out, n.Name)
	}
	return out
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + " … [cut: " + strconv.Itoa(len(s)-n) + " bytes more]"
}

type searchIn struct {
	Query   string `json:"query"`
	Page    int    `json:"page,omitempty"`
	PerPage int    `json:"perPage,omitempty"`
}

// Found is a page of a search.
type Found struct {
	TotalCount int    `json:"total_count"`
	Incomplete bool   `json:"incomplete_results,omitempty"`
	Items      []Item `json:"items"`
}

func (s *Server) searchIssues(ctx context.Context, in searchIn) (Found, error) {
	return s.searchItems(ctx, "is:issue", in)
}

func (s *Server) searchPulls(ctx context.Context, in searchIn) (Found, error) {
	return s.searchItems(ctx, "is:pr", in)
}

func (s *Server) searchItems(ctx context.Context, kind string, in searchIn) (Found, error) {
	var raw struct {
		TotalCount int       `json:"total_count"`
		Incomplete bool      `json:"incomplete_results"`
		Items      []rawItem `json:"items"`
	}
	err := s.search(ctx, "issues", in.Query+" "+kind, in.Page, in.PerPage, &raw)
	out := Found{TotalCount: raw.TotalCount, Incomplete: raw.Incomplete, Items: []Item{}}
	for _, r := range raw.Items {
		out.Items = append(out.Items, r.item())
	}
	return out, err
}

type issueIn struct {
	repo
	Number int    `json:"issue_number"`
	Method string `json:"method,omitempty" enum:"get,get_comments"`
	pages
}

// Comment is something said under an issue or pull request.
type Comment struct {
	Author    string    `json:"author"`
	Body      string    `json:"body"`
	CreatedAt time.Time `json:"created_at"`
}

type issueOut struct {
	Issue    *Item     `json:"issue,omitempty"`
	Comments []Comment `json:"comments,omitempty"`
	NextPage int       `json:"next_page,omitempty"`
}

func (s *Server) readIssue(ctx context.Context, in issueIn) (issueOut, error) {
	path := "/issues/" + strconv.Itoa(in.Number)
	if in.Method == "get_comments" {
		list, err := s.comments(ctx, in.repo, path, in.query(30))
		return issueOut{Comments: list, NextPage: in.next(30, len(list))}, err
	}
	var raw rawItem
	if err := s.get(ctx, in.repo, path, nil, &raw); err != nil {
		return issueOut{}, err
	}
	i := raw.item()
	return issueOut{Issue: &i}, nil
}

func (s *Server) comments(ctx context.Context, r repo, path string, query url.Values) ([]Comment, error) {
	var raw []struct {
		User      login     `json:"user"`
		Body      string    `json:"body"`
		CreatedAt time.Time `json:"created_at"`
	}
	err := s.get(ctx, r, path+"/comments", query, &raw)
	out := []Comment{}
	for _, c := range raw {
		out = append(out, Comment{c.User.Login, clip(c.Body, maxBody), c.CreatedAt})
	}
	return out, err
}

type pullIn struct {
	repo
	Number int    `json:"pullNumber"`
	Method string `json:"method" enum:"get,get_reviews,get_check_runs,get_files,get_comments"`
	pages
}

// Pull is a pull request.
type Pull struct {
	Item
	Mergeable string   `json:"mergeable_state"`
	MergedBy  string   `json:"merged_by,omitempty"`
	Head      string   `json:"head"`
	HeadSHA   string   `json:"head_sha"`
	Base      string   `json:"base"`
	Asked     []string `json:"requested_reviewers"`
	Teams     []string `json:"requested_teams"`
}

// Review is what somebody decided about a pull request.
type Review struct {
	Author      string    `json:"author"`
	State       string    `json:"state"`
	SubmittedAt time.Time `json:"submitted_at"`
}

// Check is a run of something that checks a commit.
type Check struct {
	Name       string `json:"name"`
	Status     string `json:"status"`
	Conclusion string `json:"conclusion"`
}

type pullOut struct {
	Pull     *Pull     `json:"pull_request,omitempty"`
	Reviews  []Review  `json:"reviews,omitempty"`
	Checks   []Check   `json:"check_runs,omitempty"`
	Files    []string  `json:"files,omitempty"`
	Comments []Comment `json:"comments,omitempty"`
	// NextPage is where the list goes on.
	NextPage int `json:"next_page,omitempty"`
}

func (s *Server) readPull(ctx context.Context, in pullIn) (out pullOut, err error) {
	path := "/pulls/" + strconv.Itoa(in.Number)
	hundred := in.query(100)
	switch in.Method {
	case "get_reviews":
		var raw []struct {
			User        login     `json:"user"`
			State       string    `json:"state"`
			SubmittedAt time.Time `json:"submitted_at"`
		}
		err = s.get(ctx, in.repo, path+"/reviews", hundred, &raw)
		out.Reviews = []Review{}
		for _, r := range raw {
			out.Reviews = append(out.Reviews, Review{r.User.Login, r.State, r.SubmittedAt})
		}
		out.NextPage = in.next(100, len(raw))
	case "get_files":
		var raw []struct {
			Filename string `json:"filename"`
		}
		err = s.get(ctx, in.repo, path+"/files", hundred, &raw)
		for _, f := range raw {
			out.Files = append(out.Files, f.Filename)
		}
		out.NextPage = in.next(100, len(raw))
	case "get_comments":
		out.Comments, err = s.comments(ctx, in.repo, "/issues/"+strconv.Itoa(in.Number), in.query(30))
		out.NextPage = in.next(30, len(out.Comments))
	case "get_check_runs":
		var p Pull
		if p, err = s.pull(ctx, in.repo, path); err != nil {
			return out, err
		}
		var raw struct {
			CheckRuns []Check `json:"check_runs"`
		}
		err = s.get(ctx, in.repo, "/commits/"+p.HeadSHA+"/check-runs", hundred, &raw)
		out.Checks = append([]Check{}, raw.CheckRuns...)
	default:
		var p Pull
		p, err = s.pull(ctx, in.repo, path)
		out.Pull = &p
	}
	return out, err
}

func (s *Server) pull(ctx context.Context, r repo, path string) (Pull, error) {
	var raw struct {
		rawItem
		MergeableState     string  `json:"mergeable_state"`
		MergedBy           login   `json:"merged_by"`
		RequestedReviewers []login `json:"requested_reviewers"`
		RequestedTeams     []named `json:"requested_teams"`
		Head, Base         struct{ Ref, SHA string }
	}
	err := s.get(ctx, r, path, nil, &raw)
	return Pull{Item: raw.item(), Mergeable: raw.MergeableState, MergedBy: raw.MergedBy.Login, Head: raw.Head.Ref, HeadSHA: raw.Head.SHA, Base: raw.Base.Ref,
		Asked: logins(raw.RequestedReviewers), Teams: names(raw.RequestedTeams)}, err
}

// Release is a published version.
type Release struct {
	Tag         string    `json:"tag_name"`
	Name        string    `json:"name"`
	Prerelease  bool      `json:"prerelease"`
	PublishedAt time.Time `json:"published_at"`
	Body        string    `json:"body,omitempty"`
	URL         string    `json:"html_url"`
}

func (s *Server) latestRelease(ctx context.Context, in repo) (Release, error) {
	var out Release
	err := s.get(ctx, in, "/releases/latest", nil, &out)
	out.Body = clip(out.Body, maxBody)
	return out, err
}

// pages are how a list is asked for in parts.
type pages struct {
	Page    int `json:"page,omitempty"`
	PerPage int `json:"perPage,omitempty"`
}

func (p pages) query(usual int) url.Values {
	return url.Values{"per_page": {strconv.Itoa(bounded(p.PerPage, usual, 100))}, "page": {strconv.Itoa(bounded(p.Page, 1, 100))}}
}

// next is the page that follows a list, 0 when it was the last one.
func (p pages) next(usual, got int) int {
	if got < bounded(p.PerPage, usual, 100) {
		return 0
	}
	return bounded(p.Page, 1, 100) + 1
}

type releasesIn struct {
	repo
	pages
}

type releasesOut struct {
	Releases []Release `json:"releases"`
	NextPage int       `json:"next_page,omitempty"`
}

func (s *Server) releases(ctx context.Context, in releasesIn) (releasesOut, error) {
	out := releasesOut{Releases: []Release{}}
	err := s.get(ctx, in.repo, "/releases", in.query(10), &out.Releases)
	out.NextPage = in.next(10, len(out.Releases))
	for i := range out.Releases {
		out.Releases[i].Body = clip(out.Releases[i].Body, 500)
	}
	return out, err
}

type tagIn struct {
	repo
	Tag string `json:"tag"`
}

func (s *Server) releaseByTag(ctx context.Context, in tagIn) (Release, error) {
	var out Release
	err := s.get(ctx, in.repo, "/releases/tags/"+url.PathEscape(in.Tag), nil, &out)
	out.Body = clip(out.Body, maxBody)
	return out, err
}

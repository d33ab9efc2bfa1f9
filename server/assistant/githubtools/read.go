package githubtools

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
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
}

func (s *Server) readIssue(ctx context.Context, in issueIn) (issueOut, error) {
	path := "/issues/" + strconv.Itoa(in.Number)
	if in.Method == "get_comments" {
		list, err := s.comments(ctx, in.repo, path)
		return issueOut{Comments: list}, err
	}
	var raw rawItem
	if err := s.get(ctx, in.repo, path, nil, &raw); err != nil {
		return issueOut{}, err
	}
	i := raw.item()
	return issueOut{Issue: &i}, nil
}

func (s *Server) comments(ctx context.Context, r repo, path string) ([]Comment, error) {
	var raw []struct {
		User      login     `json:"user"`
		Body      string    `json:"body"`
		CreatedAt time.Time `json:"created_at"`
	}
	err := s.get(ctx, r, path+"/comments", url.Values{"per_page": {"30"}}, &raw)
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
}

func (s *Server) readPull(ctx context.Context, in pullIn) (out pullOut, err error) {
	path := "/pulls/" + strconv.Itoa(in.Number)
	hundred := url.Values{"per_page": {"100"}}
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
	case "get_files":
		var raw []struct {
			Filename string `json:"filename"`
		}
		err = s.get(ctx, in.repo, path+"/files", hundred, &raw)
		for _, f := range raw {
			out.Files = append(out.Files, f.Filename)
		}
	case "get_comments":
		out.Comments, err = s.comments(ctx, in.repo, "/issues/"+strconv.Itoa(in.Number))
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

type releasesIn struct {
	repo
	PerPage int `json:"perPage,omitempty"`
}

type releasesOut struct {
	Releases []Release `json:"releases"`
}

func (s *Server) releases(ctx context.Context, in releasesIn) (releasesOut, error) {
	out := releasesOut{Releases: []Release{}}
	err := s.get(ctx, in.repo, "/releases", url.Values{"per_page": {strconv.Itoa(bounded(in.PerPage, 10, 100))}}, &out.Releases)
	for i := range out.Releases {
		out.Releases[i].Body = clip(out.Releases[i].Body, 500)
	}
	return out, err
}

type compareIn struct {
	repo
	Base string `json:"base"`
	Head string `json:"head"`
}

// Commit is one commit, with the pull requests that its message names.
type Commit struct {
	SHA     string    `json:"sha"`
	Message string    `json:"message"`
	Author  string    `json:"author"`
	Date    time.Time `json:"date"`
	Pulls   []int     `json:"pull_requests"`
	URL     string    `json:"html_url"`
}

type rawCommit struct {
	SHA     string `json:"sha"`
	HTMLURL string `json:"html_url"`
	Author  *login `json:"author"`
	Commit  struct {
		Message string `json:"message"`
		Author  struct {
			Name string    `json:"name"`
			Date time.Time `json:"date"`
		} `json:"author"`
	} `json:"commit"`
}

// pullForm finds "(#12)" of squashed commits and "pull request #12" of merges.
var pullForm = regexp.MustCompile(`(?:\(#|pull request #)(\d{1,7})\b`)

func (r rawCommit) commit() Commit {
	c := Commit{SHA: r.SHA, Message: clip(r.Commit.Message, 500), Author: r.Commit.Author.Name, Date: r.Commit.Author.Date, URL: r.HTMLURL, Pulls: []int{}}
	if r.Author != nil && r.Author.Login != "" {
		c.Author = r.Author.Login
	}
	for _, m := range pullForm.FindAllStringSubmatch(r.Commit.Message, 20) {
		if n, err := strconv.Atoi(m[1]); err == nil && !slices.Contains(c.Pulls, n) {
			c.Pulls = append(c.Pulls, n)
		}
	}
	return c
}

type commitsOut struct {
	TotalCommits int      `json:"total_commits,omitempty"`
	Commits      []Commit `json:"commits"`
}

func (s *Server) compare(ctx context.Context, in compareIn) (commitsOut, error) {
	var raw struct {
		TotalCommits int         `json:"total_commits"`
		Commits      []rawCommit `json:"commits"`
	}
	err := s.get(ctx, in.repo, "/compare/"+url.PathEscape(in.Base)+"..."+url.PathEscape(in.Head), url.Values{"per_page": {"100"}}, &raw)
	out := commitsOut{TotalCommits: raw.TotalCommits, Commits: []Commit{}}
	for _, c := range raw.Commits {
		out.Commits = append(out.Commits, c.commit())
	}
	return out, err
}

type commitsIn struct {
	repo
	SHA     string    `json:"sha,omitempty"`
	Path    string    `json:"path,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	PerPage int       `json:"perPage,omitempty"`
}

func (s *Server) commits(ctx context.Context, in commitsIn) (commitsOut, error) {
	query := url.Values{"per_page": {strconv.Itoa(bounded(in.PerPage, 30, 100))}}
	for key, value := range map[string]string{"sha": in.SHA, "path": in.Path} {
		if value != "" {
			query.Set(key, value)
		}
	}
	if !in.Since.IsZero() {
		query.Set("since", in.Since.UTC().Format(time.RFC3339))
	}
	var raw []rawCommit
	err := s.get(ctx, in.repo, "/commits", query, &raw)
	out := commitsOut{Commits: []Commit{}}
	for _, c := range raw {
		out.Commits = append(out.Commits, c.commit())
	}
	return out, err
}

type codeOut struct {
	TotalCount int `json:"total_count"`
	Items      []struct {
		Path string `json:"path"`
		URL  string `json:"html_url"`
	} `json:"items"`
}

func (s *Server) searchCode(ctx context.Context, in searchIn) (out codeOut, err error) {
	err = s.search(ctx, "code", in.Query, in.Page, in.PerPage, &out)
	return out, err
}

type fileIn struct {
	repo
	Path string `json:"path"`
	Ref  string `json:"ref,omitempty"`
}

type fileOut struct {
	Path    string `json:"path"`
	Content string `json:"content"`
}

// maxFile is the largest file that is read, in bytes.
const maxFile = 64 << 10

func (s *Server) file(ctx context.Context, in fileIn) (fileOut, error) {
	var query url.Values
	if in.Ref != "" {
		query = url.Values{"ref": {in.Ref}}
	}
	if strings.Contains(in.Path, "..") {
		return fileOut{}, problem.FieldError("path", "has two dots")
	}
	var raw struct{ Type, Encoding, Content string }
	if err := s.get(ctx, in.repo, "/contents/"+(&url.URL{Path: strings.TrimPrefix(in.Path, "/")}).EscapedPath(), query, &raw); err != nil {
		return fileOut{}, err
	}
	text, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(raw.Content, "\n", ""))
	if err != nil || raw.Encoding != "base64" {
		return fileOut{}, problem.New(problem.Invalid, "%.100s is no file of text.", in.Path)
	}
	return fileOut{Path: in.Path, Content: clip(string(text), maxFile)}, nil
}

type runsIn struct {
	repo
	Branch  string `json:"branch,omitempty"`
	PerPage int    `json:"perPage,omitempty"`
}

// WorkflowRun is a run of GitHub Actions.
type WorkflowRun struct {
	ID         int64     `json:"id"`
	Name       string    `json:"name"`
	Branch     string    `json:"head_branch"`
	Status     string    `json:"status"`
	Conclusion string    `json:"conclusion"`
	CreatedAt  time.Time `json:"created_at"`
	URL        string    `json:"html_url"`
}

type runsOut struct {
	Runs []WorkflowRun `json:"workflow_runs"`
}

func (s *Server) runs(ctx context.Context, in runsIn) (out runsOut, err error) {
	query := url.Values{"per_page": {fmt.Sprint(bounded(in.PerPage, 20, 100))}}
	if in.Branch != "" {
		query.Set("branch", in.Branch)
	}
	err = s.get(ctx, in.repo, "/actions/runs", query, &out)
	return out, err
}

package githubtools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// Server answers for one team.
type Server struct {
	// Client gives the client that reaches a repository, "owner/name".
	Client func(ctx context.Context, repository string) (*github.Client, error)
	// Allowed are the repositories that may be asked about, in GitHub's spelling.
	Allowed []string
	// OnRead hears of each repository that was read, before it is.
	OnRead func(repository string) error
	// Cache keeps answers for those of one Scope, which says whose access they came with; nil asks anew each time.
	Cache *Cache
	Scope string
	// OnCached hears how old an answer is that GitHub was not asked for just now.
	OnCached func(at time.Time)
}

// Tools are what can be called; the same for every team.
func (s *Server) Tools() []tools.Tool {
	read := func(name, title, description string) tools.Spec {
		return tools.Spec{Name: name, Title: title, Description: description, Class: tools.ReadOnly, Level: identity.Read}
	}
	return []tools.Tool{
		tools.New(read("search_issues", "Search GitHub issues", "Issues by GitHub's search syntax, which must name a repo: repo:acme/shop is:open label:bug. Gives total_count and a page of them."), s.searchIssues),
		tools.New(read("search_pull_requests", "Search pull requests", "Pull requests by GitHub's search syntax, which must name a repo: repo:acme/shop merged:>=2026-04-13. Gives total_count and a page of them."), s.searchPulls),
		tools.New(read("issue_read", "Read an issue", "One issue with its body; method get_comments gives what was said."), s.readIssue),
		tools.New(read("pull_request_read", "Read a pull request", "method get, get_reviews, get_check_runs, get_files or get_comments."), s.readPull),
		tools.New(read("get_latest_release", "Latest release", "The newest release that is no draft and no pre-release."), s.latestRelease),
		tools.New(read("list_releases", "List releases", "Releases, newest first, pre-releases among them."), s.releases),
		tools.New(read("compare_commits", "Compare two versions", "Commits between two tags, branches or commits, with the pull requests that their messages name."), s.compare),
		tools.New(read("get_release_by_tag", "Read a release", "One release with its notes, by its tag."), s.releaseByTag),
		tools.New(read("get_commit", "Read a commit", "One commit by its SHA, branch or tag, with the files that it changes."), s.oneCommit),
		tools.New(read("list_commits", "List commits", "Commits of a branch, newest first; of one path when named."), s.commits),
		tools.New(read("search_code", "Search code", "Files whose text meets GitHub's code search, which must name a repo."), s.searchCode),
		tools.New(read("get_file_contents", "Read a file", "A text file of a repository, up to 64 kB."), s.file),
		tools.New(read("actions_list", "List workflow runs", "Runs of GitHub Actions, newest first; of one branch when named. With run_id the jobs of that run, and which of their steps failed."), s.runs),
	}
}

// repo is how a call names its repository.
type repo struct {
	Owner string `json:"owner"`
	Repo  string `json:"repo"`
}

// errRefused marks the refusal to look at a repository.
var errRefused = errors.New("the repository is not allowed")

// IsRefused tells whether an error is a refusal to look at a repository.
func IsRefused(err error) bool { return errors.Is(err, errRefused) }

// client checks the repository and gives who reaches it, and how GitHub spells it.
func (s *Server) client(ctx context.Context, owner, name string) (*github.Client, string, error) {
	full := owner + "/" + name
	i := slices.IndexFunc(s.Allowed, func(a string) bool { return strings.EqualFold(a, full) })
	if i < 0 {
		return nil, "", problem.Wrap(errRefused, problem.Forbidden, "%s is not on this team's list of repositories; an owner adds it under Assistant, Settings.", full)
	}
	if s.OnRead != nil {
		if err := s.OnRead(s.Allowed[i]); err != nil {
			return nil, "", err
		}
	}
	c, err := s.Client(ctx, s.Allowed[i])
	return c, s.Allowed[i], err
}

// get asks GitHub's REST API; path is below /repos/{owner}/{name}/.
func (s *Server) get(ctx context.Context, r repo, path string, query url.Values, out any) error {
	c, full, err := s.client(ctx, r.Owner, r.Repo)
	if err != nil {
		return err
	}
	return s.ask(ctx, c, full, "repos/"+full+path, query, out)
}

// ask makes a call, or takes what an earlier one of the same team's has brought.
func (s *Server) ask(ctx context.Context, c *github.Client, repository, path string, query url.Values, out any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	if s.Cache == nil {
		body, _, err := fetch(ctx, c, path, "")
		if err != nil {
			return explain(err)
		}
		return read(body, out)
	}
	body, at, err := s.Cache.get(ctx, c, place{s.Scope, repository, path})
	if err != nil {
		return explain(err)
	}
	if !at.IsZero() && s.OnCached != nil {
		s.OnCached(at)
	}
	return read(body, out)
}

func read(body []byte, out any) error {
	if err := json.Unmarshal(body, out); err != nil {
		return problem.Wrap(err, problem.Upstream, "GitHub's answer cannot be read.")
	}
	return nil
}

// explain says what GitHub refused in words.
func explain(err error) error {
	if err == nil {
		return nil
	}
	until, limited := limitedUntil(err)
	var failed *github.ErrorResponse
	switch {
	case limited && !until.IsZero():
		return problem.Wrap(err, problem.Upstream, "GitHub's limit of calls is used up until %s.", until.UTC().Format("15:04 MST"))
	case limited:
		return problem.Wrap(err, problem.Upstream, "GitHub asks us to slow down: its limit of calls is met.")
	case errors.As(err, &failed) && failed.Response != nil:
		switch code := failed.Response.StatusCode; {
		case code == http.StatusNotFound:
			return problem.Wrap(err, problem.NotFound, "GitHub has no such thing (404).")
		case code >= 500:
			return problem.Wrap(err, problem.Upstream, "GitHub could not be reached: it answered %d.", code)
		default:
			return problem.Wrap(err, problem.Upstream, "GitHub refused: %.200s (%d).", failed.Message, code)
		}
	}
	return problem.Wrap(err, problem.Upstream, "GitHub could not be reached.")
}

// limitedUntil tells a refusal because of too many calls, and when it ends as far as GitHub says so.
func limitedUntil(err error) (until time.Time, limited bool) {
	var used *github.RateLimitError
	var abuse *github.AbuseRateLimitError
	var failed *github.ErrorResponse
	switch {
	case errors.As(err, &used):
		return used.Rate.Reset.Time, true
	case errors.As(err, &abuse):
		return time.Time{}, true
	case errors.As(err, &failed) && failed.Response != nil && failed.Response.StatusCode == http.StatusTooManyRequests:
		if seconds, err := strconv.ParseInt(failed.Response.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			return time.Unix(seconds, 0), true
		}
		return time.Time{}, true
	}
	return time.Time{}, false
}

// scoped takes the repository out of a search, which must name exactly one.
func scoped(query string) (owner, name, rest string, err error) {
	var kept []string
	for _, w := range strings.Fields(query) {
		key, value, found := strings.Cut(w, ":")
		switch strings.ToLower(strings.TrimPrefix(key, "-")) {
		case "repo":
			o, n, ok := strings.Cut(value, "/")
			if !found || !ok || owner != "" {
				return "", "", "", problem.FieldError("query", "names one repository as repo:owner/name")
			}
			owner, name = o, n
		case "org", "user", "owner", "enterprise":
			return "", "", "", problem.FieldError("query", "names one repository as repo:owner/name, and nothing wider")
		default:
			kept = append(kept, w)
		}
	}
	if owner == "" {
		return "", "", "", problem.FieldError("query", "names no repository: add repo:owner/name")
	}
	if slices.Contains(kept, "OR") {
		return "", "", "", problem.FieldError("query", "has an OR, which could reach beyond the repository")
	}
	return owner, name, strings.Join(kept, " "), nil
}

// search asks one of GitHub's searches about one repository.
func (s *Server) search(ctx context.Context, kind, query string, page, perPage int, out any) error {
	owner, name, rest, err := scoped(query)
	if err != nil {
		return err
	}
	c, full, err := s.client(ctx, owner, name)
	if err != nil {
		return err
	}
	values := url.Values{"q": {strings.TrimSpace("repo:" + full + " " + rest)}, "per_page": {fmt.Sprint(bounded(perPage, 30, 100))}, "page": {fmt.Sprint(bounded(page, 1, 10))}}
	return s.ask(ctx, c, full, "search/"+kind, values, out)
}

func bounded(n, usual, most int) int {
	if n <= 0 {
		return usual
	}
	return min(n, most)
}

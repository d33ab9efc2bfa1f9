package resource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// githubPullType follows the pull requests of a repository on GitHub: a version is the
// newest commit of one. Those from forks are left out unless the source asks for them,
// since whoever can open one would run what he likes here.
type githubPullType struct{ opts Options }

// ResumesPut says that a put may be repeated after a restart: a status is written over,
// and a comment knows which put made it.
func (githubPullType) ResumesPut() bool { return true }

type pullSource struct {
	access                githubAccess
	graph                 string
	owner, repository     string
	uri                   string
	base                  string
	paths, ignore, labels []string
	states                []string
	ignoreDrafts          bool
	forks, noSkip         bool
	approvals             int
}

func readPullSource(req Request) (pullSource, error) {
	f := sourceOf(req)
	s := pullSource{
		access: githubAccess{api: apiAddress(f, "v3_endpoint"), token: f.text("access_token"), insecure: f.boolean("skip_ssl_verification")},
		uri:    f.text("uri"), base: f.text("base_branch"),
		paths: f.texts("paths"), ignore: f.texts("ignore_paths"), labels: f.texts("labels"),
		ignoreDrafts: f.boolean("ignore_drafts"), forks: !f.boolOr("disable_forks", true), noSkip: f.boolean("disable_ci_skip"),
		approvals: f.count("required_review_approvals"),
	}
	// A build of a fork gets no vars, so it fetches as a stranger would.
	if fork := req.Dest != "" && req.Version[ForkKey] != ""; !fork {
		f.required("access_token")
	}
	f.boolean("comment") // the server's own: it writes the results of builds to the pull request
	f.refuse("git_crypt_key", "status_filters")
	owner, repository, ok := strings.Cut(f.required("repository"), "/")
	if f.err == nil && !ok {
		f.fail("repository", "must be owner/name. Correct it in the pipeline.")
	}
	s.owner, s.repository = repositoryName(f, "repository", owner), repositoryName(f, "repository", repository)
	s.graph = publicGitHub + "/graphql"
	if f.text("v4_endpoint") != "" {
		s.graph = apiAddress(f, "v4_endpoint")
	} else if rest := s.access.api; rest != publicGitHub {
		// An enterprise server has /api/v3 and /api/graphql.
		s.graph = strings.TrimSuffix(strings.TrimSuffix(rest, "/v3"), "/") + "/graphql"
	}
	if u, err := url.Parse(s.graph); err == nil {
		s.access.hosts = []string{u.Host}
	}
	for _, state := range f.texts("states") {
		state = strings.ToUpper(state)
		if state != "OPEN" && state != "CLOSED" && state != "MERGED" {
			f.fail("states", fmt.Sprintf("has %q. Write OPEN, CLOSED or MERGED.", state))
		}
		s.states = append(s.states, state)
	}
	if len(s.states) == 0 {
		s.states = []string{"OPEN"}
	}
	for key, list := range map[string][]string{"paths": s.paths, "ignore_paths": s.ignore} {
		for _, pattern := range list {
			if _, err := path.Match(pattern, ""); err != nil {
				f.fail(key, fmt.Sprintf("has %q, which is not a pattern of paths. Correct it in the pipeline.", pattern))
			}
		}
	}
	return s, f.err
}

func (s pullSource) path(g githubAPI, more ...string) string {
	return g.path(append([]string{"repos", s.owner, s.repository}, more...)...)
}

const pullQuery = `query($owner:String!,$name:String!,$states:[PullRequestState!],$base:String,$after:String,$files:Boolean!){
 repository(owner:$owner,name:$name){ pullRequests(first:100,after:$after,states:$states,baseRefName:$base){
  pageInfo{ hasNextPage endCursor }
  nodes{ number title url isDraft isCrossRepository headRefOid author{ login } headRepository{ nameWithOwner }
   labels(first:50){ nodes{ name } }
   reviews(first:1,states:APPROVED){ totalCount }
   files(first:100) @include(if:$files){ totalCount nodes{ path } }
   commits(last:1){ nodes{ commit{ oid committedDate message } } } } } } }`

// pull is a pull request as the query gives it.
type pull struct {
	Number            int    `json:"number"`
	Title             string `json:"title"`
	IsDraft           bool   `json:"isDraft"`
	URL               string `json:"url"`
	IsCrossRepository bool   `json:"isCrossRepository"`
	Author            struct {
		Login string `json:"login"`
	} `json:"author"`
	HeadRepository struct {
		Name string `json:"nameWithOwner"`
	} `json:"headRepository"`
	Labels struct {
		Nodes []struct {
			Name string `json:"name"`
		} `json:"nodes"`
	} `json:"labels"`
	Reviews struct {
		TotalCount int `json:"totalCount"`
	} `json:"reviews"`
	Files struct {
		TotalCount int `json:"totalCount"`
		Nodes      []struct {
			Path string `json:"path"`
		} `json:"nodes"`
	} `json:"files"`
	Commits struct {
		Nodes []struct {
			Commit pullCommit `json:"commit"`
		} `json:"nodes"`
	} `json:"commits"`
}

type pullCommit struct {
	OID       string    `json:"oid"`
	Committed time.Time `json:"committedDate"`
	Message   string    `json:"message"`
}

type pullAnswer struct {
	Data struct {
		Repository *struct {
			PullRequests struct {
				PageInfo struct {
					HasNextPage bool   `json:"hasNextPage"`
					EndCursor   string `json:"endCursor"`
				} `json:"pageInfo"`
				Nodes []pull `json:"nodes"`
			} `json:"pullRequests"`
		} `json:"repository"`
	} `json:"data"`
	Errors []struct {
		Message string `json:"message"`
	} `json:"errors"`
}

// head is the newest commit.
func (p pull) head() (pullCommit, bool) {
	if len(p.Commits.Nodes) == 0 {
		return pullCommit{}, false
	}
	return p.Commits.Nodes[0].Commit, true
}

func (p pull) version() Version {
	head, _ := p.head()
	fork := ""
	if p.IsCrossRepository {
		fork = cmp.Or(p.HeadRepository.Name, "unknown")
	}
	return PullVersion(p.Number, head.OID, head.Committed, fork)
}

// PullVersion is the version of a pull request's commit. fork names the repository
// that the commit is of when that is another; builds that take such a version
// resolve no vars.
func PullVersion(number int, commit string, committed time.Time, fork string) Version {
	v := Version{"pr": strconv.Itoa(number), "commit": commit, "committed": committed.UTC().Format(time.RFC3339)}
	if fork != "" {
		v[ForkKey] = fork
	}
	return v
}

// ForkKey is the key of a pull request's version that names the fork.
const ForkKey = "fork"

// CandidatesKey is a key of a version to check from: the numbers of pull requests,
// with commas, that are looked at whatever their age. Such a version is not listed.
const CandidatesKey = "candidates"

func (p pull) metadata() []Field {
	head, _ := p.head()
	return []Field{{"pr", strconv.Itoa(p.Number)}, {"title", p.Title}, {"url", p.URL}, {"author", p.Author.Login}, {"head_sha", head.OID}, {"message", head.Message}}
}

// after reports whether the newest commit comes after the known version. Times are in
// seconds, so two may share one: then the number of the pull request decides.
func (p pull) after(since time.Time, known Version) bool {
	head, _ := p.head()
	number, err := strconv.Atoi(known["pr"])
	switch order := head.Committed.Compare(since); {
	case order != 0:
		return order > 0
	case err == nil && p.Number != number:
		return p.Number > number
	}
	return head.OID != known["commit"]
}

// Check lists the newest commits of pull requests, from the known one's time on.
func (t githubPullType) Check(ctx context.Context, req Request) ([]Version, error) {
	results, err := t.CheckResults(ctx, req)
	versions := make([]Version, len(results))
	for i, r := range results {
		versions[i] = r.Version
	}
	return versions, err
}

// CheckResults is Check with what is known of each version besides.
func (t githubPullType) CheckResults(ctx context.Context, req Request) ([]Result, error) {
	s, err := readPullSource(req)
	if err != nil {
		return nil, err
	}
	g, err := t.opts.github(req, s.access)
	if err != nil {
		return nil, err
	}
	defer g.web.close()
	results, err := s.check(ctx, g, req.Version)
	if err != nil {
		return nil, failed(ctx, req, "check", err)
	}
	return results, nil
}

func (s pullSource) check(ctx context.Context, g githubAPI, known Version) ([]Result, error) {
	all, err := s.pulls(ctx, g)
	if err != nil {
		return nil, err
	}
	candidates := strings.Split(known[CandidatesKey], ",")
	asked := known[CandidatesKey] != ""
	since, err := time.Parse(time.RFC3339, known["committed"])
	if known != nil && err != nil {
		known = nil
	}
	var found []pull
	for _, p := range all {
		if _, ok := p.head(); !ok || known != nil && !asked && !p.after(since, known) || !s.wants(p) {
			continue
		}
		if asked && !slices.Contains(candidates, strconv.Itoa(p.Number)) {
			continue
		}
		wanted, err := s.touched(ctx, g, p)
		if err != nil {
			return nil, err
		}
		if wanted {
			found = append(found, p)
		}
	}
	slices.SortStableFunc(found, func(a, b pull) int {
		left, _ := a.head()
		right, _ := b.head()
		return cmp.Or(left.Committed.Compare(right.Committed), cmp.Compare(a.Number, b.Number))
	})
	results := []Result{}
	switch {
	case asked:
	case known != nil:
		results = append(results, Result{Version: known})
	case len(found) > 0:
		found = found[len(found)-1:]
	}
	for _, p := range found {
		results = append(results, Result{Version: p.version(), Metadata: p.metadata()})
	}
	return results, nil
}

// pulls asks for all pages of pull requests.
func (s pullSource) pulls(ctx context.Context, g githubAPI) ([]pull, error) {
	variables := map[string]any{
		"owner": s.owner, "name": s.repository, "states": s.states, "files": len(s.paths)+len(s.ignore) > 0, "after": nil, "base": nil,
	}
	if s.base != "" {
		variables["base"] = s.base
	}
	var all []pull
	for range maxPages {
		var a pullAnswer
		if err := g.query(ctx, s.graph, pullQuery, variables, &a); err != nil {
			return nil, err
		}
		switch {
		case len(a.Errors) > 0:
			return nil, fmt.Errorf("GitHub refused: %s", g.web.redact(oneLine(a.Errors[0].Message)))
		case a.Data.Repository == nil:
			return nil, fmt.Errorf("GitHub shows no repository %s/%s to this token", s.owner, s.repository)
		}
		page := a.Data.Repository.PullRequests
		all = append(all, page.Nodes...)
		if !page.PageInfo.HasNextPage {
			return all, nil
		}
		variables["after"] = page.PageInfo.EndCursor
	}
	return nil, fmt.Errorf("GitHub's list has more than %d pages", maxPages)
}

// wants reports whether a pull request is followed, apart from its paths.
func (s pullSource) wants(p pull) bool {
	head, _ := p.head()
	labelled := len(s.labels) == 0
	for _, l := range p.Labels.Nodes {
		labelled = labelled || slices.Contains(s.labels, l.Name)
	}
	skipped := !s.noSkip && (skips(p.Title) || skips(head.Message))
	return labelled && !skipped && (s.forks || !p.IsCrossRepository) && !(s.ignoreDrafts && p.IsDraft) && p.Reviews.TotalCount >= s.approvals
}

func skips(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "[ci skip]") || strings.Contains(text, "[skip ci]")
}

// touched reports whether the pull request changes what the source follows.
func (s pullSource) touched(ctx context.Context, g githubAPI, p pull) (bool, error) {
	if len(s.paths)+len(s.ignore) == 0 {
		return true, nil
	}
	var files []string
	for _, n := range p.Files.Nodes {
		files = append(files, n.Path)
	}
	if p.Files.TotalCount > len(files) {
		type changed struct {
			Name string `json:"filename"`
		}
		files = nil
		err := pages(ctx, g, s.path(g, "pulls", strconv.Itoa(p.Number), "files"), func(page []changed) bool {
			for _, c := range page {
				files = append(files, c.Name)
			}
			return true
		})
		if err != nil {
			return false, err
		}
	}
	return slices.ContainsFunc(files, func(file string) bool {
		return (len(s.paths) == 0 || matchesAny(s.paths, file)) && !matchesAny(s.ignore, file)
	}), nil
}

// matchesAny takes patterns, and folders for all that is below them.
func matchesAny(patterns []string, file string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(pattern, file)
		return err == nil && ok || strings.HasPrefix(file, strings.TrimSuffix(pattern, "/")+"/")
	})
}

// query asks GitHub's GraphQL interface, which only reads here.
func (g githubAPI) query(ctx context.Context, address, query string, variables map[string]any, into any) error {
	return g.read(ctx, address, map[string]any{"query": query, "variables": variables}, into)
}

// pullFacts is what the REST interface says of one pull request.
type pullFacts struct {
	Title string `json:"title"`
	Page  string `json:"html_url"`
	State string `json:"state"`
	Head  struct {
		Ref  string `json:"ref"`
		Repo *struct {
			ID int64 `json:"id"`
		} `json:"repo"`
	} `json:"head"`
	Base struct {
		Ref  string `json:"ref"`
		Repo struct {
			ID    int64  `json:"id"`
			Clone string `json:"clone_url"`
		} `json:"repo"`
	} `json:"base"`
}

// fromFork reports whether the commits are of another repository.
func (p pullFacts) fromFork() bool {
	return p.Base.Repo.ID != 0 && (p.Head.Repo == nil || p.Head.Repo.ID != p.Base.Repo.ID)
}

// commitFacts is what the REST interface says of one commit.
type commitFacts struct {
	Commit struct {
		Message string `json:"message"`
		Author  struct {
			Name  string `json:"name"`
			Email string `json:"email"`
		} `json:"author"`
	} `json:"commit"`
}

func (s pullSource) facts(ctx context.Context, g githubAPI, v Version) (pullFacts, commitFacts, error) {
	var p pullFacts
	var c commitFacts
	if !digits(v["pr"]) || !hexRef.MatchString(v["commit"]) {
		return p, c, errors.New("the version is not one of this resource. Check the resource again")
	}
	err := g.call(ctx, http.MethodGet, s.path(g, "pulls", v["pr"]), nil, &p)
	if err == nil && v[ForkKey] == "" && p.fromFork() {
		return p, c, errors.New("the pull request comes from a fork, and the version does not say so. Check the resource again")
	}
	if err == nil {
		err = g.call(ctx, http.MethodGet, s.path(g, "commits", v["commit"]), nil, &c)
	}
	return p, c, err
}

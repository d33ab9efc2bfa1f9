package githubtest

import (
	"net/http"
	"strconv"
	"strings"
)

// Repo is a repository and all that was written to it.
type Repo struct {
	Owner, Name       string
	Private, Archived bool
	// Admin: the token may manage hooks; else they are not found, as at GitHub.
	Admin    bool
	Hooks    []*Hook
	Statuses []map[string]any
	Checks   []map[string]any
	Comments []map[string]any
	commits  map[string]bool
	history  []Past
}

// AddRepo makes a repository that the token administers, and returns it for changes.
func (s *Server) AddRepo(owner, name string) *Repo {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &Repo{Owner: owner, Name: name, Admin: true}
	key := strings.ToLower(owner + "/" + name)
	s.repos[key] = r
	s.order = append(s.order, key)
	return r
}

// Look gives f the repository under the lock.
func (s *Server) Look(owner, name string, f func(*Repo)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.repos[strings.ToLower(owner+"/"+name)]; r != nil {
		f(r)
	}
}

// Commits has the repository know these commits only; statuses for others are refused.
func (r *Repo) Commits(shas ...string) {
	r.commits = map[string]bool{}
	for _, sha := range shas {
		r.commits[sha] = true
	}
}

func (s *Server) repoOf(r *http.Request) *Repo {
	return s.repos[strings.ToLower(r.PathValue("owner")+"/"+r.PathValue("repo"))]
}

func (r *Repo) shape() map[string]any {
	return map[string]any{"name": r.Name, "full_name": r.Owner + "/" + r.Name, "owner": map[string]any{"login": r.Owner}, "private": r.Private, "archived": r.Archived,
		"permissions": map[string]any{"admin": r.Admin, "push": true, "pull": true}}
}

func (s *Server) shapes() []map[string]any {
	list := make([]map[string]any, len(s.order))
	for i, key := range s.order {
		list[i] = s.repos[key].shape()
	}
	return list
}

func (s *Server) repoRoutes() {
	s.handle("GET /user", func(*http.Request, map[string]any) (int, any, http.Header) {
		return 200, map[string]any{"login": "octocat"}, http.Header{"X-Oauth-Scopes": {"repo, admin:repo_hook"}}
	})
	s.handle("GET /user/repos", func(r *http.Request, _ map[string]any) (int, any, http.Header) {
		list, header := page(s, r, s.shapes())
		return 200, list, header
	})
	s.handle("GET /repos/{owner}/{repo}", func(r *http.Request, _ map[string]any) (int, any, http.Header) {
		repo := s.repoOf(r)
		if repo == nil {
			return notFound()
		}
		return 200, repo.shape(), nil
	})
}

// writeRoutes are statuses, check runs and comments.
func (s *Server) writeRoutes() {
	s.handle("POST /repos/{owner}/{repo}/statuses/{sha}", func(r *http.Request, in map[string]any) (int, any, http.Header) {
		repo, sha := s.repoOf(r), r.PathValue("sha")
		if repo == nil {
			return notFound()
		}
		if repo.commits != nil && !repo.commits[sha] {
			return 422, message("No commit found for SHA: " + sha), nil
		}
		in["id"], in["sha"] = s.next(), sha
		repo.Statuses = append([]map[string]any{in}, repo.Statuses...)
		return 201, in, nil
	})
	s.handle("GET /repos/{owner}/{repo}/commits/{sha}/statuses", func(r *http.Request, _ map[string]any) (int, any, http.Header) {
		repo := s.repoOf(r)
		if repo == nil {
			return notFound()
		}
		list, header := page(s, r, filter(repo.Statuses, "sha", r.PathValue("sha")))
		return 200, list, header
	})
	s.checkRoutes()
	s.commentRoutes()
}

func filter(all []map[string]any, name, value string) []map[string]any {
	list := []map[string]any{}
	for _, one := range all {
		if word(one, name) == value {
			list = append(list, one)
		}
	}
	return list
}

func find(all []map[string]any, id string) map[string]any {
	for _, one := range all {
		if n, ok := one["id"].(int64); ok && strconv.FormatInt(n, 10) == id {
			return one
		}
	}
	return nil
}

// checkRoutes refuse all but Apps, more than fifty annotations, and a conclusion of
// what is not completed; annotations are appended.
func (s *Server) checkRoutes() {
	s.handle("POST /repos/{owner}/{repo}/check-runs", func(r *http.Request, in map[string]any) (int, any, http.Header) {
		repo := s.repoOf(r)
		if repo == nil {
			return notFound()
		}
		run := map[string]any{"id": s.next(), "head_sha": word(in, "head_sha"), "annotations": []any{}}
		if status, out := s.putCheck(r, run, in); status != 200 {
			return status, out, nil
		}
		repo.Checks = append(repo.Checks, run)
		return 201, checkShape(run), nil
	})
	s.handle("PATCH /repos/{owner}/{repo}/check-runs/{id}", func(r *http.Request, in map[string]any) (int, any, http.Header) {
		repo := s.repoOf(r)
		if repo == nil || find(repo.Checks, r.PathValue("id")) == nil {
			return notFound()
		}
		run := find(repo.Checks, r.PathValue("id"))
		status, out := s.putCheck(r, run, in)
		return status, out, nil
	})
	s.handle("GET /repos/{owner}/{repo}/check-runs/{id}", func(r *http.Request, _ map[string]any) (int, any, http.Header) {
		repo := s.repoOf(r)
		if repo == nil || find(repo.Checks, r.PathValue("id")) == nil {
			return notFound()
		}
		return 200, checkShape(find(repo.Checks, r.PathValue("id"))), nil
	})
	s.handle("GET /repos/{owner}/{repo}/commits/{sha}/check-runs", func(r *http.Request, _ map[string]any) (int, any, http.Header) {
		repo := s.repoOf(r)
		if repo == nil {
			return notFound()
		}
		all := filter(repo.Checks, "head_sha", r.PathValue("sha"))
		if name := r.URL.Query().Get("check_name"); name != "" {
			all = filter(all, "name", name)
		}
		list, header := page(s, r, all)
		for i := range list {
			list[i] = checkShape(list[i])
		}
		return 200, map[string]any{"total_count": len(all), "check_runs": list}, header
	})
}

func (s *Server) putCheck(r *http.Request, run, in map[string]any) (int, any) {
	output := object(in, "output")
	added, _ := output["annotations"].([]any)
	switch {
	case !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ghs_"):
		return 403, message("You must authenticate via a GitHub App.")
	case len(added) > 50:
		return 422, message("Only 50 annotations are permitted")
	case word(in, "status") == "completed" && word(in, "conclusion") == "":
		return 422, message("conclusion is missing")
	}
	for name, value := range in {
		if name != "output" {
			run[name] = value
		}
	}
	if output != nil {
		run["title"], run["summary"] = word(output, "title"), word(output, "summary")
		old, _ := run["annotations"].([]any)
		run["annotations"] = append(old, added...)
	}
	return 200, checkShape(run)
}

func checkShape(run map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range run {
		out[name] = value
	}
	annotations, _ := run["annotations"].([]any)
	delete(out, "annotations")
	out["output"] = map[string]any{"title": run["title"], "summary": run["summary"], "annotations_count": len(annotations)}
	return out
}

func (s *Server) commentRoutes() {
	s.handle("GET /repos/{owner}/{repo}/issues/{number}/comments", func(r *http.Request, _ map[string]any) (int, any, http.Header) {
		repo := s.repoOf(r)
		if repo == nil {
			return notFound()
		}
		list, header := page(s, r, filter(repo.Comments, "number", r.PathValue("number")))
		return 200, list, header
	})
	s.handle("POST /repos/{owner}/{repo}/issues/{number}/comments", func(r *http.Request, in map[string]any) (int, any, http.Header) {
		repo := s.repoOf(r)
		if repo == nil {
			return notFound()
		}
		in["id"], in["number"] = s.next(), r.PathValue("number")
		repo.Comments = append(repo.Comments, in)
		return 201, in, nil
	})
	s.handle("PATCH /repos/{owner}/{repo}/issues/comments/{id}", func(r *http.Request, in map[string]any) (int, any, http.Header) {
		repo := s.repoOf(r)
		if repo == nil || find(repo.Comments, r.PathValue("id")) == nil {
			return notFound()
		}
		find(repo.Comments, r.PathValue("id"))["body"] = word(in, "body")
		return 200, find(repo.Comments, r.PathValue("id")), nil
	})
}

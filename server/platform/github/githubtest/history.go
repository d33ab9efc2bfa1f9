package githubtest

import (
	"net/http"
	"slices"
	"strings"
)

// Past is a commit of a repository's history.
type Past struct {
	SHA, Author, Email, Message, At string
	// Files are paths and what became of them: added, modified, removed.
	Files map[string]string
}

// History has the repository know commits, the oldest first.
func (r *Repo) History(list ...Past) { r.history = list }

func (c Past) shape(whole bool) map[string]any {
	out := map[string]any{"sha": c.SHA, "commit": map[string]any{"message": c.Message, "author": map[string]any{"name": c.Author, "email": c.Email, "date": c.At}}}
	if whole {
		files := []any{}
		for path, status := range c.Files {
			files = append(files, map[string]any{"filename": path, "status": status})
		}
		out["files"] = files
	}
	return out
}

// at is the place of a commit in the history, -1 when it is not there.
func (r *Repo) at(sha string) int {
	return slices.IndexFunc(r.history, func(c Past) bool { return c.SHA == sha })
}

// historyRoutes are commits: a list, one, and what is between two.
func (s *Server) historyRoutes() {
	s.handle("GET /repos/{owner}/{repo}/commits", func(r *http.Request, _ map[string]any) (int, any, http.Header) {
		repo := s.repoOf(r)
		if repo == nil || repo.at(r.URL.Query().Get("sha")) < 0 {
			return notFound()
		}
		list := []any{}
		for _, c := range slices.Backward(repo.history[:repo.at(r.URL.Query().Get("sha"))+1]) {
			list = append(list, c.shape(false))
		}
		return 200, list, nil
	})
	s.handle("GET /repos/{owner}/{repo}/commits/{sha}", func(r *http.Request, _ map[string]any) (int, any, http.Header) {
		repo := s.repoOf(r)
		if repo == nil || repo.at(r.PathValue("sha")) < 0 {
			return notFound()
		}
		return 200, repo.history[repo.at(r.PathValue("sha"))].shape(true), nil
	})
	s.handle("GET /repos/{owner}/{repo}/compare/{between}", func(r *http.Request, _ map[string]any) (int, any, http.Header) {
		repo := s.repoOf(r)
		base, head, _ := strings.Cut(r.PathValue("between"), "...")
		if repo == nil || repo.at(base) < 0 || repo.at(head) < 0 {
			return notFound()
		}
		list := []any{}
		for _, c := range repo.history[repo.at(base)+1 : repo.at(head)+1] {
			list = append(list, c.shape(false))
		}
		return 200, map[string]any{"commits": list}, nil
	})
}

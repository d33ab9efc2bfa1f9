package acme

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

func (g *GitHub) releases(w http.ResponseWriter, r *http.Request) {
	if repoOf(r) == "acme/shop" {
		reply(w, page(r, releases))
		return
	}
	reply(w, []any{})
}

func (g *GitHub) latest(w http.ResponseWriter, r *http.Request) {
	if repoOf(r) != "acme/shop" {
		notFound(w)
		return
	}
	reply(w, releases[1])
}

func (g *GitHub) compare(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("range") != "v1.4.1...v1.4.2" || repoOf(r) != "acme/shop" {
		notFound(w)
		return
	}
	commits := []map[string]any{}
	for _, t := range g.things["acme/shop"] {
		if t.merged != "" && t.merged < "2026-04-16T10:00:00Z" {
			commits = append(commits, commit(fmt.Sprintf("%040d", t.number), t.author, fmt.Sprintf("%s (#%d)", t.title, t.number), t.merged))
		}
	}
	reply(w, map[string]any{"total_commits": len(commits), "commits": commits})
}

func (g *GitHub) commits(w http.ResponseWriter, r *http.Request) {
	if repoOf(r) == "acme/shop" && strings.HasPrefix("payments/refund.go", r.URL.Query().Get("path")) {
		reply(w, page(r, refunds()))
		return
	}
	reply(w, []any{})
}

func page[T any](r *http.Request, list []T) []T {
	per, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	if per <= 0 {
		per = 30
	}
	from := min((max(n, 1)-1)*per, len(list))
	return list[from:min(from+per, len(list))]
}

func (g *GitHub) contents(w http.ResponseWriter, r *http.Request) {
	if repoOf(r) != "acme/shop" || !strings.HasSuffix(r.PathValue("path"), "CODEOWNERS") {
		notFound(w)
		return
	}
	reply(w, map[string]any{"type": "file", "encoding": "base64", "content": base64.StdEncoding.EncodeToString([]byte(codeOwners))})
}

func (g *GitHub) runs(w http.ResponseWriter, r *http.Request) {
	list := []map[string]any{}
	for _, run := range runs {
		if b := r.URL.Query().Get("branch"); repoOf(r) == "acme/shop" && (b == "" || run["head_branch"] == b) {
			list = append(list, run)
		}
	}
	reply(w, map[string]any{"total_count": len(list), "workflow_runs": page(r, list)})
}

func (g *GitHub) tagged(w http.ResponseWriter, r *http.Request) {
	for _, one := range releases {
		if repoOf(r) == "acme/shop" && one["tag_name"] == r.PathValue("tag") {
			reply(w, one)
			return
		}
	}
	notFound(w)
}

func (g *GitHub) oneCommit(w http.ResponseWriter, r *http.Request) {
	for _, one := range refunds() {
		if sha, _ := one["sha"].(string); repoOf(r) == "acme/shop" && strings.HasPrefix(sha, r.PathValue("sha")) {
			one["files"] = []any{map[string]any{"filename": "payments/refund.go", "status": "modified", "additions": 3, "deletions": 1}}
			reply(w, one)
			return
		}
	}
	notFound(w)
}

func (g *GitHub) jobs(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("id") != "9000" {
		notFound(w)
		return
	}
	reply(w, map[string]any{"jobs": []any{map[string]any{"name": "unit-tests", "status": "completed", "conclusion": "failure", "html_url": "https://github.com/acme/shop/actions/runs/9000",
		"steps": []any{map[string]any{"name": "checkout", "conclusion": "success"}, map[string]any{"name": "go test", "conclusion": "failure"}}}}})
}

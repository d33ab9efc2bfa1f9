package issues

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

// host stands for GitHub: it notes what it was asked and answers with one commit.
type host struct {
	asked []string
	fail  error
}

func (h *host) history(_ context.Context, _ int64, repository, base, head string) ([]Commit, error) {
	h.asked = append(h.asked, repository+" "+base+".."+head)
	if h.fail != nil {
		return nil, h.fail
	}
	return []Commit{{ID: head, Author: "Ann", Message: "Fixes WEB-1", Files: []CommitFile{{"app/orders.py", "M"}}}, {ID: strings.Repeat("0", 40), Author: "Bob"}}, nil
}

// hosted is a desk whose project belongs to a repository that can be asked.
func hosted(t *testing.T) (*desk, *host) {
	d, h := newDesk(t), &host{}
	d.Jobs = work.NewJobs(d.DB, "n1", d.Now, slog.New(slog.DiscardHandler))
	d.History = h.history
	d.UseReleases()
	if _, err := d.ChangeProject(d.ctx, d.project.ID, func(p *Project) { p.Repository = "github.com/acme/shop" }); err != nil {
		t.Fatal(err)
	}
	return d, h
}

func (d *desk) built(sha string) error {
	return d.DB.Tx(d.t.Context(), func(ctx context.Context) error {
		return d.BuildSucceeded(ctx, Built{Team: deskTeam, Repository: "github.com/acme/shop", SHA: sha, Author: "Ann", Message: "cart: check", URL: "http://127.0.0.1/builds/1", At: d.Now()})
	})
}

// askHost runs the job of a release's history.
func (d *desk) askHost(version string) error {
	r, err := d.rows().release(d.ctx, deskTeam, version)
	if err != nil {
		return err
	}
	return d.runHistory(d.t.Context(), work.Job{Payload: fmt.Appendf(nil, `{"release":%d}`, r.ID)})
}

func TestBuildsMakeReleases(t *testing.T) {
	t.Parallel()
	d, h := hosted(t)
	first, second := strings.Repeat("a", 40), strings.Repeat("b", 40)
	if err := d.built(first); err != nil {
		t.Fatal(err)
	}
	r, err := d.rows().release(d.ctx, deskTeam, first)
	if err != nil || r.URL != "http://127.0.0.1/builds/1" || !strings.Contains(r.Refs, first) || r.StartedAt == 0 {
		t.Fatalf("%+v %v", r, err)
	}
	commits, err := d.rows().commits(d.ctx, r.ID, 10)
	if err != nil || len(commits) != 1 || commits[0].Author != "Ann" || commits[0].Message != "cart: check" {
		t.Errorf("before GitHub was asked: %+v %v", commits, err)
	}
	if err := d.built(first); err != nil || d.count("issues_releases") != 1 { // another job of the same commit
		t.Fatal(err)
	}
	if err := d.askHost(first); err != nil {
		t.Fatal(err)
	}
	d.pass(time.Hour)
	d.take(d.event(sample{id: id(1), kind: "ValueError", value: "x", release: first}))
	if err := d.built(second); err != nil {
		t.Fatal(err)
	}
	if err := d.askHost(second); err != nil {
		t.Fatal(err)
	}
	want := []string{"github.com/acme/shop .." + first, "github.com/acme/shop " + first + ".." + second}
	if fmt.Sprint(h.asked) != fmt.Sprint(want) {
		t.Errorf("asked %v, want %v", h.asked, want)
	}
	i := d.only("x")
	shown, err := d.httpIssue(d.ctx, byIssue{i.ID})
	if err != nil || len(shown.Suspects) != 1 {
		t.Fatalf("%+v %v", shown.Suspects, err)
	}
	if s := shown.Suspects[0]; s.SHA != first || s.URL != "https://github.com/acme/shop/commit/"+first || s.File != "app/orders.py" || s.Why != "It changed app/orders.py, which is in the stack, and came with aaaaaaaaaaaa." {
		t.Errorf("%+v", s)
	}
	if shown.State != Resolved { // the second release's commit says so
		t.Errorf("%+v", shown.issueItem)
	}
	if err := d.DB.Tx(d.ctx, func(ctx context.Context) error {
		return d.BuildSucceeded(ctx, Built{Team: deskTeam, Repository: "github.com/acme/other", SHA: strings.Repeat("c", 40)})
	}); err != nil || d.count("issues_releases") != 2 {
		t.Error("a repository that no project names makes a release", err)
	}
}

func TestHistoryIsAskedForRefs(t *testing.T) {
	t.Parallel()
	d, h := hosted(t)
	sha := strings.Repeat("d", 40)
	if _, _, err := d.SaveRelease(d.ctx, deskTeam, releaseChange{Version: "web@2", Projects: []string{"web"}, Refs: []ReleaseRef{{"acme/shop", sha, "before"}}}); err != nil {
		t.Fatal(err)
	}
	if n := d.count("work_jobs WHERE kind = '" + historyJob + "'"); n != 1 {
		t.Errorf("%d jobs", n)
	}
	h.fail = problem.New(problem.NotFound, "No connection.")
	if err := d.askHost("web@2"); err != nil || fmt.Sprint(h.asked) != "[acme/shop before.."+sha+" acme/shop .."+sha+"]" {
		t.Error(err, h.asked)
	}
	h.fail = errors.New("GitHub is down")
	if err := d.askHost("web@2"); err == nil {
		t.Error("no error, so it is not asked again")
	}
	h.fail = nil
	if err := d.askHost("web@2"); err != nil {
		t.Fatal(err)
	}
	if n := d.count("issues_commits"); n != 2 {
		t.Errorf("%d commits", n)
	}
	if err := d.runHistory(t.Context(), work.Job{Payload: []byte(`{"release":99}`)}); err != nil {
		t.Error("of a release that is gone:", err)
	}
}

func TestRepositoriesForTools(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	var fail error
	w.Repositories = func(context.Context, int64) ([]HostRepository, error) {
		return []HostRepository{{"github.com/acme/shop", "acme/shop", "https://github.com/acme/shop"}, {"github.com/acme/api", "acme/api", "https://github.com/acme/api"}}, fail
	}
	w.run(t)
	var list []struct{ ID, Name, URL, Status string }
	w.call(t, "GET", "/api/0/organizations/main/repos/", nil, http.StatusOK, &list)
	if len(list) != 2 || list[0].Name != "acme/api" || list[1].URL != "https://github.com/acme/shop" || list[0].ID == list[1].ID || list[0].Status != "active" {
		t.Errorf("%+v", list)
	}
	fail = errors.New("GitHub is down")
	w.call(t, "GET", "/api/0/organizations/main/repos/", nil, http.StatusOK, nil)
	w.call(t, "GET", "/api/0/organizations/other/repos/", nil, http.StatusNotFound, nil)
}

func TestCommitPages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ repository, home, want string }{
		{"acme/shop", "", "https://github.com/acme/shop/commit/s"},
		{"acme/shop", "git.example.com/x/y", "https://git.example.com/acme/shop/commit/s"},
		{"github.com/acme/shop", "", "https://github.com/acme/shop/commit/s"},
		{"https://github.com/acme/shop.git", "", "https://github.com/acme/shop/commit/s"},
		{"", "github.com/acme/shop", "https://github.com/acme/shop/commit/s"},
		{"shop", "github.com/acme/shop", "https://github.com/acme/shop/commit/s"},
		{"shop", "", ""},
		{"", "", ""},
		{"file/srv/shop", "", ""},
		{"", "file/srv/shop", ""},
		{"a/b/c/d/e", "github.com/acme/shop", ""},
	} {
		if got := commitPage(c.repository, c.home, "s"); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// replayed is one delivery; sending it again is the same delivery.
type replayed struct {
	guid, event string
	body        []byte
}

// post sends a delivery and reports whether it was acknowledged: the server may be gone.
func (d replayed) post(url string, h hook) bool {
	req, err := http.NewRequest(http.MethodPost, url+"/hooks/github/"+h.ID, strings.NewReader(string(d.body)))
	if err != nil {
		return false
	}
	for key, value := range map[string]string{"Content-Type": "application/json", "X-GitHub-Event": d.event, "X-GitHub-Delivery": d.guid, "X-Hub-Signature-256": h.sign(d.body)} {
		req.Header.Set(key, value)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err == nil && answer.StatusCode == http.StatusAccepted
}

// octokitExamples are GitHub's own examples of every event.
func octokitExamples(t testing.TB) []replayed {
	t.Helper()
	raw, err := os.ReadFile("../../node_modules/@octokit/webhooks-examples/api.github.com/index.json")
	if err != nil {
		t.Fatalf("GitHub's recorded payloads are not installed: run make build, or npm install, at the top of the repository first (%v).", err)
	}
	var events []struct {
		Name     string
		Examples []json.RawMessage
	}
	if err := json.Unmarshal(raw, &events); err != nil {
		t.Fatal(err)
	}
	var all []replayed
	for _, e := range events {
		for _, body := range e.Examples {
			all = append(all, replayed{event: e.Name, body: body})
		}
	}
	return all
}

// pullBody is what GitHub says of a pull request of acme/pulls.
func pullBody(t testing.TB, number int, fork bool) []byte {
	t.Helper()
	home := map[string]any{"id": 1, "name": "pulls", "full_name": "acme/pulls", "clone_url": "https://github.com/acme/pulls.git", "html_url": "https://github.com/acme/pulls",
		"default_branch": "main", "owner": map[string]any{"login": "acme"}}
	from := home
	if fork {
		from = map[string]any{"id": 2, "full_name": "eve/pulls"}
	}
	body, err := json.Marshal(map[string]any{"action": "opened", "number": number, "repository": home, "sender": map[string]any{"login": "eve"},
		"pull_request": map[string]any{"number": number, "title": fmt.Sprintf("Change %d", number), "state": "open", "html_url": fmt.Sprintf("https://github.com/acme/pulls/pull/%d", number),
			"user": map[string]any{"login": "eve"}, "updated_at": time.Unix(int64(1_700_000_000+number), 0).UTC().Format(time.RFC3339),
			"head": map[string]any{"sha": fmt.Sprintf("%040x", number), "ref": "topic", "repo": from}, "base": map[string]any{"ref": "main", "repo": home}}})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

const replayPulls = `
resources:
- name: pulls
  type: github-pull-request
  check_every: never
  source: {repository: acme/pulls, access_token: none, disable_ci_skip: true, disable_forks: false}
jobs:
- name: review
  plan:
  - {get: pulls, version: every, trigger: true, params: {skip_download: true}}
`

// replay is a server that is killed while it is told the same things twice.
type replay struct {
	*process
	hook         hook
	pulls, forks int
	repos        []*repository
	pending      []replayed
	acknowledged sync.Map
}

// sendAll posts what is pending with eight senders, and kills the server when so many
// were acknowledged. What was not stays pending.
func (r *replay) sendAll(killAfter int64) {
	var acknowledged atomic.Int64
	var kill sync.Once
	var lost []replayed
	var mu sync.Mutex
	queue := make(chan replayed)
	var senders sync.WaitGroup
	url := r.url
	for range 8 {
		senders.Go(func() {
			for d := range queue {
				if !d.post(url, r.hook) {
					mu.Lock()
					lost = append(lost, d)
					mu.Unlock()
					continue
				}
				r.acknowledged.Store(d.guid, true)
				if acknowledged.Add(1) == killAfter {
					kill.Do(func() { r.end(syscall.SIGKILL) })
				}
			}
		})
	}
	for _, d := range r.pending {
		queue <- d
	}
	close(queue)
	senders.Wait()
	r.pending = lost
}

// deliveries counts the rows of each delivery that have come to an end.
func (r *replay) deliveries(t testing.TB) (rows map[string]int, open int) {
	t.Helper()
	rows = map[string]int{}
	for before := ""; ; {
		var page struct {
			Items []struct{ GUID, State, Error, Event string }
			Next  string
		}
		r.call(t, "GET", "/api/v1/ci/deliveries?team=main&limit=200&before="+before, nil, &page)
		for _, d := range page.Items {
			rows[d.GUID]++
			if d.State == "waiting" {
				open++
			}
			if d.State == "failed" || d.Error != "" {
				t.Fatalf("%s %s: %s %s", d.Event, d.GUID, d.State, d.Error)
			}
		}
		if before = page.Next; before == "" {
			return rows, open
		}
	}
}

// TestKilledWhileGitHubRepeatsItself sends recorded and own deliveries shuffled and
// doubled while the program is killed again and again: each is handled exactly once.
func TestKilledWhileGitHubRepeatsItself(t *testing.T) {
	t.Parallel()
	total, kills, pulls, commits := 600, 2, 40, 8
	if soak {
		total, kills, pulls, commits = 10_000, 12, 300, 60
	}
	r := &replay{process: launch(t), pulls: pulls, forks: 10}
	r.hook = r.process.hook(t, "main", "")
	id := r.pipeline(t, "main", "pulls", replayPulls)
	first := replayed{guid: newGUID(), event: "pull_request", body: pullBody(t, 1000, false)}
	if !first.post(r.url, r.hook) {
		t.Fatal("the first delivery was refused")
	}
	eventually(t, "the first build", func() bool {
		list := r.builds(t, "main", "pulls", "review")
		return len(list) == 1 && list[0].Status == "succeeded"
	})
	all := r.compose(t, total-1, commits, r.builds(t, "main", "pulls", "review")[0].ID)
	r.pending = append(append([]replayed{}, all...), all...)
	random := rand.New(rand.NewPCG(4, 6))
	random.Shuffle(len(r.pending), func(i, j int) { r.pending[i], r.pending[j] = r.pending[j], r.pending[i] })
	rest := r.pending
	for kill := range kills {
		n := len(rest) / (kills + 1 - kill)
		r.pending, rest = append(r.pending[:0:0], rest[:n]...), rest[n:]
		r.sendAll(int64(n/4 + random.IntN(n/2)))
		r.start()
		rest = append(rest, r.pending...)
		t.Logf("kill %d: %d were not acknowledged and are sent again", kill, len(r.pending))
	}
	for r.pending = rest; len(r.pending) > 0; {
		r.sendAll(-1)
	}
	r.check(t, id, append(all, first))
}

// compose makes deliveries of every kind.
func (r *replay) compose(t *testing.T, total, commits int, build int64) []replayed {
	t.Helper()
	var all []replayed
	add := func(event string, body []byte) { all = append(all, replayed{newGUID(), event, body}) }
	for n := range r.pulls {
		add("pull_request", pullBody(t, n+1, false))
	}
	for n := range r.forks {
		add("pull_request", pullBody(t, 2001+n, true))
	}
	for range 5 {
		add("check_run", []byte(fmt.Sprintf(`{"action":"rerequested","check_run":{"external_id":"build:%d","head_sha":"%040x"},"sender":{"login":"ann"},"repository":{"full_name":"acme/pulls","clone_url":"https://github.com/acme/pulls.git"}}`, build, 1000)))
	}
	for _, name := range []string{"shop", "till"} {
		repo := newRepository(t, filepath.Join(r.dir, "repositories"), name)
		r.repos = append(r.repos, repo)
		r.pipeline(t, "main", name, gitPipeline(repo, ""))
		for n := range commits {
			repo.commit(t, "README", fmt.Sprint(n), fmt.Sprintf("commit %d", n))
			add("push", repo.push(t, "main"))
		}
	}
	examples := octokitExamples(t)
	for n := 0; len(all) < total; n++ {
		e := examples[n%len(examples)]
		add(e.event, e.body)
	}
	return all
}

// check holds each promise.
func (r *replay) check(t *testing.T, pulls int64, all []replayed) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Minute)
	var rows map[string]int
	for open := 1; open > 0; {
		if rows, open = r.deliveries(t); open > 0 && time.Now().After(deadline) {
			t.Fatalf("%d deliveries wait", open)
		}
	}
	if len(rows) != len(all) {
		t.Errorf("%d deliveries instead of %d", len(rows), len(all))
	}
	for _, d := range all {
		if rows[d.guid] != 1 {
			t.Errorf("%s %s is there %d times", d.event, d.guid, rows[d.guid])
		}
	}
	wanted := r.pulls + 1 + 5
	for time.Now().Before(deadline) && r.ended(t, "pulls", "review") < wanted {
		<-time.After(50 * time.Millisecond)
	}
	if n := r.ended(t, "pulls", "review"); n != wanted {
		t.Errorf("%d builds of pull requests instead of %d", n, wanted)
	}
	var versions struct {
		Items []struct{ Version map[string]string }
	}
	seen := map[string]int{}
	for offset := 0; offset == 0 || len(versions.Items) == 200; offset += 200 {
		r.call(t, "GET", fmt.Sprintf("/api/v1/ci/resources/%d/versions?limit=200&offset=%d", r.resourceID(t, pulls, "pulls"), offset), nil, &versions)
		for _, v := range versions.Items {
			seen[v.Version["pr"]]++
		}
	}
	for number, n := range seen {
		if n != 1 {
			t.Errorf("pull request %s has %d versions", number, n)
		}
	}
	if len(seen) != r.pulls+r.forks+1 {
		t.Errorf("%d pull requests instead of %d", len(seen), r.pulls+r.forks+1)
	}
	var questions struct{ Items []struct{ ID string } }
	r.call(t, "GET", "/api/v1/ci/approvals?team=main&state=waiting", nil, &questions)
	if len(questions.Items) != r.forks {
		t.Errorf("%d questions about forks instead of %d", len(questions.Items), r.forks)
	}
	for _, repo := range r.repos {
		r.checkRepository(t, repo)
	}
}

// ended counts the builds of a job that have ended, by their distinct names.
func (r *replay) ended(t testing.TB, pipeline, job string) int {
	t.Helper()
	names := map[string]bool{}
	for until := ""; ; {
		status, raw := r.send(t, "GET", "/api/v1/teams/main/pipelines/"+pipeline+"/jobs/"+job+"/builds?limit=100"+until, nil)
		var list []struct {
			ID           int64
			Name, Status string
		}
		if status != http.StatusOK || json.Unmarshal([]byte(raw), &list) != nil {
			t.Fatalf("%d %s", status, raw)
		}
		for _, b := range list {
			if b.Status == "succeeded" {
				names[b.Name] = true
			} else if b.Status != "started" && b.Status != "pending" {
				t.Fatalf("%s/%s #%s %s", pipeline, job, b.Name, b.Status)
			}
		}
		if len(list) < 100 {
			return len(names)
		}
		until = fmt.Sprintf("&to=%d", list[len(list)-1].ID-1)
	}
}

// checkRepository: the newest commit was built, and none twice.
func (r *replay) checkRepository(t *testing.T, repo *repository) {
	t.Helper()
	_, name, _ := strings.Cut(repo.name, "/")
	newest := repo.git(t, "rev-parse", "HEAD")
	built := func() map[string]int {
		all := map[string]int{}
		for _, b := range r.builds(t, "main", name, "unit") {
			var shown struct {
				Inputs []struct{ Version map[string]string }
			}
			r.call(t, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", b.ID), nil, &shown)
			for _, in := range shown.Inputs {
				all[in.Version["ref"]]++
			}
		}
		return all
	}
	eventually(t, "the newest commit of "+name+" to be built", func() bool { return built()[newest] > 0 })
	for sha, n := range built() {
		if n != 1 {
			t.Errorf("%s of %s was built %d times", sha, name, n)
		}
	}
}

package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

const statusPath = "/repos/octo/web/statuses/abc"

func statusSetup(t *testing.T) (*bundle, *fakeGitHub, Status) {
	t.Helper()
	b, fake := setup(t), newFake(t)
	fake.on("POST "+statusPath, answer(201, `{}`))
	c, err := b.CreateConnection(b.as(t.Context()), 1, "gh", fake.URL, "ghp_t")
	if err != nil {
		t.Fatal(err)
	}
	return b, fake, Status{Connection: c.ID, Owner: "octo", Repo: "web", SHA: "abc", Context: "signalbox/web/unit", State: Pending, Description: "running", TargetURL: "https://s/builds/1"}
}

func (b *bundle) post(t *testing.T, st Status) {
	t.Helper()
	if err := b.PostStatus(t.Context(), st); err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) waitingJobs(t *testing.T) (n int) {
	t.Helper()
	if err := b.db.Reader(t.Context()).Raw("SELECT COUNT(*) FROM work_jobs WHERE kind = ?", statusJob).Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

// run does what the job runner would, for the one status there is.
func (b *bundle) run(t *testing.T, attempt int) error {
	t.Helper()
	var id int64
	if err := b.db.Reader(t.Context()).Raw("SELECT MAX(id) FROM github_statuses").Scan(&id).Error; err != nil {
		t.Fatal(err)
	}
	return b.postStatus(t.Context(), work.Job{Payload: fmt.Appendf(nil, `{"id":%d}`, id), Attempt: attempt})
}

func TestStatusIsPosted(t *testing.T) {
	t.Parallel()
	b, fake, st := statusSetup(t)
	b.post(t, st)
	if err := b.Jobs.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Jobs.Stop(context.WithoutCancel(t.Context())) })
	until(t, "the pending status is posted", func() bool { return fake.count("POST "+statusPath) == 1 && b.waitingJobs(t) == 0 })
	st.State, st.Description = Success, strings.Repeat("ü", 200)
	b.post(t, st)
	b.post(t, st)
	until(t, "the success is posted", func() bool { return fake.count("POST "+statusPath) == 2 && b.waitingJobs(t) == 0 })
	fake.mu.Lock()
	last := fake.requests[len(fake.requests)-1]
	fake.mu.Unlock()
	for _, want := range []string{`"state":"success"`, `"context":"signalbox/web/unit"`, `"target_url":"https://s/builds/1"`, strings.Repeat("ü", 139) + "…"} {
		if !strings.Contains(last, want) {
			t.Errorf("posted %s", last)
		}
	}
	st.State = Pending // a rerun
	b.post(t, st)
	until(t, "the rerun is posted", func() bool { return fake.count("POST "+statusPath) == 3 && b.waitingJobs(t) == 0 })
}

func TestOnlyTheLastWishIsPosted(t *testing.T) {
	t.Parallel()
	b, fake, st := statusSetup(t)
	for _, st.State = range []CommitState{Pending, Failure, Pending, Success} {
		b.post(t, st)
	}
	if n := b.waitingJobs(t); n != 1 {
		t.Errorf("%d jobs", n)
	}
	for range 3 {
		if err := b.run(t, 1); err != nil {
			t.Fatal(err)
		}
	}
	if fake.count("POST") != 1 || !strings.Contains(fake.requests[0], "success") {
		t.Error(fake.requests)
	}
}

func TestStatusSurvivesGitHub(t *testing.T) {
	t.Parallel()
	reset := time.Now().Add(10 * time.Minute)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   time.Duration // 0: the usual delay
		final  bool
	}{
		"server error":    {answer(502, `{"message":"Bad gateway"}`), 0, false},
		"unavailable":     {answer(503, `{}`, "Retry-After", "7"), 7 * time.Second, false},
		"secondary limit": {answer(403, `{"message":"You have exceeded a secondary rate limit","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`, "Retry-After", "90"), 90 * time.Second, false},
		"primary limit": {answer(403, `{"message":"API rate limit exceeded"}`, "X-RateLimit-Remaining", "0", "X-RateLimit-Limit", "5000",
			"X-RateLimit-Reset", fmt.Sprint(reset.Unix())), 10 * time.Minute, false},
		"no such commit": {answer(422, `{"message":"No commit found for SHA: abc"}`), 0, true},
		"no rights":      {answer(404, `{"message":"Not Found"}`), 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, fake, st := statusSetup(t)
			fake.on("POST "+statusPath, c.answer)
			b.post(t, st)
			err := b.run(t, 1)
			if err == nil {
				t.Fatal("no error")
			}
			plain := fmt.Sprintf("%T", errors.New(""))
			if isPlain := fmt.Sprintf("%T", err) == plain; isPlain != (c.want == 0 && !c.final) {
				t.Errorf("%T %v", err, err)
			}
			if c.final && fmt.Sprintf("%T", err) != fmt.Sprintf("%T", work.GiveUp(err)) {
				t.Errorf("%T", err)
			}
			row, _, _ := b.findStatus(t.Context(), 1)
			if row.Error == "" || row.Posted != 0 {
				t.Errorf("%+v", row)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now, minute := time.Now(), time.Minute
	header := func(value string) error {
		return &github.ErrorResponse{Response: &http.Response{Header: http.Header{"Retry-After": {value}}}}
	}
	for _, c := range []struct {
		err   error
		want  time.Duration
		known bool
	}{
		{&github.RateLimitError{Rate: github.Rate{Reset: github.Timestamp{Time: now.Add(minute)}}}, minute + time.Second, true},
		{&github.RateLimitError{Rate: github.Rate{Reset: github.Timestamp{Time: now.Add(-minute)}}}, time.Second, true},
		{&github.AbuseRateLimitError{RetryAfter: &minute}, minute, true}, {&github.AbuseRateLimitError{}, limitPause, true},
		{header("5"), 5 * time.Second, true}, {header("999999"), time.Hour, true}, {header("-1"), 0, false}, {header("soon"), 0, false}, {errors.New("x"), 0, false},
	} {
		if got, known := retryAfter(c.err, now); got != c.want || known != c.known {
			t.Errorf("%v: %v %v", c.err, got, known)
		}
	}
}

func TestBrokenOffAttemptIsNotRepeated(t *testing.T) {
	t.Parallel()
	b, fake, st := statusSetup(t)
	list := "GET /repos/octo/web/commits/abc/statuses"
	older := `{"context":"signalbox/web/unit","state":"failure"}`
	same := `{"context":"signalbox/web/unit","state":"pending","description":"running","target_url":"https://s/builds/1"}`
	fake.on(list, answer(200, `[`+same+`,`+older+`]`))
	b.post(t, st)
	if err := b.run(t, 2); err != nil || fake.count("POST") != 0 {
		t.Errorf("posted twice: %v %v", err, fake.requests)
	}
	st.State = Failure
	b.post(t, st)
	if err := b.run(t, 2); err != nil || fake.count("POST") != 1 {
		t.Errorf("not posted: %v %v", err, fake.requests)
	}
}

func TestStatusRefusals(t *testing.T) {
	t.Parallel()
	b, _, st := statusSetup(t)
	for _, spoil := range []func(*Status){func(s *Status) { s.State = "green" }, func(s *Status) { s.SHA = "" }, func(s *Status) { s.Context = "" }} {
		bad := st
		spoil(&bad)
		if b.PostStatus(t.Context(), bad) == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	bad := st
	bad.Connection = "none"
	if err := b.PostStatus(t.Context(), bad); !problem.Is(err, problem.NotFound) {
		t.Error(err)
	}
	b.post(t, st)
	if err := b.DeleteConnection(b.as(t.Context()), st.Connection); err != nil {
		t.Fatal(err)
	}
	if err := b.postStatus(t.Context(), work.Job{Payload: []byte(`{"id":1}`), Attempt: 1}); err != nil {
		t.Errorf("after the connection is gone: %v", err)
	}
}

func TestTokenStaysWithItsHost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var leaked string
	thief := newFake(t)
	thief.on("GET /stolen", func(w http.ResponseWriter, r *http.Request) {
		leaked = r.Header.Get("Authorization")
		answer(200, `{}`)(w, r)
	})
	fake := newFake(t)
	var own string
	fake.on("GET /user", func(w http.ResponseWriter, r *http.Request) {
		own = r.Header.Get("Authorization")
		http.Redirect(w, r, thief.URL+"/stolen", http.StatusTemporaryRedirect)
	})
	c, err := b.CreateConnection(b.as(t.Context()), 1, "gh", fake.URL, "ghp_t")
	if err != nil {
		t.Fatal(err)
	}
	client, err := b.Client(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := client.Users.Get(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if own != "Bearer ghp_t" || leaked != "" || thief.count("GET /stolen") != 1 {
		t.Errorf("own host got %q, the other %q", own, leaked)
	}
	token := "other"
	if _, err := b.ChangeConnection(b.as(t.Context()), c.ID, ConnectionChange{Token: &token}); err != nil {
		t.Fatal(err)
	}
	if client, err = b.Client(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := client.Users.Get(t.Context(), ""); err != nil || own != "Bearer other" {
		t.Errorf("after a change: %q %v", own, err)
	}
}

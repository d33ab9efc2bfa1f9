package assistant

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"
)

// steady reaches one client, as connections do.
type steady struct {
	connections
	client *github.Client
}

func (s steady) ClientAt(context.Context, int64, string) (*github.Client, bool, error) {
	return s.client, true, nil
}

// TestAnswersSayTheirAge asks twice: the second answer is of what GitHub said before, and says so until GitHub tells of a change.
func TestAnswersSayTheirAge(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.GitHub = steady{connections{b.hub}, b.hub.client()}
	clock := b.Now()
	b.Now = func() time.Time { return clock }
	b.Service = New(b.Deps)
	ask := func() Run {
		t.Helper()
		run, err := b.Ask(b.as(t.Context()), Question{Team: "main", Text: "What is the latest release?", Zone: "Europe/London"})
		if err != nil || run.Status != Answered {
			t.Fatalf("%+v %v", run, err)
		}
		return run
	}
	if run := ask(); strings.Contains(run.Answer.Text, "as of") || b.hub.Calls.Load() != 1 {
		t.Errorf("%s, %d calls", run.Answer.Text, b.hub.Calls.Load())
	}
	clock = clock.Add(30 * time.Second)
	run := ask()
	if !strings.Contains(run.Answer.Text, "GitHub as of 13:00.") || b.hub.Calls.Load() != 1 || !strings.Contains(run.Steps[0].Result, `"as_of":"2026-04-17T12:00:00Z"`) {
		t.Errorf("%s, %d calls\n%s", run.Answer.Text, b.hub.Calls.Load(), run.Steps[0].Result)
	}
	if err := b.GitHubChanged(t.Context(), "acme/shop"); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for b.hub.Calls.Load() < 2 { // PostgreSQL tells a moment later
		if run := ask(); time.Now().After(deadline) {
			t.Fatalf("after a webhook: %s", run.Answer.Text)
		}
	}
	if err := b.GitHubChanged(t.Context(), ""); err != nil {
		t.Error(err)
	}
}

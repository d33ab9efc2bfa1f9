package app_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestReviewRequestedReachesItsChannel: a rule has one kind of event told to one channel.
func TestReviewRequestedReachesItsChannel(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 10)
	there := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && r.Header.Get("X-Signalbox-Signature-256") != "" {
			heard <- string(body)
		}
	}))
	t.Cleanup(there.Close)
	r := start(t)
	var channel, rule struct{ ID string }
	r.call(t, "POST", "/api/v1/ci/channels", map[string]any{"team": "main", "kind": "webhook", "name": "web", "url": there.URL, "events": []string{"build.failed"}}, &channel)
	r.call(t, "POST", "/api/v1/ci/rules", map[string]any{"team": "main", "name": "reviews", "events": []string{"pull_request"}, "actions": []string{"review_requested"},
		"repository": "acme/*", "channel": channel.ID}, &rule)
	h := r.hook(t, "main", "")
	for guid, action := range map[string]string{"g-1": "opened", "g-2": "review_requested"} {
		body := `{"action":"` + action + `","number":4,"pull_request":{"number":4,"title":"Add a thing","html_url":"https://github.com/acme/shop/pull/4","base":{"ref":"main","repo":{"full_name":"acme/shop"}},
			"head":{"ref":"thing","sha":"` + strings.Repeat("a", 40) + `","repo":{"full_name":"acme/shop"}}},"repository":{"full_name":"acme/shop","name":"shop","owner":{"login":"acme"}},"sender":{"login":"ada"}}`
		status, raw := (&client{url: r.url}).send(t, "POST", "/hooks/github/"+h.ID, strings.NewReader(body), "X-GitHub-Event", "pull_request", "X-GitHub-Delivery", guid,
			"X-Hub-Signature-256", h.sign([]byte(body)))
		if status != http.StatusAccepted {
			t.Fatal(status, raw)
		}
	}
	if got := <-heard; !strings.Contains(got, "acme/shop") || !strings.Contains(got, `"event":"github.rule"`) {
		t.Error(got)
	}
	eventually(t, "the rule to have told", func() bool {
		var log struct{ Items []struct{ State string } }
		r.call(t, "GET", "/api/v1/ci/rules/"+rule.ID+"/deliveries", nil, &log)
		return len(log.Items) == 1
	})
	if len(heard) != 0 {
		t.Errorf("heard more: %s", <-heard)
	}
}

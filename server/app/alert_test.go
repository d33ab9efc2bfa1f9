package app_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/databasetest"
)

// postOffice takes letters by SMTP.
type postOffice struct {
	port int

	mu      sync.Mutex
	letters []letter
}

type letter struct {
	subject, text string
	at            time.Time
}

func openPostOffice(t testing.TB) *postOffice {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &postOffice{port: l.Addr().(*net.TCPAddr).Port}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() { l.Close(); served.Wait() })
	return p
}

func (p *postOffice) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	fmt.Fprint(conn, "220 post office\r\n")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch strings.ToUpper(line[:4]) {
		case "DATA":
			fmt.Fprint(conn, "354 go on\r\n")
			var text strings.Builder
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				text.WriteString(strings.TrimPrefix(line, "."))
			}
			p.keep(text.String())
		case "QUIT":
			fmt.Fprint(conn, "221 bye\r\n")
			return
		}
		fmt.Fprint(conn, "250 yes\r\n")
	}
}

func (p *postOffice) keep(text string) {
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		return
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.letters = append(p.letters, letter{subject, string(body), time.Now()})
}

func (p *postOffice) subjects() (list []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.letters {
		list = append(list, l.subject)
	}
	return list
}

// letter waits for the nth one.
func (p *postOffice) letter(t testing.TB, n int) letter {
	t.Helper()
	eventually(t, fmt.Sprintf("letter %d", n), func() bool { return len(p.subjects()) >= n })
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.letters[n-1]
}

// launchWithMail is the real program, which sends mail to the post office.
func launchWithMail(t testing.TB, p *postOffice, dir, database string) *process {
	t.Helper()
	return launchOn(t, dir, database, "env", "SIGNALBOX_SMTP_HOST=127.0.0.1", "SIGNALBOX_SMTP_PORT="+strconv.Itoa(p.port), "SIGNALBOX_SMTP_FROM=signalbox@example.com", "SIGNALBOX_SMTP_TLS=none")
}

func (c *client) mailChannel(t testing.TB) string {
	t.Helper()
	var channel struct{ ID string }
	c.call(t, "POST", "/api/v1/ci/channels", map[string]any{"team": "main", "kind": "mail", "name": "Ops", "recipients": []string{"ann@example.com"}, "events": []string{"build.failed"}}, &channel)
	return channel.ID
}

type alertRule struct {
	ID       int64
	Sentence string
	Problem  string
}

func (c *client) alertRule(t testing.TB, rule map[string]any) (made alertRule) {
	t.Helper()
	rule["team"] = "main"
	c.call(t, "POST", "/api/v1/issues/alerts", rule, &made)
	return made
}

type alertHistory struct {
	Items []struct {
		ID         int64
		Why        string
		Test       bool
		EventID    string `json:"event_id"`
		Deliveries []struct{ Type, State, Error, URL string }
	}
}

func (c *client) alertHistory(t testing.TB, id int64) (h alertHistory) {
	t.Helper()
	c.call(t, "GET", fmt.Sprintf("/api/v1/issues/alerts/%d/history", id), nil, &h)
	return h
}

// report sends an error of a kind, as a client does.
func (c *client) report(t testing.TB, p errorProject, kind, environment string) (event string) {
	t.Helper()
	event = strings.ReplaceAll(newGUID(), "-", "")
	body := fmt.Sprintf("{\"event_id\":%q}\n{\"type\":\"event\"}\n{\"exception\":{\"values\":[{\"type\":%q,\"value\":\"it broke\"}]},\"environment\":%q,\"level\":\"error\",\"platform\":\"python\"}\n", event, kind, environment)
	answer := c.as("").request(t, "POST", fmt.Sprintf("/api/%d/envelope/?sentry_key=%s", p.ID, p.Key), strings.NewReader(body))
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatal("envelope:", answer.StatusCode)
	}
	return event
}

func (c *client) awaitEvent(t testing.TB, event string) (issue int64) {
	t.Helper()
	var shown struct{ Issue int64 }
	path := "/api/v1/issues/events/" + event + "?team=main"
	eventually(t, "the event", func() bool { return c.status(t, "GET", path) == http.StatusOK })
	c.call(t, "GET", path, nil, &shown)
	return shown.Issue
}

var eventLink = regexp.MustCompile(`http\S+/teams/main/issues/([0-9]+)/events/([0-9a-f]{32})`)

// TestAlertsByMail is the story of a rule: the first event brings a letter that
// leads to it, the throttle holds, what comes back is told, a restart changes nothing.
func TestAlertsByMail(t *testing.T) {
	t.Parallel()
	office := openPostOffice(t)
	p := launchWithMail(t, office, t.TempDir(), databasetest.URL(t))
	project := p.errorProject(t, "main", "Shop")
	ops := []any{map[string]any{"type": "mail", "target": p.mailChannel(t)}}
	fresh := p.alertRule(t, map[string]any{"name": "new ones", "condition": map[string]any{"type": "new"}, "environment": "prod", "actions": ops})
	if fresh.Sentence != "When an error is new in prod, send mail to Ops, at most once an hour per issue." {
		t.Error(fresh.Sentence)
	}
	p.alertRule(t, map[string]any{"name": "back again", "project": project.ID, "condition": map[string]any{"type": "regressed"}, "actions": ops})
	sent := time.Now()
	event := p.report(t, project, "ValueError", "prod")
	first := office.letter(t, 1)
	t.Logf("the letter came %s after the event", first.at.Sub(sent).Round(time.Millisecond))
	link := eventLink.FindStringSubmatch(first.text)
	if first.subject != "SHOP-1: ValueError: it broke" || link == nil || link[2] != event || !strings.HasPrefix(link[0], p.url) {
		t.Fatalf("%s\n%s", first.subject, first.text)
	}
	issue := p.awaitEvent(t, event)
	if link[1] != strconv.FormatInt(issue, 10) {
		t.Errorf("leads to issue %s, want %d", link[1], issue)
	}
	p.awaitEvent(t, p.report(t, project, "ValueError", "prod"))
	p.end(syscall.SIGKILL)
	p.start()
	p.call(t, "PATCH", fmt.Sprintf("/api/v1/issues/issues/%d", issue), map[string]any{"status": "resolved"}, nil)
	p.awaitEvent(t, p.report(t, project, "ValueError", "prod"))
	if back := office.letter(t, 2); !strings.Contains(back.text, "It was resolved and came back") || !strings.Contains(back.text, "Rule: back again") {
		t.Errorf("%s\n%s", back.subject, back.text)
	}
	p.call(t, "PATCH", fmt.Sprintf("/api/v1/issues/issues/%d", issue), map[string]any{"status": "resolved"}, nil)
	p.awaitEvent(t, p.report(t, project, "ValueError", "prod"))
	p.report(t, project, "KeyError", "prod") // told, and behind what the throttle held back
	office.letter(t, 3)
	if got := office.subjects(); !slices.Equal(got, []string{"SHOP-1: ValueError: it broke", "SHOP-1: ValueError: it broke", "SHOP-2: KeyError: it broke"}) {
		t.Errorf("%q", got)
	}
	eventually(t, "the history to say so", func() bool {
		h := p.alertHistory(t, fresh.ID)
		return len(h.Items) == 2 && h.Items[0].Deliveries[0].State == "sent" && h.Items[1].EventID == event
	})
	var test struct{ Test bool }
	p.call(t, "POST", fmt.Sprintf("/api/v1/issues/alerts/%d/test", fresh.ID), nil, &test)
	if l := office.letter(t, 4); l.subject != "Test of the alert new ones" || !test.Test {
		t.Errorf("%+v", l)
	}
	var shown struct {
		Count int64
		Days  []int64
	}
	p.call(t, "POST", "/api/v1/issues/alerts/preview", map[string]any{"team": "main", "condition": map[string]any{"type": "new"}, "environment": "prod"}, &shown)
	if shown.Count != 2 || shown.Days[6] != 2 {
		t.Errorf("%+v", shown)
	}
}

// TestAlertsSurviveAKill kills the server while new errors come: each is told,
// and noted once.
func TestAlertsSurviveAKill(t *testing.T) {
	t.Parallel()
	office := openPostOffice(t)
	p := launchWithMail(t, office, t.TempDir(), databasetest.URL(t))
	project := p.errorProject(t, "main", "Shop")
	rule := p.alertRule(t, map[string]any{"name": "new ones", "condition": map[string]any{"type": "new"}, "actions": []any{map[string]any{"type": "mail", "target": p.mailChannel(t)}}})
	const kinds = 15
	var events []string
	for n := range kinds {
		events = append(events, p.report(t, project, fmt.Sprintf("Error%c", 'A'+n), "prod"))
		if n%5 == 4 {
			p.end(syscall.SIGKILL)
			p.start()
		}
	}
	for _, e := range events {
		p.awaitEvent(t, e)
	}
	eventually(t, "all letters", func() bool {
		got := office.subjects()
		slices.Sort(got)
		return len(slices.Compact(got)) == kinds
	})
	h := p.alertHistory(t, rule.ID)
	told := map[string]bool{}
	for _, f := range h.Items {
		told[f.EventID] = true
	}
	if len(h.Items) != kinds || len(told) != kinds {
		t.Errorf("%d firings of %d events, want %d", len(h.Items), len(told), kinds)
	}
}

// issueTracker is as much of GitHub as issues need.
type issueTracker struct {
	mu     sync.Mutex
	issues []map[string]any
	// swallow makes it create the issue and fail to say so.
	swallow int
	url     string
}

func (g *issueTracker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(v)
	}
	path := strings.TrimPrefix(r.URL.Path, "/repos/octo/shop/issues")
	switch {
	case path == r.URL.Path:
		answer(http.StatusNotFound, map[string]any{"message": "Not Found"})
	case r.Method == http.MethodPost && path == "":
		var in map[string]any
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			answer(http.StatusBadRequest, nil)
			return
		}
		n := len(g.issues) + 1
		in["number"], in["state"], in["html_url"] = n, "open", fmt.Sprintf("%s/octo/shop/issues/%d", g.url, n)
		g.issues = append(g.issues, in)
		if g.swallow--; g.swallow >= 0 {
			answer(http.StatusBadGateway, map[string]any{"message": "try again"})
			return
		}
		answer(http.StatusCreated, in)
	case path == "":
		answer(http.StatusOK, g.issues)
	default:
		n, err := strconv.Atoi(strings.TrimPrefix(path, "/"))
		if err != nil || n < 1 || n > len(g.issues) {
			answer(http.StatusNotFound, map[string]any{"message": "Not Found"})
			return
		}
		answer(http.StatusOK, g.issues[n-1])
	}
}

func (g *issueTracker) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.issues)
}

type issueLinks struct {
	Items []struct {
		ID                             int64
		Number                         int64
		URL, State, Title, Error       string
		Repository, CreatedBy, Created string
	}
}

// TestIssuesAtGitHub creates one by hand and one by a rule, each once, also when
// GitHub's answer is lost; links one that exists; and follows what happens there.
func TestIssuesAtGitHub(t *testing.T) {
	t.Parallel()
	tracker := &issueTracker{swallow: 1}
	server := httptest.NewServer(tracker)
	t.Cleanup(server.Close)
	tracker.url = server.URL
	a := start(t)
	project := a.errorProject(t, "main", "Shop")
	issue := a.awaitEvent(t, a.report(t, project, "ValueError", "prod"))
	path := fmt.Sprintf("/api/v1/issues/issues/%d", issue)
	if status, raw := a.send(t, "POST", path+"/github", map[string]any{"repository": "octo/shop"}); status != http.StatusConflict || !strings.Contains(raw, "not connected") {
		t.Errorf("without a connection: %d %s", status, raw)
	}
	a.call(t, "POST", "/api/v1/ci/connections", map[string]any{"team": "main", "name": "GitHub", "api_url": server.URL, "token": "t"}, nil)
	links := func() (list issueLinks) {
		var shown struct{ Links json.RawMessage }
		a.call(t, "GET", path, nil, &shown)
		if err := json.Unmarshal(shown.Links, &list.Items); err != nil {
			t.Fatal(err)
		}
		return list
	}
	for range 3 {
		a.call(t, "POST", path+"/github", map[string]any{"repository": "octo/shop", "title": "Empty carts"}, nil)
	}
	eventually(t, "the issue at GitHub", func() bool { l := links(); return len(l.Items) == 1 && l.Items[0].State == "open" })
	if l := links().Items[0]; l.Number != 1 || l.Title != "Empty carts" || l.URL != server.URL+"/octo/shop/issues/1" || tracker.count() != 1 {
		t.Errorf("%+v of %d", l, tracker.count())
	}
	tracker.mu.Lock()
	body := fmt.Sprint(tracker.issues[0]["body"])
	tracker.mu.Unlock()
	if !strings.Contains(body, fmt.Sprintf("%s/teams/main/issues/%d", a.url, issue)) {
		t.Errorf("the issue does not lead back: %s", body)
	}
	rule := a.alertRule(t, map[string]any{"name": "new ones", "condition": map[string]any{"type": "new"}, "actions": []any{map[string]any{"type": "github_issue", "target": "octo/shop"}}})
	a.awaitEvent(t, a.report(t, project, "KeyError", "prod"))
	eventually(t, "the rule's issue", func() bool {
		h := a.alertHistory(t, rule.ID)
		return len(h.Items) == 1 && h.Items[0].Deliveries[0].State == "sent" && h.Items[0].Deliveries[0].URL == server.URL+"/octo/shop/issues/2"
	})
	var linked issueLinks
	a.call(t, "PUT", path+"/links", map[string]any{"url": server.URL + "/octo/shop/issues/2?x=1#top"}, &linked)
	if len(linked.Items) != 2 || linked.Items[1].Number != 2 || linked.Items[1].State != "open" || linked.Items[1].URL != server.URL+"/octo/shop/issues/2" {
		t.Errorf("%+v", linked)
	}
	if status := a.status(t, "DELETE", fmt.Sprintf("%s/links/%d", path, linked.Items[1].ID)); status != http.StatusNoContent {
		t.Error(status)
	}
	for _, bad := range []string{"", "octo/shop#1", "ftp://x/octo/shop/issues/1", "https://github.com/octo/shop", "javascript:alert(1)//octo/shop/issues/1"} {
		if status, _ := a.send(t, "PUT", path+"/links", map[string]any{"url": bad}); status != http.StatusBadRequest {
			t.Errorf("%q: %d", bad, status)
		}
	}
	a.call(t, "POST", path+"/github", map[string]any{"repository": "octo/gone"}, nil)
	eventually(t, "the refusal", func() bool {
		l := links()
		return len(l.Items) == 2 && l.Items[1].State == "failed" && strings.Contains(l.Items[1].Error, "knows no repository octo/gone")
	})
}

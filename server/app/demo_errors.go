package app

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // ids that look like git's, nothing secret
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// errorDemo fills a server with the errors of the sample shop: it speaks to the
// intake as the shop's program would, and to the API as its people and their
// tools would. What it tells is the same each time, only the times follow the clock.
type errorDemo struct {
	*demo
	now time.Time
	// events counts what was sent, and makes the ids of what is sent next.
	events   int
	projects map[string]demoProject
}

type demoProject struct {
	ID   int64
	Slug string
	key  string
}

// The releases of the sample shop, and who wrote what in them.
const (
	demoFirst  = "shop@1.4.0"
	demoFixed  = "shop@1.5.0"
	demoBroken = "shop@1.6.0"
)

func (d *demo) playErrors(ctx context.Context) error {
	e := &errorDemo{demo: d, now: now(), projects: map[string]demoProject{}}
	for _, step := range []func(context.Context) error{e.makeProjects, e.firstRelease, e.resolve, e.regress, e.talk, e.watch} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("errors of the sample shop: %w", err)
		}
	}
	return nil
}

func (e *errorDemo) makeProjects(ctx context.Context) error {
	for _, p := range []struct{ name, slug, platform string }{{"Shop", "shop", "python-django"}, {"Shop window", "shop-window", "javascript"}} {
		var made demoProject
		if err := e.call(ctx, "POST", "/api/v1/issues/projects", map[string]any{"team": demoTeam, "name": p.name, "slug": p.slug, "platform": p.platform}, &made); err != nil {
			return err
		}
		// Successful builds of the sample repository are releases, too.
		change := map[string]any{"repository": "file://" + e.bare()}
		if err := e.call(ctx, "PATCH", fmt.Sprintf("/api/v1/issues/projects/%d", made.ID), change, nil); err != nil {
			return err
		}
		var keys struct{ Items []struct{ ID string } }
		if err := e.call(ctx, "GET", fmt.Sprintf("/api/v1/issues/projects/%d/keys", made.ID), nil, &keys); err != nil {
			return err
		}
		made.key = keys.Items[0].ID
		e.projects[p.slug] = made
	}
	return nil
}

// firstRelease has errors of the last days: one that many meet, and some noise.
func (e *errorDemo) firstRelease(ctx context.Context) error {
	if err := e.release(ctx, demoFirst, 6*24*time.Hour, demoCommit{"bob", "delivery: take prices from a table", []string{"shop/delivery.py", "shop/cart.py"}}); err != nil {
		return err
	}
	for _, s := range []struct {
		file, project, user string
		count               int
		from, every         time.Duration
	}{
		{"delivery", "shop", "customer%d@example.com", 18, 140 * time.Hour, 4 * time.Hour},
		{"payment", "shop", "customer%d@example.com", 24, 130 * time.Hour, 5 * time.Hour},
		{"pipe", "shop", "", 9, 100 * time.Hour, 9 * time.Hour},
		{"page", "shop-window", "visitor%d@example.net", 12, 60 * time.Hour, 4 * time.Hour},
	} {
		for n := range s.count {
			user := s.user
			if user != "" {
				user = fmt.Sprintf(user, n%7+1)
			}
			if _, err := e.event(ctx, s.project, s.file, demoFirst, user, s.from-time.Duration(n)*s.every, n); err != nil {
				return err
			}
		}
	}
	return e.digested(ctx)
}

// resolve is what people decided: the fix is in the next release, the noise is archived.
func (e *errorDemo) resolve(ctx context.Context) error {
	if err := e.release(ctx, demoFixed, 50*time.Hour, demoCommit{"ann", "cart: refuse countries without delivery", []string{"shop/cart.py", "shop/views.py"}}); err != nil {
		return err
	}
	for title, change := range map[string]map[string]any{
		"DeliveryError":   {"status": "resolved", "terms": map[string]any{"kind": "in_release", "release": demoFixed}, "assignee": e.app.config.Admin.User},
		"BrokenPipeError": {"status": "archived", "terms": map[string]any{"kind": "until_escalating"}},
	} {
		issue, err := e.issue(ctx, title)
		if err != nil {
			return err
		}
		if err := e.call(ctx, "PATCH", fmt.Sprintf("/api/v1/issues/issues/%d", issue), change, nil); err != nil {
			return err
		}
	}
	return nil
}

// regress is the release that brings the error back, and a new one.
func (e *errorDemo) regress(ctx context.Context) error {
	err := e.release(ctx, demoBroken, 3*time.Hour, demoCommit{"bob", "cart: ask for the delivery once, not per item\n\nFaster by half.", []string{"shop/cart.py"}},
		demoCommit{"eve", "discount: vouchers for spring", []string{"shop/discount.py", "shop/templates/order.html"}})
	if err != nil {
		return err
	}
	for n := range 6 {
		if _, err := e.event(ctx, "shop", "delivery", demoBroken, fmt.Sprintf("customer%d@example.com", n+5), time.Duration(100-n*15)*time.Minute, 40+n); err != nil {
			return err
		}
		if _, err := e.event(ctx, "shop", "total", demoBroken, fmt.Sprintf("customer%d@example.com", n+2), time.Duration(95-n*11)*time.Minute, n); err != nil {
			return err
		}
	}
	return e.digested(ctx)
}

// talk is what a customer wrote, a comment, and a search that is kept.
func (e *errorDemo) talk(ctx context.Context) error {
	last, err := e.event(ctx, "shop", "total", demoBroken, "customer3@example.com", 8*time.Minute, 9)
	if err != nil {
		return err
	}
	report := map[string]any{"event_id": last, "name": "Cara", "email": "customer3@example.com", "comments": "I typed the voucher from your letter and got a white page."}
	if err := e.send(ctx, "shop", "", item{"user_report", report}); err != nil {
		return err
	}
	if err := e.digested(ctx); err != nil {
		return err
	}
	issue, err := e.issue(ctx, "TimeoutError")
	if err != nil {
		return err
	}
	if err := e.call(ctx, "POST", fmt.Sprintf("/api/v1/issues/issues/%d/comments", issue), map[string]any{"text": "They move to another data centre until Friday."}, nil); err != nil {
		return err
	}
	return e.call(ctx, "POST", "/api/v1/issues/views", map[string]any{"team": demoTeam, "name": "Came back", "query": "is:regressed", "sort": "last_seen"}, nil)
}

// watch is the health of the latest release and a nightly job that failed once.
func (e *errorDemo) watch(ctx context.Context) error {
	for _, r := range []struct {
		release        string
		ago            time.Duration
		fine, crashed  int
		errored, hours int
	}{{demoFirst, 60 * time.Hour, 240, 9, 14, 12}, {demoFixed, 48 * time.Hour, 260, 1, 4, 40}, {demoBroken, 2 * time.Hour, 210, 14, 11, 2}} {
		var buckets []any
		for h := range r.hours {
			started := e.now.Add(time.Duration(h)*time.Hour - r.ago).Truncate(time.Hour)
			buckets = append(buckets, map[string]any{"started": started, "exited": r.fine, "errored": r.errored, "crashed": r.crashed})
		}
		sessions := map[string]any{"aggregates": buckets, "attrs": map[string]any{"release": r.release, "environment": "production"}}
		if err := e.send(ctx, "shop", "", item{"sessions", sessions}); err != nil {
			return err
		}
	}
	monitor := map[string]any{"schedule": map[string]any{"type": "interval", "value": 1, "unit": "day"}, "checkin_margin": 30, "max_runtime": 60, "timezone": "UTC"}
	for n, state := range []string{"ok", "error", "ok"} {
		check := map[string]any{"check_in_id": hash40(fmt.Sprint("check-in ", n))[:32], "monitor_slug": "nightly-invoices", "status": state, "duration": 40.5 + float64(n), "release": demoBroken,
			"environment": "production", "monitor_config": monitor}
		if err := e.send(ctx, "shop", "", item{"check_in", check}); err != nil {
			return err
		}
	}
	return nil
}

// demoCommit is a change that a release brings.
type demoCommit struct {
	author, message string
	files           []string
}

// release is made, given its commits, deployed and finalised as sentry-cli does it.
func (e *errorDemo) release(ctx context.Context, version string, ago time.Duration, commits ...demoCommit) error {
	at := e.now.Add(-ago)
	var list []any
	for _, c := range commits {
		var files []any
		for _, f := range c.files {
			files = append(files, map[string]any{"path": f, "type": "M"})
		}
		list = append(list, map[string]any{"id": hash40(version + c.message), "repository": "acme/shop", "author_name": c.author, "author_email": c.author + "@example.com",
			"timestamp": at.Add(-time.Hour), "message": c.message, "patch_set": files})
	}
	path := "/api/0/organizations/" + demoTeam + "/releases/"
	if err := e.call(ctx, "POST", path, map[string]any{"version": version, "projects": []string{"shop", "shop-window"}}, nil); err != nil {
		return err
	}
	one := path + url.PathEscape(version) + "/"
	if err := e.call(ctx, "PUT", one, map[string]any{"commits": list, "dateReleased": at}, nil); err != nil {
		return err
	}
	return e.call(ctx, "POST", one+"deploys/", map[string]any{"environment": "production", "dateFinished": at}, nil)
}

// hash40 looks like a commit's id.
func hash40(text string) string {
	sum := sha1.Sum([]byte(text)) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

// item is one thing in an envelope.
type item struct {
	kind string
	body any
}

// event sends one of the sample errors, with its places filled in, and gives its id.
func (e *errorDemo) event(ctx context.Context, project, file, release, user string, ago time.Duration, n int) (string, error) {
	raw, err := demoFiles.ReadFile("demo/errors/" + file + ".json")
	if err != nil {
		return "", err
	}
	var body map[string]any
	if err := json.Unmarshal(bytes.ReplaceAll(raw, []byte("{n}"), fmt.Append(nil, 17+n)), &body); err != nil {
		return "", err
	}
	id, at := e.id(), e.now.Add(-ago)
	body["timestamp"], body["release"], body["environment"] = at, release, "production"
	if n%6 == 5 {
		body["environment"] = "staging"
	}
	if user != "" {
		body["user"] = map[string]any{"id": strings.TrimRight(user, "@.abcdefghijklmnopqrstuvwxyz"), "email": user, "ip_address": fmt.Sprintf("203.0.113.%d", 10+n)}
	}
	if crumbs, ok := body["breadcrumbs"].(map[string]any); ok {
		for _, c := range crumbs["values"].([]any) {
			crumb := c.(map[string]any)
			seconds, _ := crumb["ago"].(float64)
			delete(crumb, "ago")
			crumb["timestamp"] = at.Add(-time.Duration(seconds) * time.Second)
		}
	}
	return id, e.send(ctx, project, id, item{"event", body})
}

// send posts an envelope with the project's key, as an SDK does.
func (e *errorDemo) send(ctx context.Context, project, id string, i item) error {
	p := e.projects[project]
	header := map[string]any{"sent_at": now()}
	if id != "" {
		header["event_id"] = id
	}
	var body bytes.Buffer
	for _, line := range []any{header, map[string]any{"type": i.kind}, i.body} {
		raw, err := json.Marshal(line)
		if err != nil {
			return err
		}
		body.Write(append(raw, '\n'))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s/api/%d/envelope/?sentry_key=%s", e.app.URL(), p.ID, p.key), &body)
	if err != nil {
		return err
	}
	return send(req, nil)
}

// digested waits until the last event that was sent can be seen.
func (e *errorDemo) digested(ctx context.Context) error {
	path := fmt.Sprintf("/api/v1/issues/events/%s?team=%s", e.idOf(e.events), demoTeam)
	var err error
	for range 600 {
		if err = e.call(ctx, "GET", path, nil, nil); err == nil {
			return nil
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.Join(errors.New("the events were not digested in half a minute"), err)
}

// issue finds one by a word of its title.
func (e *errorDemo) issue(ctx context.Context, word string) (int64, error) {
	var list struct{ Issues []struct{ ID int64 } }
	err := e.call(ctx, "GET", "/api/v1/issues/issues?"+url.Values{"team": {demoTeam}, "query": {word}}.Encode(), nil, &list)
	if err != nil {
		return 0, err
	}
	if len(list.Issues) == 0 {
		return 0, fmt.Errorf("no issue has the word %s", word)
	}
	return list.Issues[0].ID, nil
}

// id is the next one: the same in each demo.
func (e *errorDemo) id() string { e.events++; return e.idOf(e.events) }

func (*errorDemo) idOf(n int) string { return hash40(fmt.Sprint("event ", n))[:32] }

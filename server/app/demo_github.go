package app

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// deliver says something as GitHub would, signed with the hook's secret.
func (d *demo) deliver(ctx context.Context, event string, payload map[string]any) error {
	payload["repository"] = d.repository()
	return d.post(ctx, d.hook, event, payload)
}

// post sends a delivery to a hook.
func (d *demo) post(ctx context.Context, hook demoHook, event string, payload map[string]any) error {
	body, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, []byte(hook.Secret))
	mac.Write(body)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.app.URL()+strings.TrimPrefix(hook.URL, d.app.PublicURL()), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "GitHub-Hookshot/demo")
	req.Header.Set("X-GitHub-Event", event)
	req.Header.Set("X-GitHub-Delivery", randomID())
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return send(req, nil)
}

// repository is the sample one as GitHub describes it. It is cloned from disk; its
// page makes the pull requests' resource know it.
func (d *demo) repository() map[string]any {
	return map[string]any{"id": 1, "name": "shop", "full_name": "acme/shop", "owner": map[string]any{"login": "acme"}, "default_branch": "main",
		"clone_url": "file://" + d.bare(), "html_url": "https://github.com/acme/shop", "pushed_at": now().Unix()}
}

func (d *demo) pushed(before, after, message string) map[string]any {
	return pushedBy("Ann", before, after, message, "totals.txt")
}

// pushedBy is what GitHub says of one commit on the branch main.
func pushedBy(who, before, after, message string, files ...string) map[string]any {
	login := strings.ToLower(who)
	author := map[string]any{"name": who, "email": login + "@example.com", "username": login}
	commit := map[string]any{"id": after, "message": message, "author": author, "committer": author, "timestamp": now().Format(time.RFC3339), "modified": files}
	return map[string]any{"ref": "refs/heads/main", "before": before, "after": after, "head_commit": commit, "commits": []any{commit},
		"pusher": author, "sender": map[string]any{"login": login}}
}

// playPulls tells of two pull requests: one of the team's own, which is built at once
// and for which a review is requested, and one of a fork, which waits for a member.
func (d *demo) playPulls(ctx context.Context) error {
	head, err := d.git(ctx, "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	own, fork := d.pull(7, "totals: show them with tax", "bob", "acme/shop", head), d.pull(8, "Faster totals", "eve", "eve/shop", strings.Repeat("e", 40))
	for _, step := range []struct {
		event, sender string
		payload       map[string]any
	}{
		{"pull_request", "bob", map[string]any{"action": "opened", "number": 7, "pull_request": own}},
		{"pull_request", "bob", map[string]any{"action": "review_requested", "number": 7, "pull_request": own, "requested_reviewer": map[string]any{"login": "ann"}}},
		{"pull_request", "eve", map[string]any{"action": "opened", "number": 8, "pull_request": fork}},
		{"issue_comment", "eve", map[string]any{"action": "created", "comment": map[string]any{"body": "Twice as fast here.", "html_url": "https://github.com/acme/shop/pull/8#issuecomment-1"},
			"issue": map[string]any{"number": 8, "title": "Faster totals", "state": "open", "user": map[string]any{"login": "eve"}, "html_url": "https://github.com/acme/shop/pull/8"}}},
	} {
		if err := sleep(ctx, 3*time.Second); err != nil {
			return err
		}
		step.payload["sender"] = map[string]any{"login": step.sender}
		if err := d.deliver(ctx, step.event, step.payload); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) pull(number int, title, author, from, head string) map[string]any {
	home, place := d.repository(), map[string]any{"id": 1, "full_name": from}
	if from != home["full_name"] {
		place["id"] = 2
	}
	return map[string]any{"number": number, "title": title, "state": "open", "html_url": fmt.Sprintf("https://github.com/acme/shop/pull/%d", number),
		"user": map[string]any{"login": author}, "updated_at": now().UTC().Format(time.RFC3339), "labels": []any{},
		"head": map[string]any{"sha": head, "ref": "topic", "repo": place}, "base": map[string]any{"ref": "main", "repo": home}}
}

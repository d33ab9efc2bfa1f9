package resource

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// githubWebhookType keeps a hook of a GitHub repository that has a resource of this
// server checked. Putting it twice is the same as putting it once: a hook is found by
// its address on every page of the list, since GitHub never shows a hook's secret.
type githubWebhookType struct{ opts Options }

// ResumesPut says that a put may be repeated after a restart.
func (githubWebhookType) ResumesPut() bool { return true }

// hook is a repository's hook as GitHub shows and takes it.
type hook struct {
	ID     int64      `json:"id,omitempty"`
	Name   string     `json:"name,omitempty"`
	Active bool       `json:"active"`
	Events []string   `json:"events"`
	Config hookConfig `json:"config"`
}

type hookConfig struct {
	URL         string `json:"url"`
	ContentType string `json:"content_type"`
	Secret      string `json:"secret,omitempty"`
}

// hookWish is what a put asks for.
type hookWish struct {
	org, repo string
	remove    bool
	hook      hook
	token     string
}

func (t githubWebhookType) source(req Request) (githubAccess, error) {
	f := sourceOf(req)
	f.required("github_api")
	a := githubAccess{api: apiAddress(f, "github_api"), token: f.required("github_token"), insecure: f.boolean("skip_ssl_verification")}
	return a, f.err
}

// Check echoes the version it is given: only puts make versions.
func (t githubWebhookType) Check(_ context.Context, req Request) ([]Version, error) {
	if _, err := t.source(req); err != nil {
		return nil, err
	}
	return echo(req.Version), nil
}

// Get writes the version as a file: there is nothing to fetch.
func (t githubWebhookType) Get(ctx context.Context, req Request) (Result, error) {
	if _, err := t.source(req); err != nil {
		return Result{}, err
	}
	return getVersionFile(ctx, req)
}

// Put creates, corrects or deletes the hook.
func (t githubWebhookType) Put(ctx context.Context, req Request) (Result, error) {
	access, err := t.source(req)
	if err != nil {
		return Result{}, err
	}
	wish, err := readHookWish(req)
	if err != nil {
		return Result{}, err
	}
	g, err := t.opts.github(req, access)
	if err != nil {
		return Result{}, err
	}
	defer g.web.close()
	g.web.secrets = append(g.web.secrets, wish.token, wish.hook.Config.Secret)
	do := g.keepHook
	if wish.remove {
		do = g.removeHook
	}
	id, said, err := do(ctx, wish)
	if answered(err, http.StatusNotFound) {
		err = fmt.Errorf("%w. The repository %s/%s does not exist, or the token's owner is not an administrator of it", err, wish.org, wish.repo)
	}
	if err != nil {
		return Result{}, failed(ctx, req, "out", err)
	}
	if _, err := fmt.Fprintln(req.Log, said); err != nil {
		return Result{}, err
	}
	if id == "" {
		id = "none-" + strconv.FormatInt(t.opts.now().UnixMilli(), 10)
	}
	return Result{Version: Version{"id": id}, Metadata: []Field{
		{Name: "repository", Value: wish.org + "/" + wish.repo}, {Name: "events", Value: strings.Join(wish.hook.Events, " ")},
		{Name: "changed", Value: t.opts.now().UTC().Format(time.RFC3339)},
	}}, nil
}

func readHookWish(req Request) (hookWish, error) {
	f := paramsOf(req)
	w := hookWish{org: f.required("org"), repo: f.required("repo"), token: f.required("webhook_token")}
	resource := f.required("resource_name")
	operation := strings.ToLower(strings.TrimSpace(f.required("operation")))
	if f.err == nil && operation != "create" && operation != "delete" {
		f.fail("operation", fmt.Sprintf("must be create or delete, but is %q. Correct it in the pipeline.", operation))
	}
	w.remove = operation == "delete"
	repositoryName(f, "org", w.org)
	repositoryName(f, "repo", w.repo)
	w.hook = hook{Name: "web", Active: true, Events: hookEvents(f.texts("events")), Config: hookConfig{
		ContentType: f.oneOf("payload_content_type", "json", "form"), Secret: f.text("payload_secret"),
	}}
	base := cmp.Or(f.text("payload_base_url"), lookupEnv(req.Env, "ATC_EXTERNAL_URL"))
	pipeline := cmp.Or(f.text("pipeline"), lookupEnv(req.Env, "BUILD_PIPELINE_NAME"))
	team := lookupEnv(req.Env, "BUILD_TEAM_NAME")
	if f.err == nil && base == "" {
		f.fail("payload_base_url", "is missing, and this server's own address is not known. Add it.")
	}
	if f.err == nil && (pipeline == "" || team == "") {
		f.fail("pipeline", "is missing, and this build belongs to none. Add it, and run it in a pipeline.")
	}
	if f.err == nil {
		checkAddress(f, "payload_base_url", base)
	}
	vars := map[string]any{}
	if text := lookupEnv(req.Env, "BUILD_PIPELINE_INSTANCE_VARS"); text != "" {
		if err := json.Unmarshal([]byte(text), &vars); err != nil {
			return w, fmt.Errorf("read BUILD_PIPELINE_INSTANCE_VARS: %w", err)
		}
	}
	maps.Copy(vars, f.object("pipeline_instance_vars"))
	if f.err != nil {
		return w, f.err
	}
	var err error
	w.hook.Config.URL, err = hookURL(base, team, pipeline, resource, w.token, vars)
	return w, err
}

// hookEvents are the wanted events, each once and in order.
func hookEvents(names []string) []string {
	var out []string
	for _, name := range names {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return []string{"push"}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// hookURL is where GitHub posts to: the resource's check by webhook.
func hookURL(base, team, pipeline, resource, token string, vars map[string]any) (string, error) {
	query := url.Values{"webhook_token": {token}}
	if err := instanceVars(query, "vars", vars); err != nil {
		return "", err
	}
	return strings.TrimRight(base, "/") + "/api/v1/teams/" + url.PathEscape(team) + "/pipelines/" + url.PathEscape(pipeline) +
		"/resources/" + url.PathEscape(resource) + "/check/webhook?" + query.Encode(), nil
}

// instanceVars writes each variable as JSON under its path, as Concourse reads them.
func instanceVars(query url.Values, prefix string, vars map[string]any) error {
	for name, value := range vars {
		if strings.ContainsAny(name, `.:"/ `) {
			name = strconv.Quote(name)
		}
		if inner, ok := value.(map[string]any); ok && len(inner) > 0 {
			if err := instanceVars(query, prefix+"."+name, inner); err != nil {
				return err
			}
			continue
		}
		data, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("params.pipeline_instance_vars: %w", err)
		}
		query.Set(prefix+"."+name, string(data))
	}
	return nil
}

// sameHook compares addresses without the token, so that a new token changes the hook
// instead of adding a second one.
func sameHook(a, b string) bool {
	left, ok := hookKey(a)
	right, okToo := hookKey(b)
	return ok && okToo && left == right
}

func hookKey(address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", false
	}
	query := u.Query()
	query.Del("webhook_token")
	return strings.ToLower(u.Scheme+"://"+u.Host) + u.EscapedPath() + "?" + query.Encode(), true
}

func (g githubAPI) hooksLike(ctx context.Context, wish hookWish) ([]hook, error) {
	var found []hook
	err := pages(ctx, g, g.path("repos", wish.org, wish.repo, "hooks"), func(page []hook) bool {
		for _, h := range page {
			if sameHook(h.Config.URL, wish.hook.Config.URL) {
				found = append(found, h)
			}
		}
		return true
	})
	return found, err
}

// keepHook makes sure that there is the hook, and says what it did.
func (g githubAPI) keepHook(ctx context.Context, wish hookWish) (id, said string, err error) {
	found, made, err := g.findOrMakeHook(ctx, wish)
	if err != nil {
		return "", "", err
	}
	if made != "" {
		return made, "created the webhook", nil
	}
	id = strconv.FormatInt(found[0].ID, 10)
	extra := ""
	if len(found) > 1 {
		extra = fmt.Sprintf(". There are %d with this address; the others are left alone", len(found))
	}
	if found[0].matches(wish.hook) {
		return id, "the webhook exists already" + extra, nil
	}
	change := wish.hook
	change.Name = ""
	err = g.call(ctx, http.MethodPatch, g.path("repos", wish.org, wish.repo, "hooks", id), change, nil)
	return id, "updated the webhook" + extra, err
}

// findOrMakeHook looks before each attempt: the hook may have been made although no good
// answer came, or by another build.
func (g githubAPI) findOrMakeHook(ctx context.Context, wish hookWish) (found []hook, made string, err error) {
	list := g.path("repos", wish.org, wish.repo, "hooks")
	var failure error
	for attempt := range 4 {
		if found, err = g.hooksLike(ctx, wish); err != nil || len(found) > 0 {
			return found, "", err
		}
		if failure != nil {
			if !mayPass(failure) {
				return nil, "", failure
			}
			if err := g.web.opts.sleep(ctx, time.Second<<attempt); err != nil {
				return nil, "", err
			}
		}
		var answer hook
		if failure = g.call(ctx, http.MethodPost, list, wish.hook, &answer); failure == nil {
			return nil, strconv.FormatInt(answer.ID, 10), nil
		}
	}
	return nil, "", failure
}

// mayPass reports whether a failure is the service's own.
func mayPass(err error) bool {
	var refusal *statusError
	return errors.As(err, &refusal) && refusal.status >= 500
}

// matches reports whether nothing has to be changed. A secret is never shown, so a hook
// with one is always written again.
func (h hook) matches(want hook) bool {
	return h.Active && h.Config.URL == want.Config.URL && h.Config.ContentType == want.Config.ContentType &&
		h.Config.Secret == "" && want.Config.Secret == "" && slices.Equal(hookEvents(h.Events), want.Events)
}

// removeHook deletes every hook with the address.
func (g githubAPI) removeHook(ctx context.Context, wish hookWish) (id, said string, err error) {
	found, err := g.hooksLike(ctx, wish)
	if err != nil {
		return "", "", err
	}
	for _, h := range found {
		id = strconv.FormatInt(h.ID, 10)
		err := g.call(ctx, http.MethodDelete, g.path("repos", wish.org, wish.repo, "hooks", id), nil, nil)
		if err != nil && !answered(err, http.StatusNotFound) {
			return "", "", err
		}
	}
	if len(found) == 0 {
		return "", "the webhook does not exist", nil
	}
	return id, "deleted the webhook", nil
}

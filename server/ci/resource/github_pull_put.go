package resource

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
)

// pullWish is what a put asks for.
type pullWish struct {
	version  Version
	metadata []Field
	status   *commitStatus
	comments []string
}

// commitStatus is a status as GitHub takes it.
type commitStatus struct {
	State       string `json:"state"`
	Target      string `json:"target_url,omitempty"`
	Description string `json:"description,omitempty"`
	Context     string `json:"context"`
}

// Put sets the commit's status and comments on the pull request.
func (t githubPullType) Put(ctx context.Context, req Request) (Result, error) {
	s, err := readPullSource(req)
	if err != nil {
		return Result{}, err
	}
	f := paramsOf(req)
	wish, err := readPullWish(ctx, req, f)
	if f.err != nil {
		return Result{}, f.err
	}
	if err != nil {
		return Result{}, failed(ctx, req, "out", err)
	}
	g, err := t.opts.github(req, s.access)
	if err != nil {
		return Result{}, err
	}
	defer g.web.close()
	if wish.status != nil {
		if _, err := fmt.Fprintf(req.Log, "setting the status %s to %s\n", wish.status.Context, wish.status.State); err != nil {
			return Result{}, err
		}
		// The last status of a context counts, so writing one twice does no harm.
		if err := g.read(ctx, s.path(g, "statuses", wish.version["commit"]), wish.status, nil); err != nil {
			return Result{}, failed(ctx, req, "out", err)
		}
	}
	for i, text := range wish.comments {
		if err := s.comment(ctx, g, wish.version, fmt.Sprintf("<!-- put %s %d -->", req.Container, i), text); err != nil {
			return Result{}, failed(ctx, req, "out", err)
		}
	}
	return Result{Version: wish.version, Metadata: wish.metadata}, nil
}

func readPullWish(ctx context.Context, req Request, f *fields) (pullWish, error) {
	var w pullWish
	folder := f.required("path")
	state := strings.ToLower(f.text("status"))
	switch state {
	case "", "pending", "success", "failure", "error":
	default:
		f.fail("status", fmt.Sprintf("must be pending, success, failure or error, but is %q. Correct it in the pipeline.", state))
	}
	f.refuse("delete_previous_comments")
	replace := func(key string) string { return expand(f.text(key), req.Env, nil) }
	comment, target, description := replace("comment"), replace("target_url"), replace("description")
	name := path.Join(cmp.Or(f.text("base_context"), "concourse-ci"), cmp.Or(replace("context"), "status"))
	if f.err != nil {
		return w, f.err
	}
	for file, into := range map[string]any{"version.json": &w.version, "metadata.json": &w.metadata} {
		data, err := readInput(ctx, req, path.Join(folder, ".git/resource", file), maxParam)
		if err == nil {
			err = json.Unmarshal(data, into)
		}
		if err != nil {
			return w, fmt.Errorf("params.path: read %s of the pull request: %w", file, err)
		}
	}
	if !digits(w.version["pr"]) || !hexRef.MatchString(w.version["commit"]) {
		return w, errors.New("params.path: the folder holds no version of a pull request")
	}
	fromFile, err := paramFile(ctx, req, f, "description_file")
	if err != nil {
		return w, err
	}
	description = cmp.Or(strings.TrimSpace(fromFile), description)
	if state != "" {
		w.status = &commitStatus{
			State: state, Context: name, Target: cmp.Or(target, lookupEnv(req.Env, "BUILD_URL")),
			Description: shorten(cmp.Or(description, "Build "+state), 140),
		}
	}
	fromFile, err = paramFile(ctx, req, f, "comment_file")
	for _, text := range []string{comment, expand(fromFile, req.Env, nil)} {
		if strings.TrimSpace(text) != "" {
			w.comments = append(w.comments, shorten(text, 65000))
		}
	}
	return w, err
}

// shorten keeps what GitHub takes.
func shorten(text string, most int) string {
	runes := []rune(strings.ToValidUTF8(text, "\uFFFD"))
	if len(runes) <= most {
		return string(runes)
	}
	return string(runes[:most-1]) + "…"
}

// comment writes one comment, unless this put has written it already: before a restart,
// or by a request that got no good answer.
func (s pullSource) comment(ctx context.Context, g githubAPI, v Version, mark, text string) error {
	address := s.path(g, "issues", v["pr"], "comments")
	type said struct {
		Body string `json:"body"`
	}
	var failure error
	for range 3 {
		exists := false
		err := pages(ctx, g, address, func(page []said) bool {
			for _, c := range page {
				exists = exists || strings.Contains(c.Body, mark)
			}
			return !exists
		})
		if err != nil || exists {
			return err
		}
		if failure != nil && !mayPass(failure) {
			return failure
		}
		if failure = g.call(ctx, http.MethodPost, address, said{text + "\n\n" + mark}, nil); failure == nil {
			_, err := fmt.Fprintln(g.web.log, "commented on the pull request")
			return err
		}
	}
	return failure
}

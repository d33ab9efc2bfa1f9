package resource

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// releaseWish is what a put asks for, as GitHub takes it.
type releaseWish struct {
	Tag        string  `json:"tag_name"`
	Name       string  `json:"name"`
	Commitish  string  `json:"target_commitish,omitempty"`
	Body       *string `json:"body,omitempty"`
	Draft      bool    `json:"draft"`
	Prerelease bool    `json:"prerelease"`
	Notes      bool    `json:"generate_release_notes,omitempty"`
}

// Put creates or changes the release of a tag. With globs its files are those that
// match; without globs it keeps the files that it has.
func (t githubReleaseType) Put(ctx context.Context, req Request) (Result, error) {
	s, err := readReleaseSource(req)
	if err == nil && s.access.token == "" {
		err = errors.New("source.access_token is missing. Publishing needs one")
	}
	if err != nil {
		return Result{}, err
	}
	f := paramsOf(req)
	wish, err := s.wish(ctx, req, f)
	globs := f.texts("globs")
	if f.err != nil {
		return Result{}, f.err
	}
	if err != nil {
		return Result{}, failed(ctx, req, "out", err)
	}
	tmp, err := t.opts.scratch()
	if err != nil {
		return Result{}, err
	}
	defer tmp.remove() //nolint:errcheck // nothing can be done about files that stay
	files, err := tmp.matchAll(ctx, req, globs)
	if err != nil {
		return Result{}, failed(ctx, req, "out", err)
	}
	g, err := t.opts.github(req, s.access)
	if err != nil {
		return Result{}, err
	}
	defer g.web.close()
	r, err := s.publish(ctx, g, wish)
	if err == nil && len(globs) > 0 {
		err = s.replaceAssets(ctx, g, r, files)
	}
	if err != nil {
		return Result{}, failed(ctx, req, "out", err)
	}
	return Result{Version: r.version(), Metadata: releaseMetadata(r, "")}, nil
}

func (s releaseSource) wish(ctx context.Context, req Request, f *fields) (releaseWish, error) {
	w := releaseWish{Draft: s.drafts, Prerelease: !s.final && s.pre, Notes: f.boolean("generate_release_notes")}
	f.required("name")
	f.required("tag")
	prefix, hasBody := f.text("tag_prefix"), f.text("body") != ""
	if f.err != nil {
		return w, f.err
	}
	values := map[string]string{}
	for _, key := range []string{"name", "tag", "body", "commitish"} {
		text, err := paramFile(ctx, req, f, key)
		if err != nil {
			return w, err
		}
		values[key] = text
	}
	w.Tag, w.Name, w.Commitish = strings.TrimSpace(values["tag"]), strings.TrimSpace(values["name"]), strings.TrimSpace(values["commitish"])
	if w.Tag == "" {
		return w, errors.New("params.tag: the file is empty. Write the tag into it")
	}
	w.Tag = prefix + w.Tag
	if hasBody {
		body := values["body"]
		w.Body = &body
	}
	return w, nil
}

// matchAll finds the files of all globs; each must match something, and no two files
// may have the same name, which is all that a release keeps of their paths.
func (s *scratch) matchAll(ctx context.Context, req Request, globs []string) ([]spooled, error) {
	names := map[string]string{}
	var all []spooled
	for _, glob := range globs {
		files, err := s.match(ctx, req, glob)
		if err == nil && len(files) == 0 {
			err = fmt.Errorf("no file matches %s", glob)
		}
		if err != nil {
			return nil, fmt.Errorf("params.globs: %w", err)
		}
		for _, file := range files {
			base := path.Base(file.name)
			if other, ok := names[base]; ok && other != file.name {
				return nil, fmt.Errorf("params.globs: %s and %s would have the same name in the release", other, file.name)
			} else if !ok {
				all = append(all, file)
			}
			names[base] = file.name
		}
	}
	return all, nil
}

// publish makes sure that there is a release as it is wished. It looks before each
// attempt: the release may have been made although no good answer came.
func (s releaseSource) publish(ctx context.Context, g githubAPI, wish releaseWish) (published, error) {
	var failure error
	for attempt := range 4 {
		existing, err := s.byTag(ctx, g, wish.Tag)
		if err != nil {
			return published{}, err
		}
		var r published
		if existing != nil {
			if _, err := fmt.Fprintf(g.web.log, "updating release %s\n", wish.Tag); err != nil {
				return r, err
			}
			change := wish
			change.Notes = false
			err := g.call(ctx, http.MethodPatch, s.path(g, "releases", strconv.FormatInt(existing.ID, 10)), change, &r)
			return r, err
		}
		if failure != nil {
			if !mayPass(failure) {
				return r, failure
			}
			if err := g.web.opts.sleep(ctx, time.Second<<attempt); err != nil {
				return r, err
			}
		}
		if _, err := fmt.Fprintf(g.web.log, "creating release %s\n", wish.Tag); err != nil {
			return r, err
		}
		if failure = g.call(ctx, http.MethodPost, s.path(g, "releases"), wish, &r); failure == nil {
			return r, nil
		}
	}
	return published{}, failure
}

// replaceAssets makes the release's files those given. What is there with the same
// content stays.
func (s releaseSource) replaceAssets(ctx context.Context, g githubAPI, r published, files []spooled) error {
	kept := map[string]bool{}
	var old []asset
	if err := pages(ctx, g, s.path(g, "releases", strconv.FormatInt(r.ID, 10), "assets"), func(page []asset) bool {
		old = append(old, page...)
		return true
	}); err != nil {
		return err
	}
	for _, a := range old {
		same := slices.ContainsFunc(files, func(f spooled) bool {
			return path.Base(f.name) == a.Name && f.size == a.Size && a.Digest == "sha256:"+f.sha256 && a.State == "uploaded"
		})
		if same {
			kept[a.Name] = true
			continue
		}
		if err := s.deleteAsset(ctx, g, a); err != nil {
			return err
		}
	}
	for _, file := range files {
		if kept[path.Base(file.name)] {
			continue
		}
		if err := s.upload(ctx, g, r, file); err != nil {
			return err
		}
	}
	return nil
}

func (s releaseSource) deleteAsset(ctx context.Context, g githubAPI, a asset) error {
	if _, err := fmt.Fprintf(g.web.log, "clearing existing asset: %s\n", a.Name); err != nil {
		return err
	}
	err := g.call(ctx, http.MethodDelete, s.path(g, "releases", "assets", strconv.FormatInt(a.ID, 10)), nil, nil)
	if answered(err, http.StatusNotFound) {
		return nil
	}
	return err
}

// upload sends one file. After a failure GitHub may keep a piece of it under its name,
// which must go before the next attempt.
func (s releaseSource) upload(ctx context.Context, g githubAPI, r published, file spooled) error {
	name := path.Base(file.name)
	address, err := s.uploadAddress(g, r, name)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(g.web.log, "uploading %s\n", file.name); err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		_, err := g.web.do(ctx, exchange{method: http.MethodPost, url: address, file: file.path, header: http.Header{
			"Accept": {"application/vnd.github+json"}, "Content-Type": {"application/octet-stream"},
		}})
		if err == nil || attempt == 4 || !mayPass(err) && !answered(err, http.StatusUnprocessableEntity) {
			return err
		}
		var half []asset
		listErr := pages(ctx, g, s.path(g, "releases", strconv.FormatInt(r.ID, 10), "assets"), func(page []asset) bool {
			half = append(half, page...)
			return true
		})
		if listErr != nil {
			return listErr
		}
		at := slices.IndexFunc(half, func(a asset) bool { return a.Name == name })
		if at < 0 && !mayPass(err) {
			return err
		}
		if at >= 0 {
			if err := s.deleteAsset(ctx, g, half[at]); err != nil {
				return err
			}
		}
		if err := g.web.opts.sleep(ctx, time.Second<<attempt); err != nil {
			return err
		}
	}
}

// uploadAddress is where GitHub wants files, on a host that may have the token.
func (s releaseSource) uploadAddress(g githubAPI, r published, name string) (string, error) {
	base, _, _ := strings.Cut(r.UploadURL, "{")
	if s.uploads != "" {
		base = strings.TrimRight(s.uploads, "/") + "/repos/" + url.PathEscape(s.owner) + "/" + url.PathEscape(s.repository) +
			"/releases/" + strconv.FormatInt(r.ID, 10) + "/assets"
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != g.base.Scheme || u.Host != g.base.Host && !slices.Contains(s.access.hosts, u.Host) {
		return "", errors.New("GitHub wants files to be sent to another host. If that is right, set source.github_uploads_url")
	}
	u.RawQuery = url.Values{"name": {name}}.Encode()
	return u.String(), nil
}

package resource

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Get downloads the release's files and writes down what is known of it.
func (t githubReleaseType) Get(ctx context.Context, req Request) (Result, error) {
	s, err := readReleaseSource(req)
	f := paramsOf(req)
	globs := f.texts("globs")
	all := f.values["globs"] == nil
	archives := map[string]bool{"tarball": f.boolean("include_source_tarball"), "zipball": f.boolean("include_source_zip")}
	for _, glob := range globs {
		if _, err := path.Match(glob, ""); err != nil {
			f.fail("globs", fmt.Sprintf("has %q, which is not a pattern of names. Correct it in the pipeline.", glob))
		}
	}
	if err := errors.Join(err, f.err); err != nil {
		return Result{}, err
	}
	g, err := t.opts.github(req, s.access)
	if err != nil {
		return Result{}, err
	}
	defer g.web.close()
	tmp, err := t.opts.scratch()
	if err != nil {
		return Result{}, err
	}
	defer tmp.remove() //nolint:errcheck // nothing can be done about files that stay
	r, err := s.release(ctx, g, req.Version)
	if err != nil {
		return Result{}, failed(ctx, req, "in", err)
	}
	files, commit, err := s.download(ctx, g, tmp, r, func(name string) bool {
		return all || slices.ContainsFunc(globs, func(glob string) bool {
			ok, err := path.Match(glob, name)
			return err == nil && ok
		})
	}, archives)
	if err != nil {
		return Result{}, failed(ctx, req, "in", err)
	}
	facts := s.facts(r, commit)
	err = fill(ctx, req.Executor, req.Dest, func(out *tar.Writer) error { return writeRelease(out, s, files, facts) })
	return Result{Version: req.Version, Metadata: releaseMetadata(r, commit)}, err
}

func (s releaseSource) facts(r published, commit string) map[string]string {
	version, ok := s.versionText(r.Tag)
	if !ok {
		version = r.Tag
	}
	facts := map[string]string{"tag": r.Tag, "version": version, "body": r.Body, "url": r.Page, "commit_sha": commit}
	if at := r.at(); !at.IsZero() {
		facts["timestamp"] = at.Format(time.RFC3339)
	}
	if commit == "" {
		delete(facts, "commit_sha")
	}
	return facts
}

// writeRelease gives a file of the release that is called like a fact the precedence.
func writeRelease(out *tar.Writer, s releaseSource, files []spooled, facts map[string]string) error {
	folder := ""
	if s.assetFolder {
		folder = "assets/"
		if err := addFolder(out, "assets"); err != nil {
			return err
		}
	}
	for _, file := range files {
		name := folder + file.name
		if err := file.addTo(out, name); err != nil {
			return err
		}
		delete(facts, name)
	}
	for name, content := range facts {
		if err := addFile(out, name, []byte(content)); err != nil {
			return err
		}
	}
	return nil
}

func releaseMetadata(r published, commit string) []Field {
	var list []Field
	for _, field := range []Field{{"url", r.Page}, {"name", r.Name}, {"body", r.Body}, {"tag", r.Tag}, {"commit_sha", commit}} {
		if field.Value != "" {
			list = append(list, field)
		}
	}
	if r.Draft {
		list = append(list, Field{Name: "draft", Value: "true"})
	}
	if r.Prerelease {
		list = append(list, Field{Name: "pre-release", Value: "true"})
	}
	return list
}

// download fetches the wanted files and archives, and finds out the tag's commit.
func (s releaseSource) download(ctx context.Context, g githubAPI, tmp *scratch, r published, want func(string) bool, archives map[string]bool) ([]spooled, string, error) {
	var files []spooled
	for _, a := range r.Assets {
		if a.State != "uploaded" && a.State != "" || !want(a.Name) {
			continue
		}
		if name, err := relative(a.Name); err != nil || name != a.Name || strings.ContainsAny(a.Name, `/\`) {
			return nil, "", fmt.Errorf("the release has a file called %q, which cannot be written here", a.Name)
		}
		address := s.path(g, "releases", "assets", strconv.FormatInt(a.ID, 10))
		file, err := g.download(ctx, tmp, a.Name, address, "application/octet-stream", func(file spooled) error {
			if file.size != a.Size {
				return fmt.Errorf("%s has %d bytes, but %d arrived", a.Name, a.Size, file.size)
			}
			if sum, ok := strings.CutPrefix(a.Digest, "sha256:"); ok && sum != file.sha256 {
				return fmt.Errorf("%s arrived with the checksum %s instead of %s", a.Name, file.sha256, sum)
			}
			return nil
		})
		if err != nil {
			return nil, "", err
		}
		files = append(files, file)
	}
	for kind, name := range map[string]string{"tarball": "source.tar.gz", "zipball": "source.zip"} {
		if !archives[kind] || r.Tag == "" {
			continue
		}
		file, err := g.download(ctx, tmp, name, s.path(g, kind, r.Tag), "", func(spooled) error { return nil })
		if err != nil {
			return nil, "", err
		}
		files = append(files, file)
	}
	commit, err := s.commit(ctx, g, r.Tag)
	return files, commit, err
}

// download keeps an answer as a file, and repeats what does not arrive as it should.
func (g githubAPI) download(ctx context.Context, tmp *scratch, name, address, accept string, check func(spooled) error) (spooled, error) {
	if _, err := fmt.Fprintf(g.web.log, "fetching %s\n", name); err != nil {
		return spooled{}, err
	}
	x := exchange{url: address, again: true, header: http.Header{}}
	if accept != "" {
		x.header["Accept"] = []string{accept}
	}
	var file spooled
	err := g.web.repeat(ctx, x, func(response *http.Response) error {
		var err error
		if file, err = tmp.keep(name, response.Body); err != nil {
			return err
		}
		return check(file)
	})
	return file, err
}

// commit is what the tag points to, "" when there is no such tag: a draft's is made when
// it is published.
func (s releaseSource) commit(ctx context.Context, g githubAPI, tag string) (string, error) {
	if tag == "" {
		return "", nil
	}
	var ref struct {
		Object struct {
			Type string `json:"type"`
			SHA  string `json:"sha"`
		} `json:"object"`
	}
	address := s.path(g, append([]string{"git", "ref", "tags"}, strings.Split(tag, "/")...)...)
	for range 5 { // a tag may name a tag
		err := g.call(ctx, http.MethodGet, address, nil, &ref)
		if answered(err, http.StatusNotFound) {
			return "", nil
		}
		if err != nil || ref.Object.Type != "tag" {
			return ref.Object.SHA, err
		}
		address = s.path(g, "git", "tags", ref.Object.SHA)
	}
	return ref.Object.SHA, nil
}

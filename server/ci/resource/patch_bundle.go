package resource

import (
	"archive/tar"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// BuildBundle makes an unsigned patch bundle. It is edge's, which app wires.
type BuildBundle func(ctx context.Context, req BundleRequest) (BuiltBundle, error)

// BundleRequest says what to build.
type BundleRequest struct {
	// Description is the bundle's, as text. Every file that it names lies below Dir.
	Description []byte
	Dir         string
	// Name and Version stand in for what the description leaves out.
	Name    string
	Version int64
	// Output is the file to write, Cache a folder that keeps packages between builds.
	Output, Cache string
	Log           io.Writer
}

// BuiltBundle is what came of it.
type BuiltBundle struct {
	Name    string
	Version int64
	Fields  []Field
}

// patchBundleType builds bundles of packages for edge nodes from the inputs of a put,
// publishes those that release people have signed, and follows what is published.
type patchBundleType struct{ opts Options }

// bundleSource is the portal that bundles are published at.
type bundleSource struct {
	url, team, channel, token string
	settings                  webSettings
}

// publishedBundle is one as the portal tells of it.
type publishedBundle struct {
	ID      string `json:"id"`
	Version int64  `json:"version"`
	Channel string `json:"channel"`
}

func (t patchBundleType) source(req Request) (bundleSource, error) {
	f := sourceOf(req)
	f.only("url", "team", "channel", "token", "ca_certs", "skip_ssl_verification")
	s := bundleSource{url: strings.TrimRight(f.text("url"), "/"), team: cmp.Or(f.text("team"), "main"), channel: f.text("channel"), token: f.text("token"),
		settings: webSettings{insecure: f.boolean("skip_ssl_verification"), certificates: f.texts("ca_certs")}}
	if s.url != "" {
		checkAddress(f, "url", s.url)
		f.required("token")
	}
	if f.err != nil {
		return s, f.err
	}
	s.settings.secrets = []string{s.token}
	s.settings.authorize = bearerFor(s.url, s.token)
	return s, nil
}

// bearerFor adds the token for that address's own host only.
func bearerFor(address, token string) func(*http.Request) {
	u, err := url.Parse(address)
	return func(r *http.Request) {
		if err == nil && r.URL.Scheme == u.Scheme && r.URL.Host == u.Host {
			r.Header.Set("Authorization", "Bearer "+token)
		}
	}
}

func (s bundleSource) address(rest string) string {
	return s.url + "/api/v1/edge/" + rest + "?team=" + url.QueryEscape(s.team)
}

// Check lists what is published, in the order of versions.
func (t patchBundleType) Check(ctx context.Context, req Request) ([]Version, error) {
	s, err := t.source(req)
	if err != nil || s.url == "" {
		return echo(req.Version), err
	}
	w, err := newWeb(t.opts, req, "the portal", s.settings)
	if err != nil {
		return nil, err
	}
	defer w.close()
	a, err := w.do(ctx, exchange{url: s.address("bundles"), again: true})
	if err != nil {
		return nil, failed(ctx, req, "check", err)
	}
	var list struct {
		Items []publishedBundle `json:"items"`
	}
	if err := json.Unmarshal(a.body, &list); err != nil {
		return nil, failed(ctx, req, "check", fmt.Errorf("the portal's answer: %w", err))
	}
	known, err := strconv.ParseInt(req.Version["version"], 10, 64)
	if err != nil {
		known = -1 // a first check
	}
	found := []Version{}
	slices.SortFunc(list.Items, func(a, b publishedBundle) int {
		return cmp.Or(cmp.Compare(a.Version, b.Version), strings.Compare(a.ID, b.ID))
	})
	for _, b := range list.Items {
		if (s.channel == "" || b.Channel == s.channel) && b.Version >= known {
			found = append(found, Version{"bundle": b.ID, "version": strconv.FormatInt(b.Version, 10)})
		}
	}
	if req.Version == nil && len(found) > 1 {
		found = found[len(found)-1:]
	}
	return found, nil
}

var (
	bundleName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$`)
	bundleHash = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Get brings the file: a published one from the portal, with today's metadata, and one that
// a put has built from where that left it.
func (t patchBundleType) Get(ctx context.Context, req Request) (Result, error) {
	s, err := t.source(req)
	if err != nil {
		return Result{}, err
	}
	name, version := req.Version["bundle"], req.Version["version"]
	if !bundleName.MatchString(name) {
		return Result{}, errors.New("the version names no bundle. Let the resource be checked")
	}
	tmp, err := t.opts.scratch()
	if err != nil {
		return Result{}, err
	}
	defer tmp.remove() //nolint:errcheck // nothing can be done about files that stay
	var file spooled
	if sha := req.Version["sha256"]; sha != "" {
		file, err = t.built(sha)
	} else {
		file, err = t.download(ctx, req, s, tmp, name)
	}
	if err != nil {
		return Result{}, failed(ctx, req, "in", err)
	}
	err = fill(ctx, req.Executor, req.Dest, func(out *tar.Writer) error {
		return errors.Join(file.addTo(out, name+".epb"), addFile(out, "bundle", []byte(name)), addFile(out, "version", []byte(version)))
	})
	return Result{Version: req.Version, Metadata: []Field{{Name: "bundle", Value: name}, {Name: "size", Value: strconv.FormatInt(file.size, 10)}}}, err
}

func (t patchBundleType) built(sha string) (spooled, error) {
	if !bundleHash.MatchString(sha) {
		return spooled{}, errors.New("the version's sha256 is no hash")
	}
	at := filepath.Join(t.opts.BundleDir, "built", sha)
	info, err := os.Stat(at)
	if err != nil {
		return spooled{}, errors.New("the bundle that was built is no longer kept here. Put it again")
	}
	return spooled{name: sha, path: at, size: info.Size()}, nil
}

func (t patchBundleType) download(ctx context.Context, req Request, s bundleSource, tmp *scratch, name string) (spooled, error) {
	var file spooled
	if s.url == "" {
		return file, errors.New("source.url is missing: it is where published bundles come from")
	}
	w, err := newWeb(t.opts, req, "the portal", s.settings)
	if err != nil {
		return file, err
	}
	defer w.close()
	err = w.repeat(ctx, exchange{url: s.address("bundles/" + url.PathEscape(name) + "/file"), again: true}, func(r *http.Response) (err error) {
		file, err = tmp.keep(name, r.Body)
		return err
	})
	return file, err
}

// Put publishes params.bundle, a signed file, or builds what params.description describes.
func (t patchBundleType) Put(ctx context.Context, req Request) (Result, error) {
	s, err := t.source(req)
	f := paramsOf(req)
	f.only("bundle", "description", "name", "version")
	file, description := f.text("bundle"), f.text("description")
	if (file == "") == (description == "") {
		f.fail("bundle", "(a signed bundle to publish) or params.description (of one to build) must be there, and not both. Correct it in the pipeline.")
	}
	if err := errors.Join(err, f.err); err != nil {
		return Result{}, err
	}
	var r Result
	if file != "" {
		r, err = t.publish(ctx, req, s, file)
	} else {
		r, err = t.build(ctx, req, f)
	}
	if err != nil {
		return Result{}, failed(ctx, req, "out", err)
	}
	return r, nil
}

func (t patchBundleType) publish(ctx context.Context, req Request, s bundleSource, glob string) (Result, error) {
	if s.url == "" {
		return Result{}, errors.New("source.url is missing: it is where bundles are published")
	}
	tmp, err := t.opts.scratch()
	if err != nil {
		return Result{}, err
	}
	defer tmp.remove() //nolint:errcheck // nothing can be done about files that stay
	file, err := tmp.one(ctx, req, glob)
	if err != nil {
		return Result{}, fmt.Errorf("params.bundle: %w", err)
	}
	w, err := newWeb(t.opts, req, "the portal", s.settings)
	if err != nil {
		return Result{}, err
	}
	defer w.close()
	// Publishing the same bundle twice changes nothing, so it may be tried again.
	a, err := w.do(ctx, exchange{method: http.MethodPost, url: s.address("bundles"), file: file.path, again: true,
		header: http.Header{"Content-Type": {"application/octet-stream"}}})
	if err != nil {
		return Result{}, err
	}
	var b publishedBundle
	if err := json.Unmarshal(a.body, &b); err != nil || b.ID == "" {
		return Result{}, errors.New("the portal's answer names no bundle")
	}
	if _, err := fmt.Fprintf(req.Log, "%s is published (version %d of channel %s)\n", b.ID, b.Version, b.Channel); err != nil {
		return Result{}, err
	}
	version := strconv.FormatInt(b.Version, 10)
	return Result{Version: Version{"bundle": b.ID, "version": version}, Metadata: []Field{{Name: "bundle", Value: b.ID}, {Name: "version", Value: version}, {Name: "channel", Value: b.Channel}}}, nil
}

// keptBundles is how many built bundles stay for the gets that follow their puts.
const keptBundles = 20

func (t patchBundleType) build(ctx context.Context, req Request, f *fields) (Result, error) {
	if t.opts.BuildBundle == nil {
		return Result{}, errors.New("this server builds no bundles")
	}
	tmp, err := t.opts.scratch()
	if err != nil {
		return Result{}, err
	}
	defer tmp.remove() //nolint:errcheck // nothing can be done about files that stay
	inputs := filepath.Join(tmp.dir, "inputs")
	for _, in := range req.Inputs {
		if err := tmp.lay(ctx, req, in, filepath.Join(inputs, in.Name)); err != nil {
			return Result{}, fmt.Errorf("read the input %s: %w", in.Name, err)
		}
	}
	text, err := paramFile(ctx, req, f, "description")
	if err != nil {
		return Result{}, err
	}
	number, err := strconv.ParseInt(cmp.Or(expand(f.text("version"), req.Env, nil), expand("$BUILD_ID", req.Env, nil)), 10, 64)
	if err != nil || number <= 0 {
		return Result{}, errors.New("params.version must be a positive number, like $BUILD_ID")
	}
	name := expand(cmp.Or(f.text("name"), "$BUILD_PIPELINE_NAME-$BUILD_ID"), req.Env, nil)
	for _, sub := range []string{"built", "cache"} {
		if err := os.MkdirAll(filepath.Join(t.opts.BundleDir, sub), 0o700); err != nil {
			return Result{}, err
		}
	}
	out := filepath.Join(t.opts.BundleDir, "built", "."+string(req.Container))
	defer os.Remove(out) //nolint:errcheck // it is there no more when all went well
	b, err := t.opts.BuildBundle(ctx, BundleRequest{Description: []byte(text), Dir: inputs, Name: name, Version: number, Output: out,
		Cache: filepath.Join(t.opts.BundleDir, "cache"), Log: req.Log})
	if err != nil {
		return Result{}, err
	}
	sha, err := t.store(out)
	if err != nil {
		return Result{}, err
	}
	return Result{Version: Version{"bundle": b.Name, "version": strconv.FormatInt(b.Version, 10), "sha256": sha}, Metadata: b.Fields}, nil
}

// store names a built bundle by its hash and lets the oldest ones go.
func (t patchBundleType) store(file string) (string, error) {
	sha, err := fileSum(file)
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(file)
	if err := os.Rename(file, filepath.Join(dir, sha)); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	type kept struct {
		name string
		at   int64
	}
	var all []kept
	for _, e := range entries {
		if info, err := e.Info(); err == nil && bundleHash.MatchString(e.Name()) {
			all = append(all, kept{e.Name(), info.ModTime().UnixNano()})
		}
	}
	slices.SortFunc(all, func(a, b kept) int { return cmp.Compare(b.at, a.at) })
	for _, old := range all[min(len(all), keptBundles):] {
		err = errors.Join(err, os.Remove(filepath.Join(dir, old.name)))
	}
	return sha, err
}

// maxInputs bounds what is laid out for one build.
const maxInputs = 8 << 30

// lay writes the folders and regular files of an input to disk; links are left out, so that
// no name leads anywhere else.
func (s *scratch) lay(ctx context.Context, req Request, in Input, to string) error {
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(req.Executor.ExportVolume(ctx, in.Volume, ".", writer)) }()
	err := layTar(reader, to)
	reader.CloseWithError(err)
	return err
}

func layTar(from io.Reader, to string) error {
	left := int64(maxInputs)
	return eachFile(from, func(h *tar.Header, r io.Reader) error {
		at := filepath.Join(to, filepath.FromSlash(path.Clean("/"+h.Name)))
		if left -= h.Size; left < 0 {
			return fmt.Errorf("it is larger than %d GiB", maxInputs>>30)
		}
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			return err
		}
		f, err := os.OpenFile(at, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, r)
		return errors.Join(err, f.Close())
	})
}

func fileSum(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

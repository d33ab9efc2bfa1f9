package resource

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// mockType is a resource that exists only in its source: for trying pipelines without
// network. With mirror_self what it fetches is the image host.
type mockType struct{ opts Options }

// IsHostImage reports whether an image artifact's metadata.json says that the image is
// the built-in one. Such an artifact has an empty rootfs/: use runtime.Image{Host: true}
// instead, and the artifact's env.
func IsHostImage(metadata []byte) bool {
	var m struct {
		Host bool `json:"host"`
	}
	return json.Unmarshal(metadata, &m) == nil && m.Host
}

type mockSource struct {
	mirror       bool
	initial      string
	noInitial    bool
	force        string
	files        map[string]any
	delay        time.Duration
	failure, log string
	metadata     []Field
}

func readMockSource(req Request) (mockSource, error) {
	f := sourceOf(req)
	f.only("mirror_self", "initial_version", "no_initial_version", "force_version", "create_files",
		"check_delay", "check_failure", "metadata", "log")
	s := mockSource{
		mirror: f.boolean("mirror_self"), initial: f.text("initial_version"), noInitial: f.boolean("no_initial_version"),
		force: f.text("force_version"), files: f.object("create_files"),
		failure: f.text("check_failure"), log: f.text("log"),
	}
	if s.initial == "" {
		s.initial = "mock"
	}
	if delay := f.text("check_delay"); delay != "" {
		var err error
		if s.delay, err = time.ParseDuration(delay); err != nil {
			f.fail("check_delay", fmt.Sprintf("%q is not a duration. Write it like 10s.", delay))
		}
	}
	for _, m := range f.objects("metadata") {
		field := fields{where: "source.metadata", values: m}
		s.metadata = append(s.metadata, Field{Name: field.text("name"), Value: field.text("value")})
	}
	return s, f.err
}

// Check echoes the version it is given.
func (t mockType) Check(ctx context.Context, req Request) ([]Version, error) {
	s, err := readMockSource(req)
	if err != nil {
		return nil, err
	}
	if err := wait(ctx, s.delay); err != nil {
		return nil, err
	}
	if s.log != "" {
		if _, err := fmt.Fprintln(req.Log, s.log); err != nil {
			return nil, err
		}
	}
	switch {
	case s.failure != "":
		return nil, failed(ctx, req, "check", errors.New(s.failure))
	case s.force != "":
		return []Version{{"version": s.force}}, nil
	case req.Version != nil:
		return []Version{req.Version}, nil
	case s.noInitial:
		return []Version{}, nil
	}
	return []Version{{"version": s.initial}}, nil
}

// Get writes the version and the files of the source.
func (t mockType) Get(ctx context.Context, req Request) (Result, error) {
	s, err := readMockSource(req)
	if err != nil {
		return Result{}, err
	}
	f := paramsOf(req)
	f.only("mirror_self_via_params", "create_files_via_params")
	mirror := f.boolean("mirror_self_via_params") || s.mirror
	files := maps.Clone(s.files)
	if files == nil {
		files = map[string]any{}
	}
	maps.Copy(files, f.object("create_files_via_params"))
	if f.err != nil {
		return Result{}, f.err
	}
	if mirror && !t.opts.HostImageAllowed {
		return Result{}, errors.New("source.mirror_self stands for the image host, which this server's administrator does not allow. Use the type registry-image")
	}
	version := req.Version["version"]
	if _, err := fmt.Fprintf(req.Log, "fetching version: %s\n", version); err != nil {
		return Result{}, err
	}
	err = fill(ctx, req.Executor, req.Dest, func(out *tar.Writer) error { return mockTree(out, req, mirror, files) })
	return Result{Version: Version{"version": version}, Metadata: s.metadata}, err
}

func mockTree(out *tar.Writer, req Request, mirror bool, files map[string]any) error {
	version := req.Version["version"]
	err := errors.Join(
		addFile(out, "version", []byte(version+"\n")),
		addFile(out, "privileged", fmt.Appendf(nil, "%t\n", req.Privileged)))
	if mirror {
		meta, marshalErr := json.Marshal(map[string]any{"env": []string{"MIRRORED_VERSION=" + version}, "user": "root", "host": true})
		err = errors.Join(err, marshalErr, addFile(out, "metadata.json", meta), addFolder(out, "rootfs"))
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		data, fileErr := mockFile(files[name])
		err = errors.Join(err, fileErr, addFile(out, name, data))
	}
	return err
}

// mockFile is text as it is, and anything else as JSON. START_VAR and END_VAR stand
// for the brackets of a variable that must not be replaced earlier.
func mockFile(content any) ([]byte, error) {
	text, ok := content.(string)
	if !ok {
		data, err := json.Marshal(content)
		if err != nil {
			return nil, err
		}
		text = string(data)
	}
	return []byte(strings.NewReplacer("START_VAR", "((", "END_VAR", "))").Replace(text)), nil
}

// Put answers with the version that it is told.
func (t mockType) Put(ctx context.Context, req Request) (Result, error) {
	s, err := readMockSource(req)
	f := paramsOf(req)
	f.only("version", "file", "print_env")
	version, file := f.text("version"), f.text("file")
	printEnv := f.boolean("print_env")
	if err := errors.Join(err, f.err); err != nil {
		return Result{}, err
	}
	if file != "" {
		data, err := readInput(ctx, req, file, 1<<20)
		if err != nil {
			return Result{}, failed(ctx, req, "out", fmt.Errorf("params.file: %w", err))
		}
		version = strings.TrimSpace(string(data))
	}
	if version == "" {
		return Result{}, errors.New("params.version is missing. Add it, or params.file")
	}
	if printEnv {
		for _, line := range slices.Sorted(slices.Values(req.Env)) {
			if _, err := fmt.Fprintln(req.Log, line); err != nil {
				return Result{}, err
			}
		}
	}
	if _, err := fmt.Fprintf(req.Log, "pushing version: %s\n", version); err != nil {
		return Result{}, err
	}
	return Result{Version: Version{"version": version}, Metadata: s.metadata}, nil
}

// readInput reads a file of an input by its path below the inputs' folder.
func readInput(ctx context.Context, req Request, name string, most int64) ([]byte, error) {
	volume, rest, err := findInput(req, name)
	if err != nil {
		return nil, err
	}
	return req.Executor.ReadFile(ctx, volume, rest, most)
}

func findInput(req Request, name string) (runtime.VolumeID, string, error) {
	clean := strings.TrimPrefix(path.Clean("/"+name), "/")
	first, rest, _ := strings.Cut(clean, "/")
	for _, in := range req.Inputs {
		if in.Name == first {
			if rest == "" {
				rest = "."
			}
			return in.Volume, rest, nil
		}
	}
	return "", "", &missingInputError{input: first, path: name}
}

// missingInputError says that a path begins with the name of no input.
type missingInputError struct{ input, path string }

func (e *missingInputError) Error() string {
	return fmt.Sprintf("there is no input %q for the path %q. Fetch it in an earlier step, or list it under the put's inputs", e.input, e.path)
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

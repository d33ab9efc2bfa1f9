package resource

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// Where the protocol puts the tree that get fills, and the inputs of put.
const (
	getPath = "/tmp/build/get"
	putPath = "/tmp/build/put"
)

// Image is any resource type that is an image with /opt/resource/{check,in,out}. Every
// call is one container, Request.Container; the caller removes it afterwards, since
// until the result is recorded a restarted server must be able to attach to it.
type Image struct{}

type scriptInput struct {
	Source  map[string]any `json:"source"`
	Params  map[string]any `json:"params,omitempty"`
	Version Version        `json:"version,omitempty"`
}

// Check runs /opt/resource/check.
func (Image) Check(ctx context.Context, req Request) ([]Version, error) {
	out, err := script(ctx, req, "check", runtime.Spec{Args: []string{"/opt/resource/check"}},
		scriptInput{Source: req.Source, Version: req.Version})
	if err != nil {
		return nil, err
	}
	versions := []Version{}
	if err := parse("check", out, &versions); err != nil {
		return nil, err
	}
	for _, v := range versions {
		if v == nil {
			return nil, fmt.Errorf("resource script (/opt/resource/check) output a null version")
		}
	}
	return versions, nil
}

// Get runs /opt/resource/in with req.Dest at /tmp/build/get.
func (Image) Get(ctx context.Context, req Request) (Result, error) {
	return result(ctx, req, "in", runtime.Spec{
		Args:   []string{"/opt/resource/in", getPath},
		Mounts: []runtime.Mount{{Volume: req.Dest, Path: getPath}},
	}, scriptInput{Source: req.Source, Params: req.Params, Version: req.Version})
}

// Put runs /opt/resource/out in the folder of the inputs.
func (Image) Put(ctx context.Context, req Request) (Result, error) {
	return result(ctx, req, "out", runtime.Spec{
		Args:   []string{"/opt/resource/out", putPath},
		Dir:    putPath,
		Mounts: inputMounts(req),
	}, scriptInput{Source: req.Source, Params: req.Params})
}

// inputMounts lets a put change its inputs without the change reaching later steps.
func inputMounts(req Request) []runtime.Mount {
	var mounts []runtime.Mount
	for _, in := range req.Inputs {
		mounts = append(mounts, runtime.Mount{Volume: in.Volume, Path: path.Join(putPath, path.Clean("/"+in.Name)), Copy: true})
	}
	return mounts
}

func result(ctx context.Context, req Request, name string, spec runtime.Spec, in scriptInput) (Result, error) {
	out, err := script(ctx, req, name, spec, in)
	if err != nil {
		return Result{}, err
	}
	var r Result
	if err := parse(name, out, &r); err != nil {
		return Result{}, err
	}
	if r.Version == nil {
		return Result{}, fmt.Errorf("resource script (%s %s) output a null version", spec.Args[0], spec.Args[1])
	}
	return r, nil
}

func script(ctx context.Context, req Request, name string, spec runtime.Spec, in scriptInput) ([]byte, error) {
	if in.Source == nil {
		in.Source = map[string]any{}
	}
	stdin, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("write the request of %s: %w", name, err)
	}
	spec.Image, spec.Stdin, spec.Env, spec.Privileged = req.Image, stdin, req.Env, req.Privileged
	return run(ctx, req, name, spec)
}

// parse reads a script's answer; an empty one leaves into as it is.
func parse(name string, out []byte, into any) error {
	if len(bytes.TrimSpace(out)) == 0 {
		return nil
	}
	if err := json.Unmarshal(out, into); err != nil {
		shown := out[:min(len(out), 200)]
		return fmt.Errorf("resource script (/opt/resource/%s) output invalid JSON: %w. It began with: %s", name, err, bytes.ToValidUTF8(shown, []byte("\uFFFD")))
	}
	return nil
}

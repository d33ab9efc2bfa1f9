package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"sync"

	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/vars"
)

// artifact is a directory tree that steps hand on by name.
type artifact struct {
	Volume runtime.VolumeID
}

// scope holds what the steps of a build tell each other: artifacts and local vars. A
// scope within another sees what is outside and keeps its own to itself; sub-steps of
// across and image fetches have one.
type scope struct {
	parent  *scope
	tracker *vars.Tracker
	outside vars.Lookup // of the root: var sources and secrets

	mu        sync.RWMutex
	artifacts map[string]artifact
	locals    map[string]any
}

func newScope(tracker *vars.Tracker, outside vars.Lookup) *scope {
	return &scope{tracker: tracker, outside: outside, artifacts: map[string]artifact{}, locals: map[string]any{}}
}

func (s *scope) inner() *scope {
	child := newScope(s.tracker, nil)
	child.parent = s
	return child
}

func (s *scope) register(name string, a artifact) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.artifacts[name] = a
}

func (s *scope) artifact(name string) (artifact, bool) {
	for ; s != nil; s = s.parent {
		s.mu.RLock()
		a, ok := s.artifacts[name]
		s.mu.RUnlock()
		if ok {
			return a, true
		}
	}
	return artifact{}, false
}

// all lists every artifact in sight by name.
func (s *scope) all() map[string]artifact {
	found := map[string]artifact{}
	if s.parent != nil {
		found = s.parent.all()
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	maps.Copy(found, s.artifacts)
	return found
}

// setLocal sets ((.:name)).
func (s *scope) setLocal(name string, value any, redact bool) {
	if redact {
		s.tracker.Track(value)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.locals[name] = value
}

// Get makes a scope a vars.Lookup. Whatever comes from outside is remembered as a secret.
func (s *scope) Get(ctx context.Context, ref vars.Ref) (any, bool, error) {
	if ref.Source == vars.LocalSource {
		return s.local(ref)
	}
	root := s
	for root.parent != nil {
		root = root.parent
	}
	if root.outside == nil {
		return nil, false, nil
	}
	return s.tracker.Watch(root.outside).Get(ctx, ref)
}

func (s *scope) local(ref vars.Ref) (any, bool, error) {
	for ; s != nil; s = s.parent {
		s.mu.RLock()
		value, ok := s.locals[ref.Path]
		s.mu.RUnlock()
		if ok {
			return value, true, nil
		}
	}
	return nil, false, nil
}

// interpolate replaces the ((vars)) in a value that can be JSON, and reads the result
// into out, which has the same type.
func (s *scope) interpolate(ctx context.Context, in, out any) error {
	tree, err := toTree(in)
	if err != nil {
		return err
	}
	result, err := vars.Interpolate(ctx, tree, s)
	if err != nil {
		return err
	}
	return fromTree(result, out)
}

func (s *scope) text(ctx context.Context, text string) (string, error) {
	var result string
	err := s.interpolate(ctx, text, &result)
	return result, err
}

// object interpolates a source or params; nil stays nil.
func (s *scope) object(ctx context.Context, in map[string]any) (map[string]any, error) {
	if in == nil {
		return nil, nil
	}
	result, err := vars.Interpolate(ctx, in, s)
	if err != nil {
		return nil, err
	}
	object, ok := result.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("vars made %T of an object", result)
	}
	return object, nil
}

func toTree(in any) (any, error) {
	data, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encode a configuration: %w", err)
	}
	var tree any
	if err := decodeNumbers(data, &tree); err != nil {
		return nil, fmt.Errorf("decode a configuration: %w", err)
	}
	return tree, nil
}

func fromTree(tree, out any) error {
	data, err := json.Marshal(tree)
	if err != nil {
		return fmt.Errorf("encode a configuration: %w", err)
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("read a configuration after its vars were replaced: %w", err)
	}
	return nil
}

// metadataVar is ((.:name.field)) of a get step.
func metadataVar(fields []resource.Field) map[string]any {
	value := make(map[string]any, len(fields))
	for _, field := range fields {
		value[field.Name] = field.Value
	}
	return value
}

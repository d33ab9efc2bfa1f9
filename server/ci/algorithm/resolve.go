package algorithm

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Input is a get step of the job.
type Input struct {
	Name     string
	Resource int64
	Passed   []int64 // jobs; globs are expanded by the caller
	Pin      *Pin
	Every    bool
	Trigger  bool
}

// Pin fixes an input to a version. Version is 0 when the resource has no such
// version; Label then goes into the reason.
type Pin struct {
	Version int64
	Label   string
}

// Label writes version fields for the reason of a missing pin.
func Label(version map[string]string) string {
	var b strings.Builder
	for i, key := range slices.Sorted(maps.Keys(version)) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(key + ":" + version[key])
	}
	return b.String()
}

// Choice is the version that an input takes.
type Choice struct {
	Resource int64
	Version  int64
	// First says that the job never had this version under this input name.
	First bool
	// PassedBuilds are the upstream builds that vouch for the version.
	PassedBuilds []int64
}

// Resolution is the outcome for all inputs of a job. An input is either in
// Inputs or in Errors.
type Resolution struct {
	Inputs map[string]Choice
	Errors map[string]string
	// HasNext says that an input which takes every version has more waiting, so
	// that Resolve should run again once the build exists.
	HasNext bool
}

// The reasons why an input has no version, as `fly` users know them.
const (
	ReasonNoLatest  = "latest version of resource not found"
	ReasonNoVersion = "version of resource not found"
	ReasonNoBuilds  = "no satisfiable builds from passed jobs found for set of inputs"
)

// OK reports whether every input has a version.
func (r Resolution) OK() bool { return len(r.Errors) == 0 }

// Triggers reports whether the resolution is a reason to start a build: it is
// complete and a triggering input has a version that the job never had.
func (r Resolution) Triggers(inputs []Input) bool {
	return r.OK() && slices.ContainsFunc(inputs, func(in Input) bool {
		return in.Trigger && r.Inputs[in.Name].First
	})
}

// Resolve chooses versions for the inputs of a job. An error means that the
// history could not be read; a missing version is a reason in the Resolution.
func Resolve(ctx context.Context, history History, inputs []Input) (Resolution, error) {
	result := Resolution{Inputs: map[string]Choice{}, Errors: map[string]string{}}
	r := resolver{history: history, result: &result}
	var passed []Input
	for _, in := range inputs {
		if len(in.Passed) > 0 {
			passed = append(passed, in)
			continue
		}
		if err := r.alone(ctx, in); err != nil {
			return Resolution{}, fmt.Errorf("resolve input %s: %w", in.Name, err)
		}
	}
	for _, group := range groups(passed) {
		if err := r.group(ctx, group); err != nil {
			return Resolution{}, fmt.Errorf("resolve inputs with passed jobs: %w", err)
		}
	}
	return result, nil
}

type resolver struct {
	history History
	result  *Resolution
}

func (r *resolver) accept(ctx context.Context, in Input, version int64, builds []int64) error {
	taken, err := r.history.Taken(ctx, in.Name, in.Resource, version)
	if err != nil {
		return err
	}
	r.result.Inputs[in.Name] = Choice{Resource: in.Resource, Version: version, First: !taken, PassedBuilds: builds}
	return nil
}

// alone resolves an input without passed jobs.
func (r *resolver) alone(ctx context.Context, in Input) error {
	version, reason, err := r.pick(ctx, in)
	if err != nil {
		return err
	}
	if version == 0 {
		r.result.Errors[in.Name] = reason
		return nil
	}
	return r.accept(ctx, in, version, nil)
}

func (r *resolver) pick(ctx context.Context, in Input) (version int64, reason string, err error) {
	if in.Pin != nil {
		// A pin is somebody's explicit wish and holds for a disabled version too.
		return in.Pin.Version, in.Pin.reason(), nil
	}
	if !in.Every {
		version, err = r.history.Latest(ctx, in.Resource)
		return version, ReasonNoLatest, err
	}
	last, err := r.history.LastUse(ctx, in.Resource)
	switch {
	case err != nil:
		return 0, "", err
	case last.Version == 0:
		version, err = r.history.Latest(ctx, in.Resource)
		return version, ReasonNoVersion, err
	case last.Next != 0:
		r.result.HasNext = r.result.HasNext || last.More
		return last.Next, "", nil
	}
	return last.Fallback, ReasonNoVersion, nil
}

func (p *Pin) reason() string { return "pinned version " + p.Label + " not found" }

// group resolves inputs that are connected through passed jobs.
func (r *resolver) group(ctx context.Context, inputs []Input) error {
	fail := func(reason string) {
		for _, in := range inputs {
			r.result.Errors[in.Name] = reason
		}
	}
	for _, in := range inputs {
		if in.Pin != nil && in.Pin.Version == 0 {
			fail(in.Pin.reason())
			return nil
		}
	}
	s, err := newSearch(ctx, r.history, inputs)
	if err != nil {
		return err
	}
	found, err := s.from(ctx, 0)
	if err != nil {
		return err
	}
	if !found {
		fail(ReasonNoBuilds)
		return nil
	}
	more, err := s.hasNext(ctx)
	if err != nil {
		return err
	}
	r.result.HasNext = r.result.HasNext || more
	for i, in := range inputs {
		if err := r.accept(ctx, in, s.versions[i], s.buildsOf(i)); err != nil {
			return err
		}
	}
	return nil
}

// groups splits inputs into sets that share no passed job, in order of their
// first input.
func groups(inputs []Input) [][]Input {
	leader := map[int64]int{} // job -> set
	parent := make([]int, len(inputs))
	var root func(i int) int
	root = func(i int) int {
		if parent[i] != i {
			parent[i] = root(parent[i])
		}
		return parent[i]
	}
	for i, in := range inputs {
		parent[i] = i
		for _, job := range in.Passed {
			other, known := leader[job]
			if !known {
				leader[job] = i
				continue
			}
			a, b := root(i), root(other)
			parent[max(a, b)] = min(a, b)
		}
	}
	var sets [][]Input
	index := map[int]int{}
	for i, in := range inputs {
		set := root(i)
		at, known := index[set]
		if !known {
			at = len(sets)
			index[set] = at
			sets = append(sets, nil)
		}
		sets[at] = append(sets[at], in)
	}
	return sets
}

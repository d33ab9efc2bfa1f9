package algorithm

import (
	"context"
	"slices"
	"sort"
)

// Memory is a History held in memory. Its zero value is an empty past. It may be
// read by several goroutines at once, but not while something is added.
type Memory struct {
	versions map[int64][]int64 // by resource, in check order
	place    map[Output]int    // check order of a version
	disabled map[Output]bool
	builds   map[int64][]Build            // succeeded builds by job, oldest first
	having   map[jobOutput][]Build        // the same by what they have, oldest first
	taken    map[takenKey]bool            // by the job that wants to run
	uses     map[int64]map[int64]ownBuild // by resource and version: the newest build
}

type jobOutput struct {
	job int64
	Output
}

type takenKey struct {
	input string
	Output
}

type ownBuild struct {
	order  Order
	passed map[int64]Order
}

// Taken is one input of an earlier build of the job that wants to run.
type Taken struct {
	Input    string
	Resource int64
	Version  int64
}

// AddVersion appends a version in check order; known ones are ignored.
func (m *Memory) AddVersion(resource, version int64) {
	out := Output{Resource: resource, Version: version}
	if m.place == nil {
		m.place, m.versions = map[Output]int{}, map[int64][]int64{}
	}
	if _, known := m.place[out]; known {
		return
	}
	m.place[out] = len(m.versions[resource])
	m.versions[resource] = append(m.versions[resource], version)
}

// Disable takes a version out of the choice.
func (m *Memory) Disable(resource, version int64) {
	if m.disabled == nil {
		m.disabled = map[Output]bool{}
	}
	m.disabled[Output{Resource: resource, Version: version}] = true
}

// AddBuild adds a succeeded build of an upstream job.
func (m *Memory) AddBuild(job int64, build Build) {
	if m.builds == nil {
		m.builds, m.having = map[int64][]Build{}, map[jobOutput][]Build{}
	}
	m.builds[job] = insert(m.builds[job], build)
	for i, out := range build.Outputs {
		if !slices.Contains(build.Outputs[:i], out) {
			key := jobOutput{job: job, Output: out}
			m.having[key] = insert(m.having[key], build)
		}
	}
}

// AddOwnBuild adds a build, however it ended, of the job that wants to run:
// the inputs it took and the upstream builds that vouched for them.
func (m *Memory) AddOwnBuild(order Order, inputs []Taken, passed map[int64]Order) {
	if m.taken == nil {
		m.taken, m.uses = map[takenKey]bool{}, map[int64]map[int64]ownBuild{}
	}
	for _, in := range inputs {
		m.taken[takenKey{input: in.Input, Output: Output{Resource: in.Resource, Version: in.Version}}] = true
		if m.uses[in.Resource] == nil {
			m.uses[in.Resource] = map[int64]ownBuild{}
		}
		known, ok := m.uses[in.Resource][in.Version]
		if !ok || known.order.ID < order.ID {
			m.uses[in.Resource][in.Version] = ownBuild{order: order, passed: passed}
		}
	}
}

// Latest gives the last added enabled version.
func (m *Memory) Latest(_ context.Context, resource int64) (int64, error) {
	return m.downFrom(resource, len(m.versions[resource])-1), nil
}

// downFrom gives the newest enabled version at check order i or below.
func (m *Memory) downFrom(resource int64, i int) int64 {
	for ; i >= 0; i-- {
		version := m.versions[resource][i]
		if !m.disabled[Output{Resource: resource, Version: version}] {
			return version
		}
	}
	return 0
}

// LastUse finds the version highest in check order that own builds took.
func (m *Memory) LastUse(_ context.Context, resource int64) (LastUse, error) {
	var use LastUse
	at := -1
	for version, build := range m.uses[resource] {
		i, known := m.place[Output{Resource: resource, Version: version}]
		if known && i > at {
			at, use.Version, use.Passed = i, version, build.passed
		}
	}
	if use.Version == 0 {
		return use, nil
	}
	for _, version := range m.versions[resource][at+1:] {
		if m.disabled[Output{Resource: resource, Version: version}] {
			continue
		}
		if use.Next != 0 {
			use.More = true
			break
		}
		use.Next = version
	}
	use.Fallback = m.downFrom(resource, at)
	return use, nil
}

// Taken reports whether an own build had the version under the input's name.
func (m *Memory) Taken(_ context.Context, input string, resource, version int64) (bool, error) {
	return m.taken[takenKey{input: input, Output: Output{Resource: resource, Version: version}}], nil
}

// Builds gives a page of the added builds.
func (m *Memory) Builds(_ context.Context, q Query) ([]Build, error) {
	list := m.builds[q.Job]
	for _, out := range q.Has {
		if m.disabled[out] {
			return nil, nil
		}
		if some := m.having[jobOutput{job: q.Job, Output: out}]; len(some) < len(list) {
			list = some
		}
	}
	low, high := 0, len(list)
	if q.After != (Order{}) {
		low = sort.Search(len(list), func(i int) bool { return q.After.Before(list[i].Order) })
	}
	if q.Before != (Order{}) {
		high = sort.Search(len(list), func(i int) bool { return !list[i].Before(q.Before) })
	}
	var page []Build
	for n := 0; n < high-low && len(page) < q.Limit; n++ {
		build := list[high-1-n]
		if q.OldestFirst {
			build = list[low+n]
		}
		if hasAll(build, q.Has) {
			page = append(page, m.usable(build))
		}
	}
	return page, nil
}

func hasAll(build Build, outputs []Output) bool {
	for _, out := range outputs {
		if !slices.Contains(build.Outputs, out) {
			return false
		}
	}
	return true
}

// usable leaves out outputs that are disabled or not versions of their resource.
func (m *Memory) usable(build Build) Build {
	bad := func(out Output) bool {
		_, known := m.place[out]
		return !known || m.disabled[out]
	}
	if slices.ContainsFunc(build.Outputs, bad) {
		build.Outputs = slices.DeleteFunc(slices.Clone(build.Outputs), bad)
	}
	return build
}

// insert keeps the builds of a job in order; mostly they come in order anyway.
func insert(list []Build, build Build) []Build {
	at := sort.Search(len(list), func(i int) bool { return build.Order.Before(list[i].Order) })
	return slices.Insert(list, at, build)
}

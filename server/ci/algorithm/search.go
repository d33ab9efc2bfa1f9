package algorithm

import (
	"cmp"
	"context"
	"slices"
	"strconv"
)

// search finds builds for one group of inputs, job after job.
type search struct {
	history History
	inputs  []Input
	jobs    []passedJob

	versions []int64 // by input; 0 is not chosen yet
	builds   []Build // by job
	walking  []bool  // by job: the build is newer than the last used one

	dead   map[string]bool    // states of which the search knows that nothing follows
	firsts map[string][]Build // first pages, by job and required outputs
	blame  map[int]int        // how often a job was the one without a build
	buffer []byte
}

// passedJob is a job that inputs of the group name.
type passedJob struct {
	id     int64
	inputs []int // positions of the inputs that name it
	last   Order // where an input that takes every version was; zero is nowhere
}

func newSearch(ctx context.Context, history History, inputs []Input) (*search, error) {
	s := &search{
		history: history, inputs: inputs,
		versions: make([]int64, len(inputs)),
		dead:     map[string]bool{}, firsts: map[string][]Build{}, blame: map[int]int{},
	}
	last, err := s.lastUses(ctx)
	if err != nil {
		return nil, err
	}
	at := map[int64]int{}
	for i, in := range inputs {
		for _, id := range orderJobs(in, last) {
			j, known := at[id]
			if !known {
				j = len(s.jobs)
				at[id] = j
				s.jobs = append(s.jobs, passedJob{id: id, last: last[id]})
			}
			s.jobs[j].inputs = append(s.jobs[j].inputs, i)
		}
	}
	s.builds = make([]Build, len(s.jobs))
	s.walking = make([]bool, len(s.jobs))
	return s, nil
}

// lastUses gives for each job from which build on inputs that take every
// version go forward.
func (s *search) lastUses(ctx context.Context) (map[int64]Order, error) {
	last := map[int64]Order{}
	for _, in := range s.inputs {
		if !in.Every {
			continue
		}
		use, err := s.history.LastUse(ctx, in.Resource)
		if err != nil {
			return nil, err
		}
		for _, job := range in.Passed {
			if order, ok := use.Passed[job]; ok && last[job].Before(order) {
				last[job] = order
			}
		}
	}
	return last, nil
}

// orderJobs gives the passed jobs of an input without repetition, by id; where
// the input goes forward, jobs that it was never used with come last, so that
// they follow what the others choose instead of jumping to their newest build.
func orderJobs(in Input, last map[int64]Order) []int64 {
	jobs := slices.Clone(in.Passed)
	slices.Sort(jobs)
	jobs = slices.Compact(jobs)
	if in.Every {
		slices.SortStableFunc(jobs, func(a, b int64) int {
			return cmp.Compare(order(last, a), order(last, b))
		})
	}
	return jobs
}

func order(last map[int64]Order, job int64) int {
	if _, used := last[job]; used {
		return 0
	}
	return 1
}

// from settles the jobs from position j on and reports whether that worked.
func (s *search) from(ctx context.Context, j int) (bool, error) {
	if j == len(s.jobs) {
		return true, nil
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	state := s.state(j)
	if s.dead[state] {
		return false, nil
	}
	hopeless, err := s.hopeless(ctx, j)
	if err != nil {
		return false, err
	}
	if !hopeless {
		candidates := s.candidates(j)
		for {
			build, walking, ok, err := candidates.next(ctx)
			if err != nil {
				return false, err
			}
			if !ok {
				break
			}
			s.builds[j], s.walking[j] = build, walking
			if done, err := s.assign(ctx, j, 0); done || err != nil {
				return done, err
			}
		}
		if candidates.empty {
			s.blame[j]++
		}
	}
	s.dead[state] = true
	return false, nil
}

// assign gives the inputs of job j, from its k-th on, versions out of the
// chosen build, then goes on with the next job.
func (s *search) assign(ctx context.Context, j, k int) (bool, error) {
	if k == len(s.jobs[j].inputs) {
		return s.from(ctx, j+1)
	}
	i := s.jobs[j].inputs[k]
	in, chosen := s.inputs[i], s.versions[i]
	for _, out := range s.builds[j].Outputs {
		if out.Resource != in.Resource || chosen != 0 && out.Version != chosen {
			continue
		}
		if in.Pin != nil && in.Pin.Version != out.Version {
			continue
		}
		s.versions[i] = out.Version
		if done, err := s.assign(ctx, j, k+1); done || err != nil {
			return done, err
		}
	}
	s.versions[i] = chosen
	return false, nil
}

// hopeless looks ahead to the jobs that were in the way before: if one of them
// has no build with the versions chosen so far, no other job need be tried.
func (s *search) hopeless(ctx context.Context, j int) (bool, error) {
	var suspects []int
	for job, count := range s.blame {
		if job > j && count > 0 {
			suspects = append(suspects, job)
		}
	}
	slices.SortFunc(suspects, func(a, b int) int {
		return cmp.Or(cmp.Compare(s.blame[b], s.blame[a]), cmp.Compare(a, b))
	})
	for _, job := range suspects {
		has := s.has(job)
		if len(has) == 0 {
			continue
		}
		builds, err := s.firstPage(ctx, Query{Job: s.jobs[job].id, Has: has, Limit: firstLimit})
		if err != nil {
			return false, err
		}
		if len(builds) == 0 {
			s.blame[job]++
			return true, nil
		}
	}
	return false, nil
}

// has lists the outputs that a build of job j must have for the versions chosen
// so far or pinned.
func (s *search) has(j int) []Output {
	var has []Output
	for _, i := range s.jobs[j].inputs {
		out := Output{Resource: s.inputs[i].Resource, Version: s.versions[i]}
		if out.Version == 0 && s.inputs[i].Pin != nil {
			out.Version = s.inputs[i].Pin.Version
		}
		if out.Version != 0 && !slices.Contains(has, out) {
			has = append(has, out)
		}
	}
	return has
}

// state identifies what the jobs from j on depend on: the versions of the
// inputs that name one of them.
func (s *search) state(j int) string {
	s.buffer = strconv.AppendInt(s.buffer[:0], int64(j), 10)
	open := make([]bool, len(s.inputs))
	for _, job := range s.jobs[j:] {
		for _, i := range job.inputs {
			open[i] = true
		}
	}
	for i, version := range s.versions {
		s.buffer = append(s.buffer, ' ')
		if open[i] {
			s.buffer = strconv.AppendInt(s.buffer, version, 36)
		}
	}
	return string(s.buffer)
}

// hasNext reports whether a job that the search walked forward has builds after
// the chosen one.
func (s *search) hasNext(ctx context.Context) (bool, error) {
	for j, job := range s.jobs {
		if !s.walking[j] {
			continue
		}
		builds, err := s.history.Builds(ctx, Query{Job: job.id, After: s.builds[j].end(), OldestFirst: true, Limit: 1})
		if len(builds) > 0 || err != nil {
			return true, err
		}
	}
	return false, nil
}

// buildsOf lists the chosen builds of the jobs that input i names.
func (s *search) buildsOf(i int) []int64 {
	var ids []int64
	for j, job := range s.jobs {
		if slices.Contains(job.inputs, i) {
			ids = append(ids, s.builds[j].ID)
		}
	}
	return ids
}

package algorithm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// world is a random past and a random question.
type world struct {
	builds   map[int64][]Build // by job, oldest first
	disabled map[Output]bool
	inputs   []Input
}

func randomWorld(r *rand.Rand) world {
	w := world{builds: map[int64][]Build{}, disabled: map[Output]bool{}}
	jobs, resources, versions := 1+r.Int64N(4), 1+r.Int64N(3), 1+r.Int64N(4)
	for id := range r.Int64N(14) {
		build := Build{Order: Order{Original: id + 1, ID: id + 1}}
		for resource := range resources {
			for range r.IntN(3) {
				out := Output{Resource: resource + 1, Version: 1 + r.Int64N(versions)}
				if !slices.Contains(build.Outputs, out) {
					build.Outputs = append(build.Outputs, out)
				}
			}
		}
		job := 1 + r.Int64N(jobs)
		w.builds[job] = append(w.builds[job], build)
	}
	for range r.IntN(3) {
		w.disabled[Output{Resource: 1 + r.Int64N(resources), Version: 1 + r.Int64N(versions)}] = true
	}
	for i := range 1 + r.IntN(4) {
		in := Input{Name: fmt.Sprint("in", i), Resource: 1 + r.Int64N(resources)}
		for range r.IntN(4) {
			in.Passed = append(in.Passed, 1+r.Int64N(jobs))
		}
		if r.IntN(6) == 0 {
			in.Pin = &Pin{Version: 1 + r.Int64N(versions), Label: "v"}
		}
		w.inputs = append(w.inputs, in)
	}
	return w
}

func (w world) memory() *Memory {
	m := &Memory{}
	for resource := range int64(4) {
		for version := range int64(5) {
			m.AddVersion(resource+1, version+1)
		}
	}
	for out := range w.disabled {
		m.Disable(out.Resource, out.Version)
	}
	for job, builds := range w.builds {
		for _, build := range builds {
			m.AddBuild(job, build)
		}
	}
	return m
}

// usable lists what an input may take out of a build.
func (w world) usable(build Build, in Input) []int64 {
	var versions []int64
	for _, out := range build.Outputs {
		if out.Resource == in.Resource && !w.disabled[out] && (in.Pin == nil || in.Pin.Version == out.Version) {
			versions = append(versions, out.Version)
		}
	}
	return versions
}

// brute tries all builds of all jobs, and all versions that they offer, in the
// documented order of preference, and gives the first builds that satisfy the
// group, by job. It checks only at the end.
func (w world) brute(inputs []Input) (map[int64]Build, bool) {
	var jobs []int64
	for _, in := range inputs {
		for _, job := range slices.Sorted(slices.Values(in.Passed)) {
			if !slices.Contains(jobs, job) {
				jobs = append(jobs, job)
			}
		}
	}
	chosen := map[int64]Build{}
	versions := make([]int64, len(inputs))
	var tryJob func(j int) bool
	var tryInput func(j, i int) bool
	tryJob = func(j int) bool {
		if j == len(jobs) {
			return w.agrees(inputs, versions, chosen)
		}
		for _, build := range slices.Backward(w.builds[jobs[j]]) {
			chosen[jobs[j]] = build
			if tryInput(j, 0) {
				return true
			}
		}
		return false
	}
	tryInput = func(j, i int) bool {
		if i == len(inputs) {
			return tryJob(j + 1)
		}
		if versions[i] != 0 || !slices.Contains(inputs[i].Passed, jobs[j]) {
			return tryInput(j, i+1)
		}
		for _, version := range w.usable(chosen[jobs[j]], inputs[i]) {
			versions[i] = version
			if tryInput(j, i+1) {
				return true
			}
		}
		versions[i] = 0
		return false
	}
	return chosen, tryJob(0)
}

// agrees reports whether the builds of all jobs that an input names have its version.
func (w world) agrees(inputs []Input, versions []int64, chosen map[int64]Build) bool {
	for i, in := range inputs {
		for _, job := range in.Passed {
			if !slices.Contains(w.usable(chosen[job], in), versions[i]) {
				return false
			}
		}
	}
	return true
}

// TestAgainstBruteForce compares with a search that knows no shortcut.
func TestAgainstBruteForce(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	satisfied := 0
	for round := range 6000 {
		w := randomWorld(r)
		got, err := Resolve(context.Background(), w.memory(), w.inputs)
		if err != nil {
			t.Fatal(err)
		}
		var passed []Input
		for _, in := range w.inputs {
			if len(in.Passed) > 0 {
				passed = append(passed, in)
			}
		}
		for _, group := range groups(passed) {
			want, possible := w.brute(group)
			if possible {
				satisfied++
			}
			for _, in := range group {
				choice, found := got.Inputs[in.Name]
				if found != possible {
					t.Fatalf("round %d: %s found %t, possible %t\n%+v", round, in.Name, found, possible, w)
				}
				if found {
					w.check(t, in, choice, want)
				}
			}
		}
	}
	if satisfied < 1000 {
		t.Errorf("only %d groups had a solution; the worlds are too hard", satisfied)
	}
}

func (w world) check(t *testing.T, in Input, choice Choice, want map[int64]Build) {
	t.Helper()
	if w.disabled[Output{Resource: in.Resource, Version: choice.Version}] {
		t.Fatalf("%s takes a disabled version: %+v\n%+v", in.Name, choice, w)
	}
	jobs := slices.Compact(slices.Sorted(slices.Values(in.Passed)))
	if len(choice.PassedBuilds) != len(jobs) {
		t.Fatalf("%s has builds %v for jobs %v", in.Name, choice.PassedBuilds, jobs)
	}
	for _, job := range jobs {
		if !slices.Contains(choice.PassedBuilds, want[job].ID) {
			t.Fatalf("%s came out of builds %v, want build %d of job %d\n%+v", in.Name, choice.PassedBuilds, want[job].ID, job, w)
		}
		if !slices.Contains(w.usable(want[job], in), choice.Version) {
			t.Fatalf("%s takes %d, which build %d of job %d does not have\n%+v", in.Name, choice.Version, want[job].ID, job, w)
		}
	}
}

// TestUnrelatedHistory adds builds of other jobs, other resources and versions
// of them, and expects the same answer.
func TestUnrelatedHistory(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 1500 {
		w := randomWorld(r)
		memory := w.memory()
		before, err := Resolve(context.Background(), memory, w.inputs)
		if err != nil {
			t.Fatal(err)
		}
		for id := int64(100); id < 110; id++ {
			memory.AddBuild(90+r.Int64N(3), Build{Order: Order{Original: id, ID: id}, Outputs: []Output{{Resource: 1 + r.Int64N(3), Version: 1 + r.Int64N(4)}}})
			memory.AddBuild(1+r.Int64N(4), Build{Order: Order{Original: id, ID: id}, Outputs: []Output{{Resource: 77, Version: id}}})
			memory.AddVersion(77, id)
		}
		after, err := Resolve(context.Background(), memory, w.inputs)
		if err != nil || !reflect.DeepEqual(before, after) {
			t.Fatalf("%v: before %+v, after %+v\n%+v", err, before, after, w)
		}
	}
}

// TestResolveIsRepeatable expects the same answer each time, map order or not.
func TestResolveIsRepeatable(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		w := randomWorld(r)
		first, err := Resolve(context.Background(), w.memory(), w.inputs)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if again, err := Resolve(context.Background(), w.memory(), w.inputs); err != nil || !reflect.DeepEqual(first, again) {
				t.Fatalf("%v: %+v, then %+v", err, first, again)
			}
		}
	}
}

// TestEveryReachesAll runs a job with `version: every` behind a passed job over
// and over and expects each upstream build exactly once, in order.
func TestEveryReachesAll(t *testing.T) {
	t.Parallel()
	memory := &Memory{}
	for id := int64(1); id <= 40; id++ {
		memory.AddVersion(1, id)
		memory.AddBuild(5, Build{Order: Order{Original: id, ID: id}, Outputs: []Output{{Resource: 1, Version: id}}})
	}
	inputs := []Input{{Name: "x", Resource: 1, Passed: []int64{5}, Every: true, Trigger: true}}
	memory.AddOwnBuild(Order{Original: 1, ID: 1}, []Taken{{Input: "x", Resource: 1, Version: 1}}, map[int64]Order{5: {Original: 1, ID: 1}})
	for want := int64(2); want <= 40; want++ {
		got, err := Resolve(context.Background(), memory, inputs)
		if err != nil || !got.Triggers(inputs) || got.Inputs["x"].Version != want || got.HasNext != (want < 40) {
			t.Fatalf("want %d, got %+v, %v", want, got, err)
		}
		own := Order{Original: want, ID: want}
		memory.AddOwnBuild(own, []Taken{{Input: "x", Resource: 1, Version: want}}, map[int64]Order{5: own})
	}
	if got, err := Resolve(context.Background(), memory, inputs); err != nil || got.Triggers(inputs) {
		t.Errorf("starts again after the last: %+v, %v", got, err)
	}
}

// failing is a history whose n-th answer is an error.
type failing struct {
	History
	left int
}

var errDown = errors.New("database is down")

func (f *failing) fail() error {
	f.left--
	if f.left < 0 {
		return errDown
	}
	return nil
}

func (f *failing) Latest(ctx context.Context, resource int64) (int64, error) {
	if err := f.fail(); err != nil {
		return 0, err
	}
	return f.History.Latest(ctx, resource)
}

func (f *failing) LastUse(ctx context.Context, resource int64) (LastUse, error) {
	if err := f.fail(); err != nil {
		return LastUse{}, err
	}
	return f.History.LastUse(ctx, resource)
}

func (f *failing) Taken(ctx context.Context, input string, resource, version int64) (bool, error) {
	if err := f.fail(); err != nil {
		return false, err
	}
	return f.History.Taken(ctx, input, resource, version)
}

func (f *failing) Builds(ctx context.Context, q Query) ([]Build, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	return f.History.Builds(ctx, q)
}

// TestErrorsOfTheHistory lets each single question fail in turn.
func TestErrorsOfTheHistory(t *testing.T) {
	t.Parallel()
	var s story
	for _, statement := range []string{
		"a#1 x1 y1", "a#2 x2 y2", "b#3 x1", "b#4 x2", "v z1 z2", "own#9 x1 z1 < a#1",
		"in x passed=a,b every", "in y passed=a", "in z every", "in n=z",
	} {
		s.statement(t, statement)
	}
	for n := 0; ; n++ {
		got, err := Resolve(context.Background(), &failing{History: &s.memory, left: n}, s.inputs)
		if err == nil {
			if n < 8 || !got.OK() {
				t.Errorf("done after %d questions: %+v", n, got)
			}
			return
		}
		if !errors.Is(err, errDown) || got.Inputs != nil {
			t.Fatalf("question %d: %+v, %v", n, got, err)
		}
	}
}

func TestResolveStopsWhenCancelled(t *testing.T) {
	t.Parallel()
	memory, inputs := fanIn(40, 2, 1, false)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Resolve(ctx, memory, inputs); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// fanIn is the past of a pipeline in which jobs build the same resources and a
// last job wants versions that passed all of them. Where stuck is set, one of
// the jobs succeeded only once, at the very beginning.
func fanIn(builds, jobs, resources int, stuck bool) (*Memory, []Input) {
	memory := &Memory{}
	id := int64(0)
	for round := range int64(builds / jobs) {
		for job := range int64(jobs) {
			id++
			build := Build{Order: Order{Original: id, ID: id}}
			for resource := range int64(resources) {
				memory.AddVersion(resource+1, round+1)
				build.Outputs = append(build.Outputs, Output{Resource: resource + 1, Version: round + 1})
			}
			if stuck && job == int64(jobs)-1 && round > 0 {
				continue
			}
			memory.AddBuild(job+1, build)
		}
	}
	var inputs []Input
	for resource := range int64(resources) {
		in := Input{Name: fmt.Sprint("r", resource), Resource: resource + 1, Trigger: true}
		for job := range int64(jobs) {
			in.Passed = append(in.Passed, job+1)
		}
		inputs = append(inputs, in)
	}
	return memory, inputs
}

// counting counts the questions that a database would have to answer.
type counting struct {
	History
	pages int
}

func (c *counting) Builds(ctx context.Context, q Query) ([]Build, error) {
	c.pages++
	return c.History.Builds(ctx, q)
}

func TestFewQuestions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		stuck          bool
		version, pages int
	}{
		{"all jobs are up to date", false, 250, 25},
		{"one job succeeded only at the beginning", true, 1, 600},
	} {
		memory, inputs := fanIn(5000, 20, 3, c.stuck)
		history := &counting{History: memory}
		got, err := Resolve(context.Background(), history, inputs)
		if err != nil || !got.OK() || got.Inputs["r0"].Version != int64(c.version) {
			t.Fatalf("%s: %+v, %v", c.name, got, err)
		}
		if history.pages > c.pages {
			t.Errorf("%s: %d pages, at most %d expected", c.name, history.pages, c.pages)
		}
	}
}

// TestDeadEndsAreRemembered has many equal builds of two jobs in front of a job
// that cannot be satisfied; trying all pairs would ask for every page each time.
func TestDeadEndsAreRemembered(t *testing.T) {
	t.Parallel()
	memory := &Memory{}
	for _, out := range []Output{{1, 1}, {2, 1}, {2, 2}} {
		memory.AddVersion(out.Resource, out.Version)
	}
	for id := int64(1); id <= 300; id++ {
		order := Order{Original: id, ID: id}
		memory.AddBuild(1, Build{Order: order, Outputs: []Output{{1, 1}}})
		memory.AddBuild(2, Build{Order: order, Outputs: []Output{{1, 1}, {2, 1}}})
		memory.AddBuild(3, Build{Order: order, Outputs: []Output{{2, 2}}})
	}
	inputs := []Input{{Name: "x", Resource: 1, Passed: []int64{1, 2}}, {Name: "z", Resource: 2, Passed: []int64{2, 3}}}
	history := &counting{History: memory}
	got, err := Resolve(context.Background(), history, inputs)
	if err != nil || got.Errors["x"] != ReasonNoBuilds {
		t.Fatalf("%+v, %v", got, err)
	}
	if history.pages > 30 {
		t.Errorf("%d pages", history.pages)
	}
}

func BenchmarkFanIn(b *testing.B) {
	for _, c := range []struct {
		name  string
		stuck bool
	}{{"fresh", false}, {"stuck", true}} {
		b.Run(c.name, func(b *testing.B) {
			memory, inputs := fanIn(5000, 20, 5, c.stuck)
			history := &counting{History: memory}
			for b.Loop() {
				if got, err := Resolve(context.Background(), history, inputs); err != nil || !got.OK() {
					b.Fatal(got, err)
				}
			}
			b.ReportMetric(float64(history.pages)/float64(b.N), "pages/op")
		})
	}
}

// BenchmarkUnsatisfiable is the worst case: every job has builds, no two agree.
func BenchmarkUnsatisfiable(b *testing.B) {
	memory := &Memory{}
	for id := int64(1); id <= 5000; id++ {
		memory.AddVersion(1, id)
		memory.AddBuild(1+id%20, Build{Order: Order{Original: id, ID: id}, Outputs: []Output{{Resource: 1, Version: id}}})
	}
	in := Input{Name: "x", Resource: 1}
	for job := range int64(20) {
		in.Passed = append(in.Passed, job+1)
	}
	for b.Loop() {
		if got, err := Resolve(context.Background(), memory, []Input{in}); err != nil || got.OK() {
			b.Fatal(got, err)
		}
	}
}

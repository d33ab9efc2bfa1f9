package pipeline

import "testing"

const located = `# a comment
x-task: &task
  platform: linux
resources:
- name: repo
  type: git
- name: repo.v2
  type: git
jobs:
- name: build
  on_failure:
    put: chat
  plan:
  - get: repo
    passed: [one, two]
    timeout: soon
  - in_parallel:
      limit: 2
      steps:
      - task: unit
        config: *task
      - do:
        - put: out
          ensure: {put: done}
- name: build.plan
  plan:
  - across:
    - var: x
      max_in_flight: 0
    try:
      run: go
      type: proto
    attempts: 0
`

func TestLocate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path         string
		line, column int
	}{
		{"jobs", 9, 1},
		{"resources.repo", 5, 3},
		{"resources.repo.v2", 7, 3},
		{"resources[1]", 7, 3},
		{"resources.repo: has no type", 5, 3},
		{"jobs.build", 10, 3},
		{"jobs.build.plan.do[0].get(repo)", 14, 5},
		{"jobs.build.plan.do[0].get(repo): unknown resource 'repo'", 14, 5},
		{"jobs.build.plan.do[0].get(repo).passed: no matching job(s) for 'x'", 15, 5},
		{"jobs.build.plan.do[0].timeout", 16, 5},
		{"jobs.build.plan.do[1].in_parallel.steps[0].task(unit)", 20, 9},
		{"jobs.build.plan.do[1].in_parallel.steps[0].task(unit).config", 21, 9},
		{"jobs.build.plan.do[1].in_parallel.steps[1].do[0].put(out)", 23, 11},
		{"jobs.build.plan.do[1].in_parallel.steps[1].do[0].ensure.put(done)", 24, 20},
		{"jobs.build.plan.on_failure.put(chat)", 12, 5},
		{"jobs.build.plan", 25, 3}, // the longest name wins
		{"jobs.build.plan.plan.do[0].across[0].max_in_flight", 29, 7},
		{"jobs.build.plan.plan.do[0].across.try.run(proto.go)", 31, 7},
		{"jobs.build.plan.plan.do[0].attempts", 33, 5},
		{"jobs.build.plan.do[9].get(x)", 13, 3}, // as far as it can be followed
		{"jobs.gone.plan", 9, 1},
		{"jobs[7]", 9, 1},
		{"jobs[x]", 9, 1},
		{"groups.g", 0, 0},
		{"", 0, 0},
		{"jobs.build.plan.do[", 13, 3},
		{"jobs.build.plan.do[0].get(", 14, 5},
	} {
		line, column := Locate([]byte(located), c.path)
		if line != c.line || column != c.column {
			t.Errorf("%s is at %d:%d, want %d:%d", c.path, line, column, c.line, c.column)
		}
	}
	for _, source := range []string{"", "{", "x"} {
		if line, column := Locate([]byte(source), "jobs.a"); line != 0 || column != 0 {
			t.Errorf("%q: %d:%d", source, line, column)
		}
	}
}

func TestSyntaxLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		source string
		line   int
	}{
		{"a: 1\nb: 2\n", 0},
		{"a: 1\n b: 2\n", 2},
		{"a: [\n1,\n2\n]\nb: [\n", 5},
		{"a: [\n1,\n2\n]\nb: 1\nc: d: e\nf: 1\n", 6},
		{"a: \"x\nb: 2\nc: 3\n", 1},
		{"\t", 1},
		{"a:\n- b\nc\n", 3},
	} {
		if got := syntaxLine([]byte(c.source)); got != c.line {
			t.Errorf("%q: line %d, want %d", c.source, got, c.line)
		}
	}
}

func TestPlainError(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go struct field Job.jobs.serial of type bool": "'serial' must be true or false, not text",
		"json: cannot unmarshal array into Go struct field Job.plan.max_in_flight of type int":                                          "'max_in_flight' must be a whole number, not a list",
		"json: cannot unmarshal number into Go struct field X.source of type pipeline.Source":                                           "'source' must be a mapping, not a number",
		"error converting YAML to JSON: yaml: line 3: oops":                                                                             "oops",
	} {
		if got := plainError(text); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

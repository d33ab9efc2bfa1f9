package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func parseStep(t *testing.T, text string) Step {
	t.Helper()
	var s Step
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// shape writes the nesting of a step, outermost first.
func shape(s StepConfig) string {
	name := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%T", s), "*pipeline."), "Step")
	if mod, ok := s.(Modifier); ok {
		return name + ">" + shape(mod.Inner())
	}
	return name
}

func TestStepNesting(t *testing.T) {
	t.Parallel()
	const hooks = `"ensure":{"put":"a"},"on_error":{"put":"b"},"on_abort":{"put":"c"},"on_failure":{"put":"d"},"on_success":{"put":"e"},"across":[{"var":"v","values":[1]}],"attempts":2`
	for text, want := range map[string]string{
		`{"get":"x","timeout":"1m"}`:                              "Get",
		`{"put":"x","attempts":2}`:                                "Retry>Put",
		`{"do":[],"timeout":"1m","attempts":2}`:                   "Retry>Timeout>Do",
		`{"task":"x","ensure":{"put":"y"},"attempts":3}`:          "Ensure>Retry>Task",
		`{"in_parallel":[{"get":"x"}],"on_success":{"put":"y"}}`:  "OnSuccess>InParallel",
		`{"try":{"put":"x"},"timeout":"1m"}`:                      "Timeout>Try",
		`{"set_pipeline":"x"}`:                                    "SetPipeline",
		`{"load_var":"x"}`:                                        "LoadVar",
		`{"run":"x","type":"y","timeout":"1m"}`:                   "Run",
		`{"task":"x",` + hooks + `}`:                              "Ensure>OnError>OnAbort>OnFailure>OnSuccess>Across>Retry>Task",
		`{"do":[{"get":"x"}],"timeout":"1m",` + hooks + `}`:       "Ensure>OnError>OnAbort>OnFailure>OnSuccess>Across>Retry>Timeout>Do",
		`{"across":[{"var":"v"}],"fail_fast":true,"load_var":""}`: "Across>LoadVar",
	} {
		s := parseStep(t, text)
		if got := shape(s.Config); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
		if len(s.UnknownFields) != 0 {
			t.Errorf("%s has unknown fields %v", text, s.UnknownFields)
		}
		payload, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if again := parseStep(t, string(payload)); !reflect.DeepEqual(again, s) {
			t.Errorf("%s is written as %s", text, payload)
		}
	}
}

func TestStepErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{}`:                            "no step configured",
		`null`:                          "no step configured",
		`{"fail_fast":true}`:            "no step configured",
		`{"attempts":1}`:                "no core step type declared (e.g. get, put, task, etc.)",
		`{"ensure":null,"get":"x"}`:     "malformed ensure step: no step configured",
		`{"get":["x"]}`:                 "malformed get step: json: cannot unmarshal array into Go struct field GetStep.get of type string",
		`{"get":"x","version":[1]}`:     "malformed get step: unknown type for version",
		`{"get":"x","version":{"a":1}}`: "malformed get step: the value 1 of a is not a string",
		`{"put":"x","inputs":[1]}`:      "malformed put step: non-string put input: 1",
		`{"put":"x","inputs":1}`:        "malformed put step: unknown type for put inputs",
		`{"in_parallel":"x"}`:           "malformed in_parallel step: wrong type for parallel config: x",
		`{"in_parallel":[{}]}`:          "malformed in_parallel step: failed to unmarshal parallel steps: no step configured",
		`{"get":"x","across":[{"var":"a","max_in_flight":"many"}]}`: `malformed across step: invalid max_in_flight "many"`,
	} {
		err := json.Unmarshal([]byte(text), new(Step))
		if err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
	if err := json.Unmarshal([]byte(`{"try":{}}`), new(Step)); !errors.Is(err, ErrNoStep) {
		t.Errorf("error %v hides its cause", err)
	}
}

func TestStepKeepsUnknownFields(t *testing.T) {
	t.Parallel()
	s := parseStep(t, `{"get":"x","put":"y","limit":3}`)
	if got := sortedKeys(s.UnknownFields); !reflect.DeepEqual(got, []string{"get", "limit"}) {
		t.Errorf("unknown fields %v", got)
	}
	payload, err := json.Marshal(s)
	if err != nil || string(payload) != `{"get":"x","limit":3,"put":"y"}` {
		t.Errorf("written as %s, %v", payload, err)
	}
}

func TestWalkVisitsEverythingOnce(t *testing.T) {
	t.Parallel()
	config := mustParse(t, `
jobs:
- name: a
  plan:
  - {get: g1, on_success: {put: p1}}
  - do: [{get: g2}, {try: {get: g3}}]
    timeout: 1m
  - in_parallel: [{task: t1, ensure: {put: p2}}]
  - {load_var: v, across: [{var: x, values: [1]}], on_abort: {get: g4}}
  on_failure: {put: p3}
  ensure: {do: [{put: p4}]}
  on_error: {set_pipeline: self}
`)
	var names []string
	err := Walk(config.Jobs[0].Step(), func(s StepConfig) error {
		switch s := s.(type) {
		case *GetStep:
			names = append(names, s.Name)
		case *PutStep:
			names = append(names, s.Name)
		case *TaskStep:
			names = append(names, s.Name)
		case *LoadVarStep:
			names = append(names, s.Name)
		case *SetPipelineStep:
			names = append(names, s.Name)
		}
		return nil
	})
	want := "g1 p1 g2 g3 t1 p2 v g4 p3 self p4"
	if got := strings.Join(names, " "); err != nil || got != want {
		t.Errorf("visited %s, %v, want %s", got, err, want)
	}
	if got := shape(config.Jobs[0].Step()); got != "Ensure>OnError>OnFailure>Do" {
		t.Errorf("job is %s", got)
	}
	if gets, puts := config.Jobs[0].Gets(), config.Jobs[0].Puts(); len(gets) != 4 || len(puts) != 4 {
		t.Errorf("%d gets, %d puts", len(gets), len(puts))
	}
	stop := errors.New("stop")
	count := 0
	if err := Walk(config.Jobs[0].Step(), func(StepConfig) error { count++; return stop }); err != stop || count != 1 {
		t.Errorf("walk went on after an error: %d, %v", count, err)
	}
	if err := Walk(nil, func(StepConfig) error { return stop }); err != nil {
		t.Error(err)
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]VersionConfig{
		`"latest"`: {Latest: true}, `"every"`: {Every: true}, `{"ref":"a"}`: {Pinned: Version{"ref": "a"}}, `""`: {},
	} {
		var got VersionConfig
		err := json.Unmarshal([]byte(text), &got)
		back, _ := json.Marshal(got)
		if err != nil || !reflect.DeepEqual(got, want) || string(back) != text {
			t.Errorf("version %s: %+v, %v, written %s", text, got, err, back)
		}
	}
	for text, want := range map[string]InputsConfig{
		`"all"`: {All: true}, `"detect"`: {Detect: true}, `["a","b"]`: {Specified: []string{"a", "b"}}, `[]`: {Specified: []string{}}, `""`: {},
	} {
		var got InputsConfig
		err := json.Unmarshal([]byte(text), &got)
		back, _ := json.Marshal(got)
		if err != nil || !reflect.DeepEqual(got, want) || string(back) != text {
			t.Errorf("inputs %s: %+v, %v, written %s", text, got, err, back)
		}
	}
	for text, want := range map[string]int{`"all"`: 7, `3`: 3} {
		var got MaxInFlight
		err := json.Unmarshal([]byte(text), &got)
		back, _ := json.Marshal(got)
		if err != nil || got.Of(7) != want || string(back) != text {
			t.Errorf("max_in_flight %s: %+v, %v, written %s", text, got, err, back)
		}
	}
	if (*MaxInFlight)(nil).Of(7) != 1 {
		t.Error("without max_in_flight the values run one by one")
	}
}

func TestJobMaxInFlight(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		job  Job
		want int
	}{
		{Job{}, 0}, {Job{RawMaxInFlight: 3}, 3}, {Job{RawMaxInFlight: 3, Serial: true}, 1},
		{Job{SerialGroups: []string{"g"}}, 1}, {Job{RawMaxInFlight: -2}, 0},
	} {
		if got := c.job.MaxInFlight(); got != c.want {
			t.Errorf("%+v: %d, want %d", c.job, got, c.want)
		}
	}
}

func TestTypeChain(t *testing.T) {
	t.Parallel()
	config := Config{ResourceTypes: []ResourceType{
		{Name: "slack", Type: "registry-image"},
		{Name: "registry-image", Type: "registry-image"},
		{Name: "a", Type: "b"}, {Name: "b", Type: "a"},
	}}
	for typeName, want := range map[string]string{
		"git": "=git", "slack": "slack registry-image =registry-image",
		"registry-image": "registry-image =registry-image", "a": "a b =a",
	} {
		chain, base := config.TypeChain(typeName)
		got := ""
		for _, link := range chain {
			got += link.Name + " "
		}
		if got += "=" + base; got != want {
			t.Errorf("%s: %s, want %s", typeName, got, want)
		}
	}
	if len(config.ResourceTypes) != 4 || config.ResourceTypes[0].Name != "slack" {
		t.Error("TypeChain changed the config")
	}
}

func TestLookups(t *testing.T) {
	t.Parallel()
	config := mustParse(t, "jobs: [{name: j, plan: []}]\nresources: [{name: r, type: t}]\nresource_types: [{name: t, type: x}]\nprototypes: [{name: p, type: x}]\n")
	_, job := config.Job("j")
	_, resource := config.Resource("r")
	_, typ := config.ResourceType("t")
	_, proto := config.Prototype("p")
	_, none := config.Job("x")
	if !job || !resource || !typ || !proto || none {
		t.Error("lookup failed")
	}
	merged := Source{"a": 1, "b": 1}.Merge(Source{"b": 2})
	if !reflect.DeepEqual(merged, Source{"a": 1, "b": 2}) || Source(nil).Merge(merged)["a"] != 1 {
		t.Errorf("merged %v", merged)
	}
}

package plan

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/pipeline"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares indented JSON with a file.
func golden(t *testing.T, file string, value any) {
	t.Helper()
	got, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; this is\n%s", file, got)
	}
}

func everything(t *testing.T) (pipeline.Config, Plan) {
	t.Helper()
	data, err := os.ReadFile("testdata/job.yml")
	if err != nil {
		t.Fatal(err)
	}
	config, err := pipeline.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	made, err := FromJob(config.Jobs[0], config, JobInputs{
		Versions: map[string]pipeline.Version{"code": {"ref": "abc"}}, Manual: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return config, made
}

func TestFromJob(t *testing.T) {
	t.Parallel()
	config, made := everything(t)
	golden(t, "testdata/job.plan.json", made)
	public, err := made.Public()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/job.public.json", public)
	for _, secret := range []string{"git.example", "repository", "unit.yml", "lint\"]"} {
		if strings.Contains(string(public), secret) {
			t.Errorf("%s is public", secret)
		}
	}
	again, err := FromJob(config.Jobs[0], config, JobInputs{Versions: map[string]pipeline.Version{"code": {"ref": "abc"}}, Manual: true})
	if err != nil || !reflect.DeepEqual(made, again) {
		t.Errorf("the same job gives another plan: %v", err)
	}

	seen := map[ID]bool{}
	made.Each(func(p *Plan) {
		if p.ID == "" || seen[p.ID] {
			t.Errorf("id %q is empty or there twice", p.ID)
		}
		seen[p.ID] = true
	})
	if len(seen) < 40 {
		t.Errorf("Each saw %d plans", len(seen))
	}

	data, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	var back Plan
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	twice, err := json.Marshal(back)
	if err != nil || !bytes.Equal(data, twice) {
		t.Errorf("the plan changes on its way through JSON: %v", err)
	}
}

func TestFromJobErrors(t *testing.T) {
	t.Parallel()
	for yaml, want := range map[string]string{
		"{get: repo}":                               "version for input repo not provided",
		"{get: gone}":                               "unknown resource: gone",
		"{put: gone}":                               "unknown resource: gone",
		"{run: x, type: gone}":                      "unknown prototype: gone",
		"{try: {get: gone}}":                        "unknown resource: gone",
		"{get: gone, attempts: 2}":                  "unknown resource: gone",
		"{in_parallel: [{get: gone}]}":              "unknown resource: gone",
		"{do: [{get: gone}]}":                       "unknown resource: gone",
		"{get: gone, ensure: {put: x}}":             "unknown resource: gone",
		"{put: repo, on_error: {put: x}}":           "unknown resource: x",
		"{across: [{var: a, values: [1]}], put: x}": "unknown resource: x",
	} {
		config, err := pipeline.Parse([]byte("resources: [{name: repo, type: git, source: {}}]\njobs: [{name: j, plan: [" + yaml + "]}]"))
		if err != nil {
			t.Fatalf("%s: %v", yaml, err)
		}
		if _, err := FromJob(config.Jobs[0], config, JobInputs{}); err == nil || err.Error() != want {
			t.Errorf("%s: %v", yaml, err)
		}
	}
}

// TestCapturedPublicPlan is the answer of a Concourse 8.2.5 server for one task.
func TestCapturedPublicPlan(t *testing.T) {
	t.Parallel()
	p := Plan{ID: "6b0069b2", Do: &Do{{ID: "6b0069b1", Task: &Task{Name: "say", Config: &pipeline.TaskConfig{Platform: "linux"}}}}}
	public, err := p.Public()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"6b0069b2","do":[{"id":"6b0069b1","task":{"name":"say","privileged":false,"hermetic":false}}]}`
	if string(public) != want {
		t.Errorf("got %s", public)
	}
}

// executePlan is what fly 8.2 posts for `fly execute -i src=. -o out=./out`.
const executePlan = `{"id":"6","ensure":{"step":{"id":"3","do":[
	{"id":"2","in_parallel":{"steps":[{"id":"1","artifact_input":{"artifact_id":7,"name":"src"}},
		{"id":"9","get":{"name":"dep","type":"git","source":{"uri":"x"},"image":{"base_type":"git"},"version":{"ref":"a"},"params":{"depth":1},"tags":["t"]}}]}},
	{"id":"4","task":{"name":"one-off","privileged":true,"hermetic":false,"config":{"platform":"linux","run":{"path":"make","args":["all"]},
		"inputs":[{"name":"src"}],"outputs":[{"name":"out"}],"params":{"N":5}},"input_mapping":{"a":"b"},"resource_types":[{"name":"x","type":"y","source":{}}]}}]},
	"ensure":{"id":"5","in_parallel":{"steps":[{"id":"8","artifact_output":{"name":"out"}}]}}}}`

func TestExecutePlan(t *testing.T) {
	t.Parallel()
	var p Plan
	decoder := json.NewDecoder(strings.NewReader(executePlan))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil {
		t.Fatal(err)
	}
	steps := *p.Ensure.Step.Do
	if got := steps[0].InParallel.Steps[0].ArtifactInput; got.ArtifactID != 7 || got.Name != "src" {
		t.Errorf("artifact input is %+v", got)
	}
	task := steps[1].Task
	if !task.Privileged || task.Config.Params["N"] != "5" || task.ResourceTypes[0].Name != "x" || task.InputMapping["a"] != "b" {
		t.Errorf("task is %+v", task)
	}
	if p.Ensure.Next.InParallel.Steps[0].ArtifactOutput.Name != "out" {
		t.Error("the artifact output is lost")
	}
	golden(t, "testdata/execute.public.json", must(t, &p))
}

func must(t *testing.T, p *Plan) json.RawMessage {
	t.Helper()
	public, err := p.Public()
	if err != nil {
		t.Fatal(err)
	}
	return public
}

func TestScopedPublic(t *testing.T) {
	t.Parallel()
	s := Scoped{Step: Plan{ID: "9/0/0", LoadVar: &LoadVar{Name: "x", File: "secret"}}, Values: []any{"a", 1}}
	public, err := s.Public()
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"step":{"id":"9/0/0","load_var":{"name":"x"}},"values":["a",1]}`; string(public) != want {
		t.Errorf("got %s", public)
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	config, _ := everything(t)
	options := CheckOptions{From: pipeline.Version{"ref": "a"}, Interval: 90 * time.Second, SkipInterval: true, Parents: true}
	bucket, _ := config.Resource("bucket")
	golden(t, "testdata/check.plan.json", ForResource(bucket, config.ResourceTypes, options))

	options.Parents = false
	outer := ForResourceType(config.ResourceTypes[0], config.ResourceTypes, options)
	check := outer.Check
	if check.ResourceType != "outer" || check.Type != "middle" || check.Source["proxy"] != "none" || check.Interval.Interval != time.Hour {
		t.Errorf("check of a type is %+v", check)
	}
	if check.TypeImage.Check.Check.SkipInterval {
		t.Error("a shallow check skips the interval of its parents")
	}
	// A type named like its base type ends at the base type.
	own := ForResourceType(config.ResourceTypes[2], config.ResourceTypes, options)
	if own.Check.TypeImage.BaseType != "git" || own.Check.TypeImage.Get != nil {
		t.Errorf("image of git is %+v", own.Check.TypeImage)
	}
	proto := ForPrototype(config.Prototypes[0], config.ResourceTypes, options)
	if proto.Check.Prototype != "proto" || proto.Check.TypeImage.BaseType != "registry-image" {
		t.Errorf("check of a prototype is %+v", proto.Check)
	}
	repo, _ := config.Resource("repo")
	repo.CheckEvery = &pipeline.CheckEvery{Never: true}
	if got := ForResource(repo, nil, CheckOptions{}); !got.Check.Interval.Never {
		t.Errorf("interval is %+v", got.Check.Interval)
	}
}

func TestFetchImage(t *testing.T) {
	t.Parallel()
	config, _ := everything(t)
	image := pipeline.ImageResource{Name: "image", Type: "outer", Source: pipeline.Source{"a": 1}, Version: pipeline.Version{"digest": "d"}, Tags: pipeline.Tags{"own"}}
	get, check := FetchImage("5", WithDefaults(image, config.ResourceTypes), config.ResourceTypes, pipeline.Tags{"step"}, false, nil)
	if check != nil || (*get.Get.Version)["digest"] != "d" || get.Get.Tags[0] != "own" || get.Get.Source["region"] != "eu" {
		t.Errorf("get is %+v", get.Get)
	}
	if !get.Get.TypeImage.Privileged || get.Get.TypeImage.Get.ID != "5/image-get/image-get" {
		t.Errorf("type image is %+v", get.Get.TypeImage)
	}
}

func FuzzPlan(f *testing.F) {
	f.Add([]byte(executePlan))
	f.Add([]byte(`{"id":"1","across":{"vars":[{"name":"a","values":"((x))","max_in_flight":"all"}],"substep_template":"{}"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p Plan
		if json.Unmarshal(data, &p) != nil {
			return
		}
		if _, err := p.Public(); err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(p); err != nil {
			t.Fatal(err)
		}
	})
}

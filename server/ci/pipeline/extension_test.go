package pipeline

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestExtensionTypes(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("testdata/validate/signalbox.yml")
	if err != nil {
		t.Fatal(err)
	}
	config := mustParse(t, string(source))
	want := JobExtension{
		Inputs: []Input{
			{Name: "version", Type: InputString, Description: "the version", Required: true, Default: "1.0", Pattern: `^\d+\.\d+$`},
			{Name: "env", Type: InputChoice, Default: "staging", Options: []string{"staging", "production"}},
			{Name: "dry_run", Type: InputBool, Default: true},
			{Name: "token", Type: InputSecret},
		},
		CancelSuperseded: true, TestReports: []string{"results/**/*.xml"}, SBOM: []string{"dist/bom.json"},
		Artifacts: []ArtifactRule{{Path: "dist/*.tgz", Keep: 720 * time.Hour}},
	}
	if got := config.JobExtension("deploy"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if got := config.JobExtension("other"); !reflect.DeepEqual(got, JobExtension{}) {
		t.Errorf("a job that is not named has %+v", got)
	}
	stored, err := json.Marshal(config)
	var again Config
	if err != nil || json.Unmarshal(stored, &again) != nil || !reflect.DeepEqual(again.JobExtension("deploy"), want) {
		t.Errorf("stored as %s, %v, read as %+v", stored, err, again.Signalbox)
	}
}

func TestExtensionKeepsThirtyDays(t *testing.T) {
	t.Parallel()
	config := mustParse(t, "signalbox: {jobs: {a: {artifacts: [{path: dist/x}]}}}")
	if keep := config.JobExtension("a").Artifacts[0].Keep; keep != 30*24*time.Hour {
		t.Errorf("keeps %s", keep)
	}
}

func TestInputCheck(t *testing.T) {
	t.Parallel()
	text := Input{Name: "v", Type: InputString, Pattern: `^\d+$`}
	choice := Input{Name: "c", Type: InputChoice, Options: []string{"a", "b"}}
	flag := Input{Name: "b", Type: InputBool}
	secret := Input{Name: "s", Type: InputSecret}
	for name, c := range map[string]struct {
		in      Input
		given   any
		value   any
		problem string
	}{
		"matching text":       {text, "12", "12", ""},
		"not matching":        {text, "12a", nil, `must match ^\d+$`},
		"optional empty":      {text, "", "", ""},
		"a number":            {text, 12.0, nil, "must be text"},
		"a mapping":           {secret, map[string]any{"a": 1}, nil, "must be text"},
		"a list":              {secret, []any{"a"}, nil, "must be text"},
		"an option":           {choice, "b", "b", ""},
		"no option":           {choice, "c", nil, "must be one of a, b"},
		"true":                {flag, true, true, ""},
		"the word false":      {flag, "false", false, ""},
		"the word yes":        {flag, "yes", nil, "must be true or false"},
		"a list for a bool":   {flag, []any{true}, nil, "must be true or false"},
		"YAML stays text":     {secret, "{a: [b]}\n- c: ((d))", "{a: [b]}\n- c: ((d))", ""},
		"a zero byte":         {secret, "a\x00b", nil, "must be UTF-8 text without zero bytes"},
		"not UTF-8":           {secret, "a\xff", nil, "must be UTF-8 text without zero bytes"},
		"too long":            {secret, strings.Repeat("x", maxInput+1), nil, "is longer than 65536 bytes"},
		"as long as possible": {secret, strings.Repeat("x", maxInput), strings.Repeat("x", maxInput), ""},
	} {
		value, problem := check(c.in, c.given)
		if !reflect.DeepEqual(value, c.value) || problem != c.problem {
			t.Errorf("%s: %v, %q, want %v, %q", name, value, problem, c.value, c.problem)
		}
	}
}

// check survives values that cannot be compared.
func check(in Input, given any) (any, string) { return in.Check(given) }

func TestFill(t *testing.T) {
	t.Parallel()
	j := JobExtension{Inputs: []Input{
		{Name: "version", Type: InputString, Required: true, Pattern: `^\d+$`},
		{Name: "env", Type: InputChoice, Options: []string{"a", "b"}, Default: "a"},
		{Name: "dry", Type: InputBool, Default: true},
		{Name: "note", Type: InputString},
		{Name: "token", Type: InputSecret, Required: true},
		{Name: "flag", Type: InputBool},
	}}
	values, problems := j.Fill(map[string]any{"version": "3", "dry": false, "token": "t"})
	want := map[string]any{"version": "3", "env": "a", "dry": false, "note": "", "token": "t", "flag": false}
	if !reflect.DeepEqual(values, want) || problems != nil {
		t.Errorf("got %v, %v", values, problems)
	}
	_, problems = j.Fill(map[string]any{"version": "x", "env": "z", "token": "", "other": 1, "another": 2})
	if want := []InputProblem{{"version", `must match ^\d+$`}, {"env", "must be one of a, b"}, {"token", "is required"},
		{"another", "is not an input of this job"}, {"other", "is not an input of this job"}}; !reflect.DeepEqual(problems, want) {
		t.Errorf("got %v", problems)
	}
	if got := j.Unasked(); !reflect.DeepEqual(got, []string{"version", "token"}) {
		t.Errorf("unasked %v", got)
	}
	if values, problems := (JobExtension{}).Fill(nil); len(values) != 0 || problems != nil {
		t.Errorf("a job without inputs: %v, %v", values, problems)
	}
}

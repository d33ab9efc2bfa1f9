package pipeline

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestParseTask(t *testing.T) {
	t.Parallel()
	task, err := ParseTask([]byte(`
platform: linux
image_resource: {type: registry-image, source: {repository: busybox}, version: {digest: x}}
container_limits: {cpu: 1024, memory: 1GB}
params: {TEXT: a, NUMBER: 1, LONG: 12345678901234567890, FRACTION: 1.5, BOOL: true, NOTHING: ~, LIST: [1, a], MAP: {b: 1}, EMPTY: ""}
inputs: [{name: repo, path: src, optional: true}]
outputs: [{name: out}]
caches: [{path: cache, ttl: 24h}]
run: {path: sh, args: [-ec, "ls"], dir: src, user: nobody}
`))
	if err != nil {
		t.Fatal(err)
	}
	wantEnv := TaskEnv{
		"TEXT": "a", "NUMBER": "1", "LONG": "12345678901234567890", "FRACTION": "1.5", "BOOL": "true",
		"NOTHING": "", "LIST": `[1,"a"]`, "MAP": `{"b":1}`, "EMPTY": "",
	}
	if !reflect.DeepEqual(task.Params, wantEnv) {
		t.Errorf("params %v", task.Params)
	}
	if *task.Limits.CPU != 1024 || *task.Limits.Memory != 1<<30 {
		t.Errorf("limits %d %d", *task.Limits.CPU, *task.Limits.Memory)
	}
	if task.Run.User != "nobody" || !task.Inputs[0].Optional || task.Caches[0].TTL != "24h" || task.ImageResource.Version["digest"] != "x" {
		t.Errorf("task %+v", task)
	}
}

func TestParseTaskErrors(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"run: {path: ls}": "invalid task configuration:\nmissing 'platform'",
		"{}":              "invalid task configuration:\nmissing 'platform'",
		"inputs: [{path: x}]\noutputs: [{path: z}]":        "invalid task configuration:\nmissing 'platform'\n  input in position 0 is missing a name\n  output in position 0 is missing a name",
		"platform: linux\nouputs: []\nimputs: []":          "unknown fields: [imputs ouputs]",
		"platform: linux\ncaches: [{ttl: soon}]":           `error unmarshaling JSON: while decoding JSON: invalid cache ttl 'soon': time: invalid duration "soon"`,
		"platform: linux\ncaches: [{ttl: 1ms}]":            "error unmarshaling JSON: while decoding JSON: cache ttl must be at least 1s, got '1ms'",
		"platform: linux\ncontainer_limits: {cpu: x}":      "error unmarshaling JSON: while decoding JSON: cpu limit must be an integer",
		"platform: linux\ncontainer_limits: {memory: 1PB}": "error unmarshaling JSON: while decoding JSON: could not parse container memory limit",
		"platform: linux\ncontainer_limits: {memory: [1]}": "error unmarshaling JSON: while decoding JSON: could not parse container memory limit",
		"platform: linux\ncontainer_limits: {memory: -1}":  "error unmarshaling JSON: while decoding JSON: could not parse container memory limit",
		"platform: \"linux":                                "error converting YAML to JSON: yaml: found unexpected end of stream",
	} {
		_, err := ParseTask([]byte(source))
		if err == nil || err.Error() != want {
			t.Errorf("%q: error %v, want %s", source, err, want)
		}
	}
}

func TestRunPathMayBeEmpty(t *testing.T) {
	t.Parallel()
	task, err := ParseTask([]byte("platform: linux\nimage_resource: {type: mock, source: {}}"))
	if err != nil || task.Run.Path != "" {
		t.Fatalf("%+v, %v", task, err)
	}
	payload, err := json.Marshal(task)
	if err != nil || string(payload) != `{"platform":"linux","image_resource":{"name":"","type":"mock","source":{}}}` {
		t.Errorf("written %s, %v", payload, err)
	}
}

func TestParseMemory(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]MemoryLimit{
		"0": 0, "512": 512, "1k": 1 << 10, "1KB": 1 << 10, "1KiB": 1 << 10, "2M": 2 << 20, "2mb": 2 << 20,
		"3G": 3 << 30, "3GB": 3 << 30, "3gib": 3 << 30, "8589934591G": 8589934591 << 30,
	} {
		if got, err := ParseMemory(text); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "G", "1T", "1.5G", "-1", "1 GB", "99999999999999999999", "8589934592G", "10B"} {
		if got, err := ParseMemory(text); err == nil {
			t.Errorf("%s was read as %d", text, got)
		}
	}
}

package engine

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/event"
	"github.com/signalbox/signalbox/server/ci/resource"
)

// stripped is an event's JSON without what differs between two servers: times, the
// worker's name, and what the resource type logs.
func stripped(t *testing.T, name string, data []byte) string {
	t.Helper()
	var tree map[string]any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	delete(tree, "time")
	if _, ok := tree["selected_worker"]; ok {
		tree["selected_worker"] = "w"
	}
	out, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return name + " " + string(out)
}

// TestStreamOfARealServer compares the events of a task in a mock image with those that
// a Concourse 8.2.5 server sent for the same pipeline.
func TestStreamOfARealServer(t *testing.T) {
	t.Parallel()
	file, err := os.Open("../event/testdata/task.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var want []string
	for scan := bufio.NewScanner(file); scan.Scan(); {
		var envelope event.Envelope
		if err := json.Unmarshal(scan.Bytes(), &envelope); err != nil {
			t.Fatal(err)
		}
		own := envelope.Event == event.NameStatus || strings.Contains(string(envelope.Data), `"source":"stderr"`)
		if !own {
			want = append(want, stripped(t, string(envelope.Event), envelope.Data))
		}
	}

	w := setup(t)
	w.native.versions = []resource.Version{{"version": "mock"}}
	w.run(`{"id":"6b0069b2","do":[{"id":"6b0069b1","task":{"name":"say","privileged":false,"hermetic":false,"config":{
		"platform":"linux","image_resource":{"name":"","type":"mock","source":{"mirror_self":true,"metadata_json":"{\"host\":true}"}},
		"run":{"path":"echo","args":["print hello world"]}}}}]}`)

	log, err := w.logs.Open(1)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	events, err := log.Events(0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		data := []byte(e.Data)
		if e.Kind == buildlog.KindLog {
			data, err = json.Marshal(event.Log{Origin: event.Origin{ID: e.Origin, Source: event.Source(e.Source)}, Payload: e.Payload})
			if err != nil {
				t.Fatal(err)
			}
		}
		// The fake's get adds metadata and its script is an argument; both are the test's.
		text := strings.Replace(stripped(t, e.Kind, data), `"metadata":[{"name":"by","value":"ann"}],`, "", 1)
		got = append(got, strings.Replace(text, "print hello", "hello", 1))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\n\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	put := `{"id":"3","on_success":{"step":{"id":"1","put":{"name":"out","type":"fake","resource":"out","source":{},"image":{"base_type":"fake"},"params":{"log":"pushing"}}},
		"on_success":{"id":"2","get":{"name":"out","type":"fake","resource":"out","source":{},"image":{"base_type":"fake"},"version_from":"1"}}}}`
	for _, tc := range []struct {
		name, plan string
		want       []string
	}{
		{"get", getPlan("1", "repo", "abc", `,"params":{"log":"fetching"}`), []string{
			"initialize-get 1", "start-get 1", "selected-worker 1", `log 1 "fetching\n"`, "finish-get 1 0",
		}},
		{"failed get", getPlan("1", "repo", "abc", `,"params":{"exit":"2","log":"oh"}`), []string{
			"initialize-get 1", "start-get 1", "selected-worker 1", `log 1 "oh\n"`, "finish-get 1 2",
		}},
		{"errored get", getPlan("1", "repo", "abc", `,"params":{"error":"no route"}`), []string{
			"initialize-get 1", "start-get 1", "selected-worker 1", `error 1 "no route"`,
		}},
		{"put and its get", put, []string{
			"initialize-put 1", "selected-worker 1", "start-put 1", `log 1 "pushing\n"`, "finish-put 1 0",
			"initialize-get 2", "start-get 2", "selected-worker 2", "finish-get 2 0",
		}},
		{"failed task", task("1", "print hi", "exit 4"), []string{
			"initialize-task 1", "selected-worker 1", "start-task 1", `log 1 "hi\r\n"`, "finish-task 1 4",
		}},
		{"task without inputs", `{"id":"1","task":{"name":"t","privileged":false,"hermetic":false,"config":{"platform":"linux","inputs":[{"name":"a"},{"name":"b"}],"run":{"path":"x"}}}}`, []string{
			"initialize-task 1", `error 1 "missing inputs: a, b"`,
		}},
		{"unknown type", `{"id":"1","get":{"name":"a","type":"nope","source":{},"image":{"base_type":"nope"},"version":{"v":"1"}}}`, []string{
			"initialize-get 1", `error 1 "unknown resource type 'nope': it is neither one of the server's own nor in the pipeline's resource_types"`,
		}},
		{"failed check", `{"id":"1","check":{"name":"r","type":"fake","resource":"r","source":{"check_exit":"denied"},"image":{"base_type":"fake"}}}`, []string{
			"initialize-check 1", "selected-worker 1", "start 1", `log 1 "denied\n"`, "finish 1 false",
		}},
		{"errored check", `{"id":"1","check":{"name":"r","type":"fake","resource":"r","source":{"check_error":"no host"},"image":{"base_type":"fake"}}}`, []string{
			"initialize-check 1", "selected-worker 1", "start 1", `error 1 "run check: no host"`,
		}},
		{"run", `{"id":"1","run":{"message":"m","type":"p","privileged":false}}`, []string{
			`error 1 "run steps and prototypes are not supported by this server: use a task or a resource type"`,
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.run(tc.plan)
			if got := w.events(); strings.Join(got, "\n") != strings.Join(tc.want, "\n") {
				t.Errorf("got\n%s\n\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

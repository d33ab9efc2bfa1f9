package event

import (
	"bufio"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// captured returns the envelopes that a Concourse 8.2.5 server sent for one task.
func captured(t testing.TB) []string {
	t.Helper()
	file, err := os.Open("testdata/task.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var lines []string
	for scan := bufio.NewScanner(file); scan.Scan(); {
		lines = append(lines, scan.Text())
	}
	return lines
}

func TestCapturedEventsSurviveToTheByte(t *testing.T) {
	t.Parallel()
	lines := captured(t)
	if len(lines) != 18 {
		t.Fatalf("captured %d events", len(lines))
	}
	for i, line := range lines {
		ev, err := Parse([]byte(line))
		if err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
		got, err := Encode(ev, int64(i))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != line {
			t.Errorf("event %d\n got %s\nwant %s", i, got, line)
		}
	}
}

func TestEveryKnownEvent(t *testing.T) {
	t.Parallel()
	origin := Origin{ID: "1"}
	version := map[string]string{"ref": "abc"}
	fields := []Field{{Name: "author", Value: "ann"}}
	plan := json.RawMessage(`{"id":"1/image-get"}`)
	for _, tc := range []struct {
		event Event
		want  string
	}{
		{Status{Status: "started", Time: 5}, `{"data":{"status":"started","time":5},"event":"status","version":"1.0","event_id":"0"}`},
		{Log{Time: 5, Origin: Origin{ID: "1", Source: Stdout}, Payload: "hi\r\n"}, `{"data":{"time":5,"origin":{"id":"1","source":"stdout"},"payload":"hi\r\n"},"event":"log","version":"5.1","event_id":"0"}`},
		{Error{Message: "no", Origin: origin, Time: 5}, `{"data":{"message":"no","origin":{"id":"1"},"time":5},"event":"error","version":"4.1","event_id":"0"}`},
		{WaitingForWorker{Time: 5, Origin: origin}, `{"data":{"time":5,"origin":{"id":"1"}},"event":"waiting-for-worker","version":"1.0","event_id":"0"}`},
		{SelectedWorker{Time: 5, Origin: origin, Worker: "w"}, `{"data":{"time":5,"origin":{"id":"1"},"selected_worker":"w"},"event":"selected-worker","version":"1.0","event_id":"0"}`},
		{StreamingVolume{Time: 5, Origin: origin, Volume: "v", SourceWorker: "a", DestWorker: "b"}, `{"data":{"time":5,"origin":{"id":"1"},"volume":"v","source_worker":"a","dest_worker":"b"},"event":"streaming-volume","version":"1.0","event_id":"0"}`},
		{WaitingForStreamedVolume{Time: 5, Origin: origin, Volume: "v", DestWorker: "b"}, `{"data":{"time":5,"origin":{"id":"1"},"volume":"v","dest_worker":"b"},"event":"waiting-for-streamed-volume","version":"1.0","event_id":"0"}`},
		{Initialize{Origin: origin, Time: 5}, `{"data":{"origin":{"id":"1"},"time":5},"event":"initialize","version":"1.0","event_id":"0"}`},
		{Start{Origin: origin, Time: 5}, `{"data":{"origin":{"id":"1"},"time":5},"event":"start","version":"1.0","event_id":"0"}`},
		{Finish{Origin: origin, Time: 5, Succeeded: true}, `{"data":{"origin":{"id":"1"},"time":5,"succeeded":true},"event":"finish","version":"1.0","event_id":"0"}`},
		{InitializeTask{Time: 5, Origin: origin}, `{"data":{"time":5,"origin":{"id":"1"},"config":{"platform":"","image":"","run":{"path":"","args":null,"dir":""},"inputs":null}},"event":"initialize-task","version":"4.0","event_id":"0"}`},
		{StartTask{Time: 5, Origin: origin, Config: TaskConfig{Platform: "linux", Run: TaskRun{Path: "sh", Args: []string{"-c"}}, Inputs: []TaskInput{{Name: "in"}}}}, `{"data":{"time":5,"origin":{"id":"1"},"config":{"platform":"linux","image":"","run":{"path":"sh","args":["-c"],"dir":""},"inputs":[{"name":"in","path":""}]}},"event":"start-task","version":"5.0","event_id":"0"}`},
		{FinishTask{Time: 5, ExitStatus: 2, Origin: origin}, `{"data":{"time":5,"exit_status":2,"origin":{"id":"1"}},"event":"finish-task","version":"4.0","event_id":"0"}`},
		{InitializeCheck{Origin: origin, Time: 5, Check: "repo"}, `{"data":{"origin":{"id":"1"},"time":5,"name":"repo"},"event":"initialize-check","version":"1.0","event_id":"0"}`},
		{InitializeGet{Origin: origin, Time: 5}, `{"data":{"origin":{"id":"1"},"time":5},"event":"initialize-get","version":"2.0","event_id":"0"}`},
		{StartGet{Origin: origin, Time: 5}, `{"data":{"origin":{"id":"1"},"time":5},"event":"start-get","version":"1.0","event_id":"0"}`},
		{FinishGet{Origin: origin, Time: 5, Fetched: version, Metadata: fields}, `{"data":{"origin":{"id":"1"},"time":5,"exit_status":0,"version":{"ref":"abc"},"metadata":[{"name":"author","value":"ann"}]},"event":"finish-get","version":"5.1","event_id":"0"}`},
		{InitializePut{Origin: origin, Time: 5}, `{"data":{"origin":{"id":"1"},"time":5},"event":"initialize-put","version":"2.0","event_id":"0"}`},
		{StartPut{Origin: origin, Time: 5}, `{"data":{"origin":{"id":"1"},"time":5},"event":"start-put","version":"1.0","event_id":"0"}`},
		{FinishPut{Origin: origin, Time: 5, ExitStatus: 1}, `{"data":{"origin":{"id":"1"},"time":5,"exit_status":1,"version":null},"event":"finish-put","version":"5.1","event_id":"0"}`},
		{SetPipelineChanged{Origin: origin, Changed: true}, `{"data":{"origin":{"id":"1"},"changed":true},"event":"set-pipeline-changed","version":"1.0","event_id":"0"}`},
		{ImageCheck{Time: 5, Origin: origin, Plan: plan}, `{"data":{"time":5,"origin":{"id":"1"},"plan":{"id":"1/image-get"}},"event":"image-check","version":"1.1","event_id":"0"}`},
		{ImageGet{Time: 5, Origin: origin, Plan: plan}, `{"data":{"time":5,"origin":{"id":"1"},"plan":{"id":"1/image-get"}},"event":"image-get","version":"1.1","event_id":"0"}`},
		{AcrossSubsteps{Time: 5, Origin: origin, Substeps: []json.RawMessage{plan}}, `{"data":{"time":5,"origin":{"id":"1"},"substeps":[{"id":"1/image-get"}]},"event":"across-substeps","version":"1.0","event_id":"0"}`},
	} {
		got, err := Encode(tc.event, 0)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
		back, err := Parse(got)
		if err != nil {
			t.Errorf("%s: %v", tc.event.Name(), err)
		} else if !reflect.DeepEqual(back, tc.event) {
			t.Errorf("%s came back as %#v", tc.event.Name(), back)
		}
	}
	if len(Names()) != 24 {
		t.Errorf("%d names are known", len(Names()))
	}
}

func TestParseRefusesWhatFlyRefuses(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`{"data":{},"event":"signalbox-note","version":"1.0"}`:      "unknown event type: signalbox-note",
		`{"data":{},"event":"log","version":"4.0"}`:                 "unknown version 4.0 of event log",
		`{"data":{},"event":"log","version":""}`:                    "unknown version",
		`{"data":[],"event":"log","version":"5.1"}`:                 "decode log event",
		`{"data":{"time":"noon"},"event":"status","version":"1.0"}`: "decode status event",
		`not json`: "decode event envelope",
	} {
		if _, err := Parse([]byte(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", line, err, want)
		}
	}
	if ev, err := Parse([]byte(`{"data":{"payload":"x"},"event":"log","version":"5.9"}`)); err != nil {
		t.Errorf("a newer minor version is refused: %v %v", ev, err)
	}
	if Known("signalbox-note") || !Known(NameLog) {
		t.Error("Known is wrong")
	}
}

func FuzzParse(f *testing.F) {
	for _, line := range captured(f) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		ev, err := Parse(line)
		if err != nil {
			return
		}
		if _, err := Encode(ev, 1); err != nil {
			t.Fatalf("what was parsed cannot be encoded: %v", err)
		}
	})
}

package app_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// exchange is one request that a real fly 8.2.5 sent to this server, and the
// answer that satisfied it. The recording was made through a proxy; tokens,
// times, addresses and the machine's name are blanked.
type exchange struct {
	Command, Method, Path, Type, Version, Body string
	Status                                     int
	AnswerType                                 string `json:"answer_type"`
	AnswerVersion                              string `json:"answer_version"`
	Answer                                     string
}

func recorded(t *testing.T) []exchange {
	t.Helper()
	f, err := os.Open("testdata/fly/session.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []exchange
	for lines := json.NewDecoder(bufio.NewReader(f)); lines.More(); {
		var e exchange
		if err := lines.Decode(&e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

var (
	volatileURL  = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	volatileTime = regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`)
	volatileUnix = regexp.MustCompile(`\b[12]\d{9}\b`)
)

// blank takes out of an answer what differs from run to run.
func blank(t *testing.T, text string) any {
	t.Helper()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	text = volatileURL.ReplaceAllString(text, "URL")
	text = volatileTime.ReplaceAllString(text, "TIME")
	text = volatileUnix.ReplaceAllString(text, "0")
	text = strings.ReplaceAll(text, `"selected_worker":"`+host+`"`, `"selected_worker":"HOST"`)
	var value any
	if json.Unmarshal([]byte(text), &value) != nil {
		return text
	}
	return value
}

// events reduces a stream to what fly prints and obeys: the order of events and
// the log; how the log is cut into events is no part of the protocol.
func events(t *testing.T, stream string) []string {
	t.Helper()
	var out []string
	for _, part := range strings.Split(stream, "\n\n") {
		_, data, found := strings.Cut(part, "data: ")
		if !found {
			continue
		}
		var e struct {
			Event, Version string
			Data           map[string]any
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatalf("%v in %s", err, part)
		}
		delete(e.Data, "time")
		if e.Event == "log" {
			text := fmt.Sprint("log ", e.Data["origin"], ": ")
			if last := len(out) - 1; last >= 0 && strings.HasPrefix(out[last], text) {
				out[last] += e.Data["payload"].(string)
			} else {
				out = append(out, text+e.Data["payload"].(string))
			}
			continue
		}
		shown, err := json.Marshal(e.Data)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(e.Event, " ", e.Version, " ", blank(t, string(shown))))
	}
	return out
}

func (r *running) play(t *testing.T, e exchange) (http.Header, int, string) {
	t.Helper()
	if strings.HasSuffix(e.Path, "/events") && e.Status == http.StatusOK {
		var b strings.Builder
		err := r.frames(t.Context(), e.Path, "", func(f frame) bool {
			b.WriteString("data: " + f.data + "\n\n")
			return f.event == "end"
		})
		if err != nil {
			t.Fatalf("%s: %v", e.Path, err)
		}
		return nil, http.StatusOK, strings.TrimSuffix(b.String(), "data: \n\n")
	}
	var body any
	if e.Body != "" {
		body = strings.NewReader(e.Body)
	}
	answer := r.request(t, e.Method, e.Path, body, "Content-Type", e.Type, "X-Concourse-Config-Version", e.Version)
	defer answer.Body.Close()
	var b strings.Builder
	if _, err := bufio.NewReader(answer.Body).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return answer.Header, answer.StatusCode, b.String()
}

// agrees compares one exchange with the recording; "" when they agree.
func (r *running) agrees(t *testing.T, e exchange) string {
	t.Helper()
	header, status, answer := r.play(t, e)
	if header == nil {
		got, want := events(t, answer), events(t, strings.ReplaceAll(e.Answer, "event: end\ndata", ""))
		if !reflect.DeepEqual(got, want) {
			return fmt.Sprintf("events:\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
		return ""
	}
	if status != e.Status || header.Get("Content-Type") != e.AnswerType || header.Get("X-Concourse-Config-Version") != e.AnswerVersion {
		return fmt.Sprintf("%d %v, want %d", status, header, e.Status)
	}
	if got, want := blank(t, answer), blank(t, e.Answer); !reflect.DeepEqual(got, want) {
		return fmt.Sprintf("\n got %v\nwant %v", got, want)
	}
	return ""
}

// TestReplayOfFly plays a session of the real fly: set, trigger, watch, abort,
// check, rerun, rename, destroy. Where fly only reads, the answer may take a moment.
func TestReplayOfFly(t *testing.T) {
	t.Parallel()
	r := start(t)
	list := recorded(t)
	if len(list) < 40 {
		t.Fatalf("only %d exchanges", len(list))
	}
	for i, e := range list {
		if e.Path == "/sky/issuer/token" {
			continue // start has done it
		}
		if id, abort := strings.CutSuffix(e.Path, "/abort"); abort {
			eventually(t, "the first line", func() bool {
				return strings.Contains(r.log(t, mustInt(t, strings.TrimPrefix(id, "/api/v1/builds/"))), "waiting")
			})
		}
		why := ""
		if e.Method != http.MethodGet {
			if why = r.agrees(t, e); why != "" {
				t.Fatalf("%d %s: %s %s: %s", i, e.Command, e.Method, e.Path, why)
			}
			continue
		}
		for range 300 {
			if why = r.agrees(t, e); why == "" {
				break
			}
			r.pause(t)
		}
		if why != "" {
			t.Errorf("%d %s: %s %s: %s", i, e.Command, e.Method, e.Path, why)
		}
	}
}

// TestStaleConfigVersion: fly's save that was made of an older version is refused in Concourse's words.
func TestStaleConfigVersion(t *testing.T) {
	t.Parallel()
	r := start(t)
	yaml := "jobs: [{name: j, plan: [" + shell("a", "true") + "}]}]"
	const path = "/api/v1/teams/main/pipelines/p/config"
	for i, c := range []struct {
		version string
		status  int
	}{{"", 201}, {"1", 200}, {"1", 500}} {
		status, raw := r.send(t, "PUT", path, strings.NewReader(strings.Replace(yaml, "true", fmt.Sprint("true ", i), 1)), "Content-Type", "application/x-yaml", "X-Concourse-Config-Version", c.version)
		if status != c.status || status == 500 && !strings.HasPrefix(raw, "failed to save config: ") {
			t.Errorf("version %q: %d %s", c.version, status, raw)
		}
	}
}

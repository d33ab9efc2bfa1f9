package grouping

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

var update = flag.Bool("update", false, "write the golden file anew")

// recorded gives the events of the recordings that package sentry tests with.
func recorded(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("../sentry/testdata/requests/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	events := map[string][]byte{}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
		env, err := sentry.ReadEnvelope(bytes.NewReader(body), sentry.DefaultLimits())
		if strings.Contains(name, "store") {
			env, err = sentry.ReadStore(body)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, item := range env.Items {
			if item.Type == "event" {
				events[filepath.Base(name)] = item.Payload
			}
		}
	}
	return events
}

func TestRecordedEvents(t *testing.T) {
	t.Parallel()
	got := map[string]any{}
	for name, raw := range recorded(t) {
		got[name] = Group(parse(t, string(raw)), Options{})
	}
	text, err := json.MarshalIndent(got, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	const golden = "testdata/recorded.json"
	if *update {
		if err := os.WriteFile(golden, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, want) {
		t.Errorf("the grouping of recorded events changed: %s", text)
	}
}

func BenchmarkParseAndGroup(b *testing.B) {
	raw := recorded(b)["0041_py264_POST_api-1-envelope.txt"]
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		e, err := sentry.ParseEvent(raw, arrived, arrived)
		if err != nil {
			b.Fatal(err)
		}
		if r := Group(e, Options{Terse: true}); len(r.Hashes) == 0 {
			b.Fatal("no hash")
		}
	}
}

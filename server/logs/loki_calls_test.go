package logs

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestLokiCalls answers what Grafana and logcli are known to ask; the answers are in the golden file, without the figures
// that differ from run to run. They were read beside Loki's own.
func TestLokiCalls(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.push()
	calls, err := os.ReadFile("testdata/loki-calls.txt")
	if err != nil {
		t.Fatal(err)
	}
	times := strings.NewReplacer("{start}", nanos(-time.Minute), "{mid}", nanos(time.Second), "{end}", nanos(time.Minute))
	var got bytes.Buffer
	for line := range strings.Lines(string(calls)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Split(strings.TrimSpace(times.Replace(line)), " | ")
		method, address, _ := strings.Cut(parts[1], " ")
		address, form, _ := strings.Cut(address, " : ")
		header := append([]string{red}, parts[2:]...)
		if form != "" {
			header = append(header, "Content-Type: application/x-www-form-urlencoded")
		}
		status, body := w.call(method, address, form, header...)
		fmt.Fprintf(&got, "== %s: %d\n%s\n", parts[0], status, plainAnswer(body))
	}
	const golden = "testdata/loki-calls.golden"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	wanted := strings.Split(string(want), "\n== ")
	for i, answer := range strings.Split(got.String(), "\n== ") {
		if i >= len(wanted) || answer != wanted[i] {
			t.Errorf("%s\nis not what is expected:\n%s", answer, wanted[min(i, len(wanted)-1)])
		}
	}
}

func nanos(d time.Duration) string { return fmt.Sprint(noon.Add(d).UnixNano()) }

// plainAnswer writes JSON in lines, without what a search cost.
func plainAnswer(body string) string {
	var v any
	if json.Unmarshal([]byte(body), &v) != nil {
		return strings.TrimSpace(body)
	}
	if m, ok := v.(map[string]any); ok {
		if data, ok := m["data"].(map[string]any); ok {
			delete(data, "stats")
		}
	}
	out, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(out)
}

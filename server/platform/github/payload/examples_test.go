package payload

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// example is one of GitHub's recorded payloads.
type example struct {
	event string
	n     int
	body  json.RawMessage
}

// examples reads the development dependency that make build installs.
func examples(t testing.TB) []example {
	t.Helper()
	const folder = "../../../../node_modules/@octokit/webhooks-examples/"
	files, err := filepath.Glob(folder + "*/index.json")
	if err != nil || len(files) == 0 {
		t.Fatal("GitHub's recorded payloads are not installed: run make build, or npm install, at the top of the repository first.")
	}
	var all []example
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var events []struct {
			Name     string
			Examples []json.RawMessage
		}
		if err := json.Unmarshal(raw, &events); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, e := range events {
			for n, body := range e.Examples {
				all = append(all, example{filepath.Base(filepath.Dir(file)) + " " + e.Name, n, body})
			}
		}
	}
	return all
}

// TestEveryRecordedPayload holds what is read of each example, a line for each.
func TestEveryRecordedPayload(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	events := map[string]int{}
	for _, e := range examples(t) {
		_, name, _ := strings.Cut(e.event, " ")
		read, err := Read(name, e.body)
		if err != nil {
			t.Errorf("%s %d: %v", e.event, e.n, err)
			continue
		}
		if read.Facts.Title == "" || read.Facts.Event != name {
			t.Errorf("%s %d says nothing: %+v", e.event, e.n, read.Facts)
		}
		if read.Push != nil { // has golden files of its own
			read.Push = &Push{Ref: read.Push.Ref, Before: read.Push.Before, After: read.Push.After, At: read.Push.At}
		}
		line, err := json.Marshal(read)
		if err != nil {
			t.Fatal(err)
		}
		events[name]++
		fmt.Fprintf(&got, "%s %d %s\n", e.event, e.n, line)
	}
	for _, must := range []string{"push", "create", "delete", "pull_request", "pull_request_review", "issues", "issue_comment", "release", "check_run",
		"check_suite", "workflow_run", "deployment", "repository", "installation", "installation_repositories", "star", "ping"} {
		if events[must] == 0 {
			t.Errorf("there is no example of %s", must)
		}
	}
	const golden = "testdata/examples.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	want, have := strings.Split(string(raw), "\n"), strings.Split(got.String(), "\n")
	for i := range max(len(want), len(have)) {
		if i >= len(want) || i >= len(have) || want[i] != have[i] {
			t.Fatalf("line %d differs from %s; run with -update and look at the difference", i+1, golden)
		}
	}
}

func TestReadRefusesOnlyWhatCannotBeMeant(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		event, body string
		ok          bool
	}{
		{"something_new", `{"action":"made","sender":{"login":"ada"}}`, true},
		{"something_new", `{}`, true},
		{"pull_request", `{}`, false},
		{"pull_request", `{"pull_request":{"number":1}}`, false},
		{"pull_request", `{"pull_request":{"number":1,"head":{"sha":"a"}}}`, true},
		{"push", `{"ref":"refs/heads/x"}`, false},
		{"create", `{"ref_type":"branch"}`, false},
		{"release", `{"action":"published"}`, false},
		{"check_run", `{"action":"rerequested"}`, true},
		{"repository", `{"action":"renamed"}`, true},
		{"installation", `{"action":"deleted"}`, true},
		// A field that changed its shape costs itself only.
		{"issues", `{"issue":{"number":"seven","title":"x"},"repository":{"full_name":"a/b","custom_properties":{"x":["y"]}}}`, true},
		{"issues", ``, false}, {"issues", `{`, false}, {"issues", `{"a":"` + "\xff" + `"}`, true},
	} {
		e, err := Read(c.event, []byte(c.body))
		if (err == nil) != c.ok {
			t.Errorf("%s %s: %v", c.event, c.body, err)
		}
		if err == nil && e.Facts.Event != c.event {
			t.Errorf("%s %s: %+v", c.event, c.body, e)
		}
	}
	e, err := Read("pull_request", []byte(`{"pull_request":{"number":1,"head":{"sha":"a","repo":null},"base":{"repo":{"id":1,"full_name":"a/b"}}}}`))
	if err != nil || !e.Pull.Fork {
		t.Errorf("a pull request of a fork that is gone: %+v %v", e.Pull, err)
	}
}

func FuzzRead(f *testing.F) {
	for _, e := range examples(f) {
		folder, name, _ := strings.Cut(e.event, " ")
		if folder == "api.github.com" && e.n == 0 {
			f.Add(name, []byte(e.body))
		}
	}
	f.Add("pull_request", []byte(`{"pull_request":{"number":1,"head":{"sha":"a"}}}`))
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		e, err := Read(event, body)
		if err == nil && len([]rune(e.Facts.Title)) > maxTitle {
			t.Error("a title without an end")
		}
		if err == nil && e.Pull != nil && e.Pull.Head == "" {
			t.Error("a pull request without a commit")
		}
	})
}

package app_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/docs"
)

// TestManualCommands runs every command of the manual against the real program,
// in the order of its page, and holds each answer shown to the answer given.
func TestManualCommands(t *testing.T) {
	t.Parallel()
	p := launchOn(t, t.TempDir(), "") // the database lies in the data folder, as on a first day
	programs := t.TempDir()
	for name, from := range map[string]string{"signalbox": binary(t), "signalbox-agent": buildAgent(t)} {
		if err := os.Symlink(from, filepath.Join(programs, name)); err != nil {
			t.Fatal(err)
		}
	}
	manual, err := docs.New(docs.Deps{Address: func() string { return p.url }, Facts: func() docs.Facts { return docs.Facts{} }}).Book()
	if err != nil {
		t.Fatal(err)
	}
	r := reader{programs: programs, data: filepath.Join(p.dir, "data"), modules: sentryModule(t), flys: flyCommands(t)}
	// Pages run beside each other, while the server is there: Run returns when all of them are done.
	t.Run("pages", func(t *testing.T) {
		for _, page := range manual.Pages() {
			if len(page.Fences) == 0 {
				continue
			}
			t.Run(strings.TrimPrefix(page.Path, "/docs"), func(t *testing.T) {
				t.Parallel()
				r.follow(t, page)
			})
		}
	})
}

// reader does what a page says, in a folder of its own beside the server's data.
type reader struct {
	programs, data string
	// modules is where node finds what npm install would have brought.
	modules string
	flys    map[string]bool
}

// sentryModule makes a folder in which @sentry/node is the real one.
func sentryModule(t *testing.T) string {
	t.Helper()
	module, err := filepath.Abs("../../node_modules/sentry-node-11")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "@sentry"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(module, filepath.Join(dir, "@sentry/node")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// runs tells whether a block can be run by these tests; the page says of all others what they need.
func (r reader) runs(t *testing.T, f docs.Fence) bool {
	t.Helper()
	soak := os.Getenv("SIGNALBOX_SOAK") != ""
	if f.Needs == "" {
		return soak || !f.Soak
	}
	if f.Needs == "fly" {
		r.knownToFly(t, f.Code)
	}
	_, err := exec.LookPath(f.Needs)
	return soak && err == nil
}

var flyCall = regexp.MustCompile(`(?m)^fly (?:-t \S+ )?([a-z-]+)`)

// knownToFly holds fly's commands to those whose recorded requests another test replays.
func (r reader) knownToFly(t *testing.T, code string) {
	t.Helper()
	for _, m := range flyCall.FindAllStringSubmatch(code, -1) {
		if !r.flys[m[1]] {
			t.Errorf("no recording of fly %s", m[1])
		}
	}
}

func flyCommands(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for _, e := range recorded(t) {
		for _, word := range strings.Fields(e.Command) {
			known[word] = true
		}
	}
	return known
}

func (r reader) follow(t *testing.T, page *docs.Page) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(r.data, filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	script.WriteString("set -euo pipefail\n")
	ran := map[int]bool{}
	for i, f := range page.Fences {
		if f.Language == "sh" && r.runs(t, f) {
			ran[i] = true
			fmt.Fprintf(&script, "echo %d >at\n{\n%s\n} >out.%d 2>&1\n", i, f.Code, i)
		}
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script.String())
	cmd.Dir, cmd.WaitDelay = dir, 10*time.Second
	cmd.Env = append(os.Environ(), "PATH="+r.programs+":"+os.Getenv("PATH"), "HOME="+dir, "NODE_PATH="+r.modules)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// What a page leaves running ends with it.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	err := cmd.Run()
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // gone already, mostly
	}
	if err != nil {
		t.Fatalf("%v, after: %s", err, r.last(t, dir, page))
	}
	for i, f := range page.Fences {
		if f.Language == "text" && i > 0 && ran[i-1] {
			said, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("out.%d", i-1)))
			if err != nil {
				t.Fatal(err)
			}
			if missing := unanswered(f.Code, string(said)); missing != "" {
				t.Errorf("%s\nshows the answer %q, but it says:\n%s", page.Fences[i-1].Code, missing, said)
			}
		}
	}
}

// last is the block that a page stopped at, and what it said.
func (r reader) last(t *testing.T, dir string, page *docs.Page) string {
	t.Helper()
	var at int
	raw, err := os.ReadFile(filepath.Join(dir, "at"))
	if err != nil {
		return err.Error()
	}
	fmt.Sscan(string(raw), &at)
	said, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("out.%d", at)))
	if err != nil {
		return err.Error()
	}
	return page.Fences[at].Code + "\n" + string(said)
}

var spaces = regexp.MustCompile(`\s+`)

// unanswered is the first line of what a page shows that the answer does not
// have after the lines before it; … stands for anything.
func unanswered(shown, said string) string {
	lines := strings.Split(said, "\n")
	at := 0
	for _, line := range strings.Split(strings.TrimSpace(shown), "\n") {
		parts := strings.Split(spaces.ReplaceAllString(strings.TrimSpace(line), " "), "…")
		for i, p := range parts {
			parts[i] = regexp.QuoteMeta(p)
		}
		want := regexp.MustCompile(strings.Join(parts, ".*"))
		for ; at < len(lines) && !want.MatchString(spaces.ReplaceAllString(lines[at], " ")); at++ {
		}
		if at == len(lines) {
			return line
		}
		at++
	}
	return ""
}

func TestAnswersShownAreHeldToAnswersGiven(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ shown, said, missing string }{
		{"a", "x a  b\n", ""},
		{"a b", "a   b", ""},
		{"id …\nend", "id 81f\nmore\nend", ""},
		{"end\nid", "id\nend", "id"},
		{"a", "b", "a"},
	} {
		if got := unanswered(c.shown, c.said); got != c.missing {
			t.Errorf("%q in %q: %q", c.shown, c.said, got)
		}
	}
}

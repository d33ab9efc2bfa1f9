package ci

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/platform/databasetest"
)

// hearer keeps what it is told, as far as it does not fail.
type hearer struct {
	mu    sync.Mutex
	lines map[int64][]OutputLine
	of    map[int64]Output
	// fail makes the next telling keep only so many lines and then fail.
	fail  int
	asked int
}

func (h *hearer) listener() OutputListener {
	h.lines, h.of, h.fail = map[int64][]OutputLine{}, map[int64]Output{}, -1
	return OutputListener{
		Heard: func(_ context.Context, of Output) (OutputPlace, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.asked++
			var place OutputPlace
			for _, line := range h.lines[of.Build] {
				place = OutputPlace{line.N, line.Time}
			}
			return place, nil
		},
		Tell: func(_ context.Context, said Output) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.of[said.Build] = said
			if n := h.fail; n >= 0 {
				h.fail = -1
				h.lines[said.Build] = append(h.lines[said.Build], said.Lines[:min(n, len(said.Lines))]...)
				return errors.New("the disk is full")
			}
			h.lines[said.Build] = append(h.lines[said.Build], said.Lines...)
			return nil
		},
	}
}

func (h *hearer) texts(build int64) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, line := range h.lines[build] {
		out = append(out, line.Step+":"+line.Text)
	}
	return strings.Join(out, "|")
}

// outputWorld has one build that failed, whose log says what the test appends.
func outputWorld(t *testing.T) (*world, *hearer, int64) {
	t.Helper()
	w := stopped(t, databasetest.Open(t), &buildlog.Store{Dir: filepath.Join(t.TempDir(), "logs")})
	h := &hearer{}
	w.ci.Output = h.listener()
	w.start()
	w.set("p", "jobs:\n- {name: j, plan: [{task: unit, config: {platform: linux, run: {path: x}}}]}\n")
	must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/p/jobs/j/builds", "")
	w.waitBuild("p", "j", "1", Succeeded)
	return w, h, w.builds("p", "j")[0].ID
}

func (w *world) tell() error { return w.ci.tellOutput(w.t.Context()) }

// say appends output to a build's log; a text without a line end is a part of a line.
func (w *world) say(build int64, origin string, texts ...string) {
	w.t.Helper()
	err := w.ci.withLog(build, func(l *buildlog.Log) error {
		for _, text := range texts {
			if _, err := l.Append(buildlog.Record{Time: time.Unix(1e9, 0), Origin: origin, Kind: buildlog.KindLog, Source: buildlog.Stdout, Payload: text}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestOutputIsToldOnce(t *testing.T) {
	t.Parallel()
	w, h, id := outputWorld(t)
	if err := w.tell(); err != nil {
		t.Fatal(err)
	}
	got := h.texts(id)
	if !strings.Contains(got, "unit:hello from j") || !strings.Contains(got, "|:Build 1 succeeded") || strings.Count(got, "|") != 1 {
		t.Fatal(got)
	}
	of := h.of[id]
	if of.Team != teamMain || of.Pipeline != "p" || of.Job != "j" || of.Number != "1" || h.lines[id][0].Kind != "task" || h.lines[id][1].Status != Succeeded {
		t.Errorf("%+v", of)
	}
	if n := len(w.ci.outputs.list()); n != 0 {
		t.Errorf("%d builds are listened to after their end", n)
	}
	// Another life looks at it again and finds that all is known.
	w.ci.outputs.recalled = false
	if err := w.tell(); err != nil || h.texts(id) != got || h.asked != 2 {
		t.Error(err, h.texts(id), h.asked)
	}
}

// TestOutputAfterAFailure: wherever the listener fails, each line is told once in the end.
func TestOutputAfterAFailure(t *testing.T) {
	t.Parallel()
	w, h, id := outputWorld(t)
	plan := w.planID(id)
	w.say(id, plan, "one\n", "two", " halves\n", "\x1b[1mleft\x1b[0m ")
	w.say(id, "elsewhere", "between\n")
	w.say(id, plan, "open")
	for keep := range 4 {
		h.fail = keep
		if err := w.tell(); keep < 3 && (err == nil || !strings.Contains(err.Error(), "disk is full")) {
			t.Fatal(keep, err)
		}
	}
	h.fail = -1
	if err := w.tell(); err != nil {
		t.Fatal(err)
	}
	got := h.texts(id)
	if want := "unit:one|unit:two halves|:between|unit:left open|:Build 1 succeeded"; !strings.Contains(got, want) || strings.Count(got, "hello from j") != 1 {
		t.Error(got)
	}
	var last OutputLine
	for _, line := range h.lines[id] {
		if line.N <= last.N || line.Time.Before(last.Time) {
			t.Errorf("%+v after %+v", line, last)
		}
		last = line
	}
}

// TestOutputWhileItRuns: lines are told before the build ends, and a long log in parts.
func TestOutputWhileItRuns(t *testing.T) {
	t.Parallel()
	w, h, _ := outputWorld(t)
	gate := make(chan struct{})
	w.engine.mu.Lock()
	w.engine.gates["j"] = gate
	w.engine.mu.Unlock()
	must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/p/jobs/j/builds", "")
	w.waitBuild("p", "j", "2", Started)
	builds := w.builds("p", "j")
	id := max(builds[0].ID, builds[1].ID)
	var texts []string
	for i := range 2*outputBatch + 5 {
		texts = append(texts, fmt.Sprintf("line %d\n", i))
	}
	w.say(id, "x", texts...)
	w.eventually("the lines of the running build", func() bool {
		if err := w.tell(); err != nil {
			t.Fatal(err)
		}
		return strings.Count(h.texts(id), ":line ") == len(texts)
	})
	if strings.Contains(h.texts(id), "Build 2") {
		t.Error("it is said to have ended")
	}
	close(gate)
	w.waitBuild("p", "j", "2", Succeeded)
	w.eventually("the end", func() bool { return w.tell() == nil && strings.HasSuffix(lastText(h, id), ".") })
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.IsSortedFunc(h.lines[id], func(a, b OutputLine) int { return int(a.N - b.N) }) {
		t.Error("out of order")
	}
}

func lastText(h *hearer, id int64) string { return h.texts(id)[strings.LastIndex(h.texts(id), "|")+1:] }

// TestNobodyListens: nothing is noted that nobody would ever take away.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("p", "jobs:\n- {name: j, plan: [{task: unit, config: {platform: linux, run: {path: x}}}]}\n")
	must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/p/jobs/j/builds", "")
	w.waitBuild("p", "j", "1", Succeeded)
	if n := len(w.ci.outputs.list()); n != 0 {
		t.Error(n)
	}
}

// planID is the id of a build's task.
func (w *world) planID(build int64) string {
	w.t.Helper()
	b, err := w.ci.build(w.t.Context(), build)
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := decode[plan.Plan](b.Plan)
	if err != nil {
		w.t.Fatal(err)
	}
	id := ""
	p.Each(func(p *plan.Plan) {
		if p.Task != nil {
			id = string(p.ID)
		}
	})
	return id
}

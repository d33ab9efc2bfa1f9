package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// crowd sets pipelines with ten resources each, beside whatever a benchmark looks at: nine
// of the mock type, checked each minute, and one of git that nobody pushes to. The job is
// paused, so that the crowd costs what its checks cost and no more.
func (p *process) crowd(b *testing.B, pipelines int) {
	b.Helper()
	quiet := newRepository(b, filepath.Join(p.dir, "repositories"), "quiet")
	var yaml strings.Builder
	fmt.Fprintf(&yaml, "resources:\n- {name: code, type: git, check_every: never, source: {uri: 'file://%s', branch: main}}\n", quiet.bare)
	plan := "{get: code}"
	for i := range 9 {
		fmt.Fprintf(&yaml, "- {name: r%d, type: mock, check_every: 1m, source: {initial_version: one}}\n", i)
		plan += fmt.Sprintf(", {get: r%d, trigger: true}", i)
	}
	fmt.Fprintf(&yaml, "jobs:\n- {name: j, plan: [%s]}\n", plan)
	p.paused(b, pipelines, yaml.String())
}

// paused sets many pipelines c0, c1 … whose only job j never starts by itself.
func (p *process) paused(b *testing.B, pipelines int, yaml string) {
	b.Helper()
	for i := range pipelines {
		name := fmt.Sprintf("c%d", i)
		var set struct{ Pipeline struct{ ID int64 } }
		p.call(b, "PUT", "/api/v1/ci/pipelines/config", map[string]any{"team": "main", "name": name, "yaml": yaml}, &set)
		p.call(b, "PUT", "/api/v1/teams/main/pipelines/"+name+"/jobs/j/pause", nil, nil)
		p.call(b, "POST", fmt.Sprintf("/api/v1/ci/pipelines/%d/unpause", set.Pipeline.ID), nil, nil)
	}
}

// checked counts the resources whose last check lies after a time.
func (p *process) checked(b *testing.B, since time.Time) (n int) {
	b.Helper()
	var all []struct {
		LastChecked int64 `json:"last_checked"`
	}
	p.call(b, "GET", "/api/v1/resources", nil, &all)
	for _, r := range all {
		if r.LastChecked >= since.Unix() && r.LastChecked > 0 {
			n++
		}
	}
	return n
}

// processor is the processor time that the program and its ended children have taken.
func (p *process) processor(b *testing.B) time.Duration {
	b.Helper()
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/stat")
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	ticks := 0
	for _, at := range []int{11, 12, 13, 14} { // user and system, ours and the children's
		n, err := strconv.Atoi(fields[at])
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// BenchmarkWebhookToBuildCrowded: the start latencies hold with 200 pipelines of ten
// resources each beside the one that was pushed to.
func BenchmarkWebhookToBuildCrowded(b *testing.B) {
	p := launch(b)
	begun := time.Now()
	p.crowd(b, 200)
	eventuallyIn(b, 5*time.Minute, "the crowd's first checks", func() bool { return p.checked(b, begun) >= 1800 })
	benchmarkWebhookToBuild(b, p)
}

// BenchmarkManyChecks: 2,000 resources that are checked each minute take a quarter of one
// core at most.
func BenchmarkManyChecks(b *testing.B) {
	p := launch(b)
	var yaml strings.Builder
	plan := []string{}
	for i := range 10 {
		fmt.Fprintf(&yaml, "- {name: r%d, type: mock, check_every: 1m, source: {initial_version: one}}\n", i)
		plan = append(plan, fmt.Sprintf("{get: r%d, trigger: true}", i))
	}
	begun := time.Now()
	p.paused(b, 200, "resources:\n"+yaml.String()+"jobs:\n- {name: j, plan: ["+strings.Join(plan, ", ")+"]}\n")
	eventuallyIn(b, 5*time.Minute, "the first checks", func() bool { return p.checked(b, begun) == 2000 })
	var share, checks float64
	rounds := 0
	for b.Loop() {
		before, since := p.processor(b), time.Now()
		<-time.After(time.Minute)
		took := p.processor(b) - before
		share += took.Seconds() / time.Since(since).Seconds() * 100
		checks += float64(p.checked(b, since))
		rounds++
	}
	b.ReportMetric(share/float64(rounds), "%-of-a-core")
	b.ReportMetric(checks/float64(rounds), "checked/min")
	b.ReportMetric(float64(p.memory(b, "VmRSS")), "MB")
	load(b)
}

const (
	streams       = 100
	perSecond     = 10 // lines of one build
	streamSeconds = 30
	browsers      = 20
)

// BenchmarkHundredStreams: a hundred builds write a thousand lines a second in all. One
// fly watches each of them and twenty browsers one each; nobody misses a line.
func BenchmarkHundredStreams(b *testing.B) {
	b.Setenv("SIGNALBOX_CI_MAX_CONTAINERS", strconv.Itoa(streams))
	p := launch(b)
	script := fmt.Sprintf("n=0; for s in $(seq %d); do for i in $(seq %d); do n=$((n+1)); echo line $n; done; sleep 1; done", streamSeconds, perSecond)
	var yaml strings.Builder
	yaml.WriteString("jobs:\n")
	for i := range streams {
		fmt.Fprintf(&yaml, "- name: j%d\n  plan:\n  - %s}\n", i, shell("talk", script))
	}
	p.pipeline(b, "main", "talk", yaml.String())
	most := 0
	for b.Loop() {
		ids := make([]int64, streams)
		for i := range ids {
			ids[i] = p.trigger(b, "main", "talk", fmt.Sprintf("j%d", i)).ID
		}
		p.watch(b, ids)
		for _, id := range ids {
			if shown := p.build(b, id); shown.Status != "succeeded" {
				b.Fatalf("%+v", shown)
			}
		}
		most = max(most, p.memory(b, "VmHWM"))
	}
	b.ReportMetric(float64(most), "MB-peak")
	b.ReportMetric(p.processor(b).Seconds(), "cpu-s")
	load(b)
}

// watch follows every build as fly does and some as browsers do, until each has ended,
// and counts the lines.
func (p *process) watch(b *testing.B, ids []int64) {
	b.Helper()
	var wg sync.WaitGroup
	together := make(chan error, len(ids)+browsers)
	follow := func(who string, id int64, path string, each func(frame, *strings.Builder) bool) {
		wg.Go(func() {
			var text strings.Builder
			err := p.frames(b.Context(), path, "", func(f frame) bool { return each(f, &text) })
			if n := strings.Count(text.String(), "line "); err == nil && n != perSecond*streamSeconds {
				err = fmt.Errorf("%d lines", n)
			}
			if err != nil {
				together <- fmt.Errorf("%s of build %d: %w", who, id, err)
			}
		})
	}
	for i, id := range ids {
		follow("fly", id, fmt.Sprintf("/api/v1/builds/%d/events", id), flyReads)
		if i < browsers {
			follow("a browser", id, fmt.Sprintf("/api/v1/ci/builds/%d/log?follow=1&from=1", id), browserReads)
		}
	}
	wg.Wait()
	close(together)
	var missed []error
	for err := range together {
		if !errors.Is(err, context.Canceled) {
			missed = append(missed, err)
		}
	}
	if err := errors.Join(missed...); err != nil {
		b.Fatal(err)
	}
}

// flyReads collects the payloads of Concourse's log events.
func flyReads(f frame, text *strings.Builder) bool {
	var e struct {
		Event string
		Data  struct{ Payload string }
	}
	if f.event == "event" && json.Unmarshal([]byte(f.data), &e) == nil && e.Event == "log" {
		text.WriteString(e.Data.Payload)
	}
	return f.event == "end"
}

// browserReads collects the lines of our own pages.
func browserReads(f frame, text *strings.Builder) bool {
	var page struct{ Lines []struct{ Text string } }
	if f.event == "lines" && json.Unmarshal([]byte(f.data), &page) == nil {
		for _, l := range page.Lines {
			text.WriteString(l.Text + "\n")
		}
	}
	return f.event == "end"
}

package app_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// load reports what else the machine was doing, without which no figure means much.
func load(b *testing.B) {
	b.Helper()
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		b.Fatal(err)
	}
	var average float64
	if _, err := fmt.Sscan(string(raw), &average); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(average, "load")
	b.ReportMetric(0, "ns/op") // the figures beside it say what is meant
}

// report prints percentiles of what was measured, in ms.
func report(b *testing.B, name string, took []time.Duration, percentiles ...int) {
	b.Helper()
	slices.Sort(took)
	for _, p := range percentiles {
		b.ReportMetric(float64(took[min(len(took)*p/100, len(took)-1)].Microseconds())/1000, fmt.Sprintf("ms-%s-p%d", name, p))
	}
	load(b)
}

// BenchmarkWebhookAccepted: GitHub is answered within 10 ms, 99 times of 100.
func BenchmarkWebhookAccepted(b *testing.B) {
	p := launch(b)
	h := p.hook(b, "main", "")
	body := []byte(`{"ref":"refs/heads/main","after":"` + strings.Repeat("a", 40) + `","repository":{"full_name":"acme/shop","clone_url":"https://git.example.com/acme/shop.git"},"pad":"` + strings.Repeat("x", 8000) + `"}`)
	var took []time.Duration
	for b.Loop() {
		for range 200 {
			begun := time.Now()
			if status := p.deliver(b, h, newGUID(), body); status != http.StatusAccepted {
				b.Fatal(status)
			}
			took = append(took, time.Since(begun))
		}
	}
	report(b, "accepted", took, 50, 99)
}

// BenchmarkWebhookToBuild: the first step runs 200 ms after the push was told, the task's first line is there after a second.
func BenchmarkWebhookToBuild(b *testing.B) { benchmarkWebhookToBuild(b, launch(b)) }

func benchmarkWebhookToBuild(b *testing.B, r *process) {
	b.Helper()
	repo := newRepository(b, filepath.Join(r.dir, "repositories"), "shop")
	h := r.hook(b, "main", "")
	id := r.pipeline(b, "main", "shop", gitPipeline(repo, ""))
	r.awaitVersion(b, r.resourceID(b, id, "code"))
	built := 1
	eventually(b, "the first build", func() bool { list := r.builds(b, "main", "shop", "unit"); return len(list) == 1 && list[0].ended() })
	var toStep, toLine []time.Duration
	for b.Loop() {
		for range 10 {
			repo.commit(b, "README", fmt.Sprint(built), "next")
			body := repo.push(b, "main")
			begun := time.Now()
			if status := r.deliver(b, h, newGUID(), body); status != http.StatusAccepted {
				b.Fatal(status)
			}
			built++
			var list []build
			eventually(b, "the build", func() bool { list = r.builds(b, "main", "shop", "unit"); return len(list) == built && list[0].ended() })
			shown := r.build(b, list[0].ID)
			if shown.Status != "succeeded" {
				b.Fatalf("%+v", shown)
			}
			var log struct{ Lines []struct{ T time.Time } }
			r.call(b, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/log?limit=1", shown.ID), nil, &log)
			// One machine, one clock: the server's own times are as good as ours.
			toStep = append(toStep, shown.step("code").StartedAt.Sub(begun))
			toLine = append(toLine, log.Lines[0].T.Sub(begun))
		}
	}
	report(b, "first-step", toStep, 50, 90)
	report(b, "first-line", toLine, 50, 90)
}

// BenchmarkTenChainedJobs: ten jobs, each behind the one before by passed.
func BenchmarkTenChainedJobs(b *testing.B) {
	r := launch(b)
	repo := newRepository(b, filepath.Join(r.dir, "repositories"), "shop")
	h := r.hook(b, "main", "")
	var yaml strings.Builder
	fmt.Fprintf(&yaml, "resources:\n- {name: code, type: git, source: {uri: 'file://%s', branch: main}}\njobs:\n", repo.bare)
	for i := range 10 {
		passed := ""
		if i > 0 {
			passed = fmt.Sprintf(", passed: [j%d]", i-1)
		}
		fmt.Fprintf(&yaml, "- name: j%d\n  plan:\n  - {get: code, trigger: true%s}\n  - %s}\n", i, passed, shell("a", "echo hello"))
	}
	r.pipeline(b, "main", "chain", yaml.String())
	var took []time.Duration
	rounds := 0
	last := func(n int) func() bool {
		return func() bool { list := r.builds(b, "main", "chain", "j9"); return len(list) == n && list[0].ended() }
	}
	rounds++
	eventually(b, "the first round", last(rounds))
	for b.Loop() {
		repo.commit(b, "README", fmt.Sprint(rounds), "next")
		body := repo.push(b, "main")
		begun := time.Now()
		r.deliver(b, h, newGUID(), body)
		rounds++
		eventually(b, "the chain", last(rounds))
		took = append(took, time.Since(begun))
	}
	report(b, "ten-chained", took, 50)
}

// BenchmarkTenParallelJobs: ten trivial jobs set off by one webhook.
func BenchmarkTenParallelJobs(b *testing.B) {
	r := launch(b)
	repo := newRepository(b, filepath.Join(r.dir, "repositories"), "shop")
	h := r.hook(b, "main", "")
	var yaml strings.Builder
	fmt.Fprintf(&yaml, "resources:\n- {name: code, type: git, source: {uri: 'file://%s', branch: main}}\njobs:\n", repo.bare)
	for i := range 10 {
		fmt.Fprintf(&yaml, "- name: j%d\n  plan:\n  - {get: code, trigger: true}\n  - %s}\n", i, shell("a", "echo hello"))
	}
	r.pipeline(b, "main", "wide", yaml.String())
	ended := func(n int) func() bool {
		return func() bool {
			for i := range 10 {
				if list := r.builds(b, "main", "wide", fmt.Sprintf("j%d", i)); len(list) != n || !list[0].ended() {
					return false
				}
			}
			return true
		}
	}
	rounds := 1
	eventually(b, "the first round", ended(rounds))
	var took []time.Duration
	for b.Loop() {
		repo.commit(b, "README", fmt.Sprint(rounds), "next")
		body := repo.push(b, "main")
		begun := time.Now()
		r.deliver(b, h, newGUID(), body)
		rounds++
		eventually(b, "ten builds", ended(rounds))
		took = append(took, time.Since(begun))
	}
	report(b, "ten-parallel", took, 50)
}

// BenchmarkIdleMemory is what a server holds that has started and does nothing.
func BenchmarkIdleMemory(b *testing.B) {
	p := launch(b)
	idle := 30 * time.Second
	for b.Loop() {
		<-time.After(idle)
	}
	b.ReportMetric(float64(p.memory(b, "VmRSS")), "MB-idle")
	load(b)
}

// BenchmarkMillionLines: a log of a million lines opens at its end and is searched.
func BenchmarkMillionLines(b *testing.B) {
	p := launch(b)
	p.pipeline(b, "main", "long", "jobs:\n- name: j\n  plan:\n  - "+shell("count", "seq -f 'this is line number %.0f of a very long log' 1000000")+"}\n")
	begun := time.Now()
	built := p.trigger(b, "main", "long", "j")
	for deadline := time.Now().Add(5 * time.Minute); !p.build(b, built.ID).ended() && time.Now().Before(deadline); {
		<-time.After(200 * time.Millisecond)
	}
	if shown := p.build(b, built.ID); shown.Status != "succeeded" {
		b.Fatalf("%+v", shown)
	}
	written := time.Since(begun)
	var open, search []time.Duration
	for b.Loop() {
		begun := time.Now()
		var page struct {
			Lines []struct{ Text string }
			Total int64
		}
		p.call(b, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/log?from=-1000", built.ID), nil, &page)
		open = append(open, time.Since(begun))
		if page.Total != 1_000_000 || len(page.Lines) == 0 || !strings.Contains(page.Lines[len(page.Lines)-1].Text, "1000000") {
			b.Fatalf("%d lines, %d in the page", page.Total, len(page.Lines))
		}
		begun = time.Now()
		var found struct{ Total int64 }
		p.call(b, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/log/search?q=number+77777", built.ID), nil, &found)
		search = append(search, time.Since(begun))
		if found.Total != 11 {
			b.Fatalf("%d lines found", found.Total)
		}
	}
	b.ReportMetric(written.Seconds(), "s-written")
	b.ReportMetric(float64(p.memory(b, "VmRSS")), "MB")
	report(b, "open-end", open, 50)
	report(b, "search", search, 50)
	p.end(syscall.SIGTERM)
}

package main

import (
	"math"
	"testing"
	"time"
)

const summary = `{
 "http_req_duration{scenario:loki}": {"type":"trend","values":{"med":6.5,"p(95)":21,"p(99)":49,"max":74},"thresholds":{"p(95)<500":{"ok":true}}},
 "http_req_failed{scenario:loki}": {"type":"rate","values":{"rate":0.02},"thresholds":{"rate<0.001":{"ok":false}}},
 "http_reqs{scenario:loki}": {"type":"counter","values":{"count":50,"rate":9}},
 "kept{scenario:loki}": {"type":"counter","values":{"count":4900}},
 "dropped_iterations{scenario:loki}": {"type":"counter","values":{"count":3},"thresholds":{"count<=2":{"ok":false}}},
 "http_req_duration{scenario:edge}": {"type":"trend","values":{"med":1,"p(95)":2,"p(99)":3,"max":4},"thresholds":{"p(95)<500":{"ok":true}}},
 "http_req_duration{scenario:driver}": {"type":"trend","values":{"med":1}},
 "iterations": {"type":"counter","values":{"count":9}}
}`

func TestReadSummary(t *testing.T) {
	t.Parallel()
	rows, err := readSummary([]byte(summary), 5*time.Second)
	if err != nil || len(rows) != 2 {
		t.Fatalf("%+v %v", rows, err)
	}
	loki, edge := rows[0], rows[1]
	if loki.held || len(loki.broken) != 2 || loki.kept != 4900 || loki.perSecond != 10 || loki.dropped != 3 || loki.p99 != 49 {
		t.Errorf("%+v", loki)
	}
	if want := "loki             50    10.0     6ms    21ms    49ms    74ms   2.00%        3     4900  BROKEN: dropped_iterations count<=2; http_req_failed rate<0.001"; loki.String() != want {
		t.Errorf("\n%s\n%s", loki, want)
	}
	if edge.name != "edge" || !edge.held {
		t.Errorf("%+v", edge)
	}
	if _, err := readSummary([]byte("nothing"), time.Second); err == nil {
		t.Error("nonsense was taken for a summary")
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	const samples = 240 // an hour
	for _, c := range []struct {
		name, what string
		at         func(i int) float64
		grows      bool
	}{
		{"memory fills in the first quarter", "memory", func(i int) float64 { return min(400, 200+10*float64(i)) }, false},
		{"memory swings", "memory", func(i int) float64 { return 300 + 80*math.Sin(float64(i)/5) }, false},
		{"memory grows by a tenth and little more", "memory", func(i int) float64 { return 200 + float64(i)/10 }, false},
		{"memory leaks a hundred megabytes", "memory", func(i int) float64 { return 200 + float64(i)/2.4 }, true},
		{"memory was high and goes back", "memory", func(i int) float64 { return 500 - float64(i) }, false},
		{"a queue has a peak", "jobs waiting", func(i int) float64 {
			if i > 150 && i < 160 {
				return 5000
			}
			return 3
		}, false},
		{"a queue only grows", "jobs waiting", func(i int) float64 { return float64(i) }, true},
		{"a queue ends high, after it was empty", "jobs waiting", func(i int) float64 { return max(0, float64(i-160)*5) }, true},
		{"the disk fills as it should", "disk", func(i int) float64 { return float64(i) * 100 }, false},
	} {
		var list []sample
		for i := range samples {
			list = append(list, sample{time.Duration(i) * 15 * time.Second, map[string]float64{c.what: c.at(i)}})
		}
		for _, v := range judge(list) {
			if grows := v.name == c.what && c.grows; v.grows != grows {
				t.Errorf("%s: %s", c.name, v)
			}
		}
	}
	judge(nil)
	judge([]sample{{}})
}

func TestSlope(t *testing.T) {
	t.Parallel()
	var list []sample
	for i := range 61 {
		list = append(list, sample{time.Duration(i) * time.Minute, map[string]float64{"memory": 100 + float64(i)}})
	}
	if got := slope(list, "memory"); math.Abs(got-60) > 1e-6 {
		t.Error(got)
	}
}

func TestReadMetrics(t *testing.T) {
	t.Parallel()
	m := readMetrics("# HELP x y\ngo_goroutines 94\nsignalbox_work_jobs{state=\"waiting\"} 2\nsignalbox_work_jobs{state=\"dead\"} 1\nodd{route=\"/a b\"} 1.5e3\n\nnot a number\n")
	if m["go_goroutines"] != 94 || m[`signalbox_work_jobs{state="waiting"}`] != 2 || m["signalbox_work_jobs"] != 3 || m["odd"] != 1500 || len(m) != 6 {
		t.Errorf("%v", m)
	}
}

func TestLookAtAProcess(t *testing.T) {
	t.Parallel()
	if ran, waited := scheduled("/proc/self"); ran < 0 || waited < 0 {
		t.Error(ran, waited)
	}
	if memory, threads, err := ofStatus("/proc/self/status"); err != nil || memory < 1 || threads < 1 {
		t.Error(memory, threads, err)
	}
	if n := size("."); n < 10_000 {
		t.Error(n)
	}
}

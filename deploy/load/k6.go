package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// scripts are all there are, in the order of the table.
var scripts = []string{"webhooks", "sentry", "loki", "elastic", "otlp", "jsonlines", "edge", "mcp", "browse", "builds"}

// k6 runs scripts and reads what they report.
type k6 struct {
	settings
	dir, world string
}

// row is what one script came to.
type row struct {
	name                   string
	requests, perSecond    float64
	median, p95, p99, most float64 // milliseconds
	failed                 float64 // share
	dropped, kept          float64
	held                   bool
	broken                 []string
}

const tableHead = "script     requests   req/s  median     p95     p99     max  failed  dropped     kept  verdict"

func (r row) String() string {
	verdict := "held"
	if !r.held {
		verdict = "BROKEN: " + strings.Join(r.broken, "; ")
	}
	return fmt.Sprintf("%-10s %8.0f %7.1f %5.0fms %5.0fms %5.0fms %5.0fms %6.2f%% %8.0f %8.0f  %s", r.name, r.requests, r.perSecond, r.median, r.p95, r.p99, r.most, r.failed*100, r.dropped, r.kept, verdict)
}

// metric is one of the metrics in k6's summary.
type metric struct {
	Values     map[string]float64
	Thresholds map[string]struct{ OK bool }
}

// thresholdsBroken is k6's exit code when it ran and a threshold did not hold.
const thresholdsBroken = 99

// run lets one script, or all of them together, go on for that long.
func (k k6) run(ctx context.Context, script string, scale float64, lasts time.Duration, together bool) ([]row, error) {
	summary := filepath.Join(k.dir, script+".json")
	args := []string{"run", "--quiet", "--no-color", "--no-usage-report", "--address", "", "--log-output", "stderr"}
	for name, value := range map[string]any{"WORLD": k.world, "SUMMARY": summary, "SCALE": scale, "PATIENCE": k.patience, "SECONDS": int(lasts.Seconds())} {
		args = append(args, "--env", fmt.Sprintf("%s=%v", name, value))
	}
	if together {
		args = append(args, "--env", "TOGETHER=1")
	}
	cmd := exec.CommandContext(ctx, k.k6, append(args, filepath.Join(k.scripts, script+".js"))...)
	cmd.Env = append(os.Environ(), "K6_AUTO_EXTENSION_RESOLUTION=false")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == thresholdsBroken {
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("k6 %s: %w\n%s", script, err, said.Bytes()[max(0, said.Len()-4000):])
	}
	raw, err := os.ReadFile(summary)
	if err != nil {
		return nil, err
	}
	rows, err := readSummary(raw, lasts)
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("k6 %s: the summary names no script", script)
	}
	return rows, err
}

// readSummary makes rows of what k6 reported, in the order of the table.
func readSummary(raw []byte, lasts time.Duration) ([]row, error) {
	var metrics map[string]metric
	if err := json.Unmarshal(raw, &metrics); err != nil {
		return nil, fmt.Errorf("k6's summary: %w", err)
	}
	var rows []row
	for _, name := range scripts {
		of := func(what string) metric { return metrics[what+"{scenario:"+name+"}"] }
		times := of("http_req_duration")
		if times.Values == nil {
			continue
		}
		r := row{name: name, requests: of("http_reqs").Values["count"], median: times.Values["med"], p95: times.Values["p(95)"], p99: times.Values["p(99)"], most: times.Values["max"],
			failed: of("http_req_failed").Values["rate"], dropped: of("dropped_iterations").Values["count"], kept: of("kept").Values["count"]}
		r.perSecond = r.requests / lasts.Seconds()
		for key, m := range metrics {
			if !strings.HasSuffix(key, "{scenario:"+name+"}") {
				continue
			}
			for limit, t := range m.Thresholds {
				if !t.OK {
					r.broken = append(r.broken, strings.TrimSuffix(key, "{scenario:"+name+"}")+" "+limit)
				}
			}
		}
		slices.Sort(r.broken)
		r.held = len(r.broken) == 0
		rows = append(rows, r)
	}
	return rows, nil
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// patience is how long what was acknowledged may take to be there.
const patience = 10 * time.Minute

// compare waits until the server has everything that it acknowledged, as the
// scripts counted it, and says what it lacks.
func (w *world) compare(ctx context.Context, kept map[string]float64) error {
	counters := map[string]func(context.Context) (float64, error){
		"webhooks": w.deliveries, "sentry": w.errors, "edge": w.checkIns, "builds": w.builds,
		"loki": w.lines(`{load="loki"}`), "elastic": w.lines(`{load="elastic"}`), "jsonlines": w.lines(`{load="jsonlines"}`), "otlp": w.lines(`{service="load-otlp"}`),
	}
	var lacking []string
	for _, name := range scripts {
		count := counters[name]
		if count == nil || kept[name] == 0 {
			continue
		}
		there, took, err := w.settled(ctx, count, kept[name])
		if err != nil {
			return fmt.Errorf("count what came by %s: %w", name, err)
		}
		fmt.Printf("%-10s %8.0f acknowledged, %8.0f there %s after the end\n", name, kept[name], there, took.Round(100*time.Millisecond))
		// More is possible: an answer that came too late for k6.
		if there < kept[name] {
			lacking = append(lacking, name)
		}
	}
	if len(lacking) > 0 {
		return fmt.Errorf("acknowledged and not there: %s", strings.Join(lacking, ", "))
	}
	return nil
}

func (w *world) settled(ctx context.Context, count func(context.Context) (float64, error), want float64) (float64, time.Duration, error) {
	began := time.Now()
	for {
		there, err := count(ctx)
		if err != nil || there >= want || time.Since(began) > patience {
			return there, time.Since(began), err
		}
		select {
		case <-ctx.Done():
			return there, time.Since(began), ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// deliveries pages through all of the hook's that were digested.
func (w *world) deliveries(ctx context.Context) (n float64, err error) {
	for before := ""; ; {
		var page struct {
			Items []struct{ State string }
			Next  string
		}
		if err := w.server.call(ctx, "GET", "/api/v1/ci/deliveries?limit=200&team="+team+"&hook="+w.hook.ID+"&before="+url.QueryEscape(before), nil, &page); err != nil {
			return n, err
		}
		for _, d := range page.Items {
			if d.State != "waiting" {
				n++
			}
		}
		if before = page.Next; before == "" {
			return n, nil
		}
	}
}

// ingest is what the project's page says of its events.
func (w *world) ingest(ctx context.Context) (accepted, waiting float64, err error) {
	var health struct {
		Reasons []struct {
			Outcome, Category string
			Quantity          float64
		}
		Waiting float64 `json:"waiting_bytes"`
	}
	err = w.server.call(ctx, "GET", fmt.Sprintf("/api/v1/issues/projects/%d/ingest", w.project.ID), nil, &health)
	for _, r := range health.Reasons {
		if r.Outcome == "accepted" && r.Category == "error" {
			accepted += r.Quantity
		}
	}
	return accepted, health.Waiting, err
}

// errors are those that are stored: the sum over all issues, once nothing waits.
func (w *world) errors(ctx context.Context) (n float64, err error) {
	if _, waiting, err := w.ingest(ctx); err != nil || waiting > 0 {
		return 0, err
	}
	for cursor := ""; ; {
		var page struct {
			Issues []struct{ Events float64 }
			Next   string
		}
		if err := w.server.call(ctx, "GET", "/api/v1/issues/issues?limit=100&team="+team+"&cursor="+url.QueryEscape(cursor), nil, &page); err != nil {
			return n, err
		}
		for _, i := range page.Issues {
			n += i.Events
		}
		if cursor = page.Next; cursor == "" {
			return n, nil
		}
	}
}

func (w *world) lines(selector string) func(context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		since := time.Since(w.began) + time.Minute
		q := url.Values{"query": {fmt.Sprintf("sum(count_over_time(%s[%ds]))", selector, int(since.Seconds()))}, "time": {strconv.FormatInt(time.Now().UnixNano(), 10)}}
		var answer struct {
			Data struct {
				Result []struct{ Value [2]json.RawMessage }
			}
		}
		if err := w.server.call(ctx, "GET", "/loki/api/v1/query?"+q.Encode(), nil, &answer); err != nil || len(answer.Data.Result) == 0 {
			return 0, err
		}
		return strconv.ParseFloat(strings.Trim(string(answer.Data.Result[0].Value[1]), `"`), 64)
	}
}

func (w *world) checkIns(ctx context.Context) (float64, error) {
	m, err := w.server.metrics(ctx)
	return m["signalbox_edge_checkins_total"], err
}

// builds counts those that have ended, however that was.
func (w *world) builds(ctx context.Context) (n float64, err error) {
	for before := ""; ; {
		var page struct {
			Items []struct {
				ID     json.Number
				Status string
			}
			More bool
		}
		if err := w.server.call(ctx, "GET", fmt.Sprintf("/api/v1/ci/jobs/%d/builds?limit=100%s", w.job, before), nil, &page); err != nil {
			return n, err
		}
		for _, b := range page.Items {
			if b.Status != "pending" && b.Status != "started" {
				n++
			}
		}
		if !page.More || len(page.Items) == 0 {
			return n, nil
		}
		before = "&before=" + page.Items[len(page.Items)-1].ID.String()
	}
}

// metrics reads /metrics: sums by name, and each with its labels.
func (s *server) metrics(ctx context.Context) (map[string]float64, error) {
	var text string
	if err := s.call(ctx, "GET", "/metrics", nil, &text); err != nil {
		return nil, err
	}
	return readMetrics(text), nil
}

func readMetrics(text string) map[string]float64 {
	out := map[string]float64{}
	for line := range strings.Lines(text) {
		name, value, found := strings.Cut(strings.TrimSpace(line), " ")
		if i := strings.LastIndexByte(line, '}'); i >= 0 {
			name, value, found = line[:i+1], strings.TrimSpace(line[i+1:]), true
		}
		v, err := strconv.ParseFloat(value, 64)
		if !found || err != nil {
			continue
		}
		out[name] += v
		if bare, _, labelled := strings.Cut(name, "{"); labelled {
			out[bare] += v
		}
	}
	return out
}

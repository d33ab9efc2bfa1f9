package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

const (
	demoLines    = 50_000
	demoLogBatch = 10_000
)

// demoRequest is a kind of request in the sample shop.
type demoRequest struct {
	service, path string
	ms            int
	weight        int
}

var demoRequests = []demoRequest{
	{"web", "/", 12, 30}, {"web", "/products/%d", 20, 25}, {"web", "/cart", 16, 12}, {"api", "/api/orders/%d", 35, 15}, {"api", "/api/stock/%d", 8, 12}, {"payments", "/charge/%d", 90, 6},
}

// playLogs sends a day of lines of the sample shop, as a shipper would. An hour
// and a half ago its payments ran out of connections for twenty minutes: a
// migration held a lock, requests became slow, then failed, then it was ended.
func (d *demo) playLogs(ctx context.Context) error {
	random := rand.New(rand.NewPCG(7, 7)) // the same shop each time
	end := now()
	from := end.Add(-24 * time.Hour)
	var body bytes.Buffer
	lines := json.NewEncoder(&body)
	for i := range demoLines {
		at := from.Add(time.Duration(float64(end.Sub(from)) * float64(i) / demoLines))
		if err := lines.Encode(demoLine(random, at, end)); err != nil {
			return err
		}
		if (i+1)%demoLogBatch == 0 {
			if err := d.ship(ctx, &body); err != nil {
				return err
			}
			body.Reset()
		}
	}
	return d.watchLogs(ctx)
}

// watchLogs saves a search and sets an alert, which would have told of the incident.
func (d *demo) watchLogs(ctx context.Context) error {
	err := d.call(ctx, "POST", "/api/v1/logs/searches", map[string]any{"team": demoTeam, "name": "Slow or failed payments", "query": "service:payments (level:>=error or duration_ms:>1000)",
		"from": "now-3h", "to": "now", "columns": []string{"status", "duration_ms", "http.path"}, "shared": true}, nil)
	if err != nil {
		return err
	}
	return d.call(ctx, "POST", "/api/v1/logs/alerts", map[string]any{"team": demoTeam, "name": "Payments fail", "condition": map[string]any{
		"kind": "ratio", "query": "service:payments status:>=500", "over": "service:payments", "minutes": 5, "op": ">", "value": 20, "least": 5}}, nil)
}

func (d *demo) ship(ctx context.Context, body *bytes.Buffer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.app.URL()+"/insert/jsonline?_stream_fields=service,host,env", bytes.NewReader(body.Bytes()))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+d.token)
	req.Header.Set("X-Scope-OrgID", demoTeam)
	return send(req, nil)
}

func demoLine(random *rand.Rand, at, end time.Time) map[string]any {
	incident := end.Add(-90 * time.Minute)
	since := at.Sub(incident)
	troubled := since > 0 && since < 20*time.Minute
	if troubled && random.IntN(12) == 0 {
		return demoDatabaseLine(random, at, since)
	}
	n := random.IntN(100)
	r := demoRequests[0]
	for _, candidate := range demoRequests {
		if r = candidate; n < r.weight {
			break
		}
		n -= r.weight
	}
	path := r.path
	if strings.Contains(path, "%d") {
		path = fmt.Sprintf(path, 1000+random.IntN(9000))
	}
	status, level, ms := 200, "info", r.ms/2+random.IntN(r.ms)
	line := map[string]any{"time": at.UTC().Format(time.RFC3339Nano), "service": r.service, "host": fmt.Sprintf("%s-%d", r.service, 1+random.IntN(2)), "env": "production",
		"trace_id": fmt.Sprintf("%016x%016x", random.Uint64(), random.Uint64()), "http": map[string]any{"method": "GET", "path": path}}
	switch {
	case troubled && r.service == "payments" && random.IntN(3) > 0:
		status, level, ms = 503, "error", 5000+random.IntN(200)
		line["error"] = "connection pool exhausted after 5s"
	case troubled && r.service == "api" && random.IntN(4) == 0:
		status, level, ms = 502, "error", 5200+random.IntN(300)
		line["error"] = "payments answered 503"
	case random.IntN(400) == 0:
		status, level = 404, "warn"
	}
	line["level"], line["status"], line["duration_ms"] = level, status, ms
	line["msg"] = fmt.Sprintf("GET %s %d in %dms", path, status, ms)
	return line
}

func demoDatabaseLine(random *rand.Rand, at time.Time, since time.Duration) map[string]any {
	message, level := fmt.Sprintf("process %d still waiting for ShareLock on relation orders after %dms", 400+random.IntN(40), int(since.Milliseconds())%60000), "warn"
	switch {
	case since > 19*time.Minute:
		message, level = "migration 0042_orders_index was cancelled: canceling statement due to user request", "info"
	case since > 4*time.Minute && random.IntN(2) == 0:
		message, level = "sorry, too many clients already", "fatal"
	}
	return map[string]any{"time": at.UTC().Format(time.RFC3339Nano), "service": "postgres", "host": "db-1", "env": "production", "level": level, "msg": message}
}

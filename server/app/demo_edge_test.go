package app_test

import (
	"path/filepath"
	"testing"

	"github.com/signalbox/signalbox/server/app"
)

// TestDemoFleet: the sample shop's machines speak the agents' protocol, and their
// rollout is half done: some good, some failed, some at it, some silent. After a
// restart they are the same machines.
func TestDemoFleet(t *testing.T) {
	t.Parallel()
	a := start(t)
	folder := filepath.Join(a.dir, "repositories")
	for _, when := range []string{"first", "again"} {
		if err := app.PlayFleet(t.Context(), a.App, a.token, folder, 120); err != nil {
			t.Fatal(when, err)
		}
	}
	var list struct {
		Items []struct {
			Policy, State, Reason, Bundle string
			Batch, Batches, Total         int
			Counts                        map[string]int
		}
	}
	a.call(t, "GET", "/api/v1/edge/rollouts?team=acme", nil, &list)
	if len(list.Items) != 2 || list.Items[1].State != "completed" {
		t.Fatalf("%+v", list)
	}
	now := list.Items[0]
	if now.State != "running" || now.Batch != 5 || now.Batches < 9 {
		t.Errorf("%+v", now)
	}
	for _, state := range []string{"succeeded", "waiting", "released", "installing", "rolled-back", "silent", "quarantined", "away", "skipped"} {
		if now.Counts[state] == 0 {
			t.Errorf("no node is %s: %v", state, now.Counts)
		}
	}
	if done := now.Counts["succeeded"] * 10; done < now.Total*4 || done > now.Total*6 {
		t.Errorf("%d of %d are done", done/10, now.Total)
	}
	var nodes struct {
		Total  int
		Counts struct {
			States  map[string]int
			Offline int
			Lost    int
		}
	}
	a.call(t, "GET", "/api/v1/edge/nodes?team=acme&limit=1", nil, &nodes)
	if nodes.Total != 120 || nodes.Counts.States["pending"] != 1 || nodes.Counts.Offline == 0 {
		t.Errorf("%+v", nodes)
	}
	var cve struct {
		Open  []any
		Fixed int
	}
	a.call(t, "GET", "/api/v1/edge/cves?team=acme&cve=CVE-2026-5535", nil, &cve)
	if len(cve.Open) == 0 || cve.Fixed == 0 {
		t.Errorf("%d carry it, %d do not", len(cve.Open), cve.Fixed)
	}
}

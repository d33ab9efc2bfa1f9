package app_test

import (
	"io"
	"strings"
	"testing"
)

// TestFleetMetrics: monitoring sees the fleet's states.
func TestFleetMetrics(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.publishBundle(t, "main", "a package")
	var token struct{ Token string }
	r.call(t, "POST", "/api/v1/edge/tokens", map[string]any{"team": "main", "name": "shop", "accepts": true, "labels": map[string]string{"role": "pos"}}, &token)
	r.as("").enrol(t, token.Token)
	var policy struct{ ID string }
	r.call(t, "POST", "/api/v1/edge/policies", map[string]any{"team": "main", "text": patchPolicy}, &policy)
	r.call(t, "POST", "/api/v1/edge/rollouts", map[string]any{"team": "main", "policy": policy.ID, "reason": "first"}, nil)
	answer := r.request(t, "GET", "/metrics", nil)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`signalbox_edge_nodes{state="accepted",team="main"} 1`, `signalbox_edge_nodes_offline{team="main"}`, `signalbox_edge_nodes_lost{team="main"} 0`, `signalbox_edge_rollouts{state="running",team="main"} 1`,
		`signalbox_edge_rollout_nodes{policy="shops",rollout="1",state=`, "signalbox_edge_checkins_total 1", "signalbox_edge_reports_total 0", "signalbox_edge_blob_bytes_total 0", "signalbox_edge_refused_total 0"} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("no %s", want)
		}
	}
}

package edge

import (
	"testing"

	"github.com/signalbox/signalbox/server/platform/identity"
)

// TestWhereAPackageIs asks by the name of a source, by that of one of its packages, and for what is not installed.
func TestWhereAPackageIs(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for name, version := range map[string]string{"edge-1": "3.0.14-1", "edge-2": "3.0.14-1", "edge-3": "3.0.9-1"} {
		if status := w.node(t, name).inventory(t, withOpenSSL(version)); status != 204 {
			t.Fatal(status)
		}
	}
	team := identity.Team{ID: 1, Name: "main"}
	for _, name := range []string{"openssl", "libssl3", "libssl3"} { // the second time from memory
		got, err := w.ThreadNodes(as(t.Context(), "vic"), team, name)
		if err != nil || got.Total != 3 || len(got.Versions) != 2 || got.Versions[0].Version != "3.0.14-1" || got.Versions[0].Nodes != 2 || got.Versions[1].Nodes != 1 || got.Versions[1].Some[0].Name != "edge-3" {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	for _, name := range []string{"curl", "none"} {
		if got, err := w.ThreadNodes(as(t.Context(), "vic"), team, name); err != nil || got.Total != 0 || got.Versions == nil {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	if _, err := w.ThreadNodes(as(t.Context(), "eve"), team, "openssl"); err == nil {
		t.Error("eve is told")
	}
	for query, want := range map[string]int{"package:libssl3": 3, "package:libssl3<3.0.10": 1, "package:libssl3=3.0.14*": 2, "-package:libssl3": 0} {
		if got, err := w.Find(as(t.Context(), "vic"), 1, query, 0, 0, 10); err != nil || got.Total != want {
			t.Errorf("%s finds %d nodes: %v", query, got.Total, err)
		}
	}
}

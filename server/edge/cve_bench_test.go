package edge

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/signalbox/signalbox/agents/protocol"
)

// BenchmarkFindCVE is the question which of ten thousand nodes still carry a CVE, as a
// page asks it: two hundred kinds of machines with four hundred packages each, of which
// half have the older version.
func BenchmarkFindCVE(b *testing.B) {
	w := patchingWorld(b)
	const kinds, packages, nodes = 200, 400, 10_000
	ids := w.enrolled(nodes)
	w.bring("b1", 7, "high")
	for kind := range kinds {
		l, err := w.live(b.Context(), ids[kind])
		w.must(err)
		n := l.node
		l.mu.Unlock()
		in := protocol.Inventory{Packages: []protocol.Package{{Name: "openssl", Version: fmt.Sprintf("3.0.%d", 6+kind%2), Arch: n.Arch}}}
		for p := range packages {
			in.Packages = append(in.Packages, protocol.Package{Name: fmt.Sprintf("package-%d", p), Version: fmt.Sprintf("%d.%d", kind, p), Arch: n.Arch})
		}
		w.must(w.TakeInventory(b.Context(), n, in))
	}
	w.must(w.db.Tx(b.Context(), func(ctx context.Context) error {
		for i, id := range ids[kinds:] {
			if err := w.db.Writer(ctx).Exec("UPDATE edge_nodes SET set_id = (SELECT set_id FROM edge_nodes WHERE id = ?) WHERE id = ?", ids[i%kinds], id).Error; err != nil {
				return err
			}
		}
		return nil
	}))
	for b.Loop() {
		code, body := w.call("vic", "GET", "/api/v1/edge/cves?team=main&cve=CVE-2026-1000", "")
		if code != http.StatusOK {
			b.Fatal(code, body)
		}
		b.ReportMetric(float64(len(body))/1024, "KB")
	}
}

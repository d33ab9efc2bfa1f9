package edge

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/protocol"
)

// inventory sends what is on the machine.
func (a *agent) inventory(t testing.TB, in protocol.Inventory) int {
	t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := pack(raw)
	if err != nil {
		t.Fatal(err)
	}
	return a.do("PUT", protocol.PathInventory, packed).Code
}

func withOpenSSL(version string) protocol.Inventory {
	return protocol.Inventory{Kernel: "6.1.0-30", UptimeSeconds: 3600, Held: []string{"nginx"}, OSRelease: map[string]string{"ID": "debian"}, Packages: []protocol.Package{
		{Name: "libssl3", Version: version, Arch: "amd64", Source: "openssl"}, {Name: "openssl", Version: version, Arch: "amd64"}, {Name: "bash", Version: "5.2", Arch: "amd64"},
		{Name: "curl", Version: "1", Arch: "amd64", Status: "deinstall ok config-files"}}}
}

func TestInventory(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a, b := w.node(t, "edge-1"), w.node(t, "edge-2")
	in := withOpenSSL("3.0.14-1~deb12u1")
	if answer, _ := a.checkIn(t, protocol.CheckIn{InventorySHA256: in.Hash()}); !answer.WantInventory {
		t.Error("it is not wanted")
	}
	if status := a.inventory(t, in); status != 204 {
		t.Fatal(status)
	}
	if answer, _ := a.checkIn(t, protocol.CheckIn{InventorySHA256: in.Hash()}); answer.WantInventory {
		t.Error("it is wanted again")
	}
	alike := in
	alike.UptimeSeconds = 5
	alike.Packages = slices.Clone(in.Packages)
	slices.Reverse(alike.Packages)
	if status := b.inventory(t, alike); status != 204 {
		t.Fatal(status)
	}
	n, m := a.row(t), b.row(t)
	if n.Set == 0 || n.Set != m.Set || n.Kernel != "6.1.0-30" || !slices.Equal(n.Held, []string{"nginx"}) || int64(n.BootedAt) != noon.Add(-time.Hour).UnixMilli() || n.InventoryAt == 0 {
		t.Errorf("%+v\n%+v", n, m)
	}
	var list packagesOut
	w.want(t, "vic", "GET", "/api/v1/edge/nodes/"+a.id+"/packages", "", 200, &list)
	if len(list.Items) != 4 || list.Items[0].Name != "bash" {
		t.Errorf("%+v", list)
	}
	upgraded := in
	upgraded.OSRelease = map[string]string{"ID": "debian", "VERSION_ID": "13", "VERSION_CODENAME": "trixie"}
	if status := a.inventory(t, upgraded); status != 204 {
		t.Fatal(status)
	}
	if n := a.row(t); n.Variant != "debian/13/amd64" || n.Codename != "trixie" {
		t.Errorf("%+v", n)
	}
	// A list that nobody has any more goes.
	if status := b.inventory(t, withOpenSSL("9")); status != 204 {
		t.Fatal(status)
	}
	if status := b.inventory(t, in); status != 204 {
		t.Fatal(status)
	}
	w.clock.advance(25 * time.Hour)
	if err := w.retain(t.Context()); err != nil {
		t.Fatal(err)
	}
	var sets int64
	if err := w.DB.Reader(t.Context()).Raw("SELECT COUNT(*) FROM edge_sets").Scan(&sets).Error; err != nil || sets != 1 {
		t.Errorf("%d sets, %v", sets, err)
	}
	for name, body := range map[string][]byte{"no zstd": []byte("{}"), "nothing": {}, "no JSON": must[[]byte](t)(pack([]byte("{"))), "a bomb": must[[]byte](t)(pack(make([]byte, protocol.MaxInventoryRaw+1))),
		"a package without a name": must[[]byte](t)(pack([]byte(`{"packages":[{"version":"1"}]}`))), "a line feed": must[[]byte](t)(pack([]byte(`{"packages":[{"name":"a\nb"}]}`)))} {
		if out := a.do("PUT", protocol.PathInventory, body); out.Code != 400 && out.Code != 413 {
			t.Errorf("%s: %d %s", name, out.Code, out.Body)
		}
	}
}

func TestWhoCarriesACVE(t *testing.T) {
	t.Parallel()
	w := setup(t)
	p := w.ceremony(t)
	w.offer(t, "ada", bundle.Set{Roots: p.set(t).Roots}, 200)
	w.publishFileOf(t, "ada", p.sign(t, newPatch("b-1", 1)), 201)
	agents := map[string]*agent{}
	for name, version := range map[string]string{"old-1": "3.0.14-1~deb12u1", "old-2": "3.0.9-1", "new": "3.0.15-1~deb12u1", "newer": "3.0.16-1", "silent": ""} {
		agents[name] = w.node(t, name)
		if version != "" {
			if status := agents[name].inventory(t, withOpenSSL(version)); status != 204 {
				t.Fatal(status)
			}
		}
	}
	var found CVE
	w.want(t, "vic", "GET", "/api/v1/edge/cves?team=main&cve=cve-2026-1111", "", 200, &found)
	var names []string
	for _, o := range found.Open {
		names = append(names, o.Name+" "+o.Installed+" needs "+o.Needs+" of "+o.Bundle)
	}
	if strings.Join(names, "; ") != "old-1 3.0.14-1~deb12u1 needs 3.0.15-1~deb12u1 of b-1; old-2 3.0.9-1 needs 3.0.15-1~deb12u1 of b-1" || found.Fixed != 2 || found.Unknown != 1 || len(found.Fixes) != 1 || found.Fixes[0].Severity != "high" {
		t.Errorf("%v %+v", names, found)
	}
	w.want(t, "vic", "GET", "/api/v1/edge/cves?team=main&cve=CVE-2026-9999", "", 200, &found)
	if len(found.Open)+len(found.Fixes)+found.Fixed != 0 {
		t.Errorf("unknown: %+v", found)
	}
	w.want(t, "eve", "GET", "/api/v1/edge/cves?team=main&cve=CVE-2026-1111", "", 404, nil)
	w.want(t, "vic", "GET", "/api/v1/edge/cves?team=main", "", 400, nil)
	var fleet Fleet
	w.want(t, "vic", "GET", "/api/v1/edge/nodes?team=main&q=cve:CVE-2026-1111", "", 200, &fleet)
	if fleet.Total != 2 || fleet.Items[0].Name != "old-1" || *fleet.Items[0].OpenCVEs != 1 {
		t.Errorf("%+v", fleet)
	}
	var of nodeCVEsOut
	w.want(t, "vic", "GET", "/api/v1/edge/nodes/"+agents["old-1"].id+"/cves", "", 200, &of)
	if len(of.Items) != 1 || of.Items[0].CVE != "CVE-2026-1111" || of.Items[0].Bundle != "b-1" {
		t.Errorf("%+v", of)
	}
	var grid Grid
	w.want(t, "vic", "GET", "/api/v1/edge/grid?team=main", "", 200, &grid)
	open := map[string]any{}
	for _, c := range grid.Cells {
		open[c[1].(string)] = c[11]
	}
	if fmt.Sprint(open) != "map[new:0 newer:0 old-1:1 old-2:1 silent:-1]" || grid.Total != 5 {
		t.Errorf("%v", open)
	}
	// A node that was patched has nothing open.
	if status := agents["old-1"].inventory(t, withOpenSSL("3.0.15-1~deb12u1")); status != 204 {
		t.Fatal(status)
	}
	w.want(t, "vic", "GET", "/api/v1/edge/nodes/"+agents["old-1"].id+"/cves", "", 200, &of)
	if len(of.Items) != 0 {
		t.Errorf("%+v", of)
	}
}

func TestFixesOfVariants(t *testing.T) {
	t.Parallel()
	variant := func(version, source, have string) bundle.Variant {
		return bundle.Variant{OSID: "debian", VersionID: version, Arch: "amd64", Packages: []bundle.Package{{Name: "lib" + source, Source: source, Version: have}}}
	}
	m := &bundle.Manifest{Variants: []bundle.Variant{variant("11", "openssl", "1.1"), variant("12", "openssl", "3.0"), variant("13", "curl", "8")},
		Fixes: []bundle.Fix{{CVE: "CVE-1", Source: "openssl", FixedVersion: "3.0"}, {CVE: "CVE-1", Source: "openssl", FixedVersion: "1.1"}, {CVE: "CVE-2", Source: "bash", FixedVersion: "1"}}}
	var got []string
	for _, f := range fixesOf(Bundle{ID: "b"}, m) {
		got = append(got, f.Variant+" "+f.CVE+" "+f.FixedVersion)
	}
	if want := []string{"debian/11/amd64 CVE-1 1.1", "debian/12/amd64 CVE-1 3.0"}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

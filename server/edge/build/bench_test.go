package build_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/edge/build"
)

// updated are packages that servers have and that get security updates. Of each the release's
// version and the newest of the security archive are compared, as far as apt has both.
var updated = strings.Fields(`apt libapt-pkg6.0 liblzma5 libpcre2-8-0 perl-base tzdata openssl libssl3 libexpat1 rsync haproxy libpng16-16
	apache2-bin libpython3.11-stdlib python3.11-minimal libpython3.11-minimal nginx-common redis-server libpq5 postgresql-client-15 php8.2-cli libperl5.36 jq libjq1 libssh-4 libarchive13 mariadb-client mariadb-server-core openjdk-17-jre-headless libwebkit2gtk-4.1-0`)

// BenchmarkDeltas measures on real security updates, fetched with apt, what deltas save.
func BenchmarkDeltas(b *testing.B) {
	if testing.Short() {
		b.Skip("it fetches forty megabytes")
	}
	measureDeltas(b, updated)
}

// BenchmarkDeltasWide is the same over a part of all packages that the security archive
// has, whatever they are: large programs and their languages, too.
func BenchmarkDeltasWide(b *testing.B) {
	if os.Getenv("SIGNALBOX_SOAK") != "1" {
		b.Skip("it fetches some hundred megabytes")
	}
	raw, err := exec.Command("sh", "-c", "/usr/lib/apt/apt-helper cat-file /var/lib/apt/lists/*security*_Packages*").Output()
	if err != nil {
		b.Skip("apt has no lists: ", err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(raw)) {
		if name, is := strings.CutPrefix(strings.TrimSpace(line), "Package: "); is && !strings.HasSuffix(name, "-dbg") {
			seen[name] = true
		}
	}
	var some []string
	for i, name := range slices.Sorted(maps.Keys(seen)) {
		if i%wideEvery == 0 {
			some = append(some, name)
		}
	}
	measureDeltas(b, some)
}

// wideEvery is which part of the archive is measured: one package of so many.
const wideEvery = 60

func measureDeltas(b *testing.B, names []string) {
	b.Helper()
	dir := b.TempDir()
	pairs := fetchPairs(b, dir, names)
	if pairs == 0 {
		b.Skip("apt has no security updates to compare with")
	}
	inventory := inventoryOf(b, filepath.Join(dir, "old"))
	at := filepath.Join(dir, "node.json")
	if err := os.WriteFile(at, inventory, 0o600); err != nil {
		b.Fatal(err)
	}
	spec := build.Spec{Bundle: "bench", Version: 1, Created: "2026-11-20T00:00:00Z", Expires: "2099-01-01T00:00:00Z", Variants: []build.Variant{{OS: "debian/12/amd64", Nodes: []string{at}, Allow: build.Allow{New: []string{"*"}},
		Include: build.Include{Everything: true}, Sources: []build.Source{{Folder: filepath.Join(dir, "new")}, {Folder: filepath.Join(dir, "old"), Old: true}}}}}
	for b.Loop() {
		began := time.Now()
		var out bytes.Buffer
		report, err := build.Build(context.Background(), spec, build.Options{Cache: filepath.Join(dir, "cache"), Now: time.Now, Builder: "bench"}, &out)
		if err != nil {
			b.Fatal(err)
		}
		v := report.Variants[0]
		b.ReportMetric(float64(v.Least)/float64(v.WithBase), "delta/whole")
		b.ReportMetric(float64(v.Packages), "packages")
		b.ReportMetric(float64(v.WithBase)/1e6, "whole-MB")
		b.ReportMetric(time.Since(began).Seconds(), "s/build")
		b.ReportMetric(float64(v.Deltas), "deltas")
		began = time.Now()
		b.ReportMetric(float64(applyAll(b, out.Bytes(), filepath.Join(dir, "cache", "plain"))), "segmented")
		b.ReportMetric(time.Since(began).Seconds(), "s/apply-all")
	}
}

// applyAll makes every package from its delta, as an agent does; the result is how many
// of the deltas were in segments.
func applyAll(b *testing.B, raw []byte, plain string) (segmented int) {
	b.Helper()
	f, err := bundle.NewFile(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range f.Manifest.Variants[0].Packages {
		for _, d := range p.Deltas {
			found, err := filepath.Glob(filepath.Join(plain, "*-"+d.BaseSHA256))
			if err != nil || len(found) == 0 {
				b.Fatal(p.Name, err)
			}
			blob, err := f.Blob(d.SHA256)
			if err != nil {
				b.Fatal(err)
			}
			if err := applyOne(found[0], blob, p, d.Algo); err != nil {
				b.Fatal(p.Name, err)
			}
			if d.Algo == bundle.ZstdSegments {
				segmented++
			}
		}
	}
	return segmented
}

func applyOne(at string, delta io.Reader, p bundle.Package, algo string) error {
	if algo == bundle.ZstdDict {
		base, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		return bundle.ApplyDelta(context.Background(), base, delta, io.Discard, p.NormSHA256, p.NormSize)
	}
	base, err := os.Open(at)
	if err != nil {
		return err
	}
	defer base.Close()
	info, err := base.Stat()
	if err != nil {
		return err
	}
	return bundle.ApplySegments(context.Background(), base, info.Size(), delta, io.Discard, p.NormSHA256, p.NormSize)
}

// fetchPairs fills the folders old and new.
func fetchPairs(b *testing.B, dir string, names []string) (pairs int) {
	b.Helper()
	// One call: each reads all of apt's lists anew.
	out, err := exec.Command("apt-cache", append([]string{"madison"}, names...)...).Output()
	if err != nil {
		return 0
	}
	newest, base := map[string]string{}, map[string]string{}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(line, "|")
		if len(f) != 3 {
			continue
		}
		name, version := strings.TrimSpace(f[0]), strings.TrimSpace(f[1])
		switch {
		case strings.Contains(f[2], "security") && newest[name] == "":
			newest[name] = version
		case base[name] == "" && version != newest[name]:
			base[name] = version
		}
	}
	versions := map[string][]string{}
	for name, version := range newest {
		if base[name] != "" {
			versions["new"] = append(versions["new"], name+"="+version)
			versions["old"] = append(versions["old"], name+"="+base[name])
			pairs++
		}
	}
	for folder, list := range versions {
		cmd := exec.Command("apt-get", append([]string{"-q", "download"}, list...)...)
		cmd.Dir = filepath.Join(dir, folder)
		if err := os.MkdirAll(cmd.Dir, 0o755); err != nil {
			b.Fatal(err)
		}
		if said, err := cmd.CombinedOutput(); err != nil {
			b.Skipf("apt-get download: %v: %s", err, said)
		}
	}
	return pairs
}

// inventoryOf is a node that has just the packages of a folder.
func inventoryOf(b *testing.B, dir string) []byte {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil {
		b.Fatal(err)
	}
	var list []string
	for _, f := range files {
		out, err := exec.Command("dpkg-deb", "-f", f, "Package", "Version", "Architecture").Output()
		if err != nil {
			b.Fatal(err)
		}
		values := map[string]string{}
		for line := range strings.Lines(string(out)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			values[key] = value
		}
		list = append(list, fmt.Sprintf(`{"name":%q,"version":%q,"arch":%q}`, values["Package"], values["Version"], values["Architecture"]))
	}
	return []byte(`{"packages":[` + strings.Join(list, ",") + `],"os_release":{"ID":"debian","VERSION_ID":"12","VERSION_CODENAME":"bookworm"}}`)
}

package build_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ulikunitz/xz"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/edge/build"
	"github.com/signalbox/signalbox/server/edge/build/debian"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// made is a package of a test.
type made struct {
	name, version, control, changelog string
	content                           string // what its one file holds
}

// noise is text that does not compress, the same for the same seed.
func noise(seed uint64, size int) string {
	r := rand.New(rand.NewPCG(seed, 7))
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

func (m made) stanza() string {
	return fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: amd64\nInstalled-Size: 20\nDescription: test\n%s", m.name, m.version, m.control)
}

// deb writes the package as dpkg-deb would.
func (m made) deb(t *testing.T) []byte {
	t.Helper()
	zipped := func(text string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		must(t, func() error { _, err := z.Write([]byte(text)); return err }, z.Close)
		return b.String()
	}
	tarball := func(files ...string) string {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for i := 0; i < len(files); i += 2 {
			must(t, func() error {
				return w.WriteHeader(&tar.Header{Name: files[i], Mode: 0o644, Size: int64(len(files[i+1])), Typeflag: tar.TypeReg})
			}, func() error { _, err := w.Write([]byte(files[i+1])); return err })
		}
		must(t, w.Close)
		return zipped(b.String())
	}
	data := []string{"./usr/share/" + m.name + "/data", m.content}
	if m.changelog != "" {
		data = append(data, "./usr/share/doc/"+m.name+"/changelog.Debian.gz", zipped(m.changelog))
	}
	var out strings.Builder
	out.WriteString("!<arch>\n")
	for _, member := range [][2]string{{"debian-binary", "2.0\n"}, {"control.tar.gz", tarball("./control", m.stanza())}, {"data.tar.gz", tarball(data...)}} {
		fmt.Fprintf(&out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", member[0], 1790000000, 0, 0, "100644", len(member[1]), member[1])
		if len(member[1])%2 == 1 {
			out.WriteByte('\n')
		}
	}
	return []byte(out.String())
}

func must(t *testing.T, steps ...func() error) {
	t.Helper()
	for _, step := range steps {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}

// world is a mirror and the folder of somebody who builds from it.
type world struct {
	t     *testing.T
	dir   string
	files map[string][]byte
	url   string
	key   *debian.RepoKey
	keys  string     // file
	mutex sync.Mutex // over files while the mirror serves
	asked map[string]int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), files: map[string][]byte{}, asked: map[string]int{}}
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.mutex.Lock()
		data, there := w.files[r.URL.Path]
		w.asked[r.URL.Path]++
		w.mutex.Unlock()
		if !there {
			http.NotFound(out, r)
			return
		}
		_, _ = out.Write(data)
	}))
	t.Cleanup(server.Close)
	w.url = server.URL
	text, err := debian.NewRepoKey("mirror")
	if err != nil {
		t.Fatal(err)
	}
	if w.key, err = debian.ReadRepoKey(text); err != nil {
		t.Fatal(err)
	}
	public, err := w.key.Public()
	if err != nil {
		t.Fatal(err)
	}
	w.keys = w.write("mirror.asc", string(public))
	w.write("repo.key", string(text))
	return w
}

func (w *world) write(name, text string) string {
	w.t.Helper()
	at := filepath.Join(w.dir, name)
	must(w.t, func() error { return os.MkdirAll(filepath.Dir(at), 0o755) }, func() error { return os.WriteFile(at, []byte(text), 0o644) })
	return at
}

// suite puts packages on the mirror; more is what else its Release says.
func (w *world) suite(name, more string, packages ...made) {
	w.t.Helper()
	var index strings.Builder
	for _, m := range packages {
		data := m.deb(w.t)
		file := path.Join("pool", name, m.name+"_"+strings.ReplaceAll(m.version, ":", "%3a")+".deb")
		w.files["/"+file] = data
		fmt.Fprintf(&index, "%sFilename: %s\nSize: %d\nSHA256: %s\n\n", ended(m.stanza()), file, len(data), sum(data))
	}
	var packed bytes.Buffer
	z, err := xz.NewWriter(&packed)
	if err != nil {
		w.t.Fatal(err)
	}
	must(w.t, func() error { _, err := z.Write([]byte(index.String())); return err }, z.Close)
	dir := "/dists/" + name + "/"
	w.files[dir+"main/binary-amd64/Packages.xz"] = packed.Bytes()
	release := fmt.Sprintf("Codename: %s\nDate: Fri, 20 Nov 2026 08:00:00 UTC\n%sSHA256:\n %s %d main/binary-amd64/Packages.xz\n", name, more, sum(packed.Bytes()), packed.Len())
	signed, err := w.key.InRelease([]byte(release), now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.files[dir+"InRelease"] = signed
}

func ended(text string) string {
	if strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// status is what a node with these packages has as dpkg's status.
func status(packages ...made) string {
	text := "Package: dpkg\nStatus: install ok installed\nVersion: 1.21\nArchitecture: amd64\n\n"
	for _, m := range packages {
		text += ended(m.stanza()) + "Status: install ok installed\n\n"
	}
	return text
}

// spec describes a bundle from the mirror's suites for one node.
func (w *world) spec(node string, include build.Include, suites ...string) build.Spec {
	v := build.Variant{OS: "debian/12/amd64", Codename: "bookworm", Nodes: []string{w.write("node", node)}, Include: include}
	for _, s := range suites {
		v.Sources = append(v.Sources, build.Source{URL: w.url, Suite: s, Keys: []string{w.keys}})
	}
	return build.Spec{Bundle: "b-1", Version: 1, Variants: []build.Variant{v}}
}

func (w *world) options() build.Options {
	return build.Options{Cache: w.t.TempDir(), Fetch: build.HTTPFetch(http.DefaultClient), Now: func() time.Time { return now }, Builder: "test"}
}

// build makes the bundle twice, from nothing each time, and opens it.
func (w *world) build(spec build.Spec) (build.Report, *bundle.File) {
	w.t.Helper()
	var first []byte
	var report build.Report
	at := filepath.Join(w.dir, "out.epb")
	for range 2 {
		var err error
		if report, err = build.File(context.Background(), spec, w.options(), at); err != nil {
			w.t.Fatal(err)
		}
		data, err := os.ReadFile(at)
		if err != nil {
			w.t.Fatal(err)
		}
		if first != nil && !bytes.Equal(first, data) {
			w.t.Error("the same inputs made other bytes")
		}
		first = data
	}
	f, err := bundle.Open(at)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := f.Close(); err != nil {
			w.t.Error(err)
		}
	})
	if err := f.Verify(context.Background()); err != nil {
		w.t.Error(err)
	}
	return report, f
}

// fails builds and wants an error that says why.
func (w *world) fails(spec build.Spec, why string) {
	w.t.Helper()
	_, err := build.File(context.Background(), spec, w.options(), filepath.Join(w.dir, "none.epb"))
	if err == nil || !strings.Contains(err.Error(), why) {
		w.t.Errorf("got %v, want %s", err, why)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "none.epb")); err == nil {
		w.t.Error("a file was left")
	}
}

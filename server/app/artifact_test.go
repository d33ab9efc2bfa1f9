package app_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

type artifactPage struct {
	Items []struct {
		ID        int64
		Path      string
		Size      int64
		SHA256    string
		ExpiresAt time.Time `json:"expires_at"`
	}
}

func (c *client) artifacts(t testing.TB, build int64) artifactPage {
	t.Helper()
	var page artifactPage
	c.call(t, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/artifacts", build), nil, &page)
	return page
}

// packing makes a job that leaves what the shell line puts into dist.
func packing(line string) string {
	return fmt.Sprintf(`
signalbox:
  jobs:
    pack: {artifacts: [{path: "dist/**/*.tgz", keep: 48h}]}
jobs:
- name: pack
  plan:
  - task: pack
    config: {platform: linux, outputs: [{name: dist}], run: {path: sh, args: [-c, %q]}}
`, line)
}

// TestArtifacts: a real task leaves files beside traps, which are neither followed nor kept.
func TestArtifacts(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.pipeline(t, "main", "shop", packing("mkdir -p dist/a/b && echo one > dist/x.tgz && echo two > dist/a/b/y.tgz && echo no > dist/notes &&"+
		" ln -s /etc/passwd dist/link.tgz && ln -s /etc dist/etc && mkfifo dist/pipe.tgz && ln -s ../../../../../../etc dist/a/up"))
	b := r.finish(t, r.trigger(t, "main", "shop", "pack").ID)
	if b.Status != "succeeded" {
		t.Fatalf("%+v\n%s", b, r.log(t, b.ID))
	}
	page := r.artifacts(t, b.ID)
	if len(page.Items) != 2 || page.Items[0].Path != "dist/a/b/y.tgz" || page.Items[1].Path != "dist/x.tgz" || time.Until(page.Items[1].ExpiresAt) < 47*time.Hour {
		t.Fatalf("%+v\n%s", page, r.log(t, b.ID))
	}
	answer := r.request(t, "GET", fmt.Sprintf("/api/v1/ci/artifacts/%d/content", page.Items[1].ID), nil)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || string(body) != "one\n" || answer.StatusCode != 200 {
		t.Errorf("%d %q %v", answer.StatusCode, body, err)
	}
	for name, want := range map[string]string{"Content-Disposition": "attachment; filename=x.tgz", "Content-Security-Policy": "sandbox", "X-Content-Type-Options": "nosniff"} {
		if got := answer.Header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// TestArtifactsSurviveAKill kills the server while it stores a file; the next life
// stores it once.
func TestArtifactsSurviveAKill(t *testing.T) {
	t.Parallel()
	p := launch(t)
	p.pipeline(t, "main", "shop", packing("head -c 64000000 /dev/urandom > dist/large.tgz && sha256sum dist/large.tgz"))
	id := p.trigger(t, "main", "shop", "pack").ID
	eventually(t, "a file on its way into the store", func() bool {
		found, err := filepath.Glob(filepath.Join(p.dir, "data", "spool", "put-*"))
		return err == nil && len(found) > 0
	})
	p.end(syscall.SIGKILL)
	p.start()
	if b := p.finish(t, id); b.Status != "succeeded" {
		t.Fatalf("%+v\n%s", b, p.log(t, id))
	}
	page := p.artifacts(t, id)
	if len(page.Items) != 1 || page.Items[0].Size != 64000000 || !strings.Contains(p.log(t, id), page.Items[0].SHA256) {
		t.Fatalf("%+v\n%s", page, p.log(t, id))
	}
	answer := p.request(t, "GET", fmt.Sprintf("/api/v1/ci/artifacts/%d/content", page.Items[0].ID), nil)
	defer answer.Body.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, answer.Body); err != nil || hex.EncodeToString(hash.Sum(nil)) != page.Items[0].SHA256 {
		t.Errorf("other bytes come back: %v", err)
	}
}

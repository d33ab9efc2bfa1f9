package issues

import (
	"archive/zip"
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

const testDebugID = "c1b8cbf4-08e8-5498-9cfd-04eeec3b6bc7"

// testBundle is an upload as sentry-cli makes it: a script and its map, by debug id and by address.
func testBundle(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("SYSB\x02\x00\x00\x00")
	z := zip.NewWriter(&b)
	for name, text := range map[string]string{
		"files/_/_/app.js":     "boom();\n//# sourceMappingURL=app.js.map\n",
		"files/_/_/app.js.map": `{"version":3,"sources":["src/cart.ts"],"sourcesContent":["export function average() {\n  throw new Error()\n}\n"],"names":[],"mappings":"AACA"}`,
		"manifest.json": `{"files":{"files/_/_/app.js":{"url":"~/app.js","type":"minified_source","headers":{"debug-id":"` + testDebugID + `","sourcemap":"app.js.map"}},
			"files/_/_/app.js.map":{"url":"~/app.js.map","type":"source_map","headers":{"debug-id":"` + testDebugID + `"}}}}`,
	} {
		f, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sum1(raw []byte) string {
	sum := sha1.Sum(raw)
	return hex.EncodeToString(sum[:])
}

// upload sends one chunk under a name and returns the status.
func (w *world) upload(t *testing.T, name string, raw []byte) int {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return w.do("POST", "/api/0/organizations/main/chunk-upload/", &body, "Content-Type", form.FormDataContentType()).Code
}

// TestSourceMapsAreAssembledAndApplied goes the way of sentry-cli and then of an event.
func TestSourceMapsAreAssembledAndApplied(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	w.UseReleases()
	w.run(t)
	p, _ := w.newProject(t, "shop")
	frame := func(script string) sentry.Frame {
		return sentry.Frame{AbsPath: script, Filename: script, Line: 1, Column: 1, InApp: true, Function: "x"}
	}
	event := func(release string, image bool, script string) sentry.Frame {
		e := sentry.Event{Platform: "javascript", Release: release, Exceptions: []sentry.Exception{{Stack: &sentry.Stack{Frames: []sentry.Frame{frame(script)}}}}}
		if image {
			e.DebugImages = []sentry.DebugImage{{Type: "sourcemap", CodeFile: script, DebugID: testDebugID}}
		}
		if err := w.symbolicate(t.Context(), p.ID, &e); err != nil {
			t.Fatal(err)
		}
		return e.Exceptions[0].Stack.Frames[0]
	}
	const script = "https://shop.example.com/app.js?v=1"
	if f := event("shop@1", true, script); f.Minified != nil || !strings.Contains(f.Unmapped, "No source maps had been uploaded for release shop@1") {
		t.Errorf("before the upload: %+v", f)
	}
	raw := testBundle(t)
	request := map[string]any{"checksum": sum1(raw), "chunks": []string{sum1(raw)}, "projects": []string{"shop"}, "version": "shop@1"}
	var answer assemble0Body
	assemble := func(state string, missing int) {
		t.Helper()
		w.call(t, "POST", "/api/0/organizations/main/artifactbundle/assemble/", request, 200, &answer)
		if answer.State != state || len(answer.MissingChunks) != missing {
			t.Fatalf("%+v, want %s", answer, state)
		}
	}
	assemble("not_found", 1)
	if code := w.upload(t, sum1([]byte("other")), raw); code != 422 && code != 400 {
		t.Errorf("a chunk with a wrong checksum: %d", code)
	}
	if code := w.upload(t, sum1(raw), raw); code != 200 {
		t.Fatal(code)
	}
	assemble("ok", 0)
	assemble("ok", 0)
	until(t, "the upload is known", func() bool { return event("shop@1", true, script).Minified != nil })
	for name, f := range map[string]sentry.Frame{"debug id": event("", true, script), "address": event("shop@1", false, script)} {
		if f.Filename != "src/cart.ts" || f.Line != 2 || strings.TrimSpace(f.Context) != "throw new Error()" || f.Function != "average" || f.Unmapped != "" {
			t.Errorf("by %s: %+v", name, f)
		}
	}
	for _, c := range []struct{ release, script, want string }{
		{"", script, "carries no debug id and the event names no release"},
		{"shop@1", "https://shop.example.com/other.js", "None of the files uploaded for release shop@1 is ~/other.js"},
		{"shop@2", script, "No source maps had been uploaded for release shop@2"},
	} {
		if f := event(c.release, false, c.script); !strings.Contains(f.Unmapped, c.want) {
			t.Errorf("%q, want %q", f.Unmapped, c.want)
		}
	}
	request["checksum"] = sum1([]byte("something else"))
	assemble("error", 0)
}

// TestReleasesAsToolsCallThem walks the calls of sentry-cli with versions that need escaping.
func TestReleasesAsToolsCallThem(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	w.UseReleases()
	w.run(t)
	w.newProject(t, "shop")
	for _, version := range []string{"shop@1.0", "shop%401.1", "feature%2Fx"} {
		plain := strings.NewReplacer("%40", "@", "%2F", "/").Replace(version)
		w.call(t, "POST", "/api/0/organizations/main/releases/", map[string]any{"version": plain, "projects": []string{"shop"}}, 201, nil)
		w.call(t, "POST", "/api/0/projects/main/shop/releases/", map[string]any{"version": plain}, 208, nil)
		one := "/api/0/organizations/main/releases/" + version + "/"
		w.call(t, "PUT", one, map[string]any{"commits": []map[string]any{{"id": "71d6963b1c1dc6ce7cfbbc04539710f9c43a44ae", "author_name": "n", "message": "m",
			"patch_set": []map[string]string{{"path": "src/cart.ts", "type": "M"}}}}}, 200, nil)
		w.call(t, "PUT", one, map[string]any{"dateReleased": "2026-11-20T15:46:23.864965601Z"}, 200, nil)
		w.call(t, "POST", one+"deploys/", map[string]any{"environment": "production", "name": nil}, 201, nil)
		var got release0Body
		w.call(t, "GET", "/api/0/projects/main/shop/releases/"+version+"/", nil, 200, &got)
		if got.Version != plain || got.DateReleased == nil || got.CommitCount != 1 || got.DeployCount != 1 || got.LastCommit == nil {
			t.Errorf("%+v", got)
		}
		w.call(t, "DELETE", one, nil, 204, nil)
		if said := w.call(t, "GET", one, nil, 404, nil); !strings.Contains(said, `"detail"`) {
			t.Error(said)
		}
	}
	w.call(t, "GET", "/api/0/users/me/regions/", nil, 404, nil)
	w.call(t, "GET", "/api/0/", nil, 200, nil)
	var options struct{ URL string }
	w.call(t, "GET", "/api/0/organizations/main/chunk-upload/", nil, 200, &options)
	if want := "http://example.com/api/0/organizations/main/chunk-upload/"; options.URL != want {
		t.Errorf("%s, want the address of the request: %s", options.URL, want)
	}
	w.call(t, "POST", "/api/0/organizations/main/releases/", map[string]any{"version": "a", "projects": []string{"no"}}, 404, nil)
	for _, list := range []string{"releases", "monitors"} {
		w.call(t, "GET", fmt.Sprintf("/api/v1/issues/%s?team=main&project=shop", list), nil, 200, nil)
	}
}

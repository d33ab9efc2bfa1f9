package ci

import (
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/github/payload"
)

// TestPipelinesOfBeforeAreFound: deliveries find the resources of pipelines that were
// set when only git resources named their repository.
func TestPipelinesOfBeforeAreFound(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", pulls)
	w.set("releases", `
resources:
- {name: releases, type: github-release, check_every: never, source: {owner: acme, repository: web, order_by: time}}
- {name: dynamic, type: git, check_every: never, source: {uri: ((uri))}}
jobs:
- name: ship
  plan: [{get: releases, trigger: true}, {get: dynamic}]
`)
	if err := w.db.Writer(t.Context()).Exec("UPDATE ci_resources SET repository = ''").Error; err != nil {
		t.Fatal(err)
	}
	if got := w.pull("opened", pullOf(7, 1, "")); got.Resources != 0 {
		t.Fatalf("found without being named: %+v", got)
	}
	for range 2 { // every start does it
		if err := w.ci.IndexRepositories(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.pull("opened", pullOf(7, 1, "")); got.Versions != 1 {
		t.Errorf("%+v", got)
	}
	w.waitBuild("web", "review", "1", Succeeded)
	release := payload.Release{ID: 5, Tag: "v1.0", Created: time.Unix(100, 0), Published: time.Unix(200, 0)}
	if got, err := w.ci.ReceiveRelease(t.Context(), teamMain, webPlaces, "published", release); err != nil || got.Versions != 1 {
		t.Errorf("%+v %v", got, err)
	}
	if r, err := w.ci.resource(t.Context(), w.resource("releases", "dynamic")); err != nil || r.Repository != "" {
		t.Errorf("%+v %v", r, err)
	}
}

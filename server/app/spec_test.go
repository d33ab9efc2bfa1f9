package app_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/signalbox/signalbox/server/platform/api"
)

// ownPrefixes are the addresses of our own API; everything else below /api/v1 is Concourse's.
var ownPrefixes = []string{"/api/v1/accounts/", "/api/v1/ci/", "/api/v1/issues/", "/api/v1/logs/", "/api/v1/assistant/", "/api/v1/edge/", "/api/v1/system/", "/api/v1/stream"}

func isOwn(path string) bool {
	return slices.ContainsFunc(ownPrefixes, func(p string) bool { return strings.HasPrefix(path, p) })
}

func loadSpec(t testing.TB) *openapi3.T {
	t.Helper()
	raw, err := os.ReadFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	spec, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := spec.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return spec
}

var param = regexp.MustCompile(`[:*]([A-Za-z_]+)`)

// TestSpecAndRoutesAgree holds openapi.yaml to what the server answers, both ways.
func TestSpecAndRoutesAgree(t *testing.T) {
	t.Parallel()
	a := start(t)
	spec := loadSpec(t)
	described := map[string]bool{}
	for path, item := range spec.Paths.Map() {
		for method := range item.Operations() {
			described[method+" "+path] = true
		}
	}
	served := map[string]bool{}
	for _, r := range a.Routes() {
		if r.Method == "HEAD" || !isOwn(r.Path) {
			continue
		}
		served[r.Method+" "+param.ReplaceAllString(r.Path, "{$1}")] = true
	}
	for route := range served {
		if !described[route] && !coveredByAction(route, described) {
			t.Errorf("openapi.yaml does not describe %s", route)
		}
	}
	for route := range described {
		if !served[route] && !strings.Contains(route, "{action}") {
			t.Errorf("openapi.yaml describes %s, which the server does not answer", route)
		}
	}
}

// coveredByAction allows {action} in the description to stand for several routes that differ in their last word.
func coveredByAction(route string, described map[string]bool) bool {
	cut := strings.LastIndex(route, "/")
	return described[route[:cut]+"/{action}"]
}

func TestEveryForeignOrPublicRouteSaysWhy(t *testing.T) {
	t.Parallel()
	for _, r := range start(t).Routes() {
		if (r.Access.Kind == api.KindPublic || r.Access.Kind == api.KindForeign) && r.Access.Why == "" {
			t.Errorf("%s %s is open and does not say why", r.Method, r.Path)
		}
	}
}

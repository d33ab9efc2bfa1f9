package app

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/edge/build"
)

// buildBundle is how a pipeline's put makes a patch bundle: from its own files and from
// mirrors that outgoing calls may reach. It holds no keys and publishes nothing.
func (a *App) buildBundle(ctx context.Context, req resource.BundleRequest) (resource.BuiltBundle, error) {
	spec, err := build.ReadSpec(req.Description)
	if err != nil {
		return resource.BuiltBundle{}, err
	}
	if spec.Bundle == "" {
		spec.Bundle = req.Name
	}
	if spec.Version == 0 {
		spec.Version = req.Version
	}
	pool := &http.Transport{DialContext: a.guard.DialContext, ResponseHeaderTimeout: time.Minute}
	defer pool.CloseIdleConnections()
	report, err := build.File(ctx, spec, build.Options{
		Within: req.Dir, Cache: req.Cache, CacheFor: 30 * 24 * time.Hour, Fetch: build.HTTPFetch(&http.Client{Transport: pool}), Now: now, Builder: "signalbox " + Version,
		Log: func(line string) { _, _ = fmt.Fprintln(req.Log, line) }, // a log that is gone stops no build
	}, req.Output)
	if err != nil {
		return resource.BuiltBundle{}, err
	}
	var text strings.Builder
	printBuild(&text, report, spec.Bundle)
	if _, err := fmt.Fprint(req.Log, text.String()); err != nil {
		return resource.BuiltBundle{}, err
	}
	m := report.Manifest
	out := resource.BuiltBundle{Name: m.BundleID, Version: m.Version}
	for _, v := range report.Variants {
		out.Fields = append(out.Fields, resource.Field{Name: v.Name, Value: strconv.Itoa(v.Packages) + " packages"})
	}
	out.Fields = append(out.Fields, resource.Field{Name: "vulnerabilities fixed", Value: strconv.Itoa(report.Fixes)}, resource.Field{Name: "size", Value: bytesOf(report.Bytes)})
	return out, nil
}

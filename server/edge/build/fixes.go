package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/signalbox/signalbox/agents/bundle"
)

// findFixes says which vulnerabilities the variant's packages close: as changelogs tell, as the
// sources' advisories tell, and as the distribution's list tells.
func (v *variantBuild) findFixes(ctx context.Context) error {
	compare := v.sys.rules(v.out.Arch).Compare
	groups := map[string]*fixGroup{}
	for _, c := range v.packages {
		g := groupOf(groups, c.item)
		g.add(c.item, "", compare)
		for from := range c.from {
			g.add(c.item, v.sourceVersion(c.item.Name, c.item.Arch, from), compare)
		}
	}
	read, err := v.readGroups(ctx, groups)
	if err != nil {
		return err
	}
	known := append(read, v.told...)
	if v.tracker != nil {
		known = append(known, v.tracker.fixes(v.out.Codename)...)
	}
	found := map[string]bundle.Fix{}
	for _, k := range known {
		for _, g := range groups {
			it := g.items[0]
			if it.source != k.source || g.after == "" || compare(k.version, g.after) <= 0 || compare(k.version, it.sourceVersion) > 0 {
				continue
			}
			f := found[k.cve+" "+k.source]
			if f.CVE == "" {
				f = bundle.Fix{CVE: k.cve, Source: k.source, FixedVersion: k.version}
			}
			if f.Advisory == "" {
				f.Advisory = k.advisory
			}
			if f.Severity == "" {
				f.Severity = k.severity
			}
			found[k.cve+" "+k.source] = f
		}
	}
	for _, key := range sortedKeys(found) {
		v.fixes = append(v.fixes, found[key])
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// tracker is the distribution's own list of vulnerabilities.
type tracker struct{ byRelease map[string][]vulnerability }

func (t *tracker) fixes(codename string) []vulnerability { return t.byRelease[codename] }

// readTracker reads the form of Debian's security tracker: source, then vulnerability, then
// releases. The file has tens of megabytes, so it is read source by source.
func readTracker(path string) (*tracker, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	t, err := parseTracker(f)
	return t, errors.Join(err, f.Close())
}

type trackedRelease struct {
	Status  string `json:"status"`
	Fixed   string `json:"fixed_version"`
	Urgency string `json:"urgency"`
}

func parseTracker(r io.Reader) (*tracker, error) {
	t := &tracker{byRelease: map[string][]vulnerability{}}
	d := json.NewDecoder(r)
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("this is no list as Debian's security tracker gives it out")
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		source, _ := token.(string)
		var entries map[string]struct {
			Releases map[string]trackedRelease `json:"releases"`
		}
		if err := d.Decode(&entries); err != nil {
			return nil, fmt.Errorf("%s: %w", source, err)
		}
		for _, id := range sortedKeys(entries) {
			if !cvePattern.MatchString(id) {
				continue
			}
			for release, at := range entries[id].Releases {
				if at.Status == "resolved" && at.Fixed != "" && at.Fixed != "0" {
					t.byRelease[release] = append(t.byRelease[release], vulnerability{cve: id, source: source, version: at.Fixed, severity: urgency(at.Urgency)})
				}
			}
		}
	}
	return t, nil
}

// urgency is how grave Debian takes it; most are not judged.
func urgency(word string) string {
	switch word {
	case "low", "medium", "high", "unimportant":
		return word
	}
	return ""
}

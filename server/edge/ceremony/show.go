package ceremony

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
)

// Listed is a bundle on the folder's list.
type Listed struct {
	ID string
	bundle.TargetInfo
}

// Bundles is the folder's list, by channel and version.
func (f *Folder) Bundles() ([]Listed, error) {
	body, err := f.current()
	if err != nil {
		return nil, err
	}
	var list []Listed
	for path, target := range body.Targets {
		id := strings.TrimSuffix(strings.TrimPrefix(path, "bundles/"), "/manifest.json")
		list = append(list, Listed{id, target.Custom})
	}
	slices.SortFunc(list, func(a, b Listed) int {
		if c := strings.Compare(a.Channel, b.Channel); c != 0 {
			return c
		}
		return int(a.Version - b.Version)
	})
	return list, nil
}

// Describe says in lines who may sign, what waits, and what is about to lapse.
func (f *Folder) Describe(now time.Time) ([]string, error) {
	var lines []string
	if f.root != nil {
		lines = append(lines, fmt.Sprintf("Root %d, %s", f.root.Signed.Version, until(f.root.Signed.Expires, now)))
		lines = append(lines, f.root.Signed.describe(nil)...)
	}
	if f.draft != nil {
		p := f.rootProgress()
		lines = append(lines, "", fmt.Sprintf("Draft of root %d: %d of %d signatures (keys sign adds one)", f.draft.Signed.Version, p.Have, p.Need))
		lines = append(lines, f.draft.Signed.describe(f.root)...)
	}
	if f.root == nil && f.draft == nil {
		return []string{"No root yet: begin with keys init."}, nil
	}
	bundles, err := f.Bundles()
	if err != nil {
		return append(lines, "", err.Error()), nil
	}
	if targets, err := read[targetsBody](f.set.Targets); err == nil {
		lines = append(lines, "", fmt.Sprintf("List %d of %d bundles, %s", targets.Signed.Version, len(bundles), until(targets.Signed.Expires, now)))
		if f.root != nil && len(targets.signers(f.root.Signed, "targets")) < f.root.Signed.Roles["targets"].Threshold {
			lines = append(lines, "  The list is signed by keys that count no more: sign it anew with bundle sign --trust.")
		}
	}
	for _, b := range bundles {
		lines = append(lines, fmt.Sprintf("  %-12s %6d  %s", b.Channel, b.Version, b.ID))
	}
	return lines, nil
}

// warnBefore is how long before its date a root asks for its successor.
const warnBefore = 90 * 24 * time.Hour

func until(date, now time.Time) string {
	text := "valid until " + date.Format(time.DateOnly)
	switch {
	case now.After(date):
		return "EXPIRED on " + date.Format(time.DateOnly)
	case date.Sub(now) < warnBefore:
		return fmt.Sprintf("%s: only %d days left", text, int(date.Sub(now).Hours()/24))
	}
	return text
}

// describe lists the keys of each role; against another root it marks what is new and what is gone.
func (b rootBody) describe(before *document[rootBody]) []string {
	var lines []string
	for _, role := range []Role{RoleRoot, RoleRelease, RoleTimestamp} {
		name := tufRoles[role][0]
		r := b.Roles[name]
		lines = append(lines, fmt.Sprintf("  %-10s %d of %d must sign", role, r.Threshold, len(r.KeyIDs)))
		had := map[string]bool{}
		if before != nil {
			for _, id := range before.Signed.Roles[name].KeyIDs {
				had[id] = true
			}
		}
		for _, id := range r.KeyIDs {
			mark := " "
			if before != nil && !had[id] {
				mark = "+"
			}
			delete(had, id)
			lines = append(lines, fmt.Sprintf("    %s %s", mark, id))
		}
		for _, id := range slices.Sorted(maps.Keys(had)) {
			lines = append(lines, "    - "+id)
		}
	}
	return lines
}

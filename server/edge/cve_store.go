package edge

import (
	"context"
	"fmt"
)

// fixes are what bundles mend of one CVE, of all where it is empty; the newest bundle first.
func (r rows) fixes(ctx context.Context, team int64, cve string) ([]Mend, error) {
	var list []struct{ BundleID, Variant, CVE, Source, FixedVersion, Severity, Advisory string }
	q := r.db.Reader(ctx).Table("edge_fixes").Select("edge_fixes.*").Joins("JOIN edge_bundles b ON b.team_id = edge_fixes.team_id AND b.id = edge_fixes.bundle_id").Where("edge_fixes.team_id = ?", team)
	if cve != "" {
		q = q.Where("edge_fixes.cve = ?", cve)
	}
	err := q.Order("b.published_at DESC, b.version DESC, edge_fixes.bundle_id, edge_fixes.variant, edge_fixes.cve, edge_fixes.source").Find(&list).Error
	out := make([]Mend, len(list))
	for i, l := range list {
		out[i] = Mend{l.BundleID, l.Variant, l.Source, l.FixedVersion, l.Severity, l.Advisory, l.CVE}
	}
	return out, err
}

type setSource struct {
	SetID           int64
	Source, Version string
}

// setSources gives the installed versions of sources in every set of a team.
func (r rows) setSources(ctx context.Context, team int64, names []string) (map[int64]map[string][]string, error) {
	out := map[int64]map[string][]string{}
	if len(names) == 0 {
		return out, nil
	}
	var list []setSource
	err := r.db.Reader(ctx).Raw("SELECT c.set_id, c.source, c.version FROM edge_set_sources c JOIN edge_sets s ON s.id = c.set_id WHERE s.team_id = ? AND c.source IN ? ORDER BY c.set_id, c.source, c.version", team, names).Scan(&list).Error
	for _, l := range list {
		if out[l.SetID] == nil {
			out[l.SetID] = map[string][]string{}
		}
		out[l.SetID][l.Source] = append(out[l.SetID][l.Source], l.Version)
	}
	return out, err
}

// setSourcesOf gives those of one set.
func (r rows) setSourcesOf(ctx context.Context, set int64) (map[string][]string, error) {
	var list []setSource
	err := r.db.Reader(ctx).Raw("SELECT set_id, source, version FROM edge_set_sources WHERE set_id = ? ORDER BY source, version", set).Scan(&list).Error
	out := map[string][]string{}
	for _, l := range list {
		out[l.Source] = append(out[l.Source], l.Version)
	}
	return out, err
}

// bundlesStamp changes whenever a team's bundles do.
func (r rows) bundlesStamp(ctx context.Context, team int64) (stamp string, err error) {
	var row struct{ N, Last int64 }
	err = r.db.Reader(ctx).Raw("SELECT COUNT(*) AS n, COALESCE(MAX(published_at), 0) AS last FROM edge_bundles WHERE team_id = ?", team).Scan(&row).Error
	return fmt.Sprint(row.N, " ", row.Last), err
}

package ci

import (
	"context"
	"slices"

	"github.com/signalbox/signalbox/server/ci/algorithm"
)

// history answers the algorithm's questions about one job.
type history struct {
	store
	job int64
}

var _ algorithm.History = history{}

// Latest is the enabled version highest in check order.
func (h history) Latest(ctx context.Context, resource int64) (version int64, err error) {
	err = h.db.Reader(ctx).Raw(`SELECT v.id FROM ci_resources r JOIN ci_versions v ON v.resource_id = r.id AND v.scope = r.scope
		WHERE r.id = ? AND v.enabled ORDER BY v.check_order DESC LIMIT 1`, resource).Scan(&version).Error
	return version, err
}

// Taken reports whether the job had the version under that name before.
func (h history) Taken(ctx context.Context, name string, _, version int64) (bool, error) {
	var n int
	err := h.db.Reader(ctx).Raw(`SELECT COUNT(*) FROM (SELECT 1 FROM ci_build_versions WHERE version_id = ? AND job_id = ?
		AND direction = 'in' AND name = ? LIMIT 1) x`, version, h.job, name).Scan(&n).Error
	return n > 0, err
}

// LastUse tells what the job took last of a resource.
func (h history) LastUse(ctx context.Context, resource int64) (algorithm.LastUse, error) {
	var last struct{ ID, CheckOrder int64 }
	var use algorithm.LastUse
	err := h.db.Reader(ctx).Raw(`SELECT v.id, v.check_order FROM ci_build_versions b JOIN ci_versions v ON v.id = b.version_id
		JOIN ci_resources r ON r.id = v.resource_id AND r.scope = v.scope
		WHERE b.job_id = ? AND b.resource_id = ? AND b.direction = 'in' ORDER BY v.check_order DESC LIMIT 1`, h.job, resource).Scan(&last).Error
	if err != nil || last.ID == 0 {
		return use, err
	}
	use.Version = last.ID
	const enabled = `SELECT v.id FROM ci_resources r JOIN ci_versions v ON v.resource_id = r.id AND v.scope = r.scope WHERE r.id = ? AND v.enabled `
	var following []int64
	if err := h.db.Reader(ctx).Raw(enabled+"AND v.check_order > ? ORDER BY v.check_order LIMIT 2", resource, last.CheckOrder).Scan(&following).Error; err != nil {
		return use, err
	}
	if len(following) > 0 {
		use.Next, use.More = following[0], len(following) > 1
	}
	if err := h.db.Reader(ctx).Raw(enabled+"AND v.check_order <= ? ORDER BY v.check_order DESC LIMIT 1", resource, last.CheckOrder).Scan(&use.Fallback).Error; err != nil {
		return use, err
	}
	use.Passed, err = h.passed(ctx, last.ID)
	return use, err
}

// passed gives, by job, the upstream builds of the job's newest build with the version.
func (h history) passed(ctx context.Context, version int64) (map[int64]algorithm.Order, error) {
	var rows []struct{ JobID, Original, ID int64 }
	err := h.db.Reader(ctx).Raw(`SELECT u.job_id, u.original, u.id FROM ci_build_pipes p JOIN ci_builds u ON u.id = p.upstream_id
		WHERE p.build_id = (SELECT MAX(build_id) FROM ci_build_versions WHERE version_id = ? AND job_id = ? AND direction = 'in')`,
		version, h.job).Scan(&rows).Error
	out := map[int64]algorithm.Order{}
	for _, r := range rows {
		if at := (algorithm.Order{Original: r.Original, ID: r.ID}); out[r.JobID].Before(at) {
			out[r.JobID] = at
		}
	}
	return out, err
}

// Builds gives a page of succeeded builds with what they put and got.
func (h history) Builds(ctx context.Context, q algorithm.Query) ([]algorithm.Build, error) {
	text := "SELECT b.id, b.original FROM ci_builds b WHERE b.job_id = ? AND b.status = 'succeeded'"
	args := []any{q.Job}
	for _, has := range q.Has {
		text += " AND EXISTS (SELECT 1 FROM ci_build_versions v WHERE v.version_id = ? AND v.job_id = b.job_id AND v.build_id = b.id)"
		args = append(args, has.Version)
	}
	if q.After != (algorithm.Order{}) {
		text += " AND (b.original > ? OR b.original = ? AND b.id > ?)"
		args = append(args, q.After.Original, q.After.Original, q.After.ID)
	}
	if q.Before != (algorithm.Order{}) {
		text += " AND (b.original < ? OR b.original = ? AND b.id < ?)"
		args = append(args, q.Before.Original, q.Before.Original, q.Before.ID)
	}
	if q.OldestFirst {
		text += " ORDER BY b.original, b.id LIMIT ?"
	} else {
		text += " ORDER BY b.original DESC, b.id DESC LIMIT ?"
	}
	var rows []struct{ ID, Original int64 }
	if err := h.db.Reader(ctx).Raw(text, append(args, q.Limit)...).Scan(&rows).Error; err != nil || len(rows) == 0 {
		return nil, err
	}
	builds := make([]algorithm.Build, len(rows))
	ids := make([]int64, len(rows))
	for i, r := range rows {
		builds[i].Order = algorithm.Order{Original: r.Original, ID: r.ID}
		ids[i] = r.ID
	}
	return builds, h.outputs(ctx, ids, builds)
}

// outputs fills in the versions: puts before gets, only enabled ones of the current scope.
func (h history) outputs(ctx context.Context, ids []int64, builds []algorithm.Build) error {
	var rows []struct{ BuildID, ResourceID, VersionID int64 }
	err := h.db.Reader(ctx).Raw(`SELECT b.build_id, b.resource_id, b.version_id FROM ci_build_versions b
		JOIN ci_versions v ON v.id = b.version_id JOIN ci_resources r ON r.id = v.resource_id AND r.scope = v.scope
		WHERE b.build_id IN ? AND v.enabled ORDER BY b.direction DESC, b.name`, ids).Scan(&rows).Error
	for _, r := range rows {
		i := slices.Index(ids, r.BuildID)
		builds[i].Outputs = append(builds[i].Outputs, algorithm.Output{Resource: r.ResourceID, Version: r.VersionID})
	}
	return err
}

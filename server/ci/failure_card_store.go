package ci

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

func (s store) insertFingerprint(ctx context.Context, build int64, words string) error {
	return s.db.Writer(ctx).Exec("INSERT INTO ci_build_failures (build_id, fingerprint) VALUES (?, ?) ON CONFLICT (build_id) DO NOTHING", build, words).Error
}

// fingerprintOf is "" for builds that have none.
func (s store) fingerprintOf(ctx context.Context, build int64) (words string, err error) {
	err = s.db.Reader(ctx).Raw("SELECT COALESCE(MAX(fingerprint), '') FROM ci_build_failures WHERE build_id = ?", build).Scan(&words).Error
	return words, err
}

// countSameFailure looks at the last builds of the job before one; aborted ones tell nothing.
func (s store) countSameFailure(ctx context.Context, job, before int64, words string) (sameFailure, error) {
	var out sameFailure
	err := s.db.Reader(ctx).Raw(`SELECT COUNT(f.build_id), COUNT(*) FROM
			(SELECT id FROM ci_builds WHERE job_id = ? AND id < ? AND status IN ('succeeded', 'failed', 'errored') ORDER BY id DESC LIMIT ?) b
		LEFT JOIN ci_build_failures f ON f.build_id = b.id AND f.fingerprint = ?`, job, before, comparedBuilds, words).Row().Scan(&out.Count, &out.Of)
	return out, err
}

// firstBad is the oldest build with the failure since the job last succeeded; nil
// when no build before has it.
func (s store) firstBad(ctx context.Context, job, before int64, words string) (*ref, error) {
	var rows []ref
	err := s.db.Reader(ctx).Raw(`SELECT b.id, b.name FROM ci_builds b JOIN ci_build_failures f ON f.build_id = b.id AND f.fingerprint = ?
		WHERE b.job_id = ? AND b.id < ? AND b.id > COALESCE((SELECT MAX(o.id) FROM ci_builds o WHERE o.job_id = ? AND o.id < ? AND o.status = 'succeeded'), 0)
		ORDER BY b.id LIMIT 1`, words, job, before, job, before).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// maxSiblings bounds how many builds of the same inputs are looked at.
const maxSiblings = 50

// siblings are other builds of the job that took exactly the same versions under the
// same values, newest first. Of builds without inputs only reruns count: what they
// have built before may have been anything.
func (s store) siblings(ctx context.Context, b buildRow) ([]int64, error) {
	var ids []int64
	err := s.db.Reader(ctx).Raw(`SELECT id FROM ci_builds WHERE job_id = ? AND id <> ? AND original = ?
		UNION SELECT o.build_id FROM ci_build_versions v JOIN ci_build_versions o ON o.version_id = v.version_id AND o.job_id = v.job_id
			AND o.direction = 'in' AND o.name = v.name
		WHERE v.build_id = ? AND v.direction = 'in' AND o.build_id <> v.build_id ORDER BY 1 DESC LIMIT ?`, b.JobID, b.ID, b.Original, b.ID, maxSiblings).Scan(&ids).Error
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	taken, err := s.takenBy(ctx, append(ids, b.ID))
	return slices.DeleteFunc(ids, func(id int64) bool { return taken[id] != taken[b.ID] }), err
}

// takenBy writes down, for each build, what it was given.
func (s store) takenBy(ctx context.Context, builds []int64) (map[int64]string, error) {
	var rows []struct {
		BuildID int64
		Name    string
		Value   string
	}
	// Secret values are sealed, each time differently, and so cannot be compared.
	err := s.db.Reader(ctx).Raw(`SELECT build_id, 'v ' || name AS name, CAST(version_id AS TEXT) AS value FROM ci_build_versions WHERE build_id IN ? AND direction = 'in'
		UNION ALL SELECT build_id, 'i ' || name AS name, value FROM ci_run_inputs WHERE build_id IN ? ORDER BY 1, 2, 3`, builds, builds).Scan(&rows).Error
	texts := map[int64]*strings.Builder{}
	for _, r := range rows {
		if texts[r.BuildID] == nil {
			texts[r.BuildID] = &strings.Builder{}
		}
		fmt.Fprintf(texts[r.BuildID], "%q=%q\n", r.Name, r.Value)
	}
	out := make(map[int64]string, len(texts))
	for id, text := range texts {
		out[id] = text.String()
	}
	return out, err
}

// passedWithSameInputs reports whether what failed in the build has succeeded elsewhere.
func (s store) passedWithSameInputs(ctx context.Context, b buildRow) (bool, error) {
	ids, err := s.siblings(ctx, b)
	if err != nil || len(ids) == 0 {
		return false, err
	}
	var n int
	err = s.db.Reader(ctx).Raw("SELECT COUNT(*) FROM ci_builds WHERE id IN ? AND status = 'succeeded'", ids).Scan(&n).Error
	return n > 0, err
}

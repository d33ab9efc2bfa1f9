package ci

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/signalbox/signalbox/server/ci/junit"
)

// testFailureRow is a case that failed or errored.
type testFailureRow struct {
	BuildID    int64 `gorm:"primaryKey"`
	Place      int64 `gorm:"primaryKey;autoIncrement:false"`
	CaseKey    string
	Suite      string
	Class      string
	Name       string
	State      junit.State
	DurationMS int64
	Message    string
	Output     string
	File       string
	Line       int64
	SinceID    int64
	Flaky      bool
}

func (testFailureRow) TableName() string { return "ci_test_failures" }

// testOthersRow is a chunk of the other cases.
type testOthersRow struct {
	BuildID int64 `gorm:"primaryKey"`
	Chunk   int64 `gorm:"primaryKey;autoIncrement:false"`
	Cases   int64
	Data    []byte
}

func (testOthersRow) TableName() string { return "ci_test_others" }

// batch is how many rows or keys go into one statement.
const batch = 500

func (s store) setReportSums(ctx context.Context, build int64, sums reportSums) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_build_outputs SET total = ?, passed = ?, failed = ?, errored = ?, skipped = ?, duration_ms = ? WHERE build_id = ?",
		sums.Total, sums.Passed, sums.Failed, sums.Errored, sums.Skipped, sums.DurationMS, build).Error
}

// reportSums are zero for builds without reports.
func (s store) reportSums(ctx context.Context, build int64) (sums reportSums, err error) {
	err = s.db.Reader(ctx).Raw("SELECT total, passed, failed, errored, skipped, duration_ms FROM ci_build_outputs WHERE build_id = ?", build).Scan(&sums).Error
	return sums, err
}

func (s store) insertCases(ctx context.Context, bad []testFailureRow, chunks []testOthersRow) error {
	for part := range slices.Chunk(bad, batch) {
		if err := s.db.Writer(ctx).Create(&part).Error; err != nil {
			return err
		}
	}
	for _, c := range chunks {
		if err := s.db.Writer(ctx).Create(&c).Error; err != nil {
			return err
		}
	}
	return nil
}

// streaks are the first builds of the job since which cases have not passed.
func (s store) streaks(ctx context.Context, job int64) (map[string]int64, error) {
	var rows []struct {
		CaseKey string
		SinceID int64
	}
	err := s.db.Writer(ctx).Raw("SELECT case_key, since_id FROM ci_test_streaks WHERE job_id = ?", job).Scan(&rows).Error
	out := make(map[string]int64, len(rows))
	for _, r := range rows {
		out[r.CaseKey] = r.SinceID
	}
	return out, err
}

func (s store) changeStreaks(ctx context.Context, job int64, since map[string]int64, ended []string) error {
	for _, key := range slices.Sorted(maps.Keys(since)) {
		err := s.db.Writer(ctx).Exec(`INSERT INTO ci_test_streaks (job_id, case_key, since_id) VALUES (?, ?, ?)
			ON CONFLICT (job_id, case_key) DO UPDATE SET since_id = excluded.since_id`, job, key, since[key]).Error
		if err != nil {
			return err
		}
	}
	for keys := range slices.Chunk(ended, batch) {
		if err := s.db.Writer(ctx).Exec("DELETE FROM ci_test_streaks WHERE job_id = ? AND case_key IN ?", job, keys).Error; err != nil {
			return err
		}
	}
	return nil
}

// markFlaky marks the failures of a build whose cases are among the keys.
func (s store) markFlaky(ctx context.Context, build int64, keys map[caseKey]bool) error {
	var rows []testFailureRow
	if err := s.db.Writer(ctx).Select("place", "suite", "class", "name").Where("build_id = ? AND NOT flaky", build).Find(&rows).Error; err != nil {
		return err
	}
	var places []int64
	for _, r := range rows {
		if keys[keyOf(r.Suite, r.Class, r.Name)] {
			places = append(places, r.Place)
		}
	}
	for part := range slices.Chunk(places, batch) {
		if err := s.db.Writer(ctx).Exec("UPDATE ci_test_failures SET flaky = ? WHERE build_id = ? AND place IN ?", true, build, part).Error; err != nil {
			return err
		}
	}
	return nil
}

// failureHeads are a build's failures without their texts, in order.
func (s store) failureHeads(ctx context.Context, build int64) ([]testFailureRow, error) {
	var rows []testFailureRow
	err := s.db.Reader(ctx).Select("place", "suite", "class", "name", "state").Where("build_id = ?", build).Order("place").Find(&rows).Error
	return rows, err
}

// listedFailure has the name of the build since which the case fails, "" when that is gone.
type listedFailure struct {
	Row       testFailureRow `gorm:"embedded"`
	SinceName string
}

func (s store) testFailures(ctx context.Context, build int64, places []int64) ([]listedFailure, error) {
	if len(places) == 0 {
		return nil, nil
	}
	var rows []listedFailure
	err := s.db.Reader(ctx).Raw(`SELECT f.*, COALESCE(b.name, '') AS since_name FROM ci_test_failures f LEFT JOIN ci_builds b ON b.id = f.since_id
		WHERE f.build_id = ? AND f.place IN ? ORDER BY f.place`, build, places).Scan(&rows).Error
	return rows, err
}

// testChunks are those of a build without their data.
func (s store) testChunks(ctx context.Context, build int64) ([]testOthersRow, error) {
	var rows []testOthersRow
	err := s.db.Reader(ctx).Select("build_id", "chunk", "cases").Where("build_id = ?", build).Order("chunk").Find(&rows).Error
	return rows, err
}

func (s store) testChunk(ctx context.Context, build, chunk int64) ([]byte, error) {
	var row testOthersRow
	err := s.db.Reader(ctx).Where("build_id = ? AND chunk = ?", build, chunk).Take(&row).Error
	return row.Data, err
}

// eachQuiet calls fn for the cases of a build that did not fail.
func (s store) eachQuiet(ctx context.Context, build int64, fn func(quietCase) bool) error {
	chunks, err := s.testChunks(ctx, build)
	for _, c := range chunks {
		data, err := s.testChunk(ctx, build, c.Chunk)
		if err == nil {
			err = unpack(data, fn)
		}
		if err != nil {
			return fmt.Errorf("read the test cases of build %d: %w", build, err)
		}
	}
	return err
}

// failingCasesOf are for the annotations of a commit.
func (s store) failingCasesOf(ctx context.Context, build int64, limit int) ([]failingCase, error) {
	var rows []testFailureRow
	err := s.db.Reader(ctx).Select("class", "name", "message", "file", "line").Where("build_id = ?", build).Order("place").Limit(limit).Find(&rows).Error
	var out []failingCase
	for _, r := range rows {
		name := r.Name
		if r.Class != "" && r.Class != r.Name {
			name = r.Class + "." + r.Name
		}
		out = append(out, failingCase{Name: name, Message: r.Message, File: r.File, Line: int(r.Line)})
	}
	return out, err
}

// outcome tells whether a build has test cases and components.
func (s store) outcome(ctx context.Context, build int64) (reports, components bool, err error) {
	err = s.db.Reader(ctx).Raw(`SELECT EXISTS (SELECT 1 FROM ci_build_outputs WHERE build_id = ? AND total > 0),
		EXISTS (SELECT 1 FROM ci_build_sboms WHERE build_id = ?)`, build, build).Row().Scan(&reports, &components)
	return reports, components, err
}

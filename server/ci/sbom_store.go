package ci

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	onconflict "gorm.io/gorm/clause"

	"github.com/signalbox/signalbox/server/ci/sbom"
)

type componentRow struct {
	ID        int64 `gorm:"primaryKey"`
	TeamID    int64
	Digest    string
	Name      string
	ShortName string
	FullName  string
	Namespace string
	Version   string
	PURL      string `gorm:"column:purl"`
	Type      string
	Licenses  string
}

func (componentRow) TableName() string { return "ci_components" }

type listedComponentRow struct {
	SBOMID      int64 `gorm:"column:sbom_id;primaryKey;autoIncrement:false"`
	ComponentID int64 `gorm:"primaryKey;autoIncrement:false"`
}

func (listedComponentRow) TableName() string { return "ci_sbom_components" }

// saveComponents gives a build a list, which is stored when no build has an equal one.
func (s store) saveComponents(ctx context.Context, b buildRow, list componentList) error {
	id, err := s.componentListID(ctx, b.TeamID, list.Digest)
	if err == nil && id == 0 {
		id, err = s.insertComponentList(ctx, b.TeamID, list)
	}
	if err != nil {
		return err
	}
	return s.db.Writer(ctx).Exec("INSERT INTO ci_build_sboms (build_id, path, sbom_id) VALUES (?, ?, ?) ON CONFLICT (build_id, path) DO NOTHING", b.ID, list.Path, id).Error
}

// componentListID is 0 when there is none.
func (s store) componentListID(ctx context.Context, team int64, digest string) (id int64, err error) {
	err = s.db.Writer(ctx).Raw("SELECT COALESCE(MAX(id), 0) FROM ci_sboms WHERE team_id = ? AND digest = ?", team, digest).Scan(&id).Error
	return id, err
}

func (s store) insertComponentList(ctx context.Context, team int64, list componentList) (int64, error) {
	ids, err := s.insertComponents(ctx, team, list.Components)
	if err != nil {
		return 0, err
	}
	if err := s.db.Writer(ctx).Exec("INSERT INTO ci_sboms (team_id, digest) VALUES (?, ?) ON CONFLICT (team_id, digest) DO NOTHING", team, list.Digest).Error; err != nil {
		return 0, err
	}
	id, err := s.componentListID(ctx, team, list.Digest)
	if err != nil {
		return 0, err
	}
	for part := range slices.Chunk(ids, batch) {
		rows := make([]listedComponentRow, len(part))
		for i, component := range part {
			rows[i] = listedComponentRow{id, component}
		}
		if err := s.db.Writer(ctx).Clauses(onconflict.OnConflict{DoNothing: true}).Create(&rows).Error; err != nil {
			return 0, err
		}
	}
	return id, nil
}

// insertComponents stores those that are new and gives the ids of all. Everybody
// inserts in the same order, so that two who store the same do not wait for each other.
func (s store) insertComponents(ctx context.Context, team int64, list []componentRow) ([]int64, error) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b componentRow) int { return cmp.Compare(a.Digest, b.Digest) })
	ids := make([]int64, 0, len(list))
	for part := range slices.Chunk(list, batch) {
		if err := s.db.Writer(ctx).Clauses(onconflict.OnConflict{DoNothing: true}).Create(&part).Error; err != nil {
			return nil, err
		}
		digests := make([]string, len(part))
		for i, c := range part {
			digests[i] = c.Digest
		}
		var found []int64
		if err := s.db.Writer(ctx).Raw("SELECT id FROM ci_components WHERE team_id = ? AND digest IN ?", team, digests).Scan(&found).Error; err != nil {
			return nil, err
		}
		if len(found) != len(part) { // the reaper took some meanwhile: the collector tries again
			return nil, fmt.Errorf("%d of %d components are there", len(found), len(part))
		}
		ids = append(ids, found...)
	}
	return ids, nil
}

// componentRows are those of all lists of a build, each once.
func (s store) componentRows(ctx context.Context, build int64) ([]componentRow, error) {
	var rows []componentRow
	err := s.db.Reader(ctx).Raw(`SELECT * FROM ci_components WHERE id IN (SELECT c.component_id FROM ci_build_sboms b JOIN ci_sbom_components c ON c.sbom_id = b.sbom_id
		WHERE b.build_id = ?) ORDER BY short_name, full_name, version, id`, build).Scan(&rows).Error
	return rows, err
}

// componentsNamed finds them by name or full name, in lower case.
func (s store) componentsNamed(ctx context.Context, team int64, name string) ([]componentRow, error) {
	var rows []componentRow
	err := s.db.Reader(ctx).Raw("SELECT * FROM ci_components WHERE team_id = ? AND (short_name = ? OR full_name = ?)", team, name, name).Scan(&rows).Error
	return rows, err
}

// buildWith is a build that contains a component.
type buildWith struct {
	ComponentID  int64
	ID           int64
	Name         string
	Status       Status
	EndedAt      millis
	JobName      string
	PipelineName string
	InstanceVars string
	// NewestID is the newest build of the job of which components are known.
	NewestID int64
}

// buildsWith lists the builds of components, at most maxPackages of each batch.
func (s store) buildsWith(ctx context.Context, components map[int64]sbom.Component) ([]buildWith, error) {
	var out []buildWith
	for part := range slices.Chunk(slices.Sorted(maps.Keys(components)), batch) {
		var rows []buildWith
		err := s.db.Reader(ctx).Raw(`SELECT f.* FROM (SELECT DISTINCT c.component_id, b.id, b.name, b.status, b.ended_at, j.name AS job_name, p.name AS pipeline_name, p.instance_vars,
				(SELECT MAX(n.id) FROM ci_builds n JOIN ci_build_sboms k ON k.build_id = n.id WHERE n.job_id = b.job_id) AS newest_id
			FROM ci_sbom_components c JOIN ci_build_sboms l ON l.sbom_id = c.sbom_id JOIN ci_builds b ON b.id = l.build_id
			JOIN ci_jobs j ON j.id = b.job_id JOIN ci_pipelines p ON p.id = b.pipeline_id
			WHERE c.component_id IN ?) f
			ORDER BY CASE WHEN f.newest_id = f.id THEN 1 ELSE 0 END DESC, f.id DESC LIMIT ?`, part, maxPackages).Scan(&rows).Error
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// reapComponents forgets lists that no build has and components that no list has.
func (s store) reapComponents(ctx context.Context) error {
	if err := s.db.Writer(ctx).Exec("DELETE FROM ci_sboms WHERE NOT EXISTS (SELECT 1 FROM ci_build_sboms b WHERE b.sbom_id = ci_sboms.id)").Error; err != nil {
		return err
	}
	return s.db.Writer(ctx).Exec("DELETE FROM ci_components WHERE NOT EXISTS (SELECT 1 FROM ci_sbom_components l WHERE l.component_id = ci_components.id)").Error
}

package issues

import (
	"context"

	"github.com/signalbox/signalbox/server/issues/sourcemap"
	"github.com/signalbox/signalbox/server/platform/database"
)

type chunkRow struct {
	TeamID    int64
	SHA1      string `gorm:"column:sha1"`
	SHA256    string `gorm:"column:sha256"`
	Size      int64
	CreatedAt int64
}

func (chunkRow) TableName() string { return "issues_chunks" }

// insertChunk keeps a piece; one that came again lives as long as a new one.
func (r rows) insertChunk(ctx context.Context, c chunkRow) error {
	return r.db.Writer(ctx).Exec(`INSERT INTO issues_chunks (team_id, sha1, sha256, size, created_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (team_id, sha1) DO UPDATE SET created_at = excluded.created_at`, c.TeamID, c.SHA1, c.SHA256, c.Size, c.CreatedAt).Error
}

func (r rows) chunks(ctx context.Context, team int64, names []string) (map[string]chunkRow, error) {
	out := map[string]chunkRow{}
	for len(names) > 0 {
		n := min(len(names), 10_000)
		var list []chunkRow
		if err := r.db.Reader(ctx).Where("team_id = ? AND sha1 IN ?", team, names[:n]).Find(&list).Error; err != nil {
			return nil, err
		}
		for _, c := range list {
			out[c.SHA1] = c
		}
		names = names[n:]
	}
	return out, nil
}

func (r rows) oldChunks(ctx context.Context, before int64, limit int) ([]chunkRow, error) {
	var list []chunkRow
	err := r.db.Reader(ctx).Where("created_at < ?", before).Limit(limit).Find(&list).Error
	return list, err
}

func (r rows) removeChunk(ctx context.Context, c chunkRow) error {
	return r.db.Writer(ctx).Exec("DELETE FROM issues_chunks WHERE team_id = ? AND sha1 = ?", c.TeamID, c.SHA1).Error
}

type artifactRow struct {
	ID        int64 `gorm:"primaryKey"`
	TeamID    int64
	ProjectID int64
	Kind      string
	Checksum  string
	SHA256    string `gorm:"column:sha256"`
	Size      int64
	Name      string
	Release   string
	Dist      string
	DebugID   string
	Files     int64
	CreatedAt int64
	UsedAt    int64
}

func (artifactRow) TableName() string { return "issues_artifacts" }

type artifactFileRow struct {
	ArtifactID int64
	ProjectID  int64
	Path       string
	URL        string
	Kind       string
	DebugID    string
	SourceMap  string
}

// hasArtifact tells whether every project of the assembly has it. A bundle's
// own release counts when the request names none.
func (r rows) hasArtifact(ctx context.Context, a assembly) (bool, error) {
	ids := make([]int64, len(a.Projects))
	for i, p := range a.Projects {
		ids[i] = p.ID
	}
	q := r.db.Reader(ctx).Table("issues_artifacts").Where("project_id IN ? AND kind = ? AND checksum = ?", ids, a.Kind, a.Checksum)
	if a.Release != "" {
		q = q.Where("release = ? AND dist = ?", a.Release, a.Dist)
	}
	var n int64
	err := q.Distinct("project_id").Count(&n).Error
	return n == int64(len(ids)), err
}

// insertArtifact gives the new id, or 0 when the project has it.
func (r rows) insertArtifact(ctx context.Context, a artifactRow) (id int64, err error) {
	err = r.db.Writer(ctx).Raw(`INSERT INTO issues_artifacts (team_id, project_id, kind, checksum, sha256, size, name, release, dist, debug_id, files, created_at, used_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id`, a.TeamID, a.ProjectID, a.Kind, a.Checksum, a.SHA256, a.Size, a.Name,
		a.Release, a.Dist, a.DebugID, a.Files, a.CreatedAt, a.UsedAt).Scan(&id).Error
	return id, err
}

func (r rows) insertArtifactFiles(ctx context.Context, artifact, project int64, files []sourcemap.BundleFile) error {
	var values []any
	for _, f := range files {
		if wantedFile(f) {
			row := bundleFileRow(artifact, project, f)
			values = append(values, row.ArtifactID, row.ProjectID, row.Path, row.URL, row.Kind, row.DebugID, row.SourceMap)
		}
	}
	return r.insertMany(ctx, "issues_artifact_files (artifact_id, project_id, path, url, kind, debug_id, source_map)", 7, values, "")
}

// uploadedFile is a file of a bundle with where the bundle is.
type uploadedFile struct {
	ArtifactID int64
	ProjectID  int64
	Path       string
	URL        string
	Kind       string
	DebugID    string
	SourceMap  string
	TeamID     int64
	SHA256     string `gorm:"column:sha256"`
	CreatedAt  int64
}

const uploadedColumns = `SELECT f.*, a.team_id, a.sha256, a.created_at FROM issues_artifact_files f JOIN issues_artifacts a ON a.id = f.artifact_id `

// fileByDebugID is the newest upload of a kind with a debug id.
func (r rows) fileByDebugID(ctx context.Context, project int64, debugID, kind string) (f uploadedFile, err error) {
	err = r.db.Reader(ctx).Raw(uploadedColumns+`WHERE f.project_id = ? AND f.debug_id = ? AND f.kind = ? ORDER BY f.artifact_id DESC LIMIT 1`,
		project, debugID, kind).Take(&f).Error
	return f, database.NotFound(err, "No such file has been uploaded.")
}

// filesByURL are the uploads for a release under some addresses, newest first.
func (r rows) filesByURL(ctx context.Context, project int64, release, dist string, urls []string) (list []uploadedFile, err error) {
	err = r.db.Reader(ctx).Raw(uploadedColumns+`WHERE f.project_id = ? AND f.url IN ? AND a.release = ? AND a.dist = ? ORDER BY f.artifact_id DESC LIMIT 10`,
		project, urls, release, dist).Scan(&list).Error
	return list, err
}

// fileOfBundle is the file that another one of its bundle refers to.
func (r rows) fileOfBundle(ctx context.Context, artifact int64, url string) (f uploadedFile, err error) {
	err = r.db.Reader(ctx).Raw(uploadedColumns+`WHERE f.artifact_id = ? AND f.url = ? LIMIT 1`, artifact, url).Take(&f).Error
	return f, database.NotFound(err, "The upload has no %.200s.", url)
}

func (r rows) countUploads(ctx context.Context, project int64, release string) (n int64, err error) {
	err = r.db.Reader(ctx).Table("issues_artifacts").Where("project_id = ? AND release = ? AND kind = ?", project, release, kindBundle).Count(&n).Error
	return n, err
}

func (r rows) touchArtifact(ctx context.Context, id, now int64) error {
	return r.db.Writer(ctx).Exec("UPDATE issues_artifacts SET used_at = ? WHERE id = ?", now, id).Error
}

// artifacts lists a project's uploads of a kind, newest first.
func (r rows) artifacts(ctx context.Context, project int64, kind, release string, offset, limit int) ([]artifactRow, error) {
	q := r.db.Reader(ctx).Where("project_id = ? AND kind = ?", project, kind)
	if release != "" {
		q = q.Where("release = ?", release)
	}
	var list []artifactRow
	err := q.Order("id DESC").Offset(offset).Limit(limit).Find(&list).Error
	return list, err
}

func (r rows) oldArtifacts(ctx context.Context, before int64, limit int) ([]artifactRow, error) {
	var list []artifactRow
	err := r.db.Reader(ctx).Where("used_at < ? OR project_id NOT IN (SELECT id FROM issues_projects)", before).Limit(limit).Find(&list).Error
	return list, err
}

func (r rows) removeArtifact(ctx context.Context, id int64) error {
	return r.db.Writer(ctx).Where("id = ?", id).Delete(&artifactRow{}).Error
}

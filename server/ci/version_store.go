package ci

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/platform/database"
)

type versionRow struct {
	ID         int64 `gorm:"primaryKey"`
	TeamID     int64
	ResourceID int64
	Scope      string
	Digest     string
	Version    string
	Metadata   string
	CheckOrder int64
	Enabled    bool
	Verified   bool
	CreatedAt  millis
	// Untrusted is of a fork, or made by a build that took such a version.
	Untrusted bool
	Withheld  string
}

// Why no build takes a version though nobody disabled it; the words are stored.
const (
	withheldApproval = "approval" // a fork's commit that no member has agreed to
	withheldClosed   = "closed"   // of a pull request that is closed
)

func (versionRow) TableName() string { return "ci_versions" }

func (v versionRow) fields() resource.Version {
	m, _ := decode[resource.Version](v.Version)
	return m
}

func (v versionRow) metadata() []resource.Field {
	m, _ := decode[[]resource.Field](v.Metadata)
	if m == nil {
		m = []resource.Field{}
	}
	return m
}

// versionDigest identifies a version of a resource of the type within its scope. Maps
// are encoded with sorted keys. A pull request's is known by its number and commit:
// a webhook does not tell when the commit was made. former is the digest of all fields.
func versionDigest(kind string, v resource.Version) (text, digest, former string) {
	if v == nil {
		v = resource.Version{}
	}
	text = encode(v)
	former = digestOf(text)
	if kind != pullType {
		return text, former, former
	}
	return text, digestOf(encode(resource.Version{"pr": v["pr"], "commit": v["commit"]})), former
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// latestVersion is the newest, or the newest enabled one; the zero row when there is none.
func (s store) latestVersion(ctx context.Context, r resourceRow, enabledOnly bool) (versionRow, error) {
	var row versionRow
	q := s.db.Reader(ctx).Where("resource_id = ? AND scope = ?", r.ID, r.Scope)
	if enabledOnly {
		q = q.Where("enabled")
	}
	err := q.Order("check_order DESC").Take(&row).Error
	if database.IsNotFound(err) {
		return versionRow{}, nil
	}
	return row, err
}

// latestVersions gives the newest version of each active resource of a pipeline.
func (s store) latestVersions(ctx context.Context, pipeline int64) (map[int64]versionRow, error) {
	var rows []versionRow
	err := s.db.Reader(ctx).Raw(`SELECT v.* FROM ci_resources r JOIN ci_versions v ON v.resource_id = r.id AND v.scope = r.scope
		AND v.check_order = (SELECT MAX(m.check_order) FROM ci_versions m WHERE m.resource_id = r.id AND m.scope = r.scope)
		WHERE r.pipeline_id = ? AND r.active`, pipeline).Scan(&rows).Error
	out := map[int64]versionRow{}
	for _, v := range rows {
		out[v.ResourceID] = v
	}
	return out, err
}

func (s store) version(ctx context.Context, id int64) (versionRow, error) {
	var row versionRow
	err := s.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no version %d.", id)
}

// findVersion is the zero row when the resource has no such version.
func (s store) findVersion(ctx context.Context, r resourceRow, v resource.Version) (versionRow, error) {
	_, digest, former := versionDigest(r.Type, v)
	var row versionRow
	err := s.db.Reader(ctx).Where("resource_id = ? AND scope = ? AND digest IN ?", r.ID, r.Scope, []string{digest, former}).Order("id DESC").Take(&row).Error
	if database.IsNotFound(err) {
		return versionRow{}, nil
	}
	return row, err
}

// versions lists those of the resource's scope, newest first.
func (s store) versions(ctx context.Context, r resourceRow, limit, offset int) ([]versionRow, error) {
	var rows []versionRow
	err := s.db.Reader(ctx).Where("resource_id = ? AND scope = ?", r.ID, r.Scope).Order("check_order DESC").Limit(limit).Offset(offset).Find(&rows).Error
	return rows, err
}

// saved is what saveVersions found out.
type saved struct {
	New bool
	// IDs are those of the versions, in their order.
	IDs []int64
}

// saveVersions stores versions, oldest first, behind all that is known when one
// of them is new: the order of the list is then the order of the resource.
func (s store) saveVersions(ctx context.Context, r resourceRow, versions []resource.Result, verified bool) (saved, error) {
	var out saved
	before, err := s.latestVersion(ctx, r, false)
	if err != nil {
		return out, err
	}
	last, confirmed := int64(0), false
	for _, v := range versions {
		row := versionRow{TeamID: r.TeamID, ResourceID: r.ID, Scope: r.Scope, Metadata: encode(metadata(v.Metadata)), Enabled: true, Verified: verified}
		row.ofFork(r, v.Version)
		text, digest, former := versionDigest(r.Type, v.Version)
		row.Version, row.Digest = text, digest
		id, isNew, wasConfirmed, err := s.saveVersion(ctx, row, former)
		if err != nil {
			return out, err
		}
		out.IDs, out.New, last, confirmed = append(out.IDs, id), out.New || isNew, id, wasConfirmed
	}
	// Pushes may be delivered out of order. A check whose list ends below a version
	// that only a push told of is right, and so is one that ends with such a version.
	// Pull requests have no such order.
	out.New = out.New || verified && r.Type != pullType && before.ID != 0 && before.ID != last && (!before.Verified || confirmed)
	if !out.New {
		return out, nil
	}
	for i, id := range out.IDs {
		if err := s.db.Writer(ctx).Exec("UPDATE ci_versions SET check_order = ? WHERE id = ?", before.CheckOrder+1+int64(i), id).Error; err != nil {
			return out, err
		}
	}
	return out, nil
}

// ofFork notes that nobody of the team wrote the version; builds take it once a
// member has agreed, which lift tells.
func (v *versionRow) ofFork(r resourceRow, version resource.Version) {
	if r.Type == pullType && version[resource.ForkKey] != "" {
		v.Untrusted, v.Enabled, v.Withheld = true, false, withheldApproval
	}
}

// saveVersion reports whether the version is new, and whether only a push had told of it.
func (s store) saveVersion(ctx context.Context, v versionRow, former string) (id int64, isNew, confirmed bool, err error) {
	var known versionRow
	err = s.db.Writer(ctx).Select("id, verified").Where("resource_id = ? AND scope = ? AND digest IN ?", v.ResourceID, v.Scope, []string{v.Digest, former}).
		Order("id DESC").Take(&known).Error
	switch {
	case err == nil && v.Verified && !known.Verified:
		err = s.db.Writer(ctx).Exec("UPDATE ci_versions SET verified = ?, version = ?, metadata = CASE WHEN ? = '[]' THEN metadata ELSE ? END WHERE id = ?",
			true, v.Version, v.Metadata, v.Metadata, known.ID).Error
		return known.ID, false, true, err
	case err == nil || !database.IsNotFound(err):
		return known.ID, false, false, err
	}
	v.CreatedAt = toMillis(s.now())
	err = s.db.Writer(ctx).Create(&v).Error
	return v.ID, true, false, err
}

func metadata(fields []resource.Field) []resource.Field {
	if fields == nil {
		return []resource.Field{}
	}
	return fields
}

func (s store) setMetadata(ctx context.Context, id int64, fields []resource.Field) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_versions SET metadata = ? WHERE id = ?", encode(metadata(fields)), id).Error
}

func (s store) setEnabled(ctx context.Context, id int64, enabled bool) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_versions SET enabled = ?, withheld = CASE WHEN withheld = 'closed' THEN '' ELSE withheld END WHERE id = ?", enabled, id).Error
}

// clearVersions forgets all versions of a resource and tells how many they were.
func (s store) clearVersions(ctx context.Context, r resourceRow) (int64, error) {
	d := s.db.Writer(ctx).Exec("DELETE FROM ci_versions WHERE resource_id = ?", r.ID)
	return d.RowsAffected, d.Error
}

// buildVersionRow is one input or output of a build.
type buildVersionRow struct {
	BuildID    int64
	Direction  string
	Name       string
	ResourceID int64
	VersionID  int64
	JobID      int64
	First      bool
}

func (buildVersionRow) TableName() string { return "ci_build_versions" }

const (
	input  = "in"
	output = "out"
)

func (s store) saveBuildVersion(ctx context.Context, row buildVersionRow) error {
	return s.db.Writer(ctx).Exec(`INSERT INTO ci_build_versions (build_id, direction, name, resource_id, version_id, job_id, first)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, row.BuildID, row.Direction, row.Name, row.ResourceID, row.VersionID, row.JobID, row.First).Error
}

func (s store) saveUpstream(ctx context.Context, build, upstream int64) error {
	return s.db.Writer(ctx).Exec("INSERT INTO ci_build_pipes (build_id, upstream_id) VALUES (?, ?) ON CONFLICT DO NOTHING", build, upstream).Error
}

// usedVersion is an input or output with what it stands for.
type usedVersion struct {
	BuildID      int64
	Direction    string
	Name         string
	ResourceID   int64
	VersionID    int64
	First        bool
	ResourceName string
	Type         string
	Version      string
	Metadata     string
}

// buildVersions lists inputs, then outputs, of builds.
func (s store) buildVersions(ctx context.Context, builds ...int64) ([]usedVersion, error) {
	var rows []usedVersion
	err := s.db.Reader(ctx).Raw(`SELECT b.build_id, b.direction, b.name, b.resource_id, b.version_id, b.first,
		r.name AS resource_name, r.type, v.version, v.metadata
		FROM ci_build_versions b JOIN ci_resources r ON r.id = b.resource_id JOIN ci_versions v ON v.id = b.version_id
		WHERE b.build_id IN ? ORDER BY b.direction, b.name, b.version_id`, builds).Scan(&rows).Error
	return rows, err
}

// buildsUsing lists builds that took or made a version, newest first.
func (s store) buildsUsing(ctx context.Context, version int64, direction string, limit int) ([]buildRow, error) {
	var rows []buildRow
	err := s.db.Reader(ctx).Raw(`SELECT DISTINCT `+listColumns+` FROM ci_build_versions v JOIN ci_builds b ON b.id = v.build_id
		WHERE v.version_id = ? AND v.direction = ? ORDER BY b.id DESC LIMIT ?`, version, direction, limit).Scan(&rows).Error
	return rows, err
}

// filterVersions lists versions that have all the wanted fields, newest first.
// Versions are small maps of the type's own keys, so they are looked through here
// and not in SQL, whose JSON differs between the databases.
func (s store) filterVersions(ctx context.Context, r resourceRow, wanted map[string]string, limit, offset int) ([]versionRow, error) {
	const page = 500
	var out []versionRow
	for at := 0; ; at += page {
		rows, err := s.versions(ctx, r, page, at)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if !hasFields(row.fields(), wanted) {
				continue
			}
			if offset > 0 {
				offset--
				continue
			}
			if out = append(out, row); len(out) == limit {
				return out, nil
			}
		}
		if len(rows) < page {
			return out, nil
		}
	}
}

func hasFields(have, wanted map[string]string) bool {
	for k, v := range wanted {
		if have[k] != v {
			return false
		}
	}
	return true
}

// commitInput is an input that came from a repository.
type commitInput struct {
	Repository string
	Version    string
	VersionID  int64
	// Name is that of the input, which tasks see the repository below.
	Name     string
	Type     string
	Resource string
}

// shownBeside is the metadata of a version.
func (s store) shownBeside(ctx context.Context, version int64) ([]resource.Field, error) {
	var row versionRow
	err := s.db.Reader(ctx).Select("metadata").Where("id = ?", version).Take(&row).Error
	return row.metadata(), err
}

// takesCommits reports whether a build has such inputs.
func (s store) takesCommits(ctx context.Context, build int64) (bool, error) {
	rows, err := s.commitInputs(ctx, build)
	return len(rows) > 0, err
}

func (s store) commitInputs(ctx context.Context, build int64) ([]commitInput, error) {
	var rows []commitInput
	err := s.db.Reader(ctx).Raw(`SELECT DISTINCT r.repository, v.version, v.id AS version_id, b.name, r.type, r.name AS resource FROM ci_build_versions b JOIN ci_resources r ON r.id = b.resource_id
		JOIN ci_versions v ON v.id = b.version_id WHERE b.build_id = ? AND b.direction = 'in' AND r.repository <> ''`, build).Scan(&rows).Error
	return rows, err
}

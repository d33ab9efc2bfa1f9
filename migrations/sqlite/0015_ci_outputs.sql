-- +goose Up
-- One row per build whose outputs were looked through.
CREATE TABLE ci_build_outputs (
    build_id BIGINT PRIMARY KEY REFERENCES ci_builds(id) ON DELETE CASCADE,
    team_id BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    -- Test cases by how they ended; all of them 0 when there was no report.
    total BIGINT NOT NULL DEFAULT 0,
    passed BIGINT NOT NULL DEFAULT 0,
    failed BIGINT NOT NULL DEFAULT 0,
    errored BIGINT NOT NULL DEFAULT 0,
    skipped BIGINT NOT NULL DEFAULT 0,
    duration_ms BIGINT NOT NULL DEFAULT 0,
    -- Sentences about what could not be kept (JSON).
    problems TEXT NOT NULL DEFAULT '[]',
    collected_at BIGINT NOT NULL
);
CREATE INDEX ci_build_outputs_job ON ci_build_outputs(job_id, build_id);
-- Cases that failed or errored, one row each.
CREATE TABLE ci_test_failures (
    build_id BIGINT NOT NULL REFERENCES ci_builds(id) ON DELETE CASCADE,
    place BIGINT NOT NULL,
    -- Hash of suite, class and name.
    case_key TEXT NOT NULL,
    suite TEXT NOT NULL,
    class TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    duration_ms BIGINT NOT NULL,
    message TEXT NOT NULL,
    output TEXT NOT NULL,
    file TEXT NOT NULL,
    line BIGINT NOT NULL,
    -- The first build of the job since which it has not passed.
    since_id BIGINT NOT NULL,
    -- It passed in another build of the same inputs, or in another try of this one.
    flaky BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (build_id, place)
);
-- Cases that passed or were skipped, some thousands in a row: gzip of JSON lines.
CREATE TABLE ci_test_others (
    build_id BIGINT NOT NULL REFERENCES ci_builds(id) ON DELETE CASCADE,
    chunk BIGINT NOT NULL,
    cases BIGINT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (build_id, chunk)
);
-- What fails in a job at the moment.
CREATE TABLE ci_test_streaks (
    job_id BIGINT NOT NULL REFERENCES ci_jobs(id) ON DELETE CASCADE,
    case_key TEXT NOT NULL,
    since_id BIGINT NOT NULL,
    PRIMARY KEY (job_id, case_key)
);
-- Files kept for download; their bytes are blobs. No reference to the build: the
-- collector gives the bytes back before the row goes.
CREATE TABLE ci_kept_artifacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL,
    build_id BIGINT NOT NULL,
    path TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- 0 is never.
    expires_at BIGINT NOT NULL,
    UNIQUE (build_id, path)
);
CREATE INDEX ci_kept_artifacts_expiry ON ci_kept_artifacts(expires_at) WHERE expires_at > 0;
-- Components; builds with equal lists share one.
CREATE TABLE ci_sboms (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL,
    digest TEXT NOT NULL,
    UNIQUE (team_id, digest)
);
CREATE TABLE ci_components (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL,
    digest TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Name and full name in lower case, which are searched.
    short_name TEXT NOT NULL,
    full_name TEXT NOT NULL,
    namespace TEXT NOT NULL,
    version TEXT NOT NULL,
    purl TEXT NOT NULL,
    type TEXT NOT NULL,
    licenses TEXT NOT NULL,
    UNIQUE (team_id, digest)
);
CREATE INDEX ci_components_short ON ci_components(team_id, short_name);
CREATE INDEX ci_components_full ON ci_components(team_id, full_name);
CREATE TABLE ci_sbom_components (
    sbom_id BIGINT NOT NULL REFERENCES ci_sboms(id) ON DELETE CASCADE,
    component_id BIGINT NOT NULL REFERENCES ci_components(id) ON DELETE CASCADE,
    PRIMARY KEY (sbom_id, component_id)
);
CREATE INDEX ci_sbom_components_component ON ci_sbom_components(component_id);
CREATE TABLE ci_build_sboms (
    build_id BIGINT NOT NULL REFERENCES ci_builds(id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    sbom_id BIGINT NOT NULL REFERENCES ci_sboms(id) ON DELETE CASCADE,
    PRIMARY KEY (build_id, path)
);
CREATE INDEX ci_build_sboms_sbom ON ci_build_sboms(sbom_id);
-- How a build failed, for "the same failure in 3 of the last 10".
CREATE TABLE ci_build_failures (
    build_id BIGINT PRIMARY KEY REFERENCES ci_builds(id) ON DELETE CASCADE,
    -- Hash of the step and of its last words without numbers and times.
    fingerprint TEXT NOT NULL
);

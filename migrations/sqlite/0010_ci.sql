-- +goose Up
-- Times are Unix milliseconds; 0 means never. References of 0 mean none.
CREATE TABLE ci_pipelines (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    -- JSON with sorted keys, '' when it has none.
    instance_vars TEXT NOT NULL DEFAULT '',
    -- What runs (JSON), and the text it was made from.
    config TEXT NOT NULL,
    source TEXT NOT NULL DEFAULT '',
    version BIGINT NOT NULL DEFAULT 1,
    paused BOOLEAN NOT NULL DEFAULT TRUE,
    paused_by TEXT NOT NULL DEFAULT '',
    paused_at BIGINT NOT NULL DEFAULT 0,
    public BOOLEAN NOT NULL DEFAULT FALSE,
    archived BOOLEAN NOT NULL DEFAULT FALSE,
    ordering BIGINT NOT NULL DEFAULT 0,
    parent_job_id BIGINT NOT NULL DEFAULT 0,
    parent_build_id BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL DEFAULT '',
    UNIQUE (team_id, name, instance_vars)
);
CREATE TABLE ci_jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL,
    pipeline_id BIGINT NOT NULL REFERENCES ci_pipelines(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- False once the configuration has it no more: its builds stay.
    active BOOLEAN NOT NULL DEFAULT TRUE,
    ordering BIGINT NOT NULL DEFAULT 0,
    paused BOOLEAN NOT NULL DEFAULT FALSE,
    paused_by TEXT NOT NULL DEFAULT '',
    paused_at BIGINT NOT NULL DEFAULT 0,
    build_number BIGINT NOT NULL DEFAULT 0,
    -- The scheduler looks at the job while requested <> scheduled; both count.
    schedule_requested BIGINT NOT NULL DEFAULT 0,
    scheduled BIGINT NOT NULL DEFAULT 0,
    has_new_inputs BOOLEAN NOT NULL DEFAULT FALSE,
    -- Why inputs could not be resolved: JSON object, input name to reason.
    input_errors TEXT NOT NULL DEFAULT '{}',
    -- The newest ended build that is no rerun of an older one, and the oldest that has not ended.
    finished_build_id BIGINT NOT NULL DEFAULT 0,
    next_build_id BIGINT NOT NULL DEFAULT 0,
    UNIQUE (pipeline_id, name)
);
CREATE INDEX ci_jobs_due ON ci_jobs(pipeline_id) WHERE schedule_requested <> scheduled;
CREATE TABLE ci_resources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL,
    pipeline_id BIGINT NOT NULL REFERENCES ci_pipelines(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    active BOOLEAN NOT NULL DEFAULT TRUE,
    -- Hash of type and source; versions of another scope are not shown.
    scope TEXT NOT NULL,
    -- host/owner/name in lower case of what a git resource watches, '' otherwise.
    repository TEXT NOT NULL DEFAULT '',
    pinned_version_id BIGINT NOT NULL DEFAULT 0,
    pin_comment TEXT NOT NULL DEFAULT '',
    pinned_by TEXT NOT NULL DEFAULT '',
    -- Milliseconds between two checks; 0 means only when asked for.
    check_every BIGINT NOT NULL DEFAULT 60000,
    -- When it is checked next; 1 means that somebody asked for it.
    next_check_at BIGINT NOT NULL DEFAULT 0,
    -- A job has it as a triggering input, so it is polled for ever.
    triggers BOOLEAN NOT NULL DEFAULT FALSE,
    -- The version to check from (JSON) when it is not the latest.
    check_from TEXT NOT NULL DEFAULT '',
    check_started_at BIGINT NOT NULL DEFAULT 0,
    check_ended_at BIGINT NOT NULL DEFAULT 0,
    check_error TEXT NOT NULL DEFAULT '',
    check_build_id BIGINT NOT NULL DEFAULT 0,
    UNIQUE (pipeline_id, name)
);
CREATE INDEX ci_resources_due ON ci_resources(next_check_at) WHERE next_check_at > 0 AND active;
CREATE INDEX ci_resources_repository ON ci_resources(team_id, repository) WHERE repository <> '';
CREATE TABLE ci_versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL,
    resource_id BIGINT NOT NULL REFERENCES ci_resources(id) ON DELETE CASCADE,
    scope TEXT NOT NULL,
    -- SHA-256 of version, which is JSON with sorted keys.
    digest TEXT NOT NULL,
    version TEXT NOT NULL,
    metadata TEXT NOT NULL DEFAULT '[]',
    check_order BIGINT NOT NULL,
    enabled BOOLEAN NOT NULL DEFAULT TRUE,
    -- False while only a push said so and no check has seen it.
    verified BOOLEAN NOT NULL DEFAULT TRUE,
    created_at BIGINT NOT NULL,
    UNIQUE (resource_id, scope, digest)
);
CREATE INDEX ci_versions_order ON ci_versions(resource_id, scope, check_order);
CREATE TABLE ci_image_checks (
    team_id BIGINT NOT NULL,
    -- Hash of type, interpolated source and the images of custom types.
    config TEXT NOT NULL,
    started_at BIGINT NOT NULL DEFAULT 0,
    ended_at BIGINT NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    latest TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (team_id, config)
);
CREATE TABLE ci_builds (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL,
    pipeline_id BIGINT NOT NULL DEFAULT 0,
    job_id BIGINT NOT NULL DEFAULT 0,
    resource_id BIGINT NOT NULL DEFAULT 0,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    manual BOOLEAN NOT NULL DEFAULT FALSE,
    created_by TEXT NOT NULL DEFAULT '',
    cause TEXT NOT NULL DEFAULT '',
    comment TEXT NOT NULL DEFAULT '',
    rerun_of BIGINT NOT NULL DEFAULT 0,
    rerun_number BIGINT NOT NULL DEFAULT 0,
    -- Place among the builds of the job: the id of the original.
    original BIGINT NOT NULL DEFAULT 0,
    -- JSON; '' until the build starts.
    plan TEXT NOT NULL DEFAULT '',
    inputs_ready BOOLEAN NOT NULL DEFAULT FALSE,
    abort_requested BOOLEAN NOT NULL DEFAULT FALSE,
    -- Why it errored before any step ran.
    message TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    started_at BIGINT NOT NULL DEFAULT 0,
    ended_at BIGINT NOT NULL DEFAULT 0,
    reaped_at BIGINT NOT NULL DEFAULT 0,
    -- Containers and volumes were given back.
    released BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX ci_builds_job ON ci_builds(job_id, id);
CREATE INDEX ci_builds_place ON ci_builds(job_id, original, id);
CREATE INDEX ci_builds_status ON ci_builds(job_id, status, original, id);
CREATE INDEX ci_builds_pipeline ON ci_builds(pipeline_id, id);
CREATE INDEX ci_builds_team ON ci_builds(team_id, id);
CREATE INDEX ci_builds_resource ON ci_builds(resource_id, id);
CREATE INDEX ci_builds_release ON ci_builds(ended_at) WHERE ended_at > 0 AND NOT released;
CREATE TABLE ci_build_versions (
    build_id BIGINT NOT NULL REFERENCES ci_builds(id) ON DELETE CASCADE,
    -- 'in' or 'out'.
    direction TEXT NOT NULL,
    name TEXT NOT NULL,
    resource_id BIGINT NOT NULL,
    version_id BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    -- The job had never had it under this name.
    first BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (build_id, direction, name, version_id)
);
CREATE INDEX ci_build_versions_version ON ci_build_versions(version_id, job_id);
CREATE INDEX ci_build_versions_job ON ci_build_versions(job_id, resource_id, version_id);
CREATE TABLE ci_build_pipes (
    -- Builds of passed jobs that vouched for an input.
    build_id BIGINT NOT NULL REFERENCES ci_builds(id) ON DELETE CASCADE,
    upstream_id BIGINT NOT NULL,
    PRIMARY KEY (build_id, upstream_id)
);
CREATE INDEX ci_build_pipes_upstream ON ci_build_pipes(upstream_id);
CREATE TABLE ci_steps (
    build_id BIGINT NOT NULL REFERENCES ci_builds(id) ON DELETE CASCADE,
    plan_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    attempt TEXT NOT NULL DEFAULT '',
    resource TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL,
    outcome TEXT NOT NULL DEFAULT '',
    container TEXT NOT NULL DEFAULT '',
    dir TEXT NOT NULL DEFAULT '',
    run_as TEXT NOT NULL DEFAULT '',
    volumes TEXT NOT NULL DEFAULT '[]',
    exit_status BIGINT,
    result TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    started_at BIGINT NOT NULL DEFAULT 0,
    ended_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (build_id, plan_id)
);
CREATE INDEX ci_steps_container ON ci_steps(container) WHERE container <> '';
CREATE TABLE ci_resource_caches (
    team_id BIGINT NOT NULL,
    cache_key TEXT NOT NULL,
    volume TEXT NOT NULL,
    type TEXT NOT NULL,
    result TEXT NOT NULL,
    pipeline_id BIGINT NOT NULL DEFAULT 0,
    resource TEXT NOT NULL DEFAULT '',
    used_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, cache_key)
);
CREATE INDEX ci_resource_caches_volume ON ci_resource_caches(volume);
CREATE TABLE ci_cache_uses (
    build_id BIGINT NOT NULL REFERENCES ci_builds(id) ON DELETE CASCADE,
    volume TEXT NOT NULL,
    PRIMARY KEY (build_id, volume)
);
CREATE INDEX ci_cache_uses_volume ON ci_cache_uses(volume);
CREATE TABLE ci_task_caches (
    job_id BIGINT NOT NULL REFERENCES ci_jobs(id) ON DELETE CASCADE,
    step TEXT NOT NULL,
    path TEXT NOT NULL,
    volume TEXT NOT NULL,
    expires_at BIGINT NOT NULL DEFAULT 0,
    claimed_by BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (job_id, step, path)
);
CREATE INDEX ci_task_caches_volume ON ci_task_caches(volume);
CREATE TABLE ci_artifacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL,
    -- 0 for what was uploaded.
    build_id BIGINT NOT NULL DEFAULT 0,
    name TEXT NOT NULL,
    volume TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX ci_artifacts_build ON ci_artifacts(build_id, name) WHERE build_id <> 0;
CREATE INDEX ci_artifacts_volume ON ci_artifacts(volume);
CREATE TABLE ci_wall (
    id BIGINT PRIMARY KEY,
    message TEXT NOT NULL,
    expires_at BIGINT NOT NULL DEFAULT 0
);

-- +goose Up
-- What a team lets its assistant do. Times are Unix milliseconds.
CREATE TABLE assistant_settings (
    team_id BIGINT PRIMARY KEY REFERENCES accounts_teams(id) ON DELETE CASCADE,
    -- JSON: owner/name of each repository that may be read
    repositories TEXT NOT NULL,
    default_repository TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);
-- Who somebody is elsewhere: kind is github or slack.
CREATE TABLE assistant_links (
    user_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (user_id, kind)
);
CREATE TABLE assistant_runs (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL,
    person TEXT NOT NULL,
    -- web, cli, slack, api
    surface TEXT NOT NULL,
    -- the run that began the conversation
    thread TEXT NOT NULL,
    question TEXT NOT NULL,
    reading TEXT NOT NULL,
    planner TEXT NOT NULL,
    -- running, answered, refused, failed, interrupted
    status TEXT NOT NULL,
    -- JSON
    answer TEXT NOT NULL,
    calls BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    millis BIGINT NOT NULL,
    -- 1 helped, -1 did not, 0 nothing said
    feedback BIGINT NOT NULL
);
CREATE INDEX assistant_runs_team ON assistant_runs(team_id, started_at);
CREATE INDEX assistant_runs_thread ON assistant_runs(thread, started_at);
CREATE TABLE assistant_steps (
    run_id TEXT NOT NULL REFERENCES assistant_runs(id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    tool TEXT NOT NULL,
    args TEXT NOT NULL,
    result TEXT NOT NULL,
    -- of the whole result; what is kept may be its beginning
    bytes BIGINT NOT NULL,
    failed BOOLEAN NOT NULL,
    millis BIGINT NOT NULL,
    PRIMARY KEY (run_id, number)
);

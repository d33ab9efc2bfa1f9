-- +goose Up
-- Writes of the assistant wait for a person; what a run has cost; outside MCP servers. Times are Unix milliseconds.
ALTER TABLE assistant_settings ADD COLUMN writes TEXT NOT NULL DEFAULT 'off';
-- what loses something is not approved by who asked for it
ALTER TABLE assistant_settings ADD COLUMN four_eyes BOOLEAN NOT NULL DEFAULT FALSE;
-- JSON: hosts that answers may link to, besides GitHub's and ours
ALTER TABLE assistant_settings ADD COLUMN link_hosts TEXT NOT NULL DEFAULT '[]';
-- JSON: what a person and a channel may use in a day
ALTER TABLE assistant_settings ADD COLUMN budgets TEXT NOT NULL DEFAULT '{}';
-- where it was asked, "" outside of channels
ALTER TABLE assistant_runs ADD COLUMN channel TEXT NOT NULL DEFAULT '';
ALTER TABLE assistant_runs ADD COLUMN tokens_in BIGINT NOT NULL DEFAULT 0;
ALTER TABLE assistant_runs ADD COLUMN tokens_out BIGINT NOT NULL DEFAULT 0;
-- in millionths of a dollar
ALTER TABLE assistant_runs ADD COLUMN cost BIGINT NOT NULL DEFAULT 0;
-- how many secrets were taken out of results and the answer
ALTER TABLE assistant_runs ADD COLUMN scrubbed BIGINT NOT NULL DEFAULT 0;
CREATE INDEX assistant_runs_person ON assistant_runs(user_id, started_at);
-- call, guard (something that was not allowed) or approval (something that waits for a person)
ALTER TABLE assistant_steps ADD COLUMN kind TEXT NOT NULL DEFAULT 'call';
CREATE TABLE assistant_approvals (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    -- "" when an MCP client asked
    run_id TEXT NOT NULL,
    tool TEXT NOT NULL,
    title TEXT NOT NULL,
    effect TEXT NOT NULL,
    class TEXT NOT NULL,
    -- JSON with sorted keys, and its SHA-256 together with the tool's name
    args TEXT NOT NULL,
    args_sha256 TEXT NOT NULL,
    -- what it is about, in words, and JSON of what must still be so when it is approved
    target TEXT NOT NULL,
    target_url TEXT NOT NULL,
    facts TEXT NOT NULL,
    -- what the approver needs
    capability TEXT NOT NULL,
    level BIGINT NOT NULL,
    proposer_id BIGINT NOT NULL,
    proposer TEXT NOT NULL,
    surface TEXT NOT NULL,
    channel TEXT NOT NULL,
    message TEXT NOT NULL,
    -- pending, approved, denied, expired, running, done, failed
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    decided_by TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    -- the server that runs it
    node TEXT NOT NULL,
    ended_at BIGINT NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX assistant_approvals_team ON assistant_approvals(team_id, created_at);
CREATE INDEX assistant_approvals_run ON assistant_approvals(run_id);
CREATE INDEX assistant_approvals_state ON assistant_approvals(state, expires_at);
-- Outside MCP servers, each for one team; an administrator's choice.
CREATE TABLE assistant_servers (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    -- begins the names of its tools
    name TEXT NOT NULL,
    -- stdio or http
    kind TEXT NOT NULL,
    -- JSON: the program and its arguments
    command TEXT NOT NULL,
    url TEXT NOT NULL,
    -- JSON: names of what is sealed in secrets, environment variables or headers
    secret_names TEXT NOT NULL,
    secrets BLOB NOT NULL,
    -- private addresses may be called
    inside BOOLEAN NOT NULL,
    -- its arguments name repositories, which are held to the team's list
    github BOOLEAN NOT NULL,
    enabled BOOLEAN NOT NULL,
    timeout_ms BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (team_id, name)
);
CREATE TABLE assistant_server_tools (
    server_id TEXT NOT NULL REFERENCES assistant_servers(id) ON DELETE CASCADE,
    -- as the server calls it, and as a model is shown it
    name TEXT NOT NULL,
    shown TEXT NOT NULL,
    description TEXT NOT NULL,
    schema TEXT NOT NULL,
    -- of name, description and schema as they were when somebody allowed it
    pinned TEXT NOT NULL,
    -- off, read, ask, allow
    permission TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (server_id, name)
);

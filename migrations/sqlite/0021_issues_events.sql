-- +goose Up
-- Times are Unix milliseconds; 0 means never. References of 0 mean none. Nothing here references
-- issues_projects: a deleted project's rows go in bounded steps (the loop issues.retention), not in one transaction.
CREATE TABLE issues_issues (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL,
    project_id BIGINT NOT NULL,
    -- Counts within the project; with its slug the name that people use.
    number BIGINT NOT NULL,
    title TEXT NOT NULL,
    culprit TEXT NOT NULL DEFAULT '',
    type TEXT NOT NULL DEFAULT '',
    value TEXT NOT NULL DEFAULT '',
    level TEXT NOT NULL DEFAULT 'error',
    platform TEXT NOT NULL DEFAULT '',
    logger TEXT NOT NULL DEFAULT '',
    -- unresolved, resolved, archived, or merged into another one and about to be gone
    status TEXT NOT NULL,
    -- new, ongoing, escalating, regressed while unresolved
    substate TEXT NOT NULL DEFAULT '',
    -- How it was resolved or archived (JSON), '' while unresolved.
    terms TEXT NOT NULL DEFAULT '',
    state_at BIGINT NOT NULL,
    state_by TEXT NOT NULL DEFAULT '',
    -- When the clock ends the archive; 0 when it does not.
    wake_at BIGINT NOT NULL DEFAULT 0,
    events BIGINT NOT NULL DEFAULT 0,
    -- Exact up to the number of rows kept in issues_users, an estimate from the rows beyond.
    users BIGINT NOT NULL DEFAULT 0,
    user_rows BIGINT NOT NULL DEFAULT 0,
    -- Only hashes below this one are kept; 0 while all are.
    user_below BIGINT NOT NULL DEFAULT 0,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    first_release TEXT NOT NULL DEFAULT '',
    last_release TEXT NOT NULL DEFAULT '',
    assignee_id BIGINT NOT NULL DEFAULT 0,
    assignee TEXT NOT NULL DEFAULT '',
    -- What issues_search holds of it, and since when.
    words_hash BIGINT NOT NULL DEFAULT 0,
    words_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX issues_issues_number ON issues_issues(project_id, number);
CREATE INDEX issues_issues_seen ON issues_issues(team_id, status, last_seen, id);
CREATE INDEX issues_issues_first ON issues_issues(team_id, status, first_seen, id);
CREATE INDEX issues_issues_events ON issues_issues(team_id, status, events, id);
CREATE INDEX issues_issues_users ON issues_issues(team_id, status, users, id);
CREATE INDEX issues_issues_wake ON issues_issues(wake_at) WHERE wake_at > 0;
CREATE INDEX issues_issues_fresh ON issues_issues(state_at) WHERE status = 'unresolved' AND substate <> 'ongoing';
CREATE INDEX issues_issues_project ON issues_issues(project_id, last_seen);
CREATE TABLE issues_numbers (
    project_id BIGINT PRIMARY KEY,
    last BIGINT NOT NULL
) WITHOUT ROWID;
-- Which issue the events of a grouping hash belong to.
CREATE TABLE issues_hashes (
    project_id BIGINT NOT NULL,
    hash TEXT NOT NULL,
    issue_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, hash)
) WITHOUT ROWID;
CREATE INDEX issues_hashes_issue ON issues_hashes(issue_id);
-- Rows are only added at the end and taken away at the beginning.
CREATE TABLE issues_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL,
    project_id BIGINT NOT NULL,
    issue_id BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    -- The grouping hash that led to the issue.
    hash TEXT NOT NULL,
    timestamp BIGINT NOT NULL,
    received BIGINT NOT NULL,
    level TEXT NOT NULL,
    environment TEXT NOT NULL,
    release TEXT NOT NULL,
    user_hash BIGINT NOT NULL,
    user_label TEXT NOT NULL,
    trace_hash BIGINT NOT NULL,
    title TEXT NOT NULL,
    culprit TEXT NOT NULL,
    -- How much it tells: context, request, user, breadcrumbs; the best one is recommended.
    quality BIGINT NOT NULL,
    -- The normalised event: JSON in zstd.
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX issues_events_id ON issues_events(project_id, event_id);
CREATE INDEX issues_events_issue ON issues_events(issue_id, timestamp, id);
CREATE INDEX issues_events_project ON issues_events(project_id, id);
CREATE INDEX issues_events_user ON issues_events(user_hash) WHERE user_hash <> 0;
CREATE INDEX issues_events_trace ON issues_events(trace_hash) WHERE trace_hash <> 0;
-- What a project holds, for retention.
CREATE TABLE issues_usage (
    project_id BIGINT PRIMARY KEY,
    team_id BIGINT NOT NULL,
    events BIGINT NOT NULL,
    bytes BIGINT NOT NULL
) WITHOUT ROWID;
-- Which values of tags occur in which issue: written once per new value, not per event.
CREATE TABLE issues_tags (
    project_id BIGINT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    issue_id BIGINT NOT NULL,
    PRIMARY KEY (project_id, key, value, issue_id)
) WITHOUT ROWID;
CREATE INDEX issues_tags_issue ON issues_tags(issue_id);
-- How often (JSON): one row an issue, so that an event with twelve tags writes one row and not twelve.
CREATE TABLE issues_tag_counts (
    issue_id BIGINT PRIMARY KEY,
    counts TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE issues_users (
    issue_id BIGINT NOT NULL,
    user_hash BIGINT NOT NULL,
    PRIMARY KEY (issue_id, user_hash)
) WITHOUT ROWID;
CREATE TABLE issues_hours (
    issue_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (issue_id, hour)
) WITHOUT ROWID;
-- Releases by the first event of each: their order where the names have none.
CREATE TABLE issues_versions (
    project_id BIGINT NOT NULL,
    version TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    PRIMARY KEY (project_id, version)
) WITHOUT ROWID;
CREATE TABLE issues_activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    issue_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- Who, '' when an event or the clock did it.
    person TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT ''
);
CREATE INDEX issues_activity_issue ON issues_activity(issue_id, id);
CREATE TABLE issues_comments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    issue_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    edited_at BIGINT NOT NULL DEFAULT 0,
    user_id BIGINT NOT NULL,
    person TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX issues_comments_issue ON issues_comments(issue_id, id);
-- Events on their way from one issue to another, in bounded steps: those of a hash, or all
-- when it is ''; to 0 they are deleted. The cursor is how far the steps have come.
CREATE TABLE issues_moves (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id BIGINT NOT NULL,
    from_issue BIGINT NOT NULL,
    hash TEXT NOT NULL,
    to_issue BIGINT NOT NULL,
    cursor_at BIGINT NOT NULL,
    cursor_id BIGINT NOT NULL
);
CREATE INDEX issues_moves_from ON issues_moves(from_issue);
CREATE INDEX issues_moves_to ON issues_moves(to_issue);
CREATE TABLE issues_feedback (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL,
    project_id BIGINT NOT NULL,
    -- 0 until its event has come.
    issue_id BIGINT NOT NULL DEFAULT 0,
    event_id TEXT NOT NULL,
    -- Hash of project, event and words: sent twice is kept once.
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    message TEXT NOT NULL,
    url TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX issues_feedback_said ON issues_feedback(project_id, key);
CREATE INDEX issues_feedback_event ON issues_feedback(project_id, event_id);
CREATE INDEX issues_feedback_issue ON issues_feedback(issue_id, id);
CREATE TABLE issues_attachments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL,
    project_id BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX issues_attachments_event ON issues_attachments(project_id, event_id, sha256, name);
-- One row a transaction's name and day; durations are milliseconds.
CREATE TABLE issues_transactions (
    project_id BIGINT NOT NULL,
    day BIGINT NOT NULL,
    name TEXT NOT NULL,
    op TEXT NOT NULL,
    count BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    duration BIGINT NOT NULL,
    longest BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    release TEXT NOT NULL,
    -- The last few: time, duration, trace (JSON).
    samples TEXT NOT NULL,
    PRIMARY KEY (project_id, day, name)
) WITHOUT ROWID;
-- Full text has each dialect's own form; the words are cut by the server.
CREATE VIRTUAL TABLE issues_search USING fts5(words, content='', contentless_delete=1, detail=none, tokenize='unicode61 remove_diacritics 0');

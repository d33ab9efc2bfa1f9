-- +goose Up
-- Times are Unix milliseconds; 0 means never. A project of 0 means every project of the team.
CREATE TABLE issues_alerts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    project_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    enabled BOOLEAN NOT NULL DEFAULT TRUE,
    -- JSON: what has to happen.
    condition TEXT NOT NULL,
    environment TEXT NOT NULL,
    query TEXT NOT NULL,
    -- JSON: who is told.
    actions TEXT NOT NULL,
    throttle_minutes BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    fired_at BIGINT NOT NULL DEFAULT 0,
    -- So many firings since then have been told, and so many more only counted.
    burst_at BIGINT NOT NULL DEFAULT 0,
    burst_told BIGINT NOT NULL DEFAULT 0,
    burst_held BIGINT NOT NULL DEFAULT 0,
    -- The last check-in that has been looked at.
    check_in BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX issues_alerts_team ON issues_alerts(team_id, id);
CREATE TABLE issues_alert_firings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    alert_id BIGINT NOT NULL REFERENCES issues_alerts(id) ON DELETE CASCADE,
    team_id BIGINT NOT NULL,
    project_id BIGINT NOT NULL,
    -- 0 when it is about no single issue.
    issue_id BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    why TEXT NOT NULL,
    url TEXT NOT NULL,
    test BOOLEAN NOT NULL,
    -- JSON: what was done for each action.
    deliveries TEXT NOT NULL
);
CREATE INDEX issues_alert_firings_alert ON issues_alert_firings(alert_id, id);
CREATE INDEX issues_alert_firings_at ON issues_alert_firings(at);
-- When a rule last fired about something, so that it waits before it does again.
CREATE TABLE issues_alert_last (
    alert_id BIGINT NOT NULL REFERENCES issues_alerts(id) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (alert_id, subject)
) WITHOUT ROWID;
-- Events per part of a rule's window; a window has 60 parts at most.
CREATE TABLE issues_alert_counts (
    alert_id BIGINT NOT NULL REFERENCES issues_alerts(id) ON DELETE CASCADE,
    issue_id BIGINT NOT NULL,
    slot BIGINT NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (alert_id, issue_id, slot)
) WITHOUT ROWID;
-- When users were last seen, as many as a rule counts to.
CREATE TABLE issues_alert_users (
    alert_id BIGINT NOT NULL REFERENCES issues_alerts(id) ON DELETE CASCADE,
    issue_id BIGINT NOT NULL,
    user_hash BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (alert_id, issue_id, user_hash)
) WITHOUT ROWID;
-- Events of a project per five minutes, to compare weeks.
CREATE TABLE issues_pace (
    project_id BIGINT NOT NULL,
    slot BIGINT NOT NULL,
    environment TEXT NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (project_id, slot, environment)
) WITHOUT ROWID;
CREATE INDEX issues_pace_slot ON issues_pace(slot);
-- Issues at GitHub that belong to ours. One without a number is still to be created.
CREATE TABLE issues_links (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    issue_id BIGINT NOT NULL,
    repository TEXT NOT NULL,
    number BIGINT NOT NULL,
    url TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    -- creating, failed, open, closed, or unknown when nobody could ask GitHub
    state TEXT NOT NULL,
    error TEXT NOT NULL,
    -- Random, and in the body of what we create: by it we find what was created without our hearing of it.
    marker TEXT NOT NULL,
    -- When creating was first tried.
    tried_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX issues_links_number ON issues_links(issue_id, repository, number);
CREATE INDEX issues_links_repository ON issues_links(team_id, repository, number);

-- +goose Up
-- How often and when a channel tells: grouping, limit and quiet hours as JSON; '{}': each message at once.
ALTER TABLE notify_channels ADD COLUMN manner TEXT NOT NULL DEFAULT '{}';
-- Which rule caused it: a capability's word, a colon and the rule's own id; '' for tests.
ALTER TABLE notify_deliveries ADD COLUMN rule TEXT NOT NULL DEFAULT '';
-- What it is about: messages of one rule and subject are of the same kind.
ALTER TABLE notify_deliveries ADD COLUMN subject TEXT NOT NULL DEFAULT '';
-- While it is held: until when, and why (quiet, limit or group).
ALTER TABLE notify_deliveries ADD COLUMN held_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE notify_deliveries ADD COLUMN held_for TEXT NOT NULL DEFAULT '';
-- When it was let go, alone or within another one; 0: not yet.
ALTER TABLE notify_deliveries ADD COLUMN released_at BIGINT NOT NULL DEFAULT 0;
-- The delivery that tells of it; 0: it tells itself.
ALTER TABLE notify_deliveries ADD COLUMN into_id BIGINT NOT NULL DEFAULT 0;
-- How many others this one stands for.
ALTER TABLE notify_deliveries ADD COLUMN more BIGINT NOT NULL DEFAULT 0;
UPDATE notify_deliveries SET rule = CASE
    WHEN event LIKE 'rollout.%' OR event LIKE 'node.%' THEN 'edge:' || event
    WHEN event = 'issues.alert' THEN 'issues:'
    WHEN event = 'logs.alert' THEN 'logs:'
    WHEN event = 'github.rule' THEN 'ci:github-'
    ELSE 'ci:' || event END
    WHERE event <> 'test';
CREATE INDEX notify_deliveries_team ON notify_deliveries(team_id, id);
CREATE INDEX notify_deliveries_rule ON notify_deliveries(team_id, rule, id);
CREATE INDEX notify_deliveries_same ON notify_deliveries(channel_id, rule, subject, released_at);
CREATE INDEX notify_deliveries_held ON notify_deliveries(held_until) WHERE state = 'held';
-- Events that a team does not want to be told of, whichever channels ask for them.
CREATE TABLE notify_off (
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    rule TEXT NOT NULL,
    PRIMARY KEY (team_id, rule)
);
-- Issues at GitHub that channels have opened; the marker is known before the issue is.
CREATE TABLE notify_issues (
    channel_id TEXT NOT NULL REFERENCES notify_channels(id) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    marker TEXT NOT NULL,
    -- 0: not opened yet, as far as is known
    number BIGINT NOT NULL,
    url TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, subject)
);

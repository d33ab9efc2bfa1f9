-- +goose Up
-- The one Slack workspace of this installation; at most one row, id 1. Times are Unix milliseconds.
CREATE TABLE assistant_slack (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    -- socket or http
    mode TEXT NOT NULL,
    -- sealed; empty where there is none
    bot_token BLOB,
    app_token BLOB,
    signing_secret BLOB,
    workspace TEXT NOT NULL,
    workspace_name TEXT NOT NULL,
    workspace_url TEXT NOT NULL,
    bot_user TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);
-- How each server's connection stands.
CREATE TABLE assistant_slack_sockets (
    node TEXT PRIMARY KEY,
    connected BOOLEAN NOT NULL,
    trouble TEXT NOT NULL,
    since BIGINT NOT NULL
);
-- What has come in already: an event's id, or workspace, channel and time of a message.
CREATE TABLE assistant_slack_seen (
    name TEXT PRIMARY KEY,
    at BIGINT NOT NULL
);
CREATE INDEX assistant_slack_seen_at ON assistant_slack_seen(at);
CREATE TABLE assistant_slack_asks (
    id TEXT PRIMARY KEY,
    workspace TEXT NOT NULL,
    channel TEXT NOT NULL,
    thread TEXT NOT NULL,
    ts TEXT NOT NULL,
    direct BOOLEAN NOT NULL,
    shared BOOLEAN NOT NULL,
    slack_user TEXT NOT NULL,
    home TEXT NOT NULL,
    text TEXT NOT NULL,
    -- waiting, running, answered, stopped, interrupted
    state TEXT NOT NULL,
    -- the message that shows what is being done, and whether it is a stream
    status_ts TEXT NOT NULL,
    streamed BOOLEAN NOT NULL,
    run_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL
);
CREATE INDEX assistant_slack_asks_thread ON assistant_slack_asks(channel, thread, state);
CREATE INDEX assistant_slack_asks_created ON assistant_slack_asks(created_at);
-- Conversations: where the bot answers without being mentioned. run_id is the first run of it, for questions that follow.
CREATE TABLE assistant_slack_threads (
    channel TEXT NOT NULL,
    thread TEXT NOT NULL,
    run_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (channel, thread)
);
-- What is to be said; the durable job that says it has its id.
CREATE TABLE assistant_slack_outbox (
    id TEXT PRIMARY KEY,
    -- the question or digest, and which of its messages: unique, so that nothing is said twice
    subject TEXT NOT NULL,
    part TEXT NOT NULL,
    -- JSON of the message
    message TEXT NOT NULL,
    -- the message that it replaces, and whether that is a stream
    replaces TEXT NOT NULL,
    streamed BOOLEAN NOT NULL,
    -- to whom it goes directly if the channel cannot be written to
    slack_user TEXT NOT NULL,
    -- waiting, sent, lost
    state TEXT NOT NULL,
    sent_ts TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (subject, part)
);
CREATE INDEX assistant_slack_outbox_created ON assistant_slack_outbox(created_at);
CREATE TABLE assistant_slack_people (
    workspace TEXT NOT NULL,
    slack_user TEXT NOT NULL,
    slack_name TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES accounts_users(id) ON DELETE CASCADE,
    -- the team that is meant where the channel names none; empty: the only one
    team TEXT NOT NULL,
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (workspace, slack_user)
);
CREATE INDEX assistant_slack_people_user ON assistant_slack_people(user_id);
CREATE TABLE assistant_slack_codes (
    hash TEXT PRIMARY KEY,
    workspace TEXT NOT NULL,
    slack_user TEXT NOT NULL,
    slack_name TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
-- Which team a channel belongs to, and of which repositories it may see what is private.
CREATE TABLE assistant_slack_channels (
    channel TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    -- JSON: owner/name
    repositories TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);
CREATE INDEX assistant_slack_channels_team ON assistant_slack_channels(team_id);
CREATE TABLE assistant_slack_digests (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    channel TEXT NOT NULL REFERENCES assistant_slack_channels(channel) ON DELETE CASCADE,
    schedule TEXT NOT NULL,
    zone TEXT NOT NULL,
    -- JSON: which parts
    parts TEXT NOT NULL,
    -- whose rights it has
    user_id BIGINT NOT NULL,
    muted BOOLEAN NOT NULL,
    next_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    trouble TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX assistant_slack_digests_team ON assistant_slack_digests(team_id);
-- Reviews that somebody was asked for, until they are given or withdrawn.
CREATE TABLE assistant_slack_reviews (
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    repository TEXT NOT NULL,
    number BIGINT NOT NULL,
    -- of GitHub
    login TEXT NOT NULL,
    title TEXT NOT NULL,
    url TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    -- how often the person was told, and when next
    told BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, repository, number, login)
);
CREATE INDEX assistant_slack_reviews_next ON assistant_slack_reviews(next_at);

-- +goose Up
-- What a delivery caused after it was digested, such as builds.
CREATE TABLE github_effects (
    delivery_seq BIGINT NOT NULL REFERENCES github_deliveries(seq) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    -- The thing's own id.
    ref TEXT NOT NULL,
    title TEXT NOT NULL,
    url TEXT NOT NULL,
    caused_at BIGINT NOT NULL,
    PRIMARY KEY (delivery_seq, kind, ref)
);
-- Of an App: suspended, or removed by those it was installed at; empty when it works.
ALTER TABLE github_connections ADD COLUMN state TEXT NOT NULL DEFAULT '';
-- Why nothing is heard of the repository any more: deleted, or taken from the installation.
ALTER TABLE github_repositories ADD COLUMN gone TEXT NOT NULL DEFAULT '';
ALTER TABLE github_repositories ADD COLUMN gone_at BIGINT NOT NULL DEFAULT 0;
-- Hooks of a deleted team that are to be removed at GitHub, with what proves that we may.
-- They refer to nothing, because all else of the team is gone.
CREATE TABLE github_farewells (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- What the secrets are sealed for.
    connection_id TEXT NOT NULL,
    api_url TEXT NOT NULL,
    connection_kind TEXT NOT NULL,
    -- Both sealed.
    token BLOB NOT NULL,
    app_key BLOB,
    app_id BIGINT NOT NULL DEFAULT 0,
    installation BIGINT NOT NULL DEFAULT 0,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    repo TEXT NOT NULL,
    github_id BIGINT NOT NULL,
    url TEXT NOT NULL,
    error TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
);
-- Which delivery told of which version: what builds of it are caused by.
CREATE TABLE ci_told (
    resource_id BIGINT NOT NULL REFERENCES ci_resources(id) ON DELETE CASCADE,
    -- How the version is known to the delivery: a commit, a pull request's number and commit, a release's id.
    mark TEXT NOT NULL,
    delivery TEXT NOT NULL,
    told_at BIGINT NOT NULL,
    PRIMARY KEY (resource_id, mark, delivery)
);
CREATE INDEX ci_told_at ON ci_told(told_at);
-- GitHub's names are the same in any case; what is wished for one repository is kept under one.
DELETE FROM github_statuses WHERE id NOT IN (SELECT MAX(id) FROM github_statuses GROUP BY connection_id, LOWER(owner), LOWER(repo), sha, context);
UPDATE github_statuses SET owner = LOWER(owner), repo = LOWER(repo);
DELETE FROM github_posts WHERE id NOT IN (SELECT MAX(id) FROM github_posts GROUP BY connection_id, kind, LOWER(owner), LOWER(repo), subject);
UPDATE github_posts SET owner = LOWER(owner), repo = LOWER(repo);

-- +goose Up
-- Places that nodes are at; a node may name one that nobody has described.
CREATE TABLE edge_sites (
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    -- Kilobytes a second for all its nodes together; 0: what the configuration says.
    kbps BIGINT NOT NULL,
    PRIMARY KEY (team_id, name)
);
-- What lets machines become nodes.
CREATE TABLE edge_tokens (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- SHA-256 of the token, in hex
    hash TEXT NOT NULL UNIQUE,
    -- '': the node says where it is
    site TEXT NOT NULL,
    -- JSON; they win over what the node says
    labels TEXT NOT NULL,
    -- Whether nodes need no person to accept them.
    accepts BOOLEAN NOT NULL,
    max_uses BIGINT NOT NULL,
    uses BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL
);
CREATE INDEX edge_tokens_team ON edge_tokens(team_id, created_at);
-- Machines that take bundles. What a check-in says is written in batches, each second.
CREATE TABLE edge_nodes (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    site TEXT NOT NULL,
    -- JSON
    labels TEXT NOT NULL,
    -- pending, accepted, rejected or revoked
    state TEXT NOT NULL,
    -- ed25519, hex
    public_key TEXT NOT NULL UNIQUE,
    hostname TEXT NOT NULL,
    os_id TEXT NOT NULL,
    version_id TEXT NOT NULL,
    codename TEXT NOT NULL,
    arch TEXT NOT NULL,
    package_system TEXT NOT NULL,
    kernel TEXT NOT NULL,
    -- os_id/version_id/arch
    variant TEXT NOT NULL,
    -- The token's, for people; it may be gone.
    token TEXT NOT NULL,
    address TEXT NOT NULL,
    enrolled_at BIGINT NOT NULL,
    decided_by TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    -- When anything but a check-in changed the row.
    changed_at BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL,
    -- What its check-ins say.
    seen_at BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    agent TEXT NOT NULL,
    agent_state TEXT NOT NULL,
    agent_state_at BIGINT NOT NULL,
    bundle TEXT NOT NULL,
    rollout TEXT NOT NULL,
    done_bytes BIGINT NOT NULL,
    total_bytes BIGINT NOT NULL,
    step TEXT NOT NULL,
    -- -1: no run has ended yet
    last_exit BIGINT NOT NULL,
    -- JSON
    quarantined TEXT NOT NULL,
    root_version BIGINT NOT NULL,
    targets_version BIGINT NOT NULL,
    -- Its clock minus ours, in milliseconds
    clock_skew BIGINT NOT NULL,
    disk_free BIGINT NOT NULL,
    boot_id TEXT NOT NULL,
    next_at BIGINT NOT NULL,
    -- When it was told that the node has been silent for a day; 0: it was not, or came back.
    lost_at BIGINT NOT NULL,
    -- The last report that was taken.
    report_seq BIGINT NOT NULL,
    -- When a number was used twice: perhaps its key is in two places.
    doubled_at BIGINT NOT NULL,
    doubled BIGINT NOT NULL,
    -- What is on it.
    inventory_sha256 TEXT NOT NULL,
    inventory_at BIGINT NOT NULL,
    set_id BIGINT NOT NULL,
    held TEXT NOT NULL,
    booted_at BIGINT NOT NULL,
    -- JSON: bundles that a person let go of quarantine, until the node does not name them any more
    releases TEXT NOT NULL
);
CREATE INDEX edge_nodes_team ON edge_nodes(team_id, name);
CREATE UNIQUE INDEX edge_nodes_accepted ON edge_nodes(team_id, name) WHERE state = 'accepted';
CREATE INDEX edge_nodes_set ON edge_nodes(set_id);
-- What happened to nodes: their own reports (seq above 0), and what people did.
CREATE TABLE edge_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    node_id TEXT NOT NULL REFERENCES edge_nodes(id) ON DELETE CASCADE,
    -- report, enrolled, accepted, rejected, revoked, rotated, returned, doubled, changed
    kind TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    rollout TEXT NOT NULL,
    bundle TEXT NOT NULL,
    state TEXT NOT NULL,
    -- -1: none
    exit_code BIGINT NOT NULL,
    method TEXT NOT NULL,
    message TEXT NOT NULL,
    -- JSON
    details TEXT NOT NULL,
    actor TEXT NOT NULL
);
CREATE INDEX edge_events_node ON edge_events(node_id, id);
CREATE UNIQUE INDEX edge_events_report ON edge_events(node_id, seq) WHERE seq > 0;
CREATE INDEX edge_events_team ON edge_events(team_id, id);
-- Package lists; nodes that are alike share one.
CREATE TABLE edge_sets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    sha256 TEXT NOT NULL,
    -- apt or rpm
    package_system TEXT NOT NULL,
    packages BIGINT NOT NULL,
    -- JSON in zstd
    body BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (team_id, sha256)
);
-- The sources that a list's packages were built of, so that a CVE finds its nodes.
CREATE TABLE edge_set_sources (
    set_id BIGINT NOT NULL REFERENCES edge_sets(id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (set_id, source, version)
) WITHOUT ROWID;
CREATE INDEX edge_set_sources_source ON edge_set_sources(source);
-- Published bundles.
CREATE TABLE edge_bundles (
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    channel TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    manifest_sha256 TEXT NOT NULL,
    sbom_sha256 TEXT NOT NULL,
    -- JSON: what lists show of each
    variants TEXT NOT NULL,
    fixes BIGINT NOT NULL,
    packages BIGINT NOT NULL,
    size BIGINT NOT NULL,
    delta_size BIGINT NOT NULL,
    -- JSON: key ids
    signers TEXT NOT NULL,
    published_by TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, id)
);
CREATE TABLE edge_bundle_blobs (
    team_id BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    bundle_id TEXT NOT NULL,
    size BIGINT NOT NULL,
    PRIMARY KEY (team_id, sha256, bundle_id),
    FOREIGN KEY (team_id, bundle_id) REFERENCES edge_bundles(team_id, id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX edge_bundle_blobs_bundle ON edge_bundle_blobs(team_id, bundle_id);
-- What bundles mend.
CREATE TABLE edge_fixes (
    team_id BIGINT NOT NULL,
    bundle_id TEXT NOT NULL,
    -- A variant whose packages have this version of the source.
    variant TEXT NOT NULL,
    cve TEXT NOT NULL,
    source TEXT NOT NULL,
    fixed_version TEXT NOT NULL,
    severity TEXT NOT NULL,
    advisory TEXT NOT NULL,
    PRIMARY KEY (team_id, bundle_id, variant, cve, source),
    FOREIGN KEY (team_id, bundle_id) REFERENCES edge_bundles(team_id, id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX edge_fixes_cve ON edge_fixes(team_id, cve);
-- Signed metadata, every version that was ever accepted.
CREATE TABLE edge_metadata (
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    -- root, targets, snapshot or timestamp
    role TEXT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    added_by TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, role, version)
);
-- The one key that the portal holds.
CREATE TABLE edge_timestamp_keys (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    -- ed25519, hex
    public_key TEXT NOT NULL,
    sealed BLOB NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX edge_timestamp_keys_team ON edge_timestamp_keys(team_id, created_at);

-- +goose Up
-- What the page of a run shows. JSON: the model's turns.
ALTER TABLE assistant_runs ADD COLUMN turns TEXT NOT NULL DEFAULT '[]';
ALTER TABLE assistant_runs ADD COLUMN tokens_cached BIGINT NOT NULL DEFAULT 0;
-- of what the model was told before the question, and of the team's settings
ALTER TABLE assistant_runs ADD COLUMN prompt_version TEXT NOT NULL DEFAULT '';
ALTER TABLE assistant_runs ADD COLUMN settings_version BIGINT NOT NULL DEFAULT 0;
-- the run that this one does again, "" mostly
ALTER TABLE assistant_runs ADD COLUMN replay_of TEXT NOT NULL DEFAULT '';
-- a fact from nowhere, something that was not allowed, or a secret
ALTER TABLE assistant_runs ADD COLUMN flagged BOOLEAN NOT NULL DEFAULT FALSE;
-- JSON: the asker's zone and repository, and the page that was looked at
ALTER TABLE assistant_runs ADD COLUMN asked TEXT NOT NULL DEFAULT '{}';
-- since the run began, in milliseconds
ALTER TABLE assistant_steps ADD COLUMN began BIGINT NOT NULL DEFAULT 0;
CREATE INDEX assistant_runs_replay ON assistant_runs(replay_of);

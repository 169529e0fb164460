-- Eclair's PgPendingCommandsDb, version 3, on an empty database.
CREATE SCHEMA IF NOT EXISTS local;
CREATE TABLE local.pending_settlement_commands (channel_id TEXT NOT NULL, htlc_id BIGINT NOT NULL, data BYTEA NOT NULL, PRIMARY KEY(channel_id, htlc_id));

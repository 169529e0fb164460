-- Eclair's PgChannelsDb, version 11, on an empty database.
CREATE SCHEMA IF NOT EXISTS local;
CREATE TABLE local.channels (channel_id TEXT NOT NULL PRIMARY KEY, remote_node_id TEXT NOT NULL, data BYTEA NOT NULL, json JSONB NOT NULL, is_closed BOOLEAN NOT NULL DEFAULT FALSE, created_timestamp TIMESTAMP WITH TIME ZONE, last_payment_sent_timestamp TIMESTAMP WITH TIME ZONE, last_payment_received_timestamp TIMESTAMP WITH TIME ZONE, last_connected_timestamp TIMESTAMP WITH TIME ZONE, closed_timestamp TIMESTAMP WITH TIME ZONE);
CREATE TABLE local.htlc_infos (channel_id TEXT NOT NULL, commitment_number BIGINT NOT NULL, payment_hash TEXT NOT NULL, cltv_expiry BIGINT NOT NULL, FOREIGN KEY(channel_id) REFERENCES local.channels(channel_id));
CREATE TABLE local.htlc_infos_to_remove (channel_id TEXT NOT NULL PRIMARY KEY, before_commitment_number BIGINT NOT NULL);
CREATE INDEX local_channels_type_idx ON local.channels ((json->>'type'));
CREATE INDEX local_channels_remote_node_id_idx ON local.channels(remote_node_id);
CREATE INDEX htlc_infos_channel_id_idx ON local.htlc_infos(channel_id);
CREATE INDEX htlc_infos_commitment_number_idx ON local.htlc_infos(commitment_number);

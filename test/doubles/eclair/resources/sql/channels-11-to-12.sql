-- Eclair's PgChannelsDb: version 11 to 12.
-- Eclair moves what it can decode of closed channels to the new table; there is nothing to decode here.
ALTER TABLE local.htlc_infos DROP CONSTRAINT IF EXISTS htlc_infos_channel_id_fkey;
CREATE TABLE local.channels_closed (channel_id TEXT NOT NULL PRIMARY KEY, remote_node_id TEXT NOT NULL, funding_txid TEXT NOT NULL, funding_output_index BIGINT NOT NULL, funding_tx_index BIGINT NOT NULL, funding_key_path TEXT NOT NULL, channel_features TEXT NOT NULL, is_channel_opener BOOLEAN NOT NULL, commitment_format TEXT NOT NULL, announced BOOLEAN NOT NULL, capacity_satoshis BIGINT NOT NULL, closing_txid TEXT NOT NULL, closing_type TEXT NOT NULL, closing_script TEXT NOT NULL, local_balance_msat BIGINT NOT NULL, remote_balance_msat BIGINT NOT NULL, closing_amount_satoshis BIGINT NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL, closed_at TIMESTAMP WITH TIME ZONE NOT NULL);
CREATE INDEX channels_closed_remote_node_id_idx ON local.channels_closed(remote_node_id);
DELETE FROM local.channels WHERE is_closed=TRUE;
ALTER TABLE local.channels DROP COLUMN is_closed;
ALTER TABLE local.channels DROP COLUMN closed_timestamp;

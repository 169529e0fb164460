-- Eclair's PgPaymentsDb, version 8, on an empty database.
CREATE SCHEMA IF NOT EXISTS payments;
CREATE TABLE payments.received (payment_hash TEXT NOT NULL PRIMARY KEY, payment_type TEXT NOT NULL, payment_preimage TEXT NOT NULL, path_ids BYTEA, payment_request TEXT NOT NULL, received_msat BIGINT, created_at TIMESTAMP WITH TIME ZONE NOT NULL, expire_at TIMESTAMP WITH TIME ZONE NOT NULL, received_at TIMESTAMP WITH TIME ZONE);
CREATE TABLE payments.sent (id TEXT NOT NULL PRIMARY KEY, parent_id TEXT NOT NULL, external_id TEXT, payment_hash TEXT NOT NULL, payment_preimage TEXT, payment_type TEXT NOT NULL, amount_msat BIGINT NOT NULL, fees_msat BIGINT, recipient_amount_msat BIGINT NOT NULL, recipient_node_id TEXT NOT NULL, payment_request TEXT, offer_id TEXT, payer_key TEXT, payment_route BYTEA, failures BYTEA, created_at TIMESTAMP WITH TIME ZONE NOT NULL, completed_at TIMESTAMP WITH TIME ZONE);
CREATE INDEX sent_parent_id_idx ON payments.sent(parent_id);
CREATE INDEX sent_payment_hash_idx ON payments.sent(payment_hash);
CREATE INDEX sent_payment_offer_idx ON payments.sent(offer_id);
CREATE INDEX sent_created_idx ON payments.sent(created_at);
CREATE INDEX received_created_idx ON payments.received(created_at);

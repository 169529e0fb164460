-- Eclair's PgOffersDb, version 1, on an empty database.
CREATE SCHEMA IF NOT EXISTS payments;
CREATE TABLE payments.offers (offer_id TEXT NOT NULL PRIMARY KEY, offer TEXT NOT NULL, path_id TEXT, created_at TIMESTAMP WITH TIME ZONE NOT NULL, is_active BOOLEAN NOT NULL, disabled_at TIMESTAMP WITH TIME ZONE);
CREATE INDEX offer_created_at_idx ON payments.offers(created_at);
CREATE INDEX offer_is_active_idx ON payments.offers(is_active);

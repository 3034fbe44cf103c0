-- What was done and what was refused, for ever.

-- No column references another table: a record stands by itself, and nothing that happens to the
-- thing it speaks of can reach it. `id` grows in the order of writing, has gaps where a transaction
-- was rolled back, and is not quite the order of committing.
CREATE TABLE audit (
	id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at             timestamptz NOT NULL,
	event          word NOT NULL, -- "enroll.issued"
	device_id      uuid, -- NULL: a TPM that proved itself and that we do not know
	ek_digest      sha256_digest,
	host           text CHECK (octet_length(host) <= 512), -- as it was asked for
	code           word, -- of a refusal: "host-bound-to-another-device"
	detail         text CHECK (octet_length(detail) <= 512),
	serials        bytea[],
	who            text CHECK (octet_length(who) <= 512), -- NULL: the device itself
	client_address text CHECK (octet_length(client_address) <= 512),
	request_id     text CHECK (octet_length(request_id) <= 512)
);
CREATE INDEX audit_device ON audit (device_id, id);

CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'EN002', MESSAGE = 'the audit is only ever added to';
END
$$;
-- For each statement, so that one that matches nothing is told as well, and ALWAYS, so that it holds
-- for replication too. It stops mistakes; the owner of the table can still drop it.
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
	FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_append_only;

-- Tickets whose refusal is in the audit: sent again, they add nothing, so what a proven device can write
-- here costs it a TPM2_ActivateCredential each time. Swept out together with used tickets.
CREATE TABLE refusal (
	ticket_digest sha256_digest PRIMARY KEY,
	refused_at    timestamptz NOT NULL
);
CREATE INDEX refusal_age ON refusal (refused_at);

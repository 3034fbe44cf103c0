-- Attempts that are held: TPMs that proved themselves and that nobody vouches for. No column references
-- a device or a name: a held attempt has neither.
CREATE TABLE pending (
	attempt_id     bytea PRIMARY KEY CHECK (octet_length(attempt_id) = 16), -- random
	ek_digest      sha256_digest NOT NULL,
	ek_public      bytea NOT NULL CHECK (octet_length(ek_public) BETWEEN 3 AND 1024), -- TPM2B_PUBLIC
	ek_certificate bytea CHECK (octet_length(ek_certificate) BETWEEN 1 AND 8192), -- NULL: it had none
	chain          bytea[] NOT NULL DEFAULT '{}' CHECK (cardinality(chain) <= 8), -- as it was sent
	ak_name        bytea NOT NULL CHECK (octet_length(ak_name) BETWEEN 1 AND 66),
	host           host_name, -- NULL: it asked for none
	manufacturer   text CHECK (octet_length(manufacturer) <= 512), -- these three: as nobody vouches for
	model          text CHECK (octet_length(model) <= 512),
	version        text CHECK (octet_length(version) <= 512),
	code           word NOT NULL, -- what nobody vouches for
	sentence       text NOT NULL CHECK (octet_length(sentence) <= 512),
	rule           text CHECK (octet_length(rule) <= 512), -- that holds it
	client_address text CHECK (octet_length(client_address) <= 512), -- of the last time
	source         text CHECK (octet_length(source) <= 64), -- that asked first, an address or a network: it
	                                                        -- counts there. NULL: exempt, as a factory is
	state          text NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'accepted', 'rejected')),
	first_at       timestamptz NOT NULL,
	last_at        timestamptz NOT NULL,
	asked          bigint NOT NULL DEFAULT 1 CHECK (asked > 0),
	decided_at     timestamptz,
	decided_by     text CHECK (octet_length(decided_by) <= 512),
	why            text CHECK (octet_length(why) <= 512),
	CHECK ((state = 'held') = (decided_at IS NULL)),
	CHECK ((state = 'held') = (decided_by IS NULL))
);
-- One EK that asks for one name is one attempt, however often it asks.
CREATE UNIQUE INDEX pending_once ON pending (ek_digest, coalesce(host::text, ''));
CREATE INDEX pending_last ON pending (last_at);
-- As the limits count them. Only the last is over what is held alone: a planner that can choose reads
-- all of a short index rather than look into a long one, and keeps that plan when it has grown.
CREATE INDEX pending_ak ON pending (ak_name);
CREATE INDEX pending_source ON pending (source);
CREATE INDEX pending_age ON pending (first_at) WHERE state = 'held';

-- Tickets that were answered with a held attempt: good for no certificate, also after the attempt is
-- accepted, and after it is gone, so nothing ties a row to its attempt. Swept out when too old to open.
CREATE TABLE pending_ticket (
	ticket_digest sha256_digest PRIMARY KEY,
	attempt_id    bytea NOT NULL CHECK (octet_length(attempt_id) = 16),
	at            timestamptz NOT NULL
);
CREATE INDEX pending_ticket_age ON pending_ticket (at);

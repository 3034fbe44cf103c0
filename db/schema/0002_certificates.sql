-- Certificates, and the tickets that brought them.

-- Every certificate that ever left, and some that did not arrive. Rows are never deleted.
CREATE TABLE certificate (
	serial            bytea PRIMARY KEY CHECK (octet_length(serial) BETWEEN 1 AND 20),
	device_id         uuid NOT NULL REFERENCES device,
	host              host_name NOT NULL, -- the name at that time: no reference, names move on
	binding           bigint NOT NULL, -- host.binding at that time
	ak_name           bytea NOT NULL,
	template          word NOT NULL,
	template_version  bigint NOT NULL CHECK (template_version >= 0),
	grant_digest      sha256_digest NOT NULL, -- of the grant that it was issued by
	place             smallint NOT NULL CHECK (place >= 0), -- among those of one answer
	der               bytea NOT NULL CHECK (octet_length(der) BETWEEN 1 AND 65536),
	not_before        timestamptz NOT NULL,
	not_after         timestamptz NOT NULL CHECK (not_after > not_before),
	issued_at         timestamptz NOT NULL,
	revoked_at        timestamptz,
	revocation_reason text CHECK (revocation_reason ~ '^[a-zA-Z]{1,32}$'), -- CRLReason, RFC 5280 5.3.1
	trust_version     text NOT NULL CHECK (trust_version ~ '^[0-9a-f]{1,128}$'),
	policy_version    text NOT NULL CHECK (policy_version ~ '^[0-9a-f]{1,128}$'),
	-- Both columns: the AK is one of that very device.
	FOREIGN KEY (device_id, ak_name) REFERENCES ak (device_id, name),
	CHECK ((revoked_at IS NULL) = (revocation_reason IS NULL))
);
CREATE INDEX certificate_repeat ON certificate (device_id, ak_name, host, issued_at DESC);

-- Those that a repeated request may be given again: not revoked, the device not revoked, the name
-- still bound as it was when they were issued, the AK not superseded. Subqueries and not joins: each
-- is one look into a primary key, and leaves the planner no other idea while the tables are small.
CREATE VIEW certificate_in_force AS
SELECT *
FROM certificate
WHERE revoked_at IS NULL
	AND (SELECT device.state FROM device WHERE device.device_id = certificate.device_id) = 'active'
	AND (SELECT host.binding FROM host WHERE host.name = certificate.host
		AND host.device_id = certificate.device_id) = certificate.binding
	AND (SELECT ak.state FROM ak WHERE ak.name = certificate.ak_name) = 'live';

-- Tickets that enrolled. A ticket enrolls once: this primary key is what says so. Rows go when the
-- ticket is too old to be opened.
CREATE TABLE ticket (
	ticket_digest  sha256_digest PRIMARY KEY, -- SHA-256 of the ticket: the ticket itself is a secret
	request_digest sha256_digest NOT NULL, -- tells a repeat from another request with the same ticket
	device_id      uuid NOT NULL REFERENCES device,
	host           host_name NOT NULL,
	ak_name        bytea NOT NULL,
	serials        bytea[] NOT NULL CHECK (cardinality(serials) BETWEEN 1 AND 8), -- in their order
	used_at        timestamptz NOT NULL,
	FOREIGN KEY (device_id, ak_name) REFERENCES ak (device_id, name)
);
CREATE INDEX ticket_ak ON ticket (device_id, ak_name);
CREATE INDEX ticket_age ON ticket (used_at);

-- Devices, and what tells one from another: EKs, host names, AKs.
--
-- Files of this folder are applied in the order of their numbers, each in one transaction, and never
-- change afterwards: what is to be different is a new file. db/migrate.c keeps this table.
CREATE TABLE schema_version (
	number     integer PRIMARY KEY CHECK (number > 0),
	name       text NOT NULL,
	sha256     bytea NOT NULL CHECK (octet_length(sha256) = 32), -- of the file's bytes
	applied_at timestamptz NOT NULL DEFAULT now()
);

-- The checks below keep nonsense out; they are not where input is judged. One that fires is a bug.
CREATE DOMAIN sha256_digest AS bytea CHECK (octet_length(VALUE) = 32);

-- Lower case, so that one name has one spelling, and compared byte by byte whatever the locale is.
-- At least two labels, the last one not a number: never an address, never a wildcard.
CREATE DOMAIN host_name AS text COLLATE "C" CHECK (
	octet_length(VALUE) <= 253
	AND VALUE ~ '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'
	AND VALUE !~ '\.[0-9]+$');

-- A short name of our own making: "rsa2048", "allow-list", "host-bound-to-another-device".
CREATE DOMAIN word AS text COLLATE "C" CHECK (VALUE ~ '^[a-z0-9][a-z0-9._-]{0,63}$');

-- What cannot be said by a constraint, because it is about what somebody saw before: a statement that
-- insists on it fails, and with it the transaction. C code knows SQLSTATE EN001 as "look again".
-- Pipelines need this: a client that sends all statements at once cannot look at a row count between.
CREATE FUNCTION insist(holds boolean, otherwise text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF holds IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'EN001', MESSAGE = otherwise;
	END IF;
END
$$;

-- A TPM as we know it. A row is made by its first enrollment and stays for ever: a ban must outlive
-- what was banned.
CREATE TABLE device (
	device_id         uuid PRIMARY KEY, -- random; the only name of a device that leaves this house
	created_at        timestamptz NOT NULL,
	manufacturer      text CHECK (octet_length(manufacturer) <= 512), -- NULL: no certificate says it
	model             text CHECK (octet_length(model) <= 512),
	version           text CHECK (octet_length(version) <= 512),
	-- How its EK came to be believed, at the last success. Class unproven-root never gets this far.
	trust_class       word NOT NULL CHECK (trust_class IN (
		'manufacturer', 'operator-import', 'allow-list', 'approved')),
	trust_source      text CHECK (octet_length(trust_source) <= 512),
	trust_version     text NOT NULL CHECK (trust_version ~ '^[0-9a-f]{1,128}$'),
	state             text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'revoked')),
	-- Moves with every change to this row or to what hangs on it (EKs, names, AKs, certificates,
	-- tickets), always in the same transaction. Whoever decides on what he read compares it when he
	-- writes. Only last_refusal_* change without it: a refused attempt decides nothing.
	revision          bigint NOT NULL DEFAULT 1 CHECK (revision > 0),
	labels            jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(labels) = 'object'),
	last_success_at   timestamptz,
	last_refusal_at   timestamptz,
	last_refusal_code word,
	CHECK ((last_refusal_at IS NULL) = (last_refusal_code IS NULL))
);

-- Endorsement keys. A TPM has several, and all of them are one device, with its names and its ban.
CREATE TABLE ek (
	ek_digest   sha256_digest PRIMARY KEY, -- SHA-256 of the SubjectPublicKeyInfo as we encode it
	device_id   uuid NOT NULL REFERENCES device,
	kind        word NOT NULL,
	certificate bytea CHECK (octet_length(certificate) BETWEEN 1 AND 8192), -- NULL: it had none
	created_at  timestamptz NOT NULL
);
CREATE INDEX ek_device ON ek (device_id);

-- Host names that are bound. A row is the binding: unbinding deletes it.
CREATE TABLE host (
	name      host_name PRIMARY KEY, -- one host name, one device
	device_id uuid NOT NULL REFERENCES device,
	alias     boolean NOT NULL,
	bound_at  timestamptz NOT NULL,
	-- Tells a binding from an earlier one of the same name to the same device: what was issued under
	-- the earlier one does not come back to life.
	binding   bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX host_device ON host (device_id);
-- One device, one host name, unless a rule allows more: the others are aliases.
CREATE UNIQUE INDEX host_one_name ON host (device_id) WHERE NOT alias;

-- Attestation keys, by their Name (TPM 2.0 Part 1, 16): the algorithm and a digest of the public area.
CREATE TABLE ak (
	name       bytea PRIMARY KEY CHECK (
		(octet_length(name) = 34 AND substr(name, 1, 2) = '\x000b') -- SHA-256
		OR (octet_length(name) = 50 AND substr(name, 1, 2) = '\x000c') -- SHA-384
		OR (octet_length(name) = 66 AND substr(name, 1, 2) = '\x000d')), -- SHA-512
	device_id  uuid NOT NULL REFERENCES device,
	public     bytea NOT NULL CHECK (octet_length(public) BETWEEN 3 AND 1024), -- TPM2B_PUBLIC
	kind       word NOT NULL,
	dialect    word NOT NULL DEFAULT 'native', -- an AK of one dialect is refused in the others
	state      text NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'superseded')),
	created_at timestamptz NOT NULL,
	UNIQUE (device_id, name)
);

-- Who may administer, and by what they are known.

-- People, by the common name of the certificate that the admin CA gave them.
CREATE TABLE operator (
	name        text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$'),
	role        word NOT NULL CHECK (role IN ('auditor', 'operator', 'admin')),
	created_at  timestamptz NOT NULL,
	created_by  text NOT NULL CHECK (octet_length(created_by) <= 512),
	disabled_at timestamptz, -- NULL: not
	disabled_by text CHECK (octet_length(disabled_by) <= 512)
);

-- Certificates of operators that are taken back before they end, by the SHA-256 of their DER.
CREATE TABLE operator_revoked (
	certificate_sha256 sha256_digest PRIMARY KEY,
	name               text NOT NULL CHECK (octet_length(name) <= 512),
	revoked_at         timestamptz NOT NULL,
	revoked_by         text NOT NULL CHECK (octet_length(revoked_by) <= 512),
	why                text NOT NULL CHECK (octet_length(why) <= 512)
);

-- Tokens of programs. The token itself is shown once and kept nowhere: 256 random bits need no salt.
CREATE TABLE api_token (
	token_sha256 sha256_digest PRIMARY KEY,
	name         text COLLATE "C" NOT NULL UNIQUE CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$'),
	role         word NOT NULL CHECK (role IN ('auditor', 'operator', 'admin')),
	created_at   timestamptz NOT NULL,
	created_by   text NOT NULL CHECK (octet_length(created_by) <= 512),
	expires_at   timestamptz NOT NULL CHECK (expires_at > created_at),
	revoked_at   timestamptz,
	revoked_by   text CHECK (octet_length(revoked_by) <= 512),
	used_at      timestamptz -- the last time, to the minute
);

-- Whom else we believe: roots, intermediates and CRLs that an operator imported. They lie here and not
-- in a directory so that one import reaches every server.
CREATE TABLE trusted (
	sha256        sha256_digest PRIMARY KEY CHECK (sha256 = sha256(der)),
	role          word NOT NULL CHECK (role IN ('root', 'intermediate', 'crl')),
	der           bytea NOT NULL CHECK (octet_length(der) BETWEEN 1 AND
		CASE role WHEN 'crl' THEN 1048576 ELSE 16384 END),
	manufacturers text NOT NULL CHECK (octet_length(manufacturers) <= 512), -- "id:49465800"; '': any
	source        text NOT NULL CHECK (octet_length(source) <= 512), -- what it came from
	path          text NOT NULL CHECK (octet_length(path) <= 512), -- where it lay in that
	imported_at   timestamptz NOT NULL,
	imported_by   text NOT NULL CHECK (octet_length(imported_by) <= 512),
	why           text NOT NULL CHECK (octet_length(why) <= 512),
	place         bigint GENERATED ALWAYS AS IDENTITY UNIQUE -- the order of import
);

-- One row. Whoever changes trusted locks it first and raises it in the same transaction, so servers that
-- look at it now and then see every change, in the order of committing.
CREATE TABLE trust_state (
	one      boolean PRIMARY KEY DEFAULT true CHECK (one),
	revision bigint NOT NULL CHECK (revision >= 0)
);
INSERT INTO trust_state (revision) VALUES (0);

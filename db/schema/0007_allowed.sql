-- The allow-list: EKs that are believed, or awaited under a name, before they come. Rows here are no
-- device and hold no name in host; whoever adds or removes them keeps enrollments out meanwhile
-- (db/lock.h), so what a row says is true of every binding that is made while it is there.
CREATE TABLE ek_allowed (
	ek_digest sha256_digest PRIMARY KEY,
	ek_public bytea CHECK (octet_length(ek_public) BETWEEN 3 AND 1024), -- TPM2B_PUBLIC, where it is known
	serial    text CHECK (octet_length(serial) <= 512), -- of the machine, for people
	host      host_name UNIQUE, -- only this name and this EK go together; NULL: policy alone decides
	labels    jsonb NOT NULL DEFAULT '{}' CHECK (
		jsonb_typeof(labels) = 'object' AND octet_length(labels::text) < 8192),
	source    text NOT NULL CHECK (octet_length(source) <= 512), -- the file or the act
	added_at  timestamptz NOT NULL,
	added_by  text NOT NULL CHECK (octet_length(added_by) <= 512),
	why       text NOT NULL CHECK (octet_length(why) <= 512)
);

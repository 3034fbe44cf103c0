-- What was taken back, and how relying parties come to know of it.

-- Who signed. A CA is known by its key, so that a CA certificate that was made anew for the same key
-- goes on; an OpenSSH CA is nothing but a key.
CREATE TABLE issuer (
	issuer_id         sha256_digest PRIMARY KEY, -- of the SubjectPublicKeyInfo, or of the key blob
	kind              text COLLATE "C" NOT NULL CHECK (kind IN ('x509', 'ssh-host', 'ssh-user')),
	certificate       bytea NOT NULL CHECK (octet_length(certificate) BETWEEN 1 AND 16384), -- or blob
	first_at          timestamptz NOT NULL,
	not_after         timestamptz, -- NULL: an OpenSSH CA, which never ends
	-- From then on nothing is signed by it, and all that it signed counts as revoked.
	revoked_at        timestamptz,
	revocation_reason text CHECK (revocation_reason ~ '^[a-zA-Z]{1,32}$'),
	revoked_by        text CHECK (octet_length(revoked_by) <= 512),
	revoked_why       text CHECK (octet_length(revoked_why) <= 512),
	CHECK ((revoked_at IS NULL) = (revocation_reason IS NULL))
);

-- NULL in rows that are older than this file: those name no CRL, and OCSP tells of them by serial.
ALTER TABLE certificate
	ADD COLUMN issuer bytea CHECK (octet_length(issuer) = 32),
	ADD COLUMN shard bigint CHECK (shard >= 0), -- of x509; its CRL is named in the certificate
	-- By which act it was revoked or held, so that another one does not give it back.
	ADD COLUMN revoked_with text COLLATE "C" CHECK (
		revoked_with IN ('certificate', 'device', 'host', 'ca-key'));
CREATE INDEX certificate_shard ON certificate (issuer, shard, not_after);
CREATE INDEX certificate_revoked ON certificate (issuer, shard)
	WHERE revoked_at IS NOT NULL AND shard IS NOT NULL; -- what the KRL lists has an index of its own
-- What of a revoked CA is still to be reached.
CREATE INDEX certificate_standing ON certificate (issuer, not_after)
	WHERE revoked_at IS NULL OR revocation_reason = 'certificateHold';

-- Which shard a certificate belongs to is drawn when it is issued: a place, and so many places are one
-- shard. So a shard is closed once its places are drawn, whatever is revoked later and whichever server
-- asks, and nobody waits for anybody. A place that is drawn in vain stays empty.
-- How many places are a shard, and where its CRL is fetched, is the plan's to say: the newest one's for
-- those who draw, and for a shard that of the last plan whose first shard is not beyond it. A CRL names
-- its URL byte for byte as the certificates do, so a new URL begins new shards, and so does a new size.
CREATE SEQUENCE crl_place AS bigint MINVALUE 0;
CREATE TABLE crl_plan (
	first_shard bigint PRIMARY KEY CHECK (first_shard >= 0),
	first_place bigint NOT NULL CHECK (first_place >= 0),
	capacity    bigint NOT NULL CHECK (capacity > 0), -- places of each shard from there on
	base        text NOT NULL CHECK (octet_length(base) BETWEEN 1 AND 255) -- of its URLs
);

-- One CRL: what it was made of, and itself. A row is there as soon as a certificate names it.
CREATE TABLE crl_shard (
	issuer      bytea NOT NULL CHECK (octet_length(issuer) = 32),
	shard       bigint NOT NULL CHECK (shard >= 0),
	changed     bigint NOT NULL DEFAULT 1, -- moves with every revocation in it
	published   bigint NOT NULL DEFAULT 0, -- `changed` as the CRL below was made
	number      bigint, -- RFC 5280 5.2.3; NULL: there is none yet
	this_update timestamptz,
	next_update timestamptz,
	der         bytea CHECK (octet_length(der) BETWEEN 1 AND 16777216),
	PRIMARY KEY (issuer, shard),
	CHECK ((number IS NULL) = (der IS NULL) AND (number IS NULL) = (this_update IS NULL)
		AND (number IS NULL) = (next_update IS NULL))
);
ALTER TABLE crl_shard ALTER COLUMN der SET STORAGE EXTERNAL; -- DER of random numbers: nothing to compress
CREATE INDEX crl_shard_changed ON crl_shard (issuer, shard) WHERE changed <> published;
CREATE INDEX crl_shard_due ON crl_shard (issuer, next_update);

-- The one OpenSSH KRL, of all OpenSSH CAs.
CREATE TABLE krl (
	only_one    boolean PRIMARY KEY DEFAULT true CHECK (only_one),
	changed     bigint NOT NULL DEFAULT 1,
	published   bigint NOT NULL DEFAULT 0,
	number      bigint NOT NULL DEFAULT 0, -- its krl_version
	this_update timestamptz,
	bytes       bytea, -- NULL: there is none yet
	signature   bytea -- SSHSIG, armored
);
INSERT INTO krl DEFAULT VALUES;
-- What is in it: few of all certificates, and sought with each change.
CREATE INDEX certificate_krl ON certificate (not_after) INCLUDE (issuer, serial)
	WHERE revoked_at IS NOT NULL AND kind <> 'x509';
CREATE INDEX device_krl ON device (device_id) WHERE state = 'revoked';

-- Moves with everything that could change what OCSP answers; the last row that a transaction locks.
CREATE TABLE revocation (
	only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
	revision bigint NOT NULL DEFAULT 1
);
INSERT INTO revocation DEFAULT VALUES;

-- Certificates change only by being revoked, held or released, and nobody who does that can forget
-- that CRLs, the KRL and OCSP have to follow.
CREATE FUNCTION certificate_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO crl_shard AS ours (issuer, shard)
	SELECT DISTINCT issuer, shard FROM changed WHERE issuer IS NOT NULL AND shard IS NOT NULL
	ORDER BY issuer, shard
	ON CONFLICT (issuer, shard) DO UPDATE SET changed = ours.changed + 1;
	UPDATE krl SET changed = krl.changed + 1 WHERE EXISTS (SELECT FROM changed WHERE kind <> 'x509');
	UPDATE revocation SET revision = revision + 1 WHERE EXISTS (SELECT FROM changed);
	RETURN NULL;
END
$$;
CREATE TRIGGER certificate_follow AFTER UPDATE ON certificate
	REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION certificate_follow();

-- The KRL names also what no certificate tells of: CAs, and devices, whose later certificates have the
-- same key ID, so that one which is good again has to leave the list before it is served.
CREATE FUNCTION krl_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE krl SET changed = krl.changed + 1;
	RETURN NULL;
END
$$;
CREATE TRIGGER krl_follow AFTER UPDATE OF state ON device FOR EACH ROW
	WHEN (OLD.state = 'revoked' AND NEW.state <> 'revoked') EXECUTE FUNCTION krl_follow();
CREATE TRIGGER krl_follow AFTER UPDATE OF revoked_at ON issuer FOR EACH ROW
	WHEN (NEW.kind <> 'x509' AND OLD.revoked_at IS DISTINCT FROM NEW.revoked_at) EXECUTE FUNCTION krl_follow();

-- Devices: held is revoked for the time being. Why it is so stands here as well as in the audit, for
-- who comes second is told.
ALTER TABLE device DROP CONSTRAINT device_state_check;
ALTER TABLE device
	ADD CONSTRAINT device_state_check CHECK (state IN ('active', 'held', 'revoked')),
	ADD COLUMN barred_at timestamptz, -- NULL: it is not
	ADD COLUMN barred_reason text CHECK (barred_reason ~ '^[a-zA-Z]{1,32}$'),
	ADD COLUMN barred_why text CHECK (octet_length(barred_why) <= 512),
	ADD COLUMN barred_by text CHECK (octet_length(barred_by) <= 512);

-- Host names that nobody may have until they are reinstated.
CREATE TABLE host_barred (
	name   host_name PRIMARY KEY,
	at     timestamptz NOT NULL,
	reason text NOT NULL CHECK (reason ~ '^[a-zA-Z]{1,32}$'),
	why    text NOT NULL CHECK (octet_length(why) <= 512),
	by     text NOT NULL CHECK (octet_length(by) <= 512)
);

-- Held attempts for a name end when it is revoked.
CREATE INDEX pending_host ON pending (host);

-- The certificates that OCSP answers are signed with: they leave, so they are recorded.
CREATE TABLE ocsp_responder (
	serial     bytea PRIMARY KEY CHECK (octet_length(serial) BETWEEN 1 AND 20),
	issuer     bytea NOT NULL CHECK (octet_length(issuer) = 32),
	der        bytea NOT NULL CHECK (octet_length(der) BETWEEN 1 AND 16384),
	not_before timestamptz NOT NULL,
	not_after  timestamptz NOT NULL,
	made_at    timestamptz NOT NULL
);

-- As in 0009, and: the name is not barred, and the CA is not revoked. It keeps the columns of now.
CREATE OR REPLACE VIEW certificate_in_force AS
SELECT *
FROM certificate
WHERE revoked_at IS NULL
	AND (SELECT device.state FROM device WHERE device.device_id = certificate.device_id) = 'active'
	AND (SELECT host.binding FROM host WHERE host.name = certificate.host
		AND host.device_id = certificate.device_id) = certificate.binding
	AND (SELECT ak.state FROM ak WHERE ak.name = certificate.ak_name) = 'live'
	AND (SELECT host_barred.at FROM host_barred WHERE host_barred.name = certificate.host) IS NULL
	AND (SELECT issuer.revoked_at FROM issuer WHERE issuer.issuer_id = certificate.issuer) IS NULL;

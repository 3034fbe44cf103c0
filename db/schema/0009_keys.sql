-- Several keys and certificates for one enrollment, and renewals without the EK.

-- Certificates of more than one kind, and whom they certify. Old rows are X.509, for AKs.
--
-- Of base types: a column of a domain with a constraint, or a generated one, has PostgreSQL write
-- the whole table anew, which may be a large one, while nobody enrolls.
ALTER TABLE certificate
	ADD COLUMN kind text COLLATE "C" NOT NULL DEFAULT 'x509'
		CHECK (kind IN ('x509', 'ssh-host', 'ssh-user')),
	ADD COLUMN key_kind text COLLATE "C" NOT NULL DEFAULT 'ak'
		CHECK (key_kind IN ('ak', 'certified', 'any')),
	-- SHA-256 of the SubjectPublicKeyInfo as we encode it; NULL in rows that are older than this file.
	ADD COLUMN key_sha256 bytea CHECK (octet_length(key_sha256) = 32);
-- By it a verifier fetches the AK's certificate that evidence in another one names.
CREATE INDEX certificate_sha256 ON certificate (sha256(der));

-- Word for word as in 0002, for a view keeps the columns that its table had then.
CREATE OR REPLACE VIEW certificate_in_force AS
SELECT *
FROM certificate
WHERE revoked_at IS NULL
	AND (SELECT device.state FROM device WHERE device.device_id = certificate.device_id) = 'active'
	AND (SELECT host.binding FROM host WHERE host.name = certificate.host
		AND host.device_id = certificate.device_id) = certificate.binding
	AND (SELECT ak.state FROM ak WHERE ak.name = certificate.ak_name) = 'live';

-- What a renewal judges anew: it comes without the EK. NULL in rows that are older than this file.
ALTER TABLE ek
	ADD COLUMN public bytea CHECK (octet_length(public) BETWEEN 3 AND 1024), -- TPM2B_PUBLIC
	ADD COLUMN chain bytea[] CHECK (cardinality(chain) <= 8); -- DER, as the device sent it
ALTER TABLE ak
	-- Under which EK it was proven last ...
	ADD COLUMN ek_digest bytea CHECK (octet_length(ek_digest) = 32),
	ADD COLUMN proven_at timestamptz; -- ... and when; NULL: when it was created

-- Serial numbers of OpenSSH certificates: taken before they are signed, so there are gaps.
CREATE SEQUENCE ssh_serial AS bigint MINVALUE 1;

-- Renewals are refused too, and read in one order with enrollments.
DROP INDEX audit_refusal;
CREATE INDEX audit_refusal ON audit (id) WHERE event IN ('enroll.refused', 'renew.refused');

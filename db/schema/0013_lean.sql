-- The same checks for less: what an enrollment pays for each row that it writes.
--
-- PostgreSQL reads the text of a table's CHECK anew for every statement that writes to the table, some
-- 8 us each, and there were 50 of them. What a domain wants is read once for each connection. And a
-- regular expression that counts ("{0,61}") is slow: 23 us for a version of 64 digits. So lengths are
-- measured, and what is about one column became a domain of it.
--
-- A column may become one without being read or written anew as long as the domain wants nothing: so it
-- gets its constraints after that, and NOT VALID, for what is there has passed the same ones. Columns in
-- an index that has an expression or a condition stay as they are: that index would be built anew.

ALTER DOMAIN host_name DROP CONSTRAINT host_name_check;
ALTER DOMAIN host_name ADD CONSTRAINT host_name_check CHECK (
	octet_length(VALUE) <= 253
	AND VALUE ~ '^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$'
	AND VALUE !~ '\.[0-9]+$'
	-- No label has more than 63 bytes, and none can that leaves room for no other.
	AND (octet_length(VALUE) < 66 OR VALUE !~ '[^.]{64}')) NOT VALID;
ALTER DOMAIN word DROP CONSTRAINT word_check;
ALTER DOMAIN word ADD CONSTRAINT word_check CHECK (
	octet_length(VALUE) <= 64 AND VALUE ~ '^[a-z0-9][a-z0-9._-]*$') NOT VALID;

-- As in 0001. The planner puts what it says in the place of the call, so a statement that insists on
-- something which holds calls no function.
CREATE FUNCTION insist_fails(otherwise text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'EN001', MESSAGE = otherwise;
END
$$;
CREATE OR REPLACE FUNCTION insist(holds boolean, otherwise text) RETURNS void LANGUAGE sql AS $$
SELECT CASE WHEN holds THEN NULL ELSE insist_fails(otherwise) END
$$;

CREATE DOMAIN prose AS text;
CREATE DOMAIN rules_version AS text; -- of a trust set, of a policy
CREATE DOMAIN crl_reason AS text; -- RFC 5280 5.3.1
CREATE DOMAIN counter AS bigint;
CREATE DOMAIN ordinal AS bigint;
CREATE DOMAIN place AS smallint;
CREATE DOMAIN label_set AS jsonb;
CREATE DOMAIN device_state AS text;
CREATE DOMAIN trust_class AS text COLLATE "C";
CREATE DOMAIN tpm_public AS bytea; -- TPM2B_PUBLIC
CREATE DOMAIN tpm_name AS bytea; -- TPM 2.0 Part 1, 16
CREATE DOMAIN ak_state AS text;
CREATE DOMAIN ek_certificate AS bytea;
CREATE DOMAIN ek_chain AS bytea[];
CREATE DOMAIN digest AS bytea;
CREATE DOMAIN key_kind AS text COLLATE "C";
CREATE DOMAIN act_kind AS text COLLATE "C";
CREATE DOMAIN serial_list AS bytea[];
-- These for casts.
CREATE DOMAIN serial_number AS bytea CHECK (octet_length(VALUE) BETWEEN 1 AND 20);
CREATE DOMAIN certificate_bytes AS bytea CHECK (octet_length(VALUE) BETWEEN 1 AND 65536);
CREATE DOMAIN certificate_kind AS text COLLATE "C" CHECK (VALUE IN ('x509', 'ssh-host', 'ssh-user'));

DROP VIEW certificate_in_force;
DROP INDEX device_krl; -- device_barred begins with the state
DROP TRIGGER device_label_insert ON device;
DROP TRIGGER device_label_update ON device;
DROP TRIGGER krl_follow ON device;

ALTER TABLE device
	DROP CONSTRAINT device_manufacturer_check,
	DROP CONSTRAINT device_model_check,
	DROP CONSTRAINT device_version_check,
	DROP CONSTRAINT device_trust_class_check,
	DROP CONSTRAINT device_trust_source_check,
	DROP CONSTRAINT device_trust_version_check,
	DROP CONSTRAINT device_state_check,
	DROP CONSTRAINT device_revision_check,
	DROP CONSTRAINT device_labels_check,
	DROP CONSTRAINT device_check,
	DROP CONSTRAINT device_barred_reason_check,
	DROP CONSTRAINT device_barred_why_check,
	DROP CONSTRAINT device_barred_by_check;
ALTER TABLE device
	ALTER manufacturer TYPE prose,
	ALTER model TYPE prose,
	ALTER version TYPE prose,
	ALTER trust_class TYPE trust_class,
	ALTER trust_source TYPE prose,
	ALTER trust_version TYPE rules_version,
	ALTER state TYPE device_state,
	ALTER revision TYPE counter,
	ALTER labels TYPE label_set,
	ALTER barred_reason TYPE crl_reason,
	ALTER barred_why TYPE prose,
	ALTER barred_by TYPE prose;

ALTER TABLE ek
	DROP CONSTRAINT ek_certificate_check,
	DROP CONSTRAINT ek_public_check,
	DROP CONSTRAINT ek_chain_check;
ALTER TABLE ek
	ALTER certificate TYPE ek_certificate,
	ALTER public TYPE tpm_public,
	ALTER chain TYPE ek_chain;

ALTER TABLE ak
	DROP CONSTRAINT ak_name_check,
	DROP CONSTRAINT ak_public_check,
	DROP CONSTRAINT ak_state_check,
	DROP CONSTRAINT ak_ek_digest_check;
ALTER TABLE ak
	ALTER name TYPE tpm_name,
	ALTER public TYPE tpm_public,
	ALTER state TYPE ak_state,
	ALTER ek_digest TYPE digest;

-- A certificate's device is that of its AK, whom the other key names together with it.
ALTER TABLE certificate
	DROP CONSTRAINT certificate_device_id_fkey,
	DROP CONSTRAINT certificate_check,
	DROP CONSTRAINT certificate_check1,
	DROP CONSTRAINT certificate_der_check,
	DROP CONSTRAINT certificate_issuer_check,
	DROP CONSTRAINT certificate_key_kind_check,
	DROP CONSTRAINT certificate_key_sha256_check,
	DROP CONSTRAINT certificate_kind_check,
	DROP CONSTRAINT certificate_place_check,
	DROP CONSTRAINT certificate_policy_version_check,
	DROP CONSTRAINT certificate_revocation_reason_check,
	DROP CONSTRAINT certificate_revoked_with_check,
	DROP CONSTRAINT certificate_serial_check,
	DROP CONSTRAINT certificate_shard_check,
	DROP CONSTRAINT certificate_template_version_check,
	DROP CONSTRAINT certificate_trust_version_check;
ALTER TABLE certificate
	ALTER template_version TYPE ordinal,
	ALTER place TYPE place,
	ALTER trust_version TYPE rules_version,
	ALTER policy_version TYPE rules_version,
	ALTER key_kind TYPE key_kind,
	ALTER key_sha256 TYPE digest,
	ALTER revoked_with TYPE act_kind;

-- A used ticket stands beside certificates of the same device and AK, and is gone within days.
ALTER TABLE ticket
	DROP CONSTRAINT ticket_device_id_fkey,
	DROP CONSTRAINT ticket_device_id_ak_name_fkey,
	DROP CONSTRAINT ticket_serials_check;
DROP INDEX ticket_ak;
ALTER TABLE ticket
	ALTER serials TYPE serial_list;

-- host and who are in such indices: who writes them measures them (db/audit.c).
ALTER TABLE audit
	DROP CONSTRAINT audit_client_address_check,
	DROP CONSTRAINT audit_detail_check,
	DROP CONSTRAINT audit_host_check,
	DROP CONSTRAINT audit_policy_version_check,
	DROP CONSTRAINT audit_request_id_check,
	DROP CONSTRAINT audit_trust_version_check,
	DROP CONSTRAINT audit_who_check;
ALTER TABLE audit
	ALTER client_address TYPE prose,
	ALTER detail TYPE prose,
	ALTER policy_version TYPE rules_version,
	ALTER request_id TYPE prose,
	ALTER trust_version TYPE rules_version;

ALTER DOMAIN prose ADD CHECK (octet_length(VALUE) <= 512) NOT VALID;
ALTER DOMAIN rules_version ADD CHECK (octet_length(VALUE) <= 128 AND VALUE ~ '^[0-9a-f]+$') NOT VALID;
ALTER DOMAIN crl_reason ADD CHECK (octet_length(VALUE) <= 32 AND VALUE ~ '^[a-zA-Z]+$') NOT VALID;
ALTER DOMAIN counter ADD CHECK (VALUE > 0) NOT VALID;
ALTER DOMAIN ordinal ADD CHECK (VALUE >= 0) NOT VALID;
ALTER DOMAIN place ADD CHECK (VALUE >= 0) NOT VALID;
ALTER DOMAIN label_set ADD CHECK (jsonb_typeof(VALUE) = 'object') NOT VALID;
ALTER DOMAIN device_state ADD CHECK (VALUE IN ('active', 'held', 'revoked')) NOT VALID;
ALTER DOMAIN trust_class ADD CHECK (VALUE IN (
	'manufacturer', 'operator-import', 'allow-list', 'approved')) NOT VALID;
ALTER DOMAIN tpm_public ADD CHECK (octet_length(VALUE) BETWEEN 3 AND 1024) NOT VALID;
ALTER DOMAIN tpm_name ADD CHECK (
	(octet_length(VALUE) = 34 AND substr(VALUE, 1, 2) = '\x000b') -- SHA-256
	OR (octet_length(VALUE) = 50 AND substr(VALUE, 1, 2) = '\x000c') -- SHA-384
	OR (octet_length(VALUE) = 66 AND substr(VALUE, 1, 2) = '\x000d')) NOT VALID; -- SHA-512
ALTER DOMAIN ak_state ADD CHECK (VALUE IN ('live', 'superseded')) NOT VALID;
ALTER DOMAIN ek_certificate ADD CHECK (octet_length(VALUE) BETWEEN 1 AND 8192) NOT VALID;
ALTER DOMAIN ek_chain ADD CHECK (cardinality(VALUE) <= 8) NOT VALID;
ALTER DOMAIN digest ADD CHECK (octet_length(VALUE) = 32) NOT VALID;
ALTER DOMAIN key_kind ADD CHECK (VALUE IN ('ak', 'certified', 'any')) NOT VALID;
ALTER DOMAIN act_kind ADD CHECK (VALUE IN ('certificate', 'device', 'host', 'ca-key')) NOT VALID;
ALTER DOMAIN serial_list ADD CHECK (cardinality(VALUE) BETWEEN 1 AND 8) NOT VALID; -- in their order

-- What no enrollment writes, or writes through a domain (db/enrollment.c), is looked at when it changes.
CREATE FUNCTION refuse_nonsense() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = '23514', MESSAGE = TG_NAME || ': what is to be written makes no sense';
END
$$;
CREATE TRIGGER device_check AFTER UPDATE OF last_refusal_at, last_refusal_code ON device
	FOR EACH ROW WHEN ((NEW.last_refusal_at IS NULL) <> (NEW.last_refusal_code IS NULL))
	EXECUTE FUNCTION refuse_nonsense();
CREATE TRIGGER certificate_revoked_check AFTER UPDATE OF revoked_at, revocation_reason ON certificate
	FOR EACH ROW WHEN ((NEW.revoked_at IS NULL) <> (NEW.revocation_reason IS NULL)
		OR octet_length(NEW.revocation_reason) > 32 OR NEW.revocation_reason !~ '^[a-zA-Z]+$')
	EXECUTE FUNCTION refuse_nonsense();
CREATE TRIGGER certificate_check AFTER UPDATE OF serial, der, kind, issuer, shard, not_before, not_after
	ON certificate FOR EACH ROW WHEN (octet_length(NEW.serial) NOT BETWEEN 1 AND 20
		OR octet_length(NEW.der) NOT BETWEEN 1 AND 65536 OR octet_length(NEW.issuer) <> 32
		OR NEW.shard < 0 OR NEW.kind NOT IN ('x509', 'ssh-host', 'ssh-user')
		OR NEW.not_after <= NEW.not_before)
	EXECUTE FUNCTION refuse_nonsense();

CREATE TRIGGER device_label_insert AFTER INSERT ON device
	FOR EACH ROW WHEN (NEW.labels <> '{}') EXECUTE FUNCTION device_label_follow();
CREATE TRIGGER device_label_update AFTER UPDATE OF labels ON device
	FOR EACH ROW WHEN (NEW.labels IS DISTINCT FROM OLD.labels) EXECUTE FUNCTION device_label_follow();
CREATE TRIGGER krl_follow AFTER UPDATE OF state ON device FOR EACH ROW
	WHEN (OLD.state = 'revoked' AND NEW.state <> 'revoked') EXECUTE FUNCTION krl_follow();

CREATE VIEW certificate_in_force AS
SELECT *
FROM certificate
WHERE revoked_at IS NULL
	AND (SELECT device.state FROM device WHERE device.device_id = certificate.device_id) = 'active'
	AND (SELECT host.binding FROM host WHERE host.name = certificate.host
		AND host.device_id = certificate.device_id) = certificate.binding
	AND (SELECT ak.state FROM ak WHERE ak.name = certificate.ak_name) = 'live'
	AND (SELECT host_barred.at FROM host_barred WHERE host_barred.name = certificate.host) IS NULL
	AND (SELECT issuer.revoked_at FROM issuer WHERE issuer.issuer_id = certificate.issuer) IS NULL;

-- Room for the next version of a row beside it: then a renewal, which moves a device, writes no index.
ALTER TABLE device SET (fillfactor = 85);
ALTER TABLE ak SET (fillfactor = 90);

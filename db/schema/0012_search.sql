-- What admins look for, among millions. Every list is read in the order of one of these indices, from where
-- the page before it ended, so a page costs the same wherever it is.
--
-- An enrollment writes each of them, so there are few, and those of certificates and audit grow at their
-- right end or beside a name that was there before. No column that a renewal changes in device is in any.

-- Devices: those that came last first, alone or of one maker; those that are not active are few.
CREATE INDEX device_created ON device (created_at, device_id);
CREATE INDEX device_manufacturer ON device (manufacturer, created_at, device_id);
CREATE INDEX device_barred ON device (state, created_at, device_id) WHERE state <> 'active';

-- Labels as rows, for an index over jsonb has no order in which to go on. created_at is the device's.
CREATE TABLE device_label (
	name       text COLLATE "C" NOT NULL,
	value      text COLLATE "C" NOT NULL,
	created_at timestamptz NOT NULL,
	device_id  uuid NOT NULL REFERENCES device,
	PRIMARY KEY (name, value, created_at, device_id)
);
CREATE INDEX device_label_device ON device_label (device_id);

CREATE FUNCTION device_label_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'UPDATE' THEN
		DELETE FROM device_label WHERE device_id = NEW.device_id;
	END IF;
	INSERT INTO device_label (name, value, created_at, device_id)
	SELECT key, value, NEW.created_at, NEW.device_id FROM jsonb_each_text(NEW.labels);
	RETURN NULL;
END
$$;
CREATE TRIGGER device_label_insert AFTER INSERT ON device
	FOR EACH ROW WHEN (NEW.labels <> '{}') EXECUTE FUNCTION device_label_follow();
CREATE TRIGGER device_label_update AFTER UPDATE OF labels ON device
	FOR EACH ROW WHEN (NEW.labels IS DISTINCT FROM OLD.labels) EXECUTE FUNCTION device_label_follow();
INSERT INTO device_label (name, value, created_at, device_id)
SELECT key, value, created_at, device_id FROM device, jsonb_each_text(labels);

-- By the machine's serial number, which people read off its case.
CREATE INDEX ek_allowed_serial ON ek_allowed (serial);

-- Names by their ends: "*.lab.example.org".
CREATE INDEX host_reversed ON host (reverse(name::text) COLLATE "C");
CREATE INDEX host_barred_reversed ON host_barred (reverse(name::text) COLLATE "C");

-- Certificates: those issued last first, those of one name (also of one that nobody has any more), and
-- those that were taken back. Those of one device are found by certificate_repeat.
CREATE INDEX certificate_issued ON certificate (issued_at, serial);
CREATE INDEX certificate_host ON certificate (host, issued_at, serial);
-- Time and reason are both there or neither; who names both gets this index, and nobody else.
CREATE INDEX certificate_taken_back ON certificate (issued_at, serial)
	WHERE revoked_at IS NOT NULL AND revocation_reason IS NOT NULL;

-- The audit of one name, and what people did.
CREATE INDEX audit_host ON audit (lower(host) COLLATE "C", id);
CREATE INDEX audit_who ON audit (who COLLATE "C", id) WHERE who IS NOT NULL;
CREATE INDEX audit_acts ON audit (id) WHERE who IS NOT NULL;

-- The first id whose row is not older: ids follow the clocks but for their differences, so halving finds
-- it, and an index over `at` is saved.
CREATE FUNCTION audit_id_at(moment timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
	low bigint := 0;
	high bigint := coalesce((SELECT max(id) FROM audit), 0) + 1;
	middle bigint;
	found timestamptz;
BEGIN
	IF moment < timestamptz 'epoch' THEN
		RETURN 0;
	ELSIF moment > timestamptz '9999-01-01' THEN
		RETURN 9223372036854775807;
	END IF;
	WHILE low < high LOOP
		middle := (low + high) / 2;
		SELECT at INTO found FROM audit WHERE id >= middle ORDER BY id LIMIT 1;
		IF found IS NULL OR found >= moment THEN
			high := middle;
		ELSE
			low := middle + 1;
		END IF;
	END LOOP;
	RETURN low;
END
$$;

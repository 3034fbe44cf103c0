-- What goes when it is old, and what vacuum does about tables that only grow.

-- Certificates go some time after their end where an operator says so (db/retention.h). Those that nobody
-- took back are found by certificate_standing; an enrollment does not write this one. Where millions are to
-- be read for it, it can be made CONCURRENTLY before the upgrade. Its condition is spelled so that nobody who
-- looks for what was revoked is offered this index by accident.
CREATE INDEX IF NOT EXISTS certificate_ended ON certificate (not_after) WHERE (revoked_at IS NULL) IS FALSE;

-- The audit stays, unless the owner of the database has what is older than a year go, and says who he is
-- and why. The door is open within that procedure's own transactions and for no row that is younger,
-- whoever opens it.
CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'DELETE' AND current_setting('endorse.audit_forget_before', true) <> '' THEN
		RETURN NULL;
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'EN002', MESSAGE = 'the audit is only ever added to';
END
$$;
CREATE FUNCTION audit_keep_young() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF OLD.at >= least(nullif(current_setting('endorse.audit_forget_before', true), '')::timestamptz,
			now() - interval '1 year') THEN
		RAISE EXCEPTION USING ERRCODE = 'EN002', MESSAGE = 'the audit of the last year stays';
	END IF;
	RETURN OLD;
END
$$;
CREATE TRIGGER audit_young BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_keep_young();
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_young;

-- Outside a transaction: it commits after each 10,000 rows, and the row that tells of it comes first and
-- stays. Called again, it goes on.
CREATE PROCEDURE audit_forget(before timestamptz, who text, why text) LANGUAGE plpgsql AS $$
DECLARE
	until bigint;
	done bigint := 0;
	ids bigint[];
BEGIN
	IF before IS NULL OR before > now() - interval '1 year' THEN
		RAISE EXCEPTION USING ERRCODE = 'EN002', MESSAGE = 'the audit of the last year stays';
	ELSIF coalesce(trim(who), '') = '' OR coalesce(trim(why), '') = '' THEN
		RAISE EXCEPTION USING ERRCODE = 'EN002', MESSAGE = 'say who you are, and why';
	END IF;
	INSERT INTO audit (at, event, detail, who) VALUES (now(), 'audit.forgotten',
		left('all before ' || to_char(before AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC: '
			|| why, 512), who);
	COMMIT;
	until := audit_id_at(before);
	LOOP
		SELECT array_agg(id), max(id) INTO ids, done FROM (SELECT id FROM audit
			WHERE id > done AND id < until AND at < before ORDER BY id LIMIT 10000) AS next;
		EXIT WHEN ids IS NULL;
		PERFORM set_config('endorse.audit_forget_before', before::text, true);
		DELETE FROM audit WHERE id = ANY (ids);
		COMMIT;
	END LOOP;
END
$$;
REVOKE EXECUTE ON PROCEDURE audit_forget FROM PUBLIC;

-- Rows of these are written once and hardly ever again. By default vacuum comes when a fifth of a table is
-- new: of ten million rows that is much at once, and late. So it comes often, reads what is new, and
-- freezes it then, so that nobody has to write those pages once more; and the planner hears of what is
-- new before it is beyond all that it knows.
ALTER TABLE certificate SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.02,
	autovacuum_analyze_scale_factor = 0.02, autovacuum_freeze_min_age = 0);
ALTER TABLE audit SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.02,
	autovacuum_analyze_scale_factor = 0.05, autovacuum_freeze_min_age = 0);
ALTER TABLE ek SET (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_freeze_min_age = 0);
ALTER TABLE host SET (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_freeze_min_age = 0);
-- Each enrollment and renewal changes a row of these: its dead versions go while they are few.
ALTER TABLE device SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE ak SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
-- Rows of a day.
ALTER TABLE ticket SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE refusal SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

-- DER does not get smaller, so nobody tries; and a row stays in one piece up to half a page, for an EK with
-- its chain is read whole.
ALTER TABLE certificate ALTER der SET STORAGE EXTERNAL, SET (toast_tuple_target = 4080);
ALTER TABLE ek ALTER certificate SET STORAGE EXTERNAL, ALTER chain SET STORAGE EXTERNAL,
	ALTER public SET STORAGE EXTERNAL, SET (toast_tuple_target = 4080);
ALTER TABLE pending ALTER ek_certificate SET STORAGE EXTERNAL, ALTER chain SET STORAGE EXTERNAL,
	SET (toast_tuple_target = 4080);

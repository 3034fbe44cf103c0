-- after-restore.sql - after the database was put back from a backup, and before any endorsed runs:
--
--     psql -v ON_ERROR_STOP=1 -f /usr/share/endorse/restore/after-restore.sql endorse
--
-- Numbers and places of CRLs that were given out after the backup was made are out in the world, and nobody knows
-- which. They are passed over, so that none is given out twice; and all that relying parties fetch is made anew.
BEGIN;
SELECT setval('ssh_serial', nextval('ssh_serial') + 10000000) AS ssh_serial,
	setval('crl_place', nextval('crl_place') + 10000000) AS crl_place;
UPDATE crl_shard SET changed = changed + 1;
UPDATE krl SET changed = changed + 1;
UPDATE revocation SET revision = revision + 10000000;
COMMIT;

-- By which rules a device was judged: the versions of the trust set and of the policy, as certificates
-- have them. NULL in rows that are older than this file, and in those of what no rule decides.
ALTER TABLE audit
	ADD COLUMN trust_version text CHECK (trust_version ~ '^[0-9a-f]{1,128}$'),
	ADD COLUMN policy_version text CHECK (policy_version ~ '^[0-9a-f]{1,128}$');

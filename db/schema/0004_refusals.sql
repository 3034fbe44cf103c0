-- Reading refusals: by their order, whatever else is in the audit, and by about when.
CREATE INDEX audit_refusal ON audit (id) WHERE event = 'enroll.refused';

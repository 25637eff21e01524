-- Computed relationships: functions of the exposed schemas ($1) from a row of one relation to rows of another.
SELECT n.nspname, p.proname, source.oid, target.oid, NOT p.proretset OR p.prorows = 1
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_class source ON source.reltype = p.proargtypes[0] AND source.relkind IN ('r', 'p', 'v', 'm', 'f')
JOIN pg_class target ON target.reltype = p.prorettype AND target.relkind IN ('r', 'p', 'v', 'm', 'f')
WHERE n.nspname = ANY ($1::text[]) AND p.pronargs = 1 AND p.prokind = 'f'

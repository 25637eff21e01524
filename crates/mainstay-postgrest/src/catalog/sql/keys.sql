-- Primary, unique and foreign keys of every schema but the system's: views of exposed schemas may show tables of others.
-- What partitions inherit is left out.
SELECT k.conrelid, k.conname, k.contype::text, k.conkey, k.confrelid, k.confkey
FROM pg_constraint k
JOIN pg_namespace n ON n.oid = k.connamespace
WHERE k.contype IN ('p', 'u', 'f') AND k.conparentid = 0 AND n.nspname NOT IN ('pg_catalog', 'information_schema')

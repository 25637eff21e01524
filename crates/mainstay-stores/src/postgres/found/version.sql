-- One number of the catalog entries of the schema in use: which transaction wrote each, added up.
SELECT coalesce(sum(hashint8(written::text::bigint * 31 + about)), 0)::bigint FROM (
  SELECT c.xmin AS written, c.oid::bigint AS about FROM pg_class c
  WHERE c.relnamespace = current_schema()::regnamespace
  UNION ALL
  SELECT a.xmin, a.attrelid::bigint * 7 + a.attnum FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  WHERE c.relnamespace = current_schema()::regnamespace AND a.attnum > 0
  UNION ALL
  SELECT p.xmin, p.oid::bigint FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace
  UNION ALL
  SELECT k.xmin, k.oid::bigint FROM pg_constraint k WHERE k.connamespace = current_schema()::regnamespace
) AS entries

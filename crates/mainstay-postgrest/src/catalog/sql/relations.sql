-- Tables and views of the exposed schemas ($1). What may be written is looked up for views and foreign tables alone: the
-- look-up opens the relation, and tables take every write.
SELECT c.oid, n.nspname, c.relname, c.relkind::text, d.description,
  CASE
    WHEN c.relkind IN ('r', 'p') THEN 28
    WHEN c.relkind IN ('v', 'f') THEN pg_relation_is_updatable(c.oid, true)
    ELSE 0
  END
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition

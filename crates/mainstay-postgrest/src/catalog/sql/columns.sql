-- Columns of the relations of the exposed schemas ($1), each with its type and what modifies that, told of by types.sql.
SELECT a.attrelid, a.attnum, a.attname, a.attnotnull, a.atttypid, a.atttypmod, d.description,
  -- Whether the default of its type would be its own.
  a.attidentity = '' AND NOT a.atthasdef,
  CASE
    WHEN a.attidentity = 'd' THEN (
      SELECT format('nextval(%L)', s.objid::regclass)
      FROM pg_depend s
      WHERE s.refclassid = 'pg_class'::regclass AND s.refobjid = a.attrelid AND s.refobjsubid = a.attnum
        AND s.classid = 'pg_class'::regclass AND s.deptype = 'i'
      LIMIT 1)
    -- A default names no column, so that the relation need not be opened, which takes longer than all the rest.
    WHEN a.attgenerated = '' THEN pg_get_expr(f.adbin, 0)
  END
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = a.attrelid AND d.objsubid = a.attnum
WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
